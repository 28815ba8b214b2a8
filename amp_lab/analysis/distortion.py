"""Distortion and noise of signals: THD+N, harmonics, SNR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, sine_fit
from amp_lab.analysis.arguments import Band
from amp_lab.analysis.frequency_search import search
from amp_lab.analysis.records import Record, size, span
from amp_lab.analysis.signals import FloatArray, power_decibels, require_finite, to_signal
from amp_lab.analysis.sine_fit import ScaledRows
from amp_lab.common.provided import provided
from amp_lab.errors import InvalidArgument, ShapeError

AES17_BAND: Band = (20.0, 20_000.0)
"""Band of AES17 in Hz, limited to half the sample rate."""
HIGHEST_ORDER = 200


@dataclass(frozen=True, eq=False, repr=False)
class Distortion(Record):
    """Distortion and noise beside a tone, per (batch, channel).

    Attributes
    ----------
    frequency_hz : of the tone, as given or found
    fundamental_db : level of the tone; a full-scale sine reads 0 dBFS
    thd_n_db : RMS of all but the tone and the offset, within the band, over the total (AES17)
    thd_db : RMS of the harmonics within the band over the tone (IEC 60268-3)
    snr_db : the tone over all but tone, harmonics and offset, within the band
    harmonics_db : (..., orders), level of each harmonic over the tone, NaN outside of the band
    orders : of the harmonics, 2 and up
    band_hz : lowest and highest frequency that counts
    notch_q : of the notch filter that the residual was read through, None for none
    frames, sample_rate : of the signal

    Examples
    --------
    >>> x = amp.measure.tone(9600, 48_000.0, 1000.0)
    >>> found = amp.measure.harmonic_distortion(x + 0.01 * x**3 + amp.measure.noise(9600, rms=1e-4), 48_000.0)
    >>> found
    Distortion(1000.000 Hz at 0.06 dBFS: THD+N -52.11 dB, THD -52.12 dB, SNR 77.64 dB, 20 to 20000 Hz, 9600
        frames at 48000 Hz)
    >>> found.harmonics_db[0, 0, 1].round(1).item(), found.sinad_db.round(1)
    (-52.1, array([[52.1]]))
    >>> found.plot().axes[0].get_xlabel()
    'order'
    """

    _units: ClassVar = {
        "frequency_hz": "Hz",
        "fundamental_db": "dBFS",
        "thd_n_db": "dB",
        "thd_db": "dB",
        "snr_db": "dB",
        "harmonics_db": "dB",
        "band_hz": "Hz",
        "sample_rate": "Hz",
    }
    frequency_hz: FloatArray
    fundamental_db: FloatArray
    thd_n_db: FloatArray
    thd_db: FloatArray
    snr_db: FloatArray
    harmonics_db: FloatArray
    orders: tuple[int, ...]
    band_hz: Band
    notch_q: float | None
    frames: int
    sample_rate: float

    @property
    def sinad_db(self) -> FloatArray:
        """Signal, noise and distortion over noise and distortion: -thd_n_db."""
        return -self.thd_n_db

    def plot(self, **options: Any) -> Any:
        """Draw the harmonics by order (`amp_lab.plots.harmonics`)."""
        return provided("Distortion.plot")(self, **options)

    def __repr__(self) -> str:
        """One line; several signals give ranges."""
        notch = "" if self.notch_q is None else f", notch of Q {self.notch_q:g}"
        return (
            f"Distortion({span(self.frequency_hz, 'Hz', 3)} at {span(self.fundamental_db, 'dBFS')}: "
            f"THD+N {span(self.thd_n_db)}, THD {span(self.thd_db)}, SNR {span(self.snr_db)}, "
            f"{self.band_hz[0]:.9g} to {self.band_hz[1]:.9g} Hz{notch}, "
            f"{size(np.shape(self.thd_n_db), self.frames, self.sample_rate)})"
        )


def snr(x: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """Signal-to-noise ratio in dB per (batch, channel): energy of `reference` over that of `x - reference`.

    Equal signals give infinity. Shape: that of `x` without its last axis.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> x = amp.measure.tone(480, 48_000.0, 1000.0)
    >>> amp.measure.snr(x * 1.001, x).round(2)
    array([[60.]])
    """
    signal, ideal = to_signal(x, "snr.x"), to_signal(reference, "snr.reference")
    if signal.shape != ideal.shape:
        raise ShapeError(
            f"snr.reference: wrong shape (got {ideal.shape}, allowed {signal.shape}). "
            "Cut both to the same frames."
        )
    require_finite(signal, "snr.x")
    require_finite(ideal, "snr.reference")
    peak = np.maximum(np.abs(signal).max(axis=-1), np.abs(ideal).max(axis=-1))
    exponent = -np.frexp(peak)[1][..., None] - 1
    scaled = np.ldexp(ideal, exponent)
    noise, power = _energy(np.ldexp(signal, exponent) - scaled), _energy(scaled)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(noise == 0.0, np.inf, power / noise)
    return power_decibels(ratio)[()]


def thd_n(
    x: npt.ArrayLike,
    f0_hz: float,
    sample_rate: float,
    *,
    band_hz: Band | None = AES17_BAND,
    notch_q: float | None = None,
) -> FloatArray:
    """THD+N in dB per (batch, channel): RMS of all but the fundamental and DC, over total RMS (AES17).

    The fundamental is removed by a least-squares fit of a sine at `f0_hz` (IEEE 1057, three
    parameters) weighted by a Blackman-Harris window, so `f0_hz` need not lie on a bin.

    Parameters
    ----------
    x
        Signals of eight periods or more.
    f0_hz
        Frequency of the tone; `find_frequency` finds it.
    sample_rate
        Hz.
    band_hz
        Band that is measured in Hz: by default 20 Hz to 20 kHz, like the low-pass filter of AES17 (flat to 20
        kHz, 60 dB down from 24 kHz; the edge here is steeper). None is 0 Hz to half the sample rate.
    notch_q
        Q of a notch filter through which the residual is read, as by an analyser that removes the tone with a
        notch; AES17 allows 1.2 to 3. At Q 1.2 it attenuates the second harmonic by 1.2 dB. None for no
        filter.

    Raises
    ------
    InvalidArgument
        If `f0_hz` is not between eight periods per signal and sample_rate / 2, or x is silent.

    Examples
    --------
    >>> x = amp.measure.tone(9600, 48_000.0, 1000.0) + 0.001 * amp.measure.tone(9600, 48_000.0, 3000.0)
    >>> amp.measure.thd_n(x, 1000.0, 48_000.0).round(2)
    array([[-60.]])
    """
    found = rows_and_band("thd_n", x, sample_rate, band_hz)
    f0_hz = tone_frequency("thd_n.f0_hz", f0_hz, found)
    gain = _notch("thd_n", f0_hz, notch_q)
    tone = sine_fit.fit(found.rows.values, f0_hz, found.rate)
    rest = sine_fit.band_power(tone.residual, found.rate, found.band, gain)
    total = tone.power[:, 0] + rest
    sine_fit.not_silent("thd_n", total)
    return found.rows.shaped(power_decibels(rest / total))


def harmonic_distortion(
    x: npt.ArrayLike,
    sample_rate: float,
    f0_hz: float | None = None,
    *,
    orders: int = 10,
    band_hz: Band | None = AES17_BAND,
    notch_q: float | None = None,
) -> Distortion:
    """THD+N, THD, harmonics and SNR of a tone, per (batch, channel).

    Harmonics up to the order `orders` are fitted together with the tone by least squares. Harmonics above the
    band or half the sample rate are left out; their aliases count as noise.

    Parameters
    ----------
    x
        Signals of eight periods or more.
    sample_rate
        Hz.
    f0_hz
        Frequency of the tone; None searches it in each signal (see `find_frequency`).
    orders
        Highest order, 2 to 200.
    band_hz, notch_q
        See `thd_n`.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, a signal is too short, silent, or not finite.

    Examples
    --------
    >>> x = np.clip(1.2 * amp.measure.tone(9600, 48_000.0, 1000.0), -1.0, 1.0)
    >>> amp.measure.harmonic_distortion(x, 48_000.0, orders=3)
    Distortion(1000.000 Hz at 0.86 dBFS: THD+N -22.72 dB, THD -23.77 dB, SNR 29.29 dB, 20 to 20000 Hz, 9600
        frames at 48000 Hz)
    """
    found = rows_and_band("harmonic_distortion", x, sample_rate, band_hz)
    arguments.whole(
        "harmonic_distortion.orders", orders, 2, HIGHEST_ORDER, "Give the highest order of a harmonic."
    )
    if f0_hz is not None:
        f0_hz = tone_frequency("harmonic_distortion.f0_hz", f0_hz, found)
        _notch("harmonic_distortion", f0_hz, notch_q)
    parts = [_one(np.atleast_2d(row), found, f0_hz, orders, notch_q) for row in found.rows.values]
    columns = [np.array(column) for column in zip(*parts, strict=True)]
    hz, fundamental, thd_n_db, thd_db, snr_db, harmonics = columns
    shaped = found.rows.shaped
    return Distortion(
        frequency_hz=shaped(hz),
        fundamental_db=found.rows.level_db(fundamental),
        thd_n_db=shaped(thd_n_db),
        thd_db=shaped(thd_db),
        snr_db=shaped(snr_db),
        harmonics_db=shaped(harmonics),
        orders=tuple(range(2, orders + 1)),
        band_hz=found.band,
        notch_q=notch_q,
        frames=found.frames,
        sample_rate=found.rate,
    )


def _one(
    row: FloatArray, found: Measured, f0_hz: float | None, orders: int, notch_q: float | None
) -> tuple[Any, ...]:
    """Frequency, power of the tone, THD+N, THD, SNR and harmonics of one row."""
    if f0_hz is None:
        f0_hz = search("harmonic_distortion", row[0], found.rate, None).frequency_hz
    gain = _notch("harmonic_distortion", f0_hz, notch_q)
    hz = f0_hz * np.arange(2.0, orders + 1.0)
    inside = hz <= found.band[1]
    tone = sine_fit.fit(row, f0_hz, found.rate)
    all_of_it = sine_fit.fit(row, np.append(f0_hz, hz[inside]), found.rate)
    fundamental = all_of_it.power[0, 0]
    rest = sine_fit.band_power(tone.residual, found.rate, found.band, gain)[0]
    noise = sine_fit.band_power(all_of_it.residual, found.rate, found.band, gain)[0]
    sine_fit.not_silent("harmonic_distortion", np.array([fundamental + rest]))
    harmonics = np.full(hz.size, np.nan)
    counted = all_of_it.power[0, 1:]
    if gain is not None:
        counted = counted * np.square(gain(hz[inside]))
    with np.errstate(divide="ignore"):
        harmonics[inside] = 10.0 * np.log10(counted / fundamental)
        ratios = 10.0 * np.log10([rest / (fundamental + rest), counted.sum() / fundamental])
        snr_db = -10.0 * np.log10(noise / fundamental)
    return f0_hz, fundamental, ratios[0], ratios[1], snr_db, harmonics


@dataclass(frozen=True)
class Measured:
    """Signals with the rate and the band they are measured at."""

    rows: ScaledRows
    rate: float
    band: Band

    @property
    def frames(self) -> int:
        """Length of the signals."""
        return int(self.rows.values.shape[-1])


def rows_and_band(where: str, x: npt.ArrayLike, sample_rate: float, band_hz: Band | None) -> Measured:
    """Check signals, rate and band of a measurement."""
    rate = arguments.sample_rate(where, sample_rate)
    return Measured(sine_fit.rows(x, where), rate, arguments.band(f"{where}.band_hz", band_hz, rate))


def tone_frequency(where: str, f0_hz: Any, found: Measured) -> float:
    """Return the frequency of a tone of eight periods or more.

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    low, high = sine_fit.PERIODS * found.rate / found.frames, found.rate / 2
    allowed = f"{low:g} to {high:g} Hz for {found.frames} frames"
    number = arguments.real(where, f0_hz, allowed, "Give the frequency of the tone in Hz.")
    if not low <= number < high:
        raise InvalidArgument(
            f"{where}: out of range (got {number:g} Hz, allowed {allowed}). "
            "Render longer or use a higher tone."
        )
    return number


def _notch(where: str, f0_hz: float, q: float | None) -> Callable[[FloatArray], FloatArray] | None:
    if q is None:
        return None
    q = arguments.within(f"{where}.notch_q", q, 0.1, 100.0, "", "AES17 has 1.2 to 3; None is no notch.")
    return sine_fit.notch(f0_hz, q)


def _energy(x: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...n,...n->...", x, x))
