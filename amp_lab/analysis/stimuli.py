"""Signals to feed into an `input` node, each of shape (1, channels, frames).

All of them refuse `frames` and `channels` that are not whole numbers from 1 up with `GraphError`, and
frequencies, sample rates and sizes that are no numbers or out of range with `InvalidArgument`.
"""

from __future__ import annotations

import math

import numpy as np

from amp_lab.analysis import arguments
from amp_lab.analysis.signals import FloatArray
from amp_lab.common import checks
from amp_lab.errors import InvalidArgument


def silence(frames: int, *, channels: int = 1) -> FloatArray:
    """Zeros.

    Examples
    --------
    >>> amp.measure.silence(4, channels=2)
    array([[[0., 0., 0., 0.],
            [0., 0., 0., 0.]]])
    """
    _check_size("silence", frames, channels)
    return np.zeros((1, channels, frames))


def impulse(frames: int, *, channels: int = 1, at_frame: int = 0, amplitude: float = 1.0) -> FloatArray:
    """One sample of `amplitude` at `at_frame`, zeros elsewhere.

    Raises
    ------
    InvalidArgument
        If `at_frame` is outside the signal.

    Examples
    --------
    >>> amp.measure.impulse(5, at_frame=2)
    array([[[0., 0., 1., 0., 0.]]])
    """
    _check_size("impulse", frames, channels)
    cure = "Use more frames or an earlier one."
    at_frame = arguments.whole("impulse.at_frame", at_frame, 0, frames - 1, cure)
    amplitude = _size("impulse.amplitude", amplitude)
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
    """Sine of the given peak amplitude, from 0 Hz to sample_rate / 2.

    Raises
    ------
    InvalidArgument
        If a frequency, rate, amplitude or phase is no finite number or out of range.

    Examples
    --------
    >>> amp.measure.tone(4, 48_000.0, 12_000.0, amplitude=0.5).round(9) + 0.0
    array([[[ 0. ,  0.5,  0. , -0.5]]])
    """
    _check_size("tone", frames, channels)
    sample_rate = arguments.sample_rate("tone", sample_rate)
    frequency_hz = arguments.frequency("tone.frequency_hz", frequency_hz, sample_rate)
    amplitude = _size("tone.amplitude", amplitude)
    phase_rad = arguments.real("tone.phase_rad", phase_rad, "an angle in radians", "Give a float.")
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
    ratio: float = 1.0,
) -> FloatArray:
    """Two sines whose sum peaks at `amplitude`, the low one `ratio` times the high one.

    By default the twin tone of the difference-frequency method (CCIF); that of SMPTE RP 120 is 60 Hz and
    7 kHz at a ratio of 4.

    Raises
    ------
    InvalidArgument
        If a frequency, rate, amplitude or ratio is no finite number or out of range.

    Examples
    --------
    >>> x = amp.measure.two_tone(48_000, 48_000.0, 60.0, 7000.0, ratio=4.0)
    >>> x.shape, x.max().round(2).item()
    ((1, 1, 48000), 1.0)
    """
    _check_size("two_tone", frames, channels)
    sample_rate = arguments.sample_rate("two_tone", sample_rate)
    low_hz = arguments.frequency("two_tone.low_hz", low_hz, sample_rate)
    high_hz = arguments.frequency("two_tone.high_hz", high_hz, sample_rate)
    amplitude = _size("two_tone.amplitude", amplitude)
    ratio = arguments.within("two_tone.ratio", ratio, 1e-9, 1e9, "", "Give low over high, 4 for SMPTE.")
    high = amplitude / (1.0 + ratio)
    low = tone(frames, sample_rate, low_hz, channels=channels, amplitude=amplitude - high)
    return low + tone(frames, sample_rate, high_hz, channels=channels, amplitude=high)


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

    Examples
    --------
    >>> x = amp.measure.sweep(48_000, 48_000.0, 20.0, 20_000.0)
    >>> x.shape, x.max().round(3).item()
    ((1, 1, 48000), 0.5)
    >>> amp.measure.sweep(48_000, 48_000.0, 20.0, 30_000.0)
    Traceback (most recent call last):
        ...
    amp_lab.errors.InvalidArgument: sweep.stop_hz: out of range (got 20 to 30000 Hz, allowed rising
        frequencies above 0 up to 24000 Hz). Use a start below the stop.
    """
    _check_size("sweep", frames, channels)
    sample_rate = arguments.sample_rate("sweep", sample_rate)
    cure = "Use a start below the stop."
    start_hz = arguments.real("sweep.start_hz", start_hz, "above 0 Hz", cure)
    stop_hz = arguments.real("sweep.stop_hz", stop_hz, f"up to {sample_rate / 2:g} Hz", cure)
    amplitude = _size("sweep.amplitude", amplitude)
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
    """White noise of the given expected RMS; channels are independent, equal seeds equal bits.

    Examples
    --------
    >>> x = amp.measure.noise(48_000, rms=0.1, seed=7)
    >>> x.std().round(3).item(), np.array_equal(x, amp.measure.noise(48_000, rms=0.1, seed=7))
    (0.1, True)
    """
    _check_size("noise", frames, channels)
    rms = _size("noise.rms", rms)
    seed = arguments.whole("noise.seed", seed, 0, (1 << 128) - 1, "Equal seeds give equal bits.")
    gaussian = checks.flag("noise.gaussian", gaussian)
    rng = np.random.Generator(np.random.Philox(seed))
    shape = (1, channels, frames)
    if gaussian:
        return rms * rng.standard_normal(shape)
    return rms * math.sqrt(3.0) * rng.uniform(-1.0, 1.0, shape)


def _size(where: str, value: float) -> float:
    return arguments.real(where, value, "a finite number", "Give a float, 1.0 for full scale.")


def _check_size(where: str, frames: int, channels: int) -> None:
    checks.whole(f"{where}.frames", frames, 1, checks.LONGEST)
    checks.whole(f"{where}.channels", channels, 1)


def _spread(mono: FloatArray, channels: int) -> FloatArray:
    return np.tile(mono, (1, channels, 1))
