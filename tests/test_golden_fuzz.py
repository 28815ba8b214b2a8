"""Damaged cases: they are read, or refused with one class of error that names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import contents
from amp_lab.golden.cases import Blessed, Case

FUZZ = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 1e308, -0.0, 1e-320]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", "exact", "max_abs", "spectral_db", "0" * 63, "0" * 64, "0" * 65, "f" * 64, "\x1b[2J", "../x"]
    ),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one case that follows a curve and has a loop."""
    root = tmp_path_factory.mktemp("goldens")
    g = amp.Graph(name="loop")
    total = g.mix(g.sine(frequency_hz=440.0, name="sine"), name="total")
    back = g.gain(total, gain=amp.curve("level"), name="back")
    g.connect(back, total, delay_frames=1)
    g.output(total)
    g.controls = amp.ControlHistory([amp.Curve("level", [0.0], [0.5])])
    golden.store("loop", g.render(frames=50, isolation="none"), reason="first", graph=g, goldens=root)
    return root


@pytest.fixture
def root(original: Path, tmp_path: Path) -> Path:
    """A copy, which the examples of one test change one after the other."""
    return shutil.copytree(original, tmp_path / "goldens")


def read_or_refused(root: Path, file: str = "") -> Blessed | None:
    """Read a case in every way there is; an error names the file."""
    case = Case(root / "loop")
    blessed = None
    try:
        blessed = case.load()
    except amp.FileError as error:
        assert str(error).startswith("loop") and (file in str(error) or "incomplete" in str(error)), str(
            error
        )
        assert str(error).isprintable() or "\n" in str(error)
    for read in (
        case.manifest,
        case.missing_files,
        case.strange_files,
        lambda: blessed and blessed.stored.graph(),
    ):
        try:
            read()
        except amp.FileError:
            continue
    assert [found.name for found in golden.list_cases(root)] == ["loop"]
    if blessed is not None:
        verdict = golden.check("loop", np.zeros((1, 1, 50)), goldens=root)
        assert not verdict and str(verdict).startswith("loop: FAIL")
    return blessed


def seal_anew(root: Path) -> None:
    """Update all digests for the present files, as an attacker would."""
    path = root / "loop" / contents.MANIFEST
    manifest = json.loads(path.read_text())
    for file in manifest["files"]:
        manifest["files"][file] = contents.seal(file, (root / "loop" / file).read_bytes())
    path.write_text(json.dumps(manifest))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@FUZZ
@given(data=st.data())
def test_a_manifest_with_any_value_anywhere(root: Path, original: Path, data: st.DataObject) -> None:
    """Any place of the manifest may hold any JSON, be gone, or have a neighbour."""
    manifest = json.loads((original / "loop" / contents.MANIFEST).read_text())
    place = data.draw(st.sampled_from(list(places(manifest))), "place")
    change = data.draw(st.sampled_from(["replace", "remove", "add"]), "change")
    value = data.draw(JSON, "value")
    if not place:
        manifest = value
    else:
        parent = manifest
        for key in place[:-1]:
            parent = parent[key]
        if change == "remove":
            del parent[place[-1]]
        else:
            parent[place[-1] if change == "replace" else data.draw(st.text(max_size=10), "key")] = value
    (root / "loop" / contents.MANIFEST).write_text(json.dumps(manifest))
    read_or_refused(root)


@FUZZ
@given(
    file=st.sampled_from(contents.FILES),
    at=st.floats(0.0, 1.0),
    cut=st.integers(0, 200),
    put=st.binary(max_size=40),
    vouched=st.booleans(),
)
@example(file=contents.MANIFEST, at=0.0, cut=10**6, put=b"", vouched=False)
@example(file=contents.REFERENCE, at=0.0, cut=10**6, put=b"", vouched=True)
@example(file=contents.SUMS, at=1.0, cut=0, put=b"\n\n\t\t\x00", vouched=True)
def test_a_file_with_any_bytes_anywhere(
    root: Path, original: Path, file: str, at: float, cut: int, put: bytes, vouched: bool
) -> None:
    """A piece of any file may be gone or another one, whether the manifest vouches for it or not."""
    for each in contents.FILES:
        (root / "loop" / each).write_bytes((original / "loop" / each).read_bytes())
    path = root / "loop" / file
    before = path.read_bytes()
    start = int(at * len(before))
    after = before[:start] + put + before[start + cut :]
    path.write_bytes(after)
    if vouched and file != contents.MANIFEST:
        seal_anew(root)
    blessed = read_or_refused(root, file if not vouched else "")
    if blessed is not None and not vouched and file != contents.MANIFEST:
        assert contents.seal(file, after) == contents.seal(file, before)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 5000, "9" * 100_000, "\ufeff{}", '{"schema": 2, "schema": 2}']
)
@pytest.mark.parametrize("file", ["manifest.json", "graph.json", "controls.json"])
def test_text_that_costs_much(root: Path, file: str, text: str) -> None:
    """Depth, digits, a byte order mark and keys given twice are refused before anything is built of them."""
    (root / "loop" / file).write_text(text)
    if file != contents.MANIFEST:
        seal_anew(root)
    blessed = read_or_refused(root, file)
    assert (blessed is None) == (file == contents.MANIFEST)
    if blessed is not None:
        with pytest.raises(amp.FileError, match=rf"loop/{file}: "):
            blessed.stored.graph(), blessed.stored.controls()
