"""States of a graph and patches between its versions, as widgets and patch files use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from amp_lab.graph.edits.differences import PROPERTIES, Difference
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.edits.transactions import Store
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord

Place: TypeAlias = tuple[float, float]
Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class State:
    """A graph at one moment, with places of nodes on the canvas (pixels) and folds (names of nodes by title).

    ``file`` is the patch file of the state, "" for none; undoing the opening of a file restores the file
    before.

    Examples
    --------
    >>> from amp_lab.graph.edits.journal import Journal
    >>> g = amp.Graph()
    >>> journal = Journal.of(g)
    >>> gain = g.gain(g.sine())
    >>> journal.move({"sine": (0.0, 40.0)})
    >>> state = journal.state
    >>> sorted(state.nodes), sorted(state.edges), state.places, state.file
    (['gain', 'sine'], [('gain', 'in', 0)], {'sine': (0.0, 40.0)}, '')
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
    """What changed from version ``base`` to ``version``; None in a table means removed.

    Examples
    --------
    >>> from amp_lab.graph.edits.journal import Journal
    >>> g = amp.Graph()
    >>> tone = g.sine()
    >>> Journal.of(g).subscribe(lambda patch: print(patch.version, patch.renamed, sorted(patch.nodes)))
    >>> g.rename(tone, "tone")
    1 {'sine': 'tone'} ['sine', 'tone']
    """

    base: int
    version: int
    renamed: Mapping[str, str]
    nodes: Mapping[str, NodeRecord | None]
    edges: Mapping[Key, Edge | None]
    modulations: Mapping[Key, Modulation | None]
    attributes: Mapping[str, Any]
    places: Mapping[str, Place | None]
    folds: Mapping[str, tuple[str, ...]] | None
    before: Mapping[str, NodeRecord | None]
    """The former records of the keys in ``nodes``."""


def look(store: Store) -> State:
    """Return the present state of a graph."""
    with store.lock:
        return State(
            dict(store.handles),
            dict(store.nodes),
            dict(store.edges),
            dict(store.modulations),
            {key: store.attributes[key] for key in PROPERTIES},
            {name: store.places[node] for name, node in store.handles.items() if node in store.places},
            folds(store),
            store.attributes["file"],
        )


def folds(store: Store) -> dict[str, tuple[str, ...]]:
    """Return the names in each fold, without nodes that were removed."""
    kept = {title: _names(store, nodes) for title, nodes in store.attributes["folds"].items()}
    return {title: names for title, names in kept.items() if names}


def _names(store: Store, nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes if store.handles.get(node.name) is node)


def patch(difference: Difference, store: Store, version: int) -> Patch:
    """Return the patch that a difference, the last one before the present state, is sent as."""
    handles = [(was, now) for _, was, now in difference.values("handles")]
    changed: set[Node] = {node for both in handles for node in both if node is not None}
    placed: set[Node] = {node for node, _, _ in difference.values("places")}
    places: dict[str, Place | None] = {name: None for name, new in difference.names.items() if new != name}
    places |= {
        node.name: store.places.get(node) for node in changed | placed if store.handles.get(node.name) is node
    }
    folded = {node for nodes in store.attributes["folds"].values() for node in nodes}
    refolded = ("attributes", "folds") in difference.changes or not folded.isdisjoint(changed)
    nodes = {name: now for name, _, now in difference.values("nodes")}
    return Patch(
        base=version - 1,
        version=version,
        renamed=difference.renamed,
        nodes=nodes,
        edges={key: now for key, _, now in difference.values("edges")},
        modulations={key: now for key, _, now in difference.values("modulations")},
        attributes={key: now for key, _, now in difference.values("attributes") if key in PROPERTIES},
        places=places,
        folds=folds(store) if refolded else None,
        before={name: was for name, was, _ in difference.values("nodes")},
    )
