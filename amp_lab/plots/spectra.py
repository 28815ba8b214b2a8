"""Spectrum and spectrogram in dBFS."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullFormatter

from amp_lab import analysis
from amp_lab.analysis.signals import SILENCE_DB, FloatArray, to_bcn
from amp_lab.analysis.spectral import Quantity, Reference
from amp_lab.analysis.windows import Window
from amp_lab.plots import style

_WINDOW_NAMES = {"blackmanharris": "Blackman-Harris", "flattop": "flat-top", "hann": "Hann"}
_FLOOR_DB = -160.0
_BOLD_CURVES = 4
"""More curves than this are drawn thin and down to -120 dB only."""
_SEMITONE = 2.0 ** (1.0 / 12.0)
TICKS_HZ = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_LABEL_WIDTH, _LABEL_HEIGHT = 0.085, 0.062
"""Size of a peak label as a share of the axes."""
_SPECTROGRAM_BANDS = 320
_SPECTRUM_COLUMNS = 1_000


@style.drawing
def spectrum(
    audio: npt.ArrayLike,
    sample_rate: float,
    *,
    window: Window = "blackmanharris",
    quantity: Quantity = "amplitude",
    reference: Reference = "sine",
    peak_hold: bool = False,
    peaks: int = 6,
    low_hz: float = 20.0,
    name: str = "Spectrum",
    ax: Axes | None = None,
) -> Figure:
    """Level in dBFS over log frequency; by default a full-scale sine reads 0 dBFS.

    Parameters
    ----------
    audio : (batch, channel, frame), or fewer axes
    sample_rate : Hz
    window : "blackmanharris", "flattop" for levels exact to 0.01 dB, or another (`analysis.window_facts`)
    quantity, reference : what a level is and what reads 0 dBFS (`analysis.power_spectrum`)
    peak_hold : also draw the highest level each frequency reached
    peaks : label at most this many peaks with their frequency
    low_hz : left end of the axis
    ax : draws into these axes

    Examples
    --------
    >>> figure = amp.plots.spectrum(amp.measure.tone(4800, 48_000.0, 1000.0), 48_000.0, window="flattop")
    >>> figure.axes[0].get_title(loc="right")
    'flat-top window, one segment of 4,800 frames'
    """
    signal = to_bcn(audio, "spectrum")
    rows, note = style.rows_of(signal)
    curves = _curves(
        signal,
        rows,
        lambda x: analysis.power_spectrum(
            x, sample_rate, window=window, quantity=quantity, reference=reference
        ),
    )
    return _drawn(curves, len(rows), note, (peaks, low_hz, peak_hold), name, ax)


@style.drawing
def spectrum_of(
    found: analysis.Spectrum,
    *,
    peak_hold: bool = False,
    peaks: int = 6,
    low_hz: float = 20.0,
    name: str = "Spectrum",
    ax: Axes | None = None,
) -> Figure:
    """Draw a spectrum that was measured; options as in `spectrum`.

    Examples
    --------
    >>> found = amp.analysis.power_spectrum(amp.measure.noise(9600), 48_000.0, quantity="density")
    >>> amp.plots.spectrum_of(found, peaks=0).axes[0].get_ylabel()
    'level (dBFS/Hz)'
    """
    shape = (1, 1, *found.mean_db.shape)[-3:]
    mean, hold = (level.reshape(shape) for level in (found.mean_db, found.hold_db))
    rows, note = style.rows_of(mean)
    curves = [
        (style.signal_name(shape, b, c), replace(found, mean_db=mean[b, c], hold_db=hold[b, c]))
        for b, c in rows
    ]
    return _drawn(curves, len(rows), note, (peaks, low_hz, peak_hold), name, ax)


def _drawn(
    curves: list[tuple[str, analysis.Spectrum]],
    signals: int,
    note: str,
    options: tuple[int, float, bool],
    name: str,
    ax: Axes | None,
) -> Figure:
    """Draw named spectra of one calibration; options are count of peaks, lowest frequency, peak hold."""
    peaks, low_hz, peak_hold = options
    figure, (axes,) = style.panels(ax, [3.4])
    unit = curves[0][1].unit if curves else "dBFS"
    style.label(axes, x="frequency (Hz)", y=f"level ({unit})")
    if not curves:
        axes.text(0.5, 0.5, "no finite sample", transform=axes.transAxes, ha="center", color=style.MUTED)
        style.title(axes, name, note)
        return figure
    many = len(curves) > _BOLD_CURVES
    for index, (label, found) in enumerate(curves):
        colour = style.colour(index)
        if peak_hold:
            axes.plot(*_thinned(found.freq_hz, found.hold_db), color=colour, lw=0.8, alpha=0.35)
        (line,) = axes.plot(*_thinned(found.freq_hz, found.mean_db), color=colour, label=label)
        line.set(linewidth=0.7 if many else 1.0, alpha=0.6 if many else 0.9)
    every = [found for _, found in curves]
    sample_rate = every[0].sample_rate
    low = min(low_hz, sample_rate / 8)
    levels = [(f.hold_db if peak_hold else f.mean_db)[f.freq_hz >= low] for f in every]
    _frame(axes, np.concatenate(levels), (low, sample_rate / 2), -120.0 if many else _FLOOR_DB)
    _label_peaks(axes, _peaks(every, peaks))
    if many:
        style.legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    elif signals > 1:
        style.legend(axes, loc="lower left")
    style.title(axes, name, style.joined(note, *_how(every), "peak hold" if peak_hold else ""))
    return figure


def _curves(
    signal: FloatArray, rows: list[tuple[int, int]], analysed: Callable[[FloatArray], analysis.Spectrum]
) -> list[tuple[str, analysis.Spectrum]]:
    """One named spectrum per signal with a finite sample; equal signals share one."""
    names: dict[bytes, list[str]] = {}
    chosen: dict[bytes, FloatArray] = {}
    for b, c in rows:
        bits = hashlib.sha256(np.ascontiguousarray(signal[b, c]).tobytes()).digest()
        names.setdefault(bits, []).append(style.signal_name(signal.shape, b, c))
        chosen[bits] = signal[b, c]
    return [(" = ".join(names[bits]), analysed(x)) for bits, x in chosen.items() if np.isfinite(x).any()]


def _how(found: list[analysis.Spectrum]) -> tuple[str, str]:
    """Return notes about window and segments, and about frames that were left out."""
    first = found[0]
    averaged = f"{first.segments} averaged segments" if first.segments > 1 else "one segment"
    left_out = max(f.nonfinite_frames for f in found)
    return (
        f"{style.count(left_out, 'non-finite frame')} left out" if left_out else "",
        f"{_WINDOW_NAMES.get(first.window, first.window)} window, {averaged} of "
        f"{style.count(first.segment_frames, 'frame')}{_calibration(first)}",
    )


def _calibration(found: analysis.Spectrum) -> str:
    """Return a note about the reference, if not a full-scale sine, and the noise bandwidth of a density."""
    square = "; 0 dBFS: full-scale square" if found.reference == "square" else ""
    width = f"; noise bandwidth {found.noise_bandwidth_hz:.3g} Hz" if found.quantity == "density" else ""
    return square + width


def _peaks(found: list[analysis.Spectrum], count: int) -> tuple[analysis.Peak, ...]:
    """Highest peaks of all curves that nothing within a semitone exceeds: others sit on a skirt."""
    summits: list[analysis.Peak] = []
    for curve in found:
        freq, level = curve.freq_hz, curve.mean_db
        for peak in analysis.find_peaks(freq, level, count=8 * count):
            near = level[(freq > peak.freq_hz / _SEMITONE) & (freq < peak.freq_hz * _SEMITONE)]
            if near.size and near.max() <= peak.level_db + 0.5:
                summits.append(peak)
    chosen: list[analysis.Peak] = []
    for peak in sorted(summits, key=lambda p: -p.level_db):
        if all(abs(math.log(peak.freq_hz / other.freq_hz)) > math.log(_SEMITONE) for other in chosen):
            chosen.append(peak)
    return tuple(chosen[:count])


@style.drawing
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

    Examples
    --------
    >>> figure = amp.plots.spectrogram(amp.measure.sweep(24_000, 48_000.0), 48_000.0, segment_frames=1024)
    >>> figure.axes[0].get_title(loc="right")
    'Hann window, 1,024 frames'
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
    hatched = 0
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
        hatched += _hatch(row_ax, np.isnan(level[0]), extent)
        if log_frequency:
            octaves = [hz for hz in TICKS_HZ if low <= math.log10(hz) <= high]
            row_ax.set_yticks([math.log10(hz) for hz in octaves], [hertz(hz, 0) for hz in octaves])
        style.label(row_ax, y=f"{style.signal_name(signal.shape, b, c)} (Hz)")
    style.label(axes[-1], x=f"time ({unit})")
    style.colourbar(image, axes, "level (dBFS)")
    frames = min(segment_frames, signal.shape[-1])
    share = frames * images[0][0].size / signal.shape[-1]
    skipped = f"looks at {share:.0%} of the signal" if share < 0.995 else ""
    style.title(
        axes[0],
        name,
        style.joined(
            "hatched: non-finite" if hatched else "",
            note,
            skipped,
            f"Hann window, {style.count(frames, 'frame')}",
        ),
    )
    return figure


def _hatch(ax: Axes, columns: npt.NDArray[np.bool_], extent: tuple[float, float, float, float]) -> int:
    """Hatch the columns that have no level, and return in how many stretches they lie."""
    edges = np.flatnonzero(np.diff(columns, prepend=False, append=False)) * (extent[1] / columns.size)
    for start, stop in edges.reshape(-1, 2):
        ax.axvspan(
            start, stop, facecolor="white", edgecolor=style.FAULT, hatch="////", linewidth=0, gid="non-finite"
        )
    return edges.size // 2


def _thinned(freq: FloatArray, level: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest level in each of 1000 log-spaced columns: what a line through all bins shows."""
    level = np.maximum(level, SILENCE_DB)
    column = np.floor(_SPECTRUM_COLUMNS * np.log(np.maximum(freq, 1.0)) / math.log(max(freq[-1], 2.0)))
    start = np.flatnonzero(np.diff(column, prepend=-1.0))
    both = np.stack([np.minimum.reduceat(level, start), np.maximum.reduceat(level, start)], axis=1)
    return np.repeat(freq[start], 2), both.ravel()


def _frame(ax: Axes, visible: FloatArray, span_hz: tuple[float, float], deepest_db: float) -> None:
    top = style.finite_max(visible, -60.0)
    finite = visible[np.isfinite(visible)]
    floor = float(np.percentile(finite, 5.0)) if finite.size else -120.0
    bottom = 10.0 * math.floor((min(floor, top - 40.0) - 6.0) / 10.0)
    bottom = max(bottom, top + deepest_db)
    ax.set_ylim(bottom, top + 0.18 * (top - bottom))
    ax.set_xlim(span_hz)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(TICKS_HZ))
    ax.xaxis.set_major_formatter(FuncFormatter(hertz))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(MultipleLocator(20.0))
    ax.axhline(0.0, color="#aab1b8", linewidth=0.8)


def hertz(hz: float, _: int | None) -> str:
    """Label of a tick: ``500``, ``2k``."""
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

    The range returned is in log10(Hz) for log bands, since images have linear axes.
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
