"""Behaviour described in pages is that of the program, and quoted messages are its messages."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doc_pages import ROOT, blocks, says

import amp_lab as amp
from amp_lab.cli import command_line


def test_arrays_of_a_parameter_have_three_axes() -> None:
    """One element or as many as the render has; fewer axes are refused, with how to write them."""
    g = amp.Graph()
    level = g.gain(g.noise(channels=2), name="level")
    g.output(level)
    a = np.array([1.0, 2.0])
    level.set(gain=amp.batch(a))
    assert g.render(frames=4, batches=2).audio.shape == (2, 2, 4)
    level.set(gain=a[None, :, None])
    assert g.render(frames=4).audio.shape == (1, 2, 4)
    with pytest.raises(amp.ShapeError, match=r"a\[None, None, :\] per frame"):
        level.set(gain=a)
    with pytest.raises(amp.ShapeError):
        level.set(gain=a[None, :])


def test_results_are_frozen_and_their_arrays_read_only() -> None:
    """Renders, spectra and responses; what `pull` returns belongs to the caller."""
    g = amp.Graph()
    g.output(g.svf(g.input(channels=1, name="in"), name="flt"))
    with g.session() as session:
        session.push("in", np.zeros(64))
        assert session.pull(8).flags.writeable
    g["in"].set(samples=np.ones(64))
    render = g.render(frames=64, taps=["flt"], trace=True, heat=True)
    response = amp.measure.frequency_response(g)
    held = [render.audio, render.taps["flt"], render.trace.events, render.heat.total_j]
    held += [
        response.freq_hz,
        response.magnitude_db,
        amp.analysis.power_spectrum(np.ones(512), 48_000).mean_db,
    ]
    assert not any(array.flags.writeable for array in held)
    for result in (render, response, render.heat, render.trace):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(result, dataclasses.fields(result)[0].name, None)


def test_what_is_not_finite_goes_on_if_allowed() -> None:
    """`nonfinite="allow"` returns samples that are not finite; the default stops and names the node."""
    g = amp.Graph(name="loud")
    x = g.mix(g.constant(value=1e9), name="x")
    g.connect(g.gain(x, gain=1e6, name="boost"), x, delay_frames=1)
    g.output(x)
    assert not np.isfinite(g.render(frames=400, nonfinite="allow").audio).all()
    with pytest.raises(amp.NonFiniteError, match=r"x|boost"):
        g.render(frames=400)


def texts_of(page: str) -> str:
    """Return the blocks of text of a page, each line break a space."""
    return " ".join(" ".join(b.text.split()) for b in blocks(ROOT / page) if b.language == "text")


def test_error_of_a_graph_file_reads_as_shown(tmp_path: Path) -> None:
    """The example of the page is the output of `load`."""
    data = amp.presets.three_osc().to_dict()
    data["edges"][3]["delay_frames"] = 1_099_511_627_776
    path = tmp_path / "voice.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(amp.FileError) as caught:
        amp.load(path)
    assert f"voice.json{str(caught.value).partition('voice.json')[2]}" in texts_of("docs/contracts/files.md")


def test_messages_about_samples_read_as_shown() -> None:
    """Complex samples, and sizes that do not meet."""
    g = amp.Graph()
    with pytest.raises(amp.GraphError) as wrong:
        g.input(np.zeros(480, dtype=np.complex128))
    assert says("docs/contracts/numbers.md", str(wrong.value))
    g.output(g.gain(g.input(np.zeros((3, 1, 10)), name="in"), gain=amp.batch([1.0, 2.0, 3.0]), name="level"))
    with pytest.raises(amp.ShapeError) as wrong:
        g.render(frames=10, batches=2)
    assert says("docs/contracts/numbers.md", str(wrong.value).replace("graph.render", "g.render"))


def test_example_of_an_error_reads_as_shown() -> None:
    """The one that the guide for contributors gives: place, value, allowed range and cure."""
    g = amp.Graph()
    with pytest.raises(amp.GraphError) as wrong:
        g.svf(g.noise(), cutoff_hz=-5.0, name="flt")
    assert says("CONTRIBUTING.md", f"`{wrong.value}`")


def test_full_ring_reads_as_shown() -> None:
    """A tap in the middle is pulled while the output is not read."""
    g = amp.Graph()
    g.output(g.gain(g.gain(g.noise(), name="b")), name="out")
    with g.session(limit_frames=400, ring_frames=66) as session:
        tap = session.tap("b")
        with pytest.raises(amp.RingFull) as wrong:
            for _ in range(3):
                tap.pull(500)
    assert str(wrong.value) in texts_of("docs/streaming.md")


def test_exit_codes_are_those_of_the_page(tmp_path: Path) -> None:
    """A failed verdict, wrong use, and a reader that has gone; crashes are in `tests/test_cli.py`."""
    environment = {key: value for key, value in os.environ.items() if key != "AMP_GOLDENS"}

    def code(*words: str) -> int:
        command = [sys.executable, "-P", "-m", "amp_lab.cli", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=False
        ).returncode

    (tmp_path / "goldens" / "empty").mkdir(parents=True)
    assert code("nodes", "svf") == command_line.OK
    assert code("golden", "list") == command_line.FAILED
    assert code("render", "nothing.json", "--seconds", "1", "-o", "x.wav") == command_line.USAGE
    assert code("nothing") == command_line.USAGE


def test_glossary_is_in_the_order_it_is_read() -> None:
    """Each word once, and the ones that pages use most are there."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^([a-zA-Z][\w ]*)\n  \S", text, re.MULTILINE)
    assert len(words) == len(set(words))
    wanted = {
        "golden",
        "tap",
        "cohort",
        "IPLS",
        "slot",
        "gate",
        "kappa",
        "lane",
        "shard",
        "curve",
        "batch",
        "frame",
    }
    wanted |= {
        "control history",
        "performance",
        "token",
        "case",
        "contract",
        "digest",
        "plan",
        "patch",
        "worker",
    }
    assert wanted <= set(words)
