"""The same cases on every instruction set level of this machine, one process per level (`AMP_ISA`).

Each process prints its level and its verdicts as one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from . import folders
from .verdict import GoldenError, Verdict, nothing_compared
from .verify import verdicts

LEVELS = ("v2", "v3", "v4")
_PROGRAM = f"import sys; from {__name__} import main; sys.exit(main(sys.argv[1:]))"


def run_level(level: str, names: Sequence[str], root: Path) -> subprocess.CompletedProcess[str]:
    """Verify cases in a process of their own on one level."""
    environment = os.environ | {"AMP_ISA": level, "AMP_GOLDENS": str(root)}
    command = [sys.executable, "-P", "-c", _PROGRAM, *names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _read(item: dict[str, object], level: str) -> Verdict:
    verdict = Verdict.from_dict(item)
    layout = ", ".join(filter(None, (f"AMP_ISA={level}", verdict.layout)))
    return replace(verdict, layout=layout)


def _no_answer(level: str, done: subprocess.CompletedProcess[str]) -> Verdict:
    """Return the verdict of a process that died or printed something else."""
    code = done.returncode
    what, got = "error", f"exit code {code}"
    if code < 0:
        what, got = "crash", f"signal {signal.Signals(-code).name}"
    note = f"its last output: {done.stderr.strip()[-500:]!r}. Run amp-lab doctor."
    verdict = nothing_compared("all", what, "one line of JSON", got, note)
    return replace(verdict, layout=f"AMP_ISA={level}")


def verify_isa_levels(
    names: str | Iterable[str] = "all",
    *,
    levels: Sequence[str] = LEVELS,
    goldens: str | Path | None = None,
) -> list[Verdict]:
    """Return the verdicts of cases on each level this machine has.

    Parameters
    ----------
    names : "all", str or iterable of str
    levels : sequence of str
        Asked for; those the machine lacks are left out.
    goldens : path, optional
        See `folders.find`.

    Returns
    -------
    list of Verdict
        A process that died or printed something else has one with the status `error`.

    Raises
    ------
    GoldenError
        No folder of goldens, or no level of those asked for exists here.
    """
    root = folders.find(goldens)
    chosen = [names] if isinstance(names, str) else list(names)
    found: list[Verdict] = []
    for level in levels:
        done = run_level(level, chosen, root)
        try:
            found += [_read(item, level) for item in json.loads(done.stdout.splitlines()[-1])["verdicts"]]
        except (IndexError, KeyError, TypeError, ValueError):
            found.append(_no_answer(level, done))
    if not found:
        raise GoldenError(f"AMP_ISA: no level ran (got {', '.join(levels)}, allowed those of this machine).")
    return found


def main(names: Sequence[str]) -> int:
    """Print the verdicts of this process; a level the machine lacks has none."""
    from amp_lab import lowlevel  # noqa: PLC0415 - the process that asks needs no engine

    level = lowlevel.isa()
    asked = os.environ.get("AMP_ISA", level)
    if level not in ("", asked):
        raise GoldenError(f"AMP_ISA: another level runs (got {level!r}, allowed {asked!r}). Rebuild.")
    found = verdicts(names or "all") if level else []
    print(json.dumps({"isa": level, "verdicts": [v.to_dict() for v in found]}))
    return 0
