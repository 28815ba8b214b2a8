"""A graph as readable JSON: nodes by name, parameters by key, sorted, defaults left out, bits kept."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from amp_lab.common import checks, json_text, regular_files
from amp_lab.common.json_text import place
from amp_lab.errors import AmpError, GraphError, quoted, shortened
from amp_lab.graph.records.curves import ControlHistory
from amp_lab.graph.records.model import Edge, Modulation, Node, NodeRecord, Thermo
from amp_lab.graph.records.values import CurveRef, Samples, Value, frozen

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

SCHEMA = "amp_lab.graph/1"
INLINE_VALUES = 64
MOST_AXES = 3
KEYS = {"schema", "name", "sample_rate", "nodes", "edges", "modulations", "heat", "controls", "workbench"}
"""Of a file; ``workbench`` says how the graph lies in the editor and is nothing to the graph."""
T = TypeVar("T")
LINK_DEFAULTS: dict[str, Any] = {
    "delay_frames": 0,
    "gates": [],
    "kappa": None,
    "tokens": None,
    "channel": None,
}


def to_dict(graph: Graph) -> dict[str, Any]:
    """Return the graph as JSON values."""
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "name": graph.name,
        "sample_rate": graph.sample_rate,
        "nodes": {node.name: encode_node(node.record) for node in sorted(graph.nodes, key=lambda n: n.name)},
        "edges": [
            encode_edge(edge) for edge in sorted(graph.edges, key=lambda e: (e.dst, e.dst_port, e.slot))
        ],
        "modulations": [
            encode_modulation(mod)
            for mod in sorted(graph.modulations, key=lambda m: (m.dst, m.param, m.slot))
        ],
    }
    if graph.heat_budget_w is not None:
        data["heat"] = {"budget_w": graph.heat_budget_w, "policy": graph.heat_policy}
    if graph.controls is not None:
        data["controls"] = graph.controls.to_dict()
    return data


def encode_node(record: NodeRecord) -> dict[str, Any]:
    """Return a node as JSON values, without its name."""
    data: dict[str, Any] = {"type": record.type, "revision": record.revision}
    if record.values:
        data["params"] = {key: encode(value) for key, value in sorted(record.values.items())}
    if record.thermo != Thermo():
        data["thermo"] = {key: value for key, value in vars(record.thermo).items() if value is not None}
    if record.oversample_ratio != 1:
        data["oversample_ratio"] = record.oversample_ratio
    if record.samples is not None and "source" not in record.values:
        data["samples"] = encode(record.samples)
    return data


def encode_edge(edge: Edge) -> dict[str, Any]:
    """Return an edge as JSON values."""
    data = {"from": f"{edge.src}.{edge.src_port}", "to": f"{edge.dst}.{edge.dst_port}", "slot": edge.slot}
    tokens = None if edge.tokens is None else encode(edge.tokens)
    more = {
        "delay_frames": edge.delay_frames,
        "gates": list(edge.gates),
        "kappa": edge.kappa,
        "tokens": tokens,
        "channel": edge.channel,
    }
    return data | {key: value for key, value in more.items() if value != LINK_DEFAULTS[key]}


def encode_modulation(mod: Modulation) -> dict[str, Any]:
    """Return a modulation as JSON values."""
    data = {"from": f"{mod.src}.{mod.src_port}", "to": f"{mod.dst}.{mod.param}", "slot": mod.slot}
    data |= {"mode": mod.mode, "scale": mod.scale} | (
        {"offset": mod.offset} if mod.mode == "multiply" else {}
    )
    more = {"channel": mod.channel, "delay_frames": mod.delay_frames}
    return data | {key: value for key, value in more.items() if value != LINK_DEFAULTS[key]}


def encode(value: Value) -> Any:
    """Return a parameter value as JSON: number, text, ``{"curve": name}``, nested list or base64."""
    if isinstance(value, CurveRef):
        return {"curve": value.name}
    if not isinstance(value, np.ndarray):
        return value
    if value.size <= INLINE_VALUES and np.isfinite(value).all():
        return value.tolist()
    data = base64.b64encode(value.astype("<f8").tobytes()).decode()
    return {"float64": data, "shape": list(value.shape)}


def decode(data: Any) -> Any:
    """Undo `encode`."""
    if isinstance(data, dict) and set(data) == {"curve"}:
        return CurveRef(data["curve"])
    if isinstance(data, dict) and set(data) == {"float64", "shape"}:
        return _tensor(data["float64"], data["shape"])
    if isinstance(data, dict):
        raise GraphError(
            f"not a value (got keys {quoted(sorted(data))}, allowed curve, or float64 with shape)."
        )
    return data


def _tensor(coded: Any, shape: Any) -> Samples:
    if not isinstance(coded, str):
        raise GraphError(f"float64: not base64 (got {quoted(coded)}, allowed text). Save it again.")
    try:
        values = np.frombuffer(base64.b64decode(coded, validate=True), "<f8")
    except ValueError as error:
        raise GraphError(f"float64: damaged ({error}). Save it again.") from None
    sizes = list(shape) if isinstance(shape, list | tuple) else [shape]
    if len(sizes) > MOST_AXES or math.prod(checks.whole("shape", size) for size in sizes) != values.size:
        allowed = f"up to {MOST_AXES} sizes, together {values.size} values"
        raise GraphError(f"shape: does not fit (got {quoted(shape)}, allowed {allowed}). Save it again.")
    return frozen(values.reshape(sizes))


def relative_to(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what `to_dict` gave for a file in a folder: sound files below it are named from there."""
    here = os.path.realpath(folder)
    nodes = dict(data["nodes"])
    for name, item in nodes.items():
        source = item.get("params", {}).get("source", "")
        real = os.path.realpath(source)
        if os.path.isabs(source) and Path(real).is_relative_to(here):
            params = item["params"] | {"source": Path(real).relative_to(here).as_posix()}
            nodes[name] = item | {"params": params}
    return data | {"nodes": nodes}


def from_dict(data: Mapping[str, Any], *, where: str = "", folders: Sequence[str] = ()) -> Graph:
    """Read what `to_dict` wrote.

    Parameters
    ----------
    where
        Name of the file it came from, for messages.
    folders
        Below which sound files that it names may lie; relative paths start at the first.

    Raises
    ------
    FileError
        Listing violations with their JSON paths.
    """
    from amp_lab.graph.graph import Graph  # noqa: PLC0415 - it imports this module

    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        got = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
        json_text.refuse(where, [f"$.schema: not a graph (got {quoted(got)}, allowed {SCHEMA!r})."])
    reader = _Reader(where, folders)
    reader.keys("$", data, KEYS)
    heat = reader.table("$.heat", data.get("heat", {}), dict)
    reader.keys("$.heat", heat, {"budget_w", "policy"})
    graph = reader.attempt(
        "$",
        lambda: Graph(
            sample_rate=data["sample_rate"],
            name=data.get("name", "graph"),
            heat_budget_w=heat.get("budget_w"),
            heat_policy=heat.get("policy", "report"),
        ),
    )
    graph = Graph() if graph is None else graph
    for name, item in reader.table("$.nodes", data.get("nodes", {}), dict).items():
        reader.node(graph, str(name), item)
    for i, item in enumerate(reader.table("$.edges", data.get("edges", []), list)):
        reader.edge(graph, f"$.edges[{i}]", item)
    for i, item in enumerate(reader.table("$.modulations", data.get("modulations", []), list)):
        reader.modulation(graph, f"$.modulations[{i}]", item)
    if "controls" in data:
        reader.controls(graph, data["controls"])
    json_text.refuse(where, reader.problems)
    graph._sample_folders = tuple(folders)
    return graph


@dataclass
class _Reader:
    """Collects violations with their JSON paths; of many it reads no further."""

    where: str
    folders: Sequence[str]
    problems: list[str] = field(default_factory=list)

    def note(self, path: str, what: str) -> None:
        """Note a violation."""
        self.problem(f"{path}: {what}")

    def problem(self, text: str) -> None:
        """Keep a violation; the last one that is listed ends the reading."""
        self.problems.append(shortened(text, 800))
        if len(self.problems) == json_text.MOST_PROBLEMS:
            json_text.refuse(self.where, [*self.problems, "and perhaps more: the rest was not read."])

    def attempt(self, path: str, step: Callable[[], T]) -> T | None:
        """Run a step; note what goes wrong."""
        try:
            return step()
        except KeyError as error:
            self.note(path, f"lacks {quoted(error.args[0])}.")
        except (AmpError, OverflowError, TypeError, ValueError) as error:
            self.note(path, str(error))
        return None

    def table(self, path: str, value: Any, kind: type) -> Any:
        """Return the value if it is of that kind, else an empty one and a violation."""
        if isinstance(value, kind):
            return value
        self.note(path, f"wrong kind (got {type(value).__name__}, allowed {kind.__name__}).")
        return kind()

    def link(self, path: str, item: Any, options: set[str]) -> dict[str, Any] | None:
        """Check the keys of an edge or modulation; None if it cannot be read."""
        self.table(path, item, dict)
        if not isinstance(item, dict):
            return None
        self.keys(path, item, {"from", "to"} | options)
        given: dict[str, Any] = item
        return given

    def keys(self, path: str, item: Mapping[str, Any], allowed: set[str]) -> None:
        """Note unknown keys."""
        for key in sorted(map(str, item.keys() - allowed)):
            self.problem(checks.unknown(place(path, key), key, sorted(allowed), "key"))

    def node(self, graph: Graph, name: str, item: Any) -> None:
        """Add a node."""
        path = place("$.nodes", name)
        item = self.table(path, item, dict)
        self.keys(path, item, {"type", "revision", "params", "thermo", "oversample_ratio", "samples"})
        ratio = item.get("oversample_ratio", 1)
        node = self.attempt(
            path,
            lambda: graph.add(item["type"], name=name, thermo=item.get("thermo"), oversample_ratio=ratio),
        )
        if node is None:
            return
        self.revision(
            f"{path}.revision", node.contract.revision, item.get("revision", node.contract.revision)
        )
        for key, value in self.table(f"{path}.params", item.get("params", {}), dict).items():
            self.attempt(place(f"{path}.params", key), partial(self.param, graph, node, key, value))
        if "samples" in item:
            self.attempt(f"{path}.samples", lambda: node.set(samples=decode(item["samples"]), scale=1))

    def controls(self, graph: Graph, data: Any) -> None:
        """Give the graph its control curves."""
        try:
            graph.controls = ControlHistory.from_dict(data, "$.controls")
        except GraphError as error:
            self.problems += str(error).splitlines()

    def param(self, graph: Graph, node: Node, key: str, value: Any) -> None:
        """Set one parameter; a file it names must lie where it may, and is read by the first render."""
        if key == "source" and self.folders and isinstance(value, str) and value:
            checks.text(f"{node.name}.{key}", value)
            value = str(regular_files.inside(key, os.path.join(self.folders[0], value), self.folders))
        graph.set_params(node, {key: decode(value)}, read_files=False)

    def revision(self, path: str, present: int, given: Any) -> None:
        """Note a contract that changed since the graph was saved."""
        if given != present:
            cure = "Listen to it again, then remove this key."
            what = f"the node's sound changed since (got {quoted(given)}, allowed {present})."
            self.note(path, f"{what} {cure}")

    def edge(self, graph: Graph, path: str, item: Any) -> None:
        """Add an edge."""
        if self.link(path, item, {"slot", "delay_frames", "gates", "kappa", "tokens", "channel"}) is None:
            return
        more = {
            key: item[key] for key in ("slot", "delay_frames", "gates", "kappa", "channel") if key in item
        }

        def step() -> None:
            dst, port = _ends(item["to"])
            if graph._source(item["from"]).splits and item.get("channel") is None:
                raise GraphError("lacks 'channel', which each edge from a split output has in a file.")
            graph.connect(item["from"], dst, port=port, tokens=decode(item.get("tokens")), **more)

        self.attempt(path, step)

    def modulation(self, graph: Graph, path: str, item: Any) -> None:
        """Add a modulation."""
        options = {"slot", "mode", "scale", "offset", "channel", "delay_frames"}
        if self.link(path, item, options) is None:
            return

        def step() -> None:
            dst, param = _ends(item["to"])
            given = {key: item[key] for key in options if key in item}
            graph.modulate(item["from"], graph[dst].param(param), mode=given.pop("mode", ""), **given)

        self.attempt(path, step)


def _ends(text: Any) -> tuple[str, str]:
    if not isinstance(text, str):
        raise GraphError(f"to: not a place (got {quoted(text)}, allowed 'node.port'). Give text.")
    node, _, end = text.partition(".")
    return node, end


def array(data: str, shape: tuple[int, ...]) -> Samples:
    """Return an array from base64 of little-endian float64, as generated code writes it."""
    values: Samples = decode({"float64": data, "shape": shape})
    return values
