"""Weightings of noise over frequency: magnitudes, as measurements apply them to spectra."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from amp_lab.analysis.signals import FloatArray

Weighting: TypeAlias = Literal["ccir_rms", "a", "none"]
NAMES: tuple[str, ...] = get_args(Weighting)
_A_POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)


def a_weighting(hz: FloatArray) -> FloatArray:
    """Magnitude of the A weighting of IEC 61672-1, 1 at 1 kHz."""

    def raw(f: FloatArray) -> FloatArray:
        low, second, third, high = (p**2 for p in _A_POLES_HZ)
        square = np.asarray(f) ** 2
        poles = (square + low) * np.sqrt((square + second) * (square + third)) * (square + high)
        return np.asarray(square**2 / poles)

    return np.asarray(raw(hz) / raw(np.array(1000.0)))


def itu468(hz: FloatArray, unity_hz: float = 1000.0) -> FloatArray:
    """Magnitude of the weighting network of ITU-R BS.468-4, 1 at `unity_hz`."""

    def raw(f: FloatArray) -> FloatArray:
        f = np.asarray(f)
        real = (
            -4.737338981378384e-24 * f**6 + 2.043828333606125e-15 * f**4 - 1.363894795463638e-7 * f**2 + 1.0
        )
        imaginary = 1.306612257412824e-19 * f**5 - 2.118150887518656e-11 * f**3 + 5.559488023498642e-4 * f
        return np.asarray(1.246332637532143e-4 * f / np.hypot(real, imaginary))

    return np.asarray(raw(hz) / raw(np.array(unity_hz)))


def magnitude(name: str, hz: FloatArray) -> FloatArray:
    """Magnitude of a weighting by name.

    ``ccir_rms`` is the network of ITU-R BS.468-4 with 0 dB at 2 kHz instead of 1 kHz, read as RMS (AES17).
    """
    if name == "none":
        return np.ones_like(hz)
    return a_weighting(hz) if name == "a" else itu468(hz, 2000.0)
