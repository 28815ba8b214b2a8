"""The goldens of this repository, compared with the built engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import golden

CASES = golden.list_cases()


def test_the_cases_are_there() -> None:
    """At least ten cases, together below 15 MB, each approved for a reason."""
    assert len(CASES) >= 10
    assert sum(file.stat().st_size for case in CASES for file in case.folder.iterdir()) < 15e6
    for case in CASES:
        blessed = case.manifest()["blessed"]
        assert blessed["by"] and blessed["reason"] and blessed["on"]


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_case_in_every_layout(name: str) -> None:
    """The default layout gives every approved stream; block sizes and single batches give the same bits."""
    found = golden.verify(name, matrix="full")
    assert len(found) >= 4
    assert found[0].passed and not found[0].layout


def test_every_instruction_set_gives_the_same_bits() -> None:
    """Short cases render to their reference on each level of this machine."""
    names = [case.name for case in CASES if case.manifest()["render"]["frames"] <= 24_000]
    found = golden.verify_isa_levels(names)
    assert len(found) >= 2 * len(names)
    assert all(found), "\n".join(map(str, found))


@pytest.mark.parametrize(("node", "change"), [("pole", {"cutoff_hz": 6001.0}), ("back", {"gain": -0.96})])
def test_a_change_inside_a_one_frame_loop_is_located(node: str, change: dict[str, float]) -> None:
    """A changed node of the loop is named from the taps, with the frame of the impulse, not a neighbour."""
    case = next(case for case in CASES if case.name == "one_frame_feedback")
    graph = amp.Graph.load(case.folder / "graph.json")
    graph[node].set(**change)
    frames = case.manifest()["render"]["frames"]
    verdict = golden.check(case.name, graph.render(frames=frames, taps="all", isolation="none"))
    assert not verdict
    mismatch = verdict.comparison.mismatch
    assert mismatch is not None and mismatch.node == node
    assert f"{node} first differs in frame 3" in mismatch.note


def test_store_check_update_with_the_engine(tmp_path: Path) -> None:
    """A stored render passes, a changed graph fails with the parameter that changed."""
    graph = amp.Graph(name="tone")
    tone = graph.sine(frequency_hz=440.0, name="tone")
    graph.output(tone)
    golden.store(
        "tone", graph.render(frames=5000, isolation="none"), reason="test", graph=graph, goldens=tmp_path
    )
    text = (tmp_path / "tone" / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["engine"]["isa"]
    assert repr(golden.verify("tone", goldens=tmp_path)[0]) == "tone: PASS exact 5000 frames x 1 channel"
    tone.set(frequency_hz=np.nextafter(440.0, 441.0) + 1e-6)
    verdict = golden.check("tone", graph.render(frames=5000, isolation="none"), goldens=tmp_path)
    mismatch = verdict.comparison.mismatch
    assert mismatch is not None and (mismatch.cause, mismatch.node) == ("graph", "tone")
    assert mismatch.changes == ("tone.frequency_hz: 440.0 -> 440.00000100000005",)
