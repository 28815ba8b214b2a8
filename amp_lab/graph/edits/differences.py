"""Differences between two states of a graph; undo, events and patches are made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, TypeAlias

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
from amp_lab.graph.records.free_names import Entry
from amp_lab.graph.records.model import Link, NodeRecord, Thermo

TableName: TypeAlias = Literal["handles", "nodes", "edges", "modulations", "attributes", "places"]
At: TypeAlias = tuple[TableName, Any]
"""A table and a key in it."""
PROPERTIES = {
    "name": "name",
    "heat_budget": "heat_budget",
    "heat_policy": "heat_budget",
    "controls": "controls",
}
"""Attributes of a graph that change its sound or its texts, with the key of their `GraphChanged` event."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Entries of a graph's tables (see `Store`) before and after an edit, None where there is no entry.

    Values are immutable, so a difference takes memory in proportion to the edit.
    """

    changes: Mapping[At, tuple[Entry | None, Entry | None]]

    def then(self, later: Difference) -> Difference:
        """Return the difference of this edit followed by a later one."""
        merged = dict(self.changes)
        for at, (before, after) in later.changes.items():
            merged[at] = merged.get(at, (before, after))[0], after
        return Difference(merged)

    def values(self, *tables: TableName) -> Iterator[tuple[Any, Any, Any]]:
        """Yield key, value before and value after where the two differ; None where there is none."""
        for (table, key), (before, after) in self.changes.items():
            if table in tables:
                was, now = before and before[1], after and after[1]
                if was is not now:
                    yield key, was, now

    @cached_property
    def names(self) -> dict[str, str | None]:
        """New name of each node by its old name; None for a node that was removed."""
        new = {id(now): name for name, _, now in self.values("handles") if now is not None}
        return {name: new.get(id(was)) for name, was, _ in self.values("handles") if was is not None}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Old and new names of nodes that were renamed."""
        return {old: new for old, new in self.names.items() if new is not None}

    @cached_property
    def added(self) -> list[str]:
        """Names of nodes that are new."""
        kept = {*self.renamed.values()}
        return [name for name, _, now in self.values("handles") if now is not None and name not in kept]

    def events(self) -> Iterator[Event]:
        """Yield the events of the difference, in an order in which a listener can apply them one by one.

        Links are removed before their nodes and added after them. A link that only follows a rename of its
        nodes has no event.
        """
        links = [self._links("edges"), self._links("modulations")]
        yield from (EdgeRemoved(link) for gone, _ in links for link in gone)
        yield from (NodeRemoved(old) for old, new in self.names.items() if new is None)
        yield from self._renames()
        yield from self._node_events()
        yield from (EdgeAdded(link) for _, come in links for link in come)
        changed = {PROPERTIES[key]: None for key, _, _ in self.values("attributes") if key in PROPERTIES}
        yield from map(GraphChanged, changed)

    def _links(self, table: Literal["edges", "modulations"]) -> tuple[list[Link], list[Link]]:
        """Return removed and added links, without those that only follow a rename of their nodes."""
        gone = {key: was for key, was, _ in self.values(table) if was is not None}
        come = {key: now for key, _, now in self.values(table) if now is not None}
        for key, link in tuple(gone.items()) if self.renamed else ():
            src, dst = (self.names.get(end, end) for end in (link.src, link.dst))
            at = (dst, *key[1:])
            if at in come and come[at].src == src and _is_but_for_ends(link, come[at]):
                del gone[key], come[at]
        return list(gone.values()), list(come.values())

    def _renames(self) -> Iterator[Event]:
        """Yield renames to free names; nodes that exchange names go through ``name~``, no name of a node."""
        left = dict(self.renamed)
        while left:
            old = next((old for old, new in left.items() if new not in left), None)
            if old is None:
                old, new = left.popitem()
                left[spare := f"{old}~"] = new
                yield NodeRenamed(old, spare)
            else:
                yield NodeRenamed(old, left.pop(old))

    def _node_events(self) -> Iterator[Event]:
        nodes = {name: (was, now) for name, was, now in self.values("nodes")}
        old_names = {new: old for old, new in self.renamed.items()}
        new = {*self.added}
        for name, (_, now) in nodes.items():
            if now is None:
                continue
            if name in new:
                yield NodeAdded(name)
            before = None if name in new else nodes[old_names.get(name, name)][0]
            if keys := _keys(before, now):
                yield NodeChanged(name, keys)


def _is_but_for_ends(a: Link, b: Link) -> bool:
    others = (field.name for field in fields(a) if field.name not in ("src", "dst"))
    return all(getattr(a, key) is getattr(b, key) for key in others)


def _keys(was: NodeRecord | None, now: NodeRecord) -> tuple[str, ...]:
    """Return the keys that differ; of a new node, or of one with a new type, those that are not defaults."""
    old = {} if was is None or was.type != now.type else was.values
    differs = {
        "type": was is not None and was.type != now.type,
        "thermo": now.thermo != Thermo() if was is None else now.thermo is not was.thermo,
        "samples": now.samples is not (None if was is None else was.samples),
    }
    return (
        *(key for key in differs if differs[key]),
        *(key for key, value in now.values.items() if old.get(key) is not value),
        *(key for key in old if key not in now.values),
    )
