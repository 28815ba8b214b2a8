"""Graphs, contracts and patches as the JSON that views read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from amp_lab import catalog
from amp_lab.contracts import NodeContract
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.edits.states import Key, Patch, State
from amp_lab.graph.records.json_values import INLINE_VALUES, encode_edge, encode_modulation, encode_node
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord


def node(record: NodeRecord) -> dict[str, Any]:
    """Return a node; of large arrays only the shape."""
    large = {k: v for k, v in record.values.items() if isinstance(v, np.ndarray) and v.size > INLINE_VALUES}
    small = {key: value for key, value in record.values.items() if key not in large}
    data = encode_node(replace(record, values=small, samples=None))
    shapes = {key: list(value.shape) for key, value in large.items()}
    if record.samples is not None:
        shapes["samples"] = list(record.samples.shape)
    return data | ({"arrays": shapes} if shapes else {})


def edge(link: Edge) -> dict[str, Any]:
    """Return an edge; of initial tokens only the shape."""
    data = encode_edge(replace(link, tokens=None))
    return data if link.tokens is None else data | {"arrays": {"tokens": list(link.tokens.shape)}}


def key(of: Key) -> str:
    """``dst.port[slot]``."""
    return f"{of[0]}.{of[1]}[{of[2]}]"


def document(state: State) -> dict[str, Any]:
    """Return a whole graph."""
    return {
        "nodes": {name: node(record) for name, record in state.nodes.items()},
        "edges": {key(of): edge(link) for of, link in state.edges.items()},
        "modulations": {key(of): encode_modulation(link) for of, link in state.modulations.items()},
        "places": {name: list(place) for name, place in state.places.items()},
        "folds": {title: list(names) for title, names in state.folds.items()},
        **attributes(state.attributes),
    }


def attributes(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties of the whole graph."""
    data = dict(changed)
    if data.get("controls") is not None:
        data["controls"] = data["controls"].to_dict()
    return data


def patch(of: Patch, journal: Journal) -> dict[str, Any]:
    """Return a patch; new and changed nodes include their places."""
    places = {name: of.places.get(name, journal.place(name)) for name in {*of.places, *of.nodes}}
    data: dict[str, Any] = {
        "kind": "patch",
        "base": of.base,
        "version": of.version,
        "undo": journal.undo_steps,
        "redo": journal.redo_steps,
        "renamed": dict(of.renamed),
        "nodes": {name: None if record is None else node(record) for name, record in of.nodes.items()},
        "edges": {key(k): None if link is None else edge(link) for k, link in of.edges.items()},
        "modulations": {key(k): _modulation(link) for k, link in of.modulations.items()},
        "places": {name: None if place is None else list(place) for name, place in places.items()},
        "attributes": attributes(of.attributes),
    }
    if of.folds is not None:
        data["folds"] = {title: list(names) for title, names in of.folds.items()}
    return data


def _modulation(link: Modulation | None) -> dict[str, Any] | None:
    return None if link is None else encode_modulation(link)


def contracts(sample_rate: float) -> list[dict[str, Any]]:
    """Return the catalogue: all that views show of a node type, with limits in the parameters' units."""
    return [contract(catalog.contract(type_id), sample_rate) for type_id in catalog.types()]


def contract(of: NodeContract, sample_rate: float) -> dict[str, Any]:
    """Return one node type."""
    ports = {
        side: [{"key": p.key, "doc": p.doc, "channels": p.channels, "optional": p.optional,
                "gather": p.gather, "scatter": p.scatter} for p in getattr(of, side)]
        for side in ("inputs", "outputs")
    }  # fmt: skip
    params = []
    for p in of.params:
        low, high = p.limits(sample_rate)
        params.append(
            {"key": p.key, "unit": "" if p.unit == "1" else p.unit, "doc": p.doc, "kind": p.kind,
             "scale": p.scale, "rate": p.rate, "low": _finite(low), "high": _finite(high),
             "default": p.default, "choices": list(p.choices)}
        )  # fmt: skip
    return {
        "id": of.id,
        "group": of.group,
        "summary": of.summary,
        "doc": of.doc,
        "latency_frames": of.latency_frames,
        "params": params,
        **ports,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
