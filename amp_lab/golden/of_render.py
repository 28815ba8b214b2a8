"""Storing a Render as a case without its graph at hand: its request holds graph, curves and samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from amp_lab.errors import plain, quoted
from amp_lab.graph.files import json_format
from amp_lab.graph.records import json_values
from amp_lab.graph.records.curves import ControlHistory

from . import folders
from .cases import Case
from .graph_changes import Sound, sound_of
from .store import store
from .verdict import GoldenError


def graph_of(sound: Sound) -> Any:
    """Return a Graph that renders the same."""
    from amp_lab.graph.graph import Graph  # noqa: PLC0415 - comparing needs no engine

    graph = sound.graph
    nodes = {
        node.name: json_values.encode_node(replace(node, samples=sound.inputs.get(node.name)))
        for node in graph.nodes
    }
    data: dict[str, Any] = {
        "schema": json_format.SCHEMA,
        "name": graph.name,
        "sample_rate": graph.sample_rate,
        "nodes": nodes,
        "edges": [json_values.encode_edge(edge) for edge in graph.edges],
        "modulations": [json_values.encode_modulation(mod) for mod in graph.modulations],
    }
    if graph.heat_budget_w is not None:
        data["heat"] = {"budget_w": graph.heat_budget_w, "policy": graph.heat_policy}
    return json_format.from_dict(Graph, data, where=graph.name)


def store_render(name: str, render: Any, *, reason: str, goldens: str | Path | None = None) -> Case:
    """Make a render the reference of a case, new or there already; a case keeps its comparator.

    Raises
    ------
    GoldenError, FileError
        As `golden.store`; what is no Render, and a case whose manifest cannot be read.
    """
    request = getattr(render, "request", None)
    if request is None:
        raise GoldenError(
            f"{plain(name)}: no Render (got {quoted(render)}, allowed what Graph.render returns). Store that."
        )
    case = Case(folders.find(goldens) / name)
    sound = sound_of(request)
    controls = ControlHistory(sound.curves.values()) if sound.curves else None
    how = {"graph": graph_of(sound), "controls": controls, "goldens": goldens, "overwrite": case.exists()}
    return store(name, render, reason=reason, **how)
