"""Progress bars of long renders, on a terminal and in the page of an interactive notebook.

Stored output (logs, pipes, outputs of cells) must not depend on the speed of the machine. So a bar on a
terminal is erased at its end, a bar of a notebook is at the foot of the page and in no cell, and elsewhere
there is none.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from amp_lab.common.provided import provided

AFTER_S = 1.0
"""Seconds after which a bar appears."""


class Progress:
    """Progress bar of one render; call it with frames done and frames in total."""

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
        """Show how many of the frames are done."""
        if self._bar is None:
            if done == total or time.perf_counter() - self._start < AFTER_S:
                return
            self._bar = _bar(self._name, total)
        if self._bar is not None:
            self._bar.show(done)


def on_terminal() -> bool:
    """Return whether standard error is a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # no such stream, or a closed one
        return False


def _bar(name: str, total: int) -> Any:
    """Return a bar on a terminal or in an interactive notebook; None elsewhere."""
    if on_terminal():
        return _terminal_bar(name, total)
    if "ipykernel" in sys.modules:
        return provided("progress.notebook_bar")(name, total)
    return None


def _terminal_bar(name: str, total: int) -> Any:
    """Return a bar on the terminal, which is erased at its end."""
    from tqdm.std import tqdm  # noqa: PLC0415 - few renders are long

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no monitor thread, which a fork could interrupt

        def show(self, done: int) -> None:
            self.update(done - self.n)

    return Bar(total=total, desc=name, unit="frame", unit_scale=True, leave=False, file=sys.stderr)
