"""A failing check reports the cause: engine or graph; node, frame, channel and changed parameter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import explain, replay
from amp_lab.golden.verdict import Mismatch
from amp_lab.graph.files import descriptor_reader
from amp_lab.graph.files.descriptors import encode

FRAMES = 9000


def wind() -> amp.Graph:
    """Noise through a swept filter into both channels, an echo in a loop, a recording, a modulated level."""
    g = amp.Graph(name="wind")
    noise = g.noise(amplitude=0.5, seed=3, name="noise")
    flt = g.svf(noise, mode="bandpass", cutoff_hz=amp.curve("cutoff_hz"), q=6.0, name="flt")
    click = g.input(samples=np.hanning(34)[None, None, 1:-1], name="click")
    total = g.mix(flt, click, name="total")
    back = g.gain(total, gain=0.5, name="back")
    g.connect(back, total, delay_frames=480)
    level = g.gain(total, gain=0.8, name="level")
    g.modulate(g.lfo(rate_hz=3.0, name="slow"), level.gain, mode="multiply", offset=1.0, scale=0.25)
    g.output(g.pan(level, position=0.5, name="place"), name="out")
    g.controls = amp.ControlHistory([amp.Curve.drawn("cutoff_hz", [(0.0, 300.0), (0.2, 2400.0)])])
    return g


def rendered(graph: amp.Graph) -> amp.Render:
    return graph.render(frames=FRAMES, isolation="none")


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    """A folder with the case `wind`."""
    graph = wind()
    golden.store("wind", rendered(graph), graph=graph, reason="first", goldens=tmp_path)
    return tmp_path


def failed(goldens: Path, render: Any) -> Mismatch:
    verdict = golden.check("wind", render, goldens=goldens)
    assert verdict.status == "failed"
    assert verdict.comparison.mismatch is not None
    return verdict.comparison.mismatch


def retune(g: amp.Graph) -> None:
    g["flt"].set(q=6.0006)


def default(g: amp.Graph) -> None:
    g["slow"].set(shape="triangle")


def sweep(g: amp.Graph) -> None:
    g.controls = amp.ControlHistory([amp.Curve.drawn("cutoff_hz", [(0.0, 300.0), (0.2, 2500.0)])])


def unsweep(g: amp.Graph) -> None:
    g["flt"].set(cutoff_hz=300.0)
    g.controls = None


def record(g: amp.Graph) -> None:
    g["click"].set(samples=np.hanning(34)[None, None, 1:-1] * 0.5)


def rewire(g: amp.Graph) -> None:
    (edge,) = (e for e in g.edges if e.src == "back")
    g.change(edge, delay_frames=481)


def remodulate(g: amp.Graph) -> None:
    (mod,) = g.modulations
    g.change(mod, scale=0.26)


def add(g: amp.Graph) -> None:
    (edge,) = (e for e in g.edges if e.dst == "place")
    g.disconnect(edge)
    g.connect(g.gain(g["level"], gain=0.9, name="softer"), g["place"])


def seed(g: amp.Graph) -> None:
    g["noise"].set(seed=4)


def elsewhere(g: amp.Graph) -> None:
    g["place"].set(
        position=np.array(
            [
                [[0.5]],
            ]
        )
        + 1e-9
    )


CHANGES: list[tuple[Callable[[amp.Graph], None], str, tuple[str, ...]]] = [
    (retune, "flt", ("flt.q: 6.0 -> 6.0006",)),
    (default, "slow", ("slow.shape: 'sine' -> 'triangle'",)),
    (sweep, "flt", ("curve cutoff_hz.values[1]: 2400.0 -> 2500.0 (1 of 2 values differ)",)),
    (unsweep, "flt", ("flt.cutoff_hz: curve cutoff_hz -> 300.0", "curve cutoff_hz: gone (was 2 points)")),
    (record, "click", ("click.samples[0, 0, 0]: ",)),
    (rewire, "total", ("edge into total.in[2].delay_frames: 480 -> 481",)),
    (remodulate, "level", ("modulation of level.gain[0].scale: 0.25 -> 0.26",)),
    (add, "place", ("node softer: new (gain)", "edge into place.in[0].src: 'level' -> 'softer'")),
    (seed, "noise", ("noise.seed: 3 -> 4",)),
    (elsewhere, "place", ("place.position: 0.5 -> array (1, 1, 1)",)),
]


@pytest.mark.parametrize(("change", "node", "told"), CHANGES, ids=[c[0].__name__ for c in CHANGES])
def test_a_changed_graph_is_named(
    goldens: Path, change: Callable[[amp.Graph], None], node: str, told: tuple[str, ...]
) -> None:
    """Without taps: cause, node, exact frame and channel, and every change with its old and new value."""
    graph = wind()
    change(graph)
    mismatch = failed(goldens, rendered(graph))
    assert (mismatch.cause, mismatch.node) == ("graph", node)
    assert all(any(line.startswith(start) for line in mismatch.changes) for start in told), mismatch.changes
    before, now = (g.render(frames=FRAMES, taps="all", isolation="none") for g in (wind(), graph))
    frame = int(np.flatnonzero((before.taps[node] != now.taps[node]).any(axis=(0, 1)))[0])
    assert f"{node} first differs in frame {frame}, batch 0, channel 0" in mismatch.note
    assert mismatch.frame is not None and mismatch.block is not None and mismatch.channel is not None


def test_the_text_of_a_changed_graph(goldens: Path) -> None:
    """One line a fact; what a notebook prints is stable."""
    graph = wind()
    retune(graph)
    lines = str(golden.check("wind", rendered(graph), goldens=goldens)).splitlines()
    assert lines[0].startswith("wind: FAIL exact at block 0, frame ") and lines[0].endswith("node flt")
    assert "  cause      the graph in the code: the stored one still renders to the reference" in lines
    assert "  changed    flt.q: 6.0 -> 6.0006" in lines


def test_taps_tell_the_same(goldens: Path) -> None:
    """A render that has every tap is not rendered again, and gives the same result."""
    graph = wind()
    retune(graph)
    tapped = failed(goldens, graph.render(frames=FRAMES, taps="all", isolation="none"))
    assert tapped == failed(goldens, rendered(graph))


@pytest.mark.parametrize(("frames", "batches", "what"), [(100, 1, "frames"), (FRAMES, 2, "batches")])
def test_another_size_names_changes_too(goldens: Path, frames: int, batches: int, what: str) -> None:
    """A render of another size cannot be compared; the parameter that changed is named all the same."""
    graph = wind()
    mismatch = failed(goldens, graph.render(frames=frames, batches=batches, isolation="none"))
    assert (mismatch.what, mismatch.cause, mismatch.changes) == ("shape", "", ())
    assert mismatch.difference == f"{what} differ"
    retune(graph)
    mismatch = failed(goldens, graph.render(frames=frames, batches=batches, isolation="none"))
    assert (mismatch.cause, mismatch.changes) == ("graph", ("flt.q: 6.0 -> 6.0006",))


def test_a_changed_engine_is_the_cause(goldens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the stored graph no longer gives the reference, the engine is named, with the node that differs."""
    stored = replay.render

    def drifted(case: replay.StoredGraph, **options: Any) -> Any:
        graph = case.graph()
        graph["flt"].set(q=6.0006)  # as if the kernel of svf had changed
        return stored(dataclasses.replace(case, graph_text=graph.to_json()), **options)

    graph = wind()
    retune(graph)
    render = rendered(graph)
    monkeypatch.setattr(replay, "render", drifted)
    mismatch = failed(goldens, render)
    assert (mismatch.cause, mismatch.node, mismatch.changes) == ("runtime", "flt", ())


def test_samples_changed_after_the_render(goldens: Path) -> None:
    """The same graph with other samples: neither graph nor engine is named as the cause."""
    out = np.zeros((1, 2, FRAMES))
    render = wind().render(frames=FRAMES, out=out, isolation="none")
    out[0, 1, 5000] += 1e-9
    mismatch = failed(goldens, render)
    assert (mismatch.cause, mismatch.changes, mismatch.frame, mismatch.channel) == ("", (), 5000, 1)
    assert explain.OTHER_AUDIO in mismatch.note


def test_an_array_tells_the_place_but_no_parameter(goldens: Path) -> None:
    """Samples alone do not tell which graph they came from, and the verdict reports that."""
    audio = rendered(wind()).audio.copy()
    audio[0, 0, 1234] = 0.0
    mismatch = failed(goldens, audio)
    assert (mismatch.frame, mismatch.channel, mismatch.changes) == (1234, 0, ())
    assert "the graph of an array is not known" in mismatch.note


def test_only_what_leads_to_the_first_difference_is_rendered_again(
    goldens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two renders at most, up to the block of the first difference; streams above the limit are not kept."""
    asked: list[dict[str, Any]] = []
    stored = replay.render

    def counted(case: replay.StoredGraph, **options: Any) -> Any:
        asked.append(options)
        return stored(case, **options)

    monkeypatch.setattr(replay, "render", counted)
    graph = wind()
    retune(graph)
    render = rendered(graph)
    failed(goldens, render)
    assert [(o["frames"], o["taps"]) for o in asked] == [(golden.BLOCK_FRAMES, True)]
    monkeypatch.setattr(explain, "MOST_STREAMS", 1000)
    mismatch = failed(goldens, render)
    assert [o["taps"] for o in asked] == [True, False]
    assert mismatch.changes == ("flt.q: 6.0 -> 6.0006",) and "its streams take more than" in mismatch.note


def test_many_changes_are_cut_short(tmp_path: Path) -> None:
    """A dozen changes are listed, those of the first node with a difference first; others are counted."""

    def chain(gain: float) -> amp.Graph:
        g = amp.Graph(name="chain")
        signal = g.noise(seed=1, name="z")
        for i in range(30):
            signal = g.gain(signal, gain=gain if i else 0.5 * gain, name=f"g{i:02}")
        g.output(signal)
        return g

    golden.store("chain", rendered(chain(1.0)), graph=chain(1.0), reason="first", goldens=tmp_path)
    verdict = golden.check("chain", rendered(chain(0.99)), goldens=tmp_path)
    mismatch = verdict.comparison.mismatch
    assert mismatch is not None and mismatch.node == "g00"
    assert mismatch.changes[0].startswith("g00.gain: 0.5 -> 0.495")
    assert len(mismatch.changes) == 13 and mismatch.changes[-1] == "and 18 more"


def test_a_node_that_looks_ahead_is_not_blamed_for_its_input(tmp_path: Path) -> None:
    """A linear-phase filter parts frames before the input that makes it, in an earlier block."""

    def ahead(late: float) -> amp.Graph:
        g = amp.Graph(name="ahead")
        step = np.zeros((1, 1, FRAMES))
        step[..., golden.BLOCK_FRAMES + 3 :] = late
        source = g.input(samples=step, name="source")
        g.output(g.fir(source, mode="lowpass", cutoff_hz=5000.0, half_length=24, name="fir"), name="out")
        return g

    golden.store("ahead", rendered(ahead(1.0)), graph=ahead(1.0), reason="first", goldens=tmp_path)
    mismatch = golden.check("ahead", rendered(ahead(0.9)), goldens=tmp_path).comparison.mismatch
    assert mismatch is not None and mismatch.frame is not None
    assert mismatch.frame < golden.BLOCK_FRAMES + 3
    assert mismatch.node == "source"
    assert f"source first differs in frame {golden.BLOCK_FRAMES + 3}" in mismatch.note


@pytest.mark.parametrize("case", golden.list_cases(), ids=lambda case: case.name)
def test_descriptors_are_read_as_they_were_written(case: golden.Case) -> None:
    """Decoding a descriptor blob and encoding it again gives its bytes, and so with curves."""
    graph = amp.Graph.load(case.folder / "graph.json")
    blob = graph.compile().descriptor_blob
    assert encode(descriptor_reader.descriptors(blob)) == blob
    file = case.folder / "controls.json"
    if file.is_file():
        curves = amp.ControlHistory.load(file)
        assert descriptor_reader.history(curves.blob) == dict(curves)
    for damaged in (blob[:-1], b"", blob[:40] + b"x" + blob[41:]):
        with pytest.raises(amp.errors.BlobError):
            descriptor_reader.descriptors(damaged)
