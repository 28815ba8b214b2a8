"""Every way to render a graph: cuts x schedules x threads, of which each must give the same bits.

``python tests/matrix.py`` prints the digests of every graph as JSON, for comparison between processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import rigs
from rigs import Cut, Scene, digest, sound

import amp_lab as amp
from amp_lab.bench.workloads import voices_mixed
from amp_lab.errors import AmpError
from amp_lab.plan.schedule import Schedule

BLOCKS = (0, 1, 7, 63, 64, 65, 512)
THREADS = (1, 2, 4)
FRAMES = 700
"""Frames of a scene at most: more than the longest block, with a rest."""

Errors = tuple[type[AmpError], ...]


# ---- schedules ----


def edges(graph: amp.Graph) -> list[tuple[str, str]]:
    """Source and reader of every edge and modulation."""
    return [(e["src"], e["dst"]) for e in graph.compile().info["edges"]]


def reordered(graph: amp.Graph, seed: int) -> Schedule:
    """Return a random valid firing order without cohorts; loops stay whole, their nodes in order."""
    plan = graph.compile().info
    rng = np.random.default_rng(seed)
    unit = {n["name"]: n["name"] for n in plan["nodes"]}
    unit |= {name: c["nodes"][0] for c in plan["components"] for name in c["nodes"]}
    members: dict[str, list[str]] = {}
    for name, first in unit.items():
        members.setdefault(first, []).append(name)
    waits = {first: set[str]() for first in members}
    for src, dst in edges(graph):
        if unit[src] != unit[dst]:
            waits[unit[dst]].add(unit[src])
    stages: list[list[list[str]]] = []
    done: set[str] = set()
    while len(done) < len(members):
        ready = [first for first in members if first not in done and waits[first] <= done]
        chosen = ready[int(rng.integers(len(ready)))]
        done.add(chosen)
        stages.append([[name] for name in members[chosen]])
    return Schedule(stages)


def halved(derived: Schedule) -> Schedule:
    """Return the cohorts of a schedule cut in two, each half from its last member to its first."""
    stages: list[list[list[str]]] = []
    for stage in derived.stages:
        halves = [[list(cohort[part][::-1]) for cohort in stage] for part in (slice(3), slice(3, None))]
        stages.append([half for half in (*halves[0], *halves[1]) if half])
    return Schedule(stages)


def schedules(graph: amp.Graph, seed: int) -> dict[str, bytes | None]:
    """Return no schedule (the plan's order), the derived one, and two that are never derived."""
    return {
        "plain": b"",
        "derived": None,
        "reordered": reordered(graph, seed).blob,
        "halved": halved(graph.ipls()).blob,
    }


# ---- graphs ----


def choir(seed: int) -> amp.Graph:
    """4 to 21 voices of one random shape with parameters of their own, some with a loop or a shared part."""
    rng = np.random.default_rng(seed)
    g = amp.Graph(name=f"choir{seed}")
    shared = g.lfo(rate_hz=3.0)
    parts = [str(t) for t in rng.choice(["gain", "one_pole", "svf", "biquad", "safety"], rng.integers(1, 5))]
    shape, tail, loop = str(rng.choice(["saw", "sine"])), bool(rng.integers(2)), bool(rng.integers(2))
    ends = []
    for _ in range(int(rng.integers(4, 22))):
        node = g.oscillator(frequency_hz=float(rng.uniform(50, 900)), waveform=shape)
        g.modulate(shared, node.frequency_hz, mode="multiply", offset=1.0, scale=0.1)
        for part in parts:
            node = g.add(part, node, **({"cutoff_hz": 900.0} if part == "svf" else {}))
        if loop:
            back = g.mix(node)
            g.connect(g.gain(back, gain=float(rng.uniform(0.1, 0.5))), back, delay_frames=1 + seed % 7)
            node = back
        ends.append(g.pan(node, position=float(rng.uniform(-1, 1))) if tail else node)
    g.output(g.mix(*ends))
    return g


def scenes() -> Iterator[tuple[str, Scene]]:
    """Return every graph of `rigs` and choirs, under its name."""
    yield from rigs.scenes()
    for seed in range(20):
        yield f"choir {seed}", Scene(choir(seed), FRAMES, batches=1 + seed % 6)
    yield "64 voices", Scene(voices_mixed(), FRAMES)


def heard(scene: Scene, cut: Cut, *, expected: Errors = (), **how: Any) -> str:
    """Return the digest of the sound, or type and place of an expected error; any other error is raised."""
    try:
        return digest(sound(scene, cut, **how))
    except expected as error:
        place = f"node {error.node}, port {error.port}, batch {error.batch}, channel {error.channel}"
        return f"{type(error).__name__} at {place}, frame {error.frame}"


def digests(scene: Scene, seed: int, *, expected: Errors = ()) -> dict[str, list[str]]:
    """Return each resulting digest, or place of an expected error, with the ways that led to it."""
    scene = replace(scene, frames=min(scene.frames, FRAMES))
    cuts = [Cut(block) for block in (*BLOCKS, scene.frames)]
    cuts += [Cut(block, rigs.random_calls(seed + block, scene.frames)) for block in (0, 3, 64)]
    found: dict[str, list[str]] = {}
    for name, schedule in schedules(scene.graph, seed).items():
        for threads in THREADS:
            for cut in cuts:
                bits = heard(scene, cut, expected=expected, schedule=schedule, threads=threads)
                found.setdefault(bits, []).append(f"{name}, {threads} threads, {cut}")
    return found


def everything() -> dict[str, list[str]]:
    """Digests of every graph."""
    return {name: list(digests(scene, 1)) for name, scene in scenes()}


if __name__ == "__main__":
    rigs.tell(everything)
