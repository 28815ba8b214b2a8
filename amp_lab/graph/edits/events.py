"""What an edit changed in a graph, for whoever shows it.

Events tell what differs between the beginning and the end of an edit (of a whole ``with g.edit():``), in an
order in which each can be followed by itself: links that went, nodes that went, renames, nodes that are new
or changed, links that came, properties of the graph. What came and went inside the edit is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from amp_lab.graph.records.model import Edge, Modulation


@dataclass(frozen=True)
class NodeAdded:
    """A node appeared; `NodeChanged` follows if it has values of its own."""

    name: str


@dataclass(frozen=True)
class NodeRemoved:
    """A node is gone; its edges were removed before it."""

    name: str


@dataclass(frozen=True)
class NodeRenamed:
    """A node has another name; edges follow it.

    Nodes that exchange names are renamed over ``name~``, which no node can have.
    """

    old: str
    new: str


@dataclass(frozen=True)
class NodeChanged:
    """Parameters (by key), ``thermo``, ``samples`` or ``type`` of a node changed.

    With ``type`` all parameters have their defaults, but for the keys that are named.
    """

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class EdgeAdded:
    """An edge or modulation appeared."""

    edge: Edge | Modulation


@dataclass(frozen=True)
class EdgeRemoved:
    """An edge or modulation is gone."""

    edge: Edge | Modulation


@dataclass(frozen=True)
class GraphChanged:
    """A property of the whole graph changed: ``name``, ``sample_rate``, ``heat_budget``, ``controls``."""

    key: str


Event: TypeAlias = (
    NodeAdded | NodeRemoved | NodeRenamed | NodeChanged | EdgeAdded | EdgeRemoved | GraphChanged
)
