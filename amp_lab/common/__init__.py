"""Helpers for all other packages: checks of arguments, arrays, files and texts; independent of graphs."""
