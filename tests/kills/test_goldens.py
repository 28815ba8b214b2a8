"""A process killed while it approves a case leaves the old case or the new one, at every call."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from killing import storm

import amp_lab as amp
from amp_lab import golden
from amp_lab.common import atomic_files
from amp_lab.golden import contents, replay


def tone(level: float) -> amp.Graph:
    """Two nodes."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=level, name="level"))
    return g


GRAPHS = {level: tone(level) for level in (0.5, 0.25)}
RENDERS = {level: g.render(frames=200, isolation="none", threads=1) for level, g in GRAPHS.items()}


def bless(root: Path, level: float) -> None:
    golden.store(
        "tone", RENDERS[level], reason=f"level {level}", graph=GRAPHS[level], goldens=root, overwrite=True
    )


def edit_and_update(root: Path) -> None:
    """Bless a stored graph that was edited."""
    try:
        golden.update("tone", reason="level 0.25", accept_graph=True, goldens=root)
    except golden.GoldenError as error:  # it was approved before the kill
        if "nothing to update" not in str(error):
            raise


@pytest.mark.parametrize(
    "most", [pytest.param(12, id="some"), pytest.param(None, id="all", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("act", ["store", "update"])
def test_a_writer_of_goldens_that_is_killed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, steps: int, most: int | None
) -> None:
    """Readers find the complete old case or the complete new one, swapped in one step or in two."""
    sounds = {graph.to_json(): graph for graph in GRAPHS.values()}
    tapped = {
        text: g.render(frames=200, isolation="none", threads=1, taps="all") for text, g in sounds.items()
    }
    monkeypatch.setattr(replay, "render", lambda stored, **_: tapped[stored.graph_text])
    if steps == 2:
        monkeypatch.setattr(atomic_files, "exchange", lambda one, other: False)
    root, before = tmp_path / "goldens", tmp_path / "before"
    before.mkdir()
    bless(before, 0.5)

    def prepare() -> None:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before, root)
        if act == "update":
            GRAPHS[0.25].save(root / "tone" / "graph.json")

    def look() -> Any:
        strange = [
            name for name in os.listdir(root) if not name.startswith((".amp_lab_", "tone", ".gitattributes"))
        ]
        assert not strange, strange
        return contents.read(root / "tone", lambda case: {file: case.data(file) for file in case.names()})

    action = {"store": lambda: bless(root, 0.25), "update": lambda: edit_and_update(root)}[act]
    result = storm(action, prepare=prepare, look=look, most=most)
    print(f"{act} in {steps}: {result}")
    assert len(result.left) >= 8 and not result.missed() and not result.lost(), str(result)
    assert result.old in (states := [state for _, state in result.left]) and result.new in states
