"""No test can hang for ever: each has a time limit, here, in ctest and in the tests of the JavaScript."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLEEPS = """
import time
def test_sleeps(): time.sleep(600)
def test_next(): pass
"""
HANGS = """
import ctypes
def test_hangs(): ctypes.CDLL(None).pause()
"""


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a folder of their own."""
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)


def test_a_test_that_sleeps_fails_by_name_and_the_next_one_runs(tmp_path: Path) -> None:
    """The limit of a test is not that of the run."""
    done = run(tmp_path, SLEEPS, "-o", "timeout=0.3", "-o", "timeout_method=signal")
    assert done.returncode == 1
    assert "test_sleeps" in done.stdout and "Timeout" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a native call that never returns, of POSIX")
def test_a_test_that_hangs_in_native_code_ends_with_its_stack(tmp_path: Path) -> None:
    """Where no signal handler of Python can run, the process ends and says in which test."""
    limits = ("-o", "faulthandler_timeout=0.3", "-o", "faulthandler_exit_on_timeout=true")
    done = run(tmp_path, HANGS, *limits)
    assert done.returncode == 1
    assert "Timeout" in done.stderr and "test_hangs" in done.stderr


CLOCKS = ("perf_counter()", "monotonic()")


def test_no_test_of_make_test_asserts_a_time() -> None:
    """What compares a clock with a number of seconds is marked `long`."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or not function.name.startswith("test_"):
                continue
            if any("long" in ast.unparse(one) for one in function.decorator_list):
                continue
            for line in (one.test for one in ast.walk(function) if isinstance(one, ast.Assert)):
                compared = [one for one in ast.walk(line) if isinstance(one, ast.Compare)]
                if any(
                    isinstance(one.ops[0], ast.Lt | ast.LtE)
                    and isinstance(one.comparators[0], ast.Constant)
                    and any(clock in ast.unparse(one.left) for clock in CLOCKS)
                    for one in compared
                ):
                    found.append(f"{path.name}::{function.name}")
    assert found == []


def test_every_kind_of_test_has_a_limit(pytestconfig: pytest.Config) -> None:
    """As the configurations say it, in seconds; what ends a process comes after what fails a test."""
    limit = float(pytestconfig.getini("timeout"))
    assert 0 < limit < float(pytestconfig.getini("faulthandler_timeout"))
    assert pytestconfig.getini("faulthandler_exit_on_timeout") is True
    presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))["testPresets"]
    base, *others = presets
    assert base["execution"]["timeout"] == limit
    for one in others:
        assert one["inherits"] == "base" and one.get("execution", base["execution"])["timeout"] >= limit
    scripts = json.loads((ROOT / "amp_lab/widgets/js/package.json").read_text(encoding="utf-8"))["scripts"]
    assert "--test-timeout=" in scripts["test"]
