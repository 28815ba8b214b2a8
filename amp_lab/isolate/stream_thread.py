"""A thread that serves the calls of one stream with a worker of its own."""

from __future__ import annotations

import weakref
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from amp_lab.common.threads import Background
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.messages import StreamCall, StreamJob
from amp_lab.isolate.service import Service
from amp_lab.isolate.shared_memory import ArrayLocation
from amp_lab.isolate.tickets import CallTicket, failed
from amp_lab.isolate.workers import Outcome, Worker


class StreamThread(Background):
    """Serves the calls of one stream, in their order, with a worker of its own."""

    def __init__(self, service: Service, job: StreamJob, nodes: tuple[str, ...], limit: float | None) -> None:
        super().__init__("amp_lab session")
        self._service, self._job, self._nodes, self._limit = service, job, nodes, limit
        self._calls: SimpleQueue[object] = SimpleQueue()
        self._owner: weakref.ref[object] | None = None
        self._range: tuple[ArrayLocation, Samples] | None = None
        self._borrowed: dict[str, Samples] = {}
        self._worker: Worker | None = None
        self._over = False
        self._end: AmpError | None = None

    def call(self, method: str, *arguments: Any) -> Any:
        """Wait for a call of the stream; an interrupt ends the wait, and the call is made nevertheless."""
        ticket = CallTicket(method, arguments)
        waiting = self._service.waiting
        waiting.add(ticket)
        try:
            self._calls.put(ticket)
            if self._over and ticket.claim():  # the thread has ended without it
                raise self._closed()
            return ticket.result()
        finally:
            waiting.discard(ticket)

    def end_with(self, owner: object) -> None:
        """End when an object is gone; by C code alone, where no signal handler's exception is lost."""
        self._owner = weakref.ref(owner, self._calls.put)

    def end(self) -> None:
        """End the stream and its worker, after the calls made so far; returns at once."""
        self._calls.put(None)

    def run(self) -> None:
        """Serve calls until the thread is to end."""
        try:
            self._begin()
            while isinstance(ticket := self._calls.get(), CallTicket):
                if ticket.claim():
                    ticket.finish([self._serve(ticket)])
                del ticket
        finally:
            self._end = self._end or self._closed()
            if self._worker is not None:
                self._worker.kill()
            self._worker = self._range = None
            self._borrowed.clear()
            self._over = True
            self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        with suppress(Empty):
            while True:
                ticket = self._calls.get_nowait()
                if isinstance(ticket, CallTicket) and ticket.claim():
                    ticket.finish([("failed", self._closed())])

    def _closed(self) -> AmpError:
        return InvalidArgument("Session: is closed. Make a new one.")

    def _begin(self) -> None:
        try:
            self._worker = self._service.worker()
            self._worker.begin(self._job)
        except Exception as error:
            _, self._end = failed(error)

    def _serve(self, ticket: CallTicket) -> Outcome:
        if self._end is not None:
            return "failed", self._end
        try:
            outcome = self._make(ticket.method, ticket.arguments)
        except Exception as error:
            outcome = failed(error)
        self._service.note(outcome)
        if self._worker is not None and self._worker.ended:
            self._end = outcome[1]
        return outcome

    def _make(self, method: str, arguments: tuple[Any, ...]) -> Outcome:
        """Make a call; samples go through memory that nothing else uses until its answer is here."""
        if method == "bind_input":
            node, samples = arguments
            place, self._borrowed[node] = self._copied(samples)
            return self._ask(method, node, place)
        if method == "push":
            node, samples = arguments
            place, shared = self._room(samples.shape)
            shared[...] = samples
            return self._ask(method, node, place)
        if method == "pull":
            tap, out, ready = arguments
            place, shared = self._room(out.shape)
            kind, value = self._ask(method, tap, place, ready)
            if kind == "done":
                out[:, :, : value[0]] = shared[:, :, : value[0]]
            return kind, value
        return self._ask(method, *arguments)

    def _ask(self, method: str, *arguments: Any) -> Outcome:
        assert self._worker is not None
        return self._worker.call(StreamCall(method, arguments), self._nodes, self._limit)

    def _copied(self, samples: Samples) -> tuple[ArrayLocation, Samples]:
        assert self._worker is not None
        place, copy = self._worker.server.memory.take(samples.shape)
        copy[...] = samples
        return place, copy

    def _room(self, shape: tuple[int, ...]) -> tuple[ArrayLocation, Samples]:
        """Return memory both sides see, used again by the next call."""
        assert self._worker is not None
        size = int(np.prod(shape))
        if self._range is None or self._range[1].size < size:
            self._range = None
            self._range = self._worker.server.memory.take((size,))
        place, array = self._range
        there = ArrayLocation(place.start, place.nbytes, place.offset, shape)
        return there, array[:size].reshape(shape)
