"""The measured page: ``amp-lab bench --report`` measures everything, round by round, into a file.

Page and pictures follow from it (`amp_lab.bench.page`, `amp_lab.bench.pictures`) and from nothing else.
"""

from __future__ import annotations

import datetime
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import lowlevel
from amp_lab.bench import page, pictures, probes, runner
from amp_lab.common import atomic_files, json_text
from amp_lab.common.version import __version__
from amp_lab.errors import InvalidArgument

NAMES = ("W1", "W2", "W3", "W4", "W6")
SPREAD = ("W2", "W6")
"""Workloads that are run on several threads too."""
QUICK_S = 0.05
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
FILE, PAGE = "engine.json", "engine.md"


@dataclass(frozen=True)
class Beside:
    """A program of other authors that plays a workload: a row of a file as ``--emit`` writes it."""

    workload: str
    system: str
    precision: str
    setting: str
    command: tuple[str, ...]
    divisor: int

    @classmethod
    def read(cls, path: Path) -> list[Beside]:
        """Read such a file.

        Raises
        ------
        InvalidArgument
            If it holds anything else.
        """
        rows = json_text.read_json(path)
        try:
            return [cls(w, s, p, note, tuple(map(str, words)), int(by)) for w, s, p, note, words, by in rows]
        except (TypeError, ValueError) as error:
            raise InvalidArgument(
                f"bench --beside: {path.name} holds no jobs (allowed rows of workload, system, "
                "precision, setting, command and divisor). Write it as amp-lab bench --emit does."
            ) from error

    @property
    def known(self) -> dict[str, Any]:
        """What it is, without where it lies; ``block`` as its setting says."""
        block = re.match(r"block (\d+)", self.setting)
        fields = ("workload", "system", "precision", "setting")
        return {key: getattr(self, key) for key in fields} | {"block": int(block[1]) if block else None}

    def cost(self) -> dict[str, Any]:
        """Run it; nanoseconds per unit of the workload."""
        facts = runner.run_apart(self.system, self.command)
        return {"costs": float(1e9 * facts["render_s"] / facts["frames"] / self.divisor)}


@dataclass(frozen=True)
class Task:
    """Something to measure once per round: under which key, what is known of it, on how many processors."""

    key: str
    known: dict[str, Any]
    call: Callable[[], dict[str, Any]]
    threads: int = 1


def measure(rounds: int, seconds: float, quick: bool, beside: Path | None = None) -> dict[str, Any]:
    """Measure everything once per round, each in a process of its own, and return it as JSON values.

    Parameters
    ----------
    rounds
        How often.
    seconds
        Sound per workload.
    quick
        Measure as little as shows that it works.
    beside
        File of `Beside` programs to run in the same rounds.
    """
    seconds = QUICK_S if quick else seconds
    tasks = _tasks(seconds, quick, [] if beside is None else Beside.read(beside))
    found: list[list[Any]] = [[] for _ in tasks]
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for task, results in zip(tasks, found, strict=True):
            with runner.pinned(task.threads):
                results.append(task.call())
    records = [(task.key, task.known | joined(rows)) for task, rows in zip(tasks, found, strict=True)]
    lists = {key: [record for k, record in records if k == key] for key in ("workloads", "beside")}
    probed = {key: record for key, record in records if key not in lists}
    return {"about": _about(rounds, seconds, quick), **lists, **probed}


def _tasks(seconds: float, quick: bool, others: Sequence[Beside]) -> list[Task]:
    """Everything there is to measure."""
    most = runner.processors()
    counts = {2**k for k in range(1, most.bit_length())} | {most}
    jobs = runner.jobs(NAMES, seconds)
    jobs += [job for n in sorted(counts) if 1 < n <= most for job in runner.jobs(SPREAD, seconds, n)]
    tasks = []
    for job in jobs:
        known = {"workload": job.name, "block": job.block_frames, "threads": job.threads}
        tasks.append(Task("workloads", known, partial(_cost, job), job.threads))
    tasks += [Task("beside", program.known, program.cost) for program in others]
    return tasks + [Task(name.lower(), {}, partial(_probe, name, quick)) for name in probes.PROBES]


def _cost(job: runner.BenchRun) -> dict[str, Any]:
    facts = runner.run_apart(job.name, job.command)
    return {"costs": runner.cost_ns(job, facts), "first": runner.cost_ns(job, facts, "first_s")}


def _probe(name: str, quick: bool) -> dict[str, Any]:
    found = runner.run_apart(name, [*runner.BENCH, "--run", name, *(["--quick"] if quick else [])])
    return {key: found[key] for key in found if key not in ("workload", "isa", "amp_lab", "unit")}


def joined(rounds: Sequence[Any]) -> Any:
    """Join records of one form: a figure becomes the list of those of the rounds."""
    first = rounds[0]
    if isinstance(first, dict):
        return {key: joined([r[key] for r in rounds]) for key in first}
    if isinstance(first, list) and any(isinstance(x, dict) for x in first):
        return [joined(column) for column in zip(*rounds, strict=True)]
    return [float(f"{x:.4g}") for x in rounds] if isinstance(first, float) else first


def _about(rounds: int, seconds: float, quick: bool) -> dict[str, Any]:
    with runner.pinned() as where:
        pass
    return {
        "machine": runner.machine(),
        "processors": runner.processors(),
        "caches": _caches(),
        "isa": lowlevel.isa(),
        "build": lowlevel.build_info(),
        "versions": {"amp_lab": __version__, "numpy": np.__version__, "Python": platform.python_version()},
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.date.today().isoformat(),
        "pinned": where,
        "rounds": rounds,
        "seconds": seconds,
        "quick": quick,
    }


def _caches() -> list[str]:
    """Return the caches of the first processor, where the system tells."""
    found = []
    for index in sorted(CACHES.glob("index*")):
        level, kind, size = ((index / key).read_text().strip() for key in ("level", "type", "size"))
        kib = int(size.removesuffix("K"))
        name = f"L{level}" if kind == "Unified" else f"L{level} {kind.lower()}"
        found.append(f"{name} {kib} KiB" if kib < 1024 else f"{name} {kib // 1024} MiB")
    return found


def check(folder: Path) -> None:
    """Make a folder and see that files can be written there, before anything is measured."""
    folder.mkdir(parents=True, exist_ok=True)
    atomic_files.check(folder / FILE)


def write(folder: Path, data: dict[str, Any]) -> list[Path]:
    """Write measurements, page and pictures into a folder, and return the files."""
    check(folder)
    atomic_files.write(folder / FILE, json_text.dumps(data))
    data = load(folder)  # whose order is that of the file
    made = {PAGE: page.text(data).encode()} | pictures.files(data)
    for name, content in made.items():
        atomic_files.write(folder / name, content)
    return [folder / FILE, *(folder / name for name in made)]


def load(folder: Path) -> dict[str, Any]:
    """Read the measurements of a folder."""
    found: dict[str, Any] = json_text.read_json(folder / FILE)
    return found
