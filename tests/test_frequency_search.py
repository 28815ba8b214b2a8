"""The frequency search finds the strongest tone and returns its uncertainty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amp_lab import measure
from amp_lab.errors import InvalidArgument

RATE = 48_000.0


@given(
    periods=st.floats(9.0, 1_900.0),
    amplitude=st.floats(1e-6, 1e3),
    phase=st.floats(-3.1, 3.1),
    offset=st.floats(-2.0, 2.0),
)
@settings(max_examples=40, deadline=None)
def test_a_clean_tone_is_found_to_rounding(
    periods: float, amplitude: float, phase: float, offset: float
) -> None:
    """Frequency, level and phase, anywhere between bins and with any offset."""
    frames = 4_000
    f0 = periods * RATE / frames
    x = amplitude * (np.cos(2 * np.pi * f0 / RATE * np.arange(frames) + phase) + offset)
    found = measure.find_frequency(x, RATE)
    assert found.frequency_hz == pytest.approx(f0, abs=1e-6)
    assert found.level_db == pytest.approx(20 * math.log10(amplitude), abs=1e-6)
    assert math.remainder(float(found.phase_rad) - phase, 2 * np.pi) == pytest.approx(0.0, abs=1e-6)


def test_the_uncertainty_is_that_of_a_thousand_noises() -> None:
    """The scatter of the estimates is the uncertainty they state, 2.2 times the Cramer-Rao bound."""
    rng = np.random.default_rng(7)
    frames, f0, sigma = 1_000, 3_456.78, 0.3
    tone = np.sin(2 * np.pi * f0 / RATE * np.arange(frames))
    found = measure.find_frequency(tone + sigma * rng.standard_normal((1_000, 1, frames)), RATE)
    scatter = float(np.sqrt(np.mean((found.frequency_hz - f0) ** 2)))
    assert scatter == pytest.approx(float(np.mean(found.uncertainty_hz)), rel=0.1)
    bound = math.sqrt(24 * sigma**2 / (frames * (frames**2 - 1))) * RATE / (2 * np.pi)
    assert np.mean(found.cramer_rao_hz) == pytest.approx(bound, rel=0.02)
    assert np.mean(found.uncertainty_hz) == pytest.approx(2.16 * bound, rel=0.02)
    assert np.mean(found.rest_db) == pytest.approx(10 * math.log10(2 * sigma**2), abs=0.1)


def test_harmonics_and_hum_do_not_move_it() -> None:
    """Components as strong as half the tone, eight periods away and more: less than a thousandth of a bin."""
    n = np.arange(9_600)
    x = sum(a * np.sin(2 * np.pi * f / RATE * n + f) for f, a in ((50.0, 0.5), (997.3, 1.0), (1_994.6, 0.5)))
    assert measure.find_frequency(np.asarray(x), RATE).frequency_hz == pytest.approx(997.3, abs=5e-3)


def test_the_band_chooses_the_tone() -> None:
    """The weaker of two tones is found if only its range is searched."""
    n = np.arange(9_600)
    x = np.sin(2 * np.pi * 1_000.0 / RATE * n) + 0.1 * np.sin(2 * np.pi * 5_000.0 / RATE * n)
    assert measure.find_frequency(x, RATE).frequency_hz == pytest.approx(1_000.0, abs=1e-3)
    found = measure.find_frequency(x, RATE, band_hz=(3_000.0, 8_000.0))
    assert found.frequency_hz == pytest.approx(5_000.0, abs=1e-3)
    assert found.band_hz == (3_000.0, 8_000.0)


def test_each_channel_has_its_own() -> None:
    """Shapes are those of the signal, and the line gives ranges."""
    n = np.arange(4_800)
    x = np.stack([np.sin(2 * np.pi * f / RATE * n) for f in (500.0, 700.0)])
    found = measure.find_frequency(x, RATE)
    assert found.frequency_hz == pytest.approx([500.0, 700.0], abs=1e-6)
    assert np.array_equal(measure.find_frequency(x[::-1], RATE).frequency_hz, found.frequency_hz[::-1])
    assert repr(found).startswith("FoundFrequency(500.000000 to 700.000000 Hz +- ")
    assert "2 signals of 4800 frames at 48000 Hz" in repr(found)
    assert found.to_dict()["units"]["uncertainty_hz"] == "Hz"


@pytest.mark.parametrize(
    ("frames", "option", "said"),
    [
        (16, {}, "too short .*to resolve a tone"),
        (4_800, {"band_hz": (20.0, 60.0)}, "too short .*got 4800 frames, allowed 12800 and more"),
        (4_800, {"band_hz": (2_000.0, 3_000.0)}, "no tone "),
        (4_800, {"band_hz": (2_000.0, "x")}, "band_hz: not a number"),
        (4_800, {"band_hz": (-1.0, 3_000.0)}, "band_hz: out of range"),
    ],
)
def test_where_nothing_can_be_found_the_reason_is_given(frames: int, option: Any, said: str) -> None:
    """Too short for the band, or rising to its edge."""
    x = np.sin(2 * np.pi * 1_000.0 / RATE * np.arange(frames))
    with pytest.raises(InvalidArgument, match=said):
        measure.find_frequency(x, RATE, **option)


def test_silence_has_no_frequency() -> None:
    """Nor has an offset."""
    for x in (np.zeros(4_800), np.ones(4_800)):
        with pytest.raises(InvalidArgument, match="silent signal"):
            measure.find_frequency(x, RATE)
