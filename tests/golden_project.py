"""A project of a user with a golden: fixtures for the tests of the pytest plug-in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import amp_lab as amp
from amp_lab.golden import fixture, of_render, store, unused  # noqa: F401 - see `project`

RENDER = """
import amp_lab as amp

def tone(hz=440.0):
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=hz, name="osc"), gain=0.5, name="level"))
    return g.render(frames=64)
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A goldens folder with the case `tone`."""
    root = tmp_path_factory.mktemp("stored") / "goldens"
    root.mkdir()
    graph = amp.Graph(name="tone")
    graph.output(graph.gain(graph.sine(frequency_hz=440.0, name="osc"), gain=0.5, name="level"))
    store("tone", graph.render(frames=64), graph=graph, reason="test", goldens=root)
    return root


@pytest.fixture
def project(pytester: pytest.Pytester, stored: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the case `tone` and a module `sound` that renders it.

    What pytester runs in this process must be imported before: it forgets what was imported during the run.
    """
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    monkeypatch.delenv("CI", raising=False)
    shutil.copytree(stored, pytester.path / "goldens")
    pytester.makepyfile(sound=RENDER)
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return pytester


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no installed plug-in but those named by `-p`, as they take a second to import."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
