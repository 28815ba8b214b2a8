"""One graph made what another is: what both have stays the same objects, so a patch says what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from amp_lab.graph.edits.states import State
from amp_lab.graph.records.curves import ControlHistory
from amp_lab.graph.records.json_values import encode_edge, encode_modulation, encode_node
from amp_lab.graph.records.model import NodeRecord

Tables = tuple[dict[str, NodeRecord], dict[Any, Any], dict[Any, Any], dict[str, Any]]


def tables(before: State, other: State) -> Tables:
    """Return nodes, edges, modulations and attributes of the other state, with objects of the first."""
    return (
        _same(before.nodes, _with_samples(before.nodes, other.nodes), encode_node),
        _same(before.edges, other.edges, encode_edge),
        _same(before.modulations, other.modulations, encode_modulation),
        _same(before.attributes, other.attributes, _encode_attribute),
    )


def _same(
    before: Mapping[Any, Any], after: Mapping[Any, Any], encode: Callable[[Any], Any]
) -> dict[Any, Any]:
    """Return the second table with the first one's objects where both say the same as JSON."""
    return {
        key: old if (old := before.get(key)) is not None and encode(old) == encode(value) else value
        for key, value in after.items()
    }


def _with_samples(before: Mapping[str, NodeRecord], after: Mapping[str, NodeRecord]) -> dict[str, NodeRecord]:
    """Return the second table; what the first one has read of the same sound files comes along."""
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
