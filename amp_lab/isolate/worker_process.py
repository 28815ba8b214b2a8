"""The worker's side of `amp_lab.isolate`: a server that forks workers, and the loop of a worker.

The server has imported everything and has one thread, so that a fork of it is ready in milliseconds.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import replace
from typing import NoReturn

from amp_lab.errors import AmpError, InternalError
from amp_lab.execution.in_process import render_in_process
from amp_lab.execution.results import RenderParts
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.messages import BEGUN, CANCEL, READY, Channel, Job, StreamCall, StreamJob
from amp_lab.isolate.shared_memory import ArrayLocation, MappedMemory
from amp_lab.lowlevel.stream import Stream

PROGRESS_S = 0.02


def main() -> None:
    """Fork a worker for every channel received, reap those asked for, and leave when the parent does."""
    control = Channel(socket.socket(fileno=int(sys.argv[1])))
    memory = MappedMemory(int(sys.argv[2]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control.send("ready")
    while True:
        try:
            pid, fds = control.receive_fds()
        except EOFError:
            break
        control.send(_reap(pid) if pid else _fork(control, memory, fds))
    while _children():
        pass


def _fork(control: Channel, memory: MappedMemory, fds: list[int]) -> int:
    """Start a worker; its process id, or the number of the error, below zero."""
    if not fds:  # the kernel had no room for the descriptor
        return -errno.EMFILE
    try:
        pid = os.fork()
    except OSError as error:
        os.close(fds[0])
        return -(error.errno or errno.EAGAIN)
    if pid == 0:
        try:
            control.close()
            _serve(Channel(socket.socket(fileno=fds[0])), memory)
        except (EOFError, ConnectionError):
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(fds[0])
    return pid


def _reap(pid: int) -> int:
    """Exit code of a worker, negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _children() -> bool:
    """Wait for one child; whether there was one."""
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        return False
    return True


def _serve(channel: Channel, memory: MappedMemory) -> NoReturn:
    try:
        threading.Thread(target=_leave_with_parent, args=(channel,), daemon=True).start()
    except RuntimeError:
        channel.send(errno.EAGAIN)
        os._exit(0)
    channel.send(READY)
    while True:
        job = channel.receive()
        if isinstance(job, StreamJob):
            _stream(channel, memory, job)
        else:
            channel.send(_answer(channel, memory, job))


def _leave_with_parent(channel: Channel) -> None:
    """Leave as soon as the other end is gone, even while native code runs for ever."""
    poller = select.poll()
    poller.register(channel, 0)  # a hang-up is always reported
    poller.poll()
    os._exit(0)


def _answer(channel: Channel, memory: MappedMemory, job: Job) -> tuple[str, object]:
    try:
        return "done", _render(channel, memory, job)
    except AmpError as error:
        return "failed", error
    except Exception:
        text = traceback.format_exc()
        return "failed", InternalError(f"worker: unexpected failure. Please report it.\n{text}")


def _stream(channel: Channel, memory: MappedMemory, job: StreamJob) -> NoReturn:
    """Make the calls of one stream, until the caller closes the channel."""
    page = memory.page(job.page)
    page[BEGUN] = 1
    os.environ["AMP_TEST_FAULT"] = job.fault
    made: list[Stream] = []

    def do(call: StreamCall) -> object:
        if not made:
            made.append(Stream(job.descriptors, job.plan, flight=page, **job.config))
        arguments = (memory.array(a) if isinstance(a, ArrayLocation) else a for a in call.arguments)
        return getattr(made[0], call.method)(*arguments)

    while True:
        call = channel.receive()
        try:
            answer = "done", do(call)
        except AmpError as error:
            answer = "failed", error
        except Exception:
            text = traceback.format_exc()
            answer = "failed", InternalError(f"worker: unexpected failure. Please report it.\n{text}")
        channel.send(answer)


def _render(channel: Channel, memory: MappedMemory, job: Job) -> RenderParts:
    """Render; the arrays stay in the shared memory and come back empty."""
    page = memory.page(job.page)
    page[BEGUN] = 1
    os.environ["AMP_TEST_FAULT"] = job.fault
    last = time.perf_counter()

    def allocate(name: str | None, shape: tuple[int, int, int]) -> Samples:
        if name is None:
            return memory.array(job.audio)
        channel.send(("allocate", name, shape))
        return memory.array(channel.receive())

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.perf_counter() - last >= PROGRESS_S and done < total:
            last = time.perf_counter()
            channel.send(("progress", done))

    inputs = {name: memory.array(place) for name, place in job.inputs.items()}
    parts = render_in_process(
        replace(job.request, inputs=inputs),
        progress=progress,
        should_stop=lambda: bool(page[CANCEL]),
        allocate=allocate,
        flight=page,
    )
    parts["audio"], parts["taps"] = parts["audio"][:0], {}
    return parts
