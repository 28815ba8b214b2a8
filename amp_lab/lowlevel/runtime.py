"""Runtimes: configure, execute, snapshot, and the metrics of their nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.lowlevel.calls import (
    Samples,
    buffer,
    c_text,
    doubles,
    error_record,
    exception,
    flight_in,
    read_trace,
    tensor,
)
from amp_lab.lowlevel.handles import NativeHandle

STOP_NONFINITE: int = lib.AMP_RUN_STOP_NONFINITE
HEAT: int = lib.AMP_RUN_HEAT
TRACE: int = lib.AMP_RUN_TRACE
NO_METRICS: int = lib.AMP_RUN_NO_METRICS
MOST_THREADS: int = lib.AMP_MOST_THREADS
HEAT_WINDOW: int = lib.AMP_HEAT_WINDOW
LANES: int = lib.AMP_LANES
METRICS_DTYPE = np.dtype(
    [
        ("struct_size", "u4"),
        ("reserved", "u4"),
        ("seconds", "f8"),
        ("frames", "i8"),
        ("calls", "i8"),
        ("measured_delay_frames", "i8"),
        ("clamped_values", "i8"),
        ("heat_j", "f8"),
    ]
)


@dataclass(frozen=True)
class NodeMetrics:
    """Metrics of one node since `configure`.

    ``seconds`` in its kernel, ``frames`` fired in ``calls`` firings, ``measured_delay_frames`` between input
    and output, ``clamped_values`` (modulated values that were clamped, if the contract clamps), and
    ``heat_j``, heat in J over all batches (NaN unless heat was computed).

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.fir(g.sine(), name="fir"))
    >>> m = g.render(frames=4800).metrics["fir"]
    >>> m.frames, m.measured_delay_frames, m.clamped_values, m.heat_j
    (4832, 32, 0, nan)
    """

    seconds: float
    frames: int
    calls: int
    measured_delay_frames: int
    clamped_values: int
    heat_j: float


class Runtime(NativeHandle):
    """One compiled graph with its memory; independent of others.

    One thread at a time, except `cancel` and `close`.

    Parameters
    ----------
    descriptors
        Descriptor blob.
    plan
        Plan blob that belongs to it, or None to compile one.

    Raises
    ------
    AmpError
        The subclass of the status: malformed blob, drift, cycle, ...
    """

    SHOWN_AS = "Runtime"

    def __init__(self, descriptors: bytes, plan: bytes | None = None) -> None:
        given = plan or b""
        pointer = ffi.from_buffer(given) if given else ffi.NULL
        blobs = (ffi.from_buffer(descriptors), len(descriptors), pointer, len(given))
        make, destroy = lib.amp_graph_runtime_create, lib.amp_graph_runtime_destroy
        self._create("amp_graph_runtime", make, destroy, *blobs)
        self._batches = 0
        self._flags = 0

    def _failure(self, function: Callable[..., int], *arguments: Any) -> AmpError | None:
        status = function(self._handle, *arguments)
        if status == lib.AMP_OK:
            return None
        error = error_record()
        lib.amp_graph_runtime_last_error(self._handle, error)
        return exception(status, error)

    def set_schedule(self, schedule: bytes) -> None:
        """Follow a schedule blob (empty: the plan's own order) from the next `configure` on.

        Raises
        ------
        InvalidArgument
            If the graph does not allow it, naming the two nodes and the rule; nothing changes.
        BlobError
            If the bytes are malformed.
        """
        pointer = ffi.from_buffer(schedule) if schedule else ffi.NULL
        self._call(lib.amp_graph_runtime_set_schedule, pointer, len(schedule))

    def configure(
        self,
        *,
        batches: int = 1,
        block_frames: int = 0,
        flags: int = 0,
        trace_capacity: int = 0,
        batch_offset: int = 0,
        threads: int = 0,
    ) -> None:
        """Allocate for a batch, a block size (0: chosen) and threads (0: all), to frame 0.

        ``flags`` is an or of `HEAT` etc.
        """
        config = ffi.new("amp_config *")
        config.struct_size = ffi.sizeof("amp_config")
        config.batches, config.block_frames, config.flags = batches, block_frames, flags
        config.trace_capacity, config.batch_offset, config.threads = trace_capacity, batch_offset, threads
        self._call(lib.amp_graph_runtime_configure, config)
        self._batches, self._flags = batches, flags

    def set_param(self, node: str, key: str, value: npt.ArrayLike, at_frame: int = -1) -> None:
        """Set a parameter to a number or array (B|1, C|1, N|1) from ``at_frame`` on (-1: the next frame)."""
        array, where = tensor(f"{node}.{key}", value), (node.encode(), key.encode())
        self._call(lib.amp_graph_runtime_set_param, *where, buffer(array), at_frame)

    def clear_params(self) -> None:
        """Return every parameter to the descriptors' value."""
        self._call(lib.amp_graph_runtime_clear_params)

    def bind_input(self, node: str, samples: Samples) -> None:
        """Give an ``input`` node its samples (B|1, C, N); the memory is borrowed and kept alive here."""
        self._call(lib.amp_graph_runtime_bind_input, node.encode(), buffer(samples))
        self._borrowed[node] = samples

    def set_history(self, blob: bytes) -> None:
        """Give the control curves, exactly those the plan names."""
        self._call(lib.amp_graph_runtime_set_history, ffi.from_buffer(blob), len(blob))

    def execute(
        self,
        frames: int,
        out: Samples | None = None,
        taps: Mapping[tuple[str, str | None], Samples] | None = None,
    ) -> None:
        """Render the next frames into ``out`` (B, C, >= frames) and taps keyed by (node, port or None)."""
        items = list((taps or {}).items())
        records = ffi.new("amp_tap[]", len(items))
        alive = []
        for record, ((node, port), array) in zip(records, items, strict=True):
            names = (c_text(node), c_text(port))
            record.struct_size = ffi.sizeof("amp_tap")
            record.node, record.port = names
            record.buffer = buffer(array)[0]
            alive.append(names)
        target = ffi.NULL if out is None else buffer(out)
        self._call(lib.amp_graph_runtime_execute, frames, target, records, len(items))

    def snapshot(self) -> bytes:
        """Return all that the next frames depend on besides inputs and curves, as a blob for `restore`.

        Raises
        ------
        InvalidArgument
            If the runtime is not configured, or stopped with an error.
        """
        size = ffi.new("size_t *")
        self._call(lib.amp_graph_runtime_snapshot, ffi.NULL, 0, size)
        blob = ffi.new("uint8_t[]", size[0])
        self._call(lib.amp_graph_runtime_snapshot, blob, size[0], size)
        return bytes(ffi.buffer(blob, size[0]))

    def restore(self, blob: bytes) -> None:
        """Go on where a snapshot was taken, bit for bit: in any process, with any block size.

        Configure as the snapshot was (batches, batch offset, `HEAT`) and set the history before; inputs may
        be bound before or after. A blob that is refused changes nothing.

        Raises
        ------
        BlobError
            If the bytes are malformed; the message says where.
        DriftError
            If it is of another plan.
        InvalidArgument
            If the configuration cannot take it, or the control history is missing.
        """
        self._call(lib.amp_graph_runtime_restore, ffi.from_buffer(blob), len(blob))

    def cancel(self) -> None:
        """Make `execute`, running in another thread, stop with `Pending` after its block."""
        lib.amp_graph_runtime_cancel(self._handle)

    @property
    def position(self) -> int:
        """Frames delivered since configure."""
        return int(lib.amp_graph_runtime_position(self._handle))

    @property
    def block_frames(self) -> int:
        """The block in use, in frames."""
        return int(lib.amp_graph_runtime_block_frames(self._handle))

    @property
    def threads(self) -> int:
        """Threads that execute."""
        return int(lib.amp_graph_runtime_threads(self._handle))

    def port_channels(self, node: str, port: str | None = None) -> int:
        """Channels of an output port (None: the first).

        Raises
        ------
        InvalidArgument
            If there is no such node or port.
        """
        channels = int(lib.amp_graph_runtime_port_channels(self._handle, node.encode(), c_text(port)))
        if channels < 0:
            raise InvalidArgument(
                f"{node}.{port or ''}: no such output. Tap a node of the plan, or node.port.", node=node
            )
        return channels

    def metrics(self, node: str) -> NodeMetrics:
        """Return what a node did since configure."""
        m = ffi.new("amp_node_metrics *")
        m.struct_size = ffi.sizeof("amp_node_metrics")
        self._call(lib.amp_graph_runtime_metrics, node.encode(), m)
        heat = m.heat_j if self._flags & HEAT else float("nan")
        return NodeMetrics(m.seconds, m.frames, m.calls, m.measured_delay_frames, m.clamped_values, heat)

    def all_metrics(self, nodes: int) -> npt.NDArray[np.void]:
        """Return what each of ``nodes`` nodes, in firing order, did since configure (`METRICS_DTYPE`)."""
        records = np.zeros(nodes, METRICS_DTYPE)
        records["struct_size"] = METRICS_DTYPE.itemsize
        pointer = ffi.from_buffer("amp_node_metrics[]", records, require_writable=True)
        self._call(lib.amp_graph_runtime_all_metrics, pointer, nodes)
        if not self._flags & HEAT:
            records["heat_j"] = np.nan
        return records

    def trace(self) -> tuple[npt.NDArray[np.void], int]:
        """Return firings, oldest first, as an array of `TRACE_DTYPE`, and how many the ring lost."""
        return read_trace(lambda *room: self._call(lib.amp_graph_runtime_trace, *room))

    def heat(self, node: str) -> tuple[Samples, Samples, Samples]:
        """Own J, accumulated J and K above ambient at the end of each window of `HEAT_WINDOW` frames."""
        count, name = ffi.new("size_t *"), node.encode()
        self._call(lib.amp_graph_runtime_heat, name, ffi.NULL, ffi.NULL, ffi.NULL, 0, count)
        own, total, temperature = (np.empty(count[0]) for _ in range(3))
        arrays = (doubles(own), doubles(total), doubles(temperature))
        self._call(lib.amp_graph_runtime_heat, name, *arrays, own.size, count)
        return own, total, temperature

    def set_flight(self, memory: Any | None) -> None:
        """Write the flight record into a buffer of `FLIGHT_SIZE` bytes, kept alive here; None detaches."""
        if memory is None:
            lib.amp_graph_runtime_set_flight(self._handle, ffi.NULL)
            self._borrowed.pop("/flight", None)
            return
        flight = self._borrowed["/flight"] = flight_in(memory)
        lib.amp_graph_runtime_set_flight(self._handle, flight)
