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
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import ENVIRONMENT, REPORTS, ROOT, Phase, run_all

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
) -> Phase:
    """Configure, build and test one CMake preset, then run more commands."""
    report = REPORTS / f"native-{preset}.xml"
    commands = (
        ("cmake", "--preset", preset, *options),
        ("cmake", "--build", "--preset", preset, "--parallel", jobs),
        ("ctest", "--preset", preset, "--parallel", jobs, "--output-junit", str(report)),
        *more,
    )
    return Phase(f"native-{preset}", commands, report, missing, after)


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


def fetch(package: str) -> None:
    """Try to install a package of Debian's, where that is allowed."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if subprocess.run(install, check=False).returncode:  # a fresh machine has no list of packages
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(install, check=False)


def installed(program: str, package: str) -> bool:
    """Whether there is a program, after trying to install it where that is allowed."""
    if not shutil.which(program):
        fetch(package)
    return shutil.which(program) is not None


def node_missing() -> str:
    """Why JavaScript cannot be looked at; empty if it can."""
    found = shutil.which("node") and shutil.which("npm")
    return (
        ""
        if found
        else "no node and npm on this machine: bundles, lint, types and tests of the widgets not looked at"
    )


def script(name: str) -> tuple[str, ...]:
    """The command that runs a script of the widgets' package.json."""
    return ("npm", "--prefix", WIDGETS, "run", "--silent", name)


def browser_missing() -> str:
    """Why no browser test can run; empty if they can, or where they have to."""
    there = any(map(shutil.which, ("google-chrome", "chromium-browser"))) or installed("chromium", "chromium")
    required = os.environ.get("AMP_REQUIRE_BROWSER") == "1"
    return "" if there or required else "no chromium on this machine: widgets not tried in a browser"


def strace_missing() -> str:
    """Why no writer can be killed at its system calls; empty if one can, or where one has to."""
    there, required = installed("strace", "strace"), os.environ.get("AMP_REQUIRE_STRACE") == "1"
    return "" if there or required else "no strace on this machine: no writer killed at its system calls"


def count_missing() -> str:
    """Why no instructions can be counted against the budget; empty if they can."""
    installed("valgrind", "valgrind")
    command = (sys.executable, COUNT, "--missing")
    asked = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, check=False)
    return "" if asked.returncode else asked.stdout.strip()  # what went wrong shows when the phase runs


def clang_missing() -> str:
    """Why there is no clang; empty if there is one."""
    installed("clang++", "clang")
    return "" if shutil.which("clang++") else "no clang++ on this machine: second compiler not tried"


def fuzzer_missing() -> str:
    """Why the libFuzzer targets cannot be built; empty if they can."""
    if missing := clang_missing():
        return missing
    if not has_fuzzer():
        version = subprocess.run(
            ["clang++", "-dumpversion"], text=True, capture_output=True, check=True
        ).stdout
        fetch(f"libclang-rt-{version.partition('.')[0].strip()}-dev")
    return "" if has_fuzzer() else "clang++ here has no libFuzzer: blobs not fuzzed"


def has_fuzzer() -> bool:
    """Whether clang++ builds a libFuzzer target."""
    source = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
    with tempfile.TemporaryDirectory() as folder:
        command = ("clang++", "-fsanitize=fuzzer,address", "-x", "c++", "-", "-o", f"{folder}/target")
        build = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    return build.returncode == 0


def same_bits(*presets: str) -> tuple[str, ...]:
    """The command that compares what the kernels of several presets print."""
    level = "v2" if platform.machine().lower() in ("x86_64", "amd64") else "base"
    programs = ";".join(f"build/{preset}/native/tests/test_nodes_{level}" for preset in presets)
    return ("cmake", f"-DPROGRAMS={programs}", "-P", "native/tests/gates/same_bits.cmake")


def golden_bits(preset: str) -> tuple[str, ...]:
    """The command that holds the goldens against the library of another preset."""
    return ("env", f"LD_LIBRARY_PATH=build/{preset}", "amp-lab", "golden", "verify")


def instructions() -> Phase:
    """Instructions of the workloads against their budget: speed without a clock."""
    build = (
        ("cmake", "--preset", "dev"),
        ("cmake", "--build", "--preset", "dev", "--target", "count_execute"),
    )
    commands = (*build, ("python", COUNT))
    return Phase("instructions", commands, missing=count_missing, after=("native-dev",))


def phases(long: bool, jobs: str) -> list[Phase]:
    """Every phase; in one lane they run in this order. `jobs`: how many processes one of them uses."""
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("native/**/*.[ch]pp"))
    # Long tests measure time and want the machine for themselves; the others share it, file by file.
    matrix = ("-m", "long or not long") if long else ("-n", jobs, "--dist", "loadfile")
    apart = ("-o", "norecursedirs=.* browser kills site")  # phases of their own, which check no golden
    guard = ("--nbval", "-p", "amp_lab.golden.nbguard", "--nbval-current-env", "--nbval-cell-timeout=120")
    fuzz = (f"-DAMP_FUZZ_SECONDS={600 if long else 60}",)
    hooks = ("cmake", "--build", "--preset", "hooks", "--parallel", jobs)
    libraries = ("native-hooks", "native-clang", "native-diag")  # what Python's tests load beside the wheel's
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
            after=("format", "lint", "types"),  # npm makes anew a folder that they pass through
        ),
        native("dev", jobs=jobs),
        native(
            "clang",
            same_bits("dev", "clang"),
            golden_bits("clang"),
            jobs=jobs,
            missing=clang_missing,
            after=("native-dev",),
        ),
        native("asan", jobs=jobs),  # behind clang, which the Python tests wait for
        native("fuzz", jobs=jobs, options=fuzz, missing=fuzzer_missing),
        *(
            (native("diag", jobs=jobs), native("tsan", ("python", "tests/under_tsan.py"), jobs=jobs))
            if long
            else ()
        ),
        Phase("native-hooks", (("cmake", "--preset", "hooks"), hooks), early=True),
        *((instructions(),) if long else ()),
        pytest("python", "--golden-unused=fail", *apart, *matrix, after=libraries, alone=long),
        pytest("kills", "tests/kills", *(matrix if long else ()), missing=strace_missing, alone=long),
        pytest("browser", "tests/browser", missing=browser_missing, after=("native-hooks",), early=True),
        pytest("notebooks", *guard, "notebooks"),
        pytest("site", "tests/site"),
    ]


def main() -> int:
    """Run the phases asked for; 0 if nothing failed."""
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
    known = {phase.name: phase for phase in phases(arguments.long, jobs)}
    if unknown := set(arguments.names) - set(known):
        parser.error(f"PHASE: unknown (got {', '.join(sorted(unknown))}, allowed {', '.join(known)}).")
    REPORTS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    outcomes = run_all([known[name] for name in dict.fromkeys(arguments.names or known)], lanes)

    print("\n== summary")
    for one in outcomes:
        numbers = f"{one.passed:6} passed{one.failed:5} failed{one.skipped:5} skipped{one.seconds:8.1f} s"
        print(f"{one.name:16}{numbers}  {one.note}".rstrip())
    failed = sum(one.failed for one in outcomes)
    line = f"{sum(one.passed for one in outcomes)} passed, {failed} failed"
    (REPORTS / "summary.txt").write_text(line + "\n", encoding="utf-8")
    print(line)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
