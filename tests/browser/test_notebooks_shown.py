"""The notebooks in JupyterLab: after Run All their widgets, figures and players are shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from browser.lab import Book, Lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
WIDGETS = (
    "Workbench of",
    "Live of",
    "Editor of",
    "Panel of",
    "Scope of",
    "Spectrum of",
    "Thermo of",
    "Timeline of",
)


def widgets(path: Path) -> list[str]:
    """What the outputs of a stored notebook call widgets, in order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(o.get("data", {}).get("text/plain", "")) for c in cells for o in c.get("outputs", [])]
    return [text.split()[0].lower() for text in texts if text.startswith(WIDGETS)]


@pytest.mark.parametrize("name", ["07_workbench", "08_live"])
def test_every_widget_is_there_after_run_all(notebook: Callable[..., Book], lab: Lab, name: str) -> None:
    """No later cell closes what an earlier one shows; each widget is painted and takes input."""
    shutil.copy(NOTEBOOKS / f"{name}.ipynb", lab.books)
    book = notebook([], name=name)
    expected = widgets(NOTEBOOKS / f"{name}.ipynb")
    shown = book.page.locator(".amp:not(.amp .amp)")
    book.page.wait_for_function(
        "(count) => document.querySelectorAll('.amp[data-ready]:not(.amp .amp)').length === count",
        arg=len(expected),
    )
    kinds = shown.evaluate_all("(all) => all.map((root) => root.className.match(/amp-(\\w+)/)[1])")
    assert kinds == expected and len(expected) >= 2
    assert book.page.locator(".amp[data-lost]").count() == 0
