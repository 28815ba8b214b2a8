"""A graph as blobs, as JSON and as Python code, and the sound files it reads."""
