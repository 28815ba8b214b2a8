"""A golden of two nodes: fixtures for tests of what `check` and `verify` say (``pytest_plugins``)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import amp_lab as amp
from amp_lab import golden, isolate


def tone() -> amp.Graph:
    """Return a sine and its level."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=0.5, name="level"), name="out")
    return g


def rendered() -> amp.Render:
    """Render it as the golden holds it."""
    return tone().render(frames=200, isolation="none")


@pytest.fixture(scope="module")
def stored_tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the case `tone`, which no test changes."""
    root = tmp_path_factory.mktemp("stored")
    golden.store("tone", rendered(), graph=tone(), reason="first", goldens=root)
    return root


@pytest.fixture
def tone_copy(stored_tone: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(stored_tone, tmp_path / "goldens"))


@pytest.fixture
def own_workers() -> Iterator[None]:
    """Workers are not shared between tests."""
    yield
    isolate.shutdown()
