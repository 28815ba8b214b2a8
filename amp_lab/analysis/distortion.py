"""What a signal contains beside what it should."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.signal import get_window

from amp_lab.analysis.signals import FloatArray, power_decibels, require_finite, to_signal
from amp_lab.errors import InvalidArgument, ShapeError

_BIN_TOLERANCE = 1e-6
"""How far, in bins, a frequency may lie from a bin centre and still count as exact."""


def snr(x: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """Signal-to-noise ratio in dB per (batch, channel): energy of `reference` over that of `x - reference`.

    Equal signals give infinity. Shape: that of `x` without its last axis.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    signal, ideal = to_signal(x, "snr.x"), to_signal(reference, "snr.reference")
    if signal.shape != ideal.shape:
        raise ShapeError(
            f"snr.reference: wrong shape (got {ideal.shape}, allowed {signal.shape}). "
            "Cut both to the same frames."
        )
    require_finite(signal, "snr.x")
    require_finite(ideal, "snr.reference")
    noise, power = _energy(signal - ideal), _energy(ideal)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(noise == 0.0, np.inf, power / noise)
    return _scalar(power_decibels(ratio))


def thd_n(x: npt.ArrayLike, f0_hz: float, sample_rate: float) -> FloatArray:
    """THD+N in dB per (batch, channel): RMS of all but the fundamental and DC, over total RMS.

    The fundamental is removed by a least-squares fit of a sine at `f0_hz` (IEEE 1057, three
    parameters) weighted by a Blackman-Harris window, so `f0_hz` need not lie on a bin; the ratio
    is that of AES17. Signals should hold eight periods or more.

    Raises
    ------
    InvalidArgument
        If `f0_hz` is not between eight periods per signal and sample_rate / 2, or x is silent.
    """
    signal = to_signal(x, "thd_n")
    require_finite(signal, "thd_n")
    frames = signal.shape[-1]
    low, high = 8.0 * sample_rate / frames, sample_rate / 2
    if not low <= f0_hz < high:
        raise InvalidArgument(
            f"thd_n.f0_hz: out of range (got {f0_hz:g} Hz, allowed {low:g} to {high:g} Hz for "
            f"{frames} frames). Render longer or use a higher tone."
        )
    weight = get_window("blackmanharris", frames)
    weight /= weight.sum()
    angle = 2.0 * np.pi * np.mod(np.arange(frames) * (f0_hz / sample_rate), 1.0)
    basis = np.stack([np.ones(frames), np.cos(angle), np.sin(angle)])
    fitted = np.linalg.solve((basis * weight) @ basis.T, (basis * weight) @ signal[..., None])
    alternating = signal - fitted[..., 0, :]
    residual = signal - np.squeeze(np.swapaxes(fitted, -1, -2) @ basis, -2)
    total = (weight * alternating**2).sum(axis=-1)
    if not total.all():
        raise InvalidArgument("thd_n: silent signal (got RMS 0, allowed above 0). Feed in a tone.")
    return _scalar(power_decibels((weight * residual**2).sum(axis=-1) / total))


def exact_frequency(frequency_hz: float, sample_rate: float, frames: int = 1 << 18) -> tuple[float, int]:
    """Nearest f0 = k * sample_rate / frames with k coprime to `frames`, and that k."""
    middle = frequency_hz * frames / sample_rate
    around = range(max(1, math.floor(middle) - 64), math.ceil(middle) + 65)
    coprime = [k for k in around if math.gcd(k, frames) == 1]
    k = min(coprime, key=lambda candidate: abs(candidate - middle))
    return k * sample_rate / frames, k


def alias_energy(
    x: npt.ArrayLike, f0_hz: float, sample_rate: float, *, limit_hz: float = 15_000.0
) -> FloatArray:
    """Energy below `limit_hz` that is no harmonic of `f0_hz`, over the total, in dB.

    Rectangular FFT over all N frames. With f0 = k * fs / N and k coprime to N, harmonics fall on
    the bins that are multiples of k and no alias ever does; every other bin, DC apart, is alias.
    Usual choice: N = 2^18 and k odd. Shape: that of `x` without its last axis.

    Raises
    ------
    InvalidArgument
        If `f0_hz` is not such a frequency (the message names the nearest), or x is silent.
    """
    signal = to_signal(x, "alias_energy")
    require_finite(signal, "alias_energy")
    frames = signal.shape[-1]
    k = _exact_bin(f0_hz, sample_rate, frames)
    power = np.abs(np.fft.rfft(signal)) ** 2
    power[..., 0] = 0.0
    total = power.sum(axis=-1)
    if not total.all():
        raise InvalidArgument(
            "alias_energy: silent signal (got energy 0, allowed above 0). Render the oscillator."
        )
    bins = np.arange(power.shape[-1])
    alias = (bins % k != 0) & (bins * (sample_rate / frames) < limit_hz)
    return _scalar(power_decibels(power[..., alias].sum(axis=-1) / total))


def _exact_bin(f0_hz: float, sample_rate: float, frames: int) -> int:
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


def _energy(x: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...n,...n->...", x, x))


def _scalar(x: FloatArray) -> FloatArray:
    """Unwrap a 0-d array, so a 1-D signal gives a plain number."""
    return x[()]
