"""Progress bar of a cell's render, at the bottom of the page; it is not stored in the notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

import anywidget
import traitlets

from amp_lab.widgets.base import STATIC

STEP_S = 0.1
"""Seconds between two messages to the page."""


class NotebookBar(anywidget.AnyWidget):
    """A bar that is not a cell output: its script draws it into the page."""

    _esm = (STATIC / "progress.js").read_text(encoding="utf-8")
    name = traitlets.Unicode().tag(sync=True)
    done = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, name: str, total: int) -> None:
        super().__init__(name=name)
        self._total = max(total, 1)
        self._last = 0.0

    def show(self, done: int) -> None:
        """Show how many frames are done."""
        now = time.perf_counter()
        if now - self._last >= STEP_S:
            self._last = now
            self.done = done / self._total

    def close(self) -> None:
        """Remove the bar from the page."""
        layout = self.layout
        super().close()
        layout.close()


def bar(name: str, total: int) -> NotebookBar | None:
    """Make a bar of so many frames where a page is shown, None elsewhere."""
    return NotebookBar(name, total) if has_reader() else None


def has_reader() -> bool:
    """Whether this cell was run interactively.

    Interactive front ends allow input (``allow_stdin`` in the request); nbclient, nbconvert, papermill and
    nbval, which store all messages of a kernel, do not.
    """
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))
