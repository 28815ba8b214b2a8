"""Aliasing: energy at frequencies that are not harmonics of the fundamental."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, sine_fit
from amp_lab.analysis.signals import FloatArray, power_decibels
from amp_lab.errors import InvalidArgument

_BIN_TOLERANCE = 1e-6
"""How far, in bins, a frequency may lie from a bin centre and still count as exact."""


def exact_frequency(frequency_hz: float, sample_rate: float, frames: int = 1 << 18) -> tuple[float, int]:
    """Return the nearest f0 = k * sample_rate / frames (Hz) with k coprime to `frames`, and k.

    Raises
    ------
    InvalidArgument
        If the frequency is not within 0 Hz to sample_rate / 2, or `frames` is not 3 to 2^40.

    Examples
    --------
    >>> amp.measure.exact_frequency(1000.0, 48_000.0, frames=1 << 12)
    (996.09375, 85)
    """
    sample_rate = arguments.sample_rate("exact_frequency", sample_rate)
    frequency_hz = arguments.frequency("exact_frequency.frequency_hz", frequency_hz, sample_rate)
    cure = "Give the number of frames that will be rendered."
    frames = arguments.whole("exact_frequency.frames", frames, 3, 1 << 40, cure)
    middle = frequency_hz * frames / sample_rate
    around = range(max(1, math.floor(middle) - 64), min(frames // 2, math.ceil(middle) + 64) + 1)
    coprime = [k for k in around if math.gcd(k, frames) == 1]
    k = min(coprime, key=lambda candidate: abs(candidate - middle))
    return k * sample_rate / frames, k


def alias_energy(
    x: npt.ArrayLike, f0_hz: float, sample_rate: float, *, limit_hz: float = 15_000.0
) -> FloatArray:
    """Return the energy below `limit_hz` off the harmonics of `f0_hz`, over the total energy, in dB.

    Rectangular FFT over all N frames. With f0 = k * fs / N and k coprime to N, harmonics are the bins that
    are multiples of k, and no alias falls on one of them; every other bin except 0 Hz counts as alias. Usual
    choice: N = 2^18 and k odd. The result has the shape of `x` without its last axis.

    Raises
    ------
    InvalidArgument
        If `f0_hz` is not such a frequency (the message names the nearest), or x is silent.

    Examples
    --------
    >>> f0, k = amp.measure.exact_frequency(2500.0, 48_000.0, frames=1 << 12)
    >>> g = amp.Graph()
    >>> naive = g.oscillator(waveform="saw", frequency_hz=f0, quality="naive", name="naive")
    >>> blep4 = g.oscillator(waveform="saw", frequency_hz=f0, quality="blep4", name="blep4")
    >>> r = g.render(frames=1 << 12, taps=["naive", "blep4"])
    >>> [amp.measure.alias_energy(r.taps[q], f0, 48_000.0).round(1) for q in ("naive", "blep4")]
    [array([[-14.7]]), array([[-62.1]])]
    """
    sample_rate = arguments.sample_rate("alias_energy", sample_rate)
    cure = "Give the highest frequency that counts."
    limit_hz = arguments.within("alias_energy.limit_hz", limit_hz, 0.0, 1e7, "Hz", cure)
    rows = sine_fit.rows(x, "alias_energy")
    frames = int(rows.values.shape[-1])
    arguments.long_enough("alias_energy", frames, 3, "to distinguish aliases from harmonics")
    k = _exact_bin(f0_hz, sample_rate, frames)
    power = np.abs(np.fft.rfft(rows.values)) ** 2
    power[..., 0] = 0.0
    total = power.sum(axis=-1)
    if not total.all():
        raise InvalidArgument(
            "alias_energy: silent signal (got energy 0, allowed above 0). Render the oscillator."
        )
    bins = np.arange(power.shape[-1])
    alias = (bins % k != 0) & (bins * (sample_rate / frames) < limit_hz)
    return rows.shaped(power_decibels(power[..., alias].sum(axis=-1) / total))


def _exact_bin(f0_hz: float, sample_rate: float, frames: int) -> int:
    f0_hz = arguments.real("alias_energy.f0_hz", f0_hz, "a frequency", "Use exact_frequency.")
    position = f0_hz * frames / sample_rate
    k = round(position)
    if abs(position - k) <= _BIN_TOLERANCE and 1 < k <= frames / 2 and math.gcd(k, frames) == 1:
        return k
    nearest, cure = exact_frequency(min(max(f0_hz, 0.0), sample_rate / 2), sample_rate, frames)
    raise InvalidArgument(
        f"alias_energy.f0_hz: not an exact bin (got {f0_hz:.9g} Hz = bin {position:.6g} of {frames} "
        f"frames, allowed k * {sample_rate:g} / {frames} Hz with whole k > 1 coprime to {frames}). "
        f"Render {nearest!r} Hz (k = {cure}) instead."
    )
