"""Threads of the package: an exception of a signal handler is not lost while one is started or freed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType
from typing import Any

import pytest

import amp_lab as amp
from amp_lab import isolate
from amp_lab.common import threads
from amp_lab.common.threads import Background

SHORT_S = 0.02


class Waiting(Background):
    """Waits until it is ended."""

    def __init__(self) -> None:
        super().__init__("waits")
        self.calls: SimpleQueue[bool] = SimpleQueue()
        self.heard: list[bool] = []

    def run(self) -> None:
        """Wait."""
        self.heard.append(self.calls.get())


def python_calls(action: Callable[[], object]) -> list[str]:
    """Return the Python functions that run in this thread during an action: file and name."""
    called: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            called.append(f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return called


def until(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_it_runs_and_is_waited_for() -> None:
    """It is listed while it runs; waiting ends with the time given, or with it; a second time at once."""
    thread = Waiting()
    thread.join()
    assert not thread.started
    thread.start()
    assert thread.started
    until(lambda: "waits" in threads.running())
    thread.join(SHORT_S)
    assert thread.heard == []
    thread.calls.put(True)
    thread.join()
    assert thread.heard == [True]
    assert "waits" not in threads.running()
    thread.join()


def test_freeing_one_runs_no_python_code() -> None:
    """In any thread: `threading.Thread` runs a callback of `weakref.WeakSet` where the last reference is
    dropped.
    """
    kept = [Waiting()]
    kept[0].start()
    kept[0].calls.put(True)
    kept[0].join()
    time.sleep(SHORT_S)  # the thread itself has let go of it, too
    assert python_calls(kept.clear) == []
    ordinary = [threading.Thread(target=int)]
    assert python_calls(ordinary.clear) != [], "so that this test sees what it is about"


def test_starting_one_waits_for_nothing() -> None:
    """One function, which calls C code: no lock that an exception could leave locked."""
    thread = Waiting()
    assert python_calls(thread.start) == ["threads.py:start"]
    thread.calls.put(True)
    thread.join()


def test_debuggers_follow_it() -> None:
    """A trace function set for threads is called in this one."""
    seen: list[str] = []
    threading.setprofile(lambda frame, event, _: seen.append(frame.f_code.co_name))
    try:
        thread = Waiting()
        thread.start()
        thread.calls.put(True)
        thread.join()
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert "run" in seen


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_does_not_wait_for_it() -> None:
    """It does not run there."""
    thread = Waiting()
    thread.start()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        thread.join()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    thread.calls.put(True)
    thread.join()


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_sessions_and_renders_use_no_other(isolation: Any) -> None:
    """In the caller no Python code of `threading` or `weakref` runs, where an exception could be lost."""
    if isolation == "process" and not isolate.supported():
        pytest.skip("workers need memfd (Linux)")
    graph = amp.presets.three_osc()

    def use() -> None:
        graph.render(frames=100, isolation=isolation)
        session = graph.session(isolation=isolation)
        session.pull(100)
        session.start(500)
        session.stop()
        session.close()
        del session
        isolate.shutdown()

    use()  # what is imported by need
    files = {"threading.py", "_weakrefset.py", "weakref.py"}
    called = {call for call in python_calls(use) if call.partition(":")[0] in files}
    assert called <= {"threading.py:RLock"}
