"""States of a graph, what differs between two of them, and the events that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from amp_lab.graph.edits.events import (
    EdgeAdded,
    EdgeRemoved,
    Event,
    GraphChanged,
    NodeAdded,
    NodeChanged,
    NodeRemoved,
    NodeRenamed,
)
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records.model import Edge, Link, Modulation, NodeRecord

Place: TypeAlias = tuple[float, float]
Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class State:
    """A graph at one moment, with the places of its nodes on a canvas and its folds (names by title).

    ``file`` is the patch file that it belongs to, if any: to undo that another file was opened is to go
    back to the first.
    """

    handles: Mapping[str, Node]
    nodes: Mapping[str, NodeRecord]
    edges: Mapping[Key, Edge]
    modulations: Mapping[Key, Modulation]
    attributes: Mapping[str, Any]
    places: Mapping[str, Place] = field(default_factory=dict)
    folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, eq=False)
class Patch:
    """What changed from one version to the next; None in a table means gone."""

    base: int
    version: int
    renamed: Mapping[str, str]
    nodes: Mapping[str, NodeRecord | None]
    edges: Mapping[Key, Edge | None]
    modulations: Mapping[Key, Modulation | None]
    attributes: Mapping[str, Any]
    places: Mapping[str, Place | None]
    folds: Mapping[str, tuple[str, ...]] | None


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, Any]:
    """Entries of the second table that differ from the first, None where it has none."""
    gone = {key: None for key in before if key not in after}
    return gone | {key: value for key, value in after.items() if before.get(key) is not value}


def difference(before: State, after: State, version: int) -> Patch:
    """Return the patch that leads from one state to another."""
    old = {id(handle): name for name, handle in before.handles.items()}
    renamed = {
        old[id(handle)]: name
        for name, handle in after.handles.items()
        if id(handle) in old and old[id(handle)] != name
    }
    places = {
        key: value
        for key, value in _changed(before.places, after.places).items()
        if before.places.get(key) != value
    }
    return Patch(
        base=version - 1,
        version=version,
        renamed=renamed,
        nodes=_changed(before.nodes, after.nodes),
        edges=_changed(before.edges, after.edges),
        modulations=_changed(before.modulations, after.modulations),
        attributes={k: v for k, v in after.attributes.items() if before.attributes[k] is not v},
        places=places,
        folds=None if before.folds == after.folds else after.folds,
    )


def events(patch: Patch, before: State, after: State) -> Iterator[Event]:
    """Tell listeners what differs between two states."""
    links: list[tuple[Mapping[Key, Link], Mapping[Key, Link | None]]]
    links = [(before.edges, patch.edges), (before.modulations, patch.modulations)]
    for old, table in links:
        yield from (EdgeRemoved(old[key]) for key in table if key in old)
    new = set(patch.renamed.values())
    for name, record in patch.nodes.items():
        if record is None and name not in patch.renamed:
            yield NodeRemoved(name)
    yield from (NodeRenamed(old_name, name) for old_name, name in patch.renamed.items())
    for name, record in patch.nodes.items():
        was = before.nodes.get(name)
        if record is not None and was is None and name not in new:
            yield NodeAdded(name)
        elif record is not None and was is not None:
            yield NodeChanged(name, _keys(was, record))
    for _, table in links:
        yield from (EdgeAdded(link) for link in table.values() if link is not None)
    yield from (GraphChanged(key) for key in patch.attributes)


def _keys(was: NodeRecord, now: NodeRecord) -> tuple[str, ...]:
    fields = [key for key in ("type", "thermo", "samples") if getattr(was, key) is not getattr(now, key)]
    every = sorted({*was.values, *now.values})
    return (*fields, *(key for key in every if was.values.get(key) is not now.values.get(key)))
