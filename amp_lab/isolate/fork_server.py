"""The process that forks workers, seen from the caller's side. Only the threads of `service` use it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TypeVar

from amp_lab.errors import InternalError
from amp_lab.isolate.file_descriptors import Closable, guard, memory_file
from amp_lab.isolate.limits import address_space_is_limited, unavailable
from amp_lab.isolate.messages import Channel
from amp_lab.isolate.shared_memory import SharedMemory

File = TypeVar("File", bound=Closable)
START_S = 60.0
"""Time the server has to import what workers need."""
ANSWER_S = 5.0
"""Time it has to fork a worker, or to report how a worker ended."""
EXIT_S = 2.0
"""Time a worker that closed its channel has to be gone before it is killed."""
UNKNOWN = -signal.SIGKILL
"""Exit code of a worker whose server is gone."""


class ServerLost(Exception):  # noqa: N818 - an event, after which another server is started
    """The server has died, or does not answer and was killed."""


class Server:
    """A fork server, the memory shared with its workers, and the workers that run.

    It closes itself when it is retired and its last worker is gone.
    """

    def __init__(self) -> None:
        self._talk = threading.Lock()
        self._lock = threading.RLock()
        self._workers: list[object] = []
        self._retired = False
        self._errors_read = 0
        self._files: list[Closable] = []
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.memory = self._keep(SharedMemory())
            self._errors = self._keep(memory_file("amp-lab-stderr"))
            self._control, other = map(self._keep, Channel.pair())
            with guard:
                self.process = self._start(other)
            other.close()
        except OSError as error:
            self._close()
            raise unavailable(error.errno or 0) from None
        self._await_start(self.process)

    def _keep(self, file: File) -> File:
        self._files.append(file)
        return file

    def _start(self, channel: Channel) -> subprocess.Popen[bytes]:
        fds = (channel.fileno(), self.memory.fd)
        code = (
            "import sys; sys.path[:] = sys.argv[3:]; from amp_lab.isolate.worker_process import main; main()"
        )
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code, *map(str, fds), *sys.path],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors.fileno(),
            start_new_session=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # one thread, or forks would be unsafe
        )

    def _await_start(self, process: subprocess.Popen[bytes]) -> None:
        try:
            self._control.receive(START_S)
            return
        except TimeoutError:
            words = f"nothing for {START_S:g} s"
        except EOFError:
            words = ""
        process.kill()
        code = process.wait()
        words = self.errors() or words
        self._close()
        if address_space_is_limited() or (code < 0 and words == ""):
            raise unavailable(errno.ENOMEM, words)
        raise InternalError(f"worker: cannot be started. Please report it.\n{words}")

    @property
    def usable(self) -> bool:
        """Whether new renders may start here."""
        return not self._retired and self.alive

    @property
    def alive(self) -> bool:
        """Whether the process runs; while it does, process ids of its workers stay theirs."""
        return self.process is not None and self.process.poll() is None

    # ---- workers ----

    def fork(self, channel: Channel) -> int:
        """Start a worker on a channel; its process id.

        Raises
        ------
        WorkerUnavailable
            If a limit of the system forbids it.
        ServerLost
            If there is no answer.
        """
        answer = self._ask(0, channel.fileno())
        if answer < 0:
            raise unavailable(-answer, self.errors())
        return answer

    def add(self, worker: object) -> None:
        """Note a worker; the server stays open for it."""
        with self._lock:
            self._workers.append(worker)

    def remove(self, worker: object) -> None:
        """Remove a worker that has ended."""
        with self._lock:
            if worker in self._workers:
                self._workers.remove(worker)
            self._close_if_unused()

    @property
    def workers(self) -> tuple[object, ...]:
        """The workers that run."""
        return tuple(self._workers)

    def kill(self, pid: int) -> None:
        """Kill a worker that was not reaped; where the server is gone, its closed channel ends it."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def reap(self, pid: int) -> int:
        """Exit code of a worker that is ending, negative if by a signal; `UNKNOWN` if the server is lost.

        In that case the worker may run for a moment longer, so the memory it could write to is not reused.
        """
        try:
            return self._ask(pid)
        except ServerLost:
            self.memory.retire()
            return UNKNOWN

    def errors(self) -> str:
        """Return what was written to stderr since the last call."""
        data = os.pread(self._errors.fileno(), 1 << 16, self._errors_read)
        self._errors_read += len(data)
        return data.decode(errors="replace").strip()

    def _ask(self, pid: int, *fds: int) -> int:
        with self._talk:
            try:
                self._control.send(pid, fds, ANSWER_S)
                return self._reply(pid)
            except (EOFError, OSError) as error:
                if self.process is not None:
                    self.process.kill()  # the conversation is broken: `usable` tells
                    self.process.wait()
                raise ServerLost from error

    def _reply(self, pid: int) -> int:
        if pid:
            with suppress(TimeoutError):
                return int(self._control.receive(EXIT_S))
            os.kill(pid, signal.SIGKILL)
        return int(self._control.receive(ANSWER_S))

    # ---- the end ----

    def retire(self) -> None:
        """Start and reuse nothing any more, and close when the last worker is gone."""
        self.memory.retire()
        with self._lock:
            self._retired = True
            self._close_if_unused()

    def detach(self) -> None:
        """Release it in a fork, whose copies of the descriptors are closed; it serves the parent process."""
        self._retired = True
        self.memory.retire()
        if self.process is not None:
            self.process.returncode = 0

    def _close_if_unused(self) -> None:
        if self._retired and not self._workers:
            self._close()

    def _close(self) -> None:
        with guard:
            for file in self._files:
                file.close()
        if self.process is not None:
            try:
                self.process.wait(EXIT_S)
            except subprocess.TimeoutExpired:  # stopped, or it waits for a worker that is
                self.process.kill()
                self.process.wait()
