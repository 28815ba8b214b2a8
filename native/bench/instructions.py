"""Counts instructions of the benchmark workloads and compares them with a budget: speed without a clock.

``python native/bench/instructions.py`` counts the instructions of ``amp_graph_runtime_execute`` of the
installed library in W1 to W4 and W6, under callgrind and at level v3 (valgrind does not support AVX-512), and
fails if a workload needs over 1 % more than ``instructions.json`` allows. ``--write`` counts and writes that
file, ``--missing`` prints why nothing can be counted on this machine. It needs valgrind and the target
``count_execute`` of the preset ``dev``. Instructions are not time: more cache misses or longer dependency
chains are visible in ``make bench`` only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amp_lab._native import FOLDER
from amp_lab.bench.workloads import SAMPLE_RATE, WORKLOADS

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Path(__file__).with_suffix(".json")
COUNTER = ROOT / "build" / "dev" / "native" / "bench" / "count_execute"
BUILD = "cmake --preset dev && cmake --build --preset dev --target count_execute"
PROFILES = ROOT / "build" / "reports" / "instructions"
LIBRARY = FOLDER / "libamp_native.so"
LEVEL = "v3"
ALLOWED = 0.01
"""Allowed growth: memory functions of the C library differ slightly between its versions."""
COUNTED = "amp_graph_runtime_execute"


@dataclass(frozen=True)
class Job:
    """One workload: block size (0: chosen by the library) and number of frames."""

    workload: str
    frames: int
    block: int = 0

    @property
    def key(self) -> str:
        """Key of the count: workload, block size and number of frames."""
        return f"{self.workload}, block {self.block or 'default'}, {self.frames} frames"


JOBS = (
    Job("W1", 48_000),
    Job("W2", 9_600),
    Job("W2B", 9_600),
    Job("W3", 4_096, 64),
    Job("W3", 4_096, 512),
    Job("W3", 512, 1),
    Job("W4", 48_000),
    Job("W6", 2_400),
)


@dataclass(frozen=True)
class Counts:
    """Instructions per job, and the build and tools they were counted with."""

    build: str
    tools: str
    instructions: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> Counts:
        """Read a budget."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Write a budget."""
        path.write_text(json.dumps(vars(self), indent=2) + "\n", encoding="utf-8")


def compare(found: Counts, budget: Counts, allowed: float = ALLOWED) -> tuple[list[str], list[str]]:
    """Compare counts with a budget.

    Returns
    -------
    tuple of two lists
        One line per job, in the order of ``found``; and the errors, empty if there are none.
    """
    lines, wrong = [], []
    for key, count in found.instructions.items():
        if key not in budget.instructions:
            wrong.append(f"{key}: not in the budget. Write it anew: --write")
            continue
        growth = count / budget.instructions[key] - 1
        lines.append(f"{key:36}{count:15,}{growth:+10.3%}")
        if growth > allowed:
            wrong.append(
                f"{key}: too many instructions (got {count:,}, {growth:+.2%}, allowed "
                f"{budget.instructions[key]:,} and {allowed:.0%}). Make it faster again, or, if it has to "
                "take them, write the budget anew (--write) and say why in the commit."
            )
        elif growth < -allowed:
            lines.append(f"  {key}: fewer than before. Write the budget anew (--write) so that it stays so.")
    gone = [key for key in budget.instructions if key not in found.instructions]
    wrong += [f"{key}: in the budget and not counted. Write it anew: --write" for key in gone]
    if wrong and found.tools != budget.tools:
        wrong.append(f"(counted with {found.tools}, the budget with {budget.tools})")
    return lines, wrong


def missing(budget: Path = BUDGET) -> str:
    """Return why counts cannot be made or compared with this budget; empty if they can."""
    if shutil.which("valgrind") is None:
        return "no valgrind on this machine: instructions not counted"
    found = ask("isa"), ask("build_info")
    if found[0] != LEVEL:
        return f"this machine lacks {LEVEL} (has {platform.machine()}): instructions not counted"
    if found[1] != (build := Counts.read(budget).build):
        built = f"the library is built another way (got {found[1]!r}, the budget's: {build!r})"
        return f"{built}: instructions not counted"
    return ""


def ask(question: str) -> str:
    """Return the value of a ``lowlevel`` function, at the level that is counted."""
    program = f"from amp_lab import lowlevel; print(lowlevel.{question}())"
    return output(sys.executable, "-P", "-c", program)


def output(*command: object) -> str:
    """Return what a command prints.

    It runs with a minimal environment: environment strings shift the stack, and the counts of loops over
    memory depend on its alignment.
    """
    bare = {"AMP_ISA": LEVEL, "LC_ALL": "C", "PATH": os.defpath}
    done = subprocess.run(
        list(map(str, command)), env=bare, cwd=ROOT, text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: failed\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def count(job: Job, library: Path = LIBRARY) -> int:
    """Instructions of one job; leaves its profile in ``build/reports/instructions``."""
    workload = WORKLOADS[job.workload]
    graph = workload.build(job.frames / SAMPLE_RATE)
    plan = graph.compile()
    shape = (workload.batches, plan.output_channels, job.frames, job.block)
    profile = PROFILES / (job.key.replace(", ", "-").replace(" ", "_") + ".callgrind")
    profile.parent.mkdir(parents=True, exist_ok=True)
    options = (
        "--quiet",
        "--tool=callgrind",
        f"--toggle-collect={COUNTED}",
        f"--callgrind-out-file={profile}",
    )
    with TemporaryDirectory() as folder:
        place = Path(folder)
        files = {"descriptors": plan.descriptor_blob, "plan": plan.plan_blob}
        for name, samples in graph.inputs().items():
            files[name] = samples.tobytes()
        for name, data in files.items():
            (place / name).write_bytes(data)
        inputs = [part for name in graph.inputs() for part in (name, place / name)]
        output("valgrind", *options, COUNTER, library, place / "descriptors", place / "plan", *shape, *inputs)
    totals = re.search(r"^(?:totals|summary): (\d+)", profile.read_text(encoding="utf-8"), re.MULTILINE)
    if totals is None or int(totals[1]) == 0:
        raise SystemExit(f"{job.key}: {COUNTED} was not seen by callgrind. Is it still called that?")
    return int(totals[1])


def counts(progress: Callable[[str], Any] = print) -> Counts:
    """Count every job."""
    tools = f"{output('valgrind', '--version')}, {' '.join(platform.libc_ver())}"
    found = {}
    for job in JOBS:
        found[job.key] = count(job)
        progress(f"{job.key:36}{found[job.key]:15,}")
    return Counts(ask("build_info"), tools, found)


def main() -> int:
    """Count and compare, or write; return 0 if no workload exceeds its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the budget anew")
    parser.add_argument("--missing", action="store_true", help="print why nothing can be counted here")
    arguments = parser.parse_args()
    if arguments.missing:
        print(missing())
        return 0
    if not COUNTER.is_file():
        raise SystemExit(f"{COUNTER.relative_to(ROOT)}: not built. Run: {BUILD}")
    if arguments.write:
        counts().write(BUDGET)
        return 0
    if reason := missing():
        print(f"SKIPPED: {reason}")
        return 0
    lines, wrong = compare(counts(lambda _: None), Counts.read(BUDGET))
    print("\n".join([*lines, *wrong]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
