"""Stimuli and exact frequencies refuse what they cannot make; two tones have the requested ratio."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from amp_lab import measure
from amp_lab.errors import InvalidArgument

RATE = 48_000.0
BAD_HZ = [-1.0, 24_001.0, math.nan, math.inf, "440", None, True, 440j]


@pytest.mark.parametrize("hz", BAD_HZ)
@pytest.mark.parametrize(
    "build",
    [
        lambda hz: measure.tone(64, RATE, hz),
        lambda hz: measure.two_tone(64, RATE, hz, 1_000.0),
        lambda hz: measure.two_tone(64, RATE, 1_000.0, hz),
        lambda hz: measure.exact_frequency(hz, RATE),
    ],
)
def test_a_frequency_lies_between_0_and_half_the_sample_rate(build: Any, hz: Any) -> None:
    """A tone above it would be another tone."""
    with pytest.raises(InvalidArgument, match=r"_hz: .*allowed 0 to 24000 Hz\)"):
        build(hz)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, "48000", 1e8])
@pytest.mark.parametrize(
    "build",
    [
        lambda rate: measure.tone(64, rate, 440.0),
        lambda rate: measure.two_tone(64, rate),
        lambda rate: measure.sweep(64, rate),
        lambda rate: measure.exact_frequency(440.0, rate),
        lambda rate: measure.alias_energy(np.ones(64), 440.0, rate),
    ],
)
def test_a_sample_rate_is_1_hz_to_10_mhz(build: Any, rate: Any) -> None:
    """Everything else is refused with the range."""
    with pytest.raises(InvalidArgument, match=r"\.sample_rate: .*allowed 1 to 10000000 Hz\)"):
        build(rate)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: measure.tone(64, RATE, 440.0, amplitude=math.nan), "tone.amplitude: not a number"),
        (lambda: measure.tone(64, RATE, 440.0, phase_rad="pi"), "tone.phase_rad: not a number"),  # type: ignore[arg-type]
        (lambda: measure.two_tone(64, RATE, ratio=0.0), "two_tone.ratio: out of range"),
        (lambda: measure.sweep(64, RATE, "20", 20_000.0), "sweep.start_hz: not a number"),  # type: ignore[arg-type]
        (lambda: measure.sweep(64, RATE, 100.0, 50.0), "sweep.stop_hz: out of range"),
        (lambda: measure.impulse(64, at_frame=64), "impulse.at_frame: not allowed .*from 0 to 63"),
        (lambda: measure.impulse(64, at_frame=1.5), "impulse.at_frame: not allowed"),  # type: ignore[arg-type]
        (lambda: measure.impulse(64, amplitude=math.inf), "impulse.amplitude: not a number"),
        (lambda: measure.noise(64, rms="loud"), "noise.rms: not a number"),  # type: ignore[arg-type]
        (lambda: measure.noise(64, seed=-1), "noise.seed: not allowed"),
        (lambda: measure.exact_frequency(440.0, RATE, 2), "exact_frequency.frames: not allowed"),
        (lambda: measure.alias_energy(np.ones(64), "x", RATE), "alias_energy.f0_hz: not a number"),  # type: ignore[arg-type]
        (lambda: measure.alias_energy(np.ones(64), 750.0, RATE, limit_hz=-1.0), "alias_energy.limit_hz"),
    ],
)
def test_what_a_stimulus_is_asked_is_checked(call: Any, said: str) -> None:
    """Place, value, range and cure."""
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_exact_frequencies_stay_below_nyquist() -> None:
    """The nearest coprime bin is searched up to half the sample rate only."""
    for frames in (3, 4, 10, 1 << 18):
        hz, k = measure.exact_frequency(24_000.0, RATE, frames)
        assert 1 <= k <= frames // 2 and math.gcd(k, frames) == 1 and hz == k * RATE / frames


def test_two_tones_have_the_ratio() -> None:
    """SMPTE: the low tone has four times the amplitude, and the sum has the requested peak."""
    x = measure.two_tone(48_000, RATE, 60.0, 7_000.0, ratio=4.0, amplitude=0.5)[0, 0]
    low, high = (
        2 * abs(np.mean(x * np.exp(-2j * np.pi * f / RATE * np.arange(x.size)))) for f in (60, 7_000)
    )
    assert (low, high) == pytest.approx((0.4, 0.1), abs=1e-9)
    assert np.abs(x).max() <= 0.5
