"""One `Graph` method per node type; editors read the generated stub ``builders.pyi`` beside this file."""

from amp_lab import catalog
from amp_lab.catalog import builder


class Builders:
    """Methods that add a node, derived from the native contracts."""


for _type, _contract in catalog.BY_ID.items():
    setattr(Builders, _type, builder.make(_contract))
