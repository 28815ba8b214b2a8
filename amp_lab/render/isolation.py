"""Where native code runs: in a worker process, in this one, or here where no worker can be started."""

# ruff: noqa: PLC0415 - the worker is imported when it is needed

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
    """Render a request in a worker (``"process"``, see `isolate.render`) or here (``"none"``)."""
    if isolation == "process":
        from amp_lab.isolate import render as render_isolated

        return render_isolated(request, progress, out, timeout_s=timeout_s)

    def allocate(name: str | None, shape: tuple[int, int, int]) -> Samples:
        return out if name is None and out is not None else allocate_here(name, shape)

    return render_in_process(request, progress=progress, allocate=allocate)


def choose_isolation(isolation: str) -> str:
    """Choose ``"process"`` or ``"none"``; ``"auto"`` is ``AMP_ISOLATION``, else a worker in notebooks.

    A worker that cannot be started is another matter: see `isolated`.

    Raises
    ------
    GraphError
        If it is none of the three.
    """
    asked = _asked(isolation)
    if asked == "auto":
        from amp_lab.isolate import fallen_back, supported

        return "process" if _in_kernel() and supported() and not fallen_back() else "none"
    return asked


def _asked(isolation: str) -> str:
    """Return what was asked for, here or by ``AMP_ISOLATION``."""
    where = "isolation"
    if isolation == "auto":
        where, isolation = "AMP_ISOLATION", os.environ.get("AMP_ISOLATION") or "auto"
    checks.choice(where, isolation, get_args(Isolation), "isolation")
    return isolation


def isolated(isolation: str, do: Callable[[str], Done]) -> Done:
    """Do something in a worker (``"process"``) or here (``"none"``), as asked for.

    Where ``"auto"`` chose a worker and none can be started, it is done here after all, and a warning says so
    once. This is the place that must ask whether a graph may run in the process itself: one that loads native
    code other than the library's own may not.

    Raises
    ------
    WorkerUnavailable
        If a worker was asked for, or has crashed before.
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
