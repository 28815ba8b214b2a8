"""Sines of known frequencies in signals, by weighted least squares, and what remains.

Rows are signals (R, N) scaled to magnitudes up to one; weights are those of a Blackman-Harris window, so a
component four bins or more away from every fitted frequency moves a fit by -92 dB of its own level at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy import signal as sps

from amp_lab.analysis.arguments import Band
from amp_lab.analysis.signals import FloatArray, bin_frequencies, require_finite, to_signal
from amp_lab.errors import InvalidArgument

HALF_LOBE_BINS = 4
"""From the middle of a line to its first zero."""
PERIODS = 8
"""Fewest periods of a tone, or of the distance of two, that are measured: both lines apart."""
OCTAVE_DB = 20.0 * math.log10(2.0)
_BLOCK = 1 << 15
_SILENT = 1e-28
"""Power below which a row scaled to one holds rounding only."""


class ScaledRows(NamedTuple):
    """Signals as rows of magnitudes below one: x = values * 2**exponent."""

    values: FloatArray
    exponent: FloatArray
    shape: tuple[int, ...]

    def level_db(self, power: FloatArray) -> FloatArray:
        """Mean squares (R,) of the rows as dBFS of a sine, in the shape of the signals."""
        with np.errstate(divide="ignore"):
            return self.shaped(10.0 * np.log10(2.0 * power) + OCTAVE_DB * self.exponent)

    def shaped(self, values: FloatArray) -> FloatArray:
        """Values (R, ...) in the shape of the signals; of one signal without axes a plain number."""
        return np.asarray(values).reshape(self.shape + values.shape[1:])[()]


@dataclass(frozen=True)
class SineFit:
    """Offset (R,), amplitudes (R, K) of Re(a exp(j 2 pi f n / fs)), residual (R, N)."""

    offset: FloatArray
    amplitude: npt.NDArray[np.complex128]
    residual: FloatArray

    @property
    def power(self) -> FloatArray:
        """Mean squares (R, K) of the sines."""
        return np.asarray(np.abs(self.amplitude) ** 2 / 2.0)


def rows(x: npt.ArrayLike, where: str) -> ScaledRows:
    """Return finite signals as scaled rows."""
    signal = to_signal(x, where)
    require_finite(signal, where)
    flat = signal.reshape(-1, signal.shape[-1])
    exponent = np.frexp(np.abs(flat).max(axis=-1))[1]
    return ScaledRows(np.ldexp(flat, -exponent[:, None]), exponent.astype(np.float64), signal.shape[:-1])


def not_silent(where: str, power: FloatArray) -> None:
    """Refuse rows whose power is rounding.

    Raises
    ------
    InvalidArgument
        If there is one.
    """
    if (power < _SILENT).any():
        raise InvalidArgument(f"{where}: silent signal (got RMS 0, allowed above 0). Feed in a tone.")


def weights(frames: int) -> FloatArray:
    """Return a symmetrical Blackman-Harris window."""
    return np.asarray(sps.get_window("blackmanharris", frames, fftbins=False), dtype=np.float64)


def basis(frequencies: FloatArray, rate: float, start: int, stop: int) -> FloatArray:
    """Return ones, cosines and sines (2 K + 1, frames)."""
    turns = np.mod(np.arange(start, stop) * (frequencies[:, None] / rate), 1.0)
    angle = 2.0 * np.pi * turns
    return np.concatenate([np.ones((1, stop - start)), np.cos(angle), np.sin(angle)])


def fit(signal: FloatArray, frequencies: npt.ArrayLike, rate: float) -> SineFit:
    """Fit an offset and sines of the same `frequencies` (K,) to rows (R, N).

    IEEE 1057, three parameters per sine, weighted. Sums run over blocks of frames, so memory does not grow
    with the number of sines.
    """
    hz = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    count, frames = signal.shape
    weight = weights(frames)
    gram, moments = np.zeros((2 * hz.size + 1,) * 2), np.zeros((2 * hz.size + 1, count))
    blocks = [(start, min(start + _BLOCK, frames)) for start in range(0, frames, _BLOCK)]
    for start, stop in blocks:
        columns = basis(hz, rate, start, stop)
        weighted = columns * weight[start:stop]
        gram += weighted @ columns.T
        moments += weighted @ signal[:, start:stop].T
    found: FloatArray = np.asarray(np.linalg.lstsq(gram, moments, rcond=None)[0].T, dtype=np.float64)
    residual = np.empty_like(signal)
    for start, stop in blocks:
        residual[:, start:stop] = signal[:, start:stop] - found @ basis(hz, rate, start, stop)
    cosine, sine = found[:, 1 : hz.size + 1], found[:, hz.size + 1 :]
    return SineFit(found[:, 0], cosine - 1j * sine, residual)


def band_power(
    signal: FloatArray, rate: float, band: Band, gain: Callable[[FloatArray], FloatArray] | None = None
) -> FloatArray:
    """Mean square (R,) of rows within a band, through a magnitude response `gain` of frequencies.

    The edges lie four bins outside of the band, so that a component on an edge counts whole.
    """
    frames = signal.shape[-1]
    weight = weights(frames)
    size = fft.next_fast_len(frames, real=True)
    hz = bin_frequencies(size, rate)
    sided = np.full(hz.size, 2.0 / (size * np.sum(weight**2)))
    sided[0] /= 2.0
    if size % 2 == 0:
        sided[-1] /= 2.0
    margin = HALF_LOBE_BINS * rate / frames
    sided[(hz < band[0] - margin) | (hz > band[1] + margin)] = 0.0
    if gain is not None:
        sided *= gain(hz) ** 2
    return np.array([np.sum(sided * np.abs(fft.rfft(row * weight, size)) ** 2) for row in signal])


def notch(f0_hz: float, q: float) -> Callable[[FloatArray], FloatArray]:
    """Return the magnitude of a second-order notch filter at `f0_hz`, -3 dB over f0 / q."""

    def gain(hz: FloatArray) -> FloatArray:
        ratio = hz / f0_hz
        stop = np.abs(1.0 - ratio**2)
        return np.asarray(stop / np.hypot(stop, ratio / q))

    return gain
