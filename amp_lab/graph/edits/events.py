"""What changed in a graph, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from amp_lab.graph.records.model import Edge, Modulation


@dataclass(frozen=True)
class NodeAdded:
    """A node appeared."""

    name: str


@dataclass(frozen=True)
class NodeRemoved:
    """A node is gone; its edges were removed before it."""

    name: str


@dataclass(frozen=True)
class NodeRenamed:
    """A node has another name; edges follow it."""

    old: str
    new: str


@dataclass(frozen=True)
class NodeChanged:
    """Parameters (by key), ``thermo``, ``samples`` or ``type`` of a node changed."""

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
