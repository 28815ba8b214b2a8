"""Delay view of the timeline: declared against measured starts and latencies, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amp_lab.common import checks
from amp_lab.errors import InvalidArgument
from amp_lab.execution.results import Trace
from amp_lab.lowlevel import NodeMetrics
from amp_lab.plots import style
from amp_lab.plots.schedule import MAX_NODES

MAX_RINGS = 24
"""Most edges in the figure; of more those with most frames are drawn, and the title counts them."""
_BAR = 0.3
"""Half height of a bar, in rows."""
_WAIT, _RING, _DELAY, _PATH = style.PALETTE[4], style.PALETTE[5], style.PALETTE[2], style.PALETTE[1]


@dataclass(frozen=True)
class Row:
    """One node, or several in order with equal starts and no latency; all times in virtual frames."""

    names: tuple[str, ...]
    start: int
    """A, declared: when frame 0 is fired."""
    latency: int
    """L, declared: frame 0 can be read from A + L on."""
    ready: int
    """When it could start if it stood behind no gate; at most `start`."""
    loop: int = 0
    """Which feedback loop it is part of, counted from 1; 0 for none."""
    measured_start: int | None = None
    """The clock at its first firing, None if that is not in the trace."""
    measured_latency: int | None = None
    """Frames its output lags its input, None without metrics."""

    @property
    def agrees(self) -> bool:
        """Whether nothing measured differs from what is declared."""
        return self.measured_start in (None, self.start) and self.measured_latency in (None, self.latency)


@dataclass(frozen=True)
class Ring:
    """An edge that holds frames: its token 0 enters and is read at these virtual times."""

    src: str
    dst: str
    enters: int
    read: int
    delay: int
    feedback: bool

    @property
    def held(self) -> int:
        """Lag D: frames in the edge once both ends run."""
        return self.read - self.enters


def rows_of(
    plan_info: Mapping[str, Any], trace: Trace | None, metrics: Mapping[str, NodeMetrics] | None
) -> list[Row]:
    """One row per node in firing order, declared beside measured.

    The first firing of a node is looked up in the trace, where ``visible_from - L`` is the clock at that
    moment; a trace that lost firings does not have it.
    """
    nodes = plan_info["nodes"]
    begun = {n["name"]: int(n["arrival_frames"]) for n in nodes}
    leaves = {n["name"]: begun[n["name"]] + int(n["latency_frames"]) for n in nodes}
    ready = dict.fromkeys(begun, 0)
    loops = {n: i for i, c in enumerate(plan_info["components"], 1) for n in c["nodes"]}
    for e in plan_info["edges"]:
        ready[e["dst"]] = max(ready[e["dst"]], leaves[e["src"]] - e["delay_frames"])
    clock: dict[int, int] = {}
    if trace is not None and not trace.dropped:
        for event in trace.events[::-1]:
            k = int(event["node"])
            clock[k] = int(event["visible_from"]) - int(nodes[k]["latency_frames"])
    rows = []
    for k, n in enumerate(nodes):
        name, own = n["name"], None if metrics is None else metrics[n["name"]].measured_delay_frames
        start = begun[name]
        could = ready[name] if n["gates"] else start
        late = int(n["latency_frames"])
        rows.append(Row((name,), start, late, could, loops.get(name, 0), clock.get(k), own))
    return rows


def rings_of(plan_info: Mapping[str, Any]) -> list[Ring]:
    """Every edge that holds frames, in firing order of what reads it."""
    nodes = plan_info["nodes"]
    at = {n["name"]: k for k, n in enumerate(nodes)}
    leaves = {n["name"]: int(n["arrival_frames"]) + int(n["latency_frames"]) for n in nodes}
    rings = [
        Ring(
            e["src"], e["dst"], leaves[e["src"]], leaves[e["src"]] + int(e["lag_frames"]),
            int(e["delay_frames"]), bool(e["feedback"]),
        )
        for e in plan_info["edges"]
        if e["lag_frames"]
    ]  # fmt: skip
    return sorted(rings, key=lambda r: (at[r.dst], at[r.src]))


def path_of(plan_info: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Way of a token to the output: per node its name, when it is fired with it and when it can be read.

    Backwards from the output along the edge whose source leaves last, never round a loop; on edges with
    delay d the token goes on as frame n + d of the next node.
    """
    nodes = plan_info["nodes"]
    at = {n["name"]: k for k, n in enumerate(nodes)}
    here = plan_info.get("output") or (nodes[-1]["name"] if nodes else "")
    into: dict[str, list[Mapping[str, Any]]] = {}
    for e in plan_info["edges"]:
        if e["kind"] == "audio" and at[e["src"]] < at[e["dst"]]:
            into.setdefault(e["dst"], []).append(e)

    def lateness(e: Mapping[str, Any]) -> tuple[int, int]:
        n = nodes[at[e["src"]]]
        return int(n["arrival_frames"]) + int(n["latency_frames"]), -int(e["slot"])

    way: list[Mapping[str, Any]] = []
    while here in into:
        way.append(max(into[here], key=lateness))
        here = way[-1]["src"]
    frame, path = 0, []
    for name, delay in ((here, 0), *((e["dst"], int(e["delay_frames"])) for e in reversed(way))):
        if name:
            n, frame = nodes[at[name]], frame + delay
            fired = int(n["arrival_frames"]) + frame
            path.append((name, fired, fired + int(n["latency_frames"])))
    return path


def folded(rows: Sequence[Row], most: int = MAX_NODES) -> list[Row]:
    """Join neighbours that start together, are never late and agree, if there are more than `most`."""
    if len(rows) <= most:
        return list(rows)
    out: list[Row] = []
    for row in rows:
        plain = row.latency == 0 and row.ready == row.start and row.agrees
        if out and plain and replace(out[-1], names=row.names) == row:
            out[-1] = replace(row, names=(*out[-1].names, *row.names))
        else:
            out.append(row)
    return out


@style.drawing
def delays(
    plan_info: Mapping[str, Any],
    trace: Trace | None,
    metrics: Mapping[str, NodeMetrics] | None,
    sample_rate: float,
    *,
    nodes: Sequence[str] | None = None,
    name: str = "Delays",
    ax: Axes | None = None,
) -> Figure:
    """Draw start and latency of each node, declared and measured, and the frames that edges hold.

    The axis is virtual time in frames. A bar is the latency of a node, from A (it fires frame 0) to A + L
    (frame 0 can be read); marks are measured values, red where they differ. Hatched bars are waits for other
    nodes behind a gate. The line is the path of one token to the output. Below, each edge that holds frames,
    from the time at which its first token enters to the time at which it is read.

    Parameters
    ----------
    plan_info : the plan: `nodes` in firing order, `edges`, `latency_frames`, `output`
    trace, metrics : measured firings and metrics, or None
    sample_rate : Hz
    nodes : names of the nodes to show; by default all, like neighbours folded into one row above 60
    ax : draws inside the area of these axes

    Raises
    ------
    InvalidArgument
        If a name is not in the plan.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.fir(g.sine()))
    >>> r = g.render(seconds=0.01, trace=True)
    >>> figure = amp.plots.delays(r.plan.info, r.trace, r.metrics, r.sample_rate)
    >>> figure.axes[0].get_title(loc="right")
    'latency 32 frames (0.667 ms)  ·  measured as declared'
    """
    every, path = rows_of(plan_info, trace, metrics), path_of(plan_info)
    rows, hidden = _choose(every, nodes)
    at = {n: y for y, row in enumerate(rows) for n in row.names}
    found = [r for r in rings_of(plan_info) if r.src in at and r.dst in at]
    fullest = sorted(found, key=lambda r: -r.held)[:MAX_RINGS]
    rings = [r for r in found if r in fullest]
    graph = int(plan_info["latency_frames"])
    note = style.joined(_summary(graph, sample_rate, every), hidden)
    if not rings and all(row.agrees and row.start + row.latency == 0 for row in rows):
        figure, axes = style.panels(ax, [1.0])
        return _nothing(figure, axes[0], name, note)
    heights = [max(1.6, 0.28 * len(rows) + 0.5)] + ([max(1.0, 0.27 * len(rings) + 0.6)] if rings else [])
    figure, axes = style.panels(ax, heights)
    right = _extent(rows, rings, path)
    _nodes(axes[0], rows)
    _path(axes[0], [p for p in path if p[0] in at], at)
    style.title(axes[0], name, note)
    _legend(axes[0], rows, len(path) > 1, (0.08 if rings else 0.52) / heights[0])
    if rings:
        _rings(axes[1], rings, right)
        cut = f"fullest {len(rings)} of {len(found)} edges" if len(rings) < len(found) else ""
        told = style.joined("green: delay in the sound, blue: waits for slower paths", cut)
        style.title(axes[1], "What edges hold", told)
    axes[0].set_xlim(-0.02 * right, 1.28 * right)
    style.label(axes[-1], x="virtual time (frames)")
    return figure


def _choose(every: list[Row], names: Sequence[str] | None) -> tuple[list[Row], str]:
    known = [row.names[0] for row in every]
    if names is not None:
        if unknown := set(names).difference(known):
            raise InvalidArgument(checks.unknown("timeline.nodes", sorted(unknown)[0], known, "node"))
        rows = [row for row in every if row.names[0] in names]
    else:
        rows = folded(every)
        wrong = [row for row in rows if not row.agrees][:MAX_NODES]
        kept = {row.names for row in wrong + rows[: MAX_NODES - len(wrong)]}
        rows = [row for row in rows if row.names in kept]
    shown = sum(len(row.names) for row in rows)
    hidden = f"{shown} of {style.count(len(every), 'node')}" if shown < len(every) else ""
    return rows, style.joined(hidden, f"{shown} nodes in {len(rows)} rows" if shown > len(rows) else "")


def _summary(graph: int, sample_rate: float, rows: Sequence[Row]) -> str:
    late = (
        f"latency {style.count(graph, 'frame')} ({1e3 * graph / sample_rate:.3g} ms)"
        if graph
        else "no latency"
    )
    seen = [r for r in rows if r.measured_start is not None or r.measured_latency is not None]
    wrong = sum(not r.agrees for r in rows)
    if not seen:
        return style.joined(late, "nothing measured: render with trace=True")
    return style.joined(late, f"{wrong} of {len(seen)} differ" if wrong else "measured as declared")


def _nothing(figure: Figure, ax: Axes, name: str, note: str) -> Figure:
    style.title(ax, name, note)
    ax.set_axis_off()
    words = "No latency, no edge that holds frames: every node starts at virtual time 0."
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=style.MUTED)
    return figure


def _extent(rows: Sequence[Row], rings: Sequence[Ring], path: Sequence[tuple[str, int, int]]) -> float:
    """Where the axis ends: at all latencies, and at edges unless they are far longer."""
    nodes = max((max(r.start + r.latency, (r.measured_start or 0) + r.latency) for r in rows), default=0)
    edges = max((r.read for r in rings), default=0)
    return float(max(nodes, min(edges, 2 * nodes if nodes else edges), 1))


def _nodes(ax: Axes, rows: Sequence[Row]) -> None:
    ax.set_yticks(range(len(rows)), [_label(row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(False)
    for y, row in enumerate(rows):
        ax.axhline(y, xmax=0.87, color=style.GRID, linewidth=0.7, zorder=0.4)
        if row.loop:
            ax.axhspan(y - 0.5, y + 0.5, color=style.TINT, zorder=0.2, linewidth=0, gid="loop")
        if row.ready < row.start:
            ax.barh(
                y, row.start - row.ready, left=row.ready, height=1.6 * _BAR, facecolor="none",
                edgecolor=_WAIT, hatch="////", linewidth=0.8, gid="wait", zorder=2,
            )  # fmt: skip
        if row.latency:
            ax.barh(
                y, row.latency, left=row.start, height=2 * _BAR, color=style.PALETTE[0], gid="latency",
                zorder=2,
            )  # fmt: skip
        else:
            ax.plot(
                [row.start] * 2, [y - _BAR, y + _BAR], color=style.PALETTE[0], linewidth=2.5,
                gid="start", zorder=2, solid_capstyle="butt",
            )  # fmt: skip
        _measured(ax, y, row)
        latency = f"L {row.latency}" if row.latency else ""
        if not row.agrees:
            _told(ax, 1.0, y, _difference(row), style.FAULT)
        else:
            _told(ax, 0.935, y, f"A {row.start}")
            _told(ax, 1.0, y, latency)


def _measured(ax: Axes, y: int, row: Row) -> None:
    """Mark where the clocks saw the start and, of a node with latency, the first token that can be read."""
    if row.measured_start is None:
        return
    on_time = row.measured_start == row.start
    colour = style.INK if on_time else style.FAULT
    ax.plot([row.measured_start], [y], ">", color=colour, markersize=6, gid="measured start", zorder=6)
    if row.measured_latency:
        seen = row.measured_start + row.measured_latency
        colour = style.INK if seen == row.start + row.latency else style.FAULT
        ax.plot(
            [seen], [y], "o", markerfacecolor="white", markeredgecolor=colour, markeredgewidth=1.6,
            markersize=6, gid="measured visible", zorder=6,
        )  # fmt: skip


def _difference(row: Row) -> str:
    seen = [f"A {row.measured_start}"] if row.measured_start not in (None, row.start) else []
    seen += [f"L {row.measured_latency}"] if row.measured_latency not in (None, row.latency) else []
    return f"A {row.start}  L {row.latency}, measured {'  '.join(seen)}"


def _told(ax: Axes, x: float, y: float, words: str, colour: str = style.INK) -> None:
    """Write flush right at `x`, a part of the width, on row `y`."""
    if words:
        ax.text(
            x, y, words, transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=8.5,
            color=colour, gid="told", zorder=5,
        )  # fmt: skip


def _label(row: Row) -> str:
    if len(row.names) == 1:
        return style.short(row.names[0])
    return f"{style.short(row.names[0], 12)} … {style.short(row.names[-1], 12)} ({len(row.names)})"


def _path(ax: Axes, path: Sequence[tuple[str, int, int]], at: Mapping[str, int]) -> None:
    if len(path) < 2:
        return
    x = [t for _, fired, leaves in path for t in (fired, leaves)]
    y = [at[name] for name, _, _ in path for _ in range(2)]
    # down first, then to the right: the wait in an edge is drawn on the row of what reads it
    ax.step(x, y, where="pre", color=_PATH, linewidth=1.6, alpha=0.9, gid="path", zorder=4)
    for name, _, _ in path:
        ax.get_yticklabels()[at[name]].set_color(_PATH)


def _rings(ax: Axes, rings: Sequence[Ring], right: float) -> None:
    ax.set_yticks(range(len(rings)), [f"{style.short(r.src, 14)} → {style.short(r.dst, 14)}" for r in rings])
    ax.set_ylim(len(rings) - 0.4, -0.6)
    ax.grid(False)
    for y, ring in enumerate(rings):
        ax.axhline(y, xmax=0.8, color=style.GRID, linewidth=0.7, zorder=0.4)
        sound = min(ring.delay, ring.held)
        wait = ring.held - sound
        turn, stop = min(ring.enters + wait, right), min(ring.read, right)
        for left, end, colour in ((ring.enters, turn, _RING), (turn, stop, _DELAY)):
            if end > left:
                ax.barh(y, end - left, left=left, height=2 * _BAR, color=colour, zorder=2, gid="ring")
        told = [f"{sound} delay"] if sound else []
        told += [f"{wait} aligning"] if wait else []
        words = " + ".join(told) if ring.delay <= sound else f"{ring.held} left of {ring.delay} delay"
        _told(ax, 1.0, y, ("feedback: " if ring.feedback else "") + words)
        if ring.read > right:
            ax.plot([right], [y], ">", color="white", markersize=6, gid="goes on", zorder=3)


def _legend(ax: Axes, rows: Sequence[Row], path: bool, below: float) -> None:
    parts: list[tuple[Any, str]] = [(Patch(color=style.PALETTE[0]), "latency, A to A + L")]
    if any(row.measured_start is not None for row in rows):
        ink: dict[str, Any] = {"linestyle": "none", "markersize": 6}
        parts.append((Line2D([], [], marker=">", color=style.INK, **ink), "measured start"))
        hollow = Line2D([], [], marker="o", markerfacecolor="white", markeredgecolor=style.INK, **ink)
        parts.append((hollow, "measured first token"))
    if any(row.ready < row.start for row in rows):
        hatched = Patch(facecolor="none", edgecolor=_WAIT, hatch="////")
        parts.append((hatched, "waits for its gate"))
    if any(row.loop for row in rows):
        parts.append((Patch(color=style.TINT), "loop"))
    if path:
        parts.append((Line2D([], [], color=_PATH, linewidth=1.6), "way of a token"))
    handles, labels = zip(*parts, strict=True)
    style.legend(
        ax, handles, labels, loc="upper center", bbox_to_anchor=(0.5, -below), ncols=len(parts),
        frameon=False, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip
