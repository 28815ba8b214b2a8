"""Timeline: the plan as rows and arcs, its firings as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from amp_lab.common import checks
from amp_lab.errors import InvalidArgument
from amp_lab.execution.results import Trace
from amp_lab.plan.schedule import Schedule
from amp_lab.plots import style

MAX_EVENTS = 4_000
"""Most firings in the figure; of more the first ones are drawn, and the title counts them."""
MAX_NODES = 60
"""Rows drawn unless nodes are chosen."""
_BAR = 0.36
"""Half height of a bar, in rows."""


@style.drawing
def timeline(
    plan_info: Mapping[str, Any],
    trace: Trace | None,
    sample_rate: float,
    *,
    first_s: float = 0.0,
    last_s: float | None = None,
    nodes: Sequence[str] | None = None,
    name: str = "Timeline",
    schedule: Schedule | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw one row per node in execution order: edges as arcs, and firings in wall time if there is a trace.

    If the schedule has cohorts, rows are in its order, with a band per cohort and a line per stage. Arcs on
    the left lead to later nodes, arcs on the right are feedback; z⁻ᵈ is an edge delay of d frames;
    modulations are dashed. Nodes of a feedback loop are tinted and bracketed. Bars of firings are coloured by
    their first frame.

    Parameters
    ----------
    plan_info : the plan: `nodes` in its own order, `components`, `edges`
    trace : firings, or None for the structure alone
    sample_rate : Hz
    first_s, last_s : draw firings whose first frame is in this window of signal time
    nodes : names of the nodes to show; the first 60 by default
    schedule : what was followed; None for the plan's own order
    ax : draws inside the area of these axes

    Raises
    ------
    InvalidArgument
        If a name is not in the plan.

    Examples
    --------
    >>> plan = amp.presets.three_osc().compile()
    >>> figure = amp.plots.timeline(plan.info, None, 48_000.0, schedule=plan.schedule)
    >>> figure.axes[1].get_title(loc="right")
    '16 nodes, 18 edges, 0 delayed'
    """
    stages = _cut(schedule)
    part, rows = _choose(plan_info, nodes, [name for stage in stages for cohort in stage for name in cohort])
    shown = part["nodes"]
    figure, (arcs, side) = _two_columns(ax, len(shown), traced=trace is not None)
    _rows(arcs, part)
    _arcs(arcs, part)
    _components(arcs, side, part)
    _stages(arcs, side, part, stages)
    hidden = f"{len(shown)} of {len(plan_info['nodes'])} nodes" if len(shown) < rows.size else ""
    delayed = sum(1 for edge in part["edges"] if edge["delay_frames"] > 0)
    sizes = (hidden or style.count(len(shown), "node"), style.count(len(part["edges"]), "edge"))
    note = f"{', '.join(sizes)}, {delayed} delayed"
    style.title(arcs, name if trace is None else f"{name}: plan")
    if trace is None:
        _properties(side, shown, sample_rate)
        style.title(side, "", note)
        return figure
    events, extent = _select(trace, rows, sample_rate, first_s, last_s)
    _bars(side, events, rows, sample_rate)
    lost = f"{trace.dropped:,} lost by the recorder" if trace.dropped else ""
    style.title(side, "Firings", style.joined(extent, hidden, lost))
    return figure


def _cut(schedule: Schedule | None) -> Sequence[Sequence[Sequence[str]]]:
    """Stages to be drawn: none if every node fires alone."""
    stages = () if schedule is None else schedule.stages
    return stages if any(len(cohort) > 1 for stage in stages for cohort in stage) else ()


def _choose(
    plan_info: Mapping[str, Any], names: Sequence[str] | None, order: Sequence[str]
) -> tuple[dict[str, Any], npt.NDArray[np.int64]]:
    """Cut the plan down to the chosen nodes; also the row of each node of the plan, -1 if hidden.

    Rows stand in the order of the names given, else in that of the plan.
    """
    known = [node["name"] for node in plan_info["nodes"]]
    drawn = list(order) or known
    wanted = set(drawn[:MAX_NODES] if names is None else names)
    if unknown := wanted.difference(known):
        raise InvalidArgument(checks.unknown("timeline.nodes", sorted(unknown)[0], known, "node"))
    row = {name: i for i, name in enumerate(name for name in drawn if name in wanted)}
    part = {
        "nodes": sorted((n for n in plan_info["nodes"] if n["name"] in row), key=lambda n: row[n["name"]]),
        "edges": [e for e in plan_info["edges"] if e["src"] in wanted and e["dst"] in wanted],
        "components": [
            {**c, "nodes": [n for n in c["nodes"] if n in wanted]} for c in plan_info["components"]
        ],
    }
    return part, np.array([row.get(name, -1) for name in known], dtype=np.int64)


def _two_columns(ax: Axes | None, rows: int, *, traced: bool) -> tuple[Figure, tuple[Axes, Axes]]:
    ratios = [0.36, 0.64] if traced else [0.5, 0.5]
    if ax is None:
        figure = style.new_figure(max(2.4, 0.3 * rows + 1.1))
        arcs, side = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": ratios})
    else:
        figure = style.page(ax)
        ax.set_axis_off()
        arcs = ax.inset_axes((0.0, 0.0, ratios[0] - 0.01, 1.0))
        side = ax.inset_axes((ratios[0] + 0.01, 0.0, ratios[1] - 0.01, 1.0), sharey=arcs)
    for part in (arcs, side):
        style.dress(part)
        part.grid(False)
        part.spines["left"].set_visible(False)
        part.tick_params(left=False)
    side.tick_params(labelleft=False)
    for y in range(rows):
        side.axhline(y if traced else y + 0.5, color=style.GRID, linewidth=0.7, zorder=0.4)
    arcs.set_ylim(rows - 0.4, -0.6 if traced else -1.2)
    return figure, (arcs, side)


def _rows(ax: Axes, plan_info: Mapping[str, Any]) -> None:
    nodes = plan_info["nodes"]
    ax.set_yticks(range(len(nodes)), [style.short(node["name"]) for node in nodes])
    ax.plot(np.zeros(len(nodes)), range(len(nodes)), "o", color=style.INK, markersize=4.5, zorder=4)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([])


def _arcs(ax: Axes, plan_info: Mapping[str, Any]) -> None:
    row = {node["name"]: i for i, node in enumerate(plan_info["nodes"])}
    reach = {-1.0: 1.0, 1.0: 1.0}
    for edge in plan_info["edges"]:
        start, stop = row[edge["src"]], row[edge["dst"]]
        side = 1.0 if stop <= start else -1.0
        width = 0.55 * abs(stop - start) ** 0.7 + (0.6 if stop == start else 0.25)
        reach[side] = max(reach[side], width)
        _arc(ax, start, stop, side * width, edge)
    ax.set_xlim(-reach[-1.0] - 0.2, reach[1.0] + 0.35)


def _arc(ax: Axes, start: int, stop: int, width: float, edge: Mapping[str, Any]) -> None:
    modulation = edge["kind"] == "modulation"
    colour = style.PALETTE[1] if edge["feedback"] else style.PALETTE[3] if modulation else style.PALETTE[0]
    lift = 0.45 if start == stop else 0.0
    bend = 4.0 / 3.0 * width
    path = Path(
        [(0.0, start - lift), (bend, start - lift), (bend, stop + lift), (0.0, stop + lift)],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    dashes = (0, (4, 2)) if modulation else "solid"
    ax.add_patch(
        PathPatch(path, facecolor="none", edgecolor=colour, linewidth=1.3, linestyle=dashes, gid="edge")
    )
    if edge["delay_frames"] > 0:
        ax.text(
            width,
            (start + stop) / 2,
            style.power(edge["delay_frames"]),
            fontsize=9,
            color=colour,
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
            zorder=5,
        )


def _components(arcs: Axes, side: Axes, plan_info: Mapping[str, Any]) -> None:
    """Tint the rows of each feedback component and bracket them at the right edge."""
    row = {node["name"]: i for i, node in enumerate(plan_info["nodes"])}
    looped = {edge["src"] for edge in plan_info["edges"] if edge["feedback"]}
    for component in plan_info["components"]:
        rows = sorted(row[name] for name in component["nodes"])
        if len(rows) < 2 and not looped.intersection(component["nodes"]):
            continue
        low, high = rows[0] - 0.46, rows[-1] + 0.46
        for ax in (arcs, side):
            ax.axhspan(low, high, color=style.TINT, zorder=0.2, linewidth=0, gid="component")
        across = side.get_yaxis_transform()
        side.plot(
            [1.0, 1.012, 1.012, 1.0], [low, low, high, high],
            transform=across, color=style.PALETTE[1], linewidth=1.0, clip_on=False,
        )  # fmt: skip
        side.text(
            1.02, (low + high) / 2, f"feedback, {component['sub_block']} fr.", transform=across,
            rotation=90, va="center", ha="left", fontsize=8, color=style.PALETTE[1],
        )  # fmt: skip


def _stages(
    arcs: Axes, side: Axes, plan_info: Mapping[str, Any], stages: Sequence[Sequence[Sequence[str]]]
) -> None:
    """Band the rows of each cohort, and draw a line where another stage begins."""
    row = {node["name"]: i for i, node in enumerate(plan_info["nodes"])}
    for stage in stages:
        cohorts = [rows for cohort in stage if (rows := [row[name] for name in cohort if name in row])]
        for ax in (arcs, side):
            for rows in cohorts:
                if len(rows) > 1:
                    ax.axhspan(
                        rows[0] - 0.4, rows[-1] + 0.4,
                        facecolor=style.PALETTE[0], alpha=0.08, zorder=0.3, linewidth=0, gid="cohort",
                    )  # fmt: skip
            if cohorts:
                ax.axhline(cohorts[0][0] - 0.5, color=style.MUTED, linewidth=0.6, zorder=0.5, gid="stage")


def _properties(ax: Axes, nodes: list[Mapping[str, Any]], sample_rate: float) -> None:
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    columns = (
        (0.02, "type", "left"),
        (0.42, "channels", "right"),
        (0.69, "latency", "right"),
        (0.98, "runs ahead", "right"),
    )
    for x, text, align in columns:
        ax.text(x, -0.72, text, fontsize=8.5, color=style.MUTED, ha=align, va="bottom")
    for y, node in enumerate(nodes):
        cells = (
            str(node["type"]),
            str(node["channels"]),
            _frames(node["latency_frames"], sample_rate),
            _frames(node["advance_frames"], sample_rate),
        )
        for (x, _, align), text in zip(columns, cells, strict=True):
            ax.text(x, y, text, fontsize=9, color=style.INK, ha=align, va="center")


def _frames(count: int, sample_rate: float) -> str:
    return f"{count} ({1e3 * count / sample_rate:.3g} ms)" if count else "0"


def _select(
    trace: Trace,
    rows: npt.NDArray[np.int64],
    sample_rate: float,
    first_s: float,
    last_s: float | None,
) -> tuple[npt.NDArray[Any], str]:
    """Select the firings of the window, at most MAX_EVENTS, and what is shown of how many."""
    events = trace.events
    after = events["first_frame"] >= first_s * sample_rate
    before = True if last_s is None else events["first_frame"] < last_s * sample_rate
    chosen = events[after & before & (rows[events["node"]] >= 0)]
    drawn = chosen[:MAX_EVENTS]
    if drawn.size == events.size:
        return drawn, style.count(events.size, "firing")
    if not drawn.size:
        return drawn, f"0 of {style.count(events.size, 'firing')} in this window"
    start = drawn["first_frame"].min() / sample_rate
    stop = (drawn["first_frame"] + drawn["frames"]).max() / sample_rate
    return (
        drawn,
        f"{drawn.size:,} of {style.count(events.size, 'firing')}: signal time {start:.4g} to {stop:.4g} s",
    )


def _bars(ax: Axes, events: npt.NDArray[Any], rows: npt.NDArray[np.int64], sample_rate: float) -> None:
    if not events.size:
        ax.text(0.5, 0.5, "no firings", transform=ax.transAxes, ha="center", color=style.MUTED)
        return
    origin = float(events["start_s"].min())
    scale, unit = style.time_unit(float(events["stop_s"].max()) - origin)
    left, right = (events["start_s"] - origin) * scale, (events["stop_s"] - origin) * scale
    y = rows[events["node"]].astype(np.float64)
    corners = np.stack(
        [
            np.stack([left, y - _BAR], -1),
            np.stack([right, y - _BAR], -1),
            np.stack([right, y + _BAR], -1),
            np.stack([left, y + _BAR], -1),
        ],
        axis=1,
    )
    frame_scale, frame_unit = style.time_unit(float(events["first_frame"].max()) / sample_rate)
    colours = ScalarMappable(Normalize(*_span(events, frame_scale / sample_rate)), style.ORDINAL)
    values = events["first_frame"] * (frame_scale / sample_rate)
    bars = PolyCollection(
        list(corners), facecolors=colours.to_rgba(values), edgecolors=colours.to_rgba(values), linewidths=0.5
    )
    bars.set_gid("firings")
    ax.add_collection(bars, autolim=False)
    width = float(right.max()) or 1.0
    ax.set_xlim(-0.005 * width, 1.005 * width)
    style.label(ax, x=f"wall time ({unit})")
    style.colourbar(colours, [ax], f"signal time ({frame_unit})", pad=0.05)


def _span(events: npt.NDArray[Any], per_frame: float) -> tuple[float, float]:
    low, high = int(events["first_frame"].min()), int(events["first_frame"].max())
    return low * per_frame, max(high, low + 1) * per_frame
