"""What a test needs of the system: where that is missing the test is skipped, and says what it is."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import pytest

from amp_lab import isolate
from amp_lab.errors import Unsupported

TESTS = Path(__file__).resolve().parent
LINUX = sys.platform == "linux"
"""Whether this system lacks nothing: a missing name is a fault there."""
PLACES = ("/proc/", "/sys/", "/dev/", "/bin/", "/usr/bin/")


class Absent:
    """Stands for a module that the system lacks; the test that uses it is skipped."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        pytest.skip(f"no module {self.name} on this system")


def module(name: str) -> Any:
    """Return a module that only POSIX has, or what skips the tests that use it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if LINUX:
            raise
        return Absent(name)


def is_root() -> bool:
    """Whether the user may do everything; no one is where users have no numbers."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def lacks(error: BaseException) -> str | None:
    """Return what the system lacks, if that is why a test failed: None on Linux, and of any other error.

    Workers, if a call asked for one. A name of a module of the system, a file of Linux or a program, if the
    test itself asked for it; what the package asks for is a fault on every system.
    """
    if LINUX:
        return None
    if isinstance(error, Unsupported) and not isolate.supported() and "memfd" in str(error):
        return "workers (memfd: Linux)"
    if not _raised_in_a_test(error.__traceback__):
        return None
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        where = error.obj.__name__
        return f"{where}.{error.name}" if where in ("os", "signal", "socket") else None
    if isinstance(error, OSError) and str(error.filename).startswith(PLACES):
        return str(error.filename)
    return None


def _raised_in_a_test(traceback: TracebackType | None) -> bool:
    """Whether no function of the package stands between the test and the error."""
    package = Path(isolate.__file__).parents[1]
    seen = []
    while traceback:
        seen.append(Path(traceback.tb_frame.f_code.co_filename))
        traceback = traceback.tb_next
    return any(path.is_relative_to(TESTS) for path in seen) and not any(
        path.is_relative_to(package) for path in seen
    )
