"""Threads that an exception of a signal handler finds started or not, and freed without Python code."""

from __future__ import annotations

import _thread
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

_running: dict[int, Background] = {}


class Background(ABC):
    """A daemon thread; a subclass implements what it runs.

    `threading.Thread` runs Python code where it is started (it waits for a condition, which an exception of a
    signal handler can leave locked, so that the new thread stands still) and where it is freed (a callback of
    `weakref.WeakSet`, in which such an exception is ignored and Ctrl-C lost). Here both are C code alone.
    What it runs must not ask for `threading.current_thread`, which would make such an object.

    Attributes
    ----------
    name
        What it is for, as `running` lists it.
    started
        Whether it runs, or did.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = False
        self._process = os.getpid()
        self._ended = False
        self._joining: deque[SimpleQueue[None]] = deque()

    @abstractmethod
    def run(self) -> None:
        """Do the work; what it raises is handed to `sys.unraisablehook`."""

    def start(self) -> None:
        """Start it, once.

        Raises
        ------
        RuntimeError
            If the system allows no more threads.
        """
        _thread.start_new_thread(self._run, ())
        self.started = True

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end, at most ``timeout_s`` seconds; in a fork, where it does not run, not at all."""
        if not self.started or self._process != os.getpid():
            return
        ended: SimpleQueue[None] = SimpleQueue()
        self._joining.append(ended)
        if not self._ended:
            with suppress(Empty):
                ended.get(timeout=timeout_s)

    def _run(self) -> None:
        self.started = True
        _running[id(self)] = self
        try:
            _follow()
            self.run()
        finally:
            del _running[id(self)]
            self._ended = True
            with suppress(IndexError):
                while True:
                    self._joining.popleft().put(None)


def running() -> tuple[str, ...]:
    """Names of those that run, as `threading.enumerate` does not list them."""
    return tuple(one.name for one in tuple(_running.values()))


def _follow() -> None:
    """Let debuggers and profilers follow this thread as they follow those of `threading`."""
    trace: Any = threading.gettrace()
    profile: Any = threading.getprofile()
    if trace is not None:
        sys.settrace(trace)
    if profile is not None:
        sys.setprofile(profile)
