"""Renders in a worker process: native code that crashes or hangs takes the worker with it, never the caller.

A fork server is started with the first render; it forks a worker in milliseconds. Results are written by the
worker straight into memory shared with this process. See ``docs/contracts/isolation.md``.
"""

from __future__ import annotations

import atexit
import math
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from amp_lab.errors import InvalidArgument, Unsupported
from amp_lab.request import Progress, RenderParts, RenderRequest
from amp_lab.shared import PAGE
from amp_lab.values import Samples
from amp_lab.workers import Server, Worker


@dataclass(frozen=True)
class Status:
    """What runs and what is held: process ids, arrays alive in shared memory, bytes of them and kept warm."""

    server: int | None = None
    workers: tuple[int, ...] = ()
    arrays: int = 0
    array_bytes: int = 0
    warm_bytes: int = 0


def supported() -> bool:
    """Whether this system can render in a worker process (memfd and descriptors over sockets: Linux)."""
    return hasattr(os, "memfd_create")


def render(
    request: RenderRequest,
    progress: Progress | None = None,
    out: Samples | None = None,
    *,
    timeout_s: float | None = None,
) -> RenderParts:
    """Carry out a request in a worker process.

    Parameters
    ----------
    progress
        Called with frames done and frames in all, now and then and at the end.
    out
        Array (B, C, N) that receives a copy of the audio and is returned as such.
    timeout_s
        Seconds a worker may go without starting another firing; by default ``AMP_WORKER_TIMEOUT``, else
        for ever.

    Raises
    ------
    NativeCrash
        If the worker died by a signal, or (signal ``HANG``) ran into ``timeout_s``.
    KeyboardInterrupt
        On Ctrl-C; the worker has stopped, or was killed after `STOP_S`.
    Unsupported
        On systems that cannot do this.
    AmpError
        What the runtime reports, as in process.
    """
    limit = _timeout(timeout_s)
    parts = None
    while parts is None:  # a worker may have been killed while it was idle
        with _worker() as worker:
            parts = worker.carry_out(request, progress, limit)
    if out is not None:
        out[...] = parts["audio"]
        parts["audio"] = out
    return parts


def hire() -> tuple[Server, Worker]:
    """Return a worker for a stream, and the server that ends it (`Server.dismiss`)."""
    while True:
        server = _current()
        if (worker := server.hire()) is not None:
            return server, worker


def default_timeout() -> float | None:
    """Seconds a worker may go without starting another firing: ``AMP_WORKER_TIMEOUT``, or None."""
    return _timeout(None)


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


_running: list[Server] = []
"""The server in use, if any."""
_lock = threading.RLock()


@contextmanager
def _worker() -> Iterator[Worker]:
    worker = None
    while worker is None:
        server = _current()
        worker = server.take()
    try:
        yield worker
    finally:
        server.give_back(worker)


def _current() -> Server:
    if not supported():
        raise Unsupported(
            f"isolation: needs memfd (got {sys.platform}, allowed linux). Render with isolation='none'."
        )
    with _lock:
        if _running and not _running[0].usable:
            _running.pop().close()
        if not _running:
            _running.append(Server())
        return _running[0]


def status() -> Status:
    """Tell what runs and what is held."""
    with _lock:
        if not _running:
            return Status()
        server = _running[0]
        pids = tuple(worker.pid for worker in (*server.workers, *server.hired))
        arrays, array_bytes, warm_bytes = server.memory.status()
    pages = len(pids)
    return Status(server.process.pid, pids, arrays - pages, array_bytes - pages * PAGE, warm_bytes)


def shutdown() -> None:
    """End the workers and their server; results stay valid, and the next render starts anew."""
    with _lock:
        if _running:
            _running.pop().close()


def _before_fork() -> None:
    """From now on a fork of this process looks at the results in use: their memory is never used again."""
    _lock.acquire()
    if _running:
        _running[0].retire()


def _after_fork() -> None:
    _lock.release()
    shutdown()


def _in_fork() -> None:
    _lock.release()
    if _running:
        _running.pop().abandon()


atexit.register(shutdown)
if supported():
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_fork)
