"""Interrupts and forks at any moment: every result is right, and nothing is leaked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rigs
from rigs import Samples, same_bits

import amp_lab as amp
from amp_lab import isolate
from amp_lab.execution import render_in_process
from amp_lab.graph.edits.journal import Journal
from amp_lab.isolate import service

pytestmark = pytest.mark.skipif(not isolate.supported(), reason="workers need memfd (Linux)")
ISOLATIONS = ("none", "process")
CLEAN = {"wrong_bytes": 0, "leaked_descriptors": 0, "leaked_processes": 0, "arrays_held": 0, "mapped_left": 0}


def storm(name: str, size: int, limit_s: float) -> dict[str, Any]:
    """Run one of the storms in a process of its own."""
    command = [sys.executable, "-P", str(Path(__file__).with_name(name)), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check_interrupts(found: dict[str, Any]) -> None:
    """All four threads were interrupted and continued; no result was wrong and nothing is left."""
    assert found["errors"] == []
    assert {key: found[key] for key in CLEAN} == CLEAN
    assert all(found["interrupts"]) and all(found["frames"]) and found["renders"] and found["sessions"]


def check_forks(found: dict[str, Any]) -> None:
    """No fork did anything wrong, and no file of a stranger was closed."""
    kept = ("children_that_were_wrong", "foreign_closed", "wrong", "leaked_descriptors", "leaked_processes")
    assert {key: found[key] for key in kept} == dict.fromkeys(kept, 0), found
    assert found["foreign_files"] > 0 and found["renders"] > 0 and found["sessions"] > 0


def test_a_storm_of_interrupts_changes_no_byte() -> None:
    """Four threads of sessions and renders are interrupted 1500 times, wherever they are."""
    check_interrupts(storm("storm.py", 1500, 300.0))


@pytest.mark.long
def test_a_hundred_thousand_interrupts(capsys: pytest.CaptureFixture[str]) -> None:
    """The same for a few minutes."""
    found = storm("storm.py", 100_000, 3000.0)
    with capsys.disabled():
        print(f"\n{json.dumps(found)}")
    check_interrupts(found)


def test_forks_beside_renders_close_no_file_of_others() -> None:
    """Six forks while threads render and open sessions, and while other code opens files all the time."""
    check_forks(storm("fork_storm.py", 6, 300.0))


@pytest.mark.long
def test_three_hundred_forks(capsys: pytest.CaptureFixture[str]) -> None:
    """The same for some minutes."""
    found = storm("fork_storm.py", 300, 3000.0)
    with capsys.disabled():
        print(f"\n{json.dumps(found)}")
    check_forks(found)


# ---- one at a time ----


def hit(action: Callable[[], object], every_s: float, error: BaseException) -> BaseException | None:
    """Do something while a signal handler raises, again and again; returns what came out of it."""
    armed, caught = [True], None

    def handler(number: int, frame: object) -> None:
        if armed[0]:
            raise error

    signal.signal(signal.SIGALRM, handler)
    # What is raised in a finalizer is handed to this hook, and pytest's own may be interrupted, too.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        signal.setitimer(signal.ITIMER_REAL, every_s, every_s)
        action()
    except BaseException as found:
        armed[0], caught = False, found
    armed[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    sys.unraisablehook = hook
    return caught


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_an_interrupted_pull_loses_no_frame(isolation: Any) -> None:
    """The frames it had read come first in the next one."""
    graph = amp.presets.three_osc()
    frames = 400_000
    whole = graph.render(frames=frames, isolation="none").audio
    parts: list[Samples] = []
    interrupted = 0
    with graph.session(isolation=isolation) as s:
        while (left := frames - sum(part.shape[2] for part in parts)) > 0:
            most = min(left, 50_000 if interrupted < 20 else 1000)
            interrupted += (
                hit(lambda n=most: parts.append(s.pull(n)), 0.0003, KeyboardInterrupt()) is not None
            )  # type: ignore[misc]
    assert interrupted > 0
    assert same_bits(np.concatenate(parts, axis=2), whole)


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("kind", [TimeoutError, EOFError, BrokenPipeError, OSError, ValueError, MemoryError])
def test_exceptions_of_the_progress_callback_pass_as_they_are(isolation: str, kind: type[Exception]) -> None:
    """Also those that channels and memory raise themselves."""
    mine = kind("mine")

    def progress(done: int, total: int) -> None:
        raise mine

    with pytest.raises(kind) as caught:
        amp.presets.three_osc().render(frames=100, isolation=isolation, progress=progress)  # type: ignore[arg-type]
    assert caught.value is mine


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("kind", [TimeoutError, EOFError, ConnectionResetError])
def test_exceptions_of_a_signal_handler_pass_as_they_are(isolation: str, kind: type[Exception]) -> None:
    """A time-out of one's own ends a render and stays what it is; the next render is right."""
    graph = amp.presets.three_osc()
    whole = graph.render(frames=100, isolation="none").audio
    graph.render(frames=100, isolation=isolation)  # type: ignore[arg-type]
    mine = kind("mine")
    long = lambda: graph.render(frames=500_000_000, isolation=isolation, progress=lambda done, total: None)  # type: ignore[arg-type] # noqa: E731
    assert hit(long, 0.2, mine) is mine
    assert same_bits(graph.render(frames=100, isolation=isolation).audio, whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_render_inside_a_progress_callback(isolation: Any) -> None:
    """However deep, and from more threads than there are workers: it waits at most, and each is right."""
    graph = amp.presets.three_osc()
    whole = graph.render(frames=300, isolation="none").audio
    good: list[bool] = []

    def nested(depth: int) -> None:
        def progress(done: int, total: int) -> None:
            if done == total and depth:
                nested(depth - 1)

        audio = graph.render(frames=300, isolation=isolation, progress=progress).audio
        good.append(same_bits(audio, whole))

    threads = [threading.Thread(target=nested, args=(3,)) for _ in range(2 * service.WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [True] * 16


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_session_in_a_fork_says_what_to_do(isolation: Any) -> None:
    """Every call is refused in the fork except closing, and the session continues in the process that made
    it.
    """
    graph = amp.presets.three_osc()
    whole = graph.render(frames=100, isolation="none").audio
    with graph.session(isolation=isolation) as s:
        first = s.pull(50)
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            words = []
            calls: list[Callable[[], object]] = [
                lambda: s.pull(1),
                lambda: s.set("flt", q=1.0),
                lambda: s.counters,
            ]
            for call in calls:
                try:
                    call()
                except amp.InvalidArgument as error:
                    words.append(str(error))
            s.close()
            os.write(tell, "\n".join(words).encode())
            os._exit(0)
        os.close(tell)
        with os.fdopen(told) as pipe:
            words = pipe.read().splitlines()
        assert os.waitpid(pid, 0)[1] == 0
        assert len(words) == 3 and all("Make a new session after a fork" in word for word in words)
        assert same_bits(np.concatenate((first, s.pull(50)), axis=2), whole)


def test_interrupted_requests_leave_no_lock_taken() -> None:
    """A widget's requests to its thread, and reading the graph, may be interrupted: others continue."""
    from amp_lab.widgets.latest import Latest  # noqa: PLC0415 - widgets need much

    graph = amp.presets.three_osc()
    journal = Journal.of(graph)
    latest = Latest(lambda stale: None)
    hits = 0
    end = time.monotonic() + 1.0

    def request() -> None:
        while time.monotonic() < end:
            latest.ask()
            with journal.lock():
                pass

    while time.monotonic() < end:
        hits += hit(request, 0.0002, KeyboardInterrupt()) is not None
    assert hits > 0
    done: list[bool] = []

    def look() -> None:
        with journal.lock():
            latest.ask()
        done.append(latest.wait(10.0))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(20.0)
    assert done == [True], f"after {hits} interrupts"
    latest.close()


def test_an_interrupted_render_that_waits_for_a_worker_is_never_begun() -> None:
    """A thread that leaves the queue is not served; those after it are."""
    graph = amp.Graph(sample_rate=rigs.RATE)
    graph.output(graph.noise())
    request = graph.render(frames=200, isolation="none").request
    expected = render_in_process(request)["audio"]
    begun = threading.Semaphore(0)
    stop = threading.Event()

    def busy() -> None:
        def progress(done: int, total: int) -> None:
            begun.release()
            if stop.is_set():
                raise LookupError

        with pytest.raises(LookupError):
            graph.render(frames=10**8, isolation="process", progress=progress)

    threads = [threading.Thread(target=busy) for _ in range(service.WORKERS)]
    for thread in threads:
        thread.start()
    for _ in threads:
        begun.acquire()
    assert isinstance(hit(lambda: isolate.render(request), 0.1, KeyboardInterrupt()), KeyboardInterrupt)
    stop.set()
    assert same_bits(isolate.render(request)["audio"], expected)
    for thread in threads:
        thread.join()


def test_a_fork_does_not_wait_for_an_edit_of_another_thread() -> None:
    """The fork has the graph as it was before that edit, and can use it; the parent's edit continues."""
    graph = amp.presets.three_osc()
    before = graph.to_json()
    begun, over = threading.Event(), threading.Event()

    def edit() -> None:
        with graph.edit():
            graph["flt"].set(q=5.0)
            begun.set()
            over.wait(20.0)

    thread = threading.Thread(target=edit)
    thread.start()
    begun.wait(20.0)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(20)
            code = 0 if graph.to_json() == before and graph["flt"].set(q=6.0) is not None else 2
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    over.set()
    thread.join()
    assert ended == 0
    assert graph["flt"].params["q"] == 5.0
