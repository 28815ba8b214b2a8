"""What `amp-lab bench --run` measures besides workloads: one round each, as a record of JSON values.

LIMITS and LOOPS ask native programs (CMake target ``engine_bench``) and have nothing to tell where those
were not built. ``quick`` measures as little as shows that it works.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import lowlevel
from amp_lab.bench import drawn, scale
from amp_lab.bench.runner import run_apart
from amp_lab.bench.workloads import SAMPLE_RATE, one_voice, saw_variants, voices_mixed
from amp_lab.common.version import __version__
from amp_lab.errors import InternalError
from amp_lab.graph.graph import Graph
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel import Runtime
from amp_lab.render.render import digest

PROGRAMS = "build/dev/native/bench"
"""Where the native programs are built, unless AMP_BENCH_PROGRAMS names another folder."""
BATCHES = tuple(2**k for k in range(11))
GRAPHS = 20
WATCHED_BLOCK = 512
FRAMES = 4_800
TURNS = 15
"""Calls of which the least counts, as in the native programs."""


def _player(graph: Graph, frames: int, schedule: bytes | None = None, **config: int) -> Callable[[], Samples]:
    """Return what renders a graph's next frames into one array, by a runtime of its own on one thread."""
    plan = graph.compile()
    runtime = Runtime(plan.descriptor_blob, plan.plan_blob)
    if schedule is not None:
        runtime.set_schedule(schedule)
    runtime.configure(**{"flags": lowlevel.STOP_NONFINITE, "threads": 1} | config)
    for name, samples in graph.inputs().items():
        runtime.bind_input(name, samples)
    out = np.zeros((config.get("batches", 1), plan.output_channels, frames))

    def play() -> Samples:
        runtime.execute(frames, out)
        return out

    return play


def _least_ns(ways: Sequence[Callable[[], object]], frames: int, turns: int) -> list[float]:
    """Nanoseconds per frame of several ways that take turns, the least of each."""
    least = [float("inf")] * len(ways)
    for _ in range(turns):
        for i, way in enumerate(ways):
            start = time.perf_counter()
            way()
            least[i] = min(least[i], 1e9 * (time.perf_counter() - start) / frames)
    return least


# ---- native programs ----


def _asked(program: str) -> dict[str, Any]:
    """Return what a native program of this instruction set prints, nothing where it was not built."""
    path = Path(os.environ.get("AMP_BENCH_PROGRAMS", PROGRAMS)) / f"{program}_{lowlevel.isa()}"
    if not path.is_file():
        return {}
    return run_apart(program, [str(path.resolve())])


def limits(_quick: bool) -> dict[str, Any]:
    """Measure what the machine can do, in nanoseconds."""
    found = _asked("machine_limits")
    return {"limits": {key: value for key, value in found.items() if key != "isa"}}


def loops(quick: bool) -> dict[str, Any]:
    """Time random loops in the engine and as one function of the same ticks, in ns per node-frame."""
    found = _asked("bare_loops")
    rows = found.get("loops", [])[: 2 if quick else None]
    return {"loops": [_loop(row, found["frames"]) for row in rows]}


def _loop(row: dict[str, Any], frames: int) -> dict[str, Any]:
    nodes = row["nodes"]
    play = _player(drawn.loop(nodes, drawn.excitation(frames * (TURNS + 1))), frames)
    if play()[0, 0, -1] != row["last"]:
        raise InternalError("bench LOOPS: the engine's loop differs from the bare one. Report it.")
    (cost,) = _least_ns([play], frames, TURNS)
    return {
        "nodes": [type_id for type_id, _ in nodes],
        "cost": cost / len(nodes),
        "bare": row["frame_ns"] / len(nodes),
    }


# ---- graphs ----


def batches(quick: bool) -> dict[str, Any]:
    """W6 against the number of its variants, in ns per variant and frame."""
    points = []
    for size in BATCHES[:4] if quick else BATCHES:
        play = _player(saw_variants(size), FRAMES, batches=size)
        play()
        (cost,) = _least_ns([play], FRAMES, 3 if size > 64 else TURNS)
        points.append({"batches": size, "cost": cost / size})
    return {"points": points}


def polyphony(quick: bool) -> dict[str, Any]:
    """Random voices in the plan's order and by the derived schedule, turn by turn, in ns per frame."""
    return {"graphs": [_two_ways(drawn.polyphony(seed)) for seed in range(2 if quick else GRAPHS)]}


def _two_ways(graph: Graph) -> dict[str, Any]:
    ways = [_player(graph, FRAMES, schedule=b""), _player(graph, FRAMES)]
    if len({digest(way()) for way in ways}) > 1:
        raise InternalError(f"bench POLYPHONY: {graph.name} depends on its schedule. Report it.")
    plain, derived = _least_ns(ways, FRAMES, TURNS)
    return {
        "nodes": len(graph),
        "cohorts": [len(cohort) for cohort in graph.ipls().cohorts],
        "plain": plain,
        "derived": derived,
    }


def watching(quick: bool) -> dict[str, Any]:
    """W1 with nothing measured, with metrics, and with metrics and trace, turn by turn, in ns per frame."""
    flags = {"off": lowlevel.NO_METRICS, "metrics": 0, "trace": lowlevel.TRACE}
    ways = [
        _player(one_voice(), FRAMES, block_frames=WATCHED_BLOCK, flags=lowlevel.STOP_NONFINITE | flag)
        for flag in flags.values()
    ]
    for way in ways:
        way()
    least = _least_ns(ways, FRAMES, TURNS if quick else 20 * TURNS)
    return {"block_frames": WATCHED_BLOCK} | dict(zip(flags, least, strict=True))


# ---- where the time goes ----


def profile(quick: bool) -> dict[str, Any]:
    """Seconds per type of node of W1 and W2, by blocks that are timed, and those of the whole render."""
    seconds = 1.0 if quick else 30.0
    return {"workloads": [_by_type(make(), seconds) for make in (one_voice, voices_mixed)]}


def _by_type(graph: Graph, seconds: float) -> dict[str, Any]:
    out = np.zeros((1, 2, round(seconds * SAMPLE_RATE)))
    for _ in range(2):  # the first finds its memory cold
        start = time.perf_counter()
        render = graph.render(seconds=seconds, isolation="none", threads=1, out=out)
        whole = time.perf_counter() - start
    types: dict[str, float] = {}
    for node in graph:
        types[node.type] = types.get(node.type, 0.0) + render.metrics[node.name].seconds
    return {"workload": graph.name, "render_s": whole, "types": types}


PROBES: dict[str, Callable[[bool], dict[str, Any]]] = {
    "PLAN": scale.plan,
    "NODES": scale.nodes,
    "MEMORY": scale.memory,
    "LIMITS": limits,
    "LOOPS": loops,
    "BATCHES": batches,
    "POLYPHONY": polyphony,
    "WATCHING": watching,
    "PROFILE": profile,
}


def run(name: str, quick: bool = False) -> dict[str, Any]:
    """Run one of `PROBES` in this process; the caller pins it."""
    found = PROBES[name](quick)
    return {"workload": name} | found | {"isa": lowlevel.isa(), "amp_lab": __version__}
