"""Signals to feed into an `input` node, each of shape (1, channels, frames).

All of them refuse `frames` and `channels` that are not whole numbers from 1 up with `GraphError`.
"""

from __future__ import annotations

import math

import numpy as np

from amp_lab import checks
from amp_lab.analysis.signals import FloatArray
from amp_lab.errors import InvalidArgument


def silence(frames: int, *, channels: int = 1) -> FloatArray:
    """Zeros."""
    _check_size("silence", frames, channels)
    return np.zeros((1, channels, frames))


def impulse(frames: int, *, channels: int = 1, at_frame: int = 0, amplitude: float = 1.0) -> FloatArray:
    """One sample of `amplitude` at `at_frame`, zeros elsewhere.

    Raises
    ------
    InvalidArgument
        If `at_frame` is outside the signal.
    """
    _check_size("impulse", frames, channels)
    if not 0 <= at_frame < frames:
        raise InvalidArgument(
            f"impulse.at_frame: out of range (got {at_frame}, allowed 0 to {frames - 1}). "
            "Use more frames or an earlier one."
        )
    x = silence(frames, channels=channels)
    x[..., at_frame] = amplitude
    return x


def tone(
    frames: int,
    sample_rate: float,
    frequency_hz: float,
    *,
    channels: int = 1,
    amplitude: float = 1.0,
    phase_rad: float = 0.0,
) -> FloatArray:
    """Sine of the given peak amplitude."""
    _check_size("tone", frames, channels)
    cycles = np.arange(frames) * (frequency_hz / sample_rate)
    return _spread(amplitude * np.sin(2.0 * np.pi * np.mod(cycles, 1.0) + phase_rad), channels)


def two_tone(
    frames: int,
    sample_rate: float,
    low_hz: float = 19_000.0,
    high_hz: float = 20_000.0,
    *,
    channels: int = 1,
    amplitude: float = 1.0,
) -> FloatArray:
    """Two sines of equal level whose sum peaks at `amplitude` (CCIF twin tone by default)."""
    low = tone(frames, sample_rate, low_hz, channels=channels, amplitude=amplitude / 2)
    return low + tone(frames, sample_rate, high_hz, channels=channels, amplitude=amplitude / 2)


def sweep(
    frames: int,
    sample_rate: float,
    start_hz: float = 20.0,
    stop_hz: float = 20_000.0,
    *,
    channels: int = 1,
    amplitude: float = 0.5,
) -> FloatArray:
    """Exponential sine sweep from `start_hz` at the first frame to `stop_hz` after the last.

    Source: A. Farina, "Simultaneous measurement of impulse response and distortion with a
    swept-sine technique", AES 108th Convention, 2000.

    Raises
    ------
    InvalidArgument
        Unless 0 < start_hz < stop_hz <= sample_rate / 2.
    """
    _check_size("sweep", frames, channels)
    if not 0.0 < start_hz < stop_hz <= sample_rate / 2:
        raise InvalidArgument(
            f"sweep.stop_hz: out of range (got {start_hz:g} to {stop_hz:g} Hz, allowed rising "
            f"frequencies above 0 up to {sample_rate / 2:g} Hz). Use a start below the stop."
        )
    seconds = frames / sample_rate
    rate = math.log(stop_hz / start_hz) / seconds
    t = np.arange(frames) / sample_rate
    return _spread(amplitude * np.sin(2.0 * np.pi * start_hz / rate * np.expm1(rate * t)), channels)


def noise(
    frames: int, *, channels: int = 1, rms: float = 0.1, seed: int = 0, gaussian: bool = True
) -> FloatArray:
    """White noise of the given expected RMS; channels are independent, equal seeds equal bits."""
    _check_size("noise", frames, channels)
    rng = np.random.Generator(np.random.Philox(seed))
    shape = (1, channels, frames)
    if gaussian:
        return rms * rng.standard_normal(shape)
    return rms * math.sqrt(3.0) * rng.uniform(-1.0, 1.0, shape)


def _check_size(where: str, frames: int, channels: int) -> None:
    checks.whole(f"{where}.frames", frames, 1, checks.LONGEST)
    checks.whole(f"{where}.channels", channels, 1)


def _spread(mono: FloatArray, channels: int) -> FloatArray:
    return np.tile(mono, (1, channels, 1))
