"""The same cases on every instruction set level of this machine, one process per level (`AMP_ISA`).

Each process prints its level and its verdicts as one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import folders
from .verdict import Comparison, GoldenError, Mismatch, Verdict
from .verify import verdicts

LEVELS = ("v2", "v3", "v4")
_PROGRAM = f"import sys; from {__name__} import main; sys.exit(main(sys.argv[1:]))"


def run_level(level: str, names: Sequence[str], root: Path) -> subprocess.CompletedProcess[str]:
    """Verify cases in a process of their own on one level."""
    environment = os.environ | {"AMP_ISA": level, "AMP_GOLDENS": str(root)}
    command = [sys.executable, "-P", "-c", _PROGRAM, *names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _read(item: dict[str, object], level: str) -> Verdict:
    fields = dict(item)
    mismatch = fields.pop("mismatch")
    name = str(fields.pop("name"))
    layout = ", ".join(filter(None, (f"AMP_ISA={level}", str(fields.pop("layout")))))
    comparison = Comparison(**fields, mismatch=Mismatch(**mismatch) if isinstance(mismatch, dict) else None)  # type: ignore[arg-type]
    return Verdict(name, comparison, layout)


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

    Raises
    ------
    GoldenError
        A process died or said something else, or no level of those asked for exists here.
    """
    root = folders.find(goldens)
    chosen = [names] if isinstance(names, str) else list(names)
    found: list[Verdict] = []
    for level in levels:
        done = run_level(level, chosen, root)
        try:
            answer = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise GoldenError(
                f"AMP_ISA={level}: no answer (got exit code {done.returncode}: "
                f"{done.stderr.strip()[-500:]!r}, allowed one line of JSON). Run amp-lab doctor."
            ) from None
        found += [_read(item, level) for item in answer["verdicts"]]
    if not found:
        raise GoldenError(f"AMP_ISA: no level ran (got {', '.join(levels)}, allowed those of this machine).")
    return found


def facts(verdict: Verdict) -> dict[str, object]:
    """Return a verdict as JSON values."""
    comparison = verdict.comparison
    values: dict[str, object] = {key: getattr(comparison, key) for key in Comparison.__slots__}
    mismatch = comparison.mismatch
    values["mismatch"] = mismatch and {key: getattr(mismatch, key) for key in Mismatch.__slots__}
    return values | {"name": verdict.name, "layout": verdict.layout}


def main(names: Sequence[str]) -> int:
    """Print the verdicts of this process; a level the machine lacks has none."""
    from amp_lab import lowlevel  # noqa: PLC0415 - the process that asks needs no engine

    level = lowlevel.isa()
    asked = os.environ.get("AMP_ISA", level)
    if level not in ("", asked):
        raise GoldenError(f"AMP_ISA: another level runs (got {level!r}, allowed {asked!r}). Rebuild.")
    found = verdicts(names or "all") if level else []
    print(json.dumps({"isa": level, "verdicts": [facts(v) for v in found]}))
    return 0
