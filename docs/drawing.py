"""Pictures of the node pages, in the look of ``amp_lab.plots``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import amp_lab as amp
from amp_lab import analysis
from amp_lab.plots import style

STEPS_UP_TO = 120
"""Frames that are drawn one by one, as marks joined by steps."""
FRAMES = 1 << 16


def signals(rows: Mapping[str, Mapping[str, npt.NDArray[np.float64]]], rate: float, stop_s: float) -> Figure:
    """Signals over time from 0 s on: one panel per row of named signals, each of shape (frames,)."""
    figure, axes = style.panels(None, [1.55] * len(rows))
    unit, name = style.time_unit(stop_s)
    count = round(stop_s * rate)
    for ax, (title, named) in zip(axes, rows.items(), strict=True):
        for index, (label, values) in enumerate(named.items()):
            shown = values[:count]
            look = {"color": style.colour(index), "label": label, "linewidth": 1.4}
            times = np.arange(shown.size) / rate * unit
            if count <= STEPS_UP_TO:
                ax.step(times, shown, where="post", marker=".", markersize=4, **look)
            else:
                ax.plot(times, shown, **look)
        style.title(ax, title)
        ax.margins(x=0.01, y=0.12)
        if len(named) > 1:
            style.legend(
                ax, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=len(named), borderaxespad=0.0
            )
    style.label(axes[-1], x=f"time ({name})")
    return figure


def responses(graphs: Mapping[str, amp.Graph], title: str, low_db: float = -60.0) -> Figure:
    """Magnitude over frequency of graphs with one input, measured with an impulse.

    It comes late enough for what linear-phase filters do before it.
    """
    click = amp.measure.impulse(FRAMES, at_frame=FRAMES // 2)
    figure, (ax,) = style.panels(None, [3.0])
    high = 6.0
    for index, (label, graph) in enumerate(graphs.items()):
        heard = amp.measure.response(graph, click, isolation="none")
        found = amp.measure.frequency_response(heard, graph.sample_rate)
        level = found.magnitude_db[0, 0, 1:]
        ax.semilogx(found.freq_hz[1:], level, color=style.colour(index), linewidth=1.6, label=label)
        high = max(high, float(level.max()) + 3.0)
    ax.set_ylim(low_db, high)
    style.label(ax, y="gain (dB)")
    _frequencies(ax, title)
    return figure


def spectra(named: Mapping[str, npt.NDArray[np.float64]], rate: float, stop_hz: float) -> Figure:
    """Levels of signals over frequency up to `stop_hz`, in dBFS, a panel for each."""
    figure, axes = style.panels(None, [1.5] * len(named))
    for index, (ax, (title, values)) in enumerate(zip(axes, named.items(), strict=True)):
        found = analysis.power_spectrum(values, rate)
        ax.plot(found.freq_hz / 1000.0, found.mean_db, color=style.colour(index), linewidth=0.8)
        ax.set_ylim(-120.0, 3.0)
        ax.set_xlim(0.0, stop_hz / 1000.0)
        style.label(ax, y="dBFS")
        style.title(ax, title)
    style.label(axes[-1], x="frequency (kHz)")
    return figure


def _frequencies(ax: Axes, title: str) -> None:
    ax.set_xlim(20.0, 24_000.0)
    ticks = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
    ax.set_xticks(ticks, [f"{hz / 1000:g} k" if hz >= 1000 else str(hz) for hz in ticks])
    ax.minorticks_off()
    style.label(ax, x="frequency (Hz)")
    style.title(ax, title)
    style.legend(ax, loc="best")
