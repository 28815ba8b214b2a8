"""Texts and bits do not depend on the process's locale: a host may have set a decimal comma."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMA = """comment_char %
escape_char /
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
"""
TEXTS = """
import ctypes, locale, sys
locale.setlocale(locale.LC_ALL, sys.argv[1])
import numpy as np
import amp_lab as amp

out = ctypes.create_string_buffer(16)
ctypes.CDLL(None).snprintf(out, 16, b"%g", ctypes.c_double(1.5))
assert out.value == (b"1.5" if sys.argv[1] == "C" else b"1,5"), out.value

g = amp.Graph(sample_rate=44_100.5, name="texts")
g.controls = amp.ControlHistory([amp.Curve.drawn("cut", [(0.25, 0.5), (0.75, 2.25)])])
flt = g.svf(g.input(samples=np.full((1, 64), 0.125), name="x"), q=1.5, name="flt")
g.modulate(g.controller(curve="cut"), flt.cutoff_hz, mode="multiply", offset=1.25, scale=0.4)
late = g.gain(gain=0.3, name="late")
g.connect(flt, late, delay_frames=2, tokens=[[[0.5, 0.0625]]])
g.output(late)
plan = g.compile()
r = g.render(frames=64, heat=True, trace=True)
print(plan.to_text(), plan.info, r, r.digest, r.heat, g.controls, amp.measure.summary(r))
print(g.to_json(), g.to_code())
with g.session(isolation="none") as s:
    for node, values in (("late", {"gain": 1e12}), ("flt", {"cutoff_hz": -0.5})):
        try:
            s.set(node, **values)
        except amp.AmpError as error:
            print(type(error).__name__, error)
    try:
        s.control("cut", [(0.5, 0.125)])
    except amp.AmpError as error:
        print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def comma(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment in which the locale ``comma`` writes 1.5 as 1,5: made here, as few machines have one."""
    if shutil.which("localedef") is None:
        pytest.skip("no localedef on this machine: the decimal comma is not tried")
    folder = tmp_path_factory.mktemp("locales")
    (folder / "comma.txt").write_text(COMMA)
    command = ["localedef", "-c", "-i", str(folder / "comma.txt"), str(folder / "comma")]
    subprocess.run(command, capture_output=True, check=False)  # 1: it warns of categories that are missing
    return {**os.environ, "LOCPATH": str(folder)}


def texts(environment: dict[str, str], name: str) -> str:
    """All texts of a graph in a process of that locale."""
    command = [sys.executable, "-P", "-c", TEXTS, name]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_decimal_comma_changes_no_text(comma: dict[str, str]) -> None:
    """Plan text and JSON, errors, code, bits: the same in a process whose C locale has a decimal comma."""
    plain = texts(comma, "C")
    assert all(words in plain for words in ("0.0625", "1.25", "44100.5", "InvalidArgument"))
    assert texts(comma, "comma") == plain


def test_a_golden_verdict_under_a_decimal_comma(comma: dict[str, str]) -> None:
    """The command line verifies a golden: Python itself takes no locale, so the script sets it."""
    root = Path(__file__).parents[1]
    script = (
        "import locale, sys; locale.setlocale(locale.LC_ALL, 'comma'); "
        "from amp_lab.cli import main; sys.exit(main(['golden', 'verify', 'three_osc']))"
    )
    command = [sys.executable, "-P", "-c", script]
    run = subprocess.run(command, env=comma, cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "three_osc: PASS exact" in run.stdout
