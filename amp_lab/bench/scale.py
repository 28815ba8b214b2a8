"""How planning, running and memory grow with the nodes: ``amp-lab bench --run`` PLAN, NODES and MEMORY.

Each returns one record of JSON values; ``quick`` leaves the large graphs out. MEMORY runs
``python -P -m amp_lab.bench.scale SHAPE NODES`` for every size, as only a fresh process shows what a graph
adds to it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import mmap
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import lowlevel, presets
from amp_lab.bench.runner import run_apart
from amp_lab.bench.workloads import SAMPLE_RATE, through_gains
from amp_lab.errors import Unsupported
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.files.descriptors import encode
from amp_lab.graph.graph import Graph
from amp_lab.lowlevel import Runtime

BLOCK_FRAMES = 256
"""Frames per block of PLAN and MEMORY; NODES lets the runtime choose."""
VOICE_NODES = 8
FAN_IN = 8
"""Edges of one mix in the tree that sums the voices."""
SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
TIMED_S = 0.2
"""Seconds of rendering per figure of NODES, at least."""
STATM = Path("/proc/self/statm")


def chain(nodes: int) -> Graph:
    """Gains in series behind a constant."""
    g = Graph(sample_rate=SAMPLE_RATE, name="chain")
    g.output(through_gains(g, g.constant(value=1.0), nodes))
    return g


def voices(nodes: int) -> Graph:
    """Different voices of eight nodes of seven types with two modulations, summed in a tree of mixes."""
    g = Graph(sample_rate=SAMPLE_RATE, name="voices")
    level = [_voice(g, i) for i in range(max(1, nodes // VOICE_NODES))]
    while len(level) > 1:
        level = [
            g.mix(*level[i : i + FAN_IN], gain=1 / FAN_IN) if level[i + 1 : i + 2] else level[i]
            for i in range(0, len(level), FAN_IN)
        ]
    g.output(level[0])
    return g


def _voice(g: Graph, number: int) -> Node:
    lfo = g.lfo(shape="square", rate_hz=1.0 + 0.001 * (number % 1000))
    pitch_hz = 55.0 + 0.37 * (number % 5000)
    saws = [g.oscillator(frequency_hz=pitch_hz * ratio, quality="blep2") for ratio in (0.996, 1.004)]
    low = g.svf(g.mix(*saws, gain=0.5), mode="lowpass", cutoff_hz=400.0 + 0.5 * (number % 3000))
    g.modulate(lfo, low.cutoff_hz, mode="multiply", offset=1.0, scale=0.5)
    amp = g.gain(low)
    g.modulate(g.envelope(gate=lfo, attack_s=0.01), amp.gain, mode="multiply")
    return g.pan(amp, position=(number % 21) / 10 - 1)


SHAPES: dict[str, Callable[[int], Graph]] = {"chain": chain, "voices": voices}


# ---- PLAN ----


def plan(quick: bool) -> dict[str, Any]:
    """Milliseconds of every stage from a built graph to a configured runtime, the least of several runs."""
    makers: list[tuple[Callable[[], Graph], int]] = [(presets.three_osc, 200)]
    for nodes, runs in ((1_000, 20), (100_000, 3))[: 1 if quick else 2]:
        makers += [(partial(shape, nodes), runs) for shape in SHAPES.values()]
    return {"unit": "ms", "block_frames": BLOCK_FRAMES, "graphs": [_stages(*maker) for maker in makers]}


def _stages(make: Callable[[], Graph], runs: int) -> dict[str, Any]:
    start = time.process_time()
    graph = make()
    built_ms = 1e3 * (time.process_time() - start)
    least: dict[str, float] = {}
    for _ in range(runs):
        laps: dict[str, float] = {}
        with _lap(laps, "emit"):
            descriptors = encode(graph._descriptors())
        with _lap(laps, "compile"):
            plan_blob, _ = lowlevel.plan_compile(descriptors)
        with _lap(laps, "load"):
            runtime = Runtime(descriptors, plan_blob)
        with _lap(laps, "configure"):
            runtime.configure(block_frames=BLOCK_FRAMES)
        runtime.close()
        laps["plan_and_configure"] = sum(laps.values())
        least = {stage: min(ms, least.get(stage, ms)) for stage, ms in laps.items()}
    return {"graph": graph.name, "nodes": len(graph), "build_ms": built_ms} | {
        f"{stage}_ms": ms for stage, ms in least.items()
    }


@contextmanager
def _lap(laps: dict[str, float], stage: str) -> Iterator[None]:
    start = time.process_time()
    yield
    laps[stage] = 1e3 * (time.process_time() - start)


# ---- NODES ----


def nodes(quick: bool) -> dict[str, Any]:
    """Nanoseconds per node and frame against the number of nodes, the least of several calls."""
    sizes = SIZES[:3] if quick else SIZES
    points = [
        _cost(shape, size) for shape in SHAPES for size in sizes if shape == "chain" or size > VOICE_NODES
    ]
    return {"unit": "ns/node-frame", "points": points}


def _cost(shape: str, size: int) -> dict[str, Any]:
    plan = SHAPES[shape](size).compile()
    with Runtime(plan.descriptor_blob, plan.plan_blob) as runtime:
        runtime.configure()
        frames = 8 * runtime.block_frames
        out = np.zeros((1, plan.output_channels, frames))
        runtime.execute(frames, out)  # cold, and what is sampled for metrics
        seconds, least = 0.0, float("inf")
        while seconds < TIMED_S:
            start = time.process_time()
            runtime.execute(frames, out)
            took = time.process_time() - start
            seconds, least = seconds + took, min(least, took)
        count = len(plan.order)
        return {
            "graph": shape,
            "nodes": count,
            "block_frames": runtime.block_frames,
            "cost": 1e9 * least / frames / count,
        }


# ---- MEMORY ----


def memory(quick: bool) -> dict[str, Any]:
    """Resident bytes per further node, from two sizes in fresh processes, by what holds them."""
    shapes = []
    for shape in SHAPES:
        small, large = (_apart(shape, size // (10 if quick else 1)) for size in (10_000, 100_000))
        more = large.pop("nodes") - small.pop("nodes")
        parts = {part: round((large[part] - small[part]) / more, 1) for part in large}
        shapes.append({"graph": shape, "bytes_per_node": parts, "total": round(sum(parts.values()), 1)})
    return {"unit": "bytes/node", "block_frames": BLOCK_FRAMES, "shapes": shapes}


def _apart(shape: str, size: int) -> dict[str, int]:
    return run_apart("MEMORY", [sys.executable, "-P", "-m", "amp_lab.bench.scale", shape, str(size)])


def resident(shape: str, size: int) -> dict[str, int]:
    """Bytes that a graph, its plan and its runtime add to this process, stage by stage."""
    chain(10).render(frames=BLOCK_FRAMES, isolation="none")  # what is there without any graph
    sizes = [_resident_bytes()]
    graph = SHAPES[shape](size)
    sizes.append(_resident_bytes())
    plan = graph.compile()
    sizes.append(_resident_bytes())
    with Runtime(plan.descriptor_blob, plan.plan_blob) as runtime:
        sizes.append(_resident_bytes())
        runtime.configure(block_frames=BLOCK_FRAMES)
        sizes.append(_resident_bytes())
        runtime.execute(BLOCK_FRAMES, np.zeros((1, plan.output_channels, BLOCK_FRAMES)))
        sizes.append(_resident_bytes())
    parts = ("graph", "plan", "loaded_plan", "configured", "first_block")
    grown = (after - before for before, after in itertools.pairwise(sizes))
    return {"nodes": len(graph)} | dict(zip(parts, grown, strict=True))


def _resident_bytes() -> int:
    if not STATM.exists():
        raise Unsupported("bench MEMORY: needs /proc, which this system lacks. Run it on Linux.")
    gc.collect()
    return int(STATM.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m amp_lab.bench.scale")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("nodes", type=int)
    options = parser.parse_args()
    print(json.dumps(resident(options.shape, options.nodes)))
