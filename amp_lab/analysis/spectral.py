"""Windowed spectra in dBFS: a full-scale sine reads 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy import signal as sps

from amp_lab import checks
from amp_lab.analysis.signals import (
    FloatArray,
    bin_frequencies,
    decibels,
    finite_runs,
    power_decibels,
    require_finite,
    to_signal,
)
from amp_lab.errors import InvalidArgument
from amp_lab.values import ReadOnlyArrays

Window: TypeAlias = Literal["blackmanharris", "flattop"]
_OCTAVE_DB = 20.0 * math.log10(2.0)
_SQUARED = 400
"""Powers of two up to this may be squared and summed in double precision."""
_SEGMENTS = 128
"""Segments averaged at most: past that a picture does not change, only its cost."""


@dataclass(frozen=True, eq=False)
class Spectrum(ReadOnlyArrays):
    """Level in dBFS over frequency.

    Attributes
    ----------
    freq_hz : (F,)
    mean_db : (..., F), power average over the segments
    hold_db : (..., F), highest segment
    window : name of the window
    segment_frames : length of a segment
    segments, of_segments : segments looked at, and how many the signal holds
    nonfinite_frames : frames left out because a value is NaN or infinite there
    """

    freq_hz: FloatArray
    mean_db: FloatArray
    hold_db: FloatArray
    window: Window
    segment_frames: int
    segments: int
    of_segments: int
    nonfinite_frames: int = 0


@dataclass(frozen=True)
class Peak:
    """A local maximum of a spectrum, between bins."""

    freq_hz: float
    level_db: float


def power_spectrum(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    window: Window = "blackmanharris",
    segment_frames: int = 1 << 15,
) -> Spectrum:
    """Welch spectrum of `x` (..., frame), amplitude-calibrated: a full-scale sine reads 0 dBFS.

    Coherent gain of the window is compensated; segments overlap by half and are zero-padded to
    twice their length, which leaves 0.21 dB (Blackman-Harris) or 0.003 dB (flat-top) of scalloping.
    A signal of up to two segments is taken in one. Segments lie where every signal is finite.
    Source: P. D. Welch, IEEE Trans. Audio Electroacoustics 15, 1967.

    Raises
    ------
    InvalidArgument
        If there is no such window.
    """
    checks.choice("spectrum.window", window, get_args(Window), "window", InvalidArgument)
    signal = to_signal(x, "power_spectrum")
    runs = finite_runs(signal)
    if not runs.size:
        require_finite(signal, "power_spectrum")
    lengths = runs[:, 1] - runs[:, 0]
    frames = int(lengths.max())
    size = frames if frames <= 2 * segment_frames else segment_frames
    starts, of_segments = _starts(runs[lengths >= size], size)
    exponent = _excess(signal)
    taper = sps.get_window(window, size, fftbins=True) if size > 1 else np.ones(1)
    padded = fft.next_fast_len(2 * size, real=True)
    gain = np.full(padded // 2 + 1, 2.0 / taper.sum())
    gain[0] /= 2.0
    mean = np.zeros((*signal.shape[:-1], gain.size))
    hold = np.zeros_like(mean)
    for start in starts:
        piece = np.ldexp(signal[..., start : start + size], -exponent)
        power = (gain * np.abs(fft.rfft(piece * taper, padded))) ** 2
        mean += power
        np.maximum(hold, power, out=hold)
    return Spectrum(
        freq_hz=bin_frequencies(padded, sample_rate),
        mean_db=power_decibels(mean / starts.size) + exponent * _OCTAVE_DB,
        hold_db=power_decibels(hold) + exponent * _OCTAVE_DB,
        window=window,
        segment_frames=size,
        segments=starts.size,
        of_segments=of_segments,
        nonfinite_frames=signal.shape[-1] - int(lengths.sum()),
    )


def _excess(signal: FloatArray) -> int:
    """Power of two by which the largest finite value is too large to be squared and summed."""
    peak = np.max(np.abs(signal), where=np.isfinite(signal), initial=0.0)
    return max(0, int(np.frexp(peak)[1]) - _SQUARED)


def _starts(runs: npt.NDArray[np.int64], size: int) -> tuple[npt.NDArray[np.int64], int]:
    """Spread the segments evenly over all places in `runs` that hold one; also how many there are."""
    room = runs[:, 1] - runs[:, 0] - size + 1
    of_segments = int(np.sum(1 + 2 * (room - 1) // size))
    ends = np.cumsum(room)
    places = np.linspace(0, ends[-1] - 1, min(of_segments, _SEGMENTS)).round().astype(np.int64)
    run = np.searchsorted(ends, places, side="right")
    return runs[run, 0] + places - (ends - room)[run], of_segments


def find_peaks(
    freq_hz: FloatArray, level_db: FloatArray, *, count: int = 6, prominence_db: float = 12.0
) -> tuple[Peak, ...]:
    """Find the `count` highest peaks of one spectrum (F,), highest first, placed between bins.

    Nothing 85 dB below the highest is a peak: there the windows' side lobes begin. A parabola
    through the three highest bins in dB gives frequency and level (J. O. Smith,
    "Spectral Audio Signal Processing", quadratic interpolation of spectral peaks).
    """
    level = np.maximum(level_db, -400.0)
    index, _ = sps.find_peaks(level, prominence=prominence_db, height=level.max() - 85.0)
    best = index[np.argsort(-level[index], kind="stable")][:count]
    left, mid, right = level[best - 1], level[best], level[best + 1]
    offset = 0.5 * (left - right) / (left - 2.0 * mid + right)
    peak_db = mid - 0.25 * (left - right) * offset
    step = freq_hz[1] - freq_hz[0] if freq_hz.size > 1 else 0.0
    return tuple(Peak(float(f), float(db)) for f, db in zip((best + offset) * step, peak_db, strict=True))


def spectrogram(
    x: npt.ArrayLike, sample_rate: float, *, segment_frames: int = 4096, columns: int = 600
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hann spectra in dBFS of at most `columns` segments spread evenly over `x` (frame,).

    Returns
    -------
    time_s : (T,), centres of the segments
    freq_hz : (F,)
    level_db : (F, T), NaN where a segment holds a NaN or an infinity
    """
    signal = to_signal(x, "spectrogram").ravel()
    size = min(segment_frames, signal.size)
    span = signal.size - size
    starts = np.unique(np.linspace(0, span, min(columns, span // 16 + 1)).round().astype(np.int64))
    taper = sps.get_window("hann", size, fftbins=True) if size > 1 else np.ones(1)
    segments = np.lib.stride_tricks.sliding_window_view(signal, size)[starts]
    whole = np.isfinite(segments).all(axis=-1)
    level = np.full((starts.size, size // 2 + 1), np.nan)
    exponent = _excess(signal)
    spectra = np.abs(fft.rfft(np.ldexp(segments[whole], -exponent) * taper, axis=-1))
    level[whole] = decibels(spectra * (2.0 / taper.sum())) + exponent * _OCTAVE_DB
    return (starts.astype(np.float64) + size / 2) / sample_rate, bin_frequencies(size, sample_rate), level.T
