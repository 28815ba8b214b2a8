"""Streams in their own worker process: a crash of native code does not end the calling process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from amp_lab import isolate
from amp_lab.errors import AmpError, NativeCrash
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.fork_server import EXIT_S
from amp_lab.isolate.messages import StreamJob
from amp_lab.isolate.shared_memory import ArrayLocation
from amp_lab.isolate.stream_thread import StreamThread
from amp_lab.lowlevel.stream import Stream


class RemoteStream(Stream):
    """The same methods, carried out in a worker; samples go through shared memory.

    Parameters
    ----------
    nodes
        The plan's nodes in firing order, for the error of a crash.
    on_crash
        Called once with the crash that ends the worker, before the call that found it raises.

    Raises
    ------
    WorkerUnavailable
        If no worker can be started here.
    """

    def __init__(
        self,
        descriptors: bytes,
        plan: bytes,
        *,
        nodes: tuple[str, ...],
        on_crash: Callable[[NativeCrash], None],
        **config: int,
    ) -> None:
        self._on_crash: Callable[[NativeCrash], None] | None = on_crash
        fault = os.environ.get("AMP_TEST_FAULT", "")
        job = StreamJob(descriptors, plan, config, ArrayLocation(0, 0, 0, ()), fault)
        self._thread: StreamThread = isolate.stream_thread(job, nodes)
        self._thread.end_with(self)
        try:
            isolate.start(self._thread)
            self._there("rings")  # which makes the stream
        except BaseException:  # whose traceback may keep this object for long
            self._thread.end()
            raise

    def _there(self, method: str, *arguments: Any) -> Any:
        try:
            return self._thread.call(method, *arguments)
        except NativeCrash as crash:
            on_crash, self._on_crash = self._on_crash, None
            if on_crash is not None:
                on_crash(crash)
            raise

    def close(self) -> None:
        """End the worker, after the calls that were made; a second time does nothing."""
        self._thread.end()
        self._thread.join(2 * EXIT_S)

    def bind_input(self, node: str, samples: Samples) -> None:
        """Let an input play samples (B|1, C, N), copied to where the worker sees them."""
        self._there("bind_input", node, np.array(samples))

    def push(self, node: str, samples: Samples) -> None:
        """Append samples (B|1, C, N) to an input: all of them, or none."""
        self._there("push", node, np.array(samples))

    def pull(self, tap: int, out: Samples, ready: bool = False) -> tuple[int, AmpError | None]:
        """Fill ``out`` (B, C, N) from a tap; returns how many frames it got and, if too few, why.

        After an interrupt the call may still write to ``out``: reuse it only after another call has returned.
        """
        got, why = self._there("pull", tap, out, ready)
        return got, why


def _forward(name: str) -> Callable[..., Any]:
    def method(self: RemoteStream, *arguments: Any) -> Any:
        return self._there(name, *arguments)

    return method


for _name in ("set_history", "extend", "set_params", "end", "open_tap", "close_tap", "advance", "clock"):
    setattr(RemoteStream, _name, _forward(_name))
for _name in ("port_channels", "rings", "tap_info", "trace"):
    setattr(RemoteStream, _name, _forward(_name))
