"""Spectrum and spectrogram in dBFS."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullFormatter

from amp_lab import analysis
from amp_lab.analysis.signals import SILENCE_DB, FloatArray, to_bcn
from amp_lab.plots import style

_WINDOW_NAMES = {"blackmanharris": "Blackman-Harris", "flattop": "flat-top"}
_FLOOR_DB = -160.0
_TICKS_HZ = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_LABEL_WIDTH, _LABEL_HEIGHT = 0.085, 0.062
"""Size of a peak label as a share of the axes."""
_SPECTROGRAM_BANDS = 320
_SPECTRUM_COLUMNS = 1_000


def spectrum(
    audio: npt.ArrayLike,
    sample_rate: float,
    *,
    window: analysis.spectral.Window = "blackmanharris",
    peak_hold: bool = False,
    peaks: int = 6,
    low_hz: float = 20.0,
    name: str = "Spectrum",
    ax: Axes | None = None,
) -> Figure:
    """Level in dBFS over log frequency; a full-scale sine reads 0 dBFS.

    Parameters
    ----------
    audio : (batch, channel, frame), or fewer axes
    sample_rate : Hz
    window : "blackmanharris", or "flattop" for levels exact to 0.01 dB
    peak_hold : also draw the highest level each frequency reached
    peaks : label at most this many peaks with their frequency
    low_hz : left end of the axis
    ax : draws into these axes
    """
    signal = to_bcn(audio, "spectrum")
    rows, note = style.rows_of(signal)
    figure, (axes,) = style.panels(ax, [3.4])
    found = analysis.power_spectrum(np.stack([signal[b, c] for b, c in rows]), sample_rate, window=window)
    freq = found.freq_hz
    for index, (b, c) in enumerate(rows):
        if peak_hold:
            axes.plot(*_thinned(freq, found.hold_db[index]), color=style.colour(index), lw=0.8, alpha=0.35)
        axes.plot(
            *_thinned(freq, found.mean_db[index]),
            color=style.colour(index),
            linewidth=1.0,
            alpha=0.9,
            label=style.signal_name(signal.shape, b, c),
        )
    _frame(axes, freq, found.hold_db if peak_hold else found.mean_db, min(low_hz, sample_rate / 8))
    loudest = found.mean_db.max(axis=0)
    _label_peaks(axes, analysis.find_peaks(freq, loudest, count=peaks))
    style.label(axes, x="frequency (Hz)", y="level (dBFS)")
    if len(rows) > 1:
        style.legend(axes, loc="lower left")
    averaged = f"{found.segments} averaged segments" if found.segments > 1 else "one segment"
    style.title(
        axes,
        name,
        style.joined(
            note,
            f"{_WINDOW_NAMES[window]} window, {averaged} of {found.segment_frames:,} frames",
            "peak hold" if peak_hold else "",
        ),
    )
    return figure


def spectrogram(
    audio: npt.ArrayLike,
    sample_rate: float,
    *,
    segment_frames: int = 4096,
    log_frequency: bool = True,
    range_db: float = 100.0,
    columns: int = 600,
    name: str = "Spectrogram",
    ax: Axes | None = None,
) -> Figure:
    """Level in dBFS as colour over time and frequency, one row per (batch, channel), at most eight.

    Parameters
    ----------
    audio : (batch, channel, frame), or fewer axes
    sample_rate : Hz
    segment_frames : length of a Hann window: frequency against time resolution
    log_frequency : log axis from 20 Hz (or two bins) up; linear from 0 otherwise
    range_db : dynamic range of the colour scale below the highest level
    columns : time resolution at most
    ax : draws inside the area of these axes
    """
    signal = to_bcn(audio, "spectrogram")
    rows, note = style.rows_of(signal)
    figure, axes = style.panels(ax, [3.2 if len(rows) == 1 else 2.0] * len(rows))
    images = [
        analysis.spectrogram(signal[b, c], sample_rate, segment_frames=segment_frames, columns=columns)
        for b, c in rows
    ]
    top = max(style.finite_max(level, -range_db) for _, _, level in images)
    top = 5.0 * math.ceil(top / 5.0)
    scale, unit = style.time_unit(signal.shape[-1] / sample_rate)
    for row_ax, (b, c), (_, freq, level) in zip(axes, rows, images, strict=True):
        bands, low, high = _bands(freq, level, log_frequency)
        extent = (0.0, signal.shape[-1] * scale / sample_rate, low, high)
        image = row_ax.imshow(
            np.maximum(bands, top - range_db),
            origin="lower",
            aspect="auto",
            extent=extent,
            cmap=style.SEQUENTIAL,
            vmin=top - range_db,
            vmax=top,
            interpolation="nearest",
        )
        row_ax.grid(False)
        if log_frequency:
            octaves = [hz for hz in _TICKS_HZ if low <= math.log10(hz) <= high]
            row_ax.set_yticks([math.log10(hz) for hz in octaves], [_hz(hz, 0) for hz in octaves])
        style.label(row_ax, y=f"{style.signal_name(signal.shape, b, c)} (Hz)")
    style.label(axes[-1], x=f"time ({unit})")
    style.colourbar(image, axes, "level (dBFS)")
    frames = min(segment_frames, signal.shape[-1])
    share = frames * images[0][0].size / signal.shape[-1]
    skipped = f"looks at {share:.0%} of the signal" if share < 0.995 else ""
    style.title(axes[0], name, style.joined(note, skipped, f"Hann window, {frames:,} frames"))
    return figure


def _thinned(freq: FloatArray, level: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest level in each of 1000 log-spaced columns: what a line through all bins shows."""
    level = np.maximum(level, SILENCE_DB)
    column = np.floor(_SPECTRUM_COLUMNS * np.log(np.maximum(freq, 1.0)) / math.log(max(freq[-1], 2.0)))
    start = np.flatnonzero(np.diff(column, prepend=-1.0))
    both = np.stack([np.minimum.reduceat(level, start), np.maximum.reduceat(level, start)], axis=1)
    return np.repeat(freq[start], 2), both.ravel()


def _frame(ax: Axes, freq: FloatArray, level: FloatArray, low_hz: float) -> None:
    visible = level[..., freq >= low_hz]
    top = style.finite_max(visible, -60.0)
    finite = visible[np.isfinite(visible)]
    floor = float(np.percentile(finite, 5.0)) if finite.size else -120.0
    bottom = 10.0 * math.floor((min(floor, top - 40.0) - 6.0) / 10.0)
    ax.set_ylim(max(bottom, top + _FLOOR_DB), top + 0.18 * (top - max(bottom, top + _FLOOR_DB)))
    ax.set_xlim(low_hz, float(freq[-1]))
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(_TICKS_HZ))
    ax.xaxis.set_major_formatter(FuncFormatter(_hz))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(MultipleLocator(20.0))
    ax.axhline(0.0, color="#aab1b8", linewidth=0.8)


def _hz(hz: float, _: int | None) -> str:
    return f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}"


def _label_peaks(ax: Axes, peaks: tuple[analysis.Peak, ...]) -> None:
    """Frequency over each peak; a label that would cover another moves up, or is left out."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    taken: list[tuple[float, float]] = []
    for peak in peaks:
        if not left <= peak.freq_hz <= right:
            continue
        x = math.log(peak.freq_hz / left) / math.log(right / left)
        x_text = min(max(x, _LABEL_WIDTH / 2), 1.0 - _LABEL_WIDTH / 2)
        base = (peak.level_db - bottom) / (top - bottom) + 0.025
        for step in range(5):
            y = base + step * _LABEL_HEIGHT
            clear = all(abs(x_text - u) > _LABEL_WIDTH or abs(y - v) > _LABEL_HEIGHT * 0.98 for u, v in taken)
            if clear and base > 0.0 and y + _LABEL_HEIGHT <= 1.02:
                taken.append((x_text, y))
                _annotate(ax, peak, x_text, y)
                break


def _annotate(ax: Axes, peak: analysis.Peak, x: float, y: float) -> None:
    ax.annotate(
        f"{peak.freq_hz:.1f} Hz",
        (peak.freq_hz, peak.level_db),
        xytext=(x, y),
        textcoords="axes fraction",
        ha="center",
        va="bottom",
        fontsize=8,
        color=style.INK,
        arrowprops={"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1},
        gid="peak",
    )


def _bands(freq: FloatArray, level: FloatArray, log_frequency: bool) -> tuple[FloatArray, float, float]:
    """Highest `level` (F, T) in each of at most 320 bands; a band narrower than a bin repeats it.

    The range returned is in log10(Hz) for log bands: an image knows no log axis.
    """
    count = min(_SPECTROGRAM_BANDS, max(freq.size, 2))
    low = max(20.0, 2.0 * float(freq[1])) if freq.size > 1 else 1.0
    high = float(freq[-1]) if freq[-1] > low else 2.0 * low
    edges = np.geomspace(low, high, count + 1) if log_frequency else np.linspace(0.0, high, count + 1)
    step = float(freq[1]) if freq.size > 1 else high
    first = np.clip(np.round(edges[:-1] / step).astype(np.int64), 0, freq.size - 1)
    last = np.clip(np.round(edges[1:] / step).astype(np.int64), first + 1, freq.size)
    bands = np.stack([level[a:b].max(axis=0) for a, b in zip(first, last, strict=True)])
    return bands, *((math.log10(low), math.log10(high)) if log_frequency else (0.0, high))
