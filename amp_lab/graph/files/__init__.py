"""A graph as descriptor blob, as JSON and as Python code."""
