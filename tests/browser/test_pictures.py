"""The documentation's pictures of widgets match the widgets, with a tolerance for letters and times."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from browser.lab import Lab

DOCS = Path(__file__).resolve().parents[2] / "docs"
SHOTS: dict[str, Any] = runpy.run_path(str(DOCS / "screenshots.py"))
CELL = 16
"""Side of the squares whose mean colours are compared: larger than letters."""
DIFFERENT, SHARE = 0.12, 0.05
"""A square differs by more than the first, of 1; the second is the share of squares that may."""


def coarse(picture: Image.Image) -> Any:
    """Mean colour of every square, (rows, columns, 3), from 0 to 1."""
    columns, rows = (side // CELL for side in picture.size)
    return np.asarray(picture.convert("RGB").resize((columns, rows), Image.Resampling.BOX)) / 255


@pytest.mark.parametrize("scene", SHOTS["SCENES"], ids=lambda scene: scene.name)
def test_the_documentation_shows_what_is(scene: Any, lab: Lab, browser: Browser) -> None:
    """Both themes look as stored; the two themes of a widget differ by more than the tolerance."""
    stored = {}
    for name, picture in SHOTS["take"](lab, browser, scene):
        stored[name] = coarse(Image.open(DOCS / "pictures" / name))
        now = coarse(picture)
        assert now.shape == stored[name].shape, f"{name}: another size. Run python docs/screenshots.py."
        share = float((np.abs(now - stored[name]).max(axis=2) > DIFFERENT).mean())
        assert share <= SHARE, f"{name}: {share:.1%} of it differ. Look, then run python docs/screenshots.py."
    light, dark = stored.values()
    assert float((np.abs(light - dark).max(axis=2) > DIFFERENT).mean()) > 4 * SHARE
