"""Tickets: requests to a thread that serves them, with which a caller waits for the outcome."""

from __future__ import annotations

import traceback
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from amp_lab.contracts import Progress
from amp_lab.errors import AmpError, InternalError
from amp_lab.execution.request import RenderRequest
from amp_lab.isolate.workers import STOP_S, Outcome

BEAT_S = 0.05
"""How often a caller who follows the progress is called when there is none, so that it can give up."""


class Ticket:
    """A request, for the caller that waits: events arrive, the last of them is the outcome."""

    def __init__(self) -> None:
        self.cancelled = self.ended = False
        self._events: SimpleQueue[Outcome] = SimpleQueue()
        self._unclaimed = deque([True])

    def claim(self) -> bool:
        """Whether the caller is the first to ask, and so the one to serve it."""
        try:
            return self._unclaimed.pop()
        except IndexError:
            return False

    def report(self, kind: str, value: object) -> None:
        """Report an event to the caller."""
        self._events.put((kind, value))

    def finish(self, outcome: list[Outcome]) -> None:
        """Report the outcome to the caller; the ticket does not keep its arrays."""
        self.ended = True
        self._events.put(outcome.pop())

    def result(self, progress: Progress | None = None, total: int = 0) -> Any:
        """Wait for the outcome and return it.

        Raises
        ------
        AmpError
            If the outcome is an error.
        BaseException
            What ``progress`` or a signal handler raises, as it is.
        """
        frames = 0
        while True:
            try:
                kind, value = self._events.get(timeout=None if progress is None else BEAT_S)
            except Empty:
                kind, value = "progress", frames
            if kind == "done":
                return value
            if kind == "progress" and progress is not None:
                frames = value
                progress(frames, total)
            elif kind == "failed":
                try:
                    raise value
                finally:
                    del value  # or it would keep this frame, and the frame it

    def stopped(self) -> str:
        """Wait a moment for the end of a cancelled request, and return what to report."""
        if self.claim():  # no thread has begun it, and none will
            return ""
        with suppress(Empty):
            while not self.ended or not self._events.empty():
                kind, value = self._events.get(timeout=5 * STOP_S)
                if kind == "stopped":
                    return str(value)
        return ""


class RenderTicket(Ticket):
    """A render to do."""

    def __init__(self, request: RenderRequest, limit: float | None, reports: bool) -> None:
        super().__init__()
        self.request, self.limit, self.reports = request, limit, reports


class CallTicket(Ticket):
    """A call of a stream to make. An array among the arguments belongs to the ticket from now on."""

    def __init__(self, method: str, arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self.method, self.arguments = method, arguments


def failed(error: Exception) -> Outcome:
    """Return the outcome of a request that raised something in the thread that serves it."""
    if isinstance(error, AmpError):
        return "failed", error.with_traceback(None)
    text = "".join(traceback.format_exception(error))
    return "failed", InternalError(f"worker: unexpected failure. Please report it.\n{text}")
