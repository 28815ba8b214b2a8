"""Violations: everything that is wrong is listed as a record, in C and in Python, also from a worker."""

from __future__ import annotations

import json
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import errors, lowlevel
from amp_lab._native import lib
from amp_lab.errors import Violation, listed
from amp_lab.graph.files import descriptors
from amp_lab.isolate.stream import RemoteStream
from amp_lab.lowlevel.blobs import seal
from amp_lab.widgets.editor import problems

WIDE = "\u20ac" * 31 + "ab"
"""A name of 95 bytes."""


def wrong(count: int) -> amp.Graph:
    """Build a graph of nodes whose inputs lack a signal."""
    g = amp.Graph(name="wrong")
    for i in range(count):
        g.add("matrix_mix" if i % 3 == 2 else "gain" if i % 3 else "svf", name=f"n{i:04}")
    return g


def caught(g: amp.Graph) -> amp.AmpError:
    """Compile and return the expected failure."""
    with pytest.raises(amp.AmpError) as info:
        g.compile()
    return info.value


def test_all_of_300_are_records() -> None:
    """Each has its node, port, class, sentence and cure; the text has a line for each."""
    error = caught(wrong(300))
    assert len(error.violations) == 300
    assert {v.node for v in error.violations} == {f"n{i:04}" for i in range(300)}
    for violation in error.violations:
        assert violation.port == "in" and issubclass(violation.kind, amp.AmpError)
        assert violation.cure == "Connect a signal to it."
        assert str(violation) == f"{violation.node}.in: not connected. Connect a signal to it."
    assert str(error).splitlines() == list(map(str, error.violations))
    first = error.violations[0]
    assert (error.node, error.port, type(error)) == (first.node, first.port, first.kind)


def test_they_cross_from_a_worker_whole() -> None:
    """A worker process, which loads the descriptors itself, gives the records that this process gives."""
    g = wrong(300)
    own = caught(g)
    with pytest.raises(type(own)) as info:
        RemoteStream(descriptors.encode(g._descriptors()), b"", nodes=(), on_crash=lambda crash: None)
    assert info.value.violations == own.violations and str(info.value) == str(own)
    with pytest.raises(type(own)) as info:
        g.render(frames=8, isolation="process", taps=["n0000"])
    assert info.value.violations == own.violations
    assert pickle.loads(pickle.dumps(own)).violations == own.violations


def test_many_are_cut_in_the_middle_between_lines() -> None:
    """The text of very many counts those it leaves out; the records are all there."""
    error = caught(wrong(1000))
    lines = str(error).splitlines()
    assert len(error.violations) == 1000 and len(lines) == errors.LISTED + 1
    assert lines[300] == "... 600 more: `violations` of this error has them ..."
    assert lines[:300] == [str(v) for v in error.violations[:300]]
    assert lines[301:] == [str(v) for v in error.violations[-100:]]
    assert listed(error.violations[:2], 7).endswith("\n... and 5 more that were not kept.")


@pytest.mark.parametrize("name", [WIDE, "esc\x1b[31m", "two\nlines", "n" * 3000])
def test_names_stay_whole_and_are_printed_safely(name: str) -> None:
    """The record has the name as it was given; the line has escapes and stays one line."""
    g = wrong(1)
    data = descriptors.encode(g._descriptors())
    node = replace_name(data, "n0000", name)
    with pytest.raises(amp.AmpError) as info:
        lowlevel.plan_compile(node)
    (violation,) = info.value.violations
    assert violation.node == name and violation.sentence == f"{name}.in: not connected."
    assert str(info.value) == str(violation) and str(violation).isprintable()
    if name == WIDE:
        assert str(violation) == f"{WIDE}.in: not connected. Connect a signal to it."


def replace_name(blob: bytes, old: str, new: str) -> bytes:
    """Give a node of a descriptor blob a name that no graph takes."""

    def text(name: str) -> bytes:
        data = name.encode()
        return len(data).to_bytes(2, "little") + data

    payload = blob[24:]
    assert payload.count(text(old)) == 1
    return seal(b"AMPD", payload.replace(text(old), text(new)))


def test_a_cycle_names_the_link_that_lacks_delay() -> None:
    """The record has both ends of the link that closes it and the missing frames; so the editor cures it."""
    g = amp.Graph()
    a = g.gain(g.sine(), name="a")
    b = g.gain(a, name="b")
    g.connect(b, a)
    g.output(b)
    error = caught(g)
    (violation,) = error.violations
    assert (violation.kind, violation.src, violation.node, violation.frames) == (amp.CycleError, "b", "a", 1)
    (problem,) = problems(g)
    (cure,) = problem["cure"]
    assert cure["op"] == "change" and cure["fields"] == {"delay_frames": 1}


def test_the_editor_shows_the_node_of_every_record() -> None:
    """Also of a name that could be read as something else."""
    g = wrong(12)
    shown = problems(g)
    assert [(p["node"], p["port"]) for p in shown] == [(v.node, v.port) for v in caught(g).violations]


def test_one_failure_is_one_record() -> None:
    """Errors that are found one at a time have themselves as the only violation."""
    error = amp.GraphError("node.gain: out of range.", node="node", port="gain")
    assert error.violations == (Violation(amp.GraphError, "node", "gain", "node.gain: out of range."),)
    again = pickle.loads(pickle.dumps(error))
    assert again.violations == error.violations and again.args == error.args


def test_files_list_theirs_as_records() -> None:
    """What a graph file is refused for names the node where a node is at fault."""
    g = amp.Graph()
    g.output(g.gain(g.sine(name="tone"), name="level"))
    data: Any = json.loads(g.to_json())
    data["nodes"]["level"]["params"] = {"gain": "much"}
    data["nodes"]["tone"]["colour"] = 1
    data["nodes"]["tone"]["params"] = {"frequency_hz": -1e9}
    with pytest.raises(amp.FileError) as info:
        amp.Graph.from_dict(data)
    found = info.value.violations
    assert str(info.value).splitlines() == list(map(str, found)) and len(found) >= 2
    assert any(v.node == "level" or v.sentence.startswith("$.nodes.level") for v in found)
    assert pickle.loads(pickle.dumps(info.value)).violations == found


REFUSED: dict[str, Callable[[lowlevel.Runtime], object]] = {
    "shape": lambda r: r.set_param("level", "gain", np.ones((3, 1, 1))),
    "range": lambda r: r.set_param("level", "gain", math.nan),
    "unknown": lambda r: r.set_param("level", "loudness", 1.0),
    "fixed": lambda r: r.set_param("tone", "channels", 1.0),
    "no input": lambda r: r.bind_input("level", np.zeros((1, 1, 8))),
    "no history": lambda r: r.execute(8, np.zeros((1, 1, 8))),
}
"""Calls of a configured runtime that fail, by what is wrong."""


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_runtime_refuses_says_the_cure_apart(what: str) -> None:
    """The sentence describes the fault, the cure what to do, and the text of the error has both."""
    g = amp.Graph()
    g.output(g.gain(g.sine(name="tone"), gain=amp.curve("swell"), name="level"))
    with lowlevel.Runtime(descriptors.encode(g._descriptors())) as runtime:
        runtime.configure()
        with pytest.raises(amp.AmpError) as info:
            REFUSED[what](runtime)
    (violation,) = info.value.violations
    assert violation.sentence and violation.cure and violation.cure not in violation.sentence
    assert str(info.value) == f"{violation.sentence} {violation.cure}"


@pytest.mark.parametrize(
    ("times_s", "values"),
    [((0.0, math.nan), (1.0, 1.0)), ((1.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (-1.0, 1.0))],
)
def test_points_of_a_history_say_the_cure_apart(
    times_s: tuple[float, float], values: tuple[float, float]
) -> None:
    """So it is with each point of a curve that cannot be played."""
    points = b"".join(struct.pack("<2d", *point) for point in zip(times_s, values, strict=True))
    curve = struct.pack("<H5sBI", 5, b"swell", lib.AMP_CURVE_EXPONENTIAL, 2) + points
    g = amp.Graph()
    g.output(g.gain(g.sine(), gain=amp.curve("swell")))
    with (
        lowlevel.Runtime(descriptors.encode(g._descriptors())) as runtime,
        pytest.raises(amp.AmpError) as info,
    ):
        runtime.set_history(seal(b"AMPH", struct.pack("<I", 1) + curve))
    (violation,) = info.value.violations
    assert violation.port == "swell" and violation.cure and violation.cure not in violation.sentence
