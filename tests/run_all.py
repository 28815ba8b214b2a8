"""Run every check of the repository, each under a heading with its time, and sum up.

``python tests/run_all.py [PHASE ...] [--long] [--lanes N]``; ``make test`` runs it without arguments. Phases
run side by side in lanes, as many as the processors allow (``side_by_side.py``); in one lane they run in the
order of the list. The last line printed, also left in ``build/reports/summary.txt``, is ``N passed, N
failed``: test cases where a phase reports them, else phases.
"""

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import ENVIRONMENT, REPORTS, ROOT, Phase, run_all
from staged import BUILD
from system_packages import (
    announcement,
    browser_missing,
    clang_missing,
    fuzzer_missing,
    installed,
    strace_missing,
)

WIDGETS = "amp_lab/widgets/js"
COUNT = "native/bench/instructions.py"
PROCESSORS = os.cpu_count() or 1
LANES = 1 if PROCESSORS == 1 else min(max(PROCESSORS // 2, 2), 4)


def native(
    preset: str,
    *more: tuple[str, ...],
    jobs: str,
    options: tuple[str, ...] = (),
    missing: Callable[[], str] = lambda: "",
    after: tuple[str, ...] = (),
    at_once: str = "",
) -> Phase:
    """Configure, build and test one CMake preset, then run more commands; `at_once`: tests, if not `jobs`."""
    report = REPORTS / f"native-{preset}.xml"
    commands = (
        ("cmake", "--preset", preset, *options),
        ("cmake", "--build", "--preset", preset, "--parallel", jobs),
        ("ctest", "--preset", preset, "--parallel", at_once or jobs, "--output-junit", str(report)),
        *more,
    )
    return Phase(f"native-{preset}", commands, report, missing, after)


def shared_objects() -> tuple[str, ...]:
    """The option of CMake that takes the objects of the wheel, where it was built here."""
    return (f"-DAMP_OBJECTS_FROM={BUILD if (BUILD / 'build.ninja').is_file() else ''}",)


def pytest(
    name: str,
    *arguments: str,
    missing: Callable[[], str] = lambda: "",
    after: tuple[str, ...] = (),
    early: bool = False,
    alone: bool = False,
) -> Phase:
    """One pytest run; the entry point rather than ``python -m``, which would import the source tree."""
    report = REPORTS / f"{name}.xml"
    return Phase(
        name, (("pytest", *arguments, f"--junitxml={report}"),), report, missing, after, early, alone
    )


def node_missing() -> str:
    """Why JavaScript cannot be checked; empty if it can."""
    found = shutil.which("node") and shutil.which("npm")
    return (
        ""
        if found
        else "no node and npm on this machine: bundles, lint, types and tests of the widgets not looked at"
    )


def script(name: str) -> tuple[str, ...]:
    """The command that runs a script of the widgets' package.json."""
    return ("npm", "--prefix", WIDGETS, "run", "--silent", name)


def count_missing() -> str:
    """Why no instructions can be counted against the budget; empty if they can."""
    installed("valgrind", "valgrind")
    command = (sys.executable, COUNT, "--missing")
    asked = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, check=False)
    return "" if asked.returncode else asked.stdout.strip()  # what went wrong shows when the phase runs


def same_bits(*presets: str) -> tuple[str, ...]:
    """The command that compares what the kernels of several presets print."""
    level = "v2" if platform.machine().lower() in ("x86_64", "amd64") else "base"
    programs = ";".join(f"build/{preset}/native/tests/test_nodes_{level}" for preset in presets)
    return ("cmake", f"-DPROGRAMS={programs}", "-P", "native/tests/gates/same_bits.cmake")


def golden_bits(preset: str) -> tuple[str, ...]:
    """The command that checks the goldens with the library of another preset."""
    return ("env", f"LD_LIBRARY_PATH=build/{preset}", "amp-lab", "golden", "verify")


def instructions() -> Phase:
    """Instructions of the workloads compared with their budget: speed without a clock."""
    build = (
        ("cmake", "--preset", "dev"),
        ("cmake", "--build", "--preset", "dev", "--target", "count_execute"),
    )
    commands = (*build, ("python", COUNT))
    return Phase("instructions", commands, missing=count_missing, after=("native-dev",))


def phases(long: bool, jobs: str) -> list[Phase]:
    """Every phase; in one lane they run in this order. `jobs`: how many processes one of them uses."""
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("native/**/*.[ch]pp"))
    # Long tests measure time and need the machine alone; the others share it, file by file.
    hours = ("--timeout=3000", "-o", "faulthandler_timeout=3600")
    matrix = ("-m", "long or not long", *hours) if long else ("-n", jobs, "--dist", "loadfile")
    apart = ("-o", "norecursedirs=.* browser kills site")  # phases of their own, which check no golden
    guard = ("--nbval", "-p", "amp_lab.golden.nbguard", "--nbval-current-env", "--nbval-cell-timeout=120")
    fuzz = (f"-DAMP_FUZZ_SECONDS={600 if long else 60}",)
    pair = str(min(PROCESSORS, 2))
    shared = shared_objects()
    hooks = (
        ("cmake", "--preset", "hooks", *shared),
        ("cmake", "--build", "--preset", "hooks", "--parallel", jobs),
    )
    libraries = (
        "native-hooks",
        "native-clang",
        "native-diag",
    )  # loaded by Python's tests in addition to the wheel's
    return [
        Phase("format", (("ruff", "format", "--check"),)),
        Phase("lint", (("ruff", "check"), ("lint-imports", "--no-cache", "--no-logo"))),
        Phase("types", (("mypy",),)),
        Phase("native-format", (("clang-format", "--dry-run", "-Werror", *sources),)),
        Phase(
            "drift",
            (
                ("python", "-m", "amp_lab.catalog", "--check"),
                ("python", "docs/figures.py", "--check"),
            ),
        ),
        Phase(
            "widgets",
            (
                ("npm", "--prefix", WIDGETS, "ci", "--silent"),
                *map(script, ("check", "lint", "types", "test")),
            ),
            missing=node_missing,
            after=("format", "lint", "types"),  # npm creates a folder again that they traverse
        ),
        Phase("native-hooks", hooks, early=True),
        native("dev", jobs=jobs, options=shared, after=("native-hooks",)),  # both build what they share
        native(
            "clang",
            same_bits("dev", "clang"),
            golden_bits("clang"),
            jobs=jobs,
            missing=clang_missing,
            after=("native-dev",),
        ),
        *(
            (native("diag", jobs=jobs), native("tsan", ("python", "tests/under_tsan.py"), jobs=jobs))
            if long
            else ()
        ),
        *((instructions(),) if long else ()),
        pytest("python", "--golden-unused=fail", *apart, *matrix, after=libraries, alone=long),
        native("asan", jobs=jobs),
        # Its tests take a fixed time each and one processor: two at once, when little else is left to run.
        native("fuzz", jobs=jobs, options=fuzz, missing=fuzzer_missing, at_once=pair),
        pytest("kills", "tests/kills", *(matrix if long else ()), missing=strace_missing, alone=long),
        pytest("browser", "tests/browser", missing=browser_missing, after=("native-hooks",), early=True),
        pytest("notebooks", *guard, "notebooks"),
        pytest("site", "tests/site"),
    ]


def selected(parser: argparse.ArgumentParser, names: Sequence[str], known: Iterable[Phase]) -> list[Phase]:
    """Return the phases that a command line names, all if it names none; an unknown name ends the program."""
    by_name = {phase.name: phase for phase in known}
    if unknown := set(names) - set(by_name):
        parser.error(f"PHASE: unknown (got {', '.join(sorted(unknown))}, allowed {', '.join(by_name)}).")
    return [by_name[name] for name in dict.fromkeys(names or by_name)]


def main() -> int:
    """Run the requested phases; return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PHASE")
    parser.add_argument(
        "--long",
        action="store_true",
        help="long matrices, diagnostics, thread sanitizer and counted instructions too",
    )
    parser.add_argument(
        "--lanes",
        type=int,
        choices=range(1, PROCESSORS + 2),
        default=LANES,
        metavar="N",
        help=f"how many phases may run side by side (here {LANES})",
    )
    arguments = parser.parse_args()
    lanes = min(arguments.lanes, len(arguments.names) or arguments.lanes)
    jobs = str(max(PROCESSORS // lanes, 1))
    chosen = selected(parser, arguments.names, phases(arguments.long, jobs))
    REPORTS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    if told := announcement([phase.name for phase in chosen]):
        print(told, flush=True)
    outcomes = run_all(chosen, lanes)

    print("\n== summary")
    for one in outcomes:
        numbers = f"{one.passed:6} passed{one.failed:5} failed{one.skipped:5} skipped{one.seconds:8.1f} s"
        print(f"{one.name:16}{numbers}  {one.note}".rstrip())
    if left_out := [one.name for one in outcomes if one.note and not one.failed]:
        print(f"NOT RUN: {', '.join(left_out)}")
    failed = sum(one.failed for one in outcomes)
    line = f"{sum(one.passed for one in outcomes)} passed, {failed} failed"
    (REPORTS / "summary.txt").write_text(line + "\n", encoding="utf-8")
    print(line)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
