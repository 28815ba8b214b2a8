"""With too little of a system resource a worker still runs, or the error names the limit and the cure."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import systems
from rigs import same_bits
from test_isolate import mappings

import amp_lab as amp
from amp_lab import isolate
from amp_lab.execution import recycled_memory
from amp_lab.isolate import shared_memory
from amp_lab.isolate.messages import Channel
from amp_lab.render import isolation as places

fork_server = systems.module("amp_lab.isolate.fork_server")
worker_process = systems.module("amp_lab.isolate.worker_process")

pytestmark = pytest.mark.skipif(not isolate.supported(), reason="workers need memfd (Linux)")
SCRIPT = """
import os, resource
{before}
import amp_lab as amp
from amp_lab import isolate
from amp_lab.isolate import stream as remote  # modules are files, too
g = amp.presets.three_osc()
want = g.render(frames=1000, isolation="none").digest
told = os.open({told!r}, os.O_WRONLY)
{limit}
try:
    right = g.render(frames=1000, isolation="process").digest == want
    with g.session(isolation="process") as s:
        right = right and s.pull(1000).shape == (1, 2, 1000)
    os.write(told, str(right).encode())
except amp.AmpError as error:
    os.write(told, f"{{type(error).__name__}}: {{error}}".encode())
"""


def outcome(folder: Path, limit: str, before: str = "") -> str:
    """Render and pull under a limit; what came of it."""
    told = folder / "told"
    told.touch()
    code = SCRIPT.format(limit=limit, before=before, told=str(told))
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return told.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    isolate.shutdown()
    yield
    isolate.shutdown()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_files(closed: tuple[int, ...], tmp_path: Path) -> None:
    """The numbers 0 to 2 are not taken for ours where a program has closed them."""
    assert outcome(tmp_path, f"for fd in {closed}: os.close(fd)") == "True"


@pytest.mark.parametrize("room", range(10))
def test_few_open_files(room: int, tmp_path: Path) -> None:
    """With a few more of them it runs, or the error names the limit."""
    most = f"n = max(map(int, os.listdir('/proc/self/fd'))) + {room}"
    limit = f"{most}\nresource.setrlimit(resource.RLIMIT_NOFILE, (n, n))"
    told = outcome(tmp_path, limit)
    assert told == "True" or (
        "no more open files" in told and "ulimit -n" in told and "isolation='none'" in told
    )


def test_address_space_is_reserved_by_need(tmp_path: Path) -> None:
    """A process that may map 2 GB has workers, also where the machine has more memory than that."""
    assert outcome(tmp_path, "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))") == "True"
    amp.presets.three_osc().render(frames=10, isolation="none")
    before, known = psutil.Process().memory_info().vms, mappings()
    amp.presets.three_osc().render(frames=10, isolation="process")
    sizes = [int(b, 16) - int(a, 16) for a, b in (line.split()[0].split("-") for line in mappings() - known)]
    assert sum(sizes) == shared_memory.FIRST_BYTES, (
        f"{psutil.Process().memory_info().vms - before} bytes more"
    )


def test_too_little_address_space_names_the_limit(tmp_path: Path) -> None:
    """Where not even a page can be mapped any more."""
    used = "vm = int(open('/proc/self/statm').read().split()[0]) * 4096"
    limit = f"{used}\nresource.setrlimit(resource.RLIMIT_AS, (vm, vm))"
    told = outcome(tmp_path, limit)
    assert "ulimit -v" in told, told


@pytest.mark.parametrize(
    ("number", "limit"),
    [
        (errno.EMFILE, "ulimit -n"),
        (errno.EAGAIN, "ulimit -u"),
        (errno.ENOMEM, "ulimit -v"),
        (errno.EPERM, "sandbox"),
        (errno.ENOSYS, "sandbox"),
    ],
)
def test_what_is_refused_is_named(number: int, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory, the server's process and the worker's: the error is of one class and names limit and cure."""

    def refuse(*args: object, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    files = len(os.listdir("/proc/self/fd"))
    for owner, name in ((os, "memfd_create"), (fork_server.subprocess, "Popen")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, refuse)
            with pytest.raises(amp.WorkerUnavailable, match=limit) as caught:
                amp.presets.three_osc().render(frames=10, isolation="process")
            assert "isolation='none'" in str(caught.value)
    assert len(os.listdir("/proc/self/fd")) == files
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", refuse)
        here, there = Channel.pair()
        assert worker_process._fork(here, shared_memory.MappedMemory(0), [os.dup(there.fileno())]) == -number
        assert worker_process._fork(here, shared_memory.MappedMemory(0), []) == -errno.EMFILE
        here.close()
        there.close()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A notebook's kernel in which memory cannot be shared."""
    monkeypatch.setattr(places, "_in_kernel", lambda: True)
    monkeypatch.delenv("AMP_ISOLATION", raising=False)
    monkeypatch.setattr(isolate._service, "crashed", False)  # as other tests may have left it

    def refuse(*args: object) -> int:
        raise PermissionError(errno.EPERM, "refused")

    monkeypatch.setattr(os, "memfd_create", refuse)
    return monkeypatch


def test_a_notebook_without_workers_says_so_once_and_renders(kernel: pytest.MonkeyPatch) -> None:
    """One warning for renders and sessions; provenance and attributes record where they ran."""
    graph = amp.presets.three_osc()
    whole = graph.render(frames=100, isolation="none")
    with pytest.warns(amp.IsolationWarning, match="a system call was refused") as told:
        first, second = (graph.render(frames=100) for _ in range(2))
        with graph.session() as s:
            assert same_bits(s.pull(100), whole.audio)
            assert s.isolation == "none"
    assert len(told) == 1
    assert first.digest == second.digest == whole.digest
    assert (first.isolation, first.provenance["isolation"]) == ("none", "in process")
    assert np.isfinite(first.heat.total_j).all() or first.heat.total_j.size
    with pytest.raises(amp.WorkerUnavailable):
        graph.render(frames=100, isolation="process")
    kernel.undo()
    isolate.shutdown()  # which tries again
    kernel.setattr(places, "_in_kernel", lambda: True)
    assert graph.render(frames=100).provenance["isolation"] == "worker process"


def test_after_a_crash_nothing_falls_back(kernel: pytest.MonkeyPatch) -> None:
    """What has killed a worker would kill the kernel: an error, not a render in the process."""
    graph = amp.presets.three_osc()
    with kernel.context() as patch:
        patch.undo()
    kernel.undo()
    with graph.session(isolation="process") as s:
        s.pull(10)
        os.kill(isolate.status().workers[-1], signal.SIGKILL)
        with pytest.raises(amp.NativeCrash):
            s.pull(10)
    isolate.shutdown()
    kernel.setattr(places, "_in_kernel", lambda: True)
    kernel.setattr(
        os, "memfd_create", lambda *args: (_ for _ in ()).throw(PermissionError(errno.EPERM, "no"))
    )
    with warnings.catch_warnings(), pytest.raises(amp.WorkerUnavailable) as caught:
        graph.render(frames=100)
    assert "crashed before" in caught.value.__notes__[0]
    kernel.setattr(isolate._service, "crashed", False)


def test_results_stay_where_they_are_while_memory_grows() -> None:
    """Each piece that is added leaves what was given away in its place; none is much larger than needed."""
    graph, known = amp.presets.three_osc(), mappings()
    kept: list[tuple[int, Any]] = []
    for frames in (10, 100_000, 700_000, 1_500_000, 10, 3_000_000):
        render = graph.render(frames=frames, isolation="process")
        kept.append((render.audio.ctypes.data, render))
    whole = graph.render(frames=3_000_000, isolation="none").audio
    for address, render in kept:
        assert render.audio.ctypes.data == address
        assert same_bits(render.audio, whole[:, :, : render.frames])
    spans = [line.split()[0].split("-") for line in mappings() - known]
    assert sum(int(b, 16) - int(a, 16) for a, b in spans) <= 4 * sum(
        render.audio.nbytes for _, render in kept
    )


def test_memory_of_a_large_result_goes_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that would not be kept is not kept until the next render either."""
    monkeypatch.setattr(recycled_memory, "KEEP_BYTES", 1 << 20)
    render = amp.presets.three_osc().render(frames=1_000_000, isolation="process")
    held = psutil.Process().memory_info().shared
    assert np.isfinite(render.audio).all()
    held = psutil.Process().memory_info().shared
    nbytes = render.audio.nbytes
    del render
    gc.collect()
    assert psutil.Process().memory_info().shared <= held - 0.9 * nbytes


# ---- stopped processes ----


def test_a_stopped_worker_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle or in a session, after any input: it ends within the time-out, and the next one is right."""
    monkeypatch.setenv("AMP_WORKER_TIMEOUT", "0.3")
    graph = amp.presets.three_osc()
    whole = graph.render(frames=100, isolation="process")
    os.kill(isolate.status().workers[0], signal.SIGSTOP)
    long = amp.Graph(name="long")
    node = long.constant(value=1.0)
    for _ in range(6000):  # more than a socket holds
        node = long.gain(node, gain=1.0)
    long.output(node)
    with pytest.raises(amp.NativeCrash, match=r"no progress for 0\.3 s"):
        long.render(frames=10, isolation="process")
    assert graph.render(frames=100, isolation="process").digest == whole.digest
    before = set(isolate.status().workers)
    with graph.session(isolation="process") as s:
        s.pull(10)
        (pid,) = set(isolate.status().workers) - before
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(amp.NativeCrash, match=r"no progress for 0\.3 s"):
            s.pull(10)
    assert not psutil.pid_exists(pid)


def test_a_stopped_server_is_noticed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders and sessions continue with another worker; a stopped one is gone."""
    monkeypatch.setattr(fork_server, "ANSWER_S", 0.5)
    monkeypatch.setattr(fork_server, "EXIT_S", 0.5)
    graph = amp.presets.three_osc()
    whole = graph.render(frames=100, isolation="process")
    server = isolate.status().server
    assert server is not None
    os.kill(server, signal.SIGSTOP)
    with graph.session(isolation="process") as s:
        assert same_bits(s.pull(100), whole.audio)
    assert graph.render(frames=100, isolation="process").digest == whole.digest
    assert isolate.status().server not in (None, server)
    end = time.monotonic() + 10.0
    while psutil.pid_exists(server) and time.monotonic() < end:
        time.sleep(0.01)
    assert not psutil.pid_exists(server)
