"""The comparison of generated pictures detects changed content, and ignores differences in antialiasing."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from amp_lab import plots

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def alike() -> Callable[[bytes, Path], bool]:
    """Return the comparison of ``docs/figures.py``."""
    found: Any = runpy.run_path(str(ROOT / "docs" / "figures.py"))["alike"]
    return found


def drawing(phase_rad: float = 0.0, title: str = "a sine", blur: float = 0.0) -> bytes:
    """Return the PNG of a curve; `blur` moves every line by a part of a pixel."""
    figure = Figure(figsize=(9.0, 2.0))
    ax = figure.subplots()
    ax.plot(np.sin(np.arange(300) * 0.05 + phase_rad))
    ax.set_title(title)
    figure.subplots_adjust(left=0.1 + blur / 900.0, right=0.9 + blur / 900.0)
    return plots.png(figure)


def test_a_curve_or_a_word_that_changed_is_drift(
    alike: Callable[[bytes, Path], bool], tmp_path: Path
) -> None:
    """Another phase, another title, another size and a missing file differ; the same drawing does not."""
    path = tmp_path / "sine.png"
    assert not alike(drawing(), path)
    path.write_bytes(drawing())
    assert alike(drawing(), path)
    assert alike(drawing(blur=0.05), path)
    assert not alike(drawing(phase_rad=0.3), path)
    assert not alike(drawing(title="a cosine of some kind"), path)
    path.write_bytes(plots.png(Figure(figsize=(8.0, 2.0))))
    assert not alike(drawing(), path)
