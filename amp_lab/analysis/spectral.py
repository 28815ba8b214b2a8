"""Windowed spectra: lines in dBFS or density in dBFS/Hz, calibrated from 0 Hz to Nyquist."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy import signal as sps

from amp_lab.analysis import arguments, windows
from amp_lab.analysis.records import Record
from amp_lab.analysis.signals import (
    FloatArray,
    bin_frequencies,
    finite_runs,
    power_decibels,
    require_finite,
    to_signal,
)
from amp_lab.analysis.windows import Window
from amp_lab.common import arrays, checks
from amp_lab.common.provided import provided
from amp_lab.errors import InvalidArgument, ShapeError

Quantity: TypeAlias = Literal["amplitude", "power", "density"]
Reference: TypeAlias = Literal["sine", "square"]
MOST_SEGMENT_FRAMES = 1 << 26
_OCTAVE_DB = 20.0 * math.log10(2.0)
_SQUARED = 400
"""Powers of two up to this may be squared and summed in double precision."""
_SEGMENTS = 128
"""Segments averaged at most: past that a picture does not change, only its cost."""


class _Calibrated(Record):
    """What the levels of a record are relative to."""

    quantity: Quantity
    reference: Reference

    @property
    def unit(self) -> str:
        """Unit of the levels: dBFS or dBFS/Hz; 0 dBFS is full scale of ``reference``."""
        return "dBFS/Hz" if self.quantity == "density" else "dBFS"

    @property
    def units(self) -> dict[str, str]:
        """Unit of each field that has one."""
        fixed = {"freq_hz": "Hz", "time_s": "s", "sample_rate": "Hz", "noise_bandwidth_hz": "Hz"}
        levels = dict.fromkeys(("mean_db", "hold_db", "level_db"), self.unit)
        known = fixed | levels | {"noise_bandwidth_bins": "bin"}
        return {key: unit for key, unit in known.items() if hasattr(self, key)}


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(_Calibrated):
    """Level over frequency; the fields say what a level is relative to.

    Attributes
    ----------
    freq_hz : (F,)
    mean_db : (..., F), power average over the segments
    hold_db : (..., F), highest segment
    window : name of the window
    segment_frames : length of a segment
    segments, of_segments : segments looked at, and how many the signal holds
    nonfinite_frames : frames left out because a value is NaN or infinite there
    sample_rate : Hz
    quantity : "amplitude", "power" or "density"
    reference : what reads 0 dBFS, a full-scale "sine" or "square"
    coherent_gain : mean of the window, compensated in lines
    noise_bandwidth_bins, noise_bandwidth_hz : equivalent noise bandwidth of the window; a bin is
        sample_rate / segment_frames, as zero-padding resolves no more
    """

    freq_hz: FloatArray
    mean_db: FloatArray
    hold_db: FloatArray
    window: Window
    segment_frames: int
    segments: int
    of_segments: int
    nonfinite_frames: int = 0
    sample_rate: float = field(kw_only=True)
    quantity: Quantity = field(kw_only=True)
    reference: Reference = field(kw_only=True)
    coherent_gain: float = field(kw_only=True)
    noise_bandwidth_bins: float = field(kw_only=True)

    @property
    def noise_bandwidth_hz(self) -> float:
        """Equivalent noise bandwidth of a reading, in Hz."""
        return self.noise_bandwidth_bins * self.sample_rate / self.segment_frames

    def to_dict(self) -> dict[str, object]:
        """Return every field as JSON values, with the noise bandwidth in Hz and ``units``."""
        return super().to_dict() | {"noise_bandwidth_hz": self.noise_bandwidth_hz}

    def plot(self, **options: Any) -> Any:
        """Draw it (`amp_lab.plots.spectrum_of`)."""
        return provided("Spectrum.plot")(self, **options)

    def __repr__(self) -> str:
        """One line: what was looked at and how it is calibrated."""
        shape = "x".join(str(n) for n in self.mean_db.shape)
        return (
            f"Spectrum({shape}, 0 to {self.freq_hz[-1]:.9g} Hz, {self.quantity} in {self.unit}, "
            f"0 dBFS full-scale {self.reference}, {self.window}, {self.segments} of {self.segment_frames} "
            f"frames, noise bandwidth {self.noise_bandwidth_hz:.4g} Hz)"
        )


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
    quantity: Quantity = "amplitude",
    reference: Reference = "sine",
) -> Spectrum:
    """Welch spectrum of `x` (..., frame) from 0 Hz to sample_rate / 2.

    Coherent gain of the window is compensated; segments overlap by half and are zero-padded to
    twice their length, which leaves 0.21 dB (Blackman-Harris) or 0.003 dB (flat-top) of scalloping.
    A signal of up to two segments is taken in one. Segments lie where every signal is finite.
    Source: P. D. Welch, IEEE Trans. Audio Electroacoustics 15, 1967.

    Parameters
    ----------
    x
        Signals.
    sample_rate
        Hz, 1 to 1e7.
    window
        blackmanharris, flattop, hann, hamming, blackman or rectangular; see `window_facts`.
    segment_frames
        Length of a segment.
    quantity
        "amplitude": of each line, so a sine of amplitude 1, an offset of 1 and +-1 at half the sample rate
        all read 0 dBFS. "power": mean square of each line over that of the reference. "density": mean
        square per Hz, which does not depend on the window for noise. The one-sided doubling is applied
        neither at 0 Hz nor at half the sample rate, which have no mirror image.
    reference
        What reads 0 dBFS: a full-scale "sine" (mean square 1/2) or "square" (mean square 1, by which a
        full-scale sine reads -3.01 dB). Amplitude over a square's is the RMS value of each line.

    Raises
    ------
    InvalidArgument
        If there is no such window, quantity, reference or rate, or nothing is finite.
    """
    windows.check("spectrum.window", window)
    rate = _options("spectrum", sample_rate, quantity, reference, segment_frames)
    signal = to_signal(x, "power_spectrum")
    runs = finite_runs(signal)
    if not runs.size:
        require_finite(signal, "power_spectrum")
    lengths = runs[:, 1] - runs[:, 0]
    frames = int(lengths.max())
    size = frames if frames <= 2 * segment_frames else segment_frames
    starts, of_segments = _starts(runs[lengths >= size], size)
    exponent = _excess(signal)
    taper = windows.taper(window, size)
    padded = fft.next_fast_len(2 * size, real=True)
    gain = _power_gain(taper, padded, rate, quantity, reference)
    mean = np.zeros((*signal.shape[:-1], gain.size))
    hold = np.zeros_like(mean)
    for start in starts:
        piece = np.ldexp(signal[..., start : start + size], -exponent)
        power = gain * np.abs(fft.rfft(piece * taper, padded)) ** 2
        mean += power
        np.maximum(hold, power, out=hold)
    return Spectrum(
        freq_hz=bin_frequencies(padded, rate),
        mean_db=power_decibels(mean / starts.size) + exponent * _OCTAVE_DB,
        hold_db=power_decibels(hold) + exponent * _OCTAVE_DB,
        window=window,
        segment_frames=size,
        segments=starts.size,
        of_segments=of_segments,
        nonfinite_frames=signal.shape[-1] - int(lengths.sum()),
        sample_rate=rate,
        quantity=quantity,
        reference=reference,
        coherent_gain=float(taper.mean()),
        noise_bandwidth_bins=float(size * np.sum(taper**2) / taper.sum() ** 2),
    )


def _options(where: str, rate: float, quantity: str, reference: str, segment_frames: int) -> float:
    """Check what spectrum and spectrogram have in common and return the sample rate."""
    checks.choice(f"{where}.quantity", quantity, get_args(Quantity), "quantity", InvalidArgument)
    checks.choice(f"{where}.reference", reference, get_args(Reference), "reference", InvalidArgument)
    cure = "Give the length of the window in frames."
    arguments.whole(f"{where}.segment_frames", segment_frames, 1, MOST_SEGMENT_FRAMES, cure)
    return arguments.sample_rate(where, rate)


def _power_gain(
    taper: FloatArray, size: int, rate: float, quantity: Quantity, reference: Reference
) -> FloatArray:
    """Factors (F,) from squared FFT magnitudes to the square of a line, or to density, over the reference."""
    sided = np.full(size // 2 + 1, 2.0)
    sided[0] = 1.0
    if size % 2 == 0:
        sided[-1] = 1.0
    if quantity == "amplitude" and reference == "sine":
        return np.asarray((sided / taper.sum()) ** 2)
    area = rate * np.sum(taper**2) if quantity == "density" else taper.sum() ** 2
    return np.asarray(sided * ((2.0 if reference == "sine" else 1.0) / area))


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
    "Spectral Audio Signal Processing", quadratic interpolation of spectral peaks). What an offset
    leaks into the bins beside 0 Hz is 6 dB high at most: less than the default prominence.
    """
    count = arguments.whole("find_peaks.count", count, 0, 1 << 31, "Give how many peaks to return.")
    arguments.real("find_peaks.prominence_db", prominence_db, "a number of dB", "Give a float.")
    freq_hz = arrays.numbers("find_peaks.freq_hz", freq_hz, error=InvalidArgument)
    level = np.maximum(arrays.numbers("find_peaks.level_db", level_db, error=InvalidArgument), -400.0)
    index, _ = sps.find_peaks(level, prominence=prominence_db, height=level.max() - 85.0)
    best = index[np.argsort(-level[index], kind="stable")][:count]
    left, mid, right = level[best - 1], level[best], level[best + 1]
    offset = 0.5 * (left - right) / (left - 2.0 * mid + right)
    peak_db = mid - 0.25 * (left - right) * offset
    step = freq_hz[1] - freq_hz[0] if freq_hz.size > 1 else 0.0
    return tuple(Peak(float(f), float(db)) for f, db in zip((best + offset) * step, peak_db, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class ShortTimeSpectrum(_Calibrated):
    """Level over frequency and time; also unpacks as ``time_s, freq_hz, level_db``.

    Attributes
    ----------
    time_s : (T,), centres of the segments
    freq_hz : (F,)
    level_db : (F, T), NaN where a segment holds a NaN or an infinity
    window, segment_frames : name and length of the window
    sample_rate : Hz
    quantity, reference : see `power_spectrum`
    coherent_gain, noise_bandwidth_bins : of the window
    """

    time_s: FloatArray
    freq_hz: FloatArray
    level_db: FloatArray
    window: Window
    segment_frames: int
    sample_rate: float
    quantity: Quantity
    reference: Reference
    coherent_gain: float
    noise_bandwidth_bins: float

    def __iter__(self) -> Iterator[FloatArray]:
        return iter((self.time_s, self.freq_hz, self.level_db))

    def __getitem__(self, index: int) -> FloatArray:
        return (self.time_s, self.freq_hz, self.level_db)[index]

    def __len__(self) -> int:
        return 3

    def __repr__(self) -> str:
        """One line: size, and how it is calibrated."""
        return (
            f"ShortTimeSpectrum({self.time_s.size} segments of {self.segment_frames} frames, "
            f"0 to {self.freq_hz[-1]:.9g} Hz, {self.quantity} in {self.unit}, "
            f"0 dBFS full-scale {self.reference}, {self.window})"
        )


def spectrogram(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    segment_frames: int = 4096,
    columns: int = 600,
    window: Window = "hann",
    quantity: Quantity = "amplitude",
    reference: Reference = "sine",
) -> ShortTimeSpectrum:
    """Spectra of at most `columns` segments spread evenly over one signal `x` (frame,).

    A signal shorter than `segment_frames` is taken in one. Levels are those of `power_spectrum`.

    Raises
    ------
    InvalidArgument
        If there is no such window, quantity, reference or rate.
    ShapeError
        If `x` holds several signals.
    """
    windows.check("spectrogram.window", window)
    rate = _options("spectrogram", sample_rate, quantity, reference, segment_frames)
    cure = "Give how many segments to look at."
    columns = arguments.whole("spectrogram.columns", columns, 1, 1 << 20, cure)
    signal = to_signal(x, "spectrogram")
    if signal.size != signal.shape[-1]:
        raise ShapeError(
            f"spectrogram: several signals (got shape {signal.shape}, allowed one). Pass x[batch, channel]."
        )
    signal = signal.ravel()
    size = min(segment_frames, signal.size)
    last = signal.size - size
    starts = np.unique(np.linspace(0, last, min(columns, last // 16 + 1)).round().astype(np.int64))
    taper = windows.taper(window, size)
    segments = np.lib.stride_tricks.sliding_window_view(signal, size)[starts]
    whole = np.isfinite(segments).all(axis=-1)
    level = np.full((starts.size, size // 2 + 1), np.nan)
    exponent = _excess(signal)
    spectra = np.abs(fft.rfft(np.ldexp(segments[whole], -exponent) * taper, axis=-1))
    gain = _power_gain(taper, size, rate, quantity, reference)
    level[whole] = power_decibels(gain * spectra**2) + exponent * _OCTAVE_DB
    return ShortTimeSpectrum(
        time_s=(starts.astype(np.float64) + size / 2) / rate,
        freq_hz=bin_frequencies(size, rate),
        level_db=level.T,
        window=window,
        segment_frames=size,
        sample_rate=rate,
        quantity=quantity,
        reference=reference,
        coherent_gain=float(taper.mean()),
        noise_bandwidth_bins=float(size * np.sum(taper**2) / taper.sum() ** 2),
    )
