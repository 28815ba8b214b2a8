"""Threads that serve renders with workers: one thread owns one worker and all that belongs to it.

Signal handlers run in the main thread only, so these threads are never interrupted. A caller holds a ticket
and waits for its events; it may stop waiting at any time, and the request is then finished or stopped without
it.
"""

from __future__ import annotations

import errno
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from amp_lab.common.threads import Background
from amp_lab.contracts import Progress
from amp_lab.errors import AmpError, InternalError, InvalidArgument, NativeCrash
from amp_lab.execution.request import RenderRequest
from amp_lab.isolate.fork_server import EXIT_S, Server, ServerLost
from amp_lab.isolate.limits import unavailable
from amp_lab.isolate.tickets import RenderTicket, Ticket, failed
from amp_lab.isolate.workers import Outcome, Worker

WORKERS = 2
"""Workers that render, at most; more renders than that wait for each other."""
TRIES = 5
"""How often a worker may die before it has begun; it may have been killed while it was idle."""


class Service:
    """The threads of this process that serve requests, and the server they share.

    Its state is consistent at any time, for other threads and for signal handlers.
    """

    def __init__(self) -> None:
        self.jobs: SimpleQueue[RenderTicket | None] = SimpleQueue()
        self.waiting: set[Ticket] = set()
        self.crashed = False
        self._lock = threading.RLock()
        self._start = threading.Lock()
        self._threads: list[RenderThread] = []
        self._server: Server | None = None

    # ---- for callers ----

    def render(self, request: RenderRequest, limit: float | None, progress: Progress | None) -> Any:
        """Wait for a render; see `amp_lab.isolate.render`."""
        ticket = RenderTicket(request, limit, progress is not None)
        self.waiting.add(ticket)
        try:
            self.jobs.put(ticket)
            self.ensure_threads()
            parts = ticket.result(progress, request.frames)
        except BaseException as error:
            ticket.cancelled = True
            if not ticket.ended and (told := ticket.stopped()):
                error.add_note(told)
            raise
        finally:
            self.waiting.discard(ticket)
        if progress is not None and request.frames:
            progress(request.frames, request.frames)
        return parts

    def ensure_threads(self) -> None:
        """Start a thread if there is work that none is free for.

        Raises
        ------
        WorkerUnavailable
            If no thread can be started and there is none.
        """
        with self._lock:
            self._threads[:] = [thread for thread in self._threads if thread.started]
            free = sum(thread.free for thread in self._threads)
            if self.jobs.qsize() > free and len(self._threads) < WORKERS:
                try:
                    thread = RenderThread(self)
                    self._threads.append(thread)
                    thread.start()
                except RuntimeError:
                    if len(self._threads) == 1:
                        raise unavailable(errno.EAGAIN) from None

    def shutdown(self, wait: bool) -> None:
        """End all that is idle now, and what is busy after its request; sessions go on."""
        with self._lock:
            threads = list(self._threads)
            if self._server is not None:
                self._server.retire()
                self._server = None
        for _ in threads:
            self.jobs.put(None)
        for thread in threads if wait else ():
            if thread.free:
                thread.join(2 * EXIT_S)

    def forked(self) -> None:
        """In a fork: end waits of the thread that forked; their requests go on in the parent process."""
        for ticket in list(self.waiting):
            ticket.report("failed", InvalidArgument("worker: this process was forked. Ask again here."))
        if self._server is not None:
            self._server.detach()

    @property
    def current(self) -> Server | None:
        """The server in use, if any."""
        return self._server

    # ---- for the threads ----

    def server(self) -> Server:
        """Return the server in use, or start one."""
        with self._start:
            found = self._server
            if found is None or not found.usable:
                if found is not None:
                    found.retire()
                found = self._server = Server()
            return found

    def worker(self) -> Worker:
        """Start a worker; on another server if the one in use was lost.

        Raises
        ------
        WorkerUnavailable
            If the system does not allow one.
        """
        try:
            return Worker(self.server())
        except ServerLost:
            pass
        try:
            return Worker(self.server())
        except ServerLost:
            raise InternalError("worker: the server was lost twice. Render again.") from None

    def join(self, thread: RenderThread) -> None:
        """Note a thread that has begun."""
        with self._lock:
            if thread not in self._threads:
                self._threads.append(thread)

    def leave(self, thread: RenderThread) -> None:
        """Remove a thread that ends."""
        with self._lock:
            if thread in self._threads:
                self._threads.remove(thread)
        with suppress(AmpError):
            self.ensure_threads()

    def note(self, outcome: Outcome | None) -> None:
        """Remember if a worker has crashed."""
        if outcome is not None and isinstance(outcome[1], NativeCrash):
            self.crashed = True


class RenderThread(Background):
    """Serves renders of all threads with a worker that it keeps."""

    def __init__(self, service: Service) -> None:
        super().__init__("amp_lab worker")
        self._service = service
        self._worker: Worker | None = None
        self.free = True

    def run(self) -> None:
        """Serve requests until the thread is to end."""
        self._service.join(self)
        try:
            while (ticket := self._service.jobs.get()) is not None:
                self.free = False
                with suppress(AmpError):
                    self._service.ensure_threads()
                outcome = [self._serve(ticket)] if ticket.claim() else []
                self.free = True
                if outcome:
                    ticket.finish(outcome)
                del ticket
        finally:
            if self._worker is not None:
                self._worker.kill()
                self._worker = None
            self._service.leave(self)

    def _serve(self, ticket: RenderTicket) -> Outcome:
        try:
            for _ in range(TRIES):
                outcome = self._ready().render(
                    ticket.request,
                    ticket.limit,
                    lambda: ticket.cancelled,
                    (lambda done: ticket.report("progress", done)) if ticket.reports else None,
                )
                self._service.note(outcome)
                if outcome is not None:
                    return outcome
            return "failed", InternalError(f"worker: {TRIES} were killed before they began. Render again.")
        except Exception as error:
            return failed(error)

    def _ready(self) -> Worker:
        worker = self._worker
        if worker is not None and not (worker.usable and worker.server is self._service.current):
            self._worker = None
            worker.kill()
        if self._worker is None:
            self._worker = self._service.worker()
        return self._worker
