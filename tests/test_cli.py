"""The command `amp-lab`: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import amp_lab as amp
from amp_lab import golden, isolate
from amp_lab.bench import runner, workloads
from amp_lab.cli import command_line, doctor
from amp_lab.cli import commands as cli

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    line.split()
    for line in (
        "demo", "render", "nodes", "golden", "golden list", "golden verify", "golden update", "golden export",
        "lab", "doctor", "bench", "config",
    )
]  # fmt: skip


def run(*arguments: object) -> int:
    """Exit code of the command in this process."""
    return cli.main([str(a) for a in arguments])


def tone(gain: float = 0.5) -> amp.Graph:
    """A sine that follows the curve `level`, scaled per batch."""
    g = amp.Graph(name="tone")
    sine = g.sine(frequency_hz=440.0, amplitude=amp.curve("level"), name="sine")
    g.output(g.gain(sine, gain=gain, name="gain"), name="out")
    g.controls = amp.ControlHistory([amp.Curve.drawn("level", [(0.0, 0.1), (0.1, 1.0)])])
    return g


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A graph file and its control curves."""
    g = tone()
    assert g.controls is not None
    return g.save(tmp_path / "tone.json"), g.controls.save(tmp_path / "controls.json")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A folder of goldens with one case."""
    g = tone()
    golden.store("tone", g.render(frames=4800), reason="first", graph=g, goldens=tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--help describes the command and names it."""
    with pytest.raises(SystemExit) as stop:
        run(*command, "--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: amp-lab {' '.join(command)}" in text and len(text.split("\n\n")[1]) > 20


@pytest.mark.parametrize("arguments", [[], ["polish"], ["render", "g.json"], ["golden", "update", "tone"]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    """A missing or unknown command, length or reason is wrong use."""
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == command_line.USAGE


def test_render_writes_the_bits_of_the_render(files: tuple[Path, Path], tmp_path: Path) -> None:
    """A WAV has exactly the samples of the same render in Python, for any block size."""
    graph, controls = files
    out = tmp_path / "out.wav"
    assert run("render", graph, "--controls", controls, "--seconds", 0.1, "--block", 7, "-o", out) == cli.OK
    expected = tone().render(seconds=0.1)
    assert np.array_equal(soundfile.read(out)[0], expected.audio[0, 0])


def test_render_writes_a_file_per_batch(tmp_path: Path) -> None:
    """Several batches become numbered files."""
    g = amp.Graph(name="pair")
    g.output(g.constant(value=amp.batch([0.25, 0.5])))
    graph = g.save(tmp_path / "pair.json")
    assert run("render", graph, "--frames", 64, "--batches", 2, "-o", tmp_path / "out.wav") == cli.OK
    values = [soundfile.read(tmp_path / f"out_{i}.wav")[0] for i in (0, 1)]
    assert [set(v) for v in values] == [{0.25}, {0.5}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "tone.json: No such file"),
        ("{", "tone.json: not JSON (Expecting property name"),
        ("\0\xff", "tone.json: not JSON"),
        ('{"schema": "other"}', "schema"),
        ("tone", "render.controls: missing (got None, allowed a ControlHistory with level). Pass"),
        ("tone", "--controls FILE"),
    ],
)
def test_failures_are_one_message(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing, malformed, foreign or incomplete graph is exit code 2 and a message without traceback."""
    graph, without = tmp_path / "tone.json", tone()
    without.controls = None
    if text is not None:
        graph.write_text(text.replace("tone", without.to_json()), encoding="utf-8")
    assert run("render", graph, "--seconds", 1, "-o", tmp_path / "out.wav") == command_line.USAGE
    message = capsys.readouterr().err
    assert message.startswith("amp-lab: ") and said in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("out.mp3", [], r"no such format \(got 'out\.mp3', allowed \.wav \| \.flac\)"),
        ("out", [], r"no such format \(got 'out'"),
        ("-", [], r"no such format \(got 'stdout'"),
        ("", [], r"is a folder"),
        ("gone/out.wav", [], r"no folder '.*gone' \(got '.*out\.wav'\)\. Make it first\."),
        ("folder.wav", [], r"is a folder \(got '.*folder\.wav', allowed a file\)"),
        ("locked.wav", [], r"cannot be written \(got '.*locked\.wav': it is read-only\)"),
        (250 * "a" + ".wavv.wav", [], r"cannot be written \(got '.*': File name too long\)"),
        ("out.flac", ["--subtype", "DOUBLE"], r"subtype: no such subtype of FLAC \(got 'DOUBLE'"),
        ("out.wav", ["--subtype", "GSM610"], r"so many channels \(got 2, allowed 1 channel\)"),
        ("out.wav", ["--dither"], r"dither: only for whole numbers"),
        ("out.flac", ["--dither", "--seed", "-1"], r"seed: not allowed \(got -1"),
        ("folder.wav/out.wav", ["--batches", "3", "--subtype", "PCM_7"], r"subtype: no such subtype"),
        ("out.wav", ["--controls", "folder.wav"], r"folder\.wav: not a regular file \(got a folder\)"),
    ],
)
def test_a_target_that_cannot_be_written_is_said_before_rendering(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    more: list[str],
    said: str,
) -> None:
    """Exit code 2, one sentence, nothing rendered and nothing written."""
    monkeypatch.chdir(tmp_path)
    g = amp.Graph(name="wide")
    g.output(g.pan(g.sine(frequency_hz=441.0), position=0.5))
    g.save("g.json")
    Path("folder.wav").mkdir()
    Path("locked.wav").write_text("old")
    Path("locked.wav").chmod(0o444)
    before = sorted(os.listdir())
    monkeypatch.setattr(amp.Graph, "render", lambda *_, **__: pytest.fail("it was rendered"))
    assert run("render", "g.json", "--seconds", 0.1, "-o", out, *more) == command_line.USAGE
    printed = capsys.readouterr()
    assert printed.out == "" and re.fullmatch(rf"amp-lab: (wide\.save.*)?{said}.*\n", printed.err)
    assert sorted(os.listdir()) == before and Path("locked.wav").read_text() == "old"


def test_a_rate_that_a_format_lacks_is_said_before_rendering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of the graph: neither FLAC nor any sound file holds every rate."""
    monkeypatch.setattr(amp.Graph, "render", lambda *_, **__: pytest.fail("it was rendered"))
    for rate, said in ((700_000.0, "this rate (got 700000 Hz"), (44_100.5, "whole rates (got 44100.5 Hz)")):
        g = amp.Graph(name="fast", sample_rate=rate)
        g.output(g.constant(value=0.5))
        path = g.save(tmp_path / "g.json")
        assert run("render", path, "--frames", 9, "-o", tmp_path / "out.flac") == command_line.USAGE
        assert said in capsys.readouterr().err


def test_render_dithers_by_its_seed(tmp_path: Path) -> None:
    """The file is that of `Render.save`."""
    g = amp.Graph(name="quiet")
    g.output(g.constant(value=1e-6))
    path = g.save(tmp_path / "g.json")
    options = ["--frames", 500, "--subtype", "PCM_16", "--dither", "--seed", 3, "-o", tmp_path / "out.wav"]
    assert run("render", path, *options) == cli.OK
    expected = g.render(frames=500).save(tmp_path / "b.wav", subtype="PCM_16", dither=True, seed=3)
    numbers = soundfile.read(tmp_path / "out.wav", dtype="int16")[0]
    assert set(numbers) == {-1, 0, 1} and np.array_equal(numbers, soundfile.read(expected, dtype="int16")[0])


def test_standard_output_is_a_place_to_write_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``-`` is that, as elsewhere; a file of this name is ``./-``."""
    assert run("bench", "W1", "--seconds", 0.01, "--emit", "-") == cli.OK
    assert json.loads(capfd.readouterr().out.partition("]\n]")[0] + "]\n]")[0][0] == "W1"


def test_native_crash_is_exit_code_3(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crashed worker has an exit code of its own."""

    def die(*_: Any, **__: Any) -> None:
        raise amp.NativeCrash("sine: SIGSEGV in frames 0 to 63.", signal="SIGSEGV", node="sine")

    monkeypatch.setattr(amp.Graph, "render", die)
    assert run("render", files[0], "--seconds", 1, "-o", tmp_path / "out.wav") == cli.CRASHED


def test_nodes_lists_every_type_and_shows_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a line per type; a page names every port and parameter with its range."""
    assert run("nodes") == cli.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(amp.catalog.types())
    for type_id in amp.catalog.types():
        assert run("nodes", type_id) == cli.OK
        page = " ".join(capsys.readouterr().out.split())
        contract = amp.catalog.contract(type_id)
        assert all(f" {port.key} " in page for port in contract.inputs + contract.outputs)
        assert all(param.key in page and param.allowed() in page for param in contract.params)


def test_unknown_node_type_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error names the nearest type."""
    assert run("nodes", "svff") == command_line.USAGE
    assert "Did you mean 'svf'?" in capsys.readouterr().err


def test_golden_verify_update_list(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case passes, fails once its graph was edited, and passes after an update that accepts the graph."""
    assert run("golden", "verify", "--goldens", case) == cli.OK
    assert "tone: PASS exact 4800 frames x 1 channel\n" in capsys.readouterr().out
    tone(gain=0.25).save(case / "tone" / "graph.json")
    assert run("golden", "verify", "tone", "--goldens", case) == cli.FAILED
    failed = capsys.readouterr().out
    assert "tone: ERROR damaged" in failed and "graph.json was changed after it" in failed
    update = ("golden", "update", "tone", "--reason", "quieter", "--goldens", case)
    assert run(*update) == command_line.USAGE
    assert "graph.json was changed after it was blessed" in capsys.readouterr().err
    assert run(*update, "--accept-graph") == cli.OK
    assert run("golden", "verify", "--matrix", "full", "--goldens", case) == cli.OK
    capsys.readouterr()
    assert run("golden", "list", "--goldens", case) == cli.OK
    assert "1 x 1 x 4800" in (listing := capsys.readouterr().out) and "quieter" in listing


def test_golden_update_says_that_it_runs_in_ci(
    case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that was found by search is refused; a named one, or one with --allow-ci, is written and
    reported.
    """
    update = ("golden", "update", "tone", "--reason", "r", "--accept-graph")
    monkeypatch.setenv("CI", "1")
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    (case / "pyproject.toml").write_text('[tool.amp_lab]\ngoldens = "."\n')
    monkeypatch.chdir(case)
    reasons = ((("--allow-ci",), "it was allowed"), (("--goldens", case), "the folder was named"))
    for gain, (options, why) in enumerate(reasons, 3):
        tone(gain=1 / gain).save(case / "tone" / "graph.json")
        assert run(*update) == command_line.USAGE
        assert "nothing is blessed under CI" in capsys.readouterr().err
        assert run(*update, *options) == cli.OK
        assert f"blessed under CI in {case}, as {why}" in capsys.readouterr().err


def test_damaged_golden_fails_the_list(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case without its sums is listed as failed."""
    (case / "tone" / "sums.txt").unlink()
    assert run("golden", "list", "--goldens", case) == cli.FAILED
    assert "FAILED: no sums.txt" in capsys.readouterr().out


def test_demo_ends_with_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The performance is written as sound and report, and the last line is its golden verdict."""
    monkeypatch.chdir(ROOT)
    assert run("demo", "--out", tmp_path) == cli.OK
    verdict = "three_osc: PASS exact 480000 frames x 2 channels"
    assert capsys.readouterr().out.splitlines()[-1] == verdict
    assert soundfile.info(tmp_path / "three_osc.wav").frames == 480_000
    page = (tmp_path / "three_osc.html").read_text(encoding="utf-8")
    assert verdict in page
    assert not re.search(r"""(?:src|href)=["']?https?:|url\(["']?https?:""", page)


def test_demo_without_goldens_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a reference there is sound but no pass; a missing folder is reported as missing."""
    assert run("demo", "--out", tmp_path, "--seconds", 0.1, "--goldens", tmp_path) == cli.FAILED
    text = capsys.readouterr().out
    assert text.splitlines()[-1] == "three_osc: ERROR missing" and "no such folder" in text
    assert run("demo", "--out", tmp_path, "--seconds", 0.1, "--goldens", tmp_path / "none") == cli.FAILED
    *_, cure, verdict = capsys.readouterr().out.splitlines()
    assert verdict == "three_osc: FAIL no goldens folder"
    assert "--goldens DIR/goldens" in cure and "folder not found" in cure
    assert soundfile.info(tmp_path / "three_osc.wav").frames == 4_800


def test_lab_opens_notebooks_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """JupyterLab takes over on a folder with notebooks; any other folder is wrong use."""
    assert run("lab", tmp_path / "none") == command_line.USAGE
    assert run("lab", tmp_path) == command_line.USAGE
    missing, empty = capsys.readouterr().err.splitlines()
    assert "is no folder" in missing and "holds no notebook" in empty
    assert "amp-lab lab DIR/notebooks" in missing and "amp-lab lab DIR/notebooks" in empty
    (tmp_path / "a.ipynb").write_text("{}", encoding="utf-8")
    started: list[list[str]] = []
    monkeypatch.setattr(cli.os, "execv", lambda _, command: started.append(command) or sys.exit(0))
    with pytest.raises(SystemExit):
        run("lab", tmp_path)
    assert started == [[sys.executable, "-P", "-m", "jupyterlab", str(tmp_path)]]


def test_doctor_is_content_here(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line reads name: value, names are unique, and nothing has failed."""
    assert run("doctor") == cli.OK
    lines = capsys.readouterr().out.splitlines()
    names = [line.partition(": ")[0] for line in lines]
    assert len(set(names)) == len(names) and all(line.partition(": ")[2] for line in lines)
    assert {"instruction set", "source digest", "worker", "sound files", "numpy", "anywidget"} <= set(names)


def test_doctor_fails_by_the_part_that_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part that fails only fails its own line and the exit code; the other lines are still printed."""

    def broken(isolation: str) -> str:
        raise OSError(f"no {isolation}")

    monkeypatch.setattr(doctor, "_digest", broken)
    assert run("doctor") == cli.FAILED
    text = capsys.readouterr().out
    worker = "FAILED (OSError: no process)" if isolate.supported() else "not on this system"
    assert f"worker: {worker}" in text and "sound files: WAV" in text


def test_bench_runs_one_workload(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON with the time, the frames and the block used; alias figures for W1."""
    assert run("bench", "--run", "W1", "--seconds", 0.5) == cli.OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["frames"] == 24_000 and 0.0 < facts["render_s"] < 60.0
    assert facts["alias_440hz_db"] == pytest.approx(-48.0, abs=1.0)
    assert facts["alias_db"] < facts["alias_440hz_db"]
    assert run("bench", "--run", "W3", "--seconds", 0.01, "--block", 8) == cli.OK
    assert json.loads(capsys.readouterr().out)["block_frames"] == 8
    assert run("bench", "--run", "W2B", "--seconds", 0.01, "--threads", 2) == cli.OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["threads"] == 2 and "2 threads" in facts["setting"]


def test_bench_emits_jobs_that_run(tmp_path: Path) -> None:
    """Each row has six fields and a command that prints the JSON a driver of peers reads."""
    assert run("bench", "W3", "BUILD", "--seconds", 0.02, "--emit", tmp_path / "own.json") == cli.OK
    rows = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert [(row[0], row[5]) for row in rows] == [("W3", 1000)] * 3 + [("BUILD", 1_000_000)]
    assert [row[4][-1] for row in rows[:3]] == ["64", "512", "1"]
    done = subprocess.run(rows[0][4], capture_output=True, text=True, check=True)
    assert {"render_s", "frames"} <= json.loads(done.stdout).keys()


def test_bench_prints_a_table() -> None:
    """Without options the medians come as Markdown with machine, versions and date."""
    command = [sys.executable, "-P", "-m", "amp_lab.cli", "bench", "W4", "--seconds", "0.1", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, row = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert amp.__version__ in head and row.startswith("| W4 |") and row.endswith("| ns/sample |")


def test_workloads_agree_with_each_other() -> None:
    """The batch of W2 holds the voices that BUILD mixes, bit for bit and as a sum."""
    frames = 2400
    voices = workloads.voices_as_batch().render(frames=frames, batches=workloads.VOICES).audio
    alone = amp.Graph()
    alone.output(workloads.voices()[5].build(alone))
    assert np.array_equal(voices[5], alone.render(frames=frames).audio[0])
    mixed = workloads.voices_mixed().render(frames=frames).audio[0]
    assert np.ptp(mixed) > 0.01
    np.testing.assert_allclose(mixed, voices.mean(axis=0), rtol=0, atol=1e-13)


def test_unknown_workload_names_the_known() -> None:
    """A workload that does not exist is refused before anything runs."""
    with pytest.raises(amp.InvalidArgument, match=r"allowed W1 \| W2"):
        runner.jobs(["W9"], 1.0)
