"""The budget of instructions: what passes, what fails, and when nothing can be counted."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "native" / "bench" / "instructions.py"


def load() -> ModuleType:
    """Return the script that counts."""
    spec = importlib.util.spec_from_file_location("instructions", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["instructions"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = load()
BUDGET = script.Counts.read(script.BUDGET)


def compared(instructions: Mapping[str, int], **changes: Any) -> tuple[list[str], list[str]]:
    """Compare some counts with the committed budget."""
    compare: Any = script.compare
    lines, wrong = compare(replace(BUDGET, instructions=instructions, **changes), BUDGET)
    return lines, wrong


def grown(key: str, ratio: float) -> dict[str, int]:
    """Return the budget's counts, one of them multiplied."""
    return {**BUDGET.instructions, key: round(BUDGET.instructions[key] * ratio)}


def test_the_budget_holds_what_is_counted_and_nothing_else() -> None:
    """W1 to W4 and W6 are in the committed budget, each with its number of frames."""
    assert list(BUDGET.instructions) == [job.key for job in script.JOBS]
    assert {job.workload for job in script.JOBS} == {"W1", "W2", "W2B", "W3", "W4", "W6"}
    assert all(BUDGET.instructions[job.key] > job.frames for job in script.JOBS)


@pytest.mark.parametrize("key", BUDGET.instructions)
def test_a_workload_that_takes_over_one_percent_more_fails_by_name(key: str) -> None:
    """Just within 1 % passes, just above fails and names the workload, both counts and the cure."""
    assert compared(grown(key, 1.0099))[1] == []
    (line,) = compared(grown(key, 1.0101))[1]
    assert line.startswith(f"{key}: too many instructions (got ")
    assert f"allowed {BUDGET.instructions[key]:,} and 1%" in line and "--write" in line


def test_one_slower_workload_is_not_made_up_for_by_faster_ones() -> None:
    """Every workload has its own limit."""
    slower, *others = BUDGET.instructions
    counts = {slower: BUDGET.instructions[slower] * 2} | {
        key: BUDGET.instructions[key] // 2 for key in others
    }
    assert [line.split(":")[0] for line in compared(counts)[1]] == [slower]


def test_a_gain_passes_and_asks_for_a_new_budget() -> None:
    """Fewer instructions are no fault, but the budget must be written again to keep them."""
    key = next(iter(BUDGET.instructions))
    lines, wrong = compared(grown(key, 0.98))
    assert wrong == [] and any("fewer than before" in line and key in line for line in lines)


def test_other_jobs_than_those_of_the_budget_fail() -> None:
    """A job that the budget lacks, and one that is not counted any more, are both named."""
    first, *rest = BUDGET.instructions
    counts = {"W9, block default, 1 frames": 1} | {key: BUDGET.instructions[key] for key in rest}
    assert [line.partition(": ")[0] for line in compared(counts)[1]] == ["W9, block default, 1 frames", first]


def test_a_failure_says_when_other_tools_counted() -> None:
    """Versions of valgrind and the C library are named where they differ, and only with a failure."""
    key = next(iter(BUDGET.instructions))
    assert compared(BUDGET.instructions, tools="valgrind-9, glibc 9")[1] == []
    assert compared(grown(key, 2.0), tools="valgrind-9, glibc 9")[1][-1] == (
        f"(counted with valgrind-9, glibc 9, the budget with {BUDGET.tools})"
    )


def test_a_budget_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading lose nothing, and the committed file is what would be written."""
    BUDGET.write(tmp_path / "budget.json")
    assert script.Counts.read(tmp_path / "budget.json") == BUDGET
    assert (tmp_path / "budget.json").read_bytes() == script.BUDGET.read_bytes()


@pytest.mark.parametrize(
    ("valgrind", "isa", "build", "reason"),
    [
        ("/usr/bin/valgrind", "v3", BUDGET.build, ""),
        (None, "v3", BUDGET.build, "no valgrind"),
        ("/usr/bin/valgrind", "", BUDGET.build, "lacks v3"),
        ("/usr/bin/valgrind", "v3", "Clang 19.1.0", "built another way (got 'Clang 19.1.0'"),
    ],
)
def test_nothing_is_counted_without_the_tool_the_level_or_the_compiler(
    monkeypatch: pytest.MonkeyPatch, valgrind: str | None, isa: str, build: str, reason: str
) -> None:
    """Counts of another compiler cannot be compared: the reason is given instead."""
    monkeypatch.setattr(script.shutil, "which", lambda _: valgrind)
    monkeypatch.setattr(script, "ask", {"isa": isa, "build_info": build}.__getitem__)
    said = script.missing()
    assert reason in said and bool(said) == bool(reason)
