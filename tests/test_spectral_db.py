"""The comparator `spectral_db` measures every frequency from 0 Hz to Nyquist."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amp_lab.analysis.bands import band_edges, third_octaves
from amp_lab.golden.comparators import Comparison, compare

RATES = (44_100.0, 48_000.0, 96_000.0, 192_000.0)
Samples = npt.NDArray[np.float64]


def sine(frequency_hz: float, rate: float, frames: int) -> Samples:
    return np.sin(2 * np.pi * frequency_hz / rate * np.arange(frames) + 0.5)


def held(result: Samples, reference: Samples, rate: float = 96_000.0, **limits: float) -> Comparison:
    rule: dict[str, Any] = {"comparator": "spectral_db", "reason": "test", "sample_rate": rate}
    return compare(result, reference, **rule, **({"limit_db": 1.0} | limits))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frames", [999, 4_800, 48_000])
@pytest.mark.parametrize("place", [0.0, 0.0002, 0.01, 0.2, 0.4661, 0.5])
def test_a_tone_too_many_fails_at_every_frequency(rate: float, frames: int, place: float) -> None:
    """0 Hz (a +1.0 offset), 10 Hz, 1 kHz, 22 kHz, Nyquist: at every rate and length."""
    reference = 0.1 * sine(rate / 64, rate, frames)
    assert held(reference, reference, rate)
    verdict = held(reference + sine(place * rate, rate, frames), reference, rate)
    assert not verdict
    assert verdict.measured > 10.0


@pytest.mark.parametrize(
    ("added", "where"),
    [
        (np.ones(96_000), "from 0 to 17.783 Hz"),
        (sine(10.0, 96_000, 96_000), "from 0 to 17.783 Hz"),
        (sine(30_000.0, 96_000, 96_000), "in the 31623 Hz third octave"),
        (np.cos(np.pi * np.arange(96_000)), "from 44668 to 48000 Hz"),
    ],
    ids=["offset", "10 Hz", "30 kHz", "Nyquist"],
)
def test_the_failure_names_the_band_and_its_level(added: Samples, where: str) -> None:
    """The level is that of the band in dB RMS, so a unit offset reads 0 dB."""
    reference = 0.1 * sine(1_000.0, 96_000, 96_000)
    verdict = held(reference + added, reference)
    assert where in str(verdict)
    level = float(str(verdict).split("actual")[1].split(" dB")[0])
    assert level == pytest.approx(10 * math.log10(np.mean(added**2)), abs=0.01)


def test_one_sample_is_compared() -> None:
    """The window of a signal of one frame is not zero."""
    assert held(np.array([0.5]), np.array([0.5]))
    assert not held(np.array([0.5]), np.array([0.0]))
    assert not held(np.array([1.0]), np.array([0.5]))


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_levels_whose_squares_are_no_doubles_are_compared(size: float) -> None:
    """Twice as loud is 6 dB, however large or small the numbers are."""
    reference = size * sine(1_000.0, 96_000, 4_800)
    assert held(reference, reference)
    assert held(2 * reference, reference, limit_db=6.1)
    assert not held(2 * reference, reference, limit_db=6.0)


@given(
    frames=st.integers(1, 600),
    rate=st.sampled_from([8.0, 1_000.0, *RATES, 1e7]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_the_bands_hold_all_power_and_no_direction(frames: int, rate: float, seed: int) -> None:
    """Parseval: the sum over bands is the windowed mean square; the reversed signal has the same bands."""
    x = np.random.default_rng(seed).standard_normal((2, frames)) + 1.0
    taper = np.sin(np.pi * (np.arange(frames) + 0.5) / frames) ** 2
    edges, power = third_octaves(x, rate)
    assert edges[0] == 0.0 and edges[-1] == rate / 2 and (np.diff(edges) > 0).all()
    assert power.sum(axis=-1) == pytest.approx(
        np.sum((x * taper) ** 2, axis=-1) / np.sum(taper**2), rel=1e-12
    )
    assert third_octaves(x[:, ::-1], rate)[1] == pytest.approx(power, rel=1e-9, abs=1e-12 * power.max())


@pytest.mark.parametrize("rate", RATES)
def test_bands_are_the_third_octaves_of_iec_61260(rate: float) -> None:
    """Base ten, 1 kHz in the middle of one; the first edge is 17.8 Hz, below that is one band."""
    edges = band_edges(48_000, rate)
    assert edges[1] == pytest.approx(17.7828, abs=1e-4)
    assert np.diff(np.log10(edges[1:-1])) == pytest.approx(0.1, abs=1e-12)
    assert np.sqrt(edges[1:-2] * edges[2:-1]) == pytest.approx(
        1000.0 * 10.0 ** (np.arange(-17, -17 + edges.size - 3) / 10.0), rel=1e-12
    )
