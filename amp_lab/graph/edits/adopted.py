"""Make a graph equal to another one; equal objects are kept, so that the patch holds differences only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from amp_lab.graph.edits.differences import PROPERTIES, TableName
from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records.curves import ControlHistory
from amp_lab.graph.records.json_values import encode_edge, encode_modulation, encode_node
from amp_lab.graph.records.model import NodeRecord


def take_over(graph: EditedGraph, other: EditedGraph) -> None:
    """Set nodes, links and properties of a graph to those of another, in its order; call it in an edit."""
    store, theirs = graph._store, other._store
    handles = {name: store.handles.get(name) or Node(graph, name) for name in theirs.handles}
    tables: dict[TableName, dict[Any, Any]] = {
        "handles": handles,
        "nodes": _same(store.nodes, _with_samples(store.nodes, theirs.nodes), encode_node),
        "edges": _same(store.edges, theirs.edges, encode_edge),
        "modulations": _same(store.modulations, theirs.modulations, encode_modulation),
    }
    for table, values in tables.items():
        for key in [key for key in getattr(store, table) if key not in values]:
            store.set(table, key, None)
        for number, (key, value) in enumerate(values.items()):
            store.set(table, key, (number, value))
    store.sort()
    properties = {key: theirs.attributes[key] for key in PROPERTIES}
    for key, value in _same(store.attributes, properties, _encode_attribute).items():
        store.put("attributes", key, value)


def _same(
    before: Mapping[Any, Any], after: Mapping[Any, Any], encode: Callable[[Any], Any]
) -> dict[Any, Any]:
    """Return the second table, with the objects of the first one where both are equal as JSON."""
    return {
        key: old if (old := before.get(key)) is not None and encode(old) == encode(value) else value
        for key, value in after.items()
    }


def _with_samples(before: Mapping[str, NodeRecord], after: Mapping[str, NodeRecord]) -> dict[str, NodeRecord]:
    """Return the second table, with the samples that the first one has read from the same sound files."""
    return {
        name: replace(record, samples=old.samples)
        if record.samples is None and (old := before.get(name)) is not None and _reads_the_same(old, record)
        else record
        for name, record in after.items()
    }


def _reads_the_same(a: NodeRecord, b: NodeRecord) -> bool:
    return bool(a.values.get("source")) and a.values.get("source") == b.values.get("source")


def _encode_attribute(value: Any) -> Any:
    return value.to_dict() if isinstance(value, ControlHistory) else value
