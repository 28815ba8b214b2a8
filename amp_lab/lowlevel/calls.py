"""Helpers for calls of the library: errors, bytes, tensors, traces and flight records.

Only ``lowlevel`` modules see ``ffi``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.common import arrays
from amp_lab.errors import BY_STATUS, AmpError, InternalError, ShapeError, Violation, listed
from amp_lab.lowlevel.words import PHASES

Samples = npt.NDArray[np.float64]

FLIGHT_SIZE: int = ffi.sizeof("amp_flight")
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


# ---- status ----


def text(pointer: Any) -> str:
    """Return a C string, empty for NULL."""
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode(errors="replace")


def error_record() -> Any:
    """Return an empty error record for a call to fill."""
    record = ffi.new("amp_error *")
    record.struct_size = ffi.sizeof("amp_error")
    return record


def violations() -> tuple[tuple[Violation, ...], int]:
    """Return what the last call of this thread found wrong, and how many there were, kept or not."""
    found = ffi.new("size_t *")
    count = lib.amp_violation_count(found)
    return tuple(_violation(lib.amp_violation_at(i)) for i in range(count)), int(found[0])


def _violation(record: Any) -> Violation:
    return Violation(
        BY_STATUS.get(record.code, InternalError),
        text(record.node),
        text(record.port),
        text(record.sentence),
        text(record.cure),
        text(record.src),
        record.frames,
    )


def exception(status: int, error: Any) -> AmpError:
    """Return the exception of a status and its error record, with all that the call found wrong.

    The records are those of this thread's last call: nothing else may be called in between.
    """
    cls = BY_STATUS.get(status, InternalError)
    listing, found = violations()
    first = listing[0] if listing else Violation(
        cls, text(error.node), text(error.port), text(error.message)
        or f"native call: failed (got {text(lib.amp_status_name(status))}, {status}). No more is known.",
    )  # fmt: skip
    return cls(
        listed(listing or (first,), found),
        code=status,
        stage=text(error.stage),
        node=first.node,
        port=first.port,
        batch=error.batch,
        channel=error.channel,
        frame=error.frame,
        violations=listing,
    )


def check(status: int, error: Any) -> None:
    """Raise the exception of a status that is not OK."""
    if status != lib.AMP_OK:
        raise exception(status, error)


# ---- arguments ----


def take(data: Any) -> bytes:
    """Copy bytes the library allocated and give them back."""
    try:
        return bytes(ffi.buffer(data.data, data.size)) if data.size else b""
    finally:
        lib.amp_bytes_free(data)


def c_text(value: str | None) -> Any:
    """Return a C string, NULL for None."""
    return ffi.NULL if value is None else ffi.new("char[]", value.encode())


def doubles(array: Samples) -> Any:
    """Return a pointer to the samples of an array the caller keeps alive."""
    return ffi.cast("double *", array.__array_interface__["data"][0])


def buffer(array: Samples) -> Any:
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
    view.data = doubles(array)
    return view


def tensor(where: str, value: npt.ArrayLike) -> Samples:
    """Return the value of a parameter, a number or an array, as a contiguous array `buffer` takes."""
    array = arrays.numbers(where, value)
    return np.ascontiguousarray(array.reshape(1, 1, 1) if array.ndim == 0 else array)


# ---- trace and flight record ----


def read_trace(fetch: Callable[[Any, int, Any, Any], object]) -> tuple[npt.NDArray[np.void], int]:
    """Return firings, oldest first, as an array of `TRACE_DTYPE`, and how many the ring lost.

    ``fetch(events, capacity, count, dropped)`` calls the library; more may have happened between two calls.
    """
    count, dropped = ffi.new("size_t *"), ffi.new("uint64_t *")
    fetch(ffi.NULL, 0, count, dropped)
    events = np.zeros(count[0], TRACE_DTYPE)
    if events.size:
        pointer = ffi.from_buffer("amp_trace_event[]", events, require_writable=True)
        fetch(pointer, events.size, count, dropped)
    return events[: count[0]], int(dropped[0])


def flight_in(memory: Any) -> Any:
    """Return a flight record that lies in a buffer of `FLIGHT_SIZE` bytes and keeps it alive."""
    flight = ffi.from_buffer("amp_flight *", memory, require_writable=True)
    flight.struct_size = FLIGHT_SIZE
    return flight


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
