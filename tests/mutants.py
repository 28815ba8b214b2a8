"""Put small faults into the code, one at a time, and see whether a test fails: ``make mutants``.

Every test that is not ``long`` runs once, and the lines it executes are kept. Then every mutation
(`mutations.py`) runs, in a process of its own, the tests that execute its line, the fastest first, until one
fails. Mutations no test failed for have survived: each must stand in ``mutants_accepted.txt`` with a reason.

``python -P tests/mutants.py [FILE ...] [--help]``; results are kept in
``build/reports/mutants.json`` and taken up again while the mutated file is the same.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import math
import os
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import mutations

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "build" / "reports" / "mutants.json"
COVERED = ROOT / "build" / "reports" / "mutants_covered.json"
LOG = REPORT.with_name("mutants.log")
"""What the latest process wrote to its standard error."""
ACCEPTED = ROOT / "tests" / "mutants_accepted.txt"
ROOMS = ("golden/*.py", "analysis/*.py", "measure.py")
ABOUT = re.compile(r"^(import|from) .*\b(golden|analysis|measure)\b", re.MULTILINE)
"""Words in a test file that belong to these rooms."""
SLOWEST_S = 5.0
"""Tests that need more processor time are left out, or three times as much time in all: storms, fuzzing."""
BUDGET_S = 20.0
"""Of tests per mutation, in time of the run that found what they cover."""
SEED = 17
BROKEN = 3
"""Exit code of a process that could not even run tests."""
OPTIONS = ["-qq", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT)]
Results = dict[str, dict[str, str]]


# ---- files ----


def package() -> Path:
    """Folder of the installed package."""
    found = PathFinder.find_spec("amp_lab")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


# ---- running tests ----


class Repeatable:
    """A pytest plug-in that lets Hypothesis choose the same examples every time."""

    def pytest_collection(self) -> None:
        """Set a profile before any test is made."""
        from hypothesis import settings  # noqa: PLC0415 - pytest is to load it first

        settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
        settings.load_profile("mutants")


class Selected(Repeatable):
    """Runs given tests in given order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the chosen tests."""
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda i: self.order[i.nodeid])


def passes(session: pytest.Session, items: Sequence[pytest.Item]) -> bool:
    """Whether every one of these tests passes; ends at the first that does not."""
    failures = session.testsfailed
    for item, after in zip(items, [*items[1:], None], strict=False):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.testsfailed > failures:
            return False
    return True


def quiet() -> None:
    """Make this process a group of its own without output."""
    os.setsid()
    for stream, file in enumerate((os.devnull, os.devnull, LOG)):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


def ran(session: pytest.Session, items: Sequence[pytest.Item], out: Path) -> None:
    """Run tests of one file and write, for each that passes, its seconds and the lines it executes."""
    import coverage  # noqa: PLC0415 - it is not loaded where mutations are tried

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    rooms = [str(package() / room) for room in ROOMS]
    found: dict[str, Any] = {}
    for item in items:
        measured = coverage.Coverage(data_file=None, include=rooms, config_file=False)
        measured.set_option("run:disable_warnings", ["no-data-collected"])
        begun = sum(os.times()[:4])
        signal.setitimer(signal.ITIMER_REAL, 3.0 * SLOWEST_S)
        with measured.collect():
            good = passes(session, [item])
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        data = measured.get_data()
        lines = {
            str(Path(f).relative_to(package())): sorted(data.lines(f) or ()) for f in data.measured_files()
        }
        if good:
            found[item.nodeid] = {"s": sum(os.times()[:4]) - begun, "lines": lines}
    out.write_text(json.dumps(found), encoding="utf-8")


def covered(session: pytest.Session, jobs: int) -> dict[str, Any]:
    """Return what every test executes, from the report or by running them file by file."""
    by_file: dict[str, list[pytest.Item]] = {}
    for item in session.items:
        by_file.setdefault(item.nodeid.partition("::")[0], []).append(item)
    known = json.loads(COVERED.read_text(encoding="utf-8")) if COVERED.exists() else {}
    new = {}
    sources = sha256(b"".join(file.read_bytes() for file in files_of(ROOMS)))  # their lines are kept
    for file in by_file:
        digest = sources.hexdigest() + sha256((ROOT / file).read_bytes()).hexdigest()
        new[file] = known[file] if known.get(file, {}).get("digest") == digest else {"digest": digest}
    out = {
        file: COVERED.with_name(f"mutants_{Path(file).stem}.json") for file in new if "tests" not in new[file]
    }
    work = [(file, lambda file=file: ran(session, by_file[file], out[file]), 900.0) for file in out]
    for file, state in in_parallel(work, jobs):
        print(f"{file}: {state}", flush=True)
        new[file]["tests"] = json.loads(out[file].read_text("utf-8")) if out[file].exists() else {}
        out[file].unlink(missing_ok=True)
        COVERED.write_text(json.dumps({f: v for f, v in new.items() if "tests" in v}), encoding="utf-8")
    return {test: facts for file in new.values() for test, facts in file["tests"].items()}


def in_parallel(work: Iterable[tuple[str, Any, float]], jobs: int) -> Iterable[tuple[str, str]]:
    """Run each job in a forked process, and yield its name with `passed`, `failed`, `timeout` or `broken`."""
    running: dict[int, tuple[str, float]] = {}
    waiting = iter(work)
    while True:
        while len(running) < jobs and (one := next(waiting, None)) is not None:
            if not (pid := os.fork()):
                code = BROKEN
                try:
                    quiet()
                    code = int(one[1]() is False)
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(code)
            running[pid] = (one[0], time.monotonic() + one[2])
        if not running:
            return
        for pid, (name, end) in list(running.items()):
            late = time.monotonic() > end
            if late:
                os.killpg(pid, signal.SIGKILL)
            done, status = os.waitpid(pid, 0 if late else os.WNOHANG)
            if done:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)  # processes that the test did not end
                del running[pid]
                if status == BROKEN << 8:
                    print(LOG.read_text(encoding="utf-8"), flush=True)
                ends = {0: "passed", BROKEN << 8: "broken"}
                yield name, "timeout" if late else ends.get(status, "failed")
        time.sleep(0.01)


# ---- the run ----


class Run(Repeatable):
    """Tries mutations in place of running the tests."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.results: Results = json.loads(REPORT.read_text("utf-8")) if REPORT.exists() else {}
        self.wanted = wanted(options.files, options.sample)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every mutation that is wanted and has no result."""
        tests = covered(session, self.options.jobs)
        print(f"{len(tests)} tests, {len(self.wanted)} mutations", flush=True)
        items = {item.nodeid: item for item in session.items}
        work = []
        for name, (file, index, mutation) in self.wanted.items():
            known = self.results.get(name, {})
            again = self.options.again and known.get("state") == "survived"
            if known.get("file") == digest_of(file) and not again:
                continue
            names, seconds = fastest(tests, file, mutation)
            trial = self.trial(session, file, index, [items[n] for n in names if n in items])
            work.append((name, trial, 60.0 + 15.0 * seconds))
        for done, (name, end) in enumerate(in_parallel(work, self.options.jobs)):
            state = {"passed": "survived", "failed": "killed"}.get(end, end)
            self.results[name] = {"state": state, "file": digest_of(self.wanted[name][0])}
            if state == "survived" or done % 10 == 0 or done + 1 == len(work):
                REPORT.write_text(json.dumps(self.results, indent=0), encoding="utf-8")
            print(f"{done + 1}/{len(work)} {state}: {name}", flush=True)
        return True

    def trial(self, session: pytest.Session, file: Path, index: int, items: list[pytest.Item]) -> Any:
        """Return the job that tries one mutation; it returns whether all tests pass."""

        def run() -> bool:
            if not mutations.replaced(file, index):
                tests = json.dumps([item.nodeid for item in items])
                program = [sys.executable, "-P", __file__, "--one", str(file), str(index)]
                os.environ["MUTANT_TESTS"] = tests
                os.execv(sys.executable, program)
            return passes(session, items)

        return run


@functools.cache
def digest_of(file: Path) -> str:
    """SHA-256 of the code of a file."""
    return sha256(mutations.without_texts(file.read_text(encoding="utf-8")).encode()).hexdigest()


def fastest(tests: dict[str, Any], file: Path, mutation: mutations.Mutation) -> tuple[list[str], float]:
    """Return the tests that execute a mutation, the fastest first, and their seconds."""
    key, total, names = str(file.relative_to(package())), 0.0, []
    for name, facts in sorted(tests.items(), key=lambda item: item[1]["s"]):
        lines = set(facts["lines"].get(key, ()))
        there = lines & set(mutation.statement) if mutation.function else lines
        if there and facts["s"] < SLOWEST_S:
            total += facts["s"]
            names.append(name)
            if total > BUDGET_S:
                break
    return names, total


def files_of(rooms: Sequence[str]) -> list[Path]:
    """Return the files of rooms in order."""
    return sorted(file for room in rooms for file in package().glob(room))


def wanted(files: Sequence[str], sample: int | None) -> dict[str, tuple[Path, int, mutations.Mutation]]:
    """Return the mutations of the files (default: all rooms), or a random sample of them, by name."""
    found = {}
    for file in files_of(files or ROOMS):
        key = str(file.relative_to(package()))
        assert file.read_bytes() == (ROOT / "amp_lab" / key).read_bytes(), f"{key}: install the package first"
        for index, (mutation, _) in enumerate(mutations.mutated(file.read_text(encoding="utf-8"))):
            found[f"{key} {mutation.name}"] = (file, index, mutation)
    if sample is None or sample >= len(found):
        return found
    return {name: found[name] for name in random.Random(SEED).sample(sorted(found), sample)}


def accepted() -> dict[str, str]:
    """Return the reasons for survivors by name: a line, and an indented one below it."""
    lines = [
        line
        for line in ACCEPTED.read_text(encoding="utf-8").splitlines()
        if line.strip()[:1] not in ("#", "")
    ]
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    assert all(not name.startswith(" ") and why.startswith("    ") for name, why in pairs), (
        "a reason is missing"
    )
    return {name: why.strip() for name, why in pairs}


def summary(results: Results, names: Iterable[str], reasons: dict[str, str]) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all is well."""
    states = {name: results[name]["state"] for name in names if name in results}
    survivors = [name for name, state in states.items() if state in ("survived", "broken")]
    killed, count = len(states) - len(survivors), max(len(states), 1)
    share, z = killed / count, 1.96
    middle, half = (
        share + z * z / (2 * count),
        z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2),
    )
    low, high = ((middle + sign * half) / (1 + z * z / count) for sign in (-1, 1))
    unexplained = sorted(set(survivors) - set(reasons))
    stale = [name for name in reasons if states.get(name, "survived") not in ("survived", "broken")]
    lines = [f"survived, no reason given: {name}" for name in unexplained]
    lines += [f"accepted, but killed now: {name}" for name in stale]
    lines.append(
        f"{killed} of {len(states)} killed: {share:.1%} (95 % interval {low:.1%} to {high:.1%}), "
        f"{len(survivors) - len(unexplained)} survivors with a reason, {len(unexplained)} without"
    )
    return lines, share >= 0.85 and not unexplained and not stale


def main() -> int:
    """Run; 0 if enough mutations are killed and every survivor has a reason."""
    if sys.argv[1:2] == ["--one"]:
        tests = json.loads(os.environ.pop("MUTANT_TESTS"))
        sys.meta_path.insert(0, mutations.Finder(Path(sys.argv[2]), int(sys.argv[3])))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        code = pytest.main([*OPTIONS, "-x", *files], plugins=[Selected(tests)])
        return int(code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="below amp_lab, for example golden/verdict.py"
    )
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--sample", type=int, metavar="N", help="try N of them, chosen at random")
    parser.add_argument("--tests", default="test_*.py", metavar="GLOBS", help="files of tests to use")
    parser.add_argument("--again", action="store_true", help="try those that survived again")
    options = parser.parse_args()
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    run = Run(options)
    files = sorted(file for one in options.tests.split(",") for file in (ROOT / "tests").glob(one))
    tests = [str(file) for file in files if ABOUT.search(file.read_text(encoding="utf-8"))]
    pytest.main([*OPTIONS, *tests], plugins=[run])
    reasons = accepted()
    lines, good = summary(run.results, run.wanted, reasons)
    print("\n".join(lines))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
