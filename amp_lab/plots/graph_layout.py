"""Places for the nodes of a graph on a canvas: columns are the stages of the plan, rows follow the edges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from amp_lab.contracts import NodeContract
from amp_lab.graph.edits.states import Place, State

_BOXES = json.loads((Path(__file__).parents[1] / "data" / "node_boxes.json").read_text(encoding="utf-8"))
WIDTH, ROW, HEAD, FOOT = (float(_BOXES[key]) for key in ("width", "row", "head", "foot"))
"""Of the box of a node, in pixels of the canvas; the editor's script reads the same file."""
HUES: dict[str, int] = _BOXES["hues"]
"""Of each group of node types in the editor, in degrees."""
GAP_X, GAP_Y = 64.0, 24.0
SWEEPS = 6
Ends = tuple[str, str]


def rows_of(contract: NodeContract) -> int:
    """Rows of the box of a node: ports side by side, then every parameter that can be modulated."""
    moving = sum(p.kind == "number" and p.rate == "frame" for p in contract.params)
    return max(len(contract.inputs), len(contract.outputs)) + moving


def height(contract: NodeContract) -> float:
    """Height of the box of a node."""
    return HEAD + ROW * rows_of(contract) + FOOT


def stages(names: Sequence[str], links: Iterable[Ends]) -> dict[str, int]:
    """Column of every node: the longest way from a source, edges that close a cycle left out.

    A node that nothing feeds stands just before the first one it feeds.
    """
    after: dict[str, list[str]] = {name: [] for name in names}
    for src, dst in links:
        after[src].append(dst)
    order, forward = _order(names, after)
    stage = dict.fromkeys(names, 0)
    for name in order:
        for dst in forward[name]:
            stage[dst] = max(stage[dst], stage[name] + 1)
    fed = {dst for targets in forward.values() for dst in targets}
    for name in reversed(order):
        if name not in fed and forward[name]:
            stage[name] = min(stage[dst] for dst in forward[name]) - 1
    return stage


def _order(names: Sequence[str], after: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """Names in data order, and the edges that lead forward in it (depth first, without recursion)."""
    forward: dict[str, list[str]] = {name: [] for name in names}
    done: list[str] = []
    state: dict[str, int] = {}
    for root in names:
        stack = [(root, iter(after[root]))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            name, targets = stack[-1]
            dst = next(targets, None)
            if dst is None:
                state[name] = 2
                done.append(name)
                stack.pop()
            elif state.get(dst) != 1:
                forward[name].append(dst)
                if dst not in state:
                    state[dst] = 1
                    stack.append((dst, iter(after[dst])))
    return done[::-1], forward


def arrange(heights: Mapping[str, float], links: Sequence[Ends]) -> dict[str, Place]:
    """Place every node; ``heights`` by name, ``links`` as (source, destination)."""
    names = sorted(heights)
    stage = stages(names, sorted(set(links)))
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(stage[name], []).append(name)
    near: dict[str, list[str]] = {name: [] for name in names}
    for src, dst in sorted(set(links)):
        if src != dst:
            near[src].append(dst)
            near[dst].append(src)
    top = dict.fromkeys(names, 0.0)
    for column in columns.values():
        _stack(column, dict.fromkeys(column, 0.0), heights, top)
    for sweep in range(SWEEPS):
        for index in sorted(columns, reverse=bool(sweep % 2)):
            side = 1 if sweep % 2 else -1
            column = columns[index]
            wanted = {
                name: _wanted(
                    name, [n for n in near[name] if (stage[n] - index) * side > 0] or near[name], top, heights
                )
                for name in column
            }
            column.sort(key=lambda name: (wanted[name], name))
            _stack(column, wanted, heights, top)
    left, upper = min(stage.values(), default=0), min(top.values(), default=0.0)
    return {name: ((stage[name] - left) * (WIDTH + GAP_X), round(top[name] - upper)) for name in names}


def _wanted(name: str, near: Sequence[str], top: Mapping[str, float], heights: Mapping[str, float]) -> float:
    """Return the upper edge that would put a node level with its neighbours."""
    if not near:
        return top[name]
    return sum(top[n] + heights[n] / 2 for n in near) / len(near) - heights[name] / 2


def _stack(
    column: Sequence[str], wanted: Mapping[str, float], heights: Mapping[str, float], top: dict[str, float]
) -> None:
    """Put a column down in order without overlap, as near to the wanted places as their mean allows."""
    bottom = float("-inf")
    for name in column:
        top[name] = max(wanted[name], bottom + GAP_Y)
        bottom = top[name] + heights[name]
    shift = sum(top[name] - wanted[name] for name in column) / max(len(column), 1)
    for name in column:
        top[name] -= shift


def links_of(state: State) -> list[Ends]:
    """Edges and modulations as (source, destination), those that close a loop by their delay left out."""
    every = [link for table in (state.edges, state.modulations) for link in table.values()]
    prompt: dict[str, list[str]] = {}
    for link in every:
        if not link.delay_frames:
            prompt.setdefault(link.src, []).append(link.dst)
    return [(x.src, x.dst) for x in every if not (x.delay_frames and _leads(prompt, x.dst, x.src))]


def _leads(after: Mapping[str, Sequence[str]], src: str, dst: str) -> bool:
    seen, stack = {src}, [src]
    while stack:
        name = stack.pop()
        if name == dst:
            return True
        new = [target for target in after.get(name, ()) if target not in seen]
        seen.update(new)
        stack += new
    return False


def settle(state: State, contracts: Mapping[str, NodeContract]) -> dict[str, Place]:
    """Places for the nodes of a state that have none: all anew if none has, else beside their neighbours."""
    heights = {name: height(contracts[record.type]) for name, record in state.nodes.items()}
    links = links_of(state)
    missing = [name for name in state.nodes if name not in state.places]
    if len(missing) == len(state.nodes):
        return arrange(heights, links)
    places = dict(state.places)
    for name in missing:
        sources = [places[src] for src, dst in links if dst == name and src in places]
        targets = [places[dst] for src, dst in links if src == name and dst in places]
        places[name] = _beside(sources, targets, heights[name], places, heights)
    return {name: places[name] for name in missing}


def _beside(
    sources: Sequence[Place],
    targets: Sequence[Place],
    own: float,
    places: Mapping[str, Place],
    heights: Mapping[str, float],
) -> Place:
    step = WIDTH + GAP_X
    near = sources or targets
    if sources:
        x = max(x for x, _ in sources) + step
    elif targets:
        x = min(x for x, _ in targets) - step
    else:
        x = min((x for x, _ in places.values()), default=0.0)
    y = sum(y for _, y in near) / len(near) if near else 0.0
    while True:
        hit = [
            other_y + heights[name]
            for name, (other_x, other_y) in places.items()
            if abs(other_x - x) < WIDTH and other_y - own - GAP_Y < y < other_y + heights[name] + GAP_Y
        ]
        if not hit:
            return x, round(y)
        y = max(hit) + GAP_Y
