"""Linear systems: from an impulse response to magnitude, phase and group delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import fft

from amp_lab.analysis import arguments
from amp_lab.analysis.records import Record
from amp_lab.analysis.signals import FloatArray, bin_frequencies, decibels, require_finite, to_signal
from amp_lab.common.provided import provided
from amp_lab.errors import InvalidArgument, ShapeError

_NULL = 1e-12
"""Share of the largest magnitude below which a phase is rounding noise."""


@dataclass(frozen=True, eq=False, repr=False)
class FrequencyResponse(Record):
    """Response of a linear system at `F` frequencies.

    Attributes
    ----------
    freq_hz : (F,)
    magnitude_db : (..., F), minus infinity at an exact zero
    phase_rad : (..., F), unwrapped along frequency
    group_delay_s : (..., F), NaN where the magnitude is zero

    Examples
    --------
    >>> response = amp.analysis.transfer([1.0, -0.5, 0.0, 0.0], 48_000.0)
    >>> response
    FrequencyResponse(3, 0 to 24000 Hz)
    >>> response.freq_hz, response.magnitude_db.round(2)
    (array([    0., 12000., 24000.]), array([-6.02,  0.97,  3.52]))
    >>> response.plot().axes[0].get_ylabel()
    'magnitude (dB)'
    """

    _units: ClassVar = {"freq_hz": "Hz", "magnitude_db": "dB", "phase_rad": "rad", "group_delay_s": "s"}
    freq_hz: FloatArray
    magnitude_db: FloatArray
    phase_rad: FloatArray
    group_delay_s: FloatArray

    def at(self, frequency_hz: float) -> FloatArray:
        """Magnitude in dB at `frequency_hz`, linear between the two nearest frequencies.

        Raises
        ------
        InvalidArgument
            If `frequency_hz` is outside the measured range.

        Examples
        --------
        >>> response = amp.analysis.transfer([1.0, -0.5, 0.0, 0.0], 48_000.0)
        >>> response.at(12_000.0).round(2).item()
        0.97
        >>> response.at(25_000.0)
        Traceback (most recent call last):
            ...
        amp_lab.errors.InvalidArgument: FrequencyResponse.at: out of range (got 25000.0 Hz, allowed 0 to 24000
            Hz). Use a measured frequency.
        """
        f = self.freq_hz
        ends = float(f[0]), float(f[-1])
        cure = "Use a measured frequency."
        frequency_hz = arguments.within("FrequencyResponse.at", frequency_hz, *ends, "Hz", cure)
        right = min(max(int(np.searchsorted(f, frequency_hz)), 1), f.size - 1)
        t = (frequency_hz - f[right - 1]) / (f[right] - f[right - 1])
        below, above = self.magnitude_db[..., right - 1], self.magnitude_db[..., right]
        return np.asarray(np.where(t == 0, below, np.where(t == 1, above, below + t * (above - below))))

    def plot(self, **options: Any) -> Any:
        """Draw magnitude and group delay (`amp_lab.plots.response`)."""
        return provided("FrequencyResponse.plot")(self, **options)

    def __repr__(self) -> str:
        """One line: shape and range."""
        shape = "x".join(str(n) for n in self.magnitude_db.shape)
        return f"FrequencyResponse({shape}, {self.freq_hz[0]:g} to {self.freq_hz[-1]:g} Hz)"


def transfer(impulse_response: npt.ArrayLike, sample_rate: float, *, before: int = 0) -> FrequencyResponse:
    """Frequency response of an impulse response of shape (..., frame), up to sample_rate / 2.

    The response must have decayed within its frames; what is cut off shows as ripple. Its first
    `before` frames are those ahead of the impulse, of a system that looks ahead.
    Group delay is Re(FFT(n h) / FFT(h)) / fs, exact for a finite response (J. O. Smith,
    "Introduction to Digital Filters", numerical computation of group delay).

    Raises
    ------
    InvalidArgument
        If the rate is not 1 Hz to 10 MHz, or `before` is no frame of the response.

    Examples
    --------
    >>> amp.analysis.transfer([0.0, 1.0, 0.0, 0.0], 48_000.0).group_delay_s * 48_000.0
    array([1., 1., 1.])
    """
    sample_rate = arguments.sample_rate("frequency_response", sample_rate)
    h = to_signal(impulse_response, "frequency_response")
    require_finite(h, "frequency_response")
    before = _before("frequency_response", before, h.shape[-1])
    size = max(h.shape[-1], 2)
    time = np.arange(h.shape[-1]) - before
    freq_hz = bin_frequencies(size, sample_rate)
    advance = np.exp(2j * np.pi * before / sample_rate * freq_hz) if before else 1.0
    spectrum = np.fft.rfft(h, size) * advance
    magnitude = np.abs(spectrum)
    return FrequencyResponse(
        freq_hz=freq_hz,
        magnitude_db=decibels(magnitude),
        phase_rad=np.unwrap(np.angle(spectrum)),
        group_delay_s=_group_delay_frames(np.fft.rfft(h * time, size) * advance, spectrum) / sample_rate,
    )


def group_delay(impulse_response: npt.ArrayLike, sample_rate: float) -> FloatArray:
    """Group delay in seconds at the frequencies of `transfer`, NaN at zeros of the response.

    Examples
    --------
    >>> amp.measure.group_delay([0.0, 0.0, 1.0, 0.0], 48_000.0) * 48_000.0
    array([2., 2., 2.])
    """
    return transfer(impulse_response, sample_rate).group_delay_s


def deconvolve(response: npt.ArrayLike, stimulus: npt.ArrayLike, *, before: int = 0) -> FloatArray:
    """Impulse response of a linear system from its `response` (..., frame) to `stimulus`.

    It begins `before` frames ahead of the impulse, for a system that looks ahead.

    The quotient of the spectra, zero-padded so that nothing wraps round, regularised at -200 dB
    of the strongest stimulus bin. Only the band the stimulus excites is recovered.

    Raises
    ------
    InvalidArgument
        If the stimulus is silent, or `before` is no frame of the response.
    ShapeError
        If batches or channels of the two do not fit.

    Examples
    --------
    >>> x = amp.measure.noise(64)[0, 0]
    >>> y = np.convolve(x, [1.0, -0.5])
    >>> amp.analysis.deconvolve(y, x)[:3].round(6) + 0.0
    array([ 1. , -0.5,  0. ])
    """
    y, x = to_signal(response, "deconvolve.response"), to_signal(stimulus, "deconvolve.stimulus")
    require_finite(y, "deconvolve.response")
    require_finite(x, "deconvolve.stimulus")
    before = _before("deconvolve", before, y.shape[-1])
    try:
        np.broadcast_shapes(y.shape[:-1], x.shape[:-1])
    except ValueError:
        raise ShapeError(
            f"deconvolve.stimulus: does not fit the response (got {x.shape}, allowed {y.shape[:-1]} or 1 "
            "before the frames). Pass what was fed into each channel."
        ) from None
    size = fft.next_fast_len(y.shape[-1] + x.shape[-1], real=True)
    top = np.fft.rfft(x, size)
    energy = np.abs(top) ** 2
    if not energy.any():
        raise InvalidArgument(
            "deconvolve.stimulus: silent (got peak 0, allowed above 0). Use impulse, sweep or noise."
        )
    quotient = np.fft.rfft(y, size) * np.conj(top) / (energy + 1e-20 * energy.max())
    return np.asarray(np.roll(np.fft.irfft(quotient, size), before, axis=-1)[..., : y.shape[-1]])


def _before(where: str, before: int, frames: int) -> int:
    cure = "Give the frames ahead of the impulse, such as graph.compile().latency_frames."
    return arguments.whole(f"{where}.before", before, 0, frames, cure)


def _group_delay_frames(
    ramped: npt.NDArray[np.complex128], spectrum: npt.NDArray[np.complex128]
) -> FloatArray:
    magnitude = np.abs(spectrum)
    null = magnitude <= _NULL * magnitude.max(axis=-1, keepdims=True)
    return np.where(null, np.nan, (ramped / np.where(null, 1.0, spectrum)).real)
