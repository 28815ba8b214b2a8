"""Cohorts: equal voices run in the lanes of one kernel, and only the speed differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matrix import heard
from polyphony import polyphony
from random_graphs import every_port, scenes
from rigs import Cut, Scene, proceed, same_bits, sound, started

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.bench.workloads import Voice, voices_mixed
from amp_lab.errors import AmpError, NonFiniteError

PLAIN = b""  # the plan's own order, every node alone
CUTS = (Cut(), Cut(1), Cut(64), Cut(7, [13, 1, 300, 246]))


def choir(count: int = 11, **how: float) -> amp.Graph:
    """Voices mixed; eleven fill one group of lanes and a part of the next."""
    g = amp.Graph(sample_rate=48_000.0, name="choir")
    ends = [
        Voice(55.0 + 7.3 * i, 5.0 + i, 60.0 + i, 800.0 + 25 * i, 1.0, how.get("at", 0.1)).build(g)
        for i in range(count)
    ]
    g.output(g.mix(*ends, gain=1 / count), name="out")
    return g


@settings(max_examples=60, deadline=None)
@given(scenes(most=10), st.integers(4, 20), st.integers(0, 999))
def test_random_voices_sound_the_same_fused_or_not(scene: Scene, voices: int, seed: int) -> None:
    """Shared sources, crossing edges, loops, latencies, delays, gates and taps included."""
    assume(scene.batches < 5)
    many = polyphony(scene, voices, seed)
    try:
        many.graph.compile()
    except AmpError:
        assume(False)
    if seed % 2:
        many = replace(many, taps=every_port(many.graph)[:40])
    ways = [(cut, schedule) for cut in CUTS for schedule in (PLAIN, None)]
    assert len({heard(many, cut, expected=(NonFiniteError,), schedule=how) for cut, how in ways}) == 1


@pytest.mark.parametrize("batches", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("count", [4, 8, 11, 23])
def test_batches_and_voices_share_the_lanes(batches: int, count: int) -> None:
    scene = Scene(choir(count), 700, batches=batches)
    assert same_bits(sound(scene, schedule=PLAIN), sound(scene))


def loops(count: int) -> amp.Graph:
    """Voices that each go round a loop of one frame, under a modulator of their own."""
    g = amp.Graph(sample_rate=48_000.0)
    hiss = g.noise()
    ends = []
    for i in range(count):
        total = g.mix(hiss)
        pole = g.one_pole(total, cutoff_hz=300.0 + 90 * i)
        back = g.gain(pole, gain=0.5 + 0.01 * i)
        g.modulate(g.sine(frequency_hz=20.0 + i), back.gain, mode="multiply", offset=1.0, scale=0.3)
        g.connect(back, total, delay_frames=1)
        ends.append(g.delay_line(pole, delay_s=0.001 + 1e-5 * i))
    g.output(g.mix(*ends), name="out")
    return g


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_equal_loops_go_round_side_by_side(cut: Cut) -> None:
    graph = loops(9)
    assert any("mix" in name for cohort in graph.ipls().cohorts for name in cohort)
    scene = Scene(graph, 560)
    assert same_bits(sound(scene, cut, schedule=PLAIN), sound(scene, cut))


def changed(schedule: bytes | None, change: Callable[[lowlevel.Runtime], None], block: int = 0) -> np.ndarray:
    """Render, change something, render on, put it back, render on."""
    scene = Scene(choir(), 600)
    with started(scene, Cut(block), schedule=schedule) as runtime:
        first = proceed(runtime, scene, [200])
        change(runtime)
        second = proceed(runtime, scene, [200])
        runtime.clear_params()
        return np.concatenate([first, second, proceed(runtime, scene, [200])], axis=-1)


CHANGES: dict[str, Callable[[lowlevel.Runtime], None]] = {
    "a number that holds": lambda r: r.set_param("pan_3", "position", [[[0.7]]]),
    "the base of a number that moves": lambda r: r.set_param("svf_5", "cutoff_hz", [[[2000.0]]]),
    "a number per frame": lambda r: r.set_param("gain_2", "gain", np.linspace(0, 1, 450)[None, None]),
    "two members per frame, one of them shorter": lambda r: (
        r.set_param("gain_2", "gain", np.linspace(0, 1, 450)[None, None]),
        r.set_param("gain_3", "gain", np.linspace(1, 0, 250)[None, None]),
        r.set_param("gain_4", "gain", [[[0.1]]]),
    )[0],
    "later": lambda r: r.set_param("svf_5", "q", [[[2.0]]], at_frame=333),
}


@pytest.mark.parametrize("block", [0, 1, 64])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_members_are_set_one_by_one(change: Callable[[lowlevel.Runtime], None], block: int) -> None:
    plain, fused = changed(PLAIN, change, block), changed(None, change, block)
    assert same_bits(plain, fused)
    assert not same_bits(fused, changed(None, lambda _: None, block))


@pytest.mark.parametrize(
    "late", [np.full((1, 1, 9), 0.3), np.full((1, 2, 1), 0.3)], ids=["frames", "channels"]
)
def test_what_one_member_plays_allows_nothing_to_another(late: np.ndarray) -> None:
    """The same error with and without cohorts: a value that needs a step of its own can only be set at frame
    0.
    """

    def words(schedule: bytes | None) -> str:
        g = amp.Graph(sample_rate=48_000.0)
        ends = [g.gain(g.sine(frequency_hz=100.0 + i, channels=2), gain=0.1) for i in range(9)]
        g.output(g.mix(*ends), name="out")
        with started(Scene(g, 600), schedule=schedule) as runtime:
            runtime.set_param("gain_2", "gain", np.ones((1, 1, 50)))
            runtime.set_param("gain_4", "gain", np.ones((1, 2, 50)))
            proceed(runtime, Scene(g, 600), [100])
            with pytest.raises(AmpError) as error:
                runtime.set_param("gain_3" if late.shape[2] > 1 else "gain_2", "gain", late)
        return str(error.value)

    assert words(PLAIN) == words(None)
    assert "can only begin at frame 0 here" in words(None)


def test_a_snapshot_goes_on_in_the_middle() -> None:
    scene = Scene(choir(), 600)
    with started(scene) as runtime:
        proceed(runtime, scene, [217])
        blob = runtime.snapshot()
        rest = proceed(runtime, scene, [383])
    with started(scene, Cut(32)) as runtime:
        runtime.restore(blob)
        assert same_bits(rest, proceed(runtime, scene, [383]))


@pytest.mark.parametrize("block", [0, 1, 7])
def test_a_fault_names_the_member(block: int) -> None:
    """The same message with and without cohorts: node, channel, frame."""

    def words(schedule: bytes | None) -> str:
        scene = Scene(choir(), 600)
        with started(scene, Cut(block), schedule=schedule) as runtime:
            runtime.set_param("gain_6", "gain", np.concatenate([np.ones(99), [1e6], np.ones(9)])[None, None])
            runtime.set_param("pan_6", "position", [[[0.0]]])
            runtime.set_param(
                "svf_8", "cutoff_hz", np.concatenate([np.full(300, 800.0), [23_000.0]])[None, None]
            )
            with pytest.raises(AmpError) as error:
                proceed(runtime, scene, [600])
        return f"{error.value} {error.value.frame} {error.value.channel}"

    assert words(PLAIN) == words(None)
    assert "svf_8.cutoff_hz" in words(None)


def test_a_sound_that_is_not_finite_names_the_member() -> None:
    def words(schedule: bytes | None) -> str:
        g = amp.Graph(sample_rate=48_000.0)
        ends = [
            g.gain(g.gain(g.sine(frequency_hz=100.0 + i), gain=1e6), gain=1e6, name=f"loud_{i}")
            for i in range(9)
        ]
        for _ in range(60):
            ends = [g.gain(end, gain=1e6 if k == 4 else 1.0) for k, end in enumerate(ends)]
        g.output(g.mix(*ends))
        with pytest.raises(NonFiniteError) as error:
            sound(Scene(g, 64), schedule=schedule)
        return f"{error.value} {error.value.frame}"

    assert words(PLAIN) == words(None)


def test_metrics_and_trace_know_every_member() -> None:
    """Frames and calls of each node are those of a render node by node; each fires in the trace."""
    graph = choir()
    plain, fused = (
        graph.render(frames=600, block_frames=200, trace=True, schedule=s, isolation="none")
        for s in ("plain", None)
    )
    for name in (node.name for node in graph):
        assert (fused.metrics[name].frames, fused.metrics[name].calls) == (
            plain.metrics[name].frames,
            plain.metrics[name].calls,
        )
        assert fused.metrics[name].seconds > 0
    assert plain.trace is not None and fused.trace is not None
    assert sorted(plain.trace.events["node"]) == sorted(fused.trace.events["node"])


def test_heat_is_that_of_a_render_node_by_node() -> None:
    graph = choir()
    plain, fused = (
        graph.render(frames=600, heat=True, schedule=s, isolation="none") for s in ("plain", None)
    )
    assert same_bits(plain.audio, fused.audio)
    assert plain.heat is not None and fused.heat is not None
    assert same_bits(plain.heat.total_j, fused.heat.total_j)


def test_sixty_four_voices_have_one_digest() -> None:
    graph = voices_mixed()
    digests = {
        graph.render(frames=3000, schedule=s, block_frames=b, isolation="none").digest
        for s in ("plain", None)
        for b in (None, 1, 100)
    }
    assert len(digests) == 1
