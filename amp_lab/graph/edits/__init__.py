"""Edits of a graph: of nodes and of links, as transactions, with events and an undo list."""
