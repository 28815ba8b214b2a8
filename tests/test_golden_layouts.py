"""Further layouts of a stored case, and the lines of verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import replay
from amp_lab.golden.cases import case_of
from amp_lab.golden.verdict import CAUSES, Comparison, Mismatch, Verdict


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of three batches: each has a level of its own and noise of its own."""
    g = amp.Graph(name="three")
    level = np.array([0.1, 0.2, 0.3])[:, None, None]
    g.output(g.gain(g.noise(seed=4, name="hiss"), gain=level, name="level"))
    root = tmp_path_factory.mktemp("three")
    render = g.render(frames=300, batches=3, isolation="none")
    golden.store("three", render, graph=g, reason="each batch differs", goldens=root)
    return root


FULL = ["", "block_frames 64", "block_frames 1000", "block_frames 300"]
ALONE = ["batch 0 alone", "batch 1 alone", "batch 2 alone"]


def test_full_renders_each_batch_alone(three: Path) -> None:
    """After the block sizes; `quick` does not."""
    assert [v.layout for v in golden.verify("three", matrix="full", goldens=three)] == FULL + ALONE
    assert [v.layout for v in golden.verify("three", goldens=three)] == FULL[:2]


def test_a_batch_that_sounds_otherwise_alone_fails_under_its_name(
    three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If noise did not know the number of its batch, every batch alone would have that of the first."""
    parts = replay.parts
    monkeypatch.setattr(replay, "parts", lambda name, request: parts(name, replace(request, batch_offset=0)))
    failed = [v.layout for v in golden.verdicts("three", matrix="full", goldens=three) if not v]
    assert failed == ALONE[1:]


def test_a_batch_alone_has_the_tensors_of_its_number(three: Path) -> None:
    """Its audio is that of the batch among the others, every bit."""
    stored = case_of(three, "three").load().stored
    whole = replay.render(stored, frames=300, batches=3).audio
    for batch in range(3):
        alone = replay.audio_of_batch(stored, frames=300, batch=batch)
        assert alone.shape == (1, 1, 300)
        assert alone.tobytes() == whole[batch : batch + 1].tobytes()


ANY = st.text(max_size=12) | st.sampled_from(
    ["a\nPASS exact", "\x1b[2J", "\r", "\u202e", "\ud800", "\0", "a\x85b"]
)
KEYS = {"expected", "actual", "difference", "tolerance", "reason", "node", "cause", "changed", "note"}


@given(
    st.fixed_dictionaries(
        dict.fromkeys(("expected", "actual", "difference", "tolerance", "node", "note"), ANY)
    ),
    st.sampled_from(["value", "shape", "node stream", "damaged", "error", "crash"]) | ANY,
    st.sampled_from([*CAUSES, ""]),
    st.lists(ANY, max_size=3),
    st.fixed_dictionaries(dict.fromkeys(("name", "layout", "comparator", "reason"), ANY)),
    st.none() | st.integers(0, 10**6),
)
def test_every_line_of_a_verdict_can_be_printed(
    facts: dict[str, str], what: str, cause: str, changes: list[str], told: dict[str, str], frame: int | None
) -> None:
    """No value in a file or name moves the cursor, hides a line or looks like another."""
    mismatch = Mismatch(what, **facts, cause=cause, changes=tuple(changes), frame=frame)
    comparison = Comparison(told["comparator"], 1, 1, 1, mismatch, reason=told["reason"])
    verdict = Verdict(told["name"], comparison, told["layout"])
    passed = Comparison(told["comparator"], 1, 1)
    assert all(line.isprintable() for line in (repr(verdict), repr(comparison), verdict.reason, repr(passed)))
    head, *lines = str(verdict).split("\n")
    assert head == repr(verdict) and str(comparison).split("\n") == [repr(comparison), *lines]
    assert all(line.isprintable() and line[:2] == "  " for line in lines)
    shown = [(line[2:12].strip(), line[13:]) for line in lines]
    assert {key for key, _ in shown} <= KEYS
    values: list[tuple[str, Any]] = [*facts.items(), ("cause", cause), ("reason", told["reason"])]
    assert {key for key, value in values if value and key != "node"} <= {key for key, _ in shown}
    assert sum(key == "changed" for key, _ in shown) == sum(bool(change) for change in changes)
    assert Verdict.from_dict(verdict.to_dict()) == verdict
