"""The parts of a graph as plain data: nodes, edges, values, samples, curves."""
