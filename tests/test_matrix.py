"""The first law times schedules times threads: every graph has one digest, whichever way it is rendered."""

from __future__ import annotations

import matrix
import pytest
import rigs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polyphony import polyphony
from random_graphs import scenes
from rigs import Scene

from amp_lab.errors import AmpError

SCENES = dict(matrix.scenes())


@pytest.mark.parametrize("name", SCENES)
def test_it_has_one_digest(name: str) -> None:
    """All cuts x no schedule, derived, two supplied x 1, 2, 4 threads."""
    found = matrix.digests(SCENES[name], seed=len(name))
    assert len(found) == 1, found


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
    """A generated graph, alone or as up to twenty voices mixed."""
    many = polyphony(scene, voices, seed) if voices > 3 else scene
    try:
        many.graph.compile()
    except AmpError:
        assume(False)
    found = matrix.digests(many, seed)
    assert len(found) == 1, found
