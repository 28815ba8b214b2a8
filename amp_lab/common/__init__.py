"""What every room may use: checks of arguments, arrays, files and texts. Nothing here knows of graphs."""
