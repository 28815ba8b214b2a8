"""Waveforms of any length: a line through all samples or, of long signals, the extremes per column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amp_lab.analysis.signals import FloatArray, to_bcn
from amp_lab.errors import InvalidArgument
from amp_lab.lowlevel import Pyramid
from amp_lab.plots import style

LINE_FRAMES = 10_000
"""Up to this many frames every sample is drawn."""
COLUMNS = 1_200
"""Spans a longer signal is cut into, one min/max pair each."""
_MARKED_FRAMES = 120


@style.drawing
def waveform(
    audio: npt.ArrayLike,
    sample_rate: float,
    *,
    start_s: float = 0.0,
    stop_s: float | None = None,
    pyramids: Sequence[Pyramid] | None = None,
    name: str = "Waveform",
    ax: Axes | None = None,
) -> Figure:
    """Amplitude over time, one row per (batch, channel), at most eight.

    Values beyond ±1 are marked as clipping, non-finite samples in red.

    Parameters
    ----------
    audio : (batch, channel, frame), or fewer axes
    sample_rate : Hz
    start_s, stop_s : window to draw in seconds; the whole signal by default
    pyramids : one per row, batch by batch, if already built
    ax : draws inside the area of these axes

    Raises
    ------
    InvalidArgument
        If the window holds no frame.

    Examples
    --------
    >>> figure = amp.plots.waveform(amp.measure.tone(480, 48_000.0, 440.0, channels=2), 48_000.0)
    >>> [axes.get_ylabel() for axes in figure.axes], figure.axes[0].get_title(loc="right")
    (['left', 'right'], '480 frames at 48000 Hz')
    """
    signal = to_bcn(audio, "waveform")
    first, last = _window(signal.shape[-1], sample_rate, start_s, stop_s)
    rows, note = style.rows_of(signal)
    figure, axes = style.panels(ax, [{1: 2.6, 2: 1.5}.get(len(rows), 1.1)] * len(rows))
    scale, unit = style.time_unit(last / sample_rate)
    faults = clipped = 0
    spans: list[tuple[float, float]] = []
    for index, (row_ax, (b, c)) in enumerate(zip(axes, rows, strict=True)):
        pyramid = pyramids[index] if pyramids is not None else None
        frames, low, high = extremes(signal[b, c], first, last, pyramid)
        seconds = frames * (scale / sample_rate)
        _draw(row_ax, seconds, low, high, style.colour(index))
        spans.append((-style.finite_max(-low, 0.0), style.finite_max(high, 0.0)))
        clipped += _mark_clipping(row_ax, seconds, low, high)
        faults += _mark_faults(row_ax, seconds, low, high)
        style.label(row_ax, y=style.signal_name(signal.shape, b, c))
    limits = _limits(spans)
    for row_ax in axes:
        row_ax.set_ylim(limits)
    axes[-1].set_xlim(first * scale / sample_rate, last * scale / sample_rate)
    style.label(axes[-1], x=f"time ({unit})")
    warning = style.joined("non-finite samples" if faults else "", "beyond ±1" if clipped else "")
    style.title(
        axes[0],
        name,
        style.joined(warning, note, f"{style.count(last - first, 'frame')} at {sample_rate:g} Hz"),
    )
    return figure


def _limits(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """Symmetric limits for what swings about zero; else from zero up or down to all of it."""
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    top = 1.06 * max(-low, high) or 1.0
    if low >= 0.0 and high > 0.0:
        return -0.06 * top, top
    if high <= 0.0 and low < 0.0:
        return -top, 0.06 * top
    return -top, top


def extremes(
    signal: FloatArray, first: int, last: int, pyramid: Pyramid | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Frame positions with the lowest and highest value there; equal where samples are drawn one by one."""
    if last - first <= LINE_FRAMES:
        piece = signal[first:last]
        return np.arange(first, last, dtype=np.float64), piece, piece
    if pyramid is None:
        pyramid = Pyramid.build(signal)
    low, high = pyramid.query(first, last, COLUMNS)
    centres = first + (np.arange(COLUMNS, dtype=np.float64) + 0.5) * ((last - first) / COLUMNS)
    return centres, low, high


def _window(frames: int, rate: float, start_s: float, stop_s: float | None) -> tuple[int, int]:
    first = max(0, round(start_s * rate))
    last = frames if stop_s is None else min(frames, round(stop_s * rate))
    if last <= first:
        raise InvalidArgument(
            f"waveform: empty window (got {start_s:g} to {stop_s} s, allowed within 0 to "
            f"{frames / rate:g} s). Use start_s below stop_s inside the signal."
        )
    return first, last


def _draw(ax: Axes, seconds: FloatArray, low: FloatArray, high: FloatArray, colour: str) -> None:
    shown = np.isfinite(low) & np.isfinite(high)
    if low is high:
        marker = "." if low.size <= _MARKED_FRAMES else None
        (line,) = ax.plot(seconds, np.where(shown, low, np.nan), color=colour, linewidth=1.1, marker=marker)
        if low.size == 1:
            line.set(markersize=14, clip_on=False)
    else:
        ax.fill_between(seconds, low, high, where=shown, facecolor=colour, edgecolor=colour, linewidth=0.8)
    ax.axhline(0.0, color="#aab1b8", linewidth=0.6, zorder=0.5)


def _mark_clipping(ax: Axes, seconds: FloatArray, low: FloatArray, high: FloatArray) -> int:
    """Full scale as dashed lines and a triangle over each column that passes it."""
    over, under = np.isfinite(high) & (high > 1.0), np.isfinite(low) & (low < -1.0)
    if not (over.any() or under.any()):
        return 0
    for level in (-1.0, 1.0):
        ax.axhline(level, color=style.FAULT, linewidth=0.8, linestyle=(0, (4, 3)))
    for mask, y, marker in ((over, 1.0, "v"), (under, 0.0, "^")):
        ax.plot(
            seconds[mask],
            np.full(int(mask.sum()), y),
            marker,
            color=style.FAULT,
            markersize=4,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            in_layout=False,
            gid="clipping",
        )
    return int(over.sum() + under.sum())


def _mark_faults(ax: Axes, seconds: FloatArray, low: FloatArray, high: FloatArray) -> int:
    """Draw a red bar over the full height wherever a value is NaN or infinite."""
    bad = ~(np.isfinite(low) & np.isfinite(high))
    if bad.any():
        ax.vlines(
            seconds[bad],
            0.0,
            1.0,
            color=style.FAULT,
            linewidth=1.2,
            transform=ax.get_xaxis_transform(),
            in_layout=False,
            gid="non-finite",
        )
    return int(bad.sum())
