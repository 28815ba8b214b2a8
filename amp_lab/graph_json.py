"""A graph as readable JSON: nodes by name, parameters by key, sorted, defaults left out, bits kept."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from amp_lab import checks
from amp_lab.control import ControlHistory
from amp_lab.errors import AmpError, GraphError, plain, quoted
from amp_lab.model import Edge, Modulation, Node, NodeRecord, Thermo
from amp_lab.values import CurveRef, Samples, Value, frozen

if TYPE_CHECKING:
    from amp_lab.graph import Graph

SCHEMA = "amp_lab.graph/1"
INLINE_VALUES = 64
KEYS = {"schema", "name", "sample_rate", "nodes", "edges", "modulations", "heat", "controls"}
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
    if value.size <= INLINE_VALUES:
        return value.tolist()
    data = base64.b64encode(value.astype("<f8").tobytes()).decode()
    return {"float64": data, "shape": list(value.shape)}


def decode(data: Any) -> Any:
    """Undo `encode`."""
    if isinstance(data, dict) and set(data) == {"curve"}:
        if not isinstance(data["curve"], str):
            raise GraphError(f"not a curve's name (got {quoted(data['curve'])}, allowed text).")
        return CurveRef(data["curve"])
    if isinstance(data, dict) and set(data) == {"float64", "shape"}:
        return frozen(
            np.frombuffer(base64.b64decode(data["float64"], validate=True), "<f8").reshape(data["shape"])
        )
    if isinstance(data, dict):
        raise GraphError(f"not a value (got keys {sorted(data)}, allowed curve, or float64 with shape).")
    return data


def from_dict(data: Mapping[str, Any]) -> Graph:
    """Read what `to_dict` wrote.

    Raises
    ------
    GraphError
        Listing every violation with its JSON path.
    """
    from amp_lab.graph import Graph  # noqa: PLC0415 - it imports this module

    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        got = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
        raise GraphError(f"$.schema: not a graph (got {quoted(got)}, allowed {SCHEMA!r}).")
    reader = _Reader()
    reader.keys("$", data, KEYS)
    heat = reader.table("$.heat", data.get("heat", {}), dict)
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
        reader.node(graph, name, item)
    for i, item in enumerate(reader.table("$.edges", data.get("edges", []), list)):
        reader.edge(graph, f"$.edges[{i}]", item)
    for i, item in enumerate(reader.table("$.modulations", data.get("modulations", []), list)):
        reader.modulation(graph, f"$.modulations[{i}]", item)
    if "controls" in data:
        reader.controls(graph, data["controls"])
    if reader.problems:
        raise GraphError("\n".join(reader.problems), stage="load")
    return graph


@dataclass
class _Reader:
    """Collects every violation with its JSON path."""

    problems: list[str] = field(default_factory=list)

    def attempt(self, path: str, step: Callable[[], T]) -> T | None:
        """Run a step; note what goes wrong."""
        try:
            return step()
        except KeyError as error:
            self.problems.append(f"{path}: lacks {error.args[0]!r}.")
        except (AmpError, TypeError, ValueError) as error:
            self.problems.append(f"{path}: {error}")
        return None

    def table(self, path: str, value: Any, kind: type) -> Any:
        """Return the value if it is of that kind, else an empty one and a violation."""
        if isinstance(value, kind):
            return value
        self.problems.append(f"{path}: wrong kind (got {type(value).__name__}, allowed {kind.__name__}).")
        return kind()

    def link(self, path: str, item: Any, options: set[str]) -> dict[str, Any] | None:
        """Check the keys of an edge or modulation; None if it cannot be read."""
        if not self.table(path, item, dict):
            return None
        self.keys(path, item, {"from", "to"} | options)
        given: dict[str, Any] = item
        return given

    def keys(self, path: str, item: Mapping[str, Any], allowed: set[str]) -> None:
        """Note unknown keys."""
        for key in sorted(set(item) - allowed):
            self.problems.append(checks.unknown(f"{path}.{plain(key)}", key, sorted(allowed), "key"))

    def node(self, graph: Graph, name: str, item: Any) -> None:
        """Add a node."""
        path = f"$.nodes.{name}"
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
            self.attempt(f"{path}.params.{key}", partial(self.param, graph, node, key, value))
        if "samples" in item:
            self.attempt(f"{path}.samples", lambda: node.set(samples=decode(item["samples"])))

    def controls(self, graph: Graph, data: Any) -> None:
        """Give the graph its control curves."""
        try:
            graph.controls = ControlHistory.from_dict(data, "$.controls")
        except GraphError as error:
            self.problems.append(str(error))

    def param(self, graph: Graph, node: Node, key: str, value: Any) -> None:
        """Set one parameter; files it names are read by the first render."""
        graph.set_params(node, {key: decode(value)}, read_files=False)

    def revision(self, path: str, present: int, given: Any) -> None:
        """Note a contract that changed since the graph was saved."""
        if given != present:
            cure = "Listen to it again, then remove this key."
            self.problems.append(
                f"{path}: the node's sound changed since (got {given}, allowed {present}). {cure}"
            )

    def edge(self, graph: Graph, path: str, item: Any) -> None:
        """Add an edge."""
        if self.link(path, item, {"slot", "delay_frames", "gates", "kappa", "tokens", "channel"}) is None:
            return
        more = {
            key: item[key] for key in ("slot", "delay_frames", "gates", "kappa", "channel") if key in item
        }

        def step() -> None:
            dst, port = _ends(item["to"])
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
