"""A worker process, for the thread that serves it: one request at a time, without interrupts."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from amp_lab import lowlevel
from amp_lab.errors import AmpError, InternalError, NativeCrash
from amp_lab.execution.request import RenderRequest
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.fork_server import ANSWER_S, Server
from amp_lab.isolate.limits import unavailable
from amp_lab.isolate.messages import BEGUN, CANCEL, READY, Channel, Job, StreamCall, StreamJob
from amp_lab.isolate.shared_memory import PAGE, ArrayLocation
from amp_lab.lowlevel import Flight

STOP_S = 0.1
"""Time a worker has to answer a request to stop before it is killed."""
TICK_S = 0.02
"""Seconds after which a thread that waits for a worker checks for cancellation."""
HANG = "HANG"
UNHARMED = "The kernel is unharmed; the next render starts a new worker."
Outcome: TypeAlias = tuple[str, Any]
"""``done`` with what came, ``failed`` with an `AmpError`, or ``stopped`` with a sentence or ``""``."""


class Cancelled(Exception):  # noqa: N818 - an event
    """The caller no longer waits for the render."""


class Worker:
    """A worker process, the channel to it, and all memory it may write to until it has answered or ended."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._place, self._page_array = server.memory.take((PAGE // 8,))
        self._page = server.memory.page(self._place)
        self.ended = False
        self._open = False  # between a request and its answer
        self._lent: list[Samples] = []  # what it may write to until then
        try:
            self._channel, other = Channel.pair()
        except OSError as error:
            raise unavailable(error.errno or 0) from None
        try:
            self.pid = server.fork(other)
        except BaseException:
            self._channel.close()
            raise
        finally:
            other.close()
        server.add(self)
        self._await_ready()

    def _await_ready(self) -> None:
        number = READY
        try:
            number = self._channel.receive(ANSWER_S)
        except TimeoutError:
            self.kill()
            raise InternalError(f"worker: did not start within {ANSWER_S:g} s. Render again.") from None
        except EOFError:
            code = self._reap()
            words = self.server.errors()
            raise InternalError(
                f"worker: ended while it started (got exit code {code}). Please report it.\n{words}"
            ) from None
        if number != READY:
            self.kill()
            raise unavailable(number)

    # ---- renders ----

    def render(
        self,
        request: RenderRequest,
        limit: float | None,
        cancelled: Callable[[], bool],
        report: Callable[[int], object] | None,
    ) -> Outcome | None:
        """Render; None if the worker was dead before it began.

        Parameters
        ----------
        limit
            Seconds it may go without starting another firing.
        cancelled
            Asked every `TICK_S`.
        report
            Called with the number of frames done.
        """
        try:
            return self._converse(request, limit, cancelled, report)
        except (EOFError, ConnectionError):
            return self._death(request.nodes)
        except TimeoutError:
            return self._hang(limit, request.nodes)
        except Cancelled:
            return "stopped", self._stop(request.nodes)
        except AmpError as error:  # no memory for a result
            if self._open:
                self.kill()
            return "failed", error.with_traceback(None)

    def _converse(
        self,
        request: RenderRequest,
        limit: float | None,
        cancelled: Callable[[], bool],
        report: Callable[[int], object] | None,
    ) -> Outcome:
        taps: dict[str, Samples] = {}
        audio_place, audio = self._lend((request.batches, request.output_channels, request.frames))
        places = self._copy(request.inputs)
        fault = os.environ.get("AMP_TEST_FAULT", "")
        self._page[:] = bytes(PAGE)
        self._open = True
        self._channel.send(
            Job(replace(request, inputs={}), places, audio_place, self._place, fault), (), limit
        )
        while True:
            kind, *values = self._receive(limit, cancelled)
            if kind == "allocate":
                place, taps[values[0]] = self._lend(values[1])
                self._channel.send(place, (), limit)
            elif kind == "progress" and report is not None:
                report(values[0])
            elif kind in ("done", "failed"):
                self._answered()
                parts = values[0]
                return kind, parts | {"audio": audio, "taps": taps} if kind == "done" else parts

    def _lend(self, shape: tuple[int, ...]) -> tuple[ArrayLocation, Samples]:
        """Return memory that is not used for anything else until the worker has answered or ended."""
        place, array = self.server.memory.take(shape)
        self._lent.append(array)
        return place, array

    def _answered(self) -> None:
        self._open = False
        self._lent.clear()

    def _copy(self, inputs: Mapping[str, Samples]) -> dict[str, ArrayLocation]:
        """Copy arrays to where the worker can read them."""
        places = {}
        for name, samples in inputs.items():
            places[name], copy = self._lend(samples.shape)
            copy[...] = samples
        return places

    # ---- streams ----

    def begin(self, job: StreamJob) -> None:
        """Serve one stream from now on."""
        self._page[:] = bytes(PAGE)
        self._channel.send(replace(job, page=self._place))

    def call(self, call: StreamCall, nodes: tuple[str, ...], limit: float | None) -> Outcome:
        """Call a method of the stream that is served."""
        try:
            self._channel.send(call, (), limit)
            kind, value = self._receive(limit, _never)
        except (EOFError, ConnectionError):
            death = self._death(nodes)
            return death or ("failed", InternalError("worker: was killed. Make a new session."))
        except TimeoutError:
            return self._hang(limit, nodes)
        return kind, value

    # ---- waiting ----

    def _receive(self, limit: float | None, cancelled: Callable[[], bool]) -> Any:
        """Return the next message; `TimeoutError` if nothing was fired for ``limit`` seconds."""
        flight, since = self._flight, time.monotonic()
        while True:
            if cancelled():
                raise Cancelled
            try:
                return self._channel.receive(TICK_S if limit is None else min(TICK_S, limit))
            except TimeoutError:
                if limit is None:
                    continue
            if (seen := self._flight) != flight:
                flight, since = seen, time.monotonic()
            elif time.monotonic() - since >= limit:
                raise TimeoutError

    @property
    def _flight(self) -> Flight:
        return lowlevel.read_flight(self._page)

    def _stop(self, nodes: tuple[str, ...]) -> str:
        """Request the worker to stop, kill it if it does not, and return what to report."""
        self._page[CANCEL] = 1
        try:
            while (kind := self._channel.receive(STOP_S)[0]) == "progress":
                pass
            if kind != "allocate":  # else it waits for an answer
                self._answered()
                return ""
        except (EOFError, TimeoutError):
            pass
        where = _where(self._flight, nodes)
        self.kill()
        return f"The worker did not stop within {STOP_S:g} s and was killed {where}."

    # ---- the end ----

    def _hang(self, limit: float | None, nodes: tuple[str, ...]) -> Outcome:
        flight = self._flight
        self.kill()
        return "failed", _crash(HANG, f"no progress for {limit:g} s (hang)", flight, nodes)

    def _death(self, nodes: tuple[str, ...]) -> Outcome | None:
        """Describe the death of the worker; None if it was killed before it began."""
        flight, begun = self._flight, self._page[BEGUN]
        code = self._reap()
        if code < 0 and not begun:
            return None
        words = self.server.errors() if self.server.alive else ""
        if code >= 0:
            got = f"got exit code {code}, allowed none"
            return "failed", InternalError(f"worker: ended unexpectedly ({got}). Please report it.\n{words}")
        name = signal.Signals(-code).name
        crash = _crash(name, f"native crash {name}", flight, nodes)
        if words:
            crash.add_note(f"The worker's last words:\n{words}")
        return "failed", crash

    @property
    def usable(self) -> bool:
        """Whether an idle worker, and its server, are there and may go on."""
        if self.ended or self._open or not self.server.usable:
            return False
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        return not poller.poll(0)

    def kill(self) -> None:
        """End the process at once; a second time does nothing."""
        if not self.ended:
            self.server.kill(self.pid)
            self._reap()

    def _reap(self) -> int:
        """Wait for the end of the process before the memory it wrote to is released."""
        self.ended = True
        self._channel.close()
        code = self.server.reap(self.pid)
        self._answered()
        self._page.release()
        del self._page, self._page_array
        self.server.remove(self)
        return code


def _never() -> bool:
    return False


def _where(flight: Flight, nodes: tuple[str, ...]) -> str:
    if 0 <= flight.node < len(nodes):
        return f"while rendering frames {flight.first_frame} to {flight.first_frame + flight.frames - 1}"
    return "outside of a node"


def _crash(name: str, what: str, flight: Flight, nodes: tuple[str, ...]) -> NativeCrash:
    inside = 0 <= flight.node < len(nodes)
    node = nodes[flight.node] if inside else ""
    return NativeCrash(
        f"{node or 'worker'}: {what} {_where(flight, nodes)}. {UNHARMED}",
        signal=name,
        node=node,
        first_frame=flight.first_frame if inside else -1,
        frames=flight.frames if inside else 0,
    )
