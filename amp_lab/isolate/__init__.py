"""Renders in a worker process: native code that crashes or hangs ends only the worker.

A fork server is started with the first render; it forks a worker in milliseconds. Results are written by the
worker straight into memory shared with this process. See ``docs/contracts/isolation.md``.
"""

from __future__ import annotations

import atexit
import errno
import math
import os
import sys
import warnings
from dataclasses import dataclass
from typing import cast

from amp_lab.common.threads import Background
from amp_lab.contracts import Progress
from amp_lab.errors import InvalidArgument, IsolationWarning, Unsupported, WorkerUnavailable
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import RenderParts
from amp_lab.graph.records.values import Samples
from amp_lab.isolate import file_descriptors
from amp_lab.isolate.limits import unavailable
from amp_lab.isolate.messages import StreamJob
from amp_lab.isolate.service import Service
from amp_lab.isolate.shared_memory import PAGE, retire_all
from amp_lab.isolate.stream_thread import StreamThread
from amp_lab.isolate.workers import Worker


@dataclass(frozen=True)
class Status:
    """Worker processes and shared memory: process ids, arrays in use and their bytes, bytes kept for reuse.

    Examples
    --------
    >>> from amp_lab import isolate
    >>> isolate.Status(server=4711, workers=(4712,), arrays=1, array_bytes=1 << 20)
    Status(server=4711, workers=(4712,), arrays=1, array_bytes=1048576, warm_bytes=0)
    """

    server: int | None = None
    workers: tuple[int, ...] = ()
    arrays: int = 0
    array_bytes: int = 0
    warm_bytes: int = 0


def supported() -> bool:
    """Return whether this system can render in worker processes (Linux: memfd, descriptors over sockets).

    Examples
    --------
    >>> from amp_lab import isolate
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> g.render(frames=64, isolation="process" if isolate.supported() else "none").audio.shape
    (1, 1, 64)
    """
    return hasattr(os, "memfd_create")


def render(
    request: RenderRequest,
    progress: Progress | None = None,
    out: Samples | None = None,
    *,
    timeout_s: float | None = None,
) -> RenderParts:
    """Render a request in a worker process.

    Parameters
    ----------
    progress
        Called with frames done and frames in total, at least every 50 ms, and at the end. An exception stops
        the render, even one that makes no progress.
    out
        Array (B, C, N) that receives a copy of the audio and is returned as such.
    timeout_s
        Seconds a worker may go without starting another firing; by default ``AMP_WORKER_TIMEOUT``, else
        for ever.

    Raises
    ------
    NativeCrash
        If the worker died by a signal, or (signal ``HANG``) ran into ``timeout_s``.
    BaseException
        What ``progress`` or a signal handler raises, as it is (Ctrl-C: `KeyboardInterrupt`), after the worker
        has stopped, or was killed after `STOP_S`.
    WorkerUnavailable
        If a limit of the system does not allow a worker.
    Unsupported
        On systems without workers.
    AmpError
        Errors of the runtime, as in process.
    """
    _check_supported()
    limit = _timeout(timeout_s)
    parts = cast("RenderParts", _service.render(request, limit, progress))
    if out is not None:
        out[...] = parts["audio"]
        parts["audio"] = out
    return parts


def stream_thread(job: StreamJob, nodes: tuple[str, ...]) -> StreamThread:
    """Return the thread that serves a stream with its own worker; start it with `start`."""
    _check_supported()
    return StreamThread(_service, job, nodes, _timeout(None))


def start(thread: Background) -> None:
    """Start a thread; `WorkerUnavailable` where the system allows no more."""
    try:
        thread.start()
    except RuntimeError:
        raise unavailable(errno.EAGAIN) from None


def _timeout(timeout_s: float | None) -> float | None:
    text = os.environ.get("AMP_WORKER_TIMEOUT", "")
    if timeout_s is None and not text:
        return None
    try:
        value = float(text if timeout_s is None else timeout_s)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        given = repr(text) if timeout_s is None else timeout_s
        raise InvalidArgument(
            f"timeout_s: bad time (got {given}, allowed above 0 s). Unset it and AMP_WORKER_TIMEOUT to wait."
        )
    return value


_service = Service()
_reported: list[WorkerUnavailable] = []
"""Why ``isolation="auto"`` renders in this process although a worker is the default."""


def _check_supported() -> None:
    if not supported():
        raise Unsupported(
            f"isolation: needs memfd (got {sys.platform}, allowed linux). Render with isolation='none'."
        )


def fall_back(error: WorkerUnavailable) -> None:
    """Let ``isolation="auto"`` render in this process from now on, with one warning.

    Raises
    ------
    WorkerUnavailable
        ``error``, if a worker has crashed before: the same crash here would end this process.
    """
    if _service.crashed:
        error.add_note("A worker has crashed before, so nothing is rendered in the process itself.")
        raise error
    if not _reported:
        _reported.append(error)
        why = str(error).partition("(")[2].partition(")")[0]
        warnings.warn(
            f"isolation: no worker process can be started ({why}). Renders and sessions run in the process "
            "itself, where a native crash would end it. Raise the limit and restart.",
            IsolationWarning,
            stacklevel=2,
        )


def fallen_back() -> bool:
    """Whether `fall_back` has decided so."""
    return bool(_reported)


def status() -> Status:
    """Return the present state of workers and shared memory.

    Examples
    --------
    >>> from amp_lab import isolate
    >>> isolate.shutdown()
    >>> isolate.status().server is None
    True
    """
    server = _service.current
    if server is None or server.process is None:
        return Status()
    workers = [worker for worker in server.workers if isinstance(worker, Worker)]
    pids = tuple(worker.pid for worker in workers if not worker.ended)
    arrays, array_bytes, warm_bytes = server.memory.status()
    pages = len(workers)
    return Status(server.process.pid, pids, arrays - pages, array_bytes - pages * PAGE, warm_bytes)


def shutdown() -> None:
    """End the workers and their server; results stay valid, and the next render starts new ones.

    Examples
    --------
    >>> from amp_lab import isolate
    >>> isolate.shutdown()
    >>> isolate.status().workers
    ()
    """
    _reported.clear()
    _service.shutdown(wait=True)


def _before_fork() -> None:
    """From now on a fork of this process looks at the results in use: their memory is never used again."""
    file_descriptors.guard.acquire()
    retire_all()


def _after_fork() -> None:
    file_descriptors.guard.release()
    _service.shutdown(wait=False)


def _in_fork() -> None:
    global _service  # noqa: PLW0603 - the threads of the old one are in the other process
    file_descriptors.close_copies()
    file_descriptors.guard.release()
    _service.forked()
    _service = Service()


atexit.register(shutdown)
if supported():
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_fork)
