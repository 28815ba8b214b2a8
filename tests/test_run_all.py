"""The runner of all checks: what runs at the same time, what is printed, what an interrupt leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import run_all
import side_by_side
from side_by_side import Phase

TESTS = Path(__file__).parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the runner ends process groups")


def phase(name: str, *programs: str, after: tuple[str, ...] = (), **more: bool) -> Phase:
    """Return a phase that runs Python programs."""
    return Phase(name, tuple((sys.executable, "-c", one) for one in programs), after=after, **more)


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let logs go into a folder of the test."""
    monkeypatch.setattr(side_by_side, "REPORTS", tmp_path)
    return tmp_path


@pytest.fixture
def note(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes a program which appends a word to the file `notes`."""

    def program(word: str) -> str:
        return f"open({str(tmp_path / 'notes')!r}, 'a').write({word + ' '!r})"

    return program


def started(todo: Sequence[Phase], lanes: int) -> list[set[str]]:
    """Return what runs at a time if the phase that started last always ends first."""
    waiting, running, seen = list(todo), list[Phase](), list[set[str]]()
    while waiting or running:
        while one := side_by_side.ready(waiting, running, lanes):
            waiting.remove(one)
            running.append(one)
        seen.append({one.name for one in running})
        running.pop()
    return seen


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_phase_that_fails_stops_no_other(lanes: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Its further commands are left out; even what comes after it runs."""
    todo = [
        phase("bad", "import sys; print('first'); sys.exit(3)", "print('second')"),
        phase("good", "print('third')"),
        phase("later", "print('fourth')", after=("bad",)),
    ]
    outcomes = side_by_side.run_all(todo, lanes)
    assert [(one.name, one.passed, one.failed) for one in outcomes] == [
        ("bad", 0, 1),
        ("good", 1, 0),
        ("later", 1, 0),
    ]
    told = capfd.readouterr().out
    assert "first" in told and "third" in told and "fourth" in told and "second" not in told
    assert "-- bad: FAILED in" in told and "-- later: passed in" in told


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_needs_are_honoured(lanes: int, note: Callable[[str], str], tmp_path: Path) -> None:
    """A phase starts when all phases it comes after have ended; unselected names do not count."""
    slow = f"import time; time.sleep(0.3); {note('slow')}"
    todo = [
        phase("slow", slow),
        phase("quick", note("quick"), after=("nobody",)),
        phase("last", note("last"), after=("slow", "quick")),
    ]
    assert all(not one.failed for one in side_by_side.run_all(todo, lanes))
    words = (tmp_path / "notes").read_text().split()
    assert words[-1] == "last" and sorted(words[:-1]) == ["quick", "slow"]


def test_lanes_run_side_by_side(tmp_path: Path) -> None:
    """Two phases that wait for each other both end."""
    meet = """
import pathlib, time
pathlib.Path({!r}).touch()
while not pathlib.Path({!r}).exists(): time.sleep(0.01)"""
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    todo = [phase("one", meet.format(here, there)), phase("other", meet.format(there, here))]
    assert [one.failed for one in side_by_side.run_all(todo, 2)] == [0, 0]


def test_one_lane_keeps_the_order_of_the_list() -> None:
    """No phase is preferred, and none runs at the same time as it."""
    todo = [phase("a"), phase("b", early=True), phase("c", alone=True), phase("d", after=("b",))]
    assert started(todo, 1) == [{"a"}, {"b"}, {"c"}, {"d"}]


def test_who_goes_first_in_lanes() -> None:
    """The early ones first; one that must run alone last, with no other."""
    todo = [phase("alone", alone=True), phase("a"), phase("b"), phase("early", early=True)]
    assert started(todo, 2) == [{"early", "a"}, {"early", "b"}, {"early"}, {"alone"}]
    todo = [phase("alone", alone=True), phase("after", after=("alone",))]
    assert started(todo, 2) == [{"alone"}, {"after"}]


def test_output_of_a_phase_is_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """Output of phases that run at the same time is printed phase by phase, with errors; starts are noted."""
    talk = """
import sys, time
for i in range(20): print('{0}', i, flush=True); time.sleep(0.01)
sys.exit('{0} ends')"""
    side_by_side.run_all([phase("one", talk.format("one")), phase("two", talk.format("two"))], 2)
    told = capfd.readouterr().out
    for name in ("one", "two"):
        assert told.index(f".. {name} starts") < told.index(f"== {name}")
        lines = "".join(f"{name} {i}\n" for i in range(20))
        assert f"\n== {name}\n{lines}{name} ends\n-- {name}: FAILED in" in told


def test_a_phase_without_its_tool_is_skipped_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    """With the reason, and without running anything; the others run."""
    less = replace(phase("less", "print('ran')"), missing=lambda: "no such tool here")
    for lanes in (1, 2):
        outcomes = side_by_side.run_all([less, phase("more", after=("less",))], lanes)
        assert [(one.passed, one.failed, one.skipped, one.note) for one in outcomes] == [
            (0, 0, 1, "no such tool here"),
            (1, 0, 0, ""),
        ]
        told = capfd.readouterr().out
        assert "== less\nSKIPPED: no such tool here\n" in told and "ran" not in told


def test_a_program_that_is_not_there_is_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """Named, and no end of the run."""
    outcomes = side_by_side.run_all([Phase("gone", (("no-such-program-here",),)), phase("more")], 2)
    assert [one.failed for one in outcomes] == [1, 0]
    assert "no-such-program-here" in outcomes[0].note
    assert "-- gone: FAILED (" in capfd.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_an_interrupt_ends_children_and_theirs(number: int, tmp_path: Path) -> None:
    """Nothing of any lane is left, not even what ignores the interrupt, and no further command starts."""
    deaf = """
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)"""
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {deaf!r}])"
    script = f"""
import signal, sys
from pathlib import Path
import side_by_side
side_by_side.PATIENCE_S, side_by_side.REPORTS = 0.2, Path({str(tmp_path)!r})
signal.signal({int(number)}, signal.default_int_handler)
command = (sys.executable, "-c", {child!r})
side_by_side.run_all([side_by_side.Phase(name, (command, command)) for name in ("one", "two")], 2)
"""
    runner = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(TESTS)}, stderr=subprocess.PIPE
    )
    logs = [tmp_path / f"{name}.log" for name in ("one", "two")]
    while not all(log.exists() and log.read_text().endswith("\n") for log in logs):
        assert runner.poll() is None
        time.sleep(0.01)
    runner.send_signal(number)
    assert b"KeyboardInterrupt" in runner.communicate(timeout=60)[1]
    for log in logs:
        (pid,) = map(int, log.read_text().split())
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("long", [False, True])
def test_the_phases_can_all_run(long: bool) -> None:
    """Each comes after earlier ones only, so that one lane keeps the order; lanes leave none out."""
    todo = run_all.phases(long, "1")
    names = [one.name for one in todo]
    assert len(set(names)) == len(names)
    for i, one in enumerate(todo):
        assert not set(one.after) & set(names[i:]), one.name
    for lanes in (1, 2, 4):
        seen = started(todo, lanes)
        assert set().union(*seen) == set(names)
        alone = {one.name for one in todo if one.alone}
        assert all(len(at_once) == 1 for at_once in seen if at_once & alone)
    assert {one.name for one in todo if one.alone} == ({"python", "kills"} if long else set())
