"""The meters on the signals of their standards: ITU-R BS.1770-4, EBU Tech 3341, EBU Tech 3342."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import signal as sps

from amp_lab import measure
from amp_lab.lowlevel import meter

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))

import meter_cases  # noqa: E402

TABLE = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""Rec. ITU-R BS.1770-4, tables 1 and 2: b0, b1, b2, a1, a2 at 48 kHz."""


def response_db(filters: np.ndarray, frequency_hz: np.ndarray, rate: float) -> np.ndarray:
    parts = [sps.freqz(f[:3], [1.0, *f[3:]], frequency_hz, fs=rate)[1] for f in filters]
    return 20 * np.log10(np.abs(np.prod(parts, axis=0)))


@pytest.mark.parametrize(
    "rate",
    [44_100, pytest.param(48_000, marks=pytest.mark.long), pytest.param(96_000, marks=pytest.mark.long)],
)
def test_the_synthetic_signals_of_the_standards_read_what_they_shall(rate: int) -> None:
    """Every case within its tolerance; the documentation shows four rates, which the drift check compares."""
    found = list(meter_cases.readings(rate))
    assert [(r.case, r.quantity, r.got) for r in found if not r.passed] == []
    cases = {r.case for r in found}
    assert cases == {"BS.1770-4"} | {f"3341-{k}" for k in range(1, 24) if k not in (7, 8)} | {
        f"3342-{k}" for k in range(1, 5)
    }


def test_the_page_shows_no_case_that_fails() -> None:
    """The committed table has a row per case and none of them fails."""
    text = meter_cases.PAGE.read_text(encoding="utf-8")
    assert text.count("\n| 334") >= 30
    assert "**fails**" not in text


@pytest.mark.parametrize(
    "rate", [8_000.0, 11_025.0, 22_050.0, 44_100.0, 47_952.05, 88_200.0, 192_000.0, 384_000.0]
)
def test_a_full_scale_997_hz_sine_in_one_channel_reads_minus_3_01(rate: float) -> None:
    """At every rate, and at the shortest length that is measured."""
    for seconds in (0.4, 2.0):
        x = np.sin(2 * np.pi * 997.0 / rate * np.arange(int(seconds * rate + 0.5)))
        assert measure.loudness(x, rate) == pytest.approx(-3.01, abs=0.005)


def test_the_filters_at_48_khz_are_those_of_the_standard() -> None:
    """With the digits of its tables, and beyond."""
    assert np.abs(meter.k_weighting(48_000.0) - TABLE).max() < 1e-14


@pytest.mark.parametrize(
    ("rate", "apart_db"),
    [
        (8_000, 0.05),
        (11_025, 0.015),
        (16_000, 0.004),
        (22_050, 7e-4),
        (44_100, 1e-4),
        (96_000, 1e-4),
        (384_000, 1e-4),
    ],
)
def test_the_filters_have_the_response_of_48_khz_at_other_rates(rate: int, apart_db: float) -> None:
    """BS.1770-4: coefficients for other rates "should be chosen to provide the same frequency response"."""
    f = np.geomspace(10.0, min(20_000.0, 0.47 * rate), 500)
    apart = response_db(meter.k_weighting(float(rate)), f, rate) - response_db(TABLE, f, 48_000)
    assert np.abs(apart).max() < apart_db
