"""The table of distortion and noise against closed forms, which the documentation shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

import distortion_cases


@pytest.mark.parametrize("rate", distortion_cases.RATES_HZ)
def test_every_case_reads_its_closed_form(rate: int) -> None:
    """At the four rates of the table, each within its tolerance."""
    found = list(distortion_cases.readings(rate))
    assert len(found) == 17
    assert [(r.case, r.quantity, r.expected, r.got) for r in found if not r.passed] == []


def test_the_page_shows_these_readings() -> None:
    """The committed table is the one that is made now."""
    for page, text in distortion_cases.texts().items():
        assert page.read_text(encoding="utf-8") == text
        assert "**fails**" not in text
