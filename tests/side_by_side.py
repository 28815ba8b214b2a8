"""Commands in phases, some side by side in lanes: what may start, what is printed, what an interrupt ends.

What a phase prints is shown whole when it ends, and can be followed in ``build/reports/PHASE.log`` before. In
one lane phases run in the order given, and print at once.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "build" / "reports"
PATIENCE_S = 10.0
"""Time for interrupted programs to end by themselves, in s."""
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "PYTHONSAFEPATH": "1",  # the installed package is tested, never the source tree
}


@dataclass(frozen=True)
class Phase:
    """Commands that must all succeed; `report` is the JUnit file they leave, if any.

    It starts when the phases named in `after` have ended, well or not: it reads what they leave, or they
    read what it changes. `early`: before others that could start, because it takes long and mostly waits,
    or such a phase needs it. `alone`: it measures time, so nothing runs beside it.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    report: Path | None = None
    missing: Callable[[], str] = lambda: ""
    after: tuple[str, ...] = ()
    early: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of one phase."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    note: str = ""


def counts(report: Path | None) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of a JUnit file; zeros without one."""
    if report is None or not report.is_file():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).iter("testsuite"))

    def total(*keys: str) -> int:
        return sum(int(suite.get(key, 0)) for suite in suites for key in keys)

    failed, skipped = total("failures", "errors"), total("skipped", "disabled")
    return total("tests") - failed - skipped, failed, skipped


class Children:
    """The commands that run now; each leads a process group, so that what it started can be ended too."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], log: IO[bytes] | None) -> bool:
        """Run a command to its end, its output to a file or to the terminal; whether it succeeded."""
        with self._lock:
            if self._ended:
                return False
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT if log else None,
                process_group=0,
            )
            self._running.add(child)
        try:
            return child.wait() == 0
        finally:
            with self._lock:
                self._running.discard(child)

    def end(self) -> None:
        """Interrupt what runs, and kill the rest after a while; nothing starts any more."""
        with self._lock:
            self._ended = True
            left = list(self._running)
        deadline = time.monotonic() + PATIENCE_S
        try:
            _signal(left, signal.SIGINT)
            for child in left:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(max(0.0, deadline - time.monotonic()))
        finally:
            _signal(left, signal.SIGKILL)


def _signal(leaders: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    """Send a signal to process groups, which may exist longer than their leaders."""
    for leader in leaders:
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, number)


def log_of(phase: Phase) -> Path:
    """File for the output of a phase while others run at the same time."""
    return REPORTS / f"{phase.name}.log"


def run(phase: Phase, children: Children, log: Path | None) -> Outcome:
    """Run one phase up to its first failing command, its output to a file or to the terminal."""
    if phase.report:
        phase.report.unlink(missing_ok=True)
    start, note = time.monotonic(), ""
    with log.open("wb") if log else nullcontext() as output:
        try:
            ok = all(children.run(command, output) for command in phase.commands)
        except OSError as error:  # a program that is not there
            ok, note = False, str(error)
    seconds = time.monotonic() - start
    passed, failed, skipped = counts(phase.report)
    if not ok:
        failed = max(failed, 1)
    elif not passed and not skipped:
        passed = 1
    return Outcome(phase.name, passed, failed, skipped, seconds, note)


def ready(waiting: Sequence[Phase], running: Sequence[Phase], lanes: int) -> Phase | None:
    """The phase to start now, if any."""
    if len(running) == lanes or any(phase.alone for phase in running):
        return None
    pending = {phase.name for phase in (*waiting, *running)}
    able = [phase for phase in waiting if not pending.intersection(phase.after)]
    if lanes > 1:
        able.sort(key=lambda phase: (phase.alone, not phase.early))
    return None if not able or (able[0].alone and running) else able[0]


def run_all(todo: Sequence[Phase], lanes: int) -> list[Outcome]:
    """Run phases, some at the same time; a failure stops no other phase. Return their outcomes, in the given
    order.
    """
    outcomes: dict[str, Outcome] = {}
    waiting, running = list(todo), dict[Future[Outcome], Phase]()
    children = Children()
    with ThreadPoolExecutor(lanes) as pool, ExitStack() as last:
        last.callback(children.end)
        while waiting or running:
            while phase := ready(waiting, list(running.values()), lanes):
                waiting.remove(phase)
                if reason := phase.missing():
                    outcomes[phase.name] = Outcome(phase.name, 0, 0, 1, 0.0, reason)
                    print(f"\n== {phase.name}\nSKIPPED: {reason}", flush=True)
                    continue
                print(f"\n.. {phase.name} starts" if lanes > 1 else f"\n== {phase.name}", flush=True)
                running[pool.submit(run, phase, children, log_of(phase) if lanes > 1 else None)] = phase
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                phase, one = running.pop(future), future.result()
                outcomes[phase.name] = one
                if lanes > 1:
                    print(f"\n== {phase.name}\n{log_of(phase).read_text(errors='replace')}", end="")
                state = f"FAILED ({one.note})" if one.note else "FAILED" if one.failed else "passed"
                print(f"-- {phase.name}: {state} in {one.seconds:.1f} s", flush=True)
    return [outcomes[phase.name] for phase in todo]
