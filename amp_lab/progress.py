"""Progress of a long render, shown where nothing keeps it: on a terminal, and erased from it at the end.

Logs, pipes and the outputs of notebook cells are stored. What is written there would depend on the speed of
the machine, so nothing is.
"""

from __future__ import annotations

import sys
import time
from typing import Any

AFTER_S = 1.0
"""A render that takes no longer shows nothing."""


class Progress:
    """A bar on the terminal for one render; call it with frames done and frames in all."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start = time.perf_counter()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int) -> None:
        """Show how far the render is."""
        if self._bar is None:
            if done == total or time.perf_counter() - self._start < AFTER_S or not on_terminal():
                return
            self._bar = _bar(self._name, total)
        self._bar.update(done - self._bar.n)


def on_terminal() -> bool:
    """Whether what is written to the standard error stream goes to a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return False


def _bar(name: str, total: int) -> Any:
    """Make a bar that its end erases."""
    from tqdm.std import tqdm  # noqa: PLC0415 - few renders are long

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no thread that wakes it up: a fork would find it running

    return Bar(total=total, desc=name, unit="frame", unit_scale=True, leave=False, file=sys.stderr)
