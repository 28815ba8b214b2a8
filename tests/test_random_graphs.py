"""Generated graphs: one digest however they are rendered, and the latency that the plan declares."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import pytest
import random_graphs
import rigs
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st
from random_graphs import Feed, Recipe, only, scenes
from rigs import RATE, Cut, Samples, Scene, digest, same_bits, sound

import amp_lab as amp
from amp_lab import catalog, lowlevel

FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=300)


class Elsewhere:
    """Processes that render with other instruction sets, and with the library another compiler made."""

    def __init__(self, stack: ExitStack) -> None:
        self.workers: dict[str, subprocess.Popen[str]] = {}
        for name, environment in rigs.elsewhere().items():
            worker = subprocess.Popen(
                [sys.executable, "-P", random_graphs.__file__],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(worker.wait)
            stack.enter_context(worker)
            level, build = json.loads(self.answer(worker))
            if level:  # this machine has it
                assert rigs.belongs(name, level, build), f"{name}: {level}, {build}"
                self.workers[name] = worker

    @staticmethod
    def answer(worker: subprocess.Popen[str]) -> str:
        assert worker.stdout is not None
        return worker.stdout.readline().strip()

    def digests(self, scene: Scene) -> dict[str, str]:
        """Digest of a scene in every other process; all of them work at once."""
        line = json.dumps([scene.graph.to_dict(), scene.frames, scene.batches, scene.taps])
        for worker in self.workers.values():
            assert worker.stdin is not None
            worker.stdin.write(line + "\n")
            worker.stdin.flush()
        return {name: self.answer(worker) for name, worker in self.workers.items()}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    with ExitStack() as stack:
        yield Elsewhere(stack)


def one_digest(scene: Scene, seed: int, elsewhere: Elsewhere) -> None:
    """Assert that cuts, flags, layouts, threads, snapshots, instruction sets and compilers change no bit."""
    whole = sound(scene)
    cuts = [Cut(block) for block in (1, 7, 63, 64, 65, 512, scene.frames)]
    cuts += [Cut(block, rigs.random_calls(seed + block, scene.frames)) for block in (0, 3, 64)]
    for cut in cuts:
        assert same_bits(sound(scene, cut), whole), str(cut)
    plain = replace(scene, taps=())
    assert same_bits(sound(plain), whole[:, : scene.graph.compile().output_channels]), "without taps"
    for flags in (0, lowlevel.HEAT, lowlevel.TRACE | lowlevel.NO_METRICS):
        assert same_bits(sound(scene, flags=flags), whole), f"flags {flags}"
    for threads in (1, 2, 4):
        assert same_bits(sound(scene, threads=threads), whole), f"{threads} threads"
    assert same_bits(heat(plain, Cut(64)), heat(plain, Cut(7, rigs.random_calls(seed, scene.frames))))
    if not any(node.type == "batch_mix" for node in scene.graph.nodes):
        for b in range(scene.batches):
            assert same_bits(sound(only(scene, b), batch_offset=b), whole[b : b + 1]), f"batch {b}"
    for frame in np.random.default_rng(seed).integers(1, scene.frames, 2):
        assert same_bits(moved_at(scene, int(frame), seed), whole[..., frame:]), f"snapshot at {frame}"
    others = elsewhere.digests(scene)
    assert others == dict.fromkeys(others, digest(whole))


def heat(scene: Scene, cut: Cut) -> Samples:
    """Heat records of every node, (nodes, 3, windows)."""
    with rigs.started(scene, cut, flags=lowlevel.HEAT) as runtime:
        rigs.proceed(runtime, scene, cut.calls or [scene.frames])
        return np.nan_to_num(np.array([runtime.heat(node) for node in scene.graph.compile().order]), nan=-1.0)


def moved_at(scene: Scene, frame: int, seed: int) -> Samples:
    """Return the frames after one at which a snapshot is restored in another runtime, with other blocks."""
    with rigs.started(scene, Cut(1 + seed % 100)) as first:
        rigs.proceed(first, scene, rigs.random_calls(seed, frame))
        blob = first.snapshot()
    with rigs.started(scene, Cut(1 + seed % 77)) as second:
        rigs.proceed(second, scene, [1 + seed % 50])  # its earlier state has no effect
        second.restore(blob)
        assert second.snapshot() == blob
        return rigs.proceed(second, scene, rigs.random_calls(seed + 1, scene.frames - frame))


def declared_is_measured(scene: Scene) -> None:
    """Assert that starts, clocks and every path of a graph have the latency of the plan."""
    plan = scene.graph.compile()
    timed = only(replace(scene, taps=()), 0)
    timed.graph.noise(name=rigs.CLOCK)
    first = rigs.starts(timed)
    assert {name: first[name] for name in plan.order} == plan.arrivals
    assert plan.latency_frames == max(plan.arrivals[v] + plan.latencies[v] for v in plan.order)
    with rigs.started(scene) as runtime:
        rigs.proceed(runtime, scene, [scene.frames])
        measured = {name: runtime.metrics(name).measured_delay_frames for name in plan.order}
    assert measured == plan.latencies
    impulses(plan)


def impulses(plan: amp.Plan) -> None:
    """Send impulses through a web with the edges and latencies of the plan whose nodes only add.

    Every path from a source must take exactly the delays of its edges, as the recursion below has it.
    """
    frames, gain = 150, 0.5
    nodes, edges = plan.info["nodes"], plan.info["edges"]
    g = amp.Graph(sample_rate=RATE)
    fed = {e["dst"] for e in edges}
    struck = {n["name"]: 1.0 + 0.25 * i for i, n in enumerate(nodes) if n["name"] not in fed}
    with g.edit():
        for n in nodes:
            lag: dict[str, Any] = {"half_length": n["latency_frames"]} if n["latency_frames"] else {}
            band = {"mode": "bandstop", "cutoff_hz": 9000.0, "upper_hz": 9000.0}  # does not change the signal
            g.add("fir" if lag else "mix", name=n["name"], **(lag | band if lag else {"gain": gain}))
        for e in edges:
            g.connect(e["src"], e["dst"], delay_frames=e["delay_frames"], gates=e["gates"])
        for name, size in struck.items():
            g.connect(g.input(samples=[size], name=f"strike_{name}"), name)
        g.output(g[plan.order[-1]], name="heard")
    web = Scene(g, frames, None, 1, plan.order)
    assert {v: g.compile().arrivals[v] for v in plan.order} == plan.arrivals
    now = {
        n["name"]: {e["src"] for e in edges if e["dst"] == n["name"] and not e["delay_frames"]} for n in nodes
    }
    want = {name: np.zeros(frames) for name in plan.order}
    into = {v: [e for e in edges if e["dst"] == v] for v in plan.order}
    for k in range(frames):
        for v in TopologicalSorter(now).static_order():
            total = struck.get(v, 0.0) * (k == 0)
            total += sum(want[e["src"]][k - e["delay_frames"]] for e in into[v] if e["delay_frames"] <= k)
            want[v][k] = total if plan.latencies[v] else gain * total
    np.testing.assert_allclose(sound(web)[0, 1:], [want[v] for v in plan.order], rtol=1e-9, atol=1e-25)


def shown(scene: Scene) -> Scene:
    """Print a graph and its properties if a test fails."""
    plan = scene.graph.compile()
    note(f"{scene.frames} frames, {scene.batches} batches\n{scene.graph.to_code()}")
    event(f"{len(scene.graph) // 10 * 10} nodes and more")
    for what, there in (
        ("latency", plan.latency_frames),
        ("loops", plan.info["components"]),
        ("gates", plan.gates),
        ("modulations", scene.graph.modulations),
    ):
        event(f"with {what}" if there else f"without {what}")
    return scene


class TestRandomGraphs:
    """The first law, and declared = measured."""

    @FEW
    @given(scene=scenes(), seed=st.integers(0, 1000))
    def test_they_have_one_digest(self, elsewhere: Elsewhere, scene: Scene, seed: int) -> None:
        """Block cuts x batch layouts x threads x snapshots x instruction sets x compilers."""
        one_digest(shown(scene), seed, elsewhere)

    @FEW
    @given(scene=scenes())
    def test_declared_latency_is_measured(self, scene: Scene) -> None:
        """First firings, clocks, and impulses down every path."""
        declared_is_measured(shown(scene))

    @pytest.mark.long
    @MANY
    @given(scene=scenes(), seed=st.integers(0, 1000))
    def test_three_hundred_of_them(self, elsewhere: Elsewhere, scene: Scene, seed: int) -> None:
        """Both, for many."""
        one_digest(shown(scene), seed, elsewhere)
        declared_is_measured(scene)

    def test_the_whole_catalogue_is_in_them(self) -> None:
        """Every type can be built, and every number that may change per frame has a range to draw from.

        The range has room and lies inside the declared one, a tenth more or less included; no range is of a
        number that no contract has.
        """
        moving = [
            p for t in catalog.types() for p in catalog[t].params if (p.kind, p.rate) == ("number", "frame")
        ]
        assert {p.key for p in moving} >= set(random_graphs.RANGES)
        for p in moving:
            low, high = random_graphs.drawn_from(p)
            assert low < high
            for edge in (0.9 * low, 1.1 * low, 0.9 * high, 1.1 * high):
                assert p.limits(rigs.RATE)[0] <= edge <= p.limits(rigs.RATE)[1], p.key
        assert {*random_graphs.SOURCES, *random_graphs.INNER} == set(catalog.types())
        for type_id in catalog.types():
            recipes = [Recipe("noise"), Recipe(type_id, feeds=(Feed(0),))]
            scene = random_graphs.build(recipes, 100, 2, None)
            assert type_id in {node.type for node in scene.graph.nodes}
            assert np.isfinite(sound(scene)).all()

    def test_others_render_too(self, elsewhere: Elsewhere) -> None:
        """At least the level in use here is compared with, in another process."""
        assert lowlevel.isa() in (*elsewhere.workers, "base")
        assert len(set(elsewhere.digests(rigs.variants(5)).values())) == 1
