"""System packages that the runner fetches: listed before, and none with ``AMP_NO_INSTALL=1``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import system_packages

TESTS = Path(__file__).parent
ALL = ("browser", "kills", "native-clang", "native-fuzz", "instructions")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="apt-get is Debian's")


def program(folder: Path, name: str, text: str) -> None:
    """Write a shell script that can be called by its name."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of root with apt-get alone, which records its calls in `calls`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "apt-get", f'echo "$*" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", str(folder))
    for name in ("AMP_NO_INSTALL", "AMP_REQUIRE_BROWSER", "AMP_REQUIRE_STRACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def calls(machine: Path) -> list[str]:
    """What apt-get was called with."""
    path = machine.parent / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_what_will_be_fetched_is_told_and_not_yet_fetched(machine: Path) -> None:
    """Every package with its phases and why, and how to forbid it."""
    told = system_packages.announcement(ALL)
    assert "AMP_NO_INSTALL=1 forbids it" in told.splitlines()[0]
    for name, phases in [
        ("chromium", "browser:"),
        ("strace", "kills:"),
        ("clang", "native-clang, native-fuzz:"),
        ("libclang-rt-*-dev", "native-fuzz:"),
        ("valgrind", "instructions:"),
    ]:
        (line,) = [line for line in told.splitlines() if line.split()[0] == name]
        assert phases in line and line.split(":")[1].strip()
    assert calls(machine) == []


def test_only_what_the_phases_need_and_is_not_there_is_told(machine: Path) -> None:
    """A clang without libFuzzer needs the runtime of its version; otherwise nothing is printed."""
    program(machine, "strace", "")
    program(machine, "clang++", 'test "$1" = -dumpversion && echo 19.1.7')
    assert [one.name for one in system_packages.lacking(ALL)] == [
        "chromium",
        "libclang-rt-19-dev",
        "valgrind",
    ]
    assert system_packages.announcement(("kills", "native-clang", "python")) == ""


def test_a_missing_program_is_fetched(machine: Path) -> None:
    """With apt-get, by root; where that does not help, once more with a new list of packages."""
    assert (
        system_packages.strace_missing() == "no strace on this machine: no writer killed at its system calls"
    )
    assert calls(machine) == ["install -y -qq --no-install-recommends strace"]
    program(machine, "apt-get", f'echo "$1" >> {machine.parent}/calls; exit 100')
    assert "no clang++ on this machine" in system_packages.clang_missing()
    assert calls(machine)[1:] == ["install", "update", "install"]


def test_nothing_is_fetched_where_that_is_forbidden(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each phase is skipped with the reason, and the announcement names what is not here."""
    monkeypatch.setenv("AMP_NO_INSTALL", "1")
    reasons = [
        system_packages.browser_missing(),
        system_packages.strace_missing(),
        system_packages.clang_missing(),
        system_packages.fuzzer_missing(),
    ]
    assert all(reason.startswith("AMP_NO_INSTALL=1, and no ") for reason in reasons)
    told = system_packages.announcement(ALL)
    assert told.startswith("AMP_NO_INSTALL=1: nothing is fetched") and "chromium" in told
    assert calls(machine) == []


def test_without_root_nothing_is_fetched(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The announcement does not promise it."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "no strace" in system_packages.strace_missing()
    assert "takes root and apt-get" in system_packages.announcement(("kills",))
    assert calls(machine) == []


@pytest.mark.parametrize("forbidden", [True, False])
def test_the_runner_tells_first_and_names_what_did_not_run(machine: Path, forbidden: bool) -> None:
    """The announcement comes before any phase starts, what is skipped is named again after the summary."""
    runner = (
        "import os, sys; from pathlib import Path; os.geteuid = lambda: 0; import run_all, side_by_side;"
        f" run_all.REPORTS = side_by_side.REPORTS = Path({str(machine.parent)!r});"
        " sys.argv = ['run_all', 'kills', '--lanes', '1']; sys.exit(run_all.main())"
    )
    environment = os.environ | {"PYTHONPATH": str(TESTS)} | ({"AMP_NO_INSTALL": "1"} if forbidden else {})
    ran = subprocess.run(
        [sys.executable, "-c", runner], env=environment, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    head = "AMP_NO_INSTALL=1: nothing is fetched" if forbidden else "Fetched from the system with apt-get"
    assert lines[0].startswith(head) and lines[1].split()[0] == "strace"
    assert any(line.startswith("SKIPPED: ") and "no strace on this machine" in line for line in lines)
    assert "NOT RUN: kills" in lines and lines[-1] == "0 passed, 0 failed"
    assert bool(calls(machine)) is not forbidden
