"""Streams in a worker process of their own: native code that crashes there leaves the caller alive."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable
from math import prod
from typing import Any

from amp_lab import isolate
from amp_lab.errors import AmpError, InvalidArgument, NativeCrash
from amp_lab.lowlevel_stream import Stream
from amp_lab.shared import Place, StreamCall, StreamJob
from amp_lab.values import Samples


class RemoteStream(Stream):
    """The same methods, carried out in a worker; samples go through shared memory.

    Parameters
    ----------
    nodes
        The plan's nodes in firing order, to say where the worker died.
    """

    def __init__(self, descriptors: bytes, plan: bytes, *, nodes: tuple[str, ...], **config: int) -> None:
        server, self._worker = isolate.hire()
        self._memory, self._nodes = server.memory, nodes
        self._dismiss: Callable[[], object] = weakref.finalize(self, server.dismiss, self._worker)
        self._borrowed: dict[str, Any] = {}
        self._talk = threading.RLock()
        self._shared: tuple[int, Samples] | None = None
        self._numbers = itertools.count()
        self._limit = isolate.default_timeout()
        self._end: AmpError | None = None
        fault = os.environ.get("AMP_TEST_FAULT", "")
        self._worker.begin(StreamJob(descriptors, plan, config, 0, fault))
        try:
            self._call("rings")  # which makes the stream
        except BaseException:
            self._dismiss()
            raise

    def close(self) -> None:
        """End the worker; a second time does nothing."""
        with self._talk:
            self._end = self._end or InvalidArgument("Session: is closed. Make a new one.")
            self._borrowed.clear()
            self._shared = None
            self._dismiss()

    def _call(self, method: str, *arguments: Any) -> Any:
        with self._talk:
            if self._end is not None:
                raise self._end
            try:
                call = StreamCall(next(self._numbers), method, arguments)
                return self._worker.ask(call, self._nodes, self._limit)
            except NativeCrash as crash:
                self._end = crash
                raise

    def _room(self, shape: tuple[int, ...]) -> tuple[Place, Samples]:
        """Return memory both sides see, used again by the next call."""
        if self._shared is None or self._shared[1].size < prod(shape):
            self._shared = self._memory.take((prod(shape),))
        offset, array = self._shared
        return Place(offset, shape), array[: prod(shape)].reshape(shape)

    def bind_input(self, node: str, samples: Samples) -> None:
        """Let an input play samples (B|1, C, N), copied to where the worker sees them."""
        offset, copy = self._memory.take(samples.shape)
        copy[...] = samples
        self._borrowed[node] = copy
        self._call("bind_input", node, Place(offset, samples.shape))

    def push(self, node: str, samples: Samples) -> None:
        """Append samples (B|1, C, N) to an input: all of them, or none."""
        with self._talk:
            place, shared = self._room(samples.shape)
            shared[...] = samples
            self._call("push", node, place)

    def pull(self, tap: int, out: Samples, ready: bool = False) -> tuple[int, AmpError | None]:
        """Fill ``out`` (B, C, N) from a tap; returns how many frames it got and, if too few, why."""
        with self._talk:
            place, shared = self._room(out.shape)
            got, why = self._call("pull", tap, place, ready)
            out[:, :, :got] = shared[:, :, :got]
        return got, why


def _forward(name: str) -> Callable[..., Any]:
    def method(self: RemoteStream, *arguments: Any) -> Any:
        return self._call(name, *arguments)

    return method


for _name in ("set_history", "extend", "set_param", "end", "open_tap", "close_tap", "advance", "clock"):
    setattr(RemoteStream, _name, _forward(_name))
for _name in ("port_channels", "rings", "tap_info", "trace"):
    setattr(RemoteStream, _name, _forward(_name))
