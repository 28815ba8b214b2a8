"""A graph as Python code that builds it."""

from __future__ import annotations

import json
import keyword
import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records.free_names import Names
from amp_lab.graph.records.json_values import encode
from amp_lab.graph.records.model import Edge, Link, Modulation, Thermo
from amp_lab.graph.records.values import CurveRef

L = TypeVar("L", Edge, Modulation)


def to_code(graph: EditedGraph) -> str:
    """Return Python code that binds the graph to ``g``; the `Graph.to_dict` of both is equal."""
    order = _order(graph)
    variables = _variables(order)
    lines = [_head(graph)]
    done: Names[None] = Names()
    written: set[str] = set()
    entering = _by_target(graph.edges)
    for node in order:
        inputs = _inline_edges(node, entering, done)
        written |= {edge.id for edges in inputs.values() for edge in edges}
        lines.append(_node(graph, node, inputs, variables, done))
        done[node.name] = None
    rest = [edge for edge in graph.edges if edge.id not in written]
    gaps = _with_gaps(entering)
    lines += [_connect(graph, edge, variables, gaps) for edge in sorted(rest, key=_slot)]
    gaps = _with_gaps(_by_target(graph.modulations))
    lines += [_modulate(graph, mod, variables, gaps) for mod in sorted(graph.modulations, key=_slot)]
    lines += _controls(graph)
    return "import amp_lab as amp\n\n" + "\n".join(lines) + "\n"


def _head(graph: EditedGraph) -> str:
    arguments = {"sample_rate": graph.sample_rate, "name": graph.name}
    if graph.heat_budget_w is not None:
        arguments |= {"heat_budget_w": graph.heat_budget_w, "heat_policy": graph.heat_policy}
    return f"g = amp.Graph({_keywords(arguments)})"


def _order(graph: EditedGraph) -> list[Node]:
    """Return sources before the nodes they feed by edges without delay, else in order of creation."""
    waiting = {node.name: node for node in graph.nodes}
    place = {name: i for i, name in enumerate(waiting)}
    feeds: dict[str, list[str]] = {name: [] for name in waiting}
    lacks = dict.fromkeys(waiting, 0)
    for edge in graph.edges:
        if not edge.delay_frames and edge.src != edge.dst:
            feeds[edge.src].append(edge.dst)
            lacks[edge.dst] += 1
    order: list[Node] = []
    ready = [name for name in waiting if not lacks[name]]
    while waiting:
        step = ready or [next(iter(waiting))]  # a loop: begin with its first node
        order += [waiting.pop(name) for name in step]
        fed = [consumer for name in step for consumer in feeds[name]]
        for consumer in fed:
            lacks[consumer] -= 1
        ready = sorted({name for name in fed if not lacks[name] and name in waiting}, key=place.__getitem__)
    return order


def _variables(order: list[Node]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: Names[None] = Names(dict.fromkeys(("g", "amp")))
    for node in order:
        stem = unicodedata.normalize("NFKC", re.sub(r"\W", "_", node.name))  # as Python folds names
        stem = re.sub(r"\W", "_", stem)
        is_free = not (keyword.iskeyword(stem) or stem.startswith("__"))  # __debug__ cannot be bound
        stem = stem if stem.isidentifier() and is_free else f"n_{stem}"
        stem = stem if stem.isidentifier() else "n"
        names[node.name] = taken.free(stem)
        taken[names[node.name]] = None
    return names


def _by_target(links: Iterable[L]) -> dict[tuple[str, str], list[L]]:
    """Edges or modulations by node and port or parameter, in slot order."""
    entering: dict[tuple[str, str], list[L]] = {}
    for link in sorted(links, key=_slot):
        entering.setdefault(_target(link), []).append(link)
    return entering


def _with_gaps(entering: Mapping[tuple[str, str], Sequence[Link]]) -> set[tuple[str, str]]:
    """Return the ports or parameters whose slots have gaps, so that slots must be written."""
    return {target for target, links in entering.items() if links[-1].slot >= len(links)}


def _inline_edges(
    node: Node, entering: Mapping[tuple[str, str], list[Edge]], done: Container[str]
) -> dict[str, list[Edge]]:
    """Return the edges that can be arguments of the builder, by port in slot order."""
    result: dict[str, list[Edge]] = {}
    for port in node.contract.input_keys:
        edges = entering.get((node.name, port), [])
        fits = all(e.is_plain and e.slot == i and e.src in done for i, e in enumerate(edges))
        is_alone = len(node.contract.inputs) == 1
        if edges and fits and (is_alone or not keyword.iskeyword(port)):
            result[port] = edges
    return result


def _node(
    graph: EditedGraph,
    node: Node,
    inputs: dict[str, list[Edge]],
    variables: dict[str, str],
    done: Names[None],
) -> str:
    record = node.record
    arguments: list[str] = []
    for port, edges in inputs.items():
        sources = [_source(graph, edge, variables) for edge in edges]
        if len(node.contract.inputs) == 1:
            arguments += sources
        else:
            arguments.append(f"{port}={sources[0] if len(sources) == 1 else '[' + ', '.join(sources) + ']'}")
    keywords: dict[str, Any] = dict(sorted(record.values.items()))
    if "source" not in keywords and record.samples is not None:
        keywords["samples"] = record.samples
    if record.name != done.free(record.type):
        keywords["name"] = record.name
    if record.thermo != Thermo():
        keywords["thermo"] = {key: value for key, value in vars(record.thermo).items() if value is not None}
    arguments += [_keywords(keywords)] if keywords else []
    return f"{variables[node.name]} = g.{record.type}({', '.join(arguments)})"


def _connect(graph: EditedGraph, edge: Edge, variables: dict[str, str], gaps: set[tuple[str, str]]) -> str:
    more: dict[str, Any] = {} if len(graph.contract(edge.dst).inputs) == 1 else {"port": edge.dst_port}
    more |= {"slot": edge.slot} if _target(edge) in gaps else {}
    more |= {key: getattr(edge, key) for key in ("delay_frames", "gates") if getattr(edge, key)}
    more |= {
        key: getattr(edge, key) for key in ("kappa", "tokens", "channel") if getattr(edge, key) is not None
    }
    return f"g.connect({_source(graph, edge, variables)}, {variables[edge.dst]}, {_keywords(more)})"


def _modulate(
    graph: EditedGraph, mod: Modulation, variables: dict[str, str], gaps: set[tuple[str, str]]
) -> str:
    more: dict[str, Any] = {"mode": mod.mode}
    defaults = {"scale": 1.0, "offset": 0.0, "channel": None, "delay_frames": 0}
    more |= {key: getattr(mod, key) for key, default in defaults.items() if getattr(mod, key) != default}
    more |= {"slot": mod.slot} if _target(mod) in gaps else {}
    is_taken = hasattr(Node, mod.param)
    target = variables[mod.dst] + (f".param({_literal(mod.param)})" if is_taken else f".{mod.param}")
    return f"g.modulate({_source(graph, mod, variables)}, {target}, {_keywords(more)})"


def _controls(graph: EditedGraph) -> list[str]:
    if graph.controls is None:
        return []
    curves = [
        f"    amp.Curve({', '.join(map(_literal, (c.name, c.times_s, c.values, c.interpolation)))}),"
        for c in graph.controls.values()
    ]
    return (
        ["g.controls = amp.ControlHistory([", *curves, "])"]
        if curves
        else ["g.controls = amp.ControlHistory()"]
    )


def _slot(link: Link) -> int:
    return link.slot


def _target(link: Link) -> tuple[str, str]:
    return link.dst, link.dst_port if isinstance(link, Edge) else link.param


def _source(graph: EditedGraph, link: Link, variables: dict[str, str]) -> str:
    variable = variables[link.src]
    is_first = link.src_port == graph[link.src].contract.output_keys[0]
    return variable if is_first else f"{variable}.output({_literal(link.src_port)})"


def _keywords(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={_literal(value)}" for key, value in values.items())


def _literal(value: Any) -> str:
    if isinstance(value, CurveRef):
        return f"amp.curve({_literal(value.name)})"
    if isinstance(value, str):  # unprintable characters become escapes
        text = json.dumps(value, ensure_ascii=False)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, np.ndarray):
        data = encode(value)
        return f"amp.array({data['float64']!r}, {value.shape})" if isinstance(data, dict) else repr(data)
    return repr(value)
