"""Noise of equipment: idle channel noise and dynamic range after AES17."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, sine_fit, weighting
from amp_lab.analysis.arguments import Band
from amp_lab.analysis.distortion import AES17_BAND, Measured, rows_and_band, tone_frequency
from amp_lab.analysis.frequency_search import search
from amp_lab.analysis.records import Record, size, span
from amp_lab.analysis.signals import FloatArray
from amp_lab.analysis.weighting import Weighting
from amp_lab.common import checks
from amp_lab.errors import InvalidArgument

AES17_TONE_HZ = 997.0


@dataclass(frozen=True, eq=False, repr=False)
class NoiseLevel(Record):
    """Weighted level of noise and distortion, per (batch, channel).

    Attributes
    ----------
    noise_db : RMS of all but the tone and the offset, weighted, within the band; 0 dB is a full-scale sine
    tone_db : level of the tone, NaN for idle channel noise
    weighting : "ccir_rms", "a" or "none"
    full_scale : amplitude of the full-scale sine
    band_hz : lowest and highest frequency that counts
    frames, sample_rate : of the signal

    Examples
    --------
    >>> x = amp.measure.tone(48_000, 48_000.0, 997.0, amplitude=0.001) + amp.measure.noise(48_000, rms=1e-5)
    >>> found = amp.measure.dynamic_range(x, 48_000.0)
    >>> found.dynamic_range_db.round(1), found.tone_db.round(1)
    (array([[96.1]]), array([[-60.]]))
    >>> sorted(found.to_dict()["units"])
    ['band_hz', 'dynamic_range_db', 'noise_db', 'sample_rate', 'tone_db']
    """

    _units: ClassVar = {
        "noise_db": "dBFS",
        "tone_db": "dBFS",
        "dynamic_range_db": "dB",
        "band_hz": "Hz",
        "sample_rate": "Hz",
    }
    noise_db: FloatArray
    tone_db: FloatArray
    weighting: Weighting
    full_scale: float
    band_hz: Band
    frames: int
    sample_rate: float

    @property
    def dynamic_range_db(self) -> FloatArray:
        """Full scale over noise: dynamic range with a tone, signal-to-noise ratio of an idle channel."""
        return -self.noise_db

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON values, with the dynamic range and ``units``."""
        return super().to_dict() | {"dynamic_range_db": self.dynamic_range_db.tolist()}

    def __repr__(self) -> str:
        """One line; several signals give ranges."""
        tone = "idle" if np.isnan(self.tone_db).all() else f"tone at {span(self.tone_db, 'dBFS')}"
        named = {"ccir_rms": "CCIR-RMS weighted", "a": "A-weighted", "none": "unweighted"}
        return (
            f"NoiseLevel(dynamic range {span(self.dynamic_range_db)}, {named[self.weighting]}, {tone}, "
            f"{self.band_hz[0]:.9g} to {self.band_hz[1]:.9g} Hz, "
            f"{size(np.shape(self.noise_db), self.frames, self.sample_rate)})"
        )


def dynamic_range(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    f0_hz: float | None = AES17_TONE_HZ,
    weighting: Weighting = "ccir_rms",
    full_scale: float = 1.0,
    band_hz: Band | None = AES17_BAND,
) -> NoiseLevel:
    """Dynamic range after AES17: full scale over the weighted noise and distortion beside a tone at -60 dBFS.

    The tone, 997 Hz at -60 dBFS, keeps noise gates open and converters running; it is removed by a fit. Its
    measured level is in the result, so that a missing tone is noticed.

    Parameters
    ----------
    x
        Output of the equipment, eight periods of the tone or more.
    sample_rate
        Hz.
    f0_hz
        Frequency of the tone; None searches it in each signal.
    weighting
        "ccir_rms" (ITU-R BS.468-4 with 0 dB at 2 kHz, read as RMS; what AES17 asks for), "a"
        (IEC 61672-1) or "none".
    full_scale
        Amplitude of the sine that reads 0 dBFS.
    band_hz
        What counts, see `thd_n`.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or a signal is too short, silent, or not finite.

    Examples
    --------
    >>> x = amp.measure.tone(48_000, 48_000.0, 997.0, amplitude=0.001) + amp.measure.noise(48_000, rms=1e-5)
    >>> amp.measure.dynamic_range(x, 48_000.0)
    NoiseLevel(dynamic range 96.13 dB, CCIR-RMS weighted, tone at -60.00 dBFS, 20 to 20000 Hz, 48000 frames at
        48000 Hz)
    """
    found = rows_and_band("dynamic_range", x, sample_rate, band_hz)
    if f0_hz is not None:
        f0_hz = tone_frequency("dynamic_range.f0_hz", f0_hz, found)
    parts = []
    for values in found.rows.values:
        row = np.atleast_2d(values)
        hz = search("dynamic_range", values, found.rate, None).frequency_hz if f0_hz is None else f0_hz
        parts.append(sine_fit.fit(row, hz, found.rate))
    tone = np.concatenate([part.power[:, 0] for part in parts])
    sine_fit.not_silent("dynamic_range", tone)
    rest = np.concatenate([part.residual for part in parts])
    return _level("dynamic_range", found, rest, tone, weighting, full_scale)


def idle_noise(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    weighting: Weighting = "ccir_rms",
    full_scale: float = 1.0,
    band_hz: Band | None = AES17_BAND,
) -> NoiseLevel:
    """Idle channel noise after AES17: weighted level of an output whose input is silent; -inf for zeros.

    Parameters
    ----------
    x
        Output of the equipment.
    sample_rate
        Hz.
    weighting, full_scale, band_hz
        See `dynamic_range`.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or a signal is too short or not finite.

    Examples
    --------
    >>> amp.measure.idle_noise(amp.measure.noise(48_000, rms=1e-5), 48_000.0, weighting="a")
    NoiseLevel(dynamic range 99.83 dB, A-weighted, idle, 20 to 20000 Hz, 48000 frames at 48000 Hz)
    """
    found = rows_and_band("idle_noise", x, sample_rate, band_hz)
    rest = found.rows.values - found.rows.values.mean(axis=-1, keepdims=True)
    silent = np.full(rest.shape[0], np.nan)
    return _level("idle_noise", found, rest, silent, weighting, full_scale)


def _level(
    where: str, found: Measured, rest: FloatArray, tone: FloatArray, name: Weighting, full_scale: float
) -> NoiseLevel:
    checks.choice(f"{where}.weighting", name, weighting.NAMES, "weighting", InvalidArgument)
    cure = "Give the amplitude of a full-scale sine."
    full_scale = arguments.within(f"{where}.full_scale", full_scale, 1e-300, 1e300, "", cure)
    needed = int(np.ceil(2 * sine_fit.PERIODS * found.rate / found.band[1]))
    arguments.long_enough(where, found.frames, needed, f"to read a band up to {found.band[1]:.6g} Hz")
    power = sine_fit.band_power(rest, found.rate, found.band, lambda hz: weighting.magnitude(name, hz))
    full_db = 20.0 * np.log10(full_scale)
    return NoiseLevel(
        noise_db=found.rows.level_db(power) - full_db,
        tone_db=found.rows.level_db(tone) - full_db,
        weighting=name,
        full_scale=full_scale,
        band_hz=found.band,
        frames=found.frames,
        sample_rate=found.rate,
    )
