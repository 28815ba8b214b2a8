"""One Python function per C function; a status becomes an exception.

Only this module, and `amp_lab.lowlevel_stream` for streams, see ``ffi``.

cffi releases the GIL for the duration of every native call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from amp_lab import contracts as words
from amp_lab._native import ffi, lib
from amp_lab.contracts import CaseContract, NodeContract, ParamContract, PortContract
from amp_lab.errors import BY_STATUS, AmpError, InternalError, InvalidArgument, ShapeError, Unsupported

Samples = npt.NDArray[np.float64]

STOP_NONFINITE: int = lib.AMP_RUN_STOP_NONFINITE
HEAT: int = lib.AMP_RUN_HEAT
TRACE: int = lib.AMP_RUN_TRACE
NO_METRICS: int = lib.AMP_RUN_NO_METRICS
HEAT_WINDOW: int = lib.AMP_HEAT_WINDOW
LANES: int = lib.AMP_LANES
FLIGHT_SIZE: int = ffi.sizeof("amp_flight")
PHASES = ("idle", "load", "configure", "execute")
TRACE_DTYPE = np.dtype(
    [
        ("node", "u4"),
        ("frames", "u4"),
        ("first_frame", "i8"),
        ("visible_from", "i8"),
        ("start_s", "f8"),
        ("stop_s", "f8"),
    ]
)


# ---- status and memory ----


def _text(pointer: Any) -> str:
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode(errors="replace")


def _error() -> Any:
    record = ffi.new("amp_error *")
    record.struct_size = ffi.sizeof("amp_error")
    return record


def _exception(status: int, error: Any) -> AmpError:
    cls = BY_STATUS.get(status, InternalError)
    name = _text(lib.amp_status_name(status))
    return cls(
        _text(error.message) or f"native call: failed (got {name}, {status}). No more is known.",
        code=status,
        stage=_text(error.stage),
        node=_text(error.node),
        port=_text(error.port),
        batch=error.batch,
        channel=error.channel,
        frame=error.frame,
    )


def _check(status: int, error: Any) -> None:
    if status != lib.AMP_OK:
        raise _exception(status, error)


def _take(data: Any) -> bytes:
    """Copy bytes the library allocated and give them back."""
    try:
        return bytes(ffi.buffer(data.data, data.size)) if data.size else b""
    finally:
        lib.amp_bytes_free(data)


def _doubles(array: Samples) -> Any:
    return ffi.cast("double *", array.__array_interface__["data"][0])


def _buffer(array: Samples) -> Any:
    """View a (batch, channel, frame) float64 array with contiguous frames; the caller keeps it alive."""
    if array.dtype != np.float64 or array.ndim != 3 or (array.shape[2] > 1 and array.strides[2] != 8):
        got = f"{array.dtype} {array.shape} strides {array.strides}"
        raise ShapeError(
            f"buffer: wrong layout (got {got}, allowed float64 (B, C, N), frames contiguous). Copy it first."
        )
    view = ffi.new("amp_buffer *")
    view.struct_size = ffi.sizeof("amp_buffer")
    view.batches, view.channels, view.frames = array.shape
    view.batch_stride, view.channel_stride = array.strides[0] // 8, array.strides[1] // 8
    view.data = _doubles(array)
    return view


def checksum(data: bytes) -> int:
    """FNV-1a-64 of some bytes."""
    return int(lib.amp_checksum(ffi.from_buffer(data), len(data)))


# ---- library ----


def abi_version() -> tuple[int, int]:
    """Major and minor version of the C contract."""
    version = int(lib.amp_abi_version())
    return version >> 16, version & 0xFFFF


def isa() -> str:
    """Instruction set level in use: v2, v3, v4 or base; empty if ``AMP_ISA`` names one this machine lacks."""
    return _text(lib.amp_isa())


def build_info() -> str:
    """Compiler, flags and flavour in one line."""
    return _text(lib.amp_build_info())


def native_logging_set(on: bool) -> None:
    """Switch native logging on or off.

    Raises
    ------
    Unsupported
        If this flavour has none.
    InvalidArgument
        If its file cannot be opened.
    """
    status = int(lib.amp_native_logging_set(int(on)))
    if status == lib.AMP_E_UNSUPPORTED:
        raise Unsupported("native logging: not compiled into this flavour of the library.")
    if status != lib.AMP_OK:
        raise InvalidArgument("AMP_NATIVE_LOG: the log file cannot be opened. Name a file you may write.")


def source_digest() -> str:
    """Digest of the native sources the library was built from."""
    return _text(lib.amp_source_digest())


def test_hooks() -> bool:
    """Whether the library was built with fault hooks."""
    return bool(lib.amp_test_hooks())


# ---- contracts ----


def _param(p: Any) -> ParamContract:
    kind = words.PARAM_KINDS[p.kind]
    choices = tuple(_text(p.choices[i]) for i in range(p.n_choices))
    default: float | int | str = p.value
    if kind == "enum":
        default = choices[int(p.value)]
    elif kind == "integer":
        default = int(p.value)
    elif kind == "text":
        default = ""
    return ParamContract(
        key=_text(p.key),
        unit=_text(p.unit),
        doc=_text(p.doc),
        kind=kind,
        scale=words.SCALES[p.scale],
        rate=words.RATES[p.rate],
        range=words.RANGES[p.range],
        low=p.low,
        high=p.high,
        high_is_fs=bool(p.high_is_fs),
        default=default,
        choices=choices,
    )


def _port(p: Any, is_input: bool) -> PortContract:
    return PortContract(
        key=_text(p.key),
        doc=_text(p.doc),
        channels=words.CHANNELS[p.channels],
        gather=words.GATHERS[p.gather] if is_input else "",
        scatter="" if is_input else words.SCATTERS[p.gather],
        map="" if is_input else words.MAPS[p.map],
        optional=bool(p.optional),
        neutral=p.neutral,
    )


def _case(c: Any) -> CaseContract:
    head = (_text(c.key), _text(c.stimulus), _text(c.params), c.channels, c.frames)
    return CaseContract(*head, _text(c.comparator), c.tolerance, _text(c.reason))


def _contract(c: Any) -> NodeContract:
    return NodeContract(
        id=_text(c.id),
        revision=c.revision,
        group=_text(c.group),
        summary=_text(c.summary),
        doc=_text(c.doc),
        inputs=tuple(_port(c.inputs[i], True) for i in range(c.n_inputs)),
        outputs=tuple(_port(c.outputs[i], False) for i in range(c.n_outputs)),
        params=tuple(_param(c.params[i]) for i in range(c.n_params)),
        cases=tuple(_case(c.cases[i]) for i in range(c.n_cases)),
        latency_frames=c.latency_frames,
        oversample_max=c.oversample_max,
        adjoint=words.ADJOINTS[c.adjoint],
        heat=_text(c.heat),
        laws=frozenset(name for name, bit in words.LAWS.items() if c.laws & bit),
        has_channels=bool(c.has_channels),
        digest=int(lib.amp_node_digest(c.id)),
    )


def contracts() -> tuple[NodeContract, ...]:
    """Return the contracts of all node types, ordered by id."""
    return tuple(_contract(lib.amp_node_at(i)) for i in range(lib.amp_node_count()))


# ---- plan, history, pyramid ----


def plan_compile(descriptors: bytes) -> bytes:
    """Check descriptors against the contracts and compile the plan blob."""
    data, error = ffi.new("amp_bytes *"), _error()
    _check(lib.amp_plan_compile(ffi.from_buffer(descriptors), len(descriptors), data, error), error)
    return _take(data)


def plan_describe(descriptors: bytes, plan: bytes) -> str:
    """Return the plan as JSON text."""
    data, error = ffi.new("amp_bytes *"), _error()
    blobs = (ffi.from_buffer(descriptors), len(descriptors), ffi.from_buffer(plan), len(plan))
    _check(lib.amp_plan_describe(*blobs, data, error), error)
    return _take(data).decode()


def schedule_derive(descriptors: bytes) -> bytes:
    """Return the schedule blob that a runtime of these descriptors follows by itself."""
    data, error = ffi.new("amp_bytes *"), _error()
    _check(lib.amp_schedule_derive(ffi.from_buffer(descriptors), len(descriptors), data, error), error)
    return _take(data)


def schedule_describe(descriptors: bytes, schedule: bytes) -> str:
    """Check a schedule blob (empty: the plan's own order) and return it as JSON text."""
    data, error = ffi.new("amp_bytes *"), _error()
    pointer = ffi.from_buffer(schedule) if schedule else ffi.NULL
    blobs = (ffi.from_buffer(descriptors), len(descriptors), pointer, len(schedule))
    _check(lib.amp_schedule_describe(*blobs, data, error), error)
    return _take(data).decode()


def history_sample(blob: bytes, curve: str, sample_rate: float, first_frame: int, frames: int) -> Samples:
    """Sample one curve at t = n / sample_rate (Hz), shape (frames,), with the bits a render sees."""
    out, error = np.empty(frames), _error()
    blobs = (ffi.from_buffer(blob), len(blob), curve.encode())
    _check(lib.amp_history_sample(*blobs, sample_rate, first_frame, frames, _doubles(out), error), error)
    return out


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Min/max pyramid over one channel: exact extremes of any span at any zoom."""

    samples: Samples
    levels: Samples

    @classmethod
    def build(cls, samples: npt.ArrayLike) -> Pyramid:
        """Build over samples of shape (frames,); NaN counts as a fault and shows."""
        data = np.ascontiguousarray(samples, dtype=np.float64)
        if data.ndim != 1:
            raise ShapeError(
                f"Pyramid.build: wrong shape (got {data.shape}, allowed (frames,)). Pass one channel."
            )
        levels = np.empty(lib.amp_pyramid_size(data.size))
        lib.amp_pyramid_build(_doubles(data), data.size, _doubles(levels))
        return cls(data, levels)

    def query(self, first: int, last: int, columns: int) -> tuple[Samples, Samples]:
        """Lowest and highest value in each of ``columns`` equal spans of frames [first, last)."""
        low, high = np.empty(max(columns, 0)), np.empty(max(columns, 0))
        data = (_doubles(self.samples), self.samples.size, _doubles(self.levels))
        status = lib.amp_pyramid_query(*data, first, last, columns, _doubles(low), _doubles(high))
        if status != lib.AMP_OK:
            given = f"[{first}, {last}) in {columns} columns"
            allowed = f"0 <= first < last <= {self.samples.size}, columns >= 1"
            raise InvalidArgument(f"Pyramid.query: bad span (got {given}, allowed {allowed}).")
        return low, high


# ---- flight record ----


@dataclass(frozen=True)
class Flight:
    """What a runtime was doing: phase, node (place in plan order, -1 none), window, firings so far."""

    phase: str
    node: int
    frames: int
    first_frame: int
    sequence: int


def read_flight(memory: Any) -> Flight:
    """Read a flight record from a buffer of `FLIGHT_SIZE` bytes (bytes, memoryview or mmap)."""
    flight = ffi.from_buffer("amp_flight *", memory)
    node = -1 if flight.node == 0xFFFFFFFF else int(flight.node)
    phase = PHASES[flight.phase] if flight.phase < len(PHASES) else "unknown"
    return Flight(phase, node, flight.frames, flight.first_frame, flight.sequence)


@dataclass(frozen=True)
class NodeMetrics:
    """What one node did since configure.

    ``seconds`` spent, ``frames`` fired in ``calls`` firings, measured delay, parameter values clamped where
    the contract clamps, and accumulated heat in joules over all batches (NaN unless heat was computed).
    """

    seconds: float
    frames: int
    calls: int
    measured_delay_frames: int
    clamped_values: int
    heat_j: float


# ---- runtime ----


class Runtime:
    """One compiled graph with its memory; independent of others. One thread at a time, except `cancel`.

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

    def __init__(self, descriptors: bytes, plan: bytes | None = None) -> None:
        slot, error, given = ffi.new("amp_graph_runtime **"), _error(), plan or b""
        pointer = ffi.from_buffer(given) if given else ffi.NULL
        blob = ffi.from_buffer(descriptors)
        _check(lib.amp_graph_runtime_create(blob, len(descriptors), pointer, len(given), slot, error), error)
        self._owned: Any = ffi.gc(slot[0], lib.amp_graph_runtime_destroy)
        self._borrowed: dict[str, Any] = {}
        self._batches = 0
        self._flags = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the native runtime; a second call does nothing."""
        if self._owned is not None:
            ffi.release(self._owned)
            self._owned = None
            self._borrowed.clear()

    @property
    def _handle(self) -> Any:
        if self._owned is None:
            raise InvalidArgument("Runtime: is closed. Make a new one.")
        return self._owned

    def _call(self, status: int) -> None:
        if status != lib.AMP_OK:
            error = _error()
            lib.amp_graph_runtime_last_error(self._handle, error)
            raise _exception(status, error)

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
        self._call(lib.amp_graph_runtime_set_schedule(self._handle, pointer, len(schedule)))

    def configure(
        self,
        *,
        batches: int = 1,
        block_frames: int = 0,
        flags: int = 0,
        trace_capacity: int = 0,
        batch_offset: int = 0,
    ) -> None:
        """Allocate for a batch and block size (0: chosen), to frame 0; ``flags`` is an or of `HEAT` etc."""
        config = ffi.new("amp_config *")
        config.struct_size = ffi.sizeof("amp_config")
        config.batches, config.block_frames, config.flags = batches, block_frames, flags
        config.trace_capacity, config.batch_offset = trace_capacity, batch_offset
        self._call(lib.amp_graph_runtime_configure(self._handle, config))
        self._batches, self._flags = batches, flags

    def set_param(self, node: str, key: str, value: npt.ArrayLike, at_frame: int = -1) -> None:
        """Set a parameter to a number or array (B|1, C|1, N|1) from ``at_frame`` on (-1: the next frame)."""
        array = np.asarray(value, dtype=np.float64)
        array = np.ascontiguousarray(array.reshape(1, 1, 1) if array.ndim == 0 else array)
        self._call(
            lib.amp_graph_runtime_set_param(
                self._handle, node.encode(), key.encode(), _buffer(array), at_frame
            )
        )

    def clear_params(self) -> None:
        """Return every parameter to the descriptors' value."""
        self._call(lib.amp_graph_runtime_clear_params(self._handle))

    def bind_input(self, node: str, samples: Samples) -> None:
        """Give an ``input`` node its samples (B|1, C, N); the memory is borrowed and kept alive here."""
        self._call(lib.amp_graph_runtime_bind_input(self._handle, node.encode(), _buffer(samples)))
        self._borrowed[node] = samples

    def set_history(self, blob: bytes) -> None:
        """Give the control curves, exactly those the plan names."""
        self._call(lib.amp_graph_runtime_set_history(self._handle, ffi.from_buffer(blob), len(blob)))

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
            names = (
                ffi.new("char[]", node.encode()),
                ffi.NULL if port is None else ffi.new("char[]", port.encode()),
            )
            record.struct_size = ffi.sizeof("amp_tap")
            record.node, record.port = names
            record.buffer = _buffer(array)[0]
            alive.append(names)
        target = ffi.NULL if out is None else _buffer(out)
        self._call(lib.amp_graph_runtime_execute(self._handle, frames, target, records, len(items)))

    def snapshot(self) -> bytes:
        """Return all that the next frames depend on besides inputs and curves, as a blob for `restore`.

        Raises
        ------
        InvalidArgument
            If the runtime is not configured, or stopped with an error.
        """
        size = ffi.new("size_t *")
        self._call(lib.amp_graph_runtime_snapshot(self._handle, ffi.NULL, 0, size))
        blob = ffi.new("uint8_t[]", size[0])
        self._call(lib.amp_graph_runtime_snapshot(self._handle, blob, size[0], size))
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
        self._call(lib.amp_graph_runtime_restore(self._handle, ffi.from_buffer(blob), len(blob)))

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

    def port_channels(self, node: str, port: str | None = None) -> int:
        """Channels of an output port (None: the first).

        Raises
        ------
        InvalidArgument
            If there is no such node or port.
        """
        name = ffi.NULL if port is None else ffi.new("char[]", port.encode())
        channels = int(lib.amp_graph_runtime_port_channels(self._handle, node.encode(), name))
        if channels < 0:
            raise InvalidArgument(
                f"{node}.{port or ''}: no such output. Tap a node of the plan, or node.port.", node=node
            )
        return channels

    def metrics(self, node: str) -> NodeMetrics:
        """Return what a node did since configure."""
        m = ffi.new("amp_node_metrics *")
        m.struct_size = ffi.sizeof("amp_node_metrics")
        self._call(lib.amp_graph_runtime_metrics(self._handle, node.encode(), m))
        heat = m.heat_j if self._flags & HEAT else float("nan")
        return NodeMetrics(m.seconds, m.frames, m.calls, m.measured_delay_frames, m.clamped_values, heat)

    def trace(self) -> tuple[npt.NDArray[np.void], int]:
        """Return firings, oldest first, as an array of `TRACE_DTYPE`, and how many the ring lost."""
        count, dropped = ffi.new("size_t *"), ffi.new("uint64_t *")
        self._call(lib.amp_graph_runtime_trace(self._handle, ffi.NULL, 0, count, dropped))
        events = np.zeros(count[0], TRACE_DTYPE)
        pointer = (
            ffi.from_buffer("amp_trace_event[]", events, require_writable=True) if events.size else ffi.NULL
        )
        self._call(lib.amp_graph_runtime_trace(self._handle, pointer, events.size, count, dropped))
        return events, int(dropped[0])

    def heat(self, node: str) -> tuple[Samples, Samples, Samples]:
        """Own J, accumulated J and K above ambient at the end of each window of `HEAT_WINDOW` frames."""
        count, name = ffi.new("size_t *"), node.encode()
        self._call(lib.amp_graph_runtime_heat(self._handle, name, ffi.NULL, ffi.NULL, ffi.NULL, 0, count))
        own, total, temperature = (np.empty(count[0]) for _ in range(3))
        arrays = (_doubles(own), _doubles(total), _doubles(temperature))
        self._call(lib.amp_graph_runtime_heat(self._handle, name, *arrays, own.size, count))
        return own, total, temperature

    def set_flight(self, memory: Any | None) -> None:
        """Write the flight record into a buffer of `FLIGHT_SIZE` bytes, kept alive here; None detaches."""
        if memory is None:
            lib.amp_graph_runtime_set_flight(self._handle, ffi.NULL)
            self._borrowed.pop("/flight", None)
            return
        flight = ffi.from_buffer("amp_flight *", memory, require_writable=True)
        flight.struct_size = FLIGHT_SIZE
        lib.amp_graph_runtime_set_flight(self._handle, flight)
        self._borrowed["/flight"] = flight
