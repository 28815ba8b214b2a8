"""Streams: the C functions of ``amp/stream.h``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.errors import AmpError
from amp_lab.lowlevel.calls import (
    Samples,
    buffer,
    c_text,
    doubles,
    flight_in,
    read_trace,
    tensor,
    text,
)
from amp_lab.lowlevel.handles import NativeHandle
from amp_lab.lowlevel.words import POLICIES


@dataclass(frozen=True)
class RingCounters:
    """Counters of a ring of an output, or of an edge with its own initial tokens (then with its ``reader``).

    In frames: present ``capacity`` and its ``limit``, present ``fill`` and its maximum ``most``; ``grown``
    counts how often the capacity was doubled.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.sine()))
    >>> with g.session() as s:
    ...     sound = s.pull(100)
    ...     ring = s.counters.ring("sine")
    ...
    >>> ring.port, ring.fill, ring.most, ring.limit
    ('out', 0, 100, 1048576)
    """

    node: str
    port: str
    reader: str
    capacity: int
    limit: int
    fill: int
    most: int
    grown: int


@dataclass(frozen=True)
class TapCounters:
    """Counters of a tap: next frame, frames ready, skipped frames, pulls that returned too few frames.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> with g.session() as s:
    ...     sound = s.pull(100)
    ...     print(s.counters.taps[0])
    ...
    TapCounters(node='output', port='out', policy='lossless', position=100, ready=0, skipped=0, underruns=0)
    """

    node: str
    port: str
    policy: str
    position: int
    ready: int
    skipped: int
    underruns: int


class Stream(NativeHandle):
    """A graph that is pushed to and pulled from, by any number of threads.

    Parameters
    ----------
    descriptors, plan
        Blobs that belong together.
    batches, block_frames, flags, trace_capacity, batch_offset
        As for `amp_lab.lowlevel.Runtime.configure`; heat is not computed.
    ring_frames
        Frames a ring holds at first beside what delays keep (0: enough for the plan).
    limit_frames
        Frames a ring grows to (0: 1,048,576).
    flight
        Writable buffer of `FLIGHT_SIZE` bytes for the flight record, kept alive here; None for none.

    Raises
    ------
    AmpError
        The subclass of the status.
    """

    SHOWN_AS = "Session"

    def __init__(
        self,
        descriptors: bytes,
        plan: bytes,
        *,
        batches: int = 1,
        block_frames: int = 0,
        flags: int = 0,
        trace_capacity: int = 0,
        batch_offset: int = 0,
        ring_frames: int = 0,
        limit_frames: int = 0,
        flight: Any = None,
    ) -> None:
        config = ffi.new("amp_stream_config *")
        config.struct_size = ffi.sizeof("amp_stream_config")
        config.batches, config.block_frames, config.flags = batches, block_frames, flags
        config.trace_capacity, config.batch_offset = trace_capacity, batch_offset
        config.ring_frames, config.limit_frames = ring_frames, limit_frames
        blobs = (ffi.from_buffer(descriptors), len(descriptors), ffi.from_buffer(plan), len(plan))
        self._create("amp_stream", lib.amp_stream_create, lib.amp_stream_destroy, *blobs, config)
        if flight is not None:
            memory = self._borrowed["/flight"] = flight_in(flight)
            lib.amp_stream_set_flight(self._owned, memory)

    def set_history(self, blob: bytes) -> None:
        """Give the control curves, exactly those the plan names, before the first frame."""
        self._call(lib.amp_stream_set_history, ffi.from_buffer(blob), len(blob))

    def extend(self, curve: str, times_s: Samples, values: Samples) -> None:
        """Append points (seconds, value) to a curve, at times whose frames have not been made yet."""
        points = (doubles(times_s), doubles(values), times_s.size)
        self._call(lib.amp_stream_extend, curve.encode(), *points)

    def bind_input(self, node: str, samples: Samples) -> None:
        """Let an input play samples (B|1, C, N), kept alive here, instead of being pushed to."""
        self._call(lib.amp_stream_bind_input, node.encode(), buffer(samples))
        self._borrowed[node] = samples

    def set_params(self, node: str, values: Mapping[str, npt.ArrayLike], at_frame: int = -1) -> int:
        """Set parameters from a frame of the node on (-1: the next one it makes), all or none; returns it."""
        arrays = [tensor(f"{node}.{key}", value) for key, value in values.items()]
        names = [ffi.new("char[]", key.encode()) for key in values]
        buffers = ffi.new("amp_buffer[]", [buffer(array)[0] for array in arrays])
        given = (ffi.new("char *[]", names), buffers, len(names))
        frame = ffi.new("int64_t *")
        self._call(lib.amp_stream_set_params, node.encode(), *given, at_frame, frame)
        return int(frame[0])

    def push(self, node: str, samples: Samples) -> None:
        """Append samples (B|1, C, N) to an input: all of them, or none."""
        self._call(lib.amp_stream_push, node.encode(), buffer(samples))

    def end(self, node: str) -> None:
        """End an input: after the pushed samples it plays zeros."""
        self._call(lib.amp_stream_end, node.encode())

    def open_tap(
        self, node: str | None, port: str | None, policy: str = "lossless", keep_frames: int = 0
    ) -> int:
        """Open a reader of an output (node None: the graph's); returns its number."""
        names = (c_text(node), c_text(port))
        tap = ffi.new("uint32_t *")
        self._call(lib.amp_stream_open_tap, *names, POLICIES.index(policy), keep_frames, tap)
        return int(tap[0])

    def close_tap(self, tap: int) -> None:
        """Close a reader; the graph no longer waits for it."""
        self._call(lib.amp_stream_close_tap, tap)

    def pull(self, tap: int, out: Samples, ready: bool = False) -> tuple[int, AmpError | None]:
        """Fill ``out`` (B, C, N) from a tap; returns how many frames it got and, if too few, why."""
        got = ffi.new("int64_t *")
        flags = lib.AMP_PULL_READY if ready else 0
        why = self._attempt(lib.amp_stream_pull, tap, buffer(out), flags, got)
        return int(got[0]), why

    def advance(self, tap: int, ahead: int, most: int) -> int:
        """Make at most about ``most`` frames towards ``ahead`` that wait for a tap; returns how many wait."""
        ready = ffi.new("int64_t *")
        self._call(lib.amp_stream_advance, tap, ahead, most, ready)
        return int(ready[0])

    def clock(self, node: str) -> int:
        """Frames a node fired or was pushed; -1 if there is no such node."""
        return int(lib.amp_stream_clock(self._handle, node.encode()))

    def port_channels(self, node: str, port: str | None = None) -> int:
        """Channels of an output port (None: the first); -1 if there is none."""
        return int(lib.amp_stream_port_channels(self._handle, node.encode(), c_text(port)))

    def rings(self) -> Sequence[RingCounters]:
        """Return the counters of every ring, in firing order."""
        record = ffi.new("amp_stream_ring *")
        record.struct_size = ffi.sizeof("amp_stream_ring")
        found = []
        for i in range(lib.amp_stream_ring_count(self._handle)):
            self._call(lib.amp_stream_ring_info, i, record)
            names = (text(record.node), text(record.port), text(record.reader))
            counts = (record.capacity, record.limit, record.fill, record.most, record.grown)
            found.append(RingCounters(*names, *map(int, counts)))
        return tuple(found)

    def tap_info(self, tap: int) -> TapCounters:
        """Return the counters of a tap."""
        record = ffi.new("amp_stream_tap *")
        record.struct_size = ffi.sizeof("amp_stream_tap")
        self._call(lib.amp_stream_tap_info, tap, record)
        names = (text(record.node), text(record.port), POLICIES[record.policy])
        return TapCounters(*names, record.position, record.ready, record.skipped, record.underruns)

    def trace(self) -> tuple[npt.NDArray[np.void], int]:
        """Return firings and pushes, oldest first, an array of `TRACE_DTYPE`, and how many the ring lost."""
        return read_trace(lambda *room: self._call(lib.amp_stream_trace, *room))
