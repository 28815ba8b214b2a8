"""A graph as JSON: nodes by name, parameters by key, sorted, without defaults, with the same bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from amp_lab.common import checks, json_text, regular_files
from amp_lab.common.json_text import place
from amp_lab.errors import AmpError, FileError, GraphError, Violation, quoted, shortened
from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.files import plan_edges
from amp_lab.graph.records.curves import ControlHistory
from amp_lab.graph.records.json_values import (
    array,
    decode,
    encode,
    encode_edge,
    encode_modulation,
    encode_node,
)

__all__ = [
    "SCHEMA",
    "array",
    "decode",
    "encode",
    "encode_edge",
    "encode_modulation",
    "encode_node",
    "from_dict",
    "relative_to",
    "to_dict",
]
SCHEMA = "amp_lab.graph/1"
KEYS = {"schema", "name", "sample_rate", "nodes", "edges", "modulations", "heat", "controls", "workbench"}
"""Keys of a file; ``workbench`` holds the layout in the editor and does not change the graph."""
PLAN_KEYS = {"gates", "descriptor_version"}
"""Further keys of a file whose edges have the form of plans."""
EDGE_KEYS = {"from", "to", "slot", "delay_frames", "gates", "kappa", "tokens", "channel"}
T = TypeVar("T")
G = TypeVar("G", bound=EditedGraph)


def to_dict(graph: EditedGraph) -> dict[str, Any]:
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


def relative_to(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the values of `to_dict` with the paths of sound files below a folder relative to it."""
    here = os.path.realpath(folder)
    nodes = dict(data["nodes"])
    for name, item in nodes.items():
        source = item.get("params", {}).get("source", "")
        real = os.path.realpath(source)
        if os.path.isabs(source) and Path(real).is_relative_to(here):
            params = item["params"] | {"source": Path(real).relative_to(here).as_posix()}
            nodes[name] = item | {"params": params}
    return data | {"nodes": nodes}


def from_dict(kind: type[G], data: Mapping[str, Any], *, where: str = "", folders: Sequence[str] = ()) -> G:
    """Return the graph that `to_dict` wrote.

    Edges may also have the form of plans (`plan_edges`), with the keys ``gates`` and ``descriptor_version``
    in the file.

    Parameters
    ----------
    kind
        Class of the graph to make.
    data
        JSON values.
    where
        Name of the file, for messages.
    folders
        Folders that may hold the sound files that the graph names; relative paths start at the first.

    Raises
    ------
    FileError
        If a value is not allowed; the error lists all violations with their JSON paths.
    """
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        got = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
        json_text.refuse(where, [f"$.schema: not a graph (got {quoted(got)}, allowed {SCHEMA!r})."])
    reader = _Reader(where, folders)
    reader.keys("$", data, KEYS | PLAN_KEYS)
    reader.plan(data)
    heat = reader.table("$.heat", data.get("heat", {}), dict)
    reader.keys("$.heat", heat, {"budget_w", "policy"})
    graph = reader.attempt(
        "$",
        lambda: kind(
            sample_rate=data["sample_rate"],
            name=data.get("name", "graph"),
            heat_budget_w=heat.get("budget_w"),
            heat_policy=heat.get("policy", "report"),
        ),
    )
    graph = kind() if graph is None else graph
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
    """Collects violations with their JSON paths; reading ends at `json_text.MOST_PROBLEMS`."""

    where: str
    folders: Sequence[str]
    problems: list[Violation] = field(default_factory=list)
    gates: list[str] | None = None
    """The gates by number, if edges come in the form of plans."""

    def note(self, path: str, what: str) -> None:
        """Add a violation at a JSON path."""
        self.problem(f"{path}: {what}")

    def problem(self, text: str, of: Violation | None = None) -> None:
        """Add a violation, with the fields of ``of`` if given; the last that is listed ends the reading."""
        sentence = shortened(text, 800)
        self.problems.append(
            replace(of, sentence=sentence) if of else Violation(FileError, sentence=sentence)
        )
        if len(self.problems) == json_text.MOST_PROBLEMS:
            json_text.refuse(self.where, [*self.problems, "and perhaps more: the rest was not read."])

    def attempt(self, path: str, step: Callable[[], T]) -> T | None:
        """Run a step and return its result; if it raises, add violations and return None."""
        try:
            return step()
        except KeyError as error:
            self.note(path, f"lacks {quoted(error.args[0])}.")
        except AmpError as error:
            for violation in error.violations:
                self.problem(f"{path}: {violation.sentence}", violation)
        except (OverflowError, TypeError, ValueError) as error:
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
        """Add a violation for each unknown key."""
        for key in sorted(map(str, item.keys() - allowed)):
            self.problem(checks.unknown(place(path, key), key, sorted(allowed), "key"))

    def node(self, graph: EditedGraph, name: str, item: Any) -> None:
        """Add a node."""
        path = place("$.nodes", name)
        item = self.table(path, item, dict)
        self.keys(path, item, {"type", "revision", "params", "thermo", "oversample_ratio", "samples"})
        ratio = item.get("oversample_ratio", 1)  # the format has the key, the engine no other ratio yet
        cure = "Nodes run at the sample rate."
        self.attempt(path, lambda: checks.whole(f"{name}.oversample_ratio", ratio, 1, 1, cure=cure))
        node = self.attempt(path, lambda: graph.add(item["type"], name=name, thermo=item.get("thermo")))
        if node is None:
            return
        self.revision(
            f"{path}.revision", node.contract.revision, item.get("revision", node.contract.revision)
        )
        for key, value in self.table(f"{path}.params", item.get("params", {}), dict).items():
            self.attempt(place(f"{path}.params", key), partial(self.param, graph, node, key, value))
        if "samples" in item:
            self.attempt(f"{path}.samples", lambda: node.set(samples=decode(item["samples"]), scale=1))

    def controls(self, graph: EditedGraph, data: Any) -> None:
        """Give the graph its control curves."""
        try:
            graph.controls = ControlHistory.from_dict(data, "$.controls")
        except GraphError as error:
            self.problems += error.violations

    def param(self, graph: EditedGraph, node: Node, key: str, value: Any) -> None:
        """Set one parameter; a sound file must lie in an allowed folder, and is read by the first render."""
        if key == "source" and self.folders and isinstance(value, str) and value:
            checks.text(f"{node.name}.{key}", value)
            value = str(regular_files.inside(key, os.path.join(self.folders[0], value), self.folders))
        graph.set_params(node, {key: decode(value)}, read_files=False)

    def revision(self, path: str, present: int, given: Any) -> None:
        """Add a violation if the contract of the node has changed since the graph was saved."""
        if given != present:
            cure = "Listen to it again, then remove this key."
            what = f"the node's sound changed since (got {quoted(given)}, allowed {present})."
            self.note(path, f"{what} {cure}")

    def plan(self, data: Mapping[str, Any]) -> None:
        """Read the further keys of a file whose edges have the form of plans."""
        if "gates" in data:
            self.gates = self.spelled(lambda: plan_edges.gate_names("$.gates", data["gates"]))
        if "descriptor_version" in data:
            version = data["descriptor_version"]
            self.spelled(lambda: plan_edges.check_version("$.descriptor_version", version))

    def spelled(self, step: Callable[[], T]) -> T | None:
        """Run a step whose errors have their JSON path; if it raises, add violations and return None."""
        try:
            return step()
        except GraphError as error:
            for violation in error.violations:
                self.problem(violation.sentence, violation)
        return None

    def edge(self, graph: EditedGraph, path: str, item: Any) -> None:
        """Add an edge, in the form of graph files or of plans."""
        if plan_edges.is_one(item):
            self.keys(path, item, plan_edges.KEYS)
            given = self.attempt(
                path, lambda: self.spelled(lambda: plan_edges.from_plan(path, item, self.gates))
            )
            if given is None:
                return
            item = {key: value for key, value in given.items() if key in EDGE_KEYS}
        if self.link(path, item, EDGE_KEYS - {"from", "to"}) is None:
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

    def modulation(self, graph: EditedGraph, path: str, item: Any) -> None:
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
