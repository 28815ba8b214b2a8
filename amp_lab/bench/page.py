"""The measured page as Markdown: a pure function of the measurements that `amp_lab.bench.report` collects."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from amp_lab.bench.targets import (
    MOST_BYTES,
    MOST_DISPATCH_NS,
    MOST_WATCHING,
    TARGETS,
    Data,
    LimitCheck,
    Requirement,
    checks,
    costs_of,
    dispatch,
    here,
    middle,
    number,
    plan_ms,
    ratio,
    row_of,
    watched,
)

TEMPLATE = Path(__file__).with_name("engine.md")
FIRST = ("W1", "W2")
"""Workloads whose first render is told of."""
LARGE = 1_000
"""Nodes from which on growth is looked at."""
LEAST = 0.005
"""Share of the time that is worth a word."""
NOT_BUILT = "Not measured here: the native programs were not built, as `make bench` does."


def spread(costs: Sequence[float], scale: float = 1.0) -> str:
    """Lowest and highest of the rounds."""
    return f"{number(min(costs) * scale)} .. {number(max(costs) * scale)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; columns of figures stand to the right."""
    cells = list(rows)
    figures = [
        all(cell.lstrip("+-")[:1].isdigit() or not cell for cell in column)
        for column in zip(*cells, strict=True)
    ]
    lines: list[Sequence[str]] = [head, ["---:" if right else "---" for right in figures], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(data: Data) -> str:
    """Return the page."""
    parts = {
        "header": _header(data["about"]),
        "summary": _summary(checks(data)),
        "command": command(data),
        "table": _table(data),
        "first": _first(data),
        "beside": _beside(data["beside"]),
        "limits": _limits(data["limits"]["limits"]),
        "nodes": _nodes(data["nodes"]["points"]),
        "growth": _growth(data["nodes"]["points"]),
        "plan": _plan(data["plan"]),
        "memory": _memory(data["memory"]),
        "memory_block": str(data["memory"]["block_frames"]),
        "threads": _threads(data["workloads"]),
        "profile": "\n\n".join(map(_profile, data["profile"]["workloads"])),
        "loops": _loops(data["loops"]["loops"]),
        "polyphony": _polyphony(data["polyphony"]["graphs"]),
        "watching": _watching(data["watching"]),
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts)


# ---- how it was measured ----


def _header(about: Data) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    caches = f"; caches {', '.join(about['caches'])}" if about["caches"] else ""
    processors = f"{about['processors']} processor{'' if about['processors'] == 1 else 's'}"
    rows = [
        ("machine", f"{about['machine']}, {processors}{caches}; {about['system']}"),
        ("instruction set", f"level {about['isa']}"),
        ("library", f"{about['build']}"),
        ("versions", versions),
        ("measured", f"{about['date']}, {about['rounds']} rounds, {about['pinned']}"),
    ]
    note = (
        "\n\n*A quick run: it shows that measuring works, its figures mean nothing.*"
        if about["quick"]
        else ""
    )
    return table(["", ""], rows) + note


def command(data: Data) -> str:
    """Return the command that measured this."""
    about = data["about"]
    beside = " --beside FILE" if data["beside"] else ""
    quick = " --quick" if about["quick"] else ""
    return (
        f"amp-lab bench --report DIR --rounds {about['rounds']} --seconds {about['seconds']:g}{beside}{quick}"
    )


def _summary(found: Sequence[LimitCheck]) -> str:
    missed = [check for check in found if not check.met]
    head = f"Of {len(found)} required figures {len(found) - len(missed)} are reached, on this machine."
    if not missed:
        return head
    return "\n".join([f"{head} Not reached:", "", *(f"* {check}" for check in missed)])


# ---- sections ----


def _table(data: Data) -> str:
    beside = {
        (t.workload, t.block): best for t in TARGETS if (best := fastest(data["beside"], t)) is not None
    }
    head = ["workload", "median", "lowest .. highest", "unit", "required", "target", "reached"]
    more = ["required here", "beside"] if beside else []
    rows = []
    for t in TARGETS:
        costs = costs_of(data, t)
        cost = middle(costs) * t.scale
        reached = (
            "target"
            if cost <= t.target
            else "required"
            if cost <= t.required
            else f"no: {cost / t.required:.2f} times required"
        )
        cells = [number(cost), spread(costs, t.scale), t.unit, f"{t.required:g}", f"{t.target:g}", reached]
        if beside:
            cells += [_here(data, t, cost), _other(beside.get((t.workload, t.block)), t)]
        rows.append([f"{t.workload}: {t.what}", *cells])
    return table([*head, *more], rows)


def _here(data: Data, target: Requirement, cost: float) -> str:
    most = here(data, target)
    return "" if most is None else f"{number(most)}, {'met' if cost <= most else 'not met'}"


def fastest(others: Sequence[Data], target: Requirement) -> Data | None:
    """Return the fastest of the programs that played a workload at its block."""
    fit = [o for o in others if o["workload"] == target.workload and target.block in (None, o["block"])]
    return min(fit, key=lambda o: middle(o["costs"]), default=None)


def _other(other: Data | None, target: Requirement) -> str:
    return "" if other is None else number(middle(other["costs"]) * target.scale)


def _beside(others: Sequence[Data]) -> str:
    if not others:
        return (
            "Programs of others can be run in the same rounds: `--beside FILE`, jobs as `--emit` writes them."
        )
    scale = {t.workload: (t.scale, t.unit) for t in TARGETS}
    rows = []
    for o in others:
        factor, unit = scale[o["workload"]]
        figures = [number(middle(o["costs"]) * factor), spread(o["costs"], factor), unit]
        rows.append([f"{o['workload']}: {o['system']}, {o['precision']}, {o['setting']}", *figures])
    words = (
        "In the same rounds, on the same processor ran what others wrote. *Beside* is the fastest of them; "
        "*required here* is the required figure times what the program written by hand took here over what "
        "it took where that was set:"
    )
    return f"{words}\n\n{table(['program', 'median', 'lowest .. highest', 'unit'], rows)}"


def _first(data: Data) -> str:
    rows = [(t, row_of(data, t)) for t in TARGETS if t.workload in FIRST]
    added = [(t, (middle(row["first"]) - middle(row["costs"])) * t.scale) for t, row in rows]
    return " and ".join(f"{number(more)} {t.unit} of {t.workload}" for t, more in added)


LIMITS = {
    "gain_ns": ("a gain in L1", "ns/value"),
    "multiply_add_ns": ("multiply and add, eight lanes", "ns each"),
    "fused_ns": ("fused multiply-add, eight lanes", "ns each"),
    "recursion_ns": ("a recursion", "ns/frame"),
    "call_ns": ("an indirect call", "ns each"),
}
"""Name and unit of a limit of the machine."""


def _limits(limits: Data) -> str:
    if not limits:
        return NOT_BUILT
    rows = [
        [name, number(middle(limits[key])), unit, spread(limits[key]), number(1 / middle(limits[key]))]
        for key, (name, unit) in LIMITS.items()
        if key in limits
    ]
    return table(["limit", "median", "unit", "lowest .. highest", "G/s"], rows)


def growth(points: Sequence[Data]) -> float:
    """Return the power of the nodes that the time of a frame grows with: 1 is linear."""
    large = [p for p in points if p["nodes"] >= LARGE] or points
    x = [math.log(p["nodes"]) for p in large]
    y = [math.log(p["nodes"] * middle(p["cost"])) for p in large]
    return statistics.linear_regression(x, y).slope


def _nodes(points: Sequence[Data]) -> str:
    rows = [
        [
            f"{p['graph']}, {p['nodes']:,}",
            str(p["block_frames"]),
            number(middle(p["cost"])),
            spread(p["cost"]),
        ]
        for p in points
    ]
    return table(["graph, nodes", "block", "ns per node-frame", "lowest .. highest"], rows)


def _growth(points: Sequence[Data]) -> str:
    names = dict.fromkeys(p["graph"] for p in points)
    return " and ".join(f"{growth([p for p in points if p['graph'] == n]):.2f} for *{n}*" for n in names)


def _plan(plan: Data) -> str:
    stages = ("emit", "compile", "load", "configure", "plan_and_configure")
    head = ["graph", *(stage.replace("_", " ") for stage in stages), "required"]
    rows = []
    for g in plan["graphs"]:
        times = [number(middle(g[f"{stage}_ms"])) for stage in stages]
        rows.append([f"{g['graph']}, {g['nodes']:,} nodes", *times, f"{plan_ms(g):,g}"])
    return table(head, rows)


def _memory(memory: Data) -> str:
    parts = ("graph", "plan", "loaded_plan", "configured", "first_block")
    rows = [
        [
            s["graph"],
            *(f"{middle(s['bytes_per_node'][part]):,.0f}" for part in parts),
            f"{middle(s['total']):,.0f}",
        ]
        for s in memory["shapes"]
    ]
    return table(
        ["bytes", *(part.replace("_", " ") for part in parts), f"all (required: {MOST_BYTES:,})"], rows
    )


def _threads(workloads: Sequence[Data]) -> str:
    named = {t.workload: t for t in TARGETS}
    rows, names = [], {w["workload"] for w in workloads if w["threads"] > 1}
    for name in sorted(names):
        own = sorted((w for w in workloads if w["workload"] == name), key=lambda w: w["threads"])
        alone, t = middle(own[0]["costs"]), named[name]
        for w in own:
            cost = middle(w["costs"])
            cells = [number(cost * t.scale), spread(w["costs"], t.scale), t.unit, f"{alone / cost:.2f}"]
            rows.append([f"{name}, {w['threads']} thread{'' if w['threads'] == 1 else 's'}", *cells])
    if not rows:
        return "There is one processor here, so threads were not compared."
    return table(["threads", "median", "lowest .. highest", "unit", "times as fast"], rows)


def shares(profile: Data) -> dict[str, float]:
    """Share of each type in the time of all nodes, largest first."""
    spent = {name: middle(seconds) for name, seconds in profile["types"].items()}
    whole = sum(spent.values())
    return dict(sorted(((n, s / whole) for n, s in spent.items()), key=lambda item: -item[1]))


def _profile(profile: Data) -> str:
    parts = [f"`{name}` {100 * share:.0f} %" for name, share in shares(profile).items() if share >= LEAST]
    inside = sum(map(middle, profile["types"].values())) / middle(profile["render_s"])
    words = f"**{profile['workload']}**: {', '.join(parts)} of the time in nodes"
    return f"{words}, which is {100 * inside:.0f} % of all that `render()` takes."


def _loops(loops: Sequence[Data]) -> str:
    if not loops:
        return NOT_BUILT
    added = sorted(map(dispatch, loops))
    words = (
        f"Over {len(loops)} loops the engine adds {number(middle(added))} ns per node and frame in the "
        f"middle, {number(added[0])} to {number(added[-1])} in all (required: {MOST_DISPATCH_NS:g} at most)."
    )
    rows = [
        [", ".join(r["nodes"]), number(middle(r["cost"])), number(middle(r["bare"])), number(dispatch(r))]
        for r in loops
    ]
    return f"{words}\n\n{table(['loop, ns per node-frame', 'engine', 'bare', 'added'], rows)}"


def _polyphony(graphs: Sequence[Data]) -> str:
    ratios = sorted(map(ratio, graphs))
    words = (
        f"Over {len(graphs)} graphs cohorts take {number(middle(ratios))} of the time in the middle, "
        f"{number(ratios[0])} to {number(ratios[-1])} in all (required: less than 1)."
    )
    rows = []
    for g in graphs:
        sizes = sorted(set(g["cohorts"]), reverse=True)
        cohorts = ", ".join(f"{g['cohorts'].count(size)} of {size}" for size in sizes)
        figures = (middle(g["plain"]), middle(g["derived"]), ratio(g))
        rows.append([f"{g['nodes']} nodes; cohorts: {cohorts}", *map(number, figures)])
    return f"{words}\n\n{table(['graph, ns per frame', 'plain', 'derived', 'ratio'], rows)}"


def _watching(data: Data) -> str:
    names = {
        "off": "nothing",
        "metrics": "metrics, as always",
        "trace": "metrics and a trace of every firing",
    }
    rows = [
        [name, number(middle(data[way])), spread(data[way]), f"{100 * watched(data, way):+.1f} %"]
        for way, name in names.items()
    ]
    what = f"W1, blocks of {data['block_frames']}, measured"
    head = [what, "ns/sample", "lowest .. highest", f"more (required: {100 * MOST_WATCHING:g} % at most)"]
    return table(head, rows)
