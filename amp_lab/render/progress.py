"""Progress of a long render, shown where nothing keeps it: on a terminal, and in the page of a live notebook.

Logs, pipes and the outputs of notebook cells are stored. What is written there would depend on the speed of
the machine, so nothing is: a bar is erased from its terminal at the end, and in a notebook it stands at the
foot of the page, in no cell.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from amp_lab.common.provided import provided

AFTER_S = 1.0
"""A render that takes no longer shows nothing."""


class Progress:
    """A bar for one render; call it with frames done and frames in all."""

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
            if done == total or time.perf_counter() - self._start < AFTER_S:
                return
            self._bar = _bar(self._name, total)
        if self._bar is not None:
            self._bar.show(done)


def on_terminal() -> bool:
    """Whether what is written to the standard error stream goes to a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return False


def _bar(name: str, total: int) -> Any:
    """Make a bar on a terminal or a live page, None elsewhere."""
    if on_terminal():
        return _terminal_bar(name, total)
    if "ipykernel" in sys.modules:
        return provided("progress.notebook_bar")(name, total)
    return None


def _terminal_bar(name: str, total: int) -> Any:
    """Make a bar that its end erases."""
    from tqdm.std import tqdm  # noqa: PLC0415 - few renders are long

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no thread that wakes it up: a fork would find it running

        def show(self, done: int) -> None:
            self.update(done - self.n)

    return Bar(total=total, desc=name, unit="frame", unit_scale=True, leave=False, file=sys.stderr)
