"""The parts of a graph as immutable records: nodes, edges, values, samples, curves."""
