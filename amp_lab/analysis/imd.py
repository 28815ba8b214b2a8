"""Intermodulation distortion of two tones: SMPTE and difference-frequency (CCIF) methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, sine_fit
from amp_lab.analysis.arguments import Band
from amp_lab.analysis.records import Record, size, span
from amp_lab.analysis.signals import FloatArray
from amp_lab.common import checks
from amp_lab.errors import InvalidArgument

Method: TypeAlias = Literal["smpte", "ccif"]
_TONES: dict[str, Band] = {"smpte": (60.0, 7_000.0), "ccif": (19_000.0, 20_000.0)}


@dataclass(frozen=True, eq=False, repr=False)
class Intermodulation(Record):
    """Intermodulation of two tones, per (batch, channel).

    Attributes
    ----------
    method : "smpte" or "ccif"
    low_hz, high_hz : the tones f1 and f2
    low_db, high_db : their levels; a full-scale sine reads 0 dBFS
    second_db : second order. smpte: f2 +- f1 over f2; ccif: f2 - f1 over f1 and f2 together
    third_db : third order. smpte: f2 +- 2 f1 over f2; ccif: 2 f1 - f2 and 2 f2 - f1 over f1 and f2 together
    imd_db : second and third order together, in power
    frames, sample_rate : of the signal

    Examples
    --------
    >>> x = amp.measure.two_tone(48_000, 48_000.0, 60.0, 7000.0, ratio=4.0)
    >>> found = amp.measure.intermodulation(x + 0.01 * x**2, 48_000.0)
    >>> found.low_hz, found.high_hz, found.second_db.round(1)
    (60.0, 7000.0, array([[-35.9]]))
    """

    _units: ClassVar = {
        "low_hz": "Hz",
        "high_hz": "Hz",
        "low_db": "dBFS",
        "high_db": "dBFS",
        "second_db": "dB",
        "third_db": "dB",
        "imd_db": "dB",
        "sample_rate": "Hz",
    }
    method: Method
    low_hz: float
    high_hz: float
    low_db: FloatArray
    high_db: FloatArray
    second_db: FloatArray
    third_db: FloatArray
    imd_db: FloatArray
    frames: int
    sample_rate: float

    def __repr__(self) -> str:
        """One line; several signals give ranges."""
        return (
            f"Intermodulation({self.method}, {self.low_hz:.9g} Hz at {span(self.low_db, 'dBFS')} and "
            f"{self.high_hz:.9g} Hz at {span(self.high_db, 'dBFS')}: IMD {span(self.imd_db)}, "
            f"second order {span(self.second_db)}, third order {span(self.third_db)}, "
            f"{size(np.shape(self.imd_db), self.frames, self.sample_rate)})"
        )


def intermodulation(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    method: Method = "smpte",
    low_hz: float | None = None,
    high_hz: float | None = None,
) -> Intermodulation:
    """Intermodulation distortion of two tones, per (batch, channel).

    Products of the second and third order are fitted together with the tones by least squares. The products
    of one order are added as amplitudes, the orders as powers, as IEC 60268-3 does for modulation and
    difference-frequency distortion; for the low sidebands of an amplitude modulation the former is what a
    demodulator after SMPTE RP 120 reads.

    Parameters
    ----------
    x
        Signals that hold eight periods of the distance of any two components.
    sample_rate
        Hz.
    method
        "smpte": 60 Hz and 7 kHz, 4 to 1 (``two_tone(..., 60, 7000, ratio=4)``); products f2 +- f1 and
        f2 +- 2 f1 over f2. "ccif": 19 and 20 kHz, equal (``two_tone``); products f2 - f1, 2 f1 - f2 and
        2 f2 - f1 over the sum of both tones.
    low_hz, high_hz
        Other frequencies.

    Raises
    ------
    InvalidArgument
        If a frequency is out of range, a product falls on another component or beyond half the sample rate,
        or a signal is too short, silent, or not finite.

    Examples
    --------
    >>> x = amp.measure.two_tone(9600, 48_000.0)
    >>> amp.measure.intermodulation(x + 0.01 * x**2 + 0.001 * x**3, 48_000.0, method="ccif")
    Intermodulation(ccif, 19000 Hz at -6.02 dBFS and 20000 Hz at -6.02 dBFS: IMD -52.02 dB, second order
        -52.05 dB, third order -74.54 dB, 9600 frames at 48000 Hz)
    """
    checks.choice("intermodulation.method", method, get_args(Method), "method", InvalidArgument)
    rate = arguments.sample_rate("intermodulation", sample_rate)
    low, high = (given if given is not None else default
                 for given, default in zip((low_hz, high_hz), _TONES[method], strict=True))  # fmt: skip
    low = arguments.frequency("intermodulation.low_hz", low, rate)
    high = arguments.frequency("intermodulation.high_hz", high, rate, low)
    rows = sine_fit.rows(x, "intermodulation")
    frames = int(rows.values.shape[-1])
    hz = _components(method, low, high)
    _check_apart(hz, frames, rate)
    amplitude = np.abs(sine_fit.fit(rows.values, hz, rate).amplitude)
    first, second = amplitude[:, 0], amplitude[:, 1]
    sine_fit.not_silent("intermodulation", np.minimum(first, second) ** 2)
    if method == "smpte":
        reference, orders = second, (amplitude[:, 2:4].sum(axis=1), amplitude[:, 4:6].sum(axis=1))
    else:
        reference, orders = first + second, (amplitude[:, 2], amplitude[:, 3:5].sum(axis=1))
    shares = [(order / reference) ** 2 for order in orders]
    with np.errstate(divide="ignore"):
        second_db, third_db, imd_db = (10.0 * np.log10(share) for share in (*shares, shares[0] + shares[1]))
    return Intermodulation(
        method=method,
        low_hz=low,
        high_hz=high,
        low_db=rows.level_db(first**2 / 2.0),
        high_db=rows.level_db(second**2 / 2.0),
        second_db=rows.shaped(second_db),
        third_db=rows.shaped(third_db),
        imd_db=rows.shaped(imd_db),
        frames=frames,
        sample_rate=rate,
    )


def _components(method: Method, low: float, high: float) -> FloatArray:
    """Frequencies of both tones and of their products."""
    if method == "smpte":
        return np.array([low, high, high - low, high + low, high - 2 * low, high + 2 * low])
    return np.array([low, high, high - low, 2 * low - high, 2 * high - low])


def _check_apart(hz: FloatArray, frames: int, rate: float) -> None:
    """Raise `InvalidArgument` if components are too close to each other, to 0 Hz or to Nyquist."""
    ends = np.sort(np.concatenate([[0.0, rate / 2], hz]))
    names = ", ".join(f"{f:.9g}" for f in hz)
    if hz.min() <= 0.0 or hz.max() >= rate / 2:
        raise InvalidArgument(
            f"intermodulation: a product is out of range (got {names} Hz, allowed above 0 and below "
            f"{rate / 2:.9g} Hz). Use other tones or a higher sample rate."
        )
    gap = float(np.diff(ends).min())
    if gap < 1e-9 * rate:
        raise InvalidArgument(
            f"intermodulation: a product falls on another component (got {names} Hz, allowed all different). "
            "Use other tones."
        )
    needed = int(np.ceil(sine_fit.PERIODS * rate / gap))
    arguments.long_enough("intermodulation", frames, needed, f"to resolve components {gap:.6g} Hz apart")
