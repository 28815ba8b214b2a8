"""Which goldens were checked, across all processes of one test session."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = "AMP_GOLDEN_USAGE"
"""The files that collect the folders of checked cases, one per session that asks, as JSON; else unset."""


def _files() -> list[str]:
    names: list[str] = json.loads(os.environ.get(ENVIRONMENT, "[]"))
    return names


def record(folder: Path) -> None:
    """Note that the case in `folder` was checked; kernels and workers inherit the files."""
    line = json.dumps(str(folder.resolve())) + "\n"
    for file in _files():
        try:
            with open(file, "a", encoding="ascii") as stream:
                stream.write(line)
        except OSError:
            continue  # the session that asked is over


@contextmanager
def collected() -> Iterator[Path]:
    """Collect what this process and its children check, in a file that is removed at the end."""
    outer = os.environ.get(ENVIRONMENT)
    handle, name = tempfile.mkstemp(prefix="amp_golden_", suffix=".txt")
    os.close(handle)
    os.environ[ENVIRONMENT] = json.dumps([*_files(), name])
    try:
        yield Path(name)
    finally:
        if outer is None:
            os.environ.pop(ENVIRONMENT, None)
        else:
            os.environ[ENVIRONMENT] = outer
        Path(name).unlink(missing_ok=True)


def read(file: Path) -> set[Path]:
    """Return the folders noted in a file so far."""
    return {Path(json.loads(line)) for line in file.read_text(encoding="ascii").splitlines()}
