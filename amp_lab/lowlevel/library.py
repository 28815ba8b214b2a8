"""The functions of the library that need no runtime: versions, plans, curves, the pyramid, quantising."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.common import arrays, checks
from amp_lab.errors import InvalidArgument, ShapeError, Unsupported, quoted
from amp_lab.lowlevel.calls import Samples, check, doubles, error_record, take, text

LEVELS = ("v2", "v3", "v4", "base")
"""Instruction sets that kernels are compiled for; ``base`` where the processor is no x86."""


def checksum(data: bytes) -> int:
    """FNV-1a-64 of some bytes."""
    return int(lib.amp_checksum(ffi.from_buffer(data), len(data)))


def abi_version() -> tuple[int, int]:
    """Major and minor version of the C contract."""
    version = int(lib.amp_abi_version())
    return version >> 16, version & 0xFFFF


def isa() -> str:
    """Instruction set level in use: v2, v3, v4 or base; empty if ``AMP_ISA`` names one this machine lacks."""
    return text(lib.amp_isa())


def require_isa() -> None:
    """Raise if no kernels run.

    Raises
    ------
    InvalidArgument
        If ``AMP_ISA`` is no instruction set level, or one that this machine lacks.
    """
    if isa():
        return
    asked = os.environ.get("AMP_ISA", "")
    if asked in LEVELS:
        allowed = "those that amp-lab doctor lists"
        raise InvalidArgument(
            f"AMP_ISA: this machine lacks that level (got {quoted(asked)}, allowed {allowed}). Unset it."
        )
    raise InvalidArgument(checks.unknown("AMP_ISA", asked, LEVELS, "instruction set"))


def build_info() -> str:
    """Compiler, flags and flavour in one line."""
    return text(lib.amp_build_info())


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
    return text(lib.amp_source_digest())


def test_hooks() -> bool:
    """Whether the library was built with fault hooks."""
    return bool(lib.amp_test_hooks())


# ---- plan, history, pyramid ----


@dataclass(frozen=True)
class PlanFacts:
    """Facts of a plan that are needed before it runs; ``output`` is an index of ``order`` (-1: none).

    ``order`` has the nodes in firing order, ``curves`` those a render needs, sorted; ``digest`` is in hex.
    """

    order: tuple[str, ...]
    curves: tuple[str, ...]
    edges: int
    components: int
    output: int
    output_channels: int
    latency_frames: int
    digest: str


def plan_compile(descriptors: bytes) -> tuple[bytes, PlanFacts]:
    """Check descriptors against the contracts and compile the plan blob."""
    plan, names = ffi.new("amp_bytes *"), ffi.new("amp_bytes *")
    facts, error = ffi.new("amp_plan_facts *"), error_record()
    facts.struct_size = ffi.sizeof("amp_plan_facts")
    blob = (ffi.from_buffer(descriptors), len(descriptors))
    check(lib.amp_plan_compile_facts(*blob, plan, facts, names, error), error)
    try:
        listed = take(names).decode().split("\0")[:-1]
    finally:
        data = take(plan)
    return data, PlanFacts(
        order=tuple(listed[: facts.nodes]),
        curves=tuple(listed[facts.nodes :]),
        edges=facts.edges,
        components=facts.components,
        output=facts.output,
        output_channels=facts.output_channels,
        latency_frames=facts.latency_frames,
        digest=f"{facts.digest:016x}",
    )


def plan_describe(descriptors: bytes, plan: bytes) -> str:
    """Return the plan as JSON text."""
    data, error = ffi.new("amp_bytes *"), error_record()
    blobs = (ffi.from_buffer(descriptors), len(descriptors), ffi.from_buffer(plan), len(plan))
    check(lib.amp_plan_describe(*blobs, data, error), error)
    return take(data).decode()


def schedule_derive(descriptors: bytes) -> bytes:
    """Return the schedule blob that a runtime of these descriptors follows by default."""
    data, error = ffi.new("amp_bytes *"), error_record()
    check(lib.amp_schedule_derive(ffi.from_buffer(descriptors), len(descriptors), data, error), error)
    return take(data)


def schedule_describe(descriptors: bytes, schedule: bytes) -> str:
    """Check a schedule blob (empty: the plan's own order) and return it as JSON text."""
    data, error = ffi.new("amp_bytes *"), error_record()
    pointer = ffi.from_buffer(schedule) if schedule else ffi.NULL
    blobs = (ffi.from_buffer(descriptors), len(descriptors), pointer, len(schedule))
    check(lib.amp_schedule_describe(*blobs, data, error), error)
    return take(data).decode()


def history_sample(blob: bytes, curve: str, sample_rate: float, first_frame: int, frames: int) -> Samples:
    """Sample one curve at t = n / sample_rate (Hz), shape (frames,), with the bits a render sees."""
    out, error = np.empty(frames), error_record()
    blobs = (ffi.from_buffer(blob), len(blob), curve.encode())
    check(lib.amp_history_sample(*blobs, sample_rate, first_frame, frames, doubles(out), error), error)
    return out


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Min/max pyramid over one channel: exact extremes of any span at any zoom."""

    samples: Samples
    levels: Samples

    @classmethod
    def build(cls, samples: npt.ArrayLike) -> Pyramid:
        """Build over samples of shape (frames,); NaN counts as a fault and shows."""
        data = np.ascontiguousarray(arrays.samples("Pyramid.samples", samples, takes_scale=False))
        if data.ndim != 1:
            raise ShapeError(
                f"Pyramid.build: wrong shape (got {data.shape}, allowed (frames,)). Pass one channel."
            )
        levels = np.empty(lib.amp_pyramid_size(data.size))
        lib.amp_pyramid_build(doubles(data), data.size, doubles(levels))
        return cls(data, levels)

    def query(self, first: int, last: int, columns: int) -> tuple[Samples, Samples]:
        """Lowest and highest value in each of ``columns`` equal spans of frames [first, last)."""
        for name, value in (("first", first), ("last", last), ("columns", columns)):
            checks.whole(f"Pyramid.query.{name}", value, -checks.LONGEST, checks.LONGEST)
        low, high = np.empty(max(columns, 0)), np.empty(max(columns, 0))
        data = (doubles(self.samples), self.samples.size, doubles(self.levels))
        status = lib.amp_pyramid_query(*data, first, last, columns, doubles(low), doubles(high))
        if status != lib.AMP_OK:
            given = f"[{first}, {last}) in {columns} columns"
            allowed = f"0 <= first < last <= {self.samples.size}, columns >= 1"
            raise InvalidArgument(f"Pyramid.query: bad span (got {given}, allowed {allowed}).")
        return low, high


# ---- quantising ----


def quantize(
    samples: Samples,
    out: npt.NDArray[np.int32],
    bits: int,
    *,
    dither: bool = False,
    seed: int = 0,
    stream: int = 0,
    first_frame: int = 0,
) -> None:
    """Round samples to whole numbers of some bits, which lie in the upper bits of ``out``.

    Parameters
    ----------
    samples
        Shape (frames,), contiguous; 1.0 is ``2 ** (bits - 1)`` steps. Ties go to the even number; what is
        above the largest number becomes that.
    out
        Shape (frames,), of any stride.
    bits
        2 to 32.
    dither, seed, stream, first_frame
        Add noise of triangular density in (-1, 1) steps before: number ``first_frame`` and the following of
        this stream of this seed.

    Raises
    ------
    ShapeError
        If the arrays do not fit.
    InvalidArgument
        If there is no such width.
    """
    if samples.shape != out.shape or samples.ndim != 1 or samples.strides[0] != 8 or out.strides[0] % 4:
        got = f"{samples.shape} strides {samples.strides} and {out.shape} strides {out.strides}"
        raise ShapeError(f"quantize: wrong layout (got {got}, allowed (frames,), contiguous, and (frames,)).")
    how = ffi.new("amp_quantizer *")
    how.struct_size, how.bits = ffi.sizeof("amp_quantizer"), bits
    how.dither = lib.AMP_DITHER_TPDF if dither else lib.AMP_DITHER_NONE
    how.seed, how.stream, how.first_frame = seed, stream, first_frame
    numbers = ffi.cast("int32_t *", out.__array_interface__["data"][0])
    if lib.amp_quantize(doubles(samples), samples.size, how, numbers, out.strides[0] // 4) != lib.AMP_OK:
        raise InvalidArgument(f"quantize: bad width (got {bits} bits, allowed 2 to 32).")
