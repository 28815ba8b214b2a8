"""Eight processes approve and check one folder of goldens, and every verdict is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [
        pytest.param(5.0, 1, id="5 s, swapped in one step"),
        pytest.param(5.0, 2, id="5 s, swapped in two steps"),
        pytest.param(60.0, 1, id="60 s, swapped in one step", marks=pytest.mark.long),
        pytest.param(60.0, 2, id="60 s, swapped in two steps", marks=pytest.mark.long),
    ],
)
def test_verdicts_are_right_while_other_processes_approve(seconds: float, steps: int) -> None:
    """Nothing is damaged or missing, nothing raises, every case that is read was approved."""
    command = [sys.executable, "-P", Path(__file__).with_name("golden_storm.py"), str(seconds), str(steps)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(found)
    counts = found["counts"]
    assert found["false"] == [] and found["left"] == []
    assert min(counts[act] for act in ("store", "store_louder", "update", "check", "verify", "load")) > 0
    assert counts["passed"] > 0 and counts["value"] > 0
