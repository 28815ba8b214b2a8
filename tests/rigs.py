"""What tests of the engine share: graphs, stimuli, and renders cut in every way.

``python tests/rigs.py`` prints the digests of every graph as JSON, for comparison between processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import amp_lab as amp
from amp_lab import catalog, lowlevel
from amp_lab.contracts import CaseContract
from amp_lab.golden import node_cases
from amp_lab.golden.node_cases import NodeCase
from amp_lab.lowlevel import Runtime

Samples = npt.NDArray[np.float64]
GOLDENS = Path(__file__).parents[1] / "goldens"
CLANG = Path(__file__).parents[1] / "build" / "clang"
RATE = node_cases.RATE
CASES = [(type_id, case) for type_id in catalog.types() for case in catalog[type_id].cases]
"""Every case of every contract."""


# ---- rendering ----


@dataclass(frozen=True)
class Scene:
    """A graph with everything its render needs; ``taps`` are further channels after the output."""

    graph: amp.Graph
    frames: int
    controls: amp.ControlHistory | None = None
    batches: int = 1
    taps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cut:
    """One way to divide a render: the requested block, and the lengths of the calls (None: one call)."""

    block: int = 0
    calls: Sequence[int] | None = None

    def __str__(self) -> str:
        calls = "one call" if self.calls is None else f"{len(self.calls)} calls"
        return f"block {self.block or 'chosen'}, {calls}"


def started(
    scene: Scene,
    cut: Cut | None = None,
    *,
    flags: int = lowlevel.STOP_NONFINITE,
    batch_offset: int = 0,
    schedule: bytes | None = None,
    threads: int = 0,
) -> Runtime:
    """Return a configured runtime with inputs and curves, at frame 0."""
    plan = scene.graph.compile()
    runtime = Runtime(plan.descriptor_blob, plan.plan_blob)
    if schedule is not None:
        runtime.set_schedule(schedule)
    runtime.configure(
        batches=scene.batches,
        block_frames=(cut or Cut()).block,
        flags=flags,
        batch_offset=batch_offset,
        threads=threads,
    )
    for name, samples in scene.graph.inputs().items():
        runtime.bind_input(name, samples)
    if plan.curves:
        controls = scene.controls or scene.graph.controls
        assert controls is not None
        runtime.set_history(controls.select(plan.curves).blob)
    return runtime


def proceed(runtime: Runtime, scene: Scene, calls: Iterable[int]) -> Samples:
    """Execute calls of the given lengths; returns output and taps, stacked along the channels."""
    lengths = list(calls)
    ports = [(node, port or None) for node, _, port in (tap.partition(".") for tap in scene.taps)]
    channels = [scene.graph.compile().output_channels, *(runtime.port_channels(*port) for port in ports)]
    arrays = [np.empty((scene.batches, count, sum(lengths))) for count in channels]
    done = 0
    for length in lengths:
        audio, *others = (array[:, :, done : done + length] for array in arrays)
        runtime.execute(length, audio, dict(zip(ports, others, strict=True)))
        done += length
    return np.concatenate(arrays, axis=1)


def sound(
    scene: Scene,
    cut: Cut | None = None,
    *,
    flags: int = lowlevel.STOP_NONFINITE,
    batch_offset: int = 0,
    schedule: bytes | None = None,
    threads: int = 0,
) -> Samples:
    """Return the audio, (B, C, N); by the derived schedule unless one is given."""
    with started(
        scene, cut, flags=flags, batch_offset=batch_offset, schedule=schedule, threads=threads
    ) as runtime:
        return proceed(runtime, scene, (cut or Cut()).calls or [scene.frames])


CLOCK = "a_clock"
"""A node that fires at every virtual time, the first in the order."""


def starts(scene: Scene) -> dict[str, int]:
    """Measured virtual time of each node's first firing: how often the `CLOCK` of the graph had fired."""
    plan = scene.graph.compile()
    with started(scene, Cut(1), flags=lowlevel.TRACE) as runtime:
        proceed(runtime, scene, [1])
        events, dropped = runtime.trace()
    assert (dropped, plan.order[0]) == (0, CLOCK)
    clock, first = -1, dict[str, int]()
    for one in events:
        name = plan.order[one["node"]]
        clock += name == CLOCK
        first.setdefault(name, clock)
        assert one["visible_from"] == clock + plan.latencies[name]
    return first


def through(type_id: str, x: Samples, **params: Any) -> Samples:
    """Return what one node makes of a mono signal, (C, N)."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.add(type_id, g.input(samples=x), **params))
    return sound(Scene(g, x.shape[-1]))[0]


def source(type_id: str, frames: int, **params: Any) -> Samples:
    """Return what a source makes, (C, N)."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.add(type_id, **params))
    return sound(Scene(g, frames))[0]


def digest(samples: Samples) -> str:
    """SHA-256 of the bits."""
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()


def same_bits(left: npt.ArrayLike, right: npt.ArrayLike) -> bool:
    """Whether two arrays agree in shape and in every bit."""
    a, b = np.ascontiguousarray(left, np.float64), np.ascontiguousarray(right, np.float64)
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def random_calls(seed: int, frames: int) -> list[int]:
    """Lengths of calls that add up to ``frames``, from one frame to many blocks."""
    rng, calls = np.random.default_rng(seed), []
    while (left := frames - sum(calls)) > 0:
        calls.append(min(left, int(np.exp(rng.uniform(0.0, np.log(max(2, frames / 4)))))))
    return calls


# ---- goldens as scenes ----


GOLDEN_CASES = runpy.run_path(str(GOLDENS / "make_cases.py"))["CASES"]


def golden_scene(name: str) -> Scene:
    """Graph, length, controls and batches of a golden case."""
    graph, controls, frames, batches = GOLDEN_CASES[name]()
    return Scene(graph, frames, controls, batches)


# ---- contract cases as scenes ----


stimulus = node_cases.stimulus


def case_params(type_id: str, case: CaseContract) -> dict[str, Any]:
    """Parameters of a contract case as builders take them."""
    return NodeCase(catalog[type_id], case).params()


def case_scene(
    type_id: str,
    case: CaseContract,
    *,
    batches: int = 1,
    feed: Mapping[str, Samples] | None = None,
    **more: Any,
) -> Scene:
    """Build the graph of a contract case, with the further outputs of the node as taps.

    ``feed`` replaces the stimulus of ports, ``more`` replaces parameters.
    """
    contract = catalog[type_id]
    g, controls = NodeCase(contract, case).graph(batches=batches, feed=feed, **more)
    taps = tuple(f"{node_cases.NODE}.{port}" for port in contract.output_keys[1:])
    return Scene(g, case.frames, controls, batches, taps)


def latency(type_id: str, case: CaseContract) -> int:
    """Latency of the node of a contract case in frames."""
    return case_scene(type_id, case).graph.compile().latencies["node"]


def case_ids() -> list[str]:
    """Names of `CASES` for pytest."""
    return [f"{type_id}-{case.key}" for type_id, case in CASES]


# ---- one graph that has everything, with every batch different ----


def variants(batches: int, *, first: int = 0, count: int | None = None, frames: int = 700) -> Scene:
    """Return a graph of many nodes whose tensors differ per batch; ``count`` batches from ``first``."""
    rng = np.random.default_rng(3)
    part = slice(first, first + (batches if count is None else count))

    def tensor(low: float, high: float, channels: int = 1, length: int = 1) -> Samples:
        return rng.uniform(low, high, (batches, channels, length))[part]

    g = amp.Graph(sample_rate=RATE, name="variants")
    saw = g.oscillator(waveform="saw", frequency_hz=tensor(50, 5000, 2), channels=2, name="saw")
    hiss = g.noise(channels=2, amplitude=tensor(0.01, 0.1), name="hiss")
    steps = g.lfo(shape="random", rate_hz=tensor(20, 900), slew_s=1e-4, name="steps")
    fm = g.sine(frequency_hz=tensor(10, 3000, 1, frames), name="fm")
    bound = g.input(samples=tensor(-1, 1, 2, frames - 50), name="bound")
    pulse = g.oscillator(waveform="square", frequency_hz=tensor(100, 400), quality="naive", name="pulse")
    env = g.envelope(gate=pulse, attack_s=tensor(0, 1e-3), decay_s=1e-3, release_s=tensor(1e-4, 2e-3))
    total = g.mix(saw, hiss, bound, name="total")
    flt = g.svf(total, mode="bandpass", cutoff_hz=tensor(300, 4000), q=tensor(0.5, 20, 2), name="flt")
    line = g.delay_line(flt, delay_s=tensor(1e-4, 4e-3), max_delay_s=0.01, name="line")
    pole = g.one_pole(line, cutoff_hz=2000.0, name="pole")
    eq = g.biquad(pole, design="peak", cutoff_hz=tensor(500, 5000), gain_db=6.0, name="eq")
    g.connect(g.gain(eq, gain=tensor(-0.5, 0.5), name="back"), total, slot=9, delay_frames=3)
    g.modulate(fm, saw.frequency_hz, mode="add", scale=30.0)
    g.modulate(steps, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.4)
    level = g.gain(eq, name="level")
    g.modulate(env, level.gain, mode="multiply")
    g.output(g.safety(g.pan(level, position=tensor(-1, 1))), name="out")
    return Scene(g, frames, None, batches if count is None else count)


# ---- digests for other processes ----


def elsewhere() -> dict[str, dict[str, str]]:
    """Environments that could give other bits: instruction sets, the second compiler's library."""
    ways = {level: {"AMP_ISA": level} for level in ("v2", "v3", "v4")}
    digest_file = CLANG / "generated" / "source_digest.txt"
    if (CLANG / "libamp_native.so").is_file() and digest_file.read_text().strip() == lowlevel.source_digest():
        ways["clang"] = {"LD_LIBRARY_PATH": str(CLANG)}
    return {way: os.environ | own | {"PYTHONPATH": str(Path(__file__).parent)} for way, own in ways.items()}


def belongs(way: str, level: str, build: str) -> bool:
    """Whether a process of `elsewhere` uses the level and the library it should use."""
    return "lang" in build if way == "clang" else level == way


def answers(program: str) -> dict[str, Any]:
    """Output of a program that prints `digests`, in each environment of `elsewhere` that this machine has."""
    found = {}
    for way, environment in elsewhere().items():
        command = [sys.executable, "-P", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        if answer["isa"]:
            assert belongs(way, answer["isa"], answer["build"]), f"{way}: {answer['isa']}, {answer['build']}"
            found[way] = answer["digests"]
    assert lowlevel.isa() in (*found, "base")
    return found


def tell(digests: Callable[[], dict[str, Any]]) -> None:
    """Print the instruction set level, the build and the digests; none if this machine lacks the level."""
    level = lowlevel.isa()
    found = digests() if level else {}
    print(json.dumps({"isa": level, "build": lowlevel.build_info(), "digests": found}))


def scenes() -> Iterator[tuple[str, Scene]]:
    """Return every graph under its name."""
    for name in GOLDEN_CASES:
        yield f"golden {name}", golden_scene(name)
    for (type_id, case), name in zip(CASES, case_ids(), strict=True):
        for batches in (1, 6):
            yield f"case {name} x {batches}", case_scene(type_id, case, batches=batches)
    for batches in (1, 4, 9):
        yield f"variants x {batches}", variants(batches)


def digests() -> dict[str, str]:
    """Digest of every graph."""
    return {name: digest(sound(scene)) for name, scene in scenes()}


if __name__ == "__main__":
    tell(digests)
