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
            style.legend(ax, loc="upper right", ncols=len(named))
    style.label(axes[-1], x=f"time ({name})")
    return figure


def responses(graphs: Mapping[str, amp.Graph], title: str, low_db: float = -60.0) -> Figure:
    """Magnitude over frequency of graphs with one input, measured with an impulse."""
    figure, (ax,) = style.panels(None, [3.0])
    high = 6.0
    for index, (label, graph) in enumerate(graphs.items()):
        found = amp.measure.frequency_response(graph, isolation="none")
        level = found.magnitude_db[0, 0, 1:]
        ax.semilogx(found.freq_hz[1:], level, color=style.colour(index), linewidth=1.6, label=label)
        high = max(high, float(level.max()) + 3.0)
    ax.set_ylim(low_db, high)
    style.label(ax, y="gain (dB)")
    _frequencies(ax, title)
    return figure


def spectra(named: Mapping[str, npt.NDArray[np.float64]], rate: float, title: str) -> Figure:
    """Levels of signals over frequency, in dBFS."""
    figure, (ax,) = style.panels(None, [3.0])
    for index, (label, values) in enumerate(named.items()):
        found = analysis.power_spectrum(values, rate)
        ax.semilogx(
            found.freq_hz[1:], found.mean_db[1:], color=style.colour(index), linewidth=0.9, label=label
        )
    ax.set_ylim(-140.0, 3.0)
    style.label(ax, y="level (dBFS)")
    _frequencies(ax, title)
    return figure


def _frequencies(ax: Axes, title: str) -> None:
    ax.set_xlim(20.0, 24_000.0)
    ticks = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
    ax.set_xticks(ticks, [f"{hz / 1000:g} k" if hz >= 1000 else str(hz) for hz in ticks])
    ax.minorticks_off()
    style.label(ax, x="frequency (Hz)")
    style.title(ax, title)
    style.legend(ax, loc="best")
