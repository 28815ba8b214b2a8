"""Running workloads: one in this process, all in interleaved rounds, or as jobs for a driver of peers."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import lowlevel
from amp_lab.bench.workloads import REFERENCE_HZ, SAMPLE_RATE, WORKLOADS, Workload, alias_db
from amp_lab.common import atomic_files, checks
from amp_lab.common.version import __version__
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.render.render import Render

BLOCK_1_S = 10.0
"""Longest run at one frame per block."""
BENCH = (sys.executable, "-P", "-m", "amp_lab.cli", "bench")


def _workload(name: str) -> Workload:
    if name not in WORKLOADS:
        raise InvalidArgument(checks.unknown("bench", name, WORKLOADS, "workload"))
    return WORKLOADS[name]


@dataclass(frozen=True)
class BenchRun:
    """One workload at one block size (None: chosen by the runtime), for some seconds of sound."""

    name: str
    block_frames: int | None
    seconds: float
    threads: int = 1

    @property
    def note(self) -> str:
        """Settings in words."""
        block = "default" if self.block_frames is None else str(self.block_frames)
        setup = _workload(self.name).setup
        length = "" if self.name == "BUILD" else f"; {self.seconds:g} s"
        threads = "" if self.threads == 1 else f"; {self.threads} threads"
        return f"block {block}{length}{threads}" + (f"; {setup}" if setup else "")

    @property
    def command(self) -> list[str]:
        """Command line that runs it in a process of its own."""
        block = [] if self.block_frames is None else ["--block", str(self.block_frames)]
        threads = [] if self.threads == 1 else ["--threads", str(self.threads)]
        return [*BENCH, "--run", self.name, "--seconds", f"{self.seconds:g}", *block, *threads]


def jobs(names: Sequence[str], seconds: float, threads: int = 1) -> list[BenchRun]:
    """Return every job of the named workloads (none named: all)."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise InvalidArgument(f"bench --seconds: out of range (got {seconds:g}, allowed above 0 s).")
    return [
        BenchRun(name, block, min(seconds, BLOCK_1_S) if block == 1 else seconds, threads)
        for name in names or WORKLOADS
        for block in _workload(name).blocks
    ]


def run(job: BenchRun) -> dict[str, Any]:
    """Run one job in this process; the caller pins it.

    Returns
    -------
    dict
        ``render_s`` seconds spent in `Graph.render` (BUILD: from an empty graph on) after another such
        render, ``first_s`` seconds that other took, whose memory came fresh from the system, ``frames``
        rendered in each, and what produced the figure; for W1 the alias energy of its saws in dB, at their
        own highest pitch and at `REFERENCE_HZ`.
    """
    workload = _workload(job.name)
    first_s, render_s, frames, shape = (_time_build if job.name == "BUILD" else _time_render)(workload, job)
    facts: dict[str, Any] = {
        "render_s": render_s,
        "first_s": first_s,
        "frames": frames,
        "workload": job.name,
        "setting": job.note,
        **shape,
        "isa": lowlevel.isa(),
        "amp_lab": __version__,
    }
    if job.name == "W1":
        graph = workload.build(job.seconds)
        facts["alias_db"] = alias_db(graph)
        facts[f"alias_{REFERENCE_HZ:.0f}hz_db"] = alias_db(graph, REFERENCE_HZ)
    return facts


def _time_render(workload: Workload, job: BenchRun) -> tuple[float, float, int, dict[str, Any]]:
    """Render the whole time in pieces, twice."""
    pieces = max(1, math.ceil(job.seconds / workload.piece_s))
    frames = round(job.seconds * SAMPLE_RATE / pieces)
    graph = workload.build(frames / SAMPLE_RATE)
    out = np.zeros((workload.batches, graph.compile().output_channels, frames)) if workload.reuse else None

    def play() -> tuple[float, Render]:
        spent = 0.0
        for _ in range(pieces):
            start = time.perf_counter()
            render = graph.render(
                frames=frames,
                batches=workload.batches,
                block_frames=job.block_frames,
                out=out,
                isolation="none",
                threads=job.threads,
            )
            spent += time.perf_counter() - start
        return spent, render

    first = play()[0]  # its samples are let go: the next render finds their memory warm
    second, render = play()
    used = {key: int(render.provenance[key]) for key in ("block_frames", "threads")}
    return first, second, frames * pieces, {"peak": render.peak, **used}


def _time_build(workload: Workload, job: BenchRun) -> tuple[float, float, int, dict[str, Any]]:
    """Build, plan, configure and render one frame, twice."""

    def build() -> tuple[float, int]:
        start = time.perf_counter()
        graph = workload.build(job.seconds)
        graph.render(frames=1, block_frames=job.block_frames, isolation="none", threads=job.threads)
        return time.perf_counter() - start, len(graph)

    (first, _), (second, nodes) = build(), build()
    return first, second, 1, {"nodes": nodes}


def emit(names: Sequence[str], seconds: float, path: Path, threads: int = 1) -> list[BenchRun]:
    """Write the jobs as JSON rows [workload, system, precision, setting, command, divisor]."""
    chosen = jobs(names, seconds, threads)
    rows = [[j.name, "amp_lab", "f64", j.note, j.command, _workload(j.name).divisor] for j in chosen]
    atomic_files.write(path, "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    return chosen


def cost_ns(job: BenchRun, facts: dict[str, Any], spent: str = "render_s") -> float:
    """Nanoseconds per unit of the workload."""
    per_frame_ns: float = 1e9 * facts[spent] / facts["frames"]
    return per_frame_ns / _workload(job.name).divisor


def run_apart(name: str, command: Sequence[str]) -> dict[str, Any]:
    """Run a command in a process of its own; its last line of output is JSON.

    Raises
    ------
    AmpError
        If it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AmpError(f"bench {name}: failed (exit code {done.returncode}): {done.stderr.strip()}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def processors() -> int:
    """Count the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pinned(threads: int = 1) -> Iterator[str]:
    """Keep this process and its children on a processor per thread, where the system can; says which."""
    if not hasattr(os, "sched_setaffinity"):
        yield "not pinned"
        return
    before = os.sched_getaffinity(0)
    chosen = sorted(before)[-threads:]
    os.sched_setaffinity(0, chosen)
    try:
        yield f"pinned to processor {', '.join(map(str, chosen))}"
    finally:
        os.sched_setaffinity(0, before)


def machine() -> str:
    """Name of the processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def table(names: Sequence[str], seconds: float, rounds: int, threads: int = 1) -> str:
    """Run every job once per round, each in a process of its own, and return medians as Markdown."""
    if rounds < 1:
        raise InvalidArgument(f"bench --rounds: out of range (got {rounds}, allowed 1 or more).")
    runs: dict[BenchRun, list[dict[str, Any]]] = {job: [] for job in jobs(names, seconds, threads)}
    with pinned(threads) as where:
        for _ in range(rounds):
            for job, found in runs.items():
                found.append(run_apart(job.name, job.command))
    versions = f"amp_lab {__version__} ({lowlevel.build_info()}; {lowlevel.isa()}), numpy {np.__version__}"
    head = [
        f"{machine()}, {where}; {versions}, Python {platform.python_version()}; "
        f"{datetime.date.today().isoformat()}; medians of {rounds} interleaved rounds",
        "",
        "| workload | setting | median | lowest | highest | unit |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(job, found) for job, found in runs.items())])


def _row(job: BenchRun, found: list[dict[str, Any]]) -> str:
    costs = [cost_ns(job, facts) for facts in found]
    shown = (statistics.median(costs), min(costs), max(costs))
    alias = "".join(f"; {key} {value:.1f}" for key, value in found[0].items() if key.startswith("alias"))
    cells = " | ".join(f"{cost:.4g}" for cost in shown)
    return f"| {job.name} | {job.note}{alias} | {cells} | {_workload(job.name).unit} |"
