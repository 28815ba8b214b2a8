"""`update` approves changes and nothing else; for another graph it names node and parameter."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import golden
from amp_lab.cli import command_line
from amp_lab.cli import commands as cli
from amp_lab.golden import GoldenError, manifests, replay
from amp_lab.golden.graph_changes import changes, sound_of
from amp_lab.golden.of_render import graph_of

FRAMES = 5000


def wind(q: float = 6.0) -> amp.Graph:
    g = amp.Graph(name="wind")
    flt = g.svf(
        g.noise(amplitude=0.5, seed=3, name="noise"),
        mode="bandpass",
        cutoff_hz=amp.curve("cutoff_hz"),
        q=q,
        name="flt",
    )
    click = g.input(samples=np.hanning(100)[None, None, 1:-1], name="click")
    g.output(g.mix(flt, click, name="total"), name="out")
    g.controls = amp.ControlHistory([amp.Curve.drawn("cutoff_hz", [(0.0, 300.0), (0.2, 2400.0)])])
    return g


def rendered(graph: amp.Graph, **options: Any) -> amp.Render:
    return graph.render(**{"frames": FRAMES, "isolation": "none"} | options)


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    """A folder with the case `wind`."""
    root = tmp_path / "goldens"
    root.mkdir()
    golden.store("wind", rendered(wind()), graph=wind(), reason="first", goldens=root)
    return root


def files(goldens: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (goldens / "wind").iterdir()}


def manifest(goldens: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((goldens / "wind" / "manifest.json").read_text(encoding="utf-8"))
    return data


@pytest.fixture
def drifted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to let the engine filter a little differently from then on."""
    stored = replay.render

    def render(case: replay.StoredGraph, **options: Any) -> Any:
        graph = case.graph()
        graph["flt"].set(q=6.5)
        return stored(dataclasses.replace(case, graph_text=graph.to_json()), **options)

    return lambda: monkeypatch.setattr(replay, "render", render)


def test_an_update_that_changes_nothing_is_refused(goldens: Path) -> None:
    """Same samples, sums, comparator, tolerance and schema: no new reason and date without a change."""
    before = files(goldens)
    with pytest.raises(GoldenError, match=r"golden\.update\('wind'\): nothing to update .*name it: graph="):
        golden.update("wind", reason="again", goldens=goldens)
    with pytest.raises(GoldenError, match="nothing to update"):
        golden.update("wind", reason="again", comparator="exact", graph=wind(), goldens=goldens)
    assert files(goldens) == before


def test_a_changed_engine_is_blessed(goldens: Path, drifted: Callable[[], None]) -> None:
    """New samples are a change; graph and comparator stay."""
    before, graph = manifest(goldens), files(goldens)["graph.json"]
    drifted()
    golden.update("wind", reason="new filter", goldens=goldens)
    assert manifest(goldens)["digest"] != before["digest"]
    assert manifest(goldens)["comparator"] == before["comparator"] and files(goldens)["graph.json"] == graph
    assert manifest(goldens)["blessed"]["reason"] == "new filter"


def test_sums_alone_are_a_change(goldens: Path) -> None:
    """A change of a node's stream counts, even if the output does not show it."""
    case = goldens / "wind"
    sums = case / "sums.txt"
    sums.write_text(sums.read_text(encoding="utf-8").replace("rms", "rms"), encoding="utf-8")
    held = sums.read_text(encoding="utf-8").splitlines()
    cells = held[2].split("\t")
    cells[5] = "0" * 12
    sums.write_text("\n".join([*held[:2], "\t".join(cells), *held[3:]]) + "\n", encoding="utf-8")
    data = manifest(goldens)
    data["files"]["sums.txt"] = golden.contents.seal("sums.txt", sums.read_bytes())
    (case / "manifest.json").write_text(json.dumps(data), encoding="utf-8")
    golden.update("wind", reason="sums", goldens=goldens)
    assert all(golden.verify(goldens=goldens))


def test_a_damaged_reference_is_mended(goldens: Path) -> None:
    """A case that cannot be read is approved again, with a reason."""
    (goldens / "wind" / "reference.npz").write_bytes(b"")
    golden.update("wind", reason="disk", goldens=goldens)
    assert all(golden.verify(goldens=goldens))


def test_a_comparator_stays_until_told(goldens: Path, drifted: Callable[[], None]) -> None:
    """`update` and `store(overwrite=True)` keep comparator, limits and reason; an argument replaces them."""
    soft = {"comparator": "max_abs", "comparator_reason": "a foreign file", "abs_tol": 1e-6}
    golden.update("wind", reason="tolerant", goldens=goldens, **soft)  # type: ignore[arg-type]
    rule = manifest(goldens)["comparator"]
    assert rule == {
        "name": "max_abs",
        "limits": {"abs_tol": 1e-6, "rel_tol": 0.0},
        "reason": "a foreign file",
    }
    golden.store("wind", rendered(wind(6.1)), graph=wind(6.1), reason="q", goldens=goldens, overwrite=True)
    assert manifest(goldens)["comparator"] == rule
    golden.update("wind", reason="looser", abs_tol=1e-5, goldens=goldens)
    assert manifest(goldens)["comparator"] == rule | {"limits": {"abs_tol": 1e-5, "rel_tol": 0.0}}
    drifted()
    golden.update("wind", reason="engine", goldens=goldens)
    assert manifest(goldens)["comparator"]["limits"]["abs_tol"] == 1e-5
    golden.update("wind", reason="exact again", comparator="exact", goldens=goldens)
    assert manifest(goldens)["comparator"]["name"] == "exact"
    with pytest.raises(GoldenError, match="no reason for the tolerance"):
        golden.update("wind", reason="r", comparator="rms_db", limit_db=1.0, goldens=goldens)
    with pytest.raises(GoldenError, match="no such comparator"):
        golden.update("wind", reason="r", comparator="close", goldens=goldens)


@pytest.mark.parametrize("as_render", [False, True], ids=["graph", "render"])
def test_another_graph_in_the_code_is_refused_by_node_and_parameter(goldens: Path, as_render: bool) -> None:
    """The refusal has node, parameter, old and new value; accepted, it is blessed with all it needs."""
    before = files(goldens)
    graph: Any = rendered(wind(6.5)) if as_render else wind(6.5)
    with pytest.raises(GoldenError, match=r"flt\.q: 6\.0 -> 6\.5\n.*accept_graph=True"):
        golden.update("wind", reason="brighter", graph=graph, goldens=goldens)
    assert files(goldens) == before
    golden.update("wind", reason="brighter", graph=graph, accept_graph=True, goldens=goldens)
    assert golden.check("wind", rendered(wind(6.5)), goldens=goldens)
    assert all(golden.verify(goldens=goldens))


def test_another_length_is_a_change_of_the_code(goldens: Path) -> None:
    """A render of another length is refused with both lengths, and accepted on request."""
    render = rendered(wind(), frames=600)
    with pytest.raises(GoldenError, match=r"render\.frames: 5000 -> 600"):
        golden.update("wind", reason="shorter", graph=render, goldens=goldens)
    golden.update("wind", reason="shorter", graph=render, accept_graph=True, goldens=goldens)
    assert golden.check("wind", rendered(wind(), frames=600), goldens=goldens)


@pytest.mark.parametrize("file", ["graph.json", "controls.json"])
def test_a_graph_edited_by_hand_is_refused(goldens: Path, file: str) -> None:
    """A stored graph that is not the approved one is refused, unless it is accepted."""
    path = goldens / "wind" / file
    path.write_text(path.read_text(encoding="utf-8").replace("300.0", "301.0").replace("6.0", "6.5"), "utf-8")
    before = files(goldens)
    with pytest.raises(GoldenError, match=rf"{file} was changed after it was blessed"):
        golden.update("wind", reason="engine", goldens=goldens)
    assert files(goldens) == before
    golden.update("wind", reason="by hand", accept_graph=True, goldens=goldens)
    assert all(golden.verify(goldens=goldens))


@pytest.mark.parametrize("thing", [3, "wind", object(), amp.Graph])
def test_what_is_no_graph_is_refused(goldens: Path, thing: Any) -> None:
    """One sentence with what is allowed."""
    with pytest.raises(GoldenError, match="allowed a Graph or a Render"):
        golden.update("wind", reason="r", graph=thing, goldens=goldens)


def test_an_older_schema_is_a_change(goldens: Path) -> None:
    """A case of schema 1 is written in the present one, with its samples and comparator as they were."""
    data = manifest(goldens)
    del data["files"]
    (goldens / "wind" / "manifest.json").write_text(json.dumps(data | {"schema": 1}), encoding="utf-8")
    golden.update("wind", reason="schema", goldens=goldens)
    assert manifest(goldens)["schema"] == manifests.SCHEMA
    assert manifest(goldens)["digest"] == data["digest"]
    assert manifest(goldens)["comparator"] == data["comparator"]


def test_a_render_gives_its_graph_back(goldens: Path) -> None:
    """The graph of a render, with curves and recordings, renders to its bits."""
    render = rendered(wind())
    again = graph_of(sound_of(render.request))
    again.controls = wind().controls
    assert again.render(frames=FRAMES, isolation="none").digest == render.digest
    assert changes(sound_of(render.request), sound_of(rendered(again).request)) == ()


# ---- on the command line ----

MODULE = """
import amp_lab as amp

def graphs():
    return {{"wind": build}}

def build(name=None):
    import test_golden_update
    return test_golden_update.wind({q})

def one(name):
    return build()

def broken(name):
    raise ZeroDivisionError("no wind")

number = 3
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], str]:
    """Write a module of a user's project into the working folder; give its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    written = 0

    def write(q: float) -> str:
        nonlocal written
        written += 1
        name = f"sounds_{tmp_path.name[-6:].strip('_').replace('-', '_')}_{written}"
        (tmp_path / f"{name}.py").write_text(MODULE.format(q=q), encoding="utf-8")
        return name

    return write


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


@pytest.mark.parametrize("name", ["graphs", "one", "build"])
def test_verify_and_update_see_the_code(
    goldens: Path, code: Callable[[float], str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mapping, a function of the name, a graph: green, red with the parameter, accepted by one command."""
    same, other = f"{code(6.0)}:{name}", f"{code(6.5)}:{name}"
    verify = ("golden", "verify", "wind", "--goldens", goldens, "--code")
    update = ("golden", "update", "wind", "--reason", "brighter", "--goldens", goldens, "--code", other)
    assert run(*verify, same) == cli.OK
    assert "wind: PASS exact 5000 frames x 1 channel (code)\n" in capsys.readouterr().out
    assert run(*verify, other) == cli.FAILED
    out = capsys.readouterr().out
    assert "node flt (code)" in out and "changed    flt.q: 6.0 -> 6.5" in out and "2 passed, 1 failed" in out
    assert run(*update) == command_line.USAGE
    assert "flt.q: 6.0 -> 6.5" in capsys.readouterr().err
    assert run(*update, "--accept-graph") == cli.OK
    assert "(flt.q: 6.0 -> 6.5)" in capsys.readouterr().out
    assert run(*verify, other) == cli.OK


def test_code_that_fails_is_a_verdict(
    goldens: Path, code: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What a function of the code raises is the failure of its case; no place in the code is wrong use."""
    module = code(6.0)
    verify = ("golden", "verify", "--goldens", goldens, "--code")
    assert run(*verify, f"{module}:broken") == cli.FAILED
    assert (
        "wind: ERROR error (code)" in (out := capsys.readouterr().out) and "ZeroDivisionError: no wind" in out
    )
    for place, said in (
        ("sounds", "allowed MODULE:NAME"),
        (":", "allowed MODULE:NAME"),
        ("no_such_module:x", "ModuleNotFoundError"),
        (f"{module}:missing", "has no attribute"),
        (f"{module}:number", "neither a function nor graphs by name"),
    ):
        assert run(*verify, place) == command_line.USAGE
        assert said in capsys.readouterr().err
    assert (
        run("golden", "verify", "--isa", "--goldens", goldens, "--code", f"{module}:one")
        == command_line.USAGE
    )


def test_one_refused_update_leaves_the_others(goldens: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each case has its result; the exit code is that of the worst."""
    golden.store("soft", rendered(wind(), frames=100), graph=wind(), reason="first", goldens=goldens)
    (goldens / "soft" / "sums.txt").unlink()
    assert (
        run("golden", "update", "wind", "absent", "soft", "--reason", "r", "--goldens", goldens)
        == command_line.USAGE
    )
    told = capsys.readouterr()
    assert "soft: blessed" in told.out
    assert "'wind'): nothing to update" in told.err and "absent" in told.err
