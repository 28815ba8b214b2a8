"""The first law times schedules times threads: every graph has one digest, whichever way it is rendered."""

from __future__ import annotations

from typing import Any

import matrix
import numpy as np
import pytest
import rigs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polyphony import polyphony
from random_graphs import scenes
from rigs import Scene

import amp_lab as amp
from amp_lab.errors import AmpError, InternalError, NonFiniteError
from amp_lab.lowlevel import Runtime

SCENES = dict(matrix.scenes())


@pytest.mark.parametrize("name", SCENES)
def test_it_has_one_digest(name: str) -> None:
    """All cuts x no schedule, derived, two supplied x 1, 2, 4 threads."""
    found = matrix.digests(SCENES[name], seed=len(name))
    assert len(found) == 1, found


def failing(at: int) -> Scene:
    """Eleven voices, of which the sixth is infinite at a frame."""
    g = amp.Graph(sample_rate=48_000.0)
    x = np.ones((1, 200))
    x[0, at] = np.inf
    ends = [
        g.gain(g.input(samples=x if i == 5 else np.full((1, 200), 0.1)), gain=0.5, name=f"v{i}")
        for i in range(11)
    ]
    g.output(g.mix(*ends))
    return Scene(g, 200)


def test_an_error_is_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every execute failed, every graph would fail; a graph that fails has to be expected to."""
    with pytest.raises(NonFiniteError):
        matrix.digests(failing(70), 1)

    def execute(*_: object) -> None:
        raise InternalError("out of order")

    monkeypatch.setattr(Runtime, "execute", execute)
    for scene in SCENES.values():
        with pytest.raises(InternalError, match="out of order"):
            matrix.digests(scene, 1)
    with pytest.raises(InternalError, match="out of order"):
        matrix.digests(failing(70), 1, expected=(NonFiniteError,))


def test_an_expected_error_has_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way a graph is rendered, it fails at the same node, batch, channel and frame."""
    (place,) = matrix.digests(failing(70), 1, expected=(NonFiniteError,))
    assert place == "NonFiniteError at node input_6, port out, batch 0, channel 0, frame 70"
    assert list(matrix.digests(failing(71), 1, expected=(NonFiniteError,))) == [place.replace("70", "71")]
    whole = Runtime.execute

    def execute(runtime: Runtime, frames: int, *arrays: Any) -> None:
        try:
            whole(runtime, frames, *arrays)
        except NonFiniteError as error:
            error.frame += frames == 200
            raise

    monkeypatch.setattr(Runtime, "execute", execute)
    assert len(matrix.digests(failing(70), 1, expected=(NonFiniteError,))) == 2


@pytest.mark.long
def test_it_has_the_same_everywhere() -> None:
    """The whole matrix again on every instruction set, and by the second compiler."""
    here = matrix.everything()
    for way, digests in rigs.answers(matrix.__file__).items():
        assert digests == here, way


@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.integers(1, 20), st.integers(0, 999))
def test_random_graphs_and_voices_of_them(scene: Scene, voices: int, seed: int) -> None:
    """A generated graph, alone or as up to twenty mixed voices."""
    many = polyphony(scene, voices, seed) if voices > 3 else scene
    try:
        many.graph.compile()
    except AmpError:
        assume(False)
    found = matrix.digests(many, seed, expected=(NonFiniteError,))
    assert len(found) == 1, found
