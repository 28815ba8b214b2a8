"""Loudness over time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amp_lab.analysis.r128 import Loudness
from amp_lab.analysis.records import number
from amp_lab.plots import style

_FLOOR_LUFS = -70.0


@style.drawing
def loudness(found: Loudness, *, batch: int = 0, name: str = "Loudness", ax: Axes | None = None) -> Figure:
    """Momentary and short-term loudness of one batch over time, the integrated loudness, and the range.

    Each value stands at the end of its window. What is below -70 LUFS, the absolute gate, is drawn there.

    Examples
    --------
    >>> found = amp.measure.ebu_r128(amp.measure.noise(192_000), 48_000.0)
    >>> amp.plots.loudness(found).axes[0].get_ylabel()
    'loudness (LUFS)'
    """
    figure, (axes,) = style.panels(ax, [2.8])
    momentary, short_term = found.momentary_lufs[batch], found.short_term_lufs[batch]
    lines = [
        (found.momentary_times_s, momentary, style.PALETTE[0], 0.9, "momentary, 0.4 s"),
        (found.short_term_times_s, short_term, style.PALETTE[1], 1.8, "short-term, 3 s"),
    ]
    for times, values, colour, width, text in lines:
        axes.plot(times, np.maximum(values, _FLOOR_LUFS), color=colour, linewidth=width, label=text)
    integrated, low, high = (
        float(values[batch])
        for values in (found.integrated_lufs, found.range_low_lufs, found.range_high_lufs)
    )
    if np.isfinite(integrated):
        axes.axhline(integrated, color=style.INK, linestyle="--", linewidth=1.0, label="integrated")
    if np.isfinite(low):
        axes.axhspan(low, high, color=style.TINT, zorder=0, label="range, 10 to 95 %")
    axes.set_xlim(0.0, found.frames / found.sample_rate)
    style.label(axes, x="end of the window (s)", y="loudness (LUFS)")
    style.legend(axes)
    note = f"integrated {number(integrated)} LUFS, range {number(found.range_lu[batch])} LU"
    style.title(axes, name, note)
    return figure
