"""Several threads: runtimes and graphs are independent, and give the results of a single thread."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import scenes
from rigs import RATE, Cut, Scene, digest, same_bits, sound

import amp_lab as amp
from amp_lab import lowlevel

THREADS = 4
FRAMES = 60_000


def together(jobs: list[Any]) -> list[Any]:
    """Start one thread per job at the same moment; results in order."""
    gate = threading.Barrier(len(jobs))

    def run(job: Any) -> Any:
        gate.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in jobs]]


def test_different_graphs_at_once() -> None:
    """Each thread renders every golden graph, in its own order, with the digests of a single thread."""
    names = [name for name in rigs.GOLDEN_CASES if name != "three_osc"]
    alone = {name: digest(sound(rigs.golden_scene(name))) for name in names}

    def job(start: int) -> dict[str, str]:
        order = names[start:] + names[:start]
        return {name: digest(sound(rigs.golden_scene(name))) for name in order}

    for found in together([lambda i=i: job(i) for i in range(THREADS)]):
        assert found == alone


def test_one_graph_object_at_once() -> None:
    """Threads that render the same Graph, compiled or not, get its digest."""
    for compiled in (False, True):
        graph = amp.presets.three_osc()
        want = amp.presets.three_osc().render(frames=20_000, isolation="none").digest
        if compiled:
            graph.compile()
        jobs = [lambda: graph.render(frames=20_000, isolation="none").digest] * THREADS  # noqa: B023
        assert together(jobs) == [want] * THREADS


@pytest.mark.parametrize("batches", [1, 6])
def test_runtimes_of_one_plan_at_once(batches: int) -> None:
    """Runtimes made from the same blobs share nothing."""
    scene = rigs.variants(batches)
    scene.graph.compile()
    want = digest(sound(scene))
    assert together([lambda: digest(sound(scene))] * THREADS) == [want] * THREADS


def test_editing_while_others_render() -> None:
    """A render uses the graph as it is before or after an edit, never between."""
    g = amp.Graph(sample_rate=RATE)
    tone = g.sine(frequency_hz=440.0, name="tone")
    level = g.gain(tone, gain=1.0, name="level")
    g.output(level)
    allowed = set()
    for gain in (1.0, 0.5):
        level.set(gain=gain)
        allowed.add(g.render(frames=2000, isolation="none").digest)
    stop = threading.Event()

    def edit() -> int:
        count = 0
        while not stop.is_set():
            level.set(gain=(1.0, 0.5)[count % 2])
            count += 1
        return count

    def render() -> set[str]:
        try:
            return {g.render(frames=2000, isolation="none").digest for _ in range(50)}
        finally:
            stop.set()

    edits, *seen = together([edit, render, render])
    assert edits > 0
    assert set().union(*seen) <= allowed


def test_cancelled_from_another_thread() -> None:
    """A render that is cancelled repeatedly, without any lock, continues where it stopped, to the bit."""
    scene = rigs.variants(2)
    out, other = (np.empty((2, 2, FRAMES)) for _ in range(2))
    with rigs.started(scene) as runtime:
        runtime.execute(FRAMES, other, {})
    over = threading.Event()

    def cancel(runtime: lowlevel.Runtime) -> int:
        count = 0
        while not over.is_set():
            runtime.cancel()
            count += 1
        return count

    def render(runtime: lowlevel.Runtime) -> int:
        stops = 0
        try:
            while (done := runtime.position) < FRAMES:
                try:
                    runtime.execute(FRAMES - done, out[:, :, done:], {})
                except amp.Pending:
                    stops += 1
        finally:
            over.set()
        return stops

    with rigs.started(scene, rigs.Cut(512)) as runtime:
        cancels, stops = together([lambda: cancel(runtime), lambda: render(runtime)])
    assert cancels > 0
    assert stops > 0
    assert same_bits(out, other)


def test_a_parameter_set_by_another_thread() -> None:
    """Calls of two threads that alternate: the value is in force from the requested frame on."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.gain(g.constant(value=1.0), gain=0.0, name="level"))
    heard = np.zeros((1, 1, 200 * 64))
    rounds = range(0, heard.shape[2], 64)
    rendered, set_ = threading.Semaphore(1), threading.Semaphore(0)

    def knob(runtime: lowlevel.Runtime) -> None:
        for at in rounds:
            rendered.acquire()
            runtime.set_param("level", "gain", np.full((1, 1, 1), 1.0 + at), at_frame=at + 5)
            set_.release()

    def render(runtime: lowlevel.Runtime) -> None:
        for at in rounds:
            set_.acquire()
            runtime.execute(64, heard[:, :, at : at + 64], {})
            rendered.release()

    with rigs.started(rigs.Scene(g, 64)) as runtime:
        together([lambda: knob(runtime), lambda: render(runtime)])
    n = np.arange(heard.shape[2]) - 5
    assert same_bits(heard[0, 0], np.where(n < 0, 0.0, 1.0 + n // 64 * 64))


def test_a_failure_stays_in_its_thread() -> None:
    """A render that stops at a NaN does not affect others at the same time."""
    scene = rigs.variants(1)
    want = digest(sound(scene))
    bad = amp.Graph(sample_rate=RATE)
    bad.output(bad.gain(bad.input(samples=np.array([1e308] * 100)), gain=1e3))

    def fail() -> str:
        try:
            sound(rigs.Scene(bad, 100))
        except amp.NonFiniteError as error:
            return f"frame {error.frame}"
        return "no error"

    jobs = [fail, lambda: digest(sound(scene)), fail, lambda: digest(sound(scene))]
    assert together(jobs) == ["frame 0", want, "frame 0", want]


# ---- threads of one render ----


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scene=scenes(batches=(1, 5, 16, 64), frames=300), seed=st.integers(0, 1000))
def test_threads_change_no_bit(scene: Scene, seed: int) -> None:
    """Threads x block cuts x snapshots taken with one count and restored with another."""
    want = sound(scene, threads=1)
    for threads in (2, 4):
        for cut in (Cut(), Cut(7), Cut(64, rigs.random_calls(seed, scene.frames))):
            assert same_bits(sound(scene, cut, threads=threads), want), f"{threads} threads, {cut}"
    middle = 1 + seed % (scene.frames - 1)
    for first, second in ((1, 4), (4, 1)):
        with rigs.started(scene, threads=first) as runtime:
            rigs.proceed(runtime, scene, [middle])
            blob = runtime.snapshot()
        with rigs.started(scene, threads=second) as runtime:
            runtime.restore(blob)
            rest = rigs.proceed(runtime, scene, [scene.frames - middle])
        assert same_bits(rest, want[..., middle:]), f"{first}, then {second} threads"


def test_a_fault_reads_the_same_for_every_count() -> None:
    """The fault at the earliest frame, then of the first batch: whichever thread found one first."""
    samples = np.zeros((64, 1, 9000))
    samples[[50, 11, 30], 0, 6000] = np.inf
    samples[2, 0, 6001] = np.nan
    g = amp.Graph(sample_rate=RATE)
    g.output(g.gain(g.input(samples=samples, name="bad"), gain=0.5))
    said = set()
    for threads in (1, 2, 4):
        for _ in range(5):
            with pytest.raises(amp.NonFiniteError) as caught:
                g.render(frames=9000, batches=64, isolation="none", threads=threads)
            said.add((str(caught.value), caught.value.frame, caught.value.node))
    assert [where for _, *where in said] == [[6000, "bad"]]


def voices(seed: int) -> Scene:
    """Return 48 voices of different kinds, with a shared lfo and a tree of mixes."""
    rng = np.random.default_rng(seed)
    g = amp.Graph(sample_rate=RATE, name="voices")
    shared, held = g.lfo(rate_hz=3.0, name="shared"), g.constant(value=0.9, name="held")
    ends = []
    for i in range(48):
        saw = g.oscillator(frequency_hz=60.0 + 11.0 * i)
        g.modulate(shared, saw.frequency_hz, mode="multiply", offset=1.0, scale=0.01)
        total = g.mix(saw, g.noise(amplitude=0.01), name=f"sum{i}")
        node, links = total, rng.integers(0, 5, rng.integers(1, 5))
        for link in links:
            match link:
                case 0:
                    node = g.svf(node, cutoff_hz=900.0 + i)
                case 1:
                    node = g.gain(node, gain=0.7)
                case 2:
                    node = g.one_pole(node, cutoff_hz=700.0)
                case 3:
                    node = g.delay_line(node, delay_s=0.001, max_delay_s=0.01)
                case _:
                    node = g.fir(node, cutoff_hz=3000.0, half_length=5)
        if rng.integers(0, 3) == 0:
            back = 1 if 4 not in links else int(rng.integers(25, 40))
            g.connect(g.gain(node, gain=0.4), total, slot=9, delay_frames=back)
        ends.append(node)
    g.output(g.mix(*(g.mix(*ends[k : k + 6], gain=0.2) for k in range(0, 48, 6)), held, gain=0.1))
    return Scene(g, 3000, None, 1, ("sum3", "held", "sum7", "shared"))


@pytest.mark.parametrize("seed", range(6))
def test_voices_beside_each_other_change_no_bit(seed: int) -> None:
    """A single shard is divided into parts: threads x block cuts x taps x snapshots."""
    scene = voices(seed)
    want = sound(scene, threads=1)
    for threads in (2, 4):
        for cut in (Cut(), Cut(300), Cut(scene.frames), Cut(0, rigs.random_calls(seed, scene.frames))):
            with rigs.started(scene, cut, threads=threads) as runtime:
                assert runtime.threads == threads
                got = rigs.proceed(runtime, scene, cut.calls or [scene.frames])
            assert same_bits(got, want), f"{threads} threads, {cut}"
    with rigs.started(scene, threads=3) as runtime:
        rigs.proceed(runtime, scene, [1111])
        blob = runtime.snapshot()
    with rigs.started(scene, threads=1) as runtime:
        runtime.restore(blob)
        assert same_bits(rigs.proceed(runtime, scene, [1889]), want[..., 1111:])


TASKS = Path("/proc/self/task")
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.skipif(not TASKS.exists() or PROCESSORS < 2, reason="needs /proc and two processors")
@pytest.mark.parametrize("scene", [rigs.variants(64, frames=40_000), replace(voices(0), frames=200_000)])
def test_more_threads_than_one_work(scene: Scene) -> None:
    """The threads of a runtime are there from configure to close, and each is given processor time."""

    def run_ns() -> dict[str, int]:
        return {task.name: int((task / "schedstat").read_text().split()[0]) for task in TASKS.iterdir()}

    before = run_ns()
    with rigs.started(scene, threads=3, schedule=b"") as runtime:  # each voice on its own
        idle = run_ns()
        made = idle.keys() - before.keys()
        assert len(made) == 2
        assert runtime.threads == 3
        rigs.proceed(runtime, scene, [scene.frames])
        busy = run_ns()
    assert all(busy[task] - idle[task] > 1_000_000 for task in made)
    assert not made & run_ns().keys()


def test_threads_of_a_render() -> None:
    """All that the process may use, or the requested number, no more than there is work; provenance records
    it.
    """
    render = rigs.variants(64).graph.render
    assert render(frames=10, batches=64, isolation="none", threads=3).provenance["threads"] == "3"
    few = rigs.variants(16).graph.render(frames=10, batches=16, isolation="none", threads=3)
    assert few.provenance["threads"] == "2"
    assert render(frames=10, batches=64, isolation="none").provenance["threads"] == str(min(PROCESSORS, 8))
    for bad in (0, -1, 257, 1.5, True):
        with pytest.raises(amp.GraphError, match=r"variants\.render\.threads: not allowed"):
            render(frames=10, threads=bad)  # type: ignore[arg-type]
