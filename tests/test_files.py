"""Files of unknown origin: nothing in them runs, all is checked before use, and nothing exceeds its limit.

Each hostile sample is one kind; all of them give `FileError` with the name of the file and the place inside.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import socket
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import systems
from hypothesis import given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import golden
from amp_lab.cli import command_line
from amp_lab.cli import commands as cli
from amp_lab.common import json_text, npz
from amp_lab.golden import codec, folders, replay, usage
from amp_lab.graph.files.descriptors import encode
from amp_lab.graph.records import sound_reader
from amp_lab.plan import Plan

resource = systems.module("resource")

HEAD = '{"schema": "amp_lab.graph/1", "sample_rate": 48000.0, '


def rich() -> amp.Graph:
    """A graph that uses what the format has."""
    g = amp.Graph(name="rich", heat_budget_w=2.0)
    sound = g.input(samples=np.arange(100.0).reshape(2, 50), name="sound")
    flt = g.svf(sound, cutoff_hz=amp.curve("cutoff"), name="flt", thermo={"heat_j_per_frame": 1e-6})
    back = g.gain(gain=[[[0.25], [0.5]]], name="back")
    g.connect(flt, back, delay_frames=2, tokens=[[[0.5, -0.25]]], gates=["a", "b"], kappa=0.25)
    g.modulate(back, flt.q, mode="multiply", scale=0.5, offset=1.0, delay_frames=3, channel=0)
    first, second = g.gain(), g.gain()
    parts = g.split(back)
    g.connect(parts, first)
    g.connect(parts, second)
    g.output(g.mix(first, second, gain=amp.curve("x y")))
    g.controls = amp.ControlHistory([amp.Curve("cutoff", [0, 1], [100, 200]), amp.Curve("x y", [0], [1])])
    return g


# ---- JSON ----


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + '"nodes": {"a": {"type": "gain"}, "a": {"type": "mix"}}}',
            r"\$\.nodes: a key is given twice .*'a'",
        ),
        ('{"schema": "x", "schema": "amp_lab.graph/1"}', r"\$: a key is given twice \(got 'schema'\)"),
        (HEAD + '"heat": {"budget_w": NaN}}', r"\$\.heat\.budget_w: not a number \(got NaN"),
        (HEAD + '"edges": [{"delay_frames": -Infinity}]}', r"\$\.edges\[0\]\.delay_frames: .*-Infinity"),
        (HEAD + '"edges": [1e400]}', r"\$\.edges\[0\]: a number that float64 does not hold \(got '1e400'"),
        (HEAD + '"x": 0.' + 2000 * "1" + "}", r"\$\.x: a number that float64 does not hold"),
        (HEAD + '"x": ' + 400 * "7" + "}", r"\$\.x: a whole number of more than 64 bits \(got '77777777"),
        (HEAD + '"x": ' + 99_999 * "7" + "}", r"\$\.x: a whole number of more than 64 bits"),
        (HEAD + '"x": 18446744073709551616}', r"\$\.x: a whole number of more than 64 bits"),
        (100_000 * "[", r"nested too deep \(got more than 64 lists and objects, at character 64\)"),
        (100_000 * '{"":', r"nested too deep"),
        ('{"a": "' + 200 * "[" + '", "b":' + 65 * "[" + 65 * "]" + "}", r"nested too deep"),
        ("[" + 4_000_001 * "0," + "0]", r"too many values \(got 4000002, allowed 4000000\)"),
        ("\ufeff{}", "begins with a byte order mark"),
        (r'{"a\ud800": 1}', r"\$: key: not text that UTF-8 holds \(got 'a\\ud800'"),
        (r'{"schema": ["\udfff\ud800"]}', r"\$\.schema\[0\]: not text that UTF-8 holds"),
        ('{"a": "b\0"}', "not JSON .*control character"),
        ("", "not JSON"),
        ("{} {}", "not JSON .*Extra data"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_json_that_is_refused_before_anything_is_made_of_it(tmp_path: Path, text: str, said: str) -> None:
    """For every reader: a graph, a control history, a schedule, a manifest."""
    path = tmp_path / "hostile.json"
    path.write_text(text, encoding="utf-8")
    for load in (amp.load, amp.ControlHistory.load, lambda p: amp.Schedule.from_json(Path(p))):
        with pytest.raises(amp.FileError, match=rf"hostile\.json: {said}") as info:
            load(path)
        assert len(str(info.value)) < 2000 and info.value.stage == "load"
    with pytest.raises(amp.FileError, match=said):
        amp.Graph.from_json(text)


def test_a_text_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    """The size is checked before the file is opened, and sparse files count in full."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(json_text.MOST_BYTES + 1)
    with pytest.raises(amp.FileError, match=r"too large \(got 134217729 bytes, allowed 134217728: 128 MiB\)"):
        amp.load(path)


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving a graph whose text is longer than the reader's limit reports it."""
    monkeypatch.setattr(json_text, "MOST_VALUES", 20)
    with pytest.raises(
        amp.GraphError, match=r"too many values .*allowed 20.*Keep long samples in a sound file"
    ):
        rich().save(tmp_path / "graph.json")
    assert not (tmp_path / "graph.json").exists()


def test_problems_are_listed_up_to_twenty_and_end_the_reading() -> None:
    """A file with a million mistakes costs no more than one with twenty."""
    edges = [{"from": f"nowhere{i}", "to": "x.in"} for i in range(100_000)]
    with pytest.raises(amp.FileError, match="and perhaps more: the rest was not read") as info:
        amp.Graph.from_dict(json.loads(HEAD + f'"edges": {json.dumps(edges)}}}'))
    assert str(info.value).count("\n") == json_text.MOST_PROBLEMS
    curves = {f"c{i}": 5 for i in range(1000)}
    with pytest.raises(amp.FileError) as info:
        amp.ControlHistory.from_dict({"schema": "amp_lab.controls/1", "curves": curves})
    assert str(info.value).count("\n") < json_text.MOST_PROBLEMS


def edge(**fields: Any) -> Callable[[Any], object]:
    """Change an edge of the graph."""
    return lambda data: data["edges"][0].update(fields)


def tokens(coded: str, shape: Any) -> Callable[[Any], object]:
    """Give an edge initial tokens as coded values."""
    return edge(tokens={"float64": coded, "shape": shape})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edge(delay_frames=2**40), r"\$\.edges\[0\]: .*delay_frames: .*got 1099511627776"),
        (lambda d: d["modulations"][0].update(delay_frames=2**31), r"\$\.modulations\[0\]: .*2147483647"),
        (edge(slot=2**63), r"\$\.edges\[0\]: .*slot"),
        (lambda d: d["edges"].__setitem__(0, {}), r"\$\.edges\[0\]: lacks 'to'"),
        (tokens("AAAA", [1, 1, 2]), r"\$\.edges\[0\]: float64: damaged"),
        (tokens("!", []), r"float64: damaged"),
        (tokens("", [2**40, 0]), r"shape: not allowed"),
        (tokens("", [2**31 - 1] * 3), r"shape: does not fit"),
        (tokens("", 40 * [1]), r"shape: does not fit"),
        (edge(tokens=[[[None, "1"]]]), r"tokens: not numbers"),
        (edge(tokens=[[["1", "2"]]]), r"tokens: not numbers"),
        (edge(gates=["\0"]), r"gates\[0\]: not a name"),
        (lambda d: [e.pop("channel", 0) for e in d["edges"]], r"lacks 'channel', which each edge"),
        (lambda d: d["nodes"]["back"]["params"].update(gain=10**400), r"\$\.nodes\.back\.params\.gain: "),
        (lambda d: d["nodes"]["sound"].update(samples=[[[[0]]]]), r"\$\.nodes\.sound\.samples: "),
        (lambda d: d["nodes"]["sound"].update(params={"channels": 2**40}), r"channels: out of range"),
        (lambda d: d["nodes"].update({"a.b": {"type": "gain"}}), r"\$\.nodes\['a\.b'\]: name: not allowed"),
        (lambda d: d["nodes"].update(os={"type": "__import__('os')"}), r"\$\.nodes\.os: .*no such node type"),
        (lambda d: d["heat"].update(code="import os"), r"\$\.heat\.code: no such key"),
        (lambda d: d.update({"x" * 10_000_000: 1}), r"\$\['x+\.\.\.x+'\]: no such key"),
        (lambda d: d.update(sample_rate=1e300), r"sample_rate: out of range \(got 1e\+300 Hz, "),
        (lambda d: d["controls"]["curves"].update({"\n": {}}), r"\$\.controls\.curves\['\\n'\]: not a curve"),
    ],
)
def test_values_that_are_refused_with_their_place(change: Callable[[Any], object], said: str) -> None:
    """Sizes and counts have limits that are checked before anything is allocated for them."""
    data = json.loads(rich().to_json())
    change(data)
    with pytest.raises(amp.FileError, match=said) as info:
        amp.Graph.from_dict(data)
    assert len(str(info.value)) < 3000


@pytest.mark.parametrize("delay", [2**31 + 1, 2**40, 2**63, 2**64 - 1])
def test_the_native_side_refuses_a_long_delay_by_itself(delay: int) -> None:
    """A blob that Python never checked gets a status, not an allocation."""
    g = amp.Graph()
    a, b = g.constant(), g.gain()
    g.connect(a, b, delay_frames=5)
    g.modulate(a, b.gain, mode="add", delay_frames=5)
    g.output(b)
    plain = g._descriptors()
    late = tuple(replace(link, delay_frames=delay) for link in plain.edges if link.delay_frames)
    for changed in (
        replace(plain, edges=late + tuple(link for link in plain.edges if not link.delay_frames)),
        replace(plain, modulations=(replace(plain.modulations[0], delay_frames=delay),)),
    ):
        said = rf"delay_frames \(got {delay}, allowed 0 to 2147483648\)"
        with pytest.raises(amp.InvalidArgument, match=said):
            Plan.compile(encode(changed), "g", [node.name for node in changed.nodes])


def test_the_longest_delay_costs_addresses_and_no_memory() -> None:
    """Of a ring of 16 GiB only what holds frames is touched; where addresses are few it is refused."""
    g = amp.Graph()
    g.connect(g.constant(), g.gain(name="late"), delay_frames=2**31 - 1)
    g.output(g["late"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(amp.OutOfMemory):
        assert not g.render(frames=10, isolation="none").audio.any()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


# ---- special files, and where sound files may be ----


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A FIFO without a writer: opening it waits for ever."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def test_only_regular_files_are_opened(fifo: Path, tmp_path: Path) -> None:
    """A FIFO, a device, a socket and a folder are refused at once, by every reader, directly or by a link."""
    links = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for i, target in enumerate((fifo, "/dev/zero", tmp_path / "socket", tmp_path)):
            links.append(tmp_path / f"link{i}")
            links[-1].symlink_to(target)
        readers: list[Callable[[Path], object]] = [amp.load, amp.ControlHistory.load]
        readers += [lambda p: npz.read(p, {}), lambda p: sound_reader.read("x", p, 48000.0)]
        readers += [lambda p: amp.Graph().input(samples=p)]
        for path in (*links, fifo, Path("/dev/zero"), tmp_path / "socket", tmp_path):
            for read in readers:
                with pytest.raises(amp.FileError, match="not a regular file"):
                    read(path)


def sound(path: Path, frames: int = 50) -> np.ndarray:
    """Write a sound file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(0).uniform(-1, 1, (frames, 2))
    soundfile.write(path, data, 48_000, subtype="DOUBLE" if path.suffix == ".wav" else "PCM_24")
    return data.T


def graph_file(folder: Path, source: str) -> Path:
    """Write a graph that plays a file."""
    folder.mkdir(exist_ok=True)
    played = {"type": "input", "params": {"source": source, "channels": 2}}
    nodes = {"in": played, "output": {"type": "output"}}
    edges = [{"from": "in.out", "to": "output.in", "slot": 0}]
    text = HEAD + f'"nodes": {json.dumps(nodes)}, "edges": {json.dumps(edges)}}}'
    (folder / "graph.json").write_text(text)
    return folder / "graph.json"


@pytest.mark.parametrize(
    "source", ["../a.wav", "{}/a.wav", "link.wav", "links/a.wav", "sub/../../a.wav", "./../a.wav"]
)
def test_sound_files_elsewhere_are_refused(tmp_path: Path, source: str) -> None:
    """Links are followed before the folder of a file is checked; a named folder allows others."""
    data = sound(tmp_path / "a.wav")
    path = graph_file(tmp_path / "in", source.format(tmp_path))
    (tmp_path / "in" / "link.wav").symlink_to(tmp_path / "a.wav")
    (tmp_path / "in" / "links").symlink_to(tmp_path)
    with pytest.raises(amp.FileError, match=r"graph\.json: \$\.nodes\.in\.params\.source: .*elsewhere"):
        amp.load(path)
    g = amp.load(path, allow_samples_from=tmp_path)
    assert np.array_equal(g.render(frames=50, isolation="none").audio[0], data)


@pytest.mark.parametrize("source", ["http://localhost/a.wav", "file:///etc/passwd", "C://a"])
def test_sound_files_are_no_urls(tmp_path: Path, source: str) -> None:
    """Nothing is fetched, even if anything is allowed."""
    with pytest.raises(amp.FileError, match=r"\$\.nodes\.in\.params\.source: .*is a URL"):
        amp.load(graph_file(tmp_path / "in", source), allow_samples_from="/")


def test_sound_files_are_no_devices(tmp_path: Path, fifo: Path) -> None:
    """Neither when the graph is opened nor when it is rendered, even if the folder is allowed."""
    for source in ("/dev/zero", str(fifo)):
        with pytest.raises(amp.FileError, match=r"params\.source: .*not a regular file"):
            amp.load(graph_file(tmp_path / "in", source), allow_samples_from="/")
    g = amp.load(graph_file(tmp_path / "in", "later.wav"))
    (tmp_path / "in" / "later.wav").symlink_to("/dev/zero")
    with pytest.raises(amp.FileError, match="a file elsewhere"):
        g.render(frames=5, isolation="none")


def test_a_graph_and_its_sounds_move_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved paths are relative to the file's folder, whatever the working directory; the plan has none."""
    data = sound(tmp_path / "one" / "sounds" / "a.wav")
    monkeypatch.chdir(tmp_path / "one" / "sounds")
    g = amp.Graph()
    g.output(g.input(samples="a.wav", name="in"))
    g.save(tmp_path / "one" / "graph.json")
    monkeypatch.chdir(tmp_path)
    shutil.move(tmp_path / "one", tmp_path / "two")
    moved = amp.load("two/graph.json")
    assert json.loads(Path("two/graph.json").read_text())["nodes"]["in"]["params"]["source"] == "sounds/a.wav"
    assert moved["in"].params["source"] == str(tmp_path / "two" / "sounds" / "a.wav")
    assert np.array_equal(moved.inputs()["in"][0], data)
    assert moved.compile().digest == g.compile().digest
    for again in (pickle.loads(pickle.dumps(moved)), moved.copy()):
        assert np.array_equal(again.inputs()["in"][0], data)
    names: dict[str, Any] = {}
    exec(moved.to_code(), names)
    assert names["g"].to_dict() == moved.to_dict()
    assert np.array_equal(pickle.loads(pickle.dumps(g)).inputs()["in"][0], data), "read when it was given"
    moved.save(tmp_path / "graph.json")
    assert np.array_equal(amp.load(tmp_path / "graph.json").inputs()["in"][0], data)


def test_a_graph_behind_a_link_has_its_sounds_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is relative to the file, not to a link to it nor to the working folder; saving keeps that."""
    data = sound(tmp_path / "one" / "a.wav")
    path = graph_file(tmp_path / "one", "a.wav")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "link.json").symlink_to(path)
    sound(tmp_path / "two" / "a.wav", frames=3)
    monkeypatch.chdir(tmp_path / "two")
    g = amp.load("link.json")
    assert np.array_equal(g.inputs()["in"][0], data)
    g.save("link.json")
    assert json.loads(path.read_text())["nodes"]["in"]["params"]["source"] == "a.wav"
    assert Path("link.json").is_symlink() and np.array_equal(amp.load(path).inputs()["in"][0], data)


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "text", "sound", "list"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, kind: str) -> None:
    """For every expected kind: a graph, a control history, a schedule or a sound."""
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "sound":
        sound(tmp_path / "a.wav")
        (tmp_path / "a.wav").rename(path)
    elif kind != "missing":
        path.write_text({"empty": "", "text": "hello world", "list": '["stages"]'}[kind])
    readers: list[Callable[[Path], object]] = [
        amp.load,
        amp.ControlHistory.load,
        amp.Schedule.from_json,
        lambda p: sound_reader.read("x", p, 8000.0 if kind == "sound" else 48_000.0),
    ]
    for read in readers:
        with pytest.raises(amp.AmpError, match=r"^(x: .*)?'?/.*/thing'?[:, ]") as info:
            read(path)
        assert len(str(info.value).splitlines()) == 1


def test_values_without_a_folder_read_no_file(tmp_path: Path) -> None:
    """A graph from values or text can be read; it plays only files from the named folder."""
    data = sound(tmp_path / "a.wav")
    text = graph_file(tmp_path, "a.wav").read_text()
    for source in (text, text.replace("a.wav", str(tmp_path / "a.wav"))):
        g = amp.Graph.from_json(source)
        with pytest.raises(amp.FileError, match=r"a file elsewhere .* none: it came without a folder"):
            g.render(frames=5, isolation="none")
        with pytest.raises(amp.FileError, match="a file elsewhere"), g.session(isolation="none"):
            pass
        named = amp.Graph.from_json(source, allow_samples_from=tmp_path)
        assert np.array_equal(named.inputs()["in"][0], data)


def test_the_command_asks_for_sound_files_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`amp-lab render` reads them only from the folder that `--allow-samples-from` names."""
    sound(tmp_path / "a.wav")
    path = graph_file(tmp_path / "in", "../a.wav")
    command = ["render", str(path), "--frames", "5", "-o", str(tmp_path / "out.wav"), "--isolation", "none"]
    assert cli.main(command) == command_line.USAGE
    assert "a file elsewhere" in capsys.readouterr().err
    assert cli.main([*command, "--allow-samples-from", str(tmp_path)]) == cli.OK


# ---- sound files ----


def flac(path: Path, total: int, frames: int = 5000, keep: int | None = None) -> Path:
    """Write a FLAC whose header announces another length; 0 means unknown."""
    sound(path, frames)
    data = bytearray(path.read_bytes())
    packed = int.from_bytes(data[18:26], "big")  # rate, channels, bits and 36 bits of length
    data[18:26] = ((packed >> 36 << 36) | total).to_bytes(8, "big")
    path.write_bytes(data[:keep])
    return path


def test_a_sound_file_is_counted_before_it_is_unpacked(tmp_path: Path) -> None:
    """The header's length is checked first; where it is unknown, what comes out is counted."""
    with pytest.raises(amp.FileError, match=r"too long \(got 68719476735 frames x 2 channels"):
        sound_reader.read("x", flac(tmp_path / "long.flac", 2**36 - 1), 48000.0)
    unknown = flac(tmp_path / "unknown.flac", 0)
    assert sound_reader.read("x", unknown, 48000.0).shape == (1, 2, 5000)
    with pytest.raises(amp.FileError, match=r"too long \(got more than 0 frames x 2 channels, allowed 9999"):
        sound_reader.read("x", unknown, 48000.0, 9999)
    assert sound_reader.read("x", unknown, 48000.0, 10_000).shape == (1, 2, 5000)
    with pytest.raises(amp.FileError, match=r"ends too early \(got 5000 frames, its header says 5001\)"):
        sound_reader.read("x", flac(tmp_path / "short.flac", 5001), 48000.0)
    with pytest.raises(amp.FileError, match="cannot read"):
        sound_reader.read("x", flac(tmp_path / "cut.flac", 5000, keep=9000), 48000.0)


def test_all_files_of_a_graph_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that plays one long file a hundred times is refused, too."""
    sound(tmp_path / "a.wav", 100)
    nodes = {f"in{i}": {"type": "input", "params": {"source": "a.wav", "channels": 2}} for i in range(3)}
    path = tmp_path / "graph.json"
    path.write_text(HEAD + f'"nodes": {json.dumps(nodes)}}}')
    g = amp.load(path)
    assert len(g.inputs()) == 3
    monkeypatch.setattr(sound_reader, "MOST_VALUES", 599)
    with pytest.raises(amp.FileError, match=r"in2\.samples: .*too long .*allowed 199"):
        g.inputs()


@pytest.mark.parametrize(
    "head", [b"", b"RIF", b"\x80\x04\x95.", b"import os", b"RIFF" + bytes(60), b"fLaC" + bytes(99)]
)
def test_what_is_no_sound_file(tmp_path: Path, head: bytes) -> None:
    """Five kinds of files go to the decoder; all others do not reach it."""
    (tmp_path / "a.wav").write_bytes(head)
    with pytest.raises(amp.FileError, match=r"input\.samples: cannot read .*a\.wav"):
        amp.Graph().input(samples=tmp_path / "a.wav")


def test_a_wav_that_announces_more_than_it_holds(tmp_path: Path) -> None:
    """The frames that exist are played, as every player does."""
    data = sound(tmp_path / "a.wav")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", 0xFFFFFFF0)
    (tmp_path / "a.wav").write_bytes(content)
    assert np.array_equal(sound_reader.read("x", tmp_path / "a.wav", 48000.0)[0], data)


# ---- npz ----


def saved(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write the arrays of a golden's reference, changed."""
    data = codec.encode("x", np.arange(8.0).reshape(1, 2, 4), {"a": np.arange(4, dtype=np.uint16)})
    with np.load(io.BytesIO(data)) as archive:
        arrays: dict[str, Any] = dict(archive)
    change(arrays)
    np.savez_compressed(path, **arrays)
    return path


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.update(planes=np.array([Bomb()])), "planes: no array as numpy writes it"),
        (lambda a: a.update({"x": np.zeros(1)}), r"does not belong here \(got 'x\.npy'"),
        (lambda a: a.update(planes=a["planes"].astype(np.float32)), "planes: another kind of array"),
        (lambda a: a.update(planes=a["planes"][:, :-1]), "do not fit together"),
        (lambda a: a.update(shape=np.array([2**31, 2**31, 4])), "do not fit together"),
        (lambda a: a.update(shape=np.array([-1, 2, -4])), "do not fit together"),
        (lambda a: a.update(shape=np.array([8])), "do not fit together"),
        (lambda a: a.update(order=np.array(2**62)), "do not fit together"),
        (lambda a: a.update(order=np.array([1])), "order: another kind of array"),
        (lambda a: a.pop("planes"), "do not fit together"),
        (lambda a: a.update({"loop/a": np.zeros(5, np.uint16)}), "loop/a: has not 4 frames"),
    ],
)
def test_arrays_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    """Names, types and sizes are checked one by one; no object is ever unpickled."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(amp.FileError, match=rf"reference\.npz: .*{said}"):
        codec.decode("reference.npz", saved(tmp_path / "reference.npz", change).read_bytes())
    assert not (tmp_path / "ran").exists()


def archive(path: Path, members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip file with these members."""
    with zipfile.ZipFile(path, "w", method) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a name comes twice is what is tested
        for name, data in members:
            made.writestr(name, data)
    return path


def member(descr: str, shape: str, size: int) -> bytes:
    """Return a member as numpy writes it, with the given header."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + bytes(size)


MEMBERS = {"a": ("f8", 1)}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (member("<f8", "(1,)", 8)[:20], "a: no array"),
        (member("<f8", "(2,)", 8), "a: another size"),
        (member("<f8", "(99999999999999999999999,)", 8), "a: no array"),
        (member("<f8", f"({2**61},)", 8), "a: another size"),
        (member("<f8", "(1, 1)", 8), "a: another kind"),
        (member("|O", "(1,)", 8), "a: no array"),
        (member("<f8", "(__import__('os').mkdir('ran'),)", 8), "a: no array"),
        (member("<f8", "(" + 100 * "(" + ",)", 8), "a: no array"),
        (member("<f8", "(1,)", 8).replace(b"NUMPY\x01", b"NUMPY\x03"), "a: no array"),
    ],
)
def test_headers_of_arrays_that_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    """A header is read as numpy writes it and not as Python, so it can contain only values."""
    with pytest.raises(amp.FileError, match=said):
        npz.read(archive(tmp_path / "x.npz", [("a.npy", data)]), MEMBERS)
    good = npz.read(archive(tmp_path / "x.npz", [("a.npy", member("<f8", "(1,)", 8))]), MEMBERS)
    assert good["a"].tolist() == [0.0]


def test_archives_that_are_refused(tmp_path: Path) -> None:
    """Two members of one name, other packing, not a zip, a directory larger than the limit."""
    path, whole = tmp_path / "x.npz", ("a.npy", member("<f8", "(1,)", 8))
    with pytest.raises(amp.FileError, match="holds an array twice"):
        npz.read(archive(path, [whole, whole]), MEMBERS)
    with pytest.raises(amp.FileError, match="stored or deflated"):
        npz.read(archive(path, [whole], zipfile.ZIP_LZMA), MEMBERS)
    path.write_bytes(b"PK\x01\x02" * (npz.MOST_MEMBERS + 1))
    with pytest.raises(amp.FileError, match="too many arrays"):
        npz.read(path, MEMBERS)
    for damaged in (b"", b"PK\x05\x06" + bytes(18)[:9], b"\x80\x04\x95" + bytes(99)):
        path.write_bytes(damaged)
        with pytest.raises(amp.FileError, match="no readable npz"):
            npz.read(path, MEMBERS)
    archive(path, [whole])
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24  # unpacked size in the list of contents
    content[at : at + 4] = struct.pack("<I", 0xFFFFFFFE)
    path.write_bytes(content)
    with pytest.raises(amp.FileError, match=r"unpacks to too much \(got 4294967294 bytes"):
        npz.read(path, MEMBERS)


# ---- goldens ----


@pytest.fixture(scope="module")
def blessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of goldens with one case, made of a graph that plays a file."""
    root = tmp_path_factory.mktemp("hostile") / "goldens"
    root.mkdir()
    g = amp.Graph()
    sound(root.parent / "a.wav", 200)
    g.output(g.gain(g.input(samples=root.parent / "a.wav"), gain=0.5))
    golden.store("case", g.render(frames=200, isolation="none"), reason="first", graph=g, goldens=root)
    return root


def test_a_golden_of_a_sound_file_is_complete_by_itself(blessed: Path) -> None:
    """The samples are in the case, not their path, so it passes wherever it is copied to."""
    text = (blessed / "case" / "graph.json").read_text()
    assert "a.wav" not in text and '"float64"' in text
    assert repr(golden.verdicts(goldens=blessed)[0]) == "case: PASS exact 200 frames x 2 channels"


def changed(case: Path, change: Callable[[Any], object]) -> None:
    """Change a manifest and update the digests of its files, as an attacker would."""
    path = case / "manifest.json"
    data = json.loads(path.read_text())
    for name in data["files"]:
        with contextlib.suppress(OSError):
            data["files"][name] = hashlib.sha256((case / name).read_bytes()).hexdigest()
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update(digest=5), r"\$\.digest: damaged"),
        (lambda m: m["render"].update(frames=2**40), r"\$\.render: not allowed \(got 1099511627776"),
        (lambda m: m["render"].update(frames=2**20, batches=2**20), r"\$\.render: not allowed"),
        (lambda m: m["render"].update(frames=True), r"\$\.render\.frames: damaged"),
        (lambda m: m["comparator"].update(name="__import__('os')"), r"\$\.comparator: .*no such comparator"),
        (lambda m: m["comparator"].update(limits={"result": 1}), r"\$\.comparator: exact: no such limit"),
        (lambda m: m["comparator"].update(name="max_abs", reason="r", limits={"abs_tol": "x"}), "comparator"),
        (lambda m: m["comparator"].update(name=[]), r"\$\.comparator\.name: damaged"),
        (lambda m: m["blessed"].update(by={}), r"\$\.blessed\.by: damaged"),
        (lambda m: m["files"].update({"../../x": "0"}), r"\$\.files\['\.\./\.\./x'\]: damaged"),
        (lambda m: m["files"].update({"sums.txt": None}), r"\$\.files\['?\.?sums\.txt'?\]?: damaged"),
        (lambda m: m.update(schema=[2]), "unknown schema"),
    ],
)
def test_a_hostile_manifest_is_a_failed_verdict(
    blessed: Path,
    tmp_path: Path,
    change: Callable[[Any], object],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`check` and `verdicts` raise nothing; the list and `update` report the place."""
    root = shutil.copytree(blessed, tmp_path / "goldens")
    changed(root / "case", change)
    for verdict in golden.verdicts(goldens=root):
        assert repr(verdict) == "case: ERROR damaged" and re.search(said, str(verdict)), str(verdict)
    assert not golden.check("case", rich().render(frames=5, isolation="none"), goldens=root)
    assert cli.main(["golden", "list", "--goldens", str(root)]) == cli.FAILED
    assert "FAILED" in capsys.readouterr().out
    with pytest.raises(amp.FileError, match=said):
        golden.update("case", reason="r", goldens=root)


@pytest.mark.parametrize("file", ["graph.json", "reference.npz", "sums.txt", "controls.json"])
@pytest.mark.parametrize("target", ["/dev/zero", "fifo", "nowhere"])
def test_a_file_of_a_golden_that_is_none(
    blessed: Path, tmp_path: Path, fifo: Path, file: str, target: str
) -> None:
    """A link to a device or FIFO in a case neither hangs nor fills the memory."""
    root = shutil.copytree(blessed, tmp_path / "goldens")
    (root / "case" / file).unlink(missing_ok=True)
    (root / "case" / file).symlink_to(tmp_path / target)
    assert not golden.verdicts(goldens=root)[0]
    assert not golden.check("case", rich().render(frames=5, isolation="none"), goldens=root)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("graph.json", b"{}"),
        ("graph.json", 9999 * b"["),
        ("sums.txt", b"\xff"),
        ("sums.txt", b"# amp_lab golden sums 1: x\n"),
        ("reference.npz", b"PK"),
    ],
)
def test_a_golden_with_contents_of_another_kind(
    blessed: Path, tmp_path: Path, file: str, content: bytes
) -> None:
    """Even if the manifest has its digest."""
    root = shutil.copytree(blessed, tmp_path / "goldens")
    (root / "case" / file).write_bytes(content)
    changed(root / "case", lambda manifest: None)
    (verdict,) = golden.verdicts(goldens=root)
    assert repr(verdict) == "case: ERROR damaged"
    assert not golden.check("case", rich().render(frames=5, isolation="none"), goldens=root)


def test_a_golden_that_would_fill_the_memory_is_not_rendered(
    blessed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small reference of a long silence and a graph of many nodes: the streams are counted first."""
    monkeypatch.setattr(replay, "MOST_STREAMS", 3 * 2 * 200 * 8 - 1)
    (verdict,) = golden.verdicts(goldens=blessed)
    assert "case: too much to be rendered again (got 9600 bytes of node streams" in str(verdict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool = 5", None),
        ("[tool.amp_lab]\ngoldens = 5", r"tool\.amp_lab\.goldens: no path \(got 5"),
        ("[tool", "not TOML"),
        ("x = " + 5000 * "[", "not TOML"),
        ("\0", "not TOML"),
    ],
)
def test_a_hostile_pyproject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str | None
) -> None:
    """The search for the folder of goldens reads files of unknown origin, too."""
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(amp.FileError if said else golden.GoldenError, match=said):
        folders.find(start=tmp_path)


# ---- nothing runs, and what it costs ----

WATCH = """
import json, sys
import numpy as np
import amp_lab as amp
from amp_lab import golden, presets
graph, controls, root = sys.argv[1:]

def use():
    amp.load(graph).inputs()
    amp.ControlHistory.load(controls)
    amp.Schedule.from_json('{"stages": [[["a"]]]}')
    presets.three_osc()
    golden.check("case", amp.load(graph).render(frames=5, isolation="none"), goldens=root)
    golden.verdicts(goldens=root)
    try:
        amp.Graph.from_json('{"schema": "amp_lab.graph/1", "nodes": {"os": {"type": "os.system(1)"}}}')
    except amp.FileError:
        pass

use()  # what is ours is imported now
seen = set()
armed = False
def hook(event, arguments):
    if not armed:
        return
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        event = f"open for writing {arguments[0]}" if str(arguments[1]) not in ("r", "rb", "None") else "open"
    seen.add(event)
sys.addaudithook(hook)
armed = True
use()
armed = False
print(json.dumps(sorted(seen)))
"""
HARMLESS = {"builtins.id", "open", "os.listdir", "os.scandir", "object.__getattr__", "time.sleep"}


def test_nothing_that_is_opened_or_replayed_runs_code(blessed: Path, tmp_path: Path) -> None:
    """Python's audit events of a second run name no import, no code, no pickle, no process, no socket."""
    path = rich().save(tmp_path / "graph.json")
    history = rich().controls
    assert history is not None
    command = [
        sys.executable,
        "-P",
        "-c",
        WATCH,
        str(path),
        str(history.save(tmp_path / "c.json")),
        str(blessed),
    ]
    own = {key: value for key, value in os.environ.items() if key != usage.ENVIRONMENT}
    own["AMP_ISOLATION"] = "none"  # else what a worker of ours is sent is a pickle, too
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=own)
    events = set(json.loads(done.stdout.splitlines()[-1]))
    assert "open" in events
    assert events <= HARMLESS, events - HARMLESS


BOMBS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
import amp_lab as amp
from amp_lab.common import npz
from amp_lab.graph.records import sound_reader
for kind, path in zip(sys.argv[1::2], sys.argv[2::2]):
    read = {"json": amp.load, "npz": lambda p: npz.read(p, {"a.*": ("f8", 1)}),
            "sound": lambda p: sound_reader.read("x", p, 48000.0)}[kind]
    try:
        read(path)
        print("read", path)
    except amp.FileError as error:
        print("refused", error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB at most")
"""


def test_bombs_stay_small(tmp_path: Path) -> None:
    """Small files that would unpack to gigabytes, all read by one process of 3 GiB: it refuses each."""
    soundfile.write(tmp_path / "bomb.flac", np.zeros((2**21, 8), np.int16), 48_000, subtype="PCM_16")
    data = bytearray((tmp_path / "bomb.flac").read_bytes())
    data[18:26] = ((int.from_bytes(data[18:26], "big") >> 36 << 36) | 5 * 2**27).to_bytes(8, "big")
    (tmp_path / "bomb.flac").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for i in range(33):
            made.writestr(f"a{i}.npy", member("<f8", f"({2**21},)", 2**24))
    (tmp_path / "long.json").write_text("[" + 30_000_000 * "[],")
    (tmp_path / "deep.json").write_text(50_000_000 * "[")
    (tmp_path / "digits.json").write_text('{"schema": ' + 50_000_000 * "9" + "}")
    (tmp_path / "quotes.json").write_text(65 * "[" + r'"\"' + 20_000_000 * r"\"")
    (tmp_path / "name.json").write_text(HEAD + '"nodes": {"' + 50_000_000 * "é" + '": {"type": "gain"}}}')
    kinds = {"flac": "sound", "npz": "npz", "json": "json"}
    files = sorted(tmp_path.iterdir())
    pairs = [part for file in files for part in (kinds[file.suffix[1:]], str(file))]
    command = [sys.executable, "-P", "-c", BOMBS, *pairs]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *lines, cost = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["refused"] * len(files), done.stdout
    assert int(cost.split()[0]) < 1200, cost


# ---- mutations ----

TEXT = rich().to_json()
SPLICES = (
    "{",
    "}",
    "[",
    "]",
    '"',
    ",",
    ":",
    "1e999",
    "NaN",
    "null",
    "true",
    '{"curve": 5}',
    "\\ud800",
    "\0",
    "[" * 99,
)
SPLICES += (
    "9" * 400,
    "-1",
    "18446744073709551616",
    "1e308",
    '{"float64": "AAAA", "shape": [1]}',
    "[[[null]]]",
)


def reads_or_refuses(read: Callable[[], object]) -> None:
    """Run a reader: it returns, or raises the one class for files."""
    try:
        read()
    except amp.FileError as error:
        assert str(error) and len(str(error)) < 20 * 2000


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 40), st.sampled_from(SPLICES)), max_size=4)
)
def test_mutated_texts_are_read_or_refused(cuts: list[tuple[int, int, str]]) -> None:
    """Any part of a graph's text removed or inserted."""
    text = TEXT
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    reads_or_refuses(lambda: amp.Graph.from_json(text))
    reads_or_refuses(lambda: amp.ControlHistory.from_json(text))


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([2**40, 10**400, -(10**400), 2**63]),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["back.out", "mix.in", "flt", "gain", "lowpass", "http://x", "../x", "a" * 5000]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a tree of JSON values."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


PLACES = [place for place in places(json.loads(TEXT)) if place]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3))
def test_mutated_values_are_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """Any value at any place of a graph; what can be read can be written, and compiles or reports why not."""
    data = json.loads(TEXT)
    for place, value in changes:
        with contextlib.suppress(LookupError, TypeError):  # an earlier change took the place away
            inner = data
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
    try:
        g = amp.Graph.from_dict(data, allow_samples_from="/nowhere")
    except amp.FileError:
        return
    assert amp.Graph.from_json(g.to_json()).to_dict() == g.to_dict()
    with contextlib.suppress(amp.AmpError):
        g.compile()


def reference() -> bytes:
    """The bytes of a golden's reference."""
    stream = io.BytesIO()
    arrays = {"planes": np.zeros((8, 8), np.uint8), "order": np.array(0), "shape": np.array([1, 2, 4])}
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


REFERENCE = reference()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(REFERENCE)), st.integers(0, 8), st.binary(max_size=8)),
        min_size=1,
        max_size=4,
    )
)
def test_mutated_archives_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, bytes]]
) -> None:
    """Any part of an npz file removed or inserted."""
    data = REFERENCE
    for at, length, put in cuts:
        data = data[:at] + put + data[at + length :]
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    path.write_bytes(data)
    reads_or_refuses(lambda: codec.decode("x", path.read_bytes()))


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([".wav", ".flac"]),
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4
    ),
)
def test_mutated_sound_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, cuts: list[tuple[int, int, bytes]]
) -> None:
    """Any part of a sound file's header removed or inserted."""
    path = tmp_path_factory.getbasetemp() / f"mutated{suffix}"
    sound(path, 20)
    data = path.read_bytes()
    for at, length, put in cuts:
        data = data[:at] + put + data[at + length :]
    path.write_bytes(data)
    reads_or_refuses(lambda: sound_reader.read("x", path, 48000.0))
