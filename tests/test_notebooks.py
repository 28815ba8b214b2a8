"""The stored notebooks; nbval with its guard checks that they run and give their output."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = ["01_quickstart", "02_look_at_it", "03_goldens", "04_your_own_sound", "07_workbench", "08_live"]
PATHS = re.compile(r"(?<![\w/.~])/(?:home|root|tmp|work|Users|private|usr)/|[A-Z]:\\\\")


def read(name: str) -> dict[str, Any]:
    """One notebook as JSON values."""
    book: dict[str, Any] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return book


def texts(cell: dict[str, Any]) -> list[str]:
    """Source and textual output of a cell."""
    outputs = cell.get("outputs", [])
    shown = [o.get("text", o.get("data", {}).get("text/plain", "")) for o in outputs]
    return ["".join(part) for part in (cell["source"], *shown)]


def test_every_notebook_is_listed() -> None:
    """A notebook that is added is tested here too."""
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_opens_with_a_title_and_what_it_shows(name: str) -> None:
    """The first cell is a heading and a paragraph; the format, kernel and ids do not depend on who ran it."""
    book = read(name)
    first = book["cells"][0]
    title, _, prose = "".join(first["source"]).partition("\n\n")
    assert first["cell_type"] == "markdown" and title.startswith("# ") and len(prose) > 60
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    stem = name.split("_", 1)[1].replace("_", "-")
    assert [cell["id"] for cell in book["cells"]] == [f"{stem}-{i + 1:02}" for i in range(len(book["cells"]))]


@pytest.mark.parametrize("name", NAMES)
def test_stores_text_and_pictures_only(name: str) -> None:
    """No errors, warnings, widget views or run times are stored, and no path of a machine."""
    cells = read(name)["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} <= {"execute_result", "display_data", "stream"}
    assert all(output.get("name", "stdout") == "stdout" for output in outputs)
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    marker = "application/vnd.amp-lab.view+json"  # text of a widget's picture; always the same
    assert "text/plain" in kinds and kinds <= {"text/plain", "text/html", "image/png", marker}
    assert all(not cell["metadata"] for cell in cells)
    found = [text for cell in cells for text in texts(cell) if PATHS.search(text)]
    assert not found


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_stored_as_pictures(name: str) -> None:
    """A displayed figure is visible, even if nothing is executed."""
    cells = read(name)["cells"]
    figures = [
        output["data"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "<Figure" in "".join(output.get("data", {}).get("text/plain", ""))
    ]
    assert figures and all("image/png" in data for data in figures)


def test_names_of_links_exist() -> None:
    """A notebook links to notebooks that are there."""
    for name in NAMES:
        sources = ["".join(cell["source"]) for cell in read(name)["cells"]]
        for target in re.findall(r"\]\(([\w.]+\.ipynb)\)", "\n".join(sources)):
            assert (FOLDER / target).is_file(), target


def test_the_first_notebook_leads_to_all_others() -> None:
    """The end of the quickstart links to every other notebook, each with what it shows."""
    last = "".join(read(NAMES[0])["cells"][-1]["source"])
    lines = [line for line in last.splitlines() if line.startswith("* ")]
    for name, line in zip(NAMES[1:], lines, strict=True):
        assert f"({name}.ipynb): " in line and len(line.partition("): ")[2]) > 30
