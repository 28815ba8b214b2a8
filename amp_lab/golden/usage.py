"""Which goldens were checked, across all processes of one test session."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT = "AMP_GOLDEN_USAGE"
"""Names the file that collects the folders of checked cases; unset outside test sessions."""


def record(folder: Path) -> None:
    """Note that the case in `folder` was checked; kernels and workers inherit the file."""
    file = os.environ.get(ENVIRONMENT)
    if file:
        with open(file, "a", encoding="utf-8") as stream:
            stream.write(f"{folder.resolve()}\n")


def recorded() -> set[Path]:
    """Return the folders noted so far."""
    file = os.environ.get(ENVIRONMENT)
    if not file or not Path(file).exists():
        return set()
    return {Path(line) for line in Path(file).read_text(encoding="utf-8").splitlines()}
