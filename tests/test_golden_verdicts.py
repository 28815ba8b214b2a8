"""`check` never raises, `verify` raises only `GoldenMismatch`, neither hangs, for any folder and argument."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_tone import rendered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import GoldenMismatch, Verdict, contents

pytest_plugins = ["golden_tone"]
pytestmark = pytest.mark.usefixtures("own_workers")


def answers(goldens: Any, name: Any = "tone", render: Any = None) -> list[Verdict]:
    """Verdicts of `check` and `verify`, each of which can be printed and written as JSON."""
    found = [golden.check(name, rendered() if render is None else render, goldens=goldens)]
    try:
        found += golden.verify(name, goldens=goldens)
    except GoldenMismatch as mismatch:
        found += mismatch.verdicts
    for verdict in found:
        assert repr(verdict).isprintable() and str(verdict).replace("\n", "").isprintable()
        assert verdict.passed or verdict.reason
        again = Verdict.from_dict(json.loads(json.dumps(verdict.to_dict(), allow_nan=False)))
        assert str(again) == str(verdict) and again.status == verdict.status
    return found


# ---- arguments ----


class Trap:
    """An object without usable attributes."""

    def _refuse(self, *arguments: Any) -> Any:
        raise OSError("no such device")

    audio = sample_rate = plan = request = property(_refuse)
    __fspath__ = __iter__ = __array__ = __len__ = __eq__ = __float__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no words")


NAMES: list[Any] = [
    None,
    3,
    b"tone",
    "",
    ".",
    "..",
    "a/b",
    "/",
    "\0",
    "x" * 5000,
    "\ud800",
    "tone/",
    Trap(),
    [],
]
NAMES += ["\x1b[2J", "to\u202ene", Path("tone"), ["tone"], float("nan")]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: type(name).__name__)
def test_any_name_has_an_answer(stored_tone: Path, name: Any) -> None:
    """An invalid case name is an error that quotes it; nothing outside the folder is read."""
    verdict = golden.check(name, rendered(), goldens=stored_tone)
    assert verdict.status == "error" and repr(verdict).isprintable() and len(repr(verdict)) < 300
    with pytest.raises(GoldenMismatch):
        golden.verify([name], goldens=stored_tone)


RENDERS: list[Any] = [
    None,
    3,
    "text",
    b"x",
    {},
    object(),
    Trap(),
    lambda: 0,
    np.zeros(0),
    np.zeros((1, 1, 1, 9)),
]
RENDERS += [
    np.full(200, np.nan),
    np.zeros(200, complex),
    np.array([None]),
    np.zeros((200, 1)),
    iter([1.0]),
    type,
]
RENDERS += [np.full((1, 1, 200), np.inf), np.zeros((1, 1, 200), "m8[s]"), amp.Graph, [[1.0], [2.0, 3.0]]]


@pytest.mark.parametrize("render", RENDERS, ids=lambda render: type(render).__name__)
def test_anything_can_be_handed_in_for_a_render(stored_tone: Path, render: Any) -> None:
    """Arguments without samples are an error, samples of another shape or not finite are a failure."""
    verdict = golden.check("tone", render, goldens=stored_tone)
    compared = isinstance(render, np.ndarray) and render.dtype == np.float64
    assert verdict.status == ("failed" if compared else "error"), str(verdict)
    assert "tone" in repr(verdict) and verdict.reason


@pytest.mark.parametrize("names", [None, 3, [], [3], {"tone": 1, 2: 3}, Trap(), iter(["absent"])])
def test_verify_of_anything_raises_one_kind(stored_tone: Path, names: Any) -> None:
    """No names, or what is none, never pass."""
    with pytest.raises(GoldenMismatch) as caught:
        golden.verify(names, goldens=stored_tone)
    assert "error" in {verdict.status for verdict in caught.value.verdicts}


@pytest.mark.parametrize(
    "folder", [3, "", "\0", "/nowhere", "/etc/passwd", "x" * 5000, Trap()], ids=str.__class__
)
def test_any_folder_has_an_answer(folder: Any) -> None:
    """A folder that is none is an error."""
    assert {v.status for v in answers(folder)} == {"error"}


def test_a_working_folder_that_is_gone_has_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search upward has no start."""
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert {v.status for v in answers(None)} == {"error"}


# ---- content of the folder ----


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    path.unlink()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nul(path: Path) -> None:
    path.write_bytes(bytes(4096))


def deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def digits(path: Path) -> None:
    path.write_bytes(b'{"schema": ' + b"9" * 100_000 + b"}")


def pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def zipped(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(100) + b"PK\x05\x06" + b"\xff" * 18)


KINDS = [folder, fifo, loop, device, listening, empty, nul, deep, digits, pointer, zipped]


@pytest.mark.parametrize("spoil", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("file", ["manifest.json", "graph.json", "reference.npz", "sums.txt"])
def test_any_kind_of_file_has_an_answer(
    tone_copy: Path, file: str, spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file of a case as something else: an error that names the file, at once."""
    monkeypatch.chdir(tone_copy)
    spoil(tone_copy / "tone" / file)
    for verdict in answers(tone_copy):
        assert verdict.status == "error" and file in str(verdict)


def resealed(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest that vouches for the files as they are."""
    files = manifest.get("files")
    for file in files if isinstance(files, dict) else ():
        if (folder / str(file)).is_file() and file in contents.FILES:
            files[file] = contents.seal(file, (folder / file).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just([]), st.just({}),
    st.sampled_from([2**63, -1, 0, 10**400, 1e308, "exact", "snr_db", "\ud800", "a" * 64]),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)  # fmt: skip


def mutated(data: st.DataObject, tree: Any) -> None:
    """Change, remove or add one entry anywhere in a JSON tree."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(tree)
    parent, key = data.draw(st.sampled_from(places))
    act = data.draw(st.sampled_from(["set", "set", "delete", "add"]))
    if act == "delete":
        del parent[key]
    elif act == "add" and isinstance(parent, dict):
        parent[data.draw(st.text(max_size=8))] = data.draw(VALUES)
    else:
        parent[key] = data.draw(VALUES)


@given(data=st.data(), file=st.sampled_from(["manifest.json", "graph.json", "bytes"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_has_an_answer(stored_tone: Path, tmp_path: Path, data: st.DataObject, file: str) -> None:
    """Entries changed, bytes flipped or cut, with seals that fit: verdicts, never another exception."""
    root = tmp_path / "spoiled"
    shutil.rmtree(root, ignore_errors=True)
    case = Path(shutil.copytree(stored_tone, root)) / "tone"
    manifest = json.loads((case / "manifest.json").read_text(encoding="utf-8"))
    if file == "bytes":
        target = case / data.draw(st.sampled_from(contents.FILES))
        if target.is_file():
            held = bytearray(target.read_bytes())
            at = data.draw(st.integers(0, len(held) - 1))
            held[at] ^= data.draw(st.integers(1, 255))
            target.write_bytes(
                held[: data.draw(st.integers(0, len(held)))] if data.draw(st.booleans()) else held
            )
        if target.name != "manifest.json":
            resealed(case, manifest)
    elif file == "graph.json":
        tree = json.loads((case / "graph.json").read_text(encoding="utf-8"))
        mutated(data, tree)
        (case / "graph.json").write_text(json.dumps(tree), encoding="utf-8")
        resealed(case, manifest)
    else:
        mutated(data, manifest)
        (case / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = answers(root)
    assert len(found) >= 2


@pytest.mark.parametrize("name", ["near_enough", "", 3, None, ["exact"]])
def test_an_unknown_comparator_never_passes(tone_copy: Path, name: Any) -> None:
    """It is an error that names the known ones, though every sample is the blessed one."""
    case = tone_copy / "tone"
    manifest = json.loads((case / "manifest.json").read_text(encoding="utf-8"))
    manifest["comparator"] = {"name": name, "limits": {}, "reason": "why not"}
    resealed(case, manifest)
    for verdict in answers(tone_copy):
        assert verdict.status == "error"
        assert isinstance(name, str) is ("exact | max_abs" in verdict.reason)


@pytest.mark.parametrize("value", [-1, "NaN", "3", True, None, [1], 1e400])
def test_a_stored_tolerance_is_a_number_from_zero_up(tone_copy: Path, value: Any) -> None:
    """Negative, text, bool, nothing, infinite: an error with place and range, never a pass."""
    case = tone_copy / "tone"
    manifest = json.loads((case / "manifest.json").read_text(encoding="utf-8"))
    manifest["comparator"] = {
        "name": "max_abs",
        "limits": {"abs_tol": value, "rel_tol": 0.0},
        "reason": "test",
    }
    resealed(case, manifest)
    for verdict in answers(tone_copy):
        assert verdict.status == "error" and ("abs_tol" in verdict.reason or "comparator" in verdict.reason)
