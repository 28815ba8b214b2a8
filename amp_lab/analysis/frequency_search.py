"""Frequency of the strongest tone, with the uncertainty of the estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

from amp_lab.analysis import arguments, sine_fit
from amp_lab.analysis.arguments import Band
from amp_lab.analysis.records import Record, size, span
from amp_lab.analysis.signals import FloatArray
from amp_lab.errors import InvalidArgument

_STEPS = 30
_SETTLED = 1e-9
"""Change in cycles over the whole signal below which a step counts as the last."""
_ROUNDING = 1e-13
"""Of the sample rate: below it a frequency is rounding."""
_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False, repr=False)
class FoundFrequency(Record):
    """The strongest tone of each signal, per (batch, channel).

    Attributes
    ----------
    frequency_hz : of the tone
    uncertainty_hz : standard deviation of this estimate if all else is white noise
    cramer_rao_hz : least standard deviation any unbiased estimate can have then
    level_db : of the tone; a full-scale sine reads 0 dBFS
    phase_rad : of the tone at frame 0, that of a cosine
    rest_db : level of all else (offset apart), at any frequency; RMS of a full-scale sine is 0 dBFS
    band_hz : where it was searched
    frames, sample_rate : of the signal

    Examples
    --------
    >>> found = amp.measure.find_frequency(amp.measure.tone(4800, 48_000.0, 440.5, amplitude=0.5), 48_000.0)
    >>> found.frequency_hz.round(6), found.level_db.round(2)
    (array([[440.5]]), array([[-6.02]]))
    """

    _units: ClassVar = {
        "frequency_hz": "Hz",
        "uncertainty_hz": "Hz",
        "cramer_rao_hz": "Hz",
        "level_db": "dBFS",
        "phase_rad": "rad",
        "rest_db": "dBFS",
        "band_hz": "Hz",
        "sample_rate": "Hz",
    }
    frequency_hz: FloatArray
    uncertainty_hz: FloatArray
    cramer_rao_hz: FloatArray
    level_db: FloatArray
    phase_rad: FloatArray
    rest_db: FloatArray
    band_hz: Band
    frames: int
    sample_rate: float

    def __repr__(self) -> str:
        """One line; several signals give ranges."""
        worst = float(np.max(self.uncertainty_hz))
        return (
            f"FoundFrequency({span(self.frequency_hz, 'Hz', 6)} +- {worst:.2g} Hz "
            f"at {span(self.level_db, 'dBFS')}, "
            f"all else {span(self.rest_db, 'dBFS')}, "
            f"{size(np.shape(self.frequency_hz), self.frames, self.sample_rate)})"
        )


class Found(NamedTuple):
    """The estimate for one row."""

    frequency_hz: float
    uncertainty_hz: float
    cramer_rao_hz: float
    power: float
    phase_rad: float
    rest: float


def find_frequency(x: npt.ArrayLike, sample_rate: float, *, band_hz: Band | None = None) -> FoundFrequency:
    """Find the strongest tone of each signal (..., frame).

    The highest bin of a Blackman-Harris spectrum starts a least-squares fit of offset, amplitude, phase and
    frequency (IEEE 1057, four parameters), weighted by the same window: components four bins away and more
    move it by -92 dB of their level at most. In white noise it scatters by ``uncertainty_hz``, 2.2 times the
    Cramer-Rao bound (D. C. Rife, R. R. Boorstyn, IEEE Trans. Information Theory 20, 1974), which is the
    price of the window.

    Parameters
    ----------
    x
        Signals.
    sample_rate
        Hz.
    band_hz
        Where to search; by default wherever the signal holds eight periods or more.

    Raises
    ------
    InvalidArgument
        If a signal is silent, not finite, or too short for the band, or its highest level lies at an edge
        of the band.

    Examples
    --------
    >>> noisy = amp.measure.tone(4800, 48_000.0, 440.5) + amp.measure.noise(4800, rms=0.01)
    >>> amp.measure.find_frequency(noisy, 48_000.0)
    FoundFrequency(440.504188 Hz +- 0.0025 Hz at 0.00 dBFS, all else -36.83 dBFS, 4800 frames at 48000 Hz)
    """
    rate = arguments.sample_rate("find_frequency", sample_rate)
    rows = sine_fit.rows(x, "find_frequency")
    frames = int(rows.values.shape[-1])
    band = arguments.band("find_frequency.band_hz", band_hz, rate) if band_hz is not None else None
    found = [search("find_frequency", row, rate, band) for row in rows.values]
    hz, uncertainty, bound, power, phase, rest = (np.array(column) for column in zip(*found, strict=True))
    return FoundFrequency(
        frequency_hz=rows.shaped(hz),
        uncertainty_hz=rows.shaped(uncertainty),
        cramer_rao_hz=rows.shaped(bound),
        level_db=rows.level_db(power),
        phase_rad=rows.shaped(phase),
        rest_db=rows.level_db(rest),
        band_hz=_searched("find_frequency", frames, rate, band),
        frames=frames,
        sample_rate=rate,
    )


def _searched(where: str, frames: int, rate: float, band: Band | None) -> Band:
    """Return the band in which a tone is resolved, within the one asked for."""
    margin = sine_fit.PERIODS * rate / frames
    low, high = max(margin, band[0] if band else 0.0), min(rate / 2 - margin, band[1] if band else math.inf)
    if low >= high:
        needed = math.ceil(4 * sine_fit.PERIODS if band is None else 2 * sine_fit.PERIODS * rate / band[1])
        arguments.long_enough(where, frames, max(needed, frames + 1), "to resolve a tone in the band")
    return low, high


def search(where: str, row: FloatArray, rate: float, band: Band | None) -> Found:
    """Find the strongest tone of one row of magnitudes below one."""
    low, high = _searched(where, row.size, rate, band)
    weight = sine_fit.weights(row.size)
    padded = fft.next_fast_len(2 * row.size, real=True)
    flat = row - np.sum(weight * row) / weight.sum()
    sine_fit.not_silent(where, np.array([np.mean(flat**2)]))
    level = np.abs(fft.rfft(flat * weight, padded))
    first, last = math.ceil(low * padded / rate), math.floor(high * padded / rate)
    top = first + int(np.argmax(level[first : last + 1]))
    if not level[top - 1] <= level[top] >= level[top + 1]:
        raise InvalidArgument(
            f"{where}: no tone in the band (got its highest level at the edge, {top * rate / padded:.6g} Hz, "
            f"searched {low:.6g} to {high:.6g} Hz). Give another band, or render longer."
        )
    left, mid, right = np.log(np.maximum(level[top - 1 : top + 2], 1e-300))
    start = (top + 0.5 * (left - right) / (left - 2.0 * mid + right)) * rate / padded
    return _refined(where, row, weight, start, rate)


def _refined(where: str, row: FloatArray, weight: FloatArray, start_hz: float, rate: float) -> Found:
    """Four-parameter fit by Gauss-Newton steps from a frequency nearby."""
    hz, middle = start_hz, (row.size - 1) / 2
    cosine = sine = 0.0
    for _ in range(_STEPS):
        gram, _, moments, _ = _sums(row, weight, hz, cosine, sine, rate)
        if cosine == sine == 0.0:
            part = np.linalg.solve(gram[:3, :3], moments[:3])
            cosine, sine = float(part[1]), float(part[2])
            continue
        offset_and_steps = np.linalg.solve(gram, moments)
        cosine, sine = float(offset_and_steps[1]), float(offset_and_steps[2])
        step = float(offset_and_steps[3]) / row.size * rate / (2.0 * np.pi)
        hz += step
        if not 0.0 < hz < rate / 2:
            break
        if abs(step) * row.size / rate < _SETTLED:
            return _judged(row, weight, hz, cosine, sine, rate, middle)
    raise InvalidArgument(
        f"{where}: no tone found (got none near {start_hz:.6g} Hz, allowed a tone above the noise). "
        "Give a narrower band, or render longer."
    )


def _judged(
    row: FloatArray, weight: FloatArray, hz: float, cosine: float, sine: float, rate: float, middle: float
) -> Found:
    gram, squared, moments, _ = _sums(row, weight, hz, cosine, sine, rate)
    found = np.linalg.solve(gram, moments)
    rest = _sums(row, weight, hz, cosine, sine, rate, found[:3])[3]
    inverse = np.linalg.inv(gram)
    spread = float((inverse @ squared @ inverse)[3, 3]) * rest
    to_hz = rate / (2.0 * np.pi)
    power = (cosine**2 + sine**2) / 2.0
    bound = math.sqrt(12.0 * rest / (power * row.size * (row.size**2 - 1.0))) * to_hz
    phase = math.atan2(-sine, cosine) - 2.0 * np.pi * math.fmod(hz * middle / rate, 1.0)
    return Found(
        frequency_hz=hz,
        uncertainty_hz=max(math.sqrt(spread) / row.size * to_hz, _ROUNDING * rate),
        cramer_rao_hz=bound,
        power=power,
        phase_rad=math.remainder(phase, 2.0 * np.pi),
        rest=rest,
    )


def _sums(
    row: FloatArray,
    weight: FloatArray,
    hz: float,
    cosine: float,
    sine: float,
    rate: float,
    fitted: npt.NDArray[Any] | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Return sums over blocks: J'WJ, J'WWJ, J'Wx, and the mean square of what `fitted` leaves.

    Columns of J are 1, cos, sin and the derivative by the phase over the whole signal; time is counted from
    the middle, which keeps them apart.
    """
    gram, squared, moments, rest = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros(4), 0.0
    for start in range(0, row.size, _BLOCK):
        stop = min(start + _BLOCK, row.size)
        time = np.arange(start, stop) - (row.size - 1) / 2
        angle = 2.0 * np.pi * np.mod(time * (hz / rate), 1.0)
        cos, sin = np.cos(angle), np.sin(angle)
        columns = np.stack([np.ones_like(time), cos, sin, time / row.size * (sine * cos - cosine * sin)])
        w, x = weight[start:stop], row[start:stop]
        gram += (columns * w) @ columns.T
        squared += (columns * w**2) @ columns.T
        moments += (columns * w) @ x
        if fitted is not None:
            rest += float(np.sum(w**2 * (x - fitted @ columns[:3]) ** 2))
    return gram, squared, moments, rest / float(np.sum(weight**2))
