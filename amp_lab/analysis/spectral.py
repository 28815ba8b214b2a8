"""Spectra averaged over windowed segments: lines in dBFS, or density in dBFS/Hz, from 0 Hz to Nyquist."""

from __future__ import annotations

import math
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
from amp_lab.errors import InvalidArgument

Quantity: TypeAlias = Literal["amplitude", "power", "density"]
Reference: TypeAlias = Literal["sine", "square"]
MOST_SEGMENT_FRAMES = 1 << 26
OCTAVE_DB = 20.0 * math.log10(2.0)
_SQUARED = 400
"""Powers of two up to this may be squared and summed in double precision."""
_SEGMENTS = 128
"""Segments averaged at most: past that a picture does not change, only its cost."""


class Calibrated(Record):
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
class Spectrum(Calibrated):
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

    Examples
    --------
    >>> found = amp.analysis.power_spectrum(amp.measure.tone(4800, 48_000.0, 1000.0), 48_000.0)
    >>> found
    Spectrum(1x1x4801, 0 to 24000 Hz, amplitude in dBFS, 0 dBFS full-scale sine, blackmanharris, 1 of 4800
        frames, noise bandwidth 20.04 Hz)
    >>> found.unit, found.units["freq_hz"], round(found.noise_bandwidth_hz, 2), found.to_dict()["window"]
    ('dBFS', 'Hz', 20.04, 'blackmanharris')
    >>> found.plot().axes[0].get_ylabel()
    'level (dBFS)'
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
    """A local maximum of a spectrum, between bins.

    Examples
    --------
    >>> amp.analysis.Peak(freq_hz=1000.0, level_db=-6.0)
    Peak(freq_hz=1000.0, level_db=-6.0)
    """

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

    Examples
    --------
    >>> x = amp.measure.noise(48_000, rms=0.1)
    >>> found = amp.analysis.power_spectrum(x, 48_000.0, segment_frames=4096, quantity="density")
    >>> found.mean_db.mean().round().item(), found.unit
    (-61.0, 'dBFS/Hz')
    """
    windows.check("spectrum.window", window)
    rate = check_options("spectrum", sample_rate, quantity, reference, segment_frames)
    signal = to_signal(x, "power_spectrum")
    runs = finite_runs(signal)
    if not runs.size:
        require_finite(signal, "power_spectrum")
    lengths = runs[:, 1] - runs[:, 0]
    frames = int(lengths.max())
    size = frames if frames <= 2 * segment_frames else segment_frames
    starts, of_segments = _starts(runs[lengths >= size], size)
    exponent = excess(signal)
    taper = windows.taper(window, size)
    padded = fft.next_fast_len(2 * size, real=True)
    gain = power_gain(taper, padded, rate, quantity, reference)
    mean = np.zeros((*signal.shape[:-1], gain.size))
    hold = np.zeros_like(mean)
    for start in starts:
        piece = np.ldexp(signal[..., start : start + size], -exponent)
        power = gain * np.abs(fft.rfft(piece * taper, padded)) ** 2
        mean += power
        np.maximum(hold, power, out=hold)
    return Spectrum(
        freq_hz=bin_frequencies(padded, rate),
        mean_db=power_decibels(mean / starts.size) + exponent * OCTAVE_DB,
        hold_db=power_decibels(hold) + exponent * OCTAVE_DB,
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


def check_options(where: str, rate: float, quantity: str, reference: str, segment_frames: int) -> float:
    """Check what spectrum and spectrogram have in common and return the sample rate."""
    checks.choice(f"{where}.quantity", quantity, get_args(Quantity), "quantity", InvalidArgument)
    checks.choice(f"{where}.reference", reference, get_args(Reference), "reference", InvalidArgument)
    cure = "Give the length of the window in frames."
    arguments.whole(f"{where}.segment_frames", segment_frames, 1, MOST_SEGMENT_FRAMES, cure)
    return arguments.sample_rate(where, rate)


def power_gain(
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


def excess(signal: FloatArray) -> int:
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

    Examples
    --------
    >>> x = amp.measure.tone(4800, 48_000.0, 440.0) + 0.1 * amp.measure.tone(4800, 48_000.0, 1760.0)
    >>> found = amp.analysis.power_spectrum(x[0, 0], 48_000.0)
    >>> peaks = amp.analysis.find_peaks(found.freq_hz, found.mean_db, count=2)
    >>> [(round(peak.freq_hz, 1), round(peak.level_db, 1)) for peak in peaks]
    [(440.0, 0.0), (1760.0, -20.0)]
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
