"""Mistakes a newcomer makes: every error names the place, what was given, and the cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import amp_lab as amp
from amp_lab.cli import command_line
from amp_lab.cli import commands as cli
from amp_lab.graph.records.curves import performance
from amp_lab.render import prepare


def tone(**options: Any) -> amp.Graph:
    """A sine through a gain, rendered in this process."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0), gain=0.5), **options)
    return g


@pytest.fixture(scope="module")
def short() -> amp.Render:
    """Two batches of a few frames."""
    return tone().render(frames=64, batches=2, isolation="none")


class TestRender:
    """Arguments of `Graph.render`."""

    def test_a_graph_without_output_and_taps_is_refused(self) -> None:
        """There would be no output; a tap is enough."""
        g = amp.Graph(name="t")
        g.sine()
        with pytest.raises(
            amp.GraphError, match=r"t: has no output node\. End it with g\.output\(node\), or "
        ):
            g.render(frames=8, isolation="none")
        assert g.render(frames=8, taps="all", isolation="none").taps["sine"].shape == (1, 1, 8)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"frames": 1.5}, r"tone\.render\.frames: not allowed \(got 1\.5"),
            ({"frames": "a"}, r"tone\.render\.frames: not allowed \(got 'a'"),
            ({"frames": True}, r"tone\.render\.frames: not allowed \(got True"),
            ({"seconds": "1"}, r"tone\.render\.seconds: not a number \(got '1'"),
            ({"seconds": float("nan")}, r"tone\.render\.seconds: not a number \(got nan"),
            ({"seconds": float("inf")}, r"tone\.render\.seconds: not a number \(got inf"),
            ({"seconds": 1e308}, r"tone\.render\.seconds: out of range \(got 1e\+308 s"),
            ({"frames": 8, "batches": 2**33}, r"batches: not allowed .*from 1 to 2147483647"),
            ({"seconds": -1}, r"tone\.render\.seconds: out of range \(got -1 s"),
            ({"frames": 8, "batches": 1.5}, r"tone\.render\.batches: not allowed \(got 1\.5"),
            ({"frames": 8, "trace": "x"}, r"tone\.render\.trace: not allowed \(got 'x', allowed True"),
            ({"frames": 8, "heat": 1}, r"tone\.render\.heat: not allowed \(got 1"),
            ({"frames": 8, "taps": 3}, r"tone\.render\.taps: not allowed \(got 3"),
            ({"frames": 8, "controls": {}}, r"tone\.render\.controls: not a control history \(got dict"),
            ({"frames": 8, "out": [0.0]}, r"tone\.render\.out: not an array"),
        ],
    )
    def test_a_value_of_the_wrong_kind(self, options: dict[str, Any], message: str) -> None:
        """The argument is named."""
        with pytest.raises(amp.AmpError, match=message):
            tone().render(**{"isolation": "none", **options})

    @pytest.mark.parametrize("isolation", ["none", "process"])
    def test_more_frames_than_memory(self, isolation: Any) -> None:
        """The error has the number of requested bytes."""
        with pytest.raises(amp.OutOfMemory, match=r"got \d{15} bytes"):
            tone().render(seconds=1e9, isolation=isolation)

    def test_controls_that_are_none(self) -> None:
        """A dict of curves is no control history."""
        with pytest.raises(amp.GraphError, match=r"tone\.controls: not a control history \(got dict.*Write"):
            tone().controls = {"a": 1}  # type: ignore[assignment]

    @pytest.mark.parametrize("other", ["x", None, tone])
    def test_a_comparison_with_something_else(self, short: amp.Render, other: Any) -> None:
        """Only renders and arrays can be compared."""
        with pytest.raises(amp.GraphError, match=r"tone\.compare: not a reference"):
            short.compare(other)


class TestGraph:
    """Arguments of builders, `connect` and `modulate`."""

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda g: amp.Graph(sample_rate="48k"), r"Graph\.sample_rate: not a number \(got '48k'"),
            (lambda g: amp.Graph(heat_budget_w="1"), r"heat_budget_w: not a number \(got '1'"),
            (lambda g: g.sine(name=3), r"name: not allowed \(got 3"),
            (lambda g: g.svf(q=True), r"svf\.q: not a number, array or curve \(got True"),
            (lambda g: g.svf(cutoff_hz="900"), r"svf\.cutoff_hz: not a number.*got '900'"),
            (lambda g: g.svf(cutoff_hz=["900"]), r"svf\.cutoff_hz: not a number"),
            (
                lambda g: g.svf(cutoff_hz=0),
                r"svf\.cutoff_hz: out of range \(got 0 Hz, allowed 1 to 0\.49 fs\)",
            ),
            (lambda g: g.svf(q=0), r"svf\.q: out of range \(got 0, allowed 0\.1 to 1000\)"),
            (lambda g: g.svf(q=None), r"svf\.q: not a number, array or curve \(got None"),
            (lambda g: g.svf(q=amp.curve(3)), r"curve: not a name \(got 3"),
            (lambda g: g.svf(q=amp.batch("x")), r"batch: not numbers \(got 'x'"),
            (lambda g: g.input(samples=["a"]), r"input\.samples: not numbers \(got \['a'\]"),
            (lambda g: g.noise(seed=True), r"noise\.seed: not a whole number \(got True"),
            (lambda g: g.gain(thermo=3), r"gain_2\.thermo: not heat constants \(got 3"),
            (lambda g: g.add(["svf"]), r"no such node type"),
            (lambda g: g.connect("sine", 3), r"node: not a node \(got 3"),
            (lambda g: g.connect("sine", "gain", slot=1.5), r"gain\.in\.slot: not allowed \(got 1\.5"),
            (
                lambda g: g.connect("sine", "gain", delay_frames=1.5),
                r"gain\.in\[1\]\.delay_frames: not allowed \(got 1\.5",
            ),
            (
                lambda g: g.connect("sine", "gain", gates="x"),
                r"gates: not allowed \(got 'x'.*\['name', \.\.\.\]",
            ),
            (lambda g: g.connect("sine", "gain", kappa="1"), r"kappa: not a number \(got '1'"),
            (lambda g: g.connect("sine", "gain", tokens="a"), r"tokens: not numbers \(got 'a'"),
            (
                lambda g: g.modulate("sine", g["gain"].gain, mode="add", scale="x"),
                r"gain\.gain\[0\]\.scale: not a number \(got 'x'",
            ),
            (
                lambda g: g.modulate("sine", g["gain"].gain, mode="add", channel=0.5),
                r"gain\.gain\[0\]\.channel: not allowed \(got 0\.5",
            ),
            (lambda g: g.change("gain.in[0]", delay_frames="2"), r"delay_frames: not allowed \(got '2'"),
        ],
    )
    def test_a_value_of_the_wrong_kind(self, build: Callable[[amp.Graph], object], message: str) -> None:
        """The error names the argument; the graph is unchanged."""
        g = tone()
        before = g.to_dict()
        with pytest.raises(amp.GraphError, match=message):
            build(g)
        assert g.to_dict() == before

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda g: g.input(np.zeros(4), np.zeros(4)), r"given twice.*Write g\.input\(np\.stack\("),
            (lambda g: g.input(np.zeros(4), samples=[0.0]), r"input: samples are given twice \(got 2 values"),
            (lambda g: g.input(g["sine"]), r"input: plays samples and has no input port \(got Node sine"),
            (lambda g: g.mix([g["sine"], g["gain"]]), r"Write g\.mix\(\*nodes\)"),
            (lambda g: g.svf(g["sine"], 900.0), r"go by keyword \(.*cutoff_hz=.*q="),
            (lambda g: g.pan(g["sine"], pan=0.5), r"Did you mean 'position'\?"),
            (lambda g: g.pan(g["sine"], freq=0.5), r"\)\. Use one of these\.$"),
        ],
    )
    def test_a_way_of_writing_another_program_has(
        self, build: Callable[[amp.Graph], object], message: str
    ) -> None:
        """The error shows the call that works here."""
        with pytest.raises(TypeError, match=message):
            build(tone())

    def test_only_near_names_are_suggested(self) -> None:
        """A word that is not similar to any name gets no suggestion."""
        with pytest.raises(amp.GraphError) as caught:
            amp.Graph().add("nope")
        assert "Did you mean" not in str(caught.value)


class TestCurves:
    """`Curve` and `ControlHistory`."""

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: amp.ControlHistory([1]), r"ControlHistory: not a curve \(got 1.*Write ControlHistory"),
            (lambda: amp.ControlHistory(1), r"ControlHistory: not a curve \(got 1"),
            (lambda: amp.ControlHistory({"a": 1}), r"ControlHistory: not a curve"),
            (lambda: amp.Curve("x", ["a"], [1]), r"curve 'x'\.times_s: not numbers \(got \['a'\]"),
            (
                lambda: amp.Curve.drawn("x", [1, 2, 3, 4]),
                r"curve 'x'\.points: have the wrong shape \(got \(4,\)",
            ),
            (lambda: amp.Curve.drawn("x", [(0, 1), (1,)]), r"curve 'x'\.points: not numbers"),
            (lambda: amp.Curve.drawn("x", 3), r"curve 'x'\.points: have the wrong shape"),
            (lambda: amp.Curve.sampled("x", [1.0], 0), r"curve 'x'\.rate_hz: out of range \(got 0 Hz"),
        ],
    )
    def test_something_that_is_no_curve(self, build: Callable[[], object], message: str) -> None:
        """The error describes what a curve consists of."""
        with pytest.raises(amp.GraphError, match=message):
            build()

    def test_files_code_and_copies_keep_the_controls(self, tmp_path: Path) -> None:
        """A loaded graph renders the same digest without being given its curves again."""
        g = amp.presets.three_osc()
        names: dict[str, Any] = {}
        exec(g.to_code(), names)
        want = g.render(seconds=0.2, isolation="none").digest
        for again in (amp.load(g.save(tmp_path / "g.json")), names["g"], g.copy()):
            assert again.controls == g.controls == performance()
            assert again.render(seconds=0.2, isolation="none").digest == want

    def test_long_curves_survive_code(self) -> None:
        """Curves of many points are written as bits."""
        g = tone()
        g.controls = amp.ControlHistory(
            [amp.Curve.sampled("x", np.random.default_rng(0).normal(size=99), 10.0)]
        )
        names: dict[str, Any] = {}
        exec(g.to_code(), names)
        assert names["g"].controls == g.controls


class TestFiles:
    """JSON and sound files."""

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, r"a\.json: No such file or directory\. Give the path of a JSON file"),
            (b'{\n "a": }', r"a\.json: not JSON \(Expecting value at line 2, column 7\)\. Correct it"),
            (b"\xff\xfe\x00", r"a\.json: not a text file \(byte 0 is not UTF-8, line 1\)"),
        ],
    )
    @pytest.mark.parametrize("load", [amp.load, amp.ControlHistory.load])
    def test_a_file_that_is_no_json(
        self, tmp_path: Path, content: bytes | None, message: str, load: Callable[[Path], object]
    ) -> None:
        """Path, line, column and cure; the command prints the same in one line."""
        path = tmp_path / "a.json"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(amp.GraphError, match=message):
            load(path)

    @pytest.mark.parametrize("name", [".", "nowhere.json"])
    def test_the_command_says_it_in_one_line(
        self, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A folder or a missing file is wrong use, as graph and as controls."""
        graph = tone().save(tmp_path / "tone.json")
        for arguments in ([tmp_path / name], [graph, "--controls", tmp_path / name]):
            code = cli.main([str(a) for a in ("render", *arguments, "--frames", 8, "-o", tmp_path / "a.wav")])
            assert (code, capsys.readouterr().err.count("\n")) == (command_line.USAGE, 1)

    def test_text_that_is_no_json(self) -> None:
        """Texts have no path."""
        with pytest.raises(amp.GraphError, match=r"JSON text: not JSON \(.* at line 1, column 1\)"):
            amp.Graph.from_json("graph")
        with pytest.raises(amp.GraphError, match=r"JSON text: cannot be read as JSON"):
            amp.Graph.from_json(3)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda d: d["edges"][0].update({"to": -7}), r"\$\.edges\[0\]: to: not a place \(got -7"),
            (lambda d: d["edges"][0].update({"from": -7}), r"\$\.edges\[0\]: source: not a source"),
            (lambda d: d["edges"][0].update({"gates": "x"}), r"\$\.edges\[0\]: .*gates: not allowed"),
            (lambda d: d["edges"][0].update({"slot": "x"}), r"\$\.edges\[0\]: .*slot: not allowed"),
            (lambda d: d["edges"].append(None), r"\$\.edges\[2\]: wrong kind \(got NoneType, allowed dict"),
            (
                lambda d: d["nodes"]["gain"].update({"type": []}),
                r"\$\.nodes\.gain: type: no such node type \(got \[\]",
            ),
            (lambda d: d["nodes"]["gain"].update({"thermo": 5}), r"\$\.nodes\.gain: gain\.thermo: not heat"),
            (lambda d: d["nodes"]["gain"].update({"params": 5}), r"\$\.nodes\.gain\.params: wrong kind"),
            (
                lambda d: d["nodes"]["gain"].update({"params": {"gain": {"curve": 5}}}),
                r"\$\.nodes\.gain\.params\.gain: curve: not a name \(got 5",
            ),
            (lambda d: d.update({"heat": 5}), r"\$\.heat: wrong kind \(got int, allowed dict\)"),
            (lambda d: d.update({"sample_rate": "48k"}), r"\$: Graph\.sample_rate: not a number"),
            (lambda d: d.update({"name": 7}), r"\$: name: not allowed \(got 7"),
            (lambda d: d.update({"controls": 5}), r"\$\.controls\.schema: not a control history \(got 'int'"),
            (
                lambda d: d.update({"controls": {"schema": "amp_lab.controls/1", "curves": {"x": 5}}}),
                r"\$\.controls\.curves\.x: not a curve \(got 5",
            ),
        ],
    )
    def test_json_values_of_the_wrong_kind(self, change: Callable[[Any], object], message: str) -> None:
        """For any value, the error names its JSON path."""
        data = json.loads(tone().to_json())
        change(data)
        with pytest.raises(amp.GraphError, match=message):
            amp.Graph.from_dict(data)

    def test_a_missing_folder_is_named(self, tmp_path: Path, short: amp.Render) -> None:
        """Nothing is written into a folder that is not there, or over one."""
        for save in (tone().save, amp.ControlHistory().save):
            with pytest.raises(amp.GraphError, match=r"no folder '.*gone' .*Make it first"):
                save(tmp_path / "gone" / "a.json")
            with pytest.raises(amp.GraphError, match="is a folder"):
                save(tmp_path)
        with pytest.raises(amp.GraphError, match=r"tone\.save: no folder"):
            short.save(tmp_path / "gone" / "a.wav", batch=0)

    @pytest.mark.parametrize(
        ("name", "options", "message"),
        [
            ("a.mp3", {}, r"no such format \(got 'a\.mp3', allowed \.wav \| \.flac\)"),
            ("a", {}, "no such format"),
            (
                "a.wav",
                {"subtype": "PCM_17"},
                r"subtype: no such subtype of WAV \(got 'PCM_17', allowed .*PCM_16",
            ),
            ("a.flac", {"subtype": "DOUBLE"}, r"subtype: no such subtype of FLAC"),
            ("a.wav", {"batch": 2}, r"batch: no such batch \(got 2, allowed 0 to 1\)"),
            ("a.wav", {"batch": -1}, r"batch: not allowed \(got -1"),
            ("a.wav", {"batch": "x"}, r"batch: not allowed \(got 'x'"),
            ("a.wav", {"batch": None}, r"has 2 batches"),
        ],
    )
    def test_a_sound_file_is_checked_before_it_is_opened(
        self, tmp_path: Path, short: amp.Render, name: str, options: dict[str, Any], message: str
    ) -> None:
        """A file that was there keeps its bytes."""
        path = tmp_path / name
        path.write_bytes(b"before")
        with pytest.raises(amp.GraphError, match=message):
            short.save(path, **{"batch": 0, **options})
        assert path.read_bytes() == b"before"

    def test_samples_that_are_not_finite_are_not_written(self, tmp_path: Path) -> None:
        """The error names channel and frame."""
        g = amp.Graph()
        g.output(g.input(samples=[0.0, np.nan, np.inf]))
        render = g.render(frames=3, nonfinite="allow", isolation="none")
        with pytest.raises(amp.GraphError, match=r"not finite \(got nan in channel 0 at frame 1\)"):
            render.save(tmp_path / "a.wav")
        assert not (tmp_path / "a.wav").exists()

    def test_suffixes_in_capitals(self, tmp_path: Path, short: amp.Render) -> None:
        """The format follows the suffix however it is written."""
        assert soundfile.info(short.save(tmp_path / "A.WAV", batch=0)).format == "WAV"


def test_reprs_are_one_line(short: amp.Render) -> None:
    """The display of heat, trace and metrics in a notebook cell is short."""
    render = tone().render(frames=640, trace=True, heat=True, isolation="none")
    assert repr(render.heat).startswith("Heat: 3 nodes, 10 windows, ")
    assert repr(render.trace).startswith(f"Trace: {render.trace.events.size} firings of 3 nodes, 0 dropped")
    assert repr(render.metrics).startswith("Metrics: 3 nodes, ") and set(render.metrics) == set(
        render.plan.order
    )


def test_length_is_rounded_to_frames() -> None:
    """Whole numbers of any kind are numbers of frames."""
    assert prepare.length(tone(), None, np.int64(7)) == 7  # type: ignore[arg-type]
    assert prepare.length(tone(), np.float32(0.5), None) == 24_000  # type: ignore[arg-type]
