"""Heat of a render by node."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amp_lab.analysis.signals import FloatArray
from amp_lab.execution.results import Heat
from amp_lab.plots import style

_NODES = 7
"""Nodes with a colour of their own; the rest is summed up."""
_COLD = 8
"""Nodes without heat named in the note."""
_COLUMNS = 500


@style.drawing
def thermo(heat: Heat, *, name: str = "Heat", ax: Axes | None = None) -> Figure:
    """Draw the power of each node stacked to the total (W), accumulated heat (J), and known temperatures (K).

    Nodes without heat are listed in a note; of nodes with equal heat the later lines are dashed. Values that
    are not finite are left out; the title gives the time of the first one.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
    >>> figure = amp.plots.thermo(g.render(seconds=0.1).heat)
    >>> figure.axes[0].get_title(loc="right")
    'total 54.8 mJ, peak 618 mW'
    """
    power, times = _power(heat)
    total_power = power.sum(axis=0)
    accumulated = _finite(heat.total_j)
    warm = [i for i in range(len(heat.nodes)) if accumulated[i].any()]
    known = [i for i in range(len(heat.nodes)) if np.isfinite(heat.temperature_k[i]).any()]
    figure, axes = style.panels(ax, [2.4, 1.7] + [1.5] * bool(known))
    scale, unit = style.time_unit(float(heat.times_s[-1]) if heat.times_s.size else 1.0)
    colours = _colours(heat, power)
    _stack(axes[0], heat, power, times * scale, colours)
    _lines(axes[1], heat, accumulated, warm, scale, colours, "accumulated", "J")
    if known:
        _lines(axes[2], heat, heat.temperature_k, known, scale, colours, "above ambient", "K")
    if heat.times_s.size:
        axes[-1].set_xlim(0.0, float(heat.times_s[-1]) * scale)
    style.label(axes[-1], x=f"time ({unit})")
    joules = float(np.nansum(_finite(heat.own_j)))
    factor, prefix = style.si(joules)
    peak_factor, peak_prefix = style.si(style.finite_max(total_power, 0.0))
    peak = style.finite_max(total_power, 0.0) * peak_factor
    sums = f"total {joules * factor:.3g} {prefix}J, peak {peak:.3g} {peak_prefix}W"
    style.title(axes[0], name, style.joined(_fault(heat), sums))
    _cold_note(axes[-1], [n for i, n in enumerate(heat.nodes) if i not in warm and i not in known])
    return figure


def _finite(values: FloatArray) -> FloatArray:
    """Copy of `values` with NaN for everything that is not finite."""
    return np.where(np.isfinite(values), values, np.nan)


def _fault(heat: Heat) -> str:
    """Return a note about the first value that is not finite."""
    bad = ~(np.isfinite(heat.own_j) & np.isfinite(heat.total_j)).all(axis=0)
    if not bad.any():
        return ""
    scale, unit = style.time_unit(float(heat.times_s[-1]))
    return f"non-finite from {heat.times_s[int(np.argmax(bad))] * scale:.3g} {unit}"


def _power(heat: Heat) -> tuple[FloatArray, FloatArray]:
    """Own power (node, column) in watts and the end of each column: windows averaged in equal groups."""
    own = _finite(heat.own_j)
    group = max(1, -(-heat.times_s.size // _COLUMNS))
    edges = np.arange(0, heat.times_s.size, group)
    if edges.size == 0:
        return own, heat.times_s
    ends = heat.times_s[np.minimum(edges + group, heat.times_s.size) - 1]
    spans = np.diff(ends, prepend=0.0)
    return np.add.reduceat(own, edges, axis=1) / spans, ends


def _colours(heat: Heat, power: FloatArray) -> dict[int, str]:
    """Return a colour per node in order of own energy, so that the hottest nodes differ in colour."""
    own, inherited = np.nansum(power, axis=1), np.nansum(_finite(heat.total_j), axis=1)
    order = sorted(range(len(heat.nodes)), key=lambda i: (-own[i], -inherited[i], i))
    return {node: style.colour(rank) if rank < _NODES else style.MUTED for rank, node in enumerate(order)}


def _stack(ax: Axes, heat: Heat, power: FloatArray, times: FloatArray, colours: dict[int, str]) -> None:
    active = [i for i in colours if power[i].any()]
    shown, rest = active[:_NODES], active[_NODES:]
    factor, prefix = style.si(style.finite_max(power.sum(axis=0), 0.0))
    bands = [power[i] for i in shown] + ([power[rest].sum(axis=0)] if rest else [])
    names = [style.entry(heat.nodes[i]) for i in shown] + ([f"{len(rest)} more"] if rest else [])
    if bands:
        ax.stackplot(
            times,
            np.stack(bands) * factor,
            labels=names,
            colors=[colours[i] for i in shown] + [style.MUTED] * bool(rest),
            alpha=0.85,
            linewidth=0,
        )
        ax.plot(times, power.sum(axis=0) * factor, color=style.INK, linewidth=0.8, label="total")
        if (budget := getattr(heat, "budget_w", None)) is not None:
            ax.axhline(budget * factor, color=style.INK, linewidth=0.8, linestyle="--", label="budget")
        style.legend(ax, loc="upper left", bbox_to_anchor=(1.0, 1.02), reverse=True)
    else:
        _say(ax, "no node dissipates heat")
    ax.set_ylim(bottom=0.0)
    style.label(ax, y=f"own power ({prefix}W)")


def _lines(
    ax: Axes,
    heat: Heat,
    values: FloatArray,
    nodes: list[int],
    scale: float,
    colours: dict[int, str],
    what: str,
    unit: str,
) -> None:
    if not nodes:
        _say(ax, "no heat accumulated")
    step = max(1, heat.times_s.size // (2 * _COLUMNS))
    top = max((style.finite_max(values[i], 0.0) for i in nodes), default=0.0)
    factor, prefix = style.si(top)
    drawn = sorted(nodes, key=lambda i: -style.finite_max(values[i][-1:], style.finite_max(values[i], 0.0)))
    for rank, i in enumerate(drawn[:_NODES]):
        twin = any(np.allclose(values[i], values[j], 1e-3, 1e-3 * top, True) for j in drawn[:rank])
        ax.plot(
            heat.times_s[::step] * scale, values[i][::step] * factor, linestyle=(0, (4, 4)) if twin else "-",
            color=colours[i], linewidth=1.3, label=style.entry(heat.nodes[i]),
        )  # fmt: skip
    if nodes:
        style.legend(ax, loc="upper left", bbox_to_anchor=(1.0, 1.04))
    style.label(ax, y=f"{what} ({prefix}{unit})")


def _say(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=style.MUTED, fontsize=10)


def _cold_note(ax: Axes, cold: list[str]) -> None:
    if cold:
        named = [style.short(name) for name in cold[:_COLD]]
        more = f" and {len(cold) - _COLD} more" if len(cold) > _COLD else ""
        ax.annotate(
            style.wrapped(f"without heat: {', '.join(named)}{more}", style.width_of(ax)),
            (0.0, 0.0),
            xycoords="axes fraction",
            xytext=(0, -32),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            color=style.MUTED,
            gid="cold",
        )
