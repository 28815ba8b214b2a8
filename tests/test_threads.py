"""Several threads: runtimes and graphs are independent, and give what they give alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import rigs
from rigs import RATE, digest, sound

import amp_lab as amp

THREADS = 4


def together(jobs: list[Any]) -> list[Any]:
    """Start one thread per job at the same moment; results in order."""
    gate = threading.Barrier(len(jobs))

    def run(job: Any) -> Any:
        gate.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in jobs]]


def test_different_graphs_at_once() -> None:
    """Each thread renders every golden graph, in its own order, with the digests of one alone."""
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
    """A render sees the graph as it is before or after an edit, never between."""
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


def test_a_failure_stays_in_its_thread() -> None:
    """A render that stops at a NaN does not disturb those beside it."""
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
