"""One native render as a request and its results, in the process that asks for it."""
