"""The processes behind `amp_lab.isolate`, seen from the caller's side."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from amp_lab import lowlevel
from amp_lab.errors import AmpError, InternalError, NativeCrash
from amp_lab.lowlevel import Flight
from amp_lab.request import Progress, RenderParts, RenderRequest
from amp_lab.shared import BEGUN, CANCEL, PAGE, Channel, Job, Pool, StreamCall, StreamJob
from amp_lab.values import Samples

WORKERS = 2
"""Workers at most; more threads than that wait for each other."""
STOP_S = 0.1
"""Time a worker has to answer a request to stop before it is killed."""
EXIT_S = 2.0
"""Time a worker that closed its channel has to be gone before it is killed."""
HANG = "HANG"
UNHARMED = "The kernel is unharmed; the next render starts a new worker."


class Worker:
    """A worker process as seen from here; one thread at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._memory = server.memory
        self._offset, self._page_kept = self._memory.take((PAGE // 8,))
        self._page = self._memory.page(self._offset)
        self._channel, other = Channel.pair()
        try:
            self.pid = server.fork(other)
        finally:
            other.close()
        self.idle, self._buried = True, False

    def carry_out(
        self, request: RenderRequest, progress: Progress | None, limit: float | None
    ) -> RenderParts | None:
        """Render; None if the worker was killed before it began. It is of use again only if idle."""
        result: RenderParts | AmpError | None
        self.idle = False
        try:
            result = self._converse(request, progress, limit)
        except (EOFError, BrokenPipeError):
            result = self._death(request.nodes)
        except TimeoutError:
            result = _crash(HANG, f"no progress for {limit:g} s (hang)", self._flight, request.nodes)
            self.kill()
        except BaseException as error:
            self._stop(error, request.nodes)
            raise
        self.idle = not self._buried
        if isinstance(result, AmpError):
            raise result  # outside of the handlers, whose traceback would keep the arrays
        if result is not None and progress is not None and request.frames:
            progress(request.frames, request.frames)
        return result

    def _converse(
        self, request: RenderRequest, progress: Progress | None, limit: float | None
    ) -> RenderParts | AmpError:
        arrays: dict[str, Samples] = {}
        shape = (request.batches, request.output_channels, request.frames)
        audio_offset, audio = self._memory.take(shape)
        places, copies = self._copy(request.inputs)
        fault = os.environ.get("AMP_TEST_FAULT", "")
        self._page[:] = bytes(PAGE)
        self._channel.send(Job(replace(request, inputs={}), places, audio_offset, self._offset, fault))
        while True:
            kind, *values = self._receive(limit)
            if kind == "allocate":
                offset, arrays[values[0]] = self._memory.take(values[1])
                self._channel.send(offset)
            elif kind == "progress" and progress is not None:
                progress(values[0], request.frames)
            elif kind == "failed":
                failure: AmpError = values[0]
                return failure
            elif kind == "done":
                del copies
                parts: RenderParts = values[0]
                parts["audio"], parts["taps"] = audio, arrays
                return parts

    def begin(self, job: StreamJob) -> None:
        """Serve one stream from now on."""
        self.idle = False
        self._page[:] = bytes(PAGE)
        self._channel.send(replace(job, page=self._offset))

    def ask(self, call: StreamCall, nodes: tuple[str, ...], limit: float | None) -> Any:
        """Call a method of the stream that is served; an error comes back as one."""
        result: Any
        try:
            self._channel.send(call)
            while (answer := self._receive(limit))[0] != call.number:
                pass  # to somebody who was interrupted
            _, kind, result = answer
        except (EOFError, BrokenPipeError):
            kind, result = (
                "failed",
                self._death(nodes) or InternalError("worker: was killed. Make a new session."),
            )
        except TimeoutError:
            kind, result = "failed", _crash(HANG, f"no progress for {limit:g} s (hang)", self._flight, nodes)
            self.kill()
        if kind == "failed":
            raise result
        return result

    def _copy(
        self, inputs: Mapping[str, Samples]
    ) -> tuple[dict[str, tuple[int, tuple[int, ...]]], list[Samples]]:
        """Copy arrays to where the worker can read them: places by name, and what keeps them there."""
        places, copies = {}, []
        for name, samples in inputs.items():
            offset, copy = self._memory.take(samples.shape)
            copy[...] = samples
            places[name] = offset, samples.shape
            copies.append(copy)
        return places, copies

    def _receive(self, limit: float | None) -> Any:
        """Return the next message; `TimeoutError` if nothing was fired for ``limit`` seconds."""
        while True:
            before = self._flight
            try:
                return self._channel.receive(limit)
            except TimeoutError:
                if self._flight == before:
                    raise

    @property
    def _flight(self) -> Flight:
        return lowlevel.read_flight(self._page)

    def _stop(self, error: BaseException, nodes: tuple[str, ...]) -> None:
        """Ask the worker to stop; kill it if it does not."""
        self._page[CANCEL] = 1
        try:
            while (kind := self._channel.receive(STOP_S)[0]) == "progress":
                pass
            if kind == "allocate":  # it waits for an answer
                raise TimeoutError
            self.idle = True
        except BaseException:
            where = _where(self._flight, nodes)
            self.kill()
            error.add_note(f"The worker did not stop within {STOP_S:g} s and was killed {where}.")

    def _death(self, nodes: tuple[str, ...]) -> AmpError | None:
        """Describe the death of the worker; None if it was killed before it began."""
        flight, begun = self._flight, self._page[BEGUN]
        code = self._bury()
        if code < 0 and not begun:
            return None
        words = self._server.errors()
        if code >= 0:
            return InternalError(
                f"worker: ended unexpectedly (got exit code {code}, allowed none). Please report it.\n{words}"
            )
        name = signal.Signals(-code).name
        crash = _crash(name, f"native crash {name}", flight, nodes)
        if words:
            crash.add_note(f"The worker's last words:\n{words}")
        return crash

    @property
    def gone(self) -> bool:
        """Whether an idle worker has died meanwhile."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        return bool(poller.poll(0))

    def kill(self) -> None:
        """End the process at once, if that was not done."""
        if self._buried:
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._bury()

    def abandon(self) -> None:
        """Close the channel; the process notices and leaves."""
        self._channel.close()

    def _bury(self) -> int:
        self._buried = True
        del self._page, self._page_kept
        self.abandon()
        return self._server.reap(self.pid)


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


class Server:
    """The fork server, its workers, and the memory shared with them."""

    def __init__(self) -> None:
        self.memory = Pool()
        self.workers: list[Worker] = []
        self.hired: list[Worker] = []
        self._idle: list[Worker] = []
        self._free = threading.Condition()
        self._talk = threading.Lock()
        self._retired = False
        self._errors, self._errors_read = os.memfd_create("amp-lab-stderr"), 0
        self._control, other = Channel.pair()
        self.process = self._start(other)
        other.close()
        try:
            self._control.receive()
        except EOFError:
            words = self.errors()
            self._close()
            raise InternalError(f"worker: cannot be started. Please report it.\n{words}") from None

    def _start(self, channel: Channel) -> subprocess.Popen[bytes]:
        fds = (channel.fileno(), self.memory.fd)
        code = "import sys; sys.path[:] = sys.argv[3:]; from amp_lab.worker import main; main()"
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code, *map(str, fds), *sys.path],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # one thread, or forks would be unsafe
        )

    @property
    def usable(self) -> bool:
        """Whether new renders may start here."""
        return not self._retired and self.process.poll() is None

    def take(self) -> Worker | None:
        """Return an idle worker or a new one, None if retired; waits while `WORKERS` are busy."""
        with self._free:
            while not self._idle and len(self.workers) >= WORKERS:
                self._free.wait()
            if self._retired:
                return None
            while self._idle:
                worker = self._idle.pop()
                if not worker.gone:
                    return worker
                self._bury(worker)
            worker = Worker(self)
            self.workers.append(worker)
            return worker

    def hire(self) -> Worker | None:
        """Return a worker for a stream, beside those that render; None if retired."""
        with self._free:
            if self._retired:
                return None
            worker = Worker(self)
            self.hired.append(worker)
            return worker

    def dismiss(self, worker: Worker) -> None:
        """End a worker that was hired."""
        with self._free:
            if worker in self.hired:
                self.hired.remove(worker)
                worker.kill()
                self._close_if_empty()

    def _close_if_empty(self) -> None:
        if self._retired and not self.workers and not self.hired:
            self._close()

    def give_back(self, worker: Worker) -> None:
        """Make a worker free for the next render, if it is idle."""
        try:
            with self._free:
                if worker.idle and not self._retired:
                    self._idle.append(worker)
                else:
                    self._bury(worker)
                self._free.notify()
                self._close_if_empty()
        except BaseException:  # interrupted: the worker may be lost to this server
            self.retire()
            raise

    def close(self) -> None:
        """End idle workers now and busy ones after their render, then the server."""
        self.retire()
        with self._free:
            while self._idle:
                self._bury(self._idle.pop())
            self._free.notify_all()
            self._close_if_empty()

    def retire(self) -> None:
        """Start and recycle nothing any more."""
        self._retired = True
        self.memory.retire()

    def abandon(self) -> None:
        """Let go of everything in a fork of the process that owns it."""
        for worker in (*self.workers, *self.hired):
            worker.abandon()
        self.hired = []  # they go on serving the process that was forked
        self.process.returncode = 0
        self._close()

    def fork(self, channel: Channel) -> int:
        """Start a worker on a channel; its process id."""
        try:
            return self._ask(0, channel.fileno())
        except (EOFError, OSError) as error:
            raise InternalError("worker: the server is gone. Render again for a new one.") from error

    def reap(self, pid: int) -> int:
        """Exit code of a worker that is ending, negative if by a signal; -SIGKILL if nobody knows."""
        try:
            return self._ask(pid)
        except (EOFError, OSError):
            return -signal.SIGKILL

    def errors(self) -> str:
        """Return what was written to stderr since the last call."""
        data = os.pread(self._errors, 1 << 16, self._errors_read)
        self._errors_read += len(data)
        return data.decode(errors="replace").strip()

    def _ask(self, pid: int, *fds: int) -> int:
        with self._talk:
            try:
                self._control.send(pid, fds)
                return self._reply(pid)
            except BaseException:
                self.process.kill()  # the conversation is broken: `usable` tells
                raise

    def _reply(self, pid: int) -> int:
        try:
            return int(self._control.receive(EXIT_S))
        except TimeoutError:
            if pid:
                os.kill(pid, signal.SIGKILL)
            return int(self._control.receive())

    def _bury(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.kill()

    def _close(self) -> None:
        self._control.close()
        self.memory.close()
        os.close(self._errors)
        self.process.wait()
