"""Choice of the process in which native code runs: a worker process, or this one."""

# ruff: noqa: PLC0415 - modules of workers are imported when they are needed

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from amp_lab.common import checks
from amp_lab.contracts import Isolation, Progress
from amp_lab.errors import WorkerUnavailable
from amp_lab.execution.in_process import allocate_here, render_in_process
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import RenderParts
from amp_lab.graph.records.values import Samples

Done = TypeVar("Done")


def run(
    request: RenderRequest,
    isolation: str,
    progress: Progress | None = None,
    out: Samples | None = None,
    timeout_s: float | None = None,
) -> RenderParts:
    """Render a request in a worker (``"process"``, see `isolate.render`) or in this process (``"none"``)."""
    if isolation == "process":
        from amp_lab.isolate import render as render_isolated

        return render_isolated(request, progress, out, timeout_s=timeout_s)

    def allocate(name: str | None, shape: tuple[int, int, int]) -> Samples:
        return out if name is None and out is not None else allocate_here(name, shape)

    return render_in_process(request, progress=progress, allocate=allocate)


def choose_isolation(isolation: str) -> str:
    """Return ``"process"`` or ``"none"``; ``"auto"`` is ``AMP_ISOLATION`` or, if unset, by kind of program.

    In notebooks the default is a worker. `isolated` handles workers that cannot be started.

    Raises
    ------
    GraphError
        If the argument is none of the three values.
    """
    asked = _asked(isolation)
    if asked == "auto":
        from amp_lab.isolate import fallen_back, supported

        return "process" if _in_kernel() and supported() and not fallen_back() else "none"
    return asked


def _asked(isolation: str) -> str:
    """Return the isolation of the argument or, for ``"auto"``, of ``AMP_ISOLATION``."""
    where = "isolation"
    if isolation == "auto":
        where, isolation = "AMP_ISOLATION", os.environ.get("AMP_ISOLATION") or "auto"
    checks.choice(where, isolation, get_args(Isolation), "isolation")
    return isolation


def isolated(isolation: str, do: Callable[[str], Done]) -> Done:
    """Call ``do("process")`` or ``do("none")``, as the isolation chooses.

    If ``"auto"`` chose a worker and none can be started, ``do("none")`` is called, with one warning per
    process. Graphs that load native code other than the library's own must be refused here.

    Raises
    ------
    WorkerUnavailable
        If no worker can be started, and one was requested or has crashed before.
    """
    chosen = choose_isolation(isolation)
    try:
        return do(chosen)
    except WorkerUnavailable as error:
        if _asked(isolation) != "auto":
            raise
        from amp_lab.isolate import fall_back

        fall_back(error)
    return do("none")


def _in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
