"""The patch files of this kernel: one `PatchFile` per graph, one graph per file."""

from __future__ import annotations

import atexit
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from amp_lab.graph.edits.journal import Journal
from amp_lab.widgets import disk, patch_text
from amp_lab.widgets.patchfile import IN_USE, PatchFile

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph


def of(graph: Graph) -> PatchFile:
    """Return the `PatchFile` of a graph, always the same one."""
    journal = Journal.of(graph)
    with journal.lock():
        if not isinstance(journal.keeper, PatchFile):
            journal.keeper = PatchFile(graph)
        return journal.keeper


def at(path: Path) -> PatchFile:
    """Return the `PatchFile` of a path: the open one, otherwise a new one.

    Raises
    ------
    GraphError
        If the file is damaged.
    """
    from amp_lab.graph.graph import Graph  # noqa: PLC0415 - graphs do not need widgets

    for known in IN_USE:
        if known.is_shown and known.path == path and known.status not in ("taken", "damaged"):
            known.look()
            return known
    if not path.exists():
        kept = of(Graph(name=path.name.partition(".")[0] or "graph"))
        kept.keep(path)
        return kept
    data = disk.existing(path)
    text = patch_text.load(path, data)
    kept = of(text.graph)
    kept.hold(path, data, text)
    return kept


@atexit.register
def _flush(process: int = os.getpid()) -> None:
    """Write what is unsaved when the kernel ends; not in a process forked from it."""
    if os.getpid() == process:
        for kept in IN_USE:
            with contextlib.suppress(Exception):
                kept.flush()
