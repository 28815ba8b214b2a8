"""Pictures of the measured page: pure functions of the measurements that `amp_lab.bench.report` collects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from amp_lab.bench.page import shares
from amp_lab.bench.targets import TARGETS, Data, dispatch, middle, ratio
from amp_lab.plots import style

LETTER = 0.009
"""Share of a bar that a letter of its name takes."""


def files(data: Data) -> dict[str, bytes]:
    """Return every picture by the name of its file."""
    made = {"engine_cost": cost(data), "engine_profile": profile(data), "engine_graphs": graphs(data)}
    return {f"{name}.png": style.png(figure, dpi=133) for name, figure in made.items()}


@style.drawing
def cost(data: Data) -> Figure:
    """Cost against nodes, batches and threads, and what the machine could do."""
    figure = style.new_figure(3.9, width_in=12.0)
    axes = [style.dress(ax) for ax in figure.subplots(1, 3)]
    limits = {key: middle(found) for key, found in data["limits"]["limits"].items()}
    _nodes(axes[0], data["nodes"]["points"], limits)
    _batches(axes[1], data["batches"]["points"], limits)
    _threads(axes[2], data["workloads"])
    return figure


def _line(ax: Axes, x: Sequence[float], costs: Sequence[Sequence[float]], name: str, index: int) -> None:
    """Medians as a line, lowest to highest as a band."""
    colour = style.colour(index)
    ax.fill_between(x, [min(c) for c in costs], [max(c) for c in costs], color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, [middle(c) for c in costs], color=colour, marker="o", markersize=4, linewidth=1.6, label=name)


def _limit(ax: Axes, value: float, name: str) -> None:
    ax.axhline(value, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.annotate(
        name, (0.0, value), xycoords=("axes fraction", "data"), xytext=(4, 2), textcoords="offset points",
        ha="left", va="bottom", fontsize=8, color=style.MUTED,
    )  # fmt: skip


def _scaled(ax: Axes, x: str, y: str, *, base: int = 10) -> None:
    ax.set_xscale("log", base=base)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    )
    ax.tick_params(which="minor", labelsize=8, labelcolor=style.MUTED, length=2)
    style.label(ax, x=x, y=y)


def _nodes(ax: Axes, points: Sequence[Data], limits: dict[str, float]) -> None:
    for index, name in enumerate(dict.fromkeys(p["graph"] for p in points)):
        own = [p for p in points if p["graph"] == name]
        _line(ax, [p["nodes"] for p in own], [p["cost"] for p in own], name, index)
    _scaled(ax, "nodes", "ns per node-frame")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if limits:
        _limit(ax, limits["gain_ns"], "a gain in L1")
        block = min(p["block_frames"] for p in points)
        _limit(ax, limits["call_ns"] / block, f"a call per block of {block}")
    ax.set_ylim(top=4 * ax.get_ylim()[1])
    style.title(ax, "Nodes")
    style.legend(ax, loc="upper right")


def _batches(ax: Axes, points: Sequence[Data], limits: dict[str, float]) -> None:
    sizes = [p["batches"] for p in points]
    _line(ax, sizes, [p["cost"] for p in points], "saw and biquad (W6)", 0)
    _scaled(ax, "batches", "ns per variant-frame", base=2)
    ax.xaxis.set_major_locator(FixedLocator(sizes[::2]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    if limits:
        _limit(ax, limits["recursion_ns"], "a recursion")
        _limit(ax, limits["recursion_ns"] / 8, "eight in one vector")
        _limit(ax, limits["multiply_add_ns"], "one multiply and add")
    ax.set_ylim(top=2 * ax.get_ylim()[1])
    style.title(ax, "Batches")
    style.legend(ax, loc="upper right")


def _threads(ax: Axes, workloads: Sequence[Data]) -> None:
    named = {t.workload: t for t in TARGETS}
    most = max(w["threads"] for w in workloads)
    for index, name in enumerate(sorted({w["workload"] for w in workloads if w["threads"] == most})):
        own = sorted((w for w in workloads if w["workload"] == name), key=lambda w: w["threads"])
        alone = middle(own[0]["costs"])
        times = [[alone / c for c in w["costs"]] for w in own]
        _line(ax, [w["threads"] for w in own], times, f"{name}: {named[name].what}", index)
    if most == 1:
        ax.annotate("one processor", (0.5, 0.5), xycoords="axes fraction", ha="center", color=style.MUTED)
    ticks = sorted({w["threads"] for w in workloads})
    ax.plot(
        [1, most],
        [1, most],
        color=style.MUTED,
        linewidth=1.0,
        linestyle=(0, (4, 3)),
        label="all that threads could give",
    )
    ax.set_xticks(ticks)
    ax.set_ylim(0, most * 1.15)
    style.label(ax, x="threads", y="times as fast as one")
    style.title(ax, "Threads")
    style.legend(ax, loc="lower right")


@style.drawing
def profile(data: Data) -> Figure:
    """Share of the time by type of node, a bar per workload."""
    found = data["profile"]["workloads"]
    figure, (ax,) = style.panels(None, [0.55 * len(found) + 1.2])
    types = list(dict.fromkeys(name for w in found for name in shares(w)))
    for row, workload in enumerate(found):
        left = 0.0
        for name, share in shares(workload).items():
            colour = style.colour(types.index(name))
            ax.barh(row, share, left=left, height=0.62, color=colour, edgecolor="white", linewidth=1.0)
            if share >= LETTER * max(len(name), 4):
                words = f"{name}\n{100 * share:.0f} %"
                ax.text(left + share / 2, row, words, ha="center", va="center", fontsize=8, color="white")
            left += share
    ax.set_yticks(range(len(found)), [w["workload"] for w in found])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    style.label(ax, x="share of the time in nodes")
    keys = [Patch(color=style.colour(index), label=name) for index, name in enumerate(types)]
    style.legend(ax, handles=keys, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(keys))
    return figure


@style.drawing
def graphs(data: Data) -> Figure:
    """Random loops beside their bare ticks, and random voices in cohorts beside single nodes."""
    figure = style.new_figure(3.6, width_in=12.0)
    left, right = (style.dress(ax) for ax in figure.subplots(1, 2))
    loops = sorted(data["loops"]["loops"], key=dispatch)
    at = np.arange(1, len(loops) + 1)
    bare = [middle(r["bare"]) for r in loops]
    left.bar(at, bare, color=style.colour(0), label="bare ticks")
    left.bar(
        at,
        [dispatch(r) for r in loops],
        bottom=bare,
        color=style.colour(1),
        label="what the engine adds",
    )
    left.set_ylim(0, 1.3 * max([b + dispatch(r) for b, r in zip(bare, loops, strict=True)], default=1.0))
    for ax in (left, right):
        ax.grid(False, axis="x")
        ax.set_xticks([])
    style.label(left, x="random loops, least added first", y="ns per node-frame")
    style.title(left, "Loops over one frame")
    style.legend(left, loc="upper left", ncols=2)
    ratios = sorted(ratio(g) for g in data["polyphony"]["graphs"])
    right.bar(np.arange(1, len(ratios) + 1), ratios, color=style.colour(2))
    right.set_ylim(0, 1.15 * max(1.0, *ratios))
    _limit(right, 1.0, "node by node")
    style.label(right, x="random graphs, fastest first", y="time in cohorts / node by node")
    style.title(right, "Voices in cohorts")
    return figure
