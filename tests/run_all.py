"""Run every check of the repository in order, each under a heading with its time, and sum up.

``python tests/run_all.py [PHASE ...] [--long]``; ``make test`` runs it without arguments. The last line
printed, also left in ``build/reports/summary.txt``, is ``N passed, N failed``: test cases where a phase
reports them, else phases.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "build" / "reports"
WIDGETS = "amp_lab/widgets/js"
COUNT = "native/bench/instructions.py"
JOBS = str(os.cpu_count() or 1)
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "PYTHONSAFEPATH": "1",  # the installed package is tested, never the source tree beside it
}


@dataclass(frozen=True)
class Phase:
    """Commands that must all succeed; `report` is the JUnit file they leave, if any."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    report: Path | None = None
    missing: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Outcome:
    """What came of one phase."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    note: str = ""


def native(
    preset: str,
    *more: tuple[str, ...],
    options: tuple[str, ...] = (),
    missing: Callable[[], str] = lambda: "",
) -> Phase:
    """Configure, build and test one CMake preset, then run more commands."""
    report = REPORTS / f"native-{preset}.xml"
    return Phase(
        f"native-{preset}",
        (
            ("cmake", "--preset", preset, *options),
            ("cmake", "--build", "--preset", preset),
            ("ctest", "--preset", preset, "--parallel", JOBS, "--output-junit", str(report)),
            *more,
        ),
        report,
        missing,
    )


def pytest(name: str, *arguments: str, missing: Callable[[], str] = lambda: "") -> Phase:
    """One pytest run; the entry point rather than ``python -m``, which would import the source tree."""
    report = REPORTS / f"{name}.xml"
    return Phase(name, (("pytest", *arguments, f"--junitxml={report}"),), report, missing)


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
    """Why the bundles of the widgets cannot be built again; empty if they can."""
    found = shutil.which("node") and shutil.which("npm")
    return "" if found else "no node and npm on this machine: drift of the widgets' bundles not looked at"


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
    return Phase("instructions", (*build, ("python", COUNT)), missing=count_missing)


def phases(long: bool) -> list[Phase]:
    """Every phase, in the order they run."""
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("native/**/*.[ch]pp"))
    # Long tests measure time and want the machine for themselves; the others share it, file by file.
    matrix = ("-m", "long or not long") if long else ("-n", JOBS, "--dist", "loadfile")
    apart = ("-o", "norecursedirs=.* browser kills site")  # phases of their own, which check no golden
    guard = ("--nbval", "-p", "amp_lab.golden.nbguard", "--nbval-current-env", "--nbval-cell-timeout=120")
    return [
        Phase("format", (("ruff", "format", "--check"),)),
        Phase("lint", (("ruff", "check"),)),
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
            (("npm", "--prefix", WIDGETS, "ci", "--silent"), ("node", f"{WIDGETS}/build.mjs", "--check")),
            missing=node_missing,
        ),
        native("dev"),
        native("asan"),
        native("clang", same_bits("dev", "clang"), golden_bits("clang"), missing=clang_missing),
        native("fuzz", options=(f"-DAMP_FUZZ_SECONDS={600 if long else 60}",), missing=fuzzer_missing),
        *((native("diag"), native("tsan", ("python", "tests/under_tsan.py"))) if long else ()),
        Phase("native-hooks", (("cmake", "--preset", "hooks"), ("cmake", "--build", "--preset", "hooks"))),
        *((instructions(),) if long else ()),
        pytest("python", "--golden-unused=fail", *apart, *matrix),
        pytest("kills", "tests/kills", *(matrix if long else ()), missing=strace_missing),
        pytest("browser", "tests/browser", missing=browser_missing),
        pytest("notebooks", *guard, "notebooks"),
        pytest("site", "tests/site"),
    ]


def counts(report: Path | None) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of a JUnit file; zeros without one."""
    if report is None or not report.is_file():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).iter("testsuite"))

    def total(*keys: str) -> int:
        return sum(int(suite.get(key, 0)) for suite in suites for key in keys)

    failed, skipped = total("failures", "errors"), total("skipped", "disabled")
    return total("tests") - failed - skipped, failed, skipped


def run(phase: Phase) -> Outcome:
    """Run one phase up to its first failing command."""
    print(f"\n== {phase.name}", flush=True)
    if reason := phase.missing():
        print(f"SKIPPED: {reason}", flush=True)
        return Outcome(phase.name, 0, 0, 1, 0.0, reason)
    if phase.report:
        phase.report.unlink(missing_ok=True)
    start = time.monotonic()
    ok = all(
        subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=False).returncode == 0
        for command in phase.commands
    )
    seconds = time.monotonic() - start
    passed, failed, skipped = counts(phase.report)
    if not ok:
        failed = max(failed, 1)
    elif not passed and not skipped:
        passed = 1
    print(f"-- {phase.name}: {'passed' if ok else 'FAILED'} in {seconds:.1f} s", flush=True)
    return Outcome(phase.name, passed, failed, skipped, seconds)


def main() -> int:
    """Run the phases asked for; 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PHASE")
    parser.add_argument(
        "--long",
        action="store_true",
        help="long matrices, diagnostics, thread sanitizer and counted instructions too",
    )
    arguments = parser.parse_args()
    known = {phase.name: phase for phase in phases(arguments.long)}
    if unknown := set(arguments.names) - set(known):
        parser.error(f"PHASE: unknown (got {', '.join(sorted(unknown))}, allowed {', '.join(known)}).")
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes = [run(known[name]) for name in arguments.names or known]

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
