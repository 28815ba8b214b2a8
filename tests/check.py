"""What to run while working: format, lint, types, import rules, JavaScript and the quick tests, in a minute.

``python tests/check.py [PHASE ...]``; ``make check`` runs it without arguments. It tests the package as it is
edited, not the installed one (``staged.py``): of the library only what changed is compiled, of the Python
files only what changed is copied. The quick tests are chosen by what they cost (``quick.py``). Exit code 1 if
a phase fails; the times of all phases are printed at the end.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import quick
import run_all
import side_by_side
import staged
from run_all import WIDGETS, node_missing, pytest, script, selected
from side_by_side import REPORTS, ROOT, Phase

LANES = 3
"""Two processes of tests, and the short phases beside them."""
PROCESSES = 2


def packages() -> tuple[tuple[str, ...], ...]:
    """The command that makes the JavaScript packages those of the lock file, if they are not."""
    lock, made = (ROOT / WIDGETS / name for name in ("package-lock.json", "node_modules/.package-lock.json"))
    if made.exists() and made.stat().st_mtime >= lock.stat().st_mtime:
        return ()
    return (("npm", "--prefix", WIDGETS, "ci", "--silent"),)


def phases() -> list[Phase]:
    """The phases, longest first; some are those of `make test`."""
    same = {phase.name: phase for phase in run_all.phases(long=False, jobs="1")}
    files = quick.files()
    return [
        Phase("package", (("python", "tests/staged.py"),), early=True),
        *(
            pytest(f"quick-{i + 1}", "--quick", "-q", *files[i::PROCESSES], after=("package",), early=True)
            for i in range(PROCESSES)
        ),
        same["format"],
        Phase("lint", (("ruff", "check"), ("lint-imports", "--cache-dir", "build/imports", "--no-logo"))),
        same["types"],
        same["native-format"],
        Phase(
            "javascript",
            (*packages(), *map(script, ("check", "lint", "types", "test"))),
            missing=node_missing,
            after=("format", "lint"),
        ),
    ]


def main() -> int:
    """Run the phases asked for; 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PHASE")
    arguments = parser.parse_args()
    chosen = selected(parser, arguments.names, phases())
    REPORTS.mkdir(parents=True, exist_ok=True)
    side_by_side.ENVIRONMENT.update(staged.ENVIRONMENT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    begun = time.monotonic()
    outcomes = side_by_side.run_all(chosen, LANES)

    print("\n== summary")
    for one in outcomes:
        state = "FAILED" if one.failed else "skipped" if one.skipped and not one.passed else "passed"
        print(f"{one.name:16}{state:>8}{one.passed:6}{one.seconds:8.1f} s  {one.note}".rstrip())
    failed = [one.name for one in outcomes if one.failed]
    print(f"{time.monotonic() - begun:.1f} s: " + (f"FAILED: {', '.join(failed)}" if failed else "passed"))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
