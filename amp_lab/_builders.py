"""One `Graph` method per node type; editors read the generated ``_builders.pyi`` beside this file."""

from amp_lab import catalog
from amp_lab.nodes import builder


class Builders:
    """Methods that add a node, derived from the native contracts."""


for _type in catalog.types():
    setattr(Builders, _type, builder.make(catalog.contract(_type)))
