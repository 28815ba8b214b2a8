"""A plan as a readable text: start and latency of nodes, feedback loops, gates, frames held by edges."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, TypeVar

from amp_lab.errors import plain, readable

_LOOP_NAMES = 8
"""Most names of a loop in the text; of a longer loop the middle is left out and counted."""
_ROWS = 200
"""Most nodes, edges, loops or gates in the text; of more the middle is left out and counted."""
_NODES = """nodes in firing order
  A is the virtual time, in frames, at which a node fires its frame 0; L is its processing latency.
  Its frame n can be read from time A + L + n on."""
_EDGES = (
    "  Delay is part of the sound (z^-d). Holds is what waits in the edge: delay + A(to) - A(from) - L(from)."
)
_DRIVERS = {"frame": "frame by frame", "block": "each node as far as its inputs reach"}

Row = tuple[str, ...]
T = TypeVar("T")


def render(info: dict[str, Any], schedule: str = "") -> str:
    """Return the text of a plan given as JSON values (`Plan.info`); equal plans give equal texts.

    ``schedule`` is the text of its schedule, which comes before the digest.
    """
    loops = {name: i for i, c in enumerate(info["components"], 1) for name in c["nodes"]}
    at = {n["name"]: i for i, n in enumerate(info["nodes"])}
    edges = sorted(info["edges"], key=lambda e: (at[e["src"]], at[e["dst"]], e["slot"]))
    nodes = [_node(n, loops, info["output"]) for n in _ends_of(info["nodes"])]
    columns = ("A", "L", "ch", "type", "node", "")
    parts = [_title(info), ""]
    parts += [_NODES, *_told(_aligned([columns, *nodes], right=3), info["nodes"], "nodes"), ""]
    if components := range(len(info["components"])):
        spelled = [_loop(info, i) for i in _ends_of(components)]
        parts += ["feedback loops", *_told(spelled, components, "loops"), ""]
    if gates := _behind(info["nodes"]):
        spelled = [_gate(gate, gates[gate]) for gate in _ends_of(sorted(gates))]
        parts += ["gates", *_told(spelled, gates, "gates"), ""]
    for kind, heading in (("audio", "edges"), ("modulation", "modulations")):
        if some := [e for e in edges if e["kind"] == kind]:
            holds = any(e["delay_frames"] or e["lag_frames"] for e in some)
            explained = [_EDGES] if holds and _EDGES not in parts else []
            spelled = _aligned(list(_edges(_ends_of(some), holds)))
            parts += [heading, *explained, *_told(spelled, some, heading), ""]
    if info["dead_edges"]:
        dead = [(*_ends(e), "not read") for e in _ends_of(info["dead_edges"])]
        spelled = _told(_aligned(dead), info["dead_edges"], "edges")
        parts += ["edges that are not the first of their port", *spelled, ""]
    if info["curves"]:
        parts += [f"curves needed: {', '.join(map(plain, info['curves']))}", ""]
    parts += [schedule] if schedule else []
    return readable("\n".join([*parts, f"digest {info['digest']}"]) + "\n")


def tightest_loop(info: dict[str, Any], component: int) -> list[dict[str, Any]]:
    """Return the edges of the cycle with the fewest frames of delay, which limits the sub-block.

    Source: E. W. Dijkstra, "A note on two problems in connexion with graphs", 1959, applied from every
    feedback edge.
    """
    names, bound = info["components"][component]["nodes"], info["components"][component]["sub_block"]
    leaving: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for e in info["edges"]:
        if e["src"] in leaving and e["dst"] in leaving:
            leaving[e["src"]].append(e)
    best: tuple[int, list[dict[str, Any]]] | None = None
    for closing in (e for edges in leaving.values() for e in edges if e["feedback"]):
        way = _shortest(leaving, closing["dst"], closing["src"])
        cycle = [*way, closing]
        key = (sum(e["lag_frames"] for e in cycle), len(cycle), [e["src"] for e in cycle])
        if best is None or key < (best[0], len(best[1]), [e["src"] for e in best[1]]):
            best = key[0], cycle
        if len(names) > _ROWS and key[0] == bound:
            break  # in a large component the first cycle that reaches the bound
    return best[1] if best else []


def _shortest(leaving: dict[str, list[dict[str, Any]]], start: str, stop: str) -> list[dict[str, Any]]:
    """Return the edges of a path from `start` to `stop` with the fewest frames, then the fewest edges."""
    came: dict[str, dict[str, Any] | None] = {}
    queue: list[tuple[int, int, str, int, dict[str, Any] | None]] = [(0, 0, start, 0, None)]
    pushed = 0
    while queue and stop not in came:
        held, hops, name, _, by = heapq.heappop(queue)
        if name in came:
            continue
        came[name] = by
        for e in leaving[name]:
            pushed += 1
            heapq.heappush(queue, (held + e["lag_frames"], hops + 1, e["dst"], pushed, e))
    way: list[dict[str, Any]] = []
    while (edge := came[stop]) is not None:
        way.append(edge)
        stop = edge["src"]
    return way[::-1]


def _title(info: dict[str, Any]) -> str:
    frames, rate = info["latency_frames"], info["sample_rate"]
    late = f"latency {frames} frames ({1e3 * frames / rate:.4g} ms)" if frames else "no latency"
    sizes = ", ".join(_count(len(info[key]), key[:-1]) for key in ("nodes", "edges"))
    return f"plan {info['graph']}: {rate:.10g} Hz, {sizes}, {late}"


def _node(node: dict[str, Any], loops: dict[str, int], output: str) -> Row:
    words = [f"loop {loops[node['name']]}"] if node["name"] in loops else []
    words += [f"gate {plain(gate)}" for gate in node["gates"]]
    words += [f"{p['port']} {p['gather']}" for p in node["inputs"] if p["gather"] != "sum"]
    words += [f"{p['port']} {p['scatter']}" for p in node["outputs"] if p["scatter"] != "broadcast"]
    words += [f"{p['port']} maps {p['map']}" for p in node["outputs"] if p["map"] != "none"]
    words += ["delivered"] if node["name"] == output else []
    numbers = (node["arrival_frames"], node["latency_frames"], node["channels"])
    return (*map(str, numbers), node["type"], node["name"], ", ".join(words))


def _loop(info: dict[str, Any], index: int) -> str:
    component = info["components"][index]
    cycle = tightest_loop(info, index)
    names = [e["src"] for e in cycle] or component["nodes"]
    if len(names) > _LOOP_NAMES:
        half = _LOOP_NAMES // 2
        left_out = f"({len(names) - 2 * half} more)"
        spelled = [*names[:half], left_out, *names[-half:], names[0]]
    else:
        spelled = [*names, names[0]]
    size = component["sub_block"]
    others = len(component["nodes"]) - len(set(names))
    also = f"; {_count(others, 'more node')} in other ways round" if others else ""
    how = f"sub-blocks of {_count(size, 'frame')}, {_DRIVERS[component['driver']]}"
    return f"  loop {index + 1}: {' -> '.join(spelled)}: {how}{also}"


def _behind(nodes: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the nodes behind each gate, in firing order."""
    gates: dict[str, list[dict[str, Any]]] = {}
    for node in nodes:
        for gate in node["gates"]:
            gates.setdefault(gate, []).append(node)
    return gates


def _gate(gate: str, behind: Sequence[dict[str, Any]]) -> str:
    shown = [n["name"] for n in _ends_of(behind)]
    if len(shown) < len(behind):
        shown.insert(len(shown) // 2, f"({len(behind) - len(shown)} more)")
    names = ", ".join(shown)
    how = "start together" if len(behind) > 1 else "starts"
    return f"  {plain(gate)}: {names} {how} at {behind[0]['arrival_frames']}"


def _edges(edges: Sequence[dict[str, Any]], holds: bool) -> Iterator[Row]:
    for e in edges:
        numbers = (_some("delay", e["delay_frames"]), _holds(e)) if holds else ()
        yield (*_ends(e), *numbers, _words(e))


def _holds(edge: dict[str, Any]) -> str:
    held, room = edge["lag_frames"], edge["capacity_frames"]
    return _some("holds", held) + (f" of {room}" if held and room != held else "")


def _words(edge: dict[str, Any]) -> str:
    words = ["feedback"] if edge["feedback"] else []
    if edge["kind"] == "modulation":
        scaled = "m" if edge["scale"] == 1 else f"{edge['scale']:g} m"
        factor = f"({edge['offset']:g} + {scaled})" if edge["offset"] else scaled
        words.insert(0, f"times {factor}" if edge["mode"] == "multiply" else f"plus {scaled}")
    words += [f"channel {edge['channel']}"] if edge["channel"] >= 0 else []
    words += [f"into channel {edge['into']}"] if edge.get("into") else []
    words += [f"gate {plain(gate)}" for gate in edge["gates"]]
    words += [_tokens(tokens)] if (tokens := edge.get("tokens")) else []
    return ", ".join(words)


def _tokens(tokens: dict[str, Any]) -> str:
    """Return a text about the initial tokens of an edge: ``begins with 0 1 ...``."""
    values = " ".join(f"{value:.4g}" for value in tokens["values"])
    sizes = [f"{tokens[key]} {key}" for key in ("batches", "channels") if tokens[key] > 1]
    count = math.prod(tokens[key] for key in ("batches", "channels", "frames"))
    return " ".join(
        [
            "begins with",
            values,
            *(["..."] if len(tokens["values"]) < count else []),
            *(["in", " x ".join(sizes)] if sizes else []),
        ]
    )


def _ends(edge: dict[str, Any]) -> Row:
    return f"{edge['src']}.{edge['src_port']}", "->", f"{edge['dst']}.{edge['dst_port']}[{edge['slot']}]"


def _ends_of(items: Sequence[T]) -> Sequence[T]:
    """Return all items, or the first and the last ones of a long list."""
    half = _ROWS // 2
    return items if len(items) <= _ROWS else [*items[:half], *items[-half:]]


def _told(lines: list[str], items: Sized, what: str) -> list[str]:
    """Return the lines of `_ends_of` the items, with a line in the middle that counts those left out."""
    hidden = len(items) - _ROWS
    return (
        lines
        if hidden <= 0
        else [*lines[: -_ROWS // 2], f"  ... {hidden} more {what}", *lines[-_ROWS // 2 :]]
    )


def _some(word: str, frames: int) -> str:
    return f"{word} {frames}" if frames else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _aligned(rows: Sequence[Row], right: int = 0) -> list[str]:
    """Return lines of aligned cells; the first `right` columns are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if k < right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ).rstrip()
        for row in rows
    ]
