"""Names of cases: the same folder on every system, in every clone."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import amp_lab as amp
from amp_lab import golden


def bless(root: Path, name: Any, **options: Any) -> golden.Case:
    """Store a tone under a name."""
    g = amp.Graph(name="tone")
    g.output(g.sine(frequency_hz=440.0, name="sine"))
    render = g.render(frames=100, isolation="none")
    return golden.store(name, render, reason="r", graph=g, goldens=root, **options)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((name, "not usable as a folder") for name in ("", ".", "..", ".x", "_x", " x", "x ", "x.", "a/b")),
        *(
            (name, "not usable as a folder")
            for name in ("../x", "/x", "a\\b", "a:b", "a*", "a?", 'a"', "<a", "a|")
        ),
        *(
            (name, "not usable as a folder")
            for name in ("a\0", "a\n", "a\x1b[m", "a\u202e", "\ud800", "a\x7f")
        ),
        *(
            (name, "device on Windows")
            for name in ("CON", "nul", "aux.txt", "COM1", "lpt9.a.b", "con .x", "COM\u00b9")
        ),
        ("x" * 101, "too long .*101 bytes of UTF-8, allowed 100"),
        ("\u00e9" * 51, "too long .*102 bytes"),
        *((name, "name that editors") for name in ("a~", "thumbs.DB", "a.swp")),
        ("all", "stands for every case"),
        (5, "not usable as a folder"),
        (None, "not usable as a folder"),
    ],
)
def test_a_name_that_is_not_portable_is_refused(tmp_path: Path, name: Any, said: str) -> None:
    """With what is wrong and what to do; nothing is written."""
    with pytest.raises(golden.GoldenError, match=f"golden name: .*{said}.* Rename it: for example 'osc_saw'"):
        bless(tmp_path, name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("first", "second"), [("Saw", "sAW"), ("stra\u00dfe", "STRASSE"), ("\u00e9", "e\u0301")]
)
def test_a_name_that_another_is_taken_for_is_refused(tmp_path: Path, first: str, second: str) -> None:
    """Names that differ in case or in the form of their characters are one folder on some systems."""
    bless(tmp_path, first)
    for overwrite in (False, True):
        with pytest.raises(golden.GoldenError, match=r"is the same as .* on some systems"):
            bless(tmp_path, second, overwrite=overwrite)
    assert second not in os.listdir(tmp_path)


def test_usual_names_are_allowed(tmp_path: Path) -> None:
    """Letters of any script, spaces, dots and marks inside, 100 bytes."""
    for name in (
        "Osc saw",
        "v1.2-b_3",
        "na\u00efve",
        "\u30d5\u30a3\u30eb\u30bf",
        "console",
        "com10",
        "x" * 100,
        "[a]",
    ):
        assert unicodedata.is_normalized("NFC", name)
        assert bless(tmp_path, name).name == name
