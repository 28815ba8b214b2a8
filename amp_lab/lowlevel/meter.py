"""Native meters: levels, true peak and loudness of signals that come in pieces."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.errors import InvalidArgument
from amp_lab.lowlevel.calls import Samples, buffer, check, doubles, error_record

TRUE_PEAK: int = lib.AMP_METER_TRUE_PEAK
LOUDNESS: int = lib.AMP_METER_LOUDNESS
MOMENTARY: int = lib.AMP_SERIES_MOMENTARY
SHORT_TERM: int = lib.AMP_SERIES_SHORT_TERM

LEVELS_DTYPE = np.dtype(
    [
        ("struct_size", "u4"),
        ("reserved", "u4"),
        ("left_out", "i8"),
        ("peak", "f8"),
        ("mean", "f8"),
        ("rms", "f8"),
        ("true_peak", "f8"),
    ]
)
LOUDNESS_DTYPE = np.dtype(
    [
        ("struct_size", "u4"),
        ("reserved", "u4"),
        ("integrated", "f8"),
        ("gate", "f8"),
        ("momentary_max", "f8"),
        ("short_term_max", "f8"),
        ("range_low", "f8"),
        ("range_high", "f8"),
        ("blocks", "i8"),
        ("blocks_above", "i8"),
    ]
)


class Meter:
    """Meters of (batch, channel) signals; independent of others, one thread at a time.

    Parameters
    ----------
    batches, channels
        Shape of what is measured.
    frames
        Most frames of all calls of `process` together.
    flags
        An or of `TRUE_PEAK` and `LOUDNESS`; peak, mean and RMS are always measured.
    sample_rate
        In Hz; needed for loudness only.
    weights
        Of the channels' powers in the loudness; 1 each if not given.
    threads
        0: as many as the process may use.

    Raises
    ------
    AmpError
        The subclass of the status: an argument out of range, no memory, ...
    """

    def __init__(
        self,
        batches: int,
        channels: int,
        frames: int,
        *,
        flags: int = 0,
        sample_rate: float = 0.0,
        weights: npt.ArrayLike | None = None,
        threads: int = 1,
    ) -> None:
        config, slot, error = ffi.new("amp_meter_config *"), ffi.new("amp_meter **"), error_record()
        config.struct_size = ffi.sizeof("amp_meter_config")
        config.flags, config.batches, config.channels = flags, batches, channels
        config.threads, config.frames, config.sample_rate = threads, frames, sample_rate
        if weights is not None:
            copied = np.ascontiguousarray(np.broadcast_to(weights, channels), dtype=np.float64)
            config.weights = doubles(copied)
        check(lib.amp_meter_create(config, slot, error), error)
        self._owned: Any = ffi.gc(slot[0], lib.amp_meter_destroy)
        self._shape = (batches, channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the native meter; a second call does nothing."""
        if self._owned is not None:
            ffi.release(self._owned)
            self._owned = None

    @property
    def _handle(self) -> Any:
        if self._owned is None:
            raise InvalidArgument("Meter: is closed. Make a new one.")
        return self._owned

    def process(self, samples: Samples) -> None:
        """Take the next frames (batch, channel, frame)."""
        error = error_record()
        check(lib.amp_meter_process(self._handle, buffer(samples), error), error)

    def levels(self) -> npt.NDArray[np.void]:
        """Return the readings (batch, channel) of all frames so far (`LEVELS_DTYPE`)."""
        return self._records(LEVELS_DTYPE, "amp_levels", lib.amp_meter_levels, self._shape)

    def loudness(self) -> npt.NDArray[np.void]:
        """Return the readings (batch,) of all frames so far (`LOUDNESS_DTYPE`)."""
        return self._records(LOUDNESS_DTYPE, "amp_loudness", lib.amp_meter_loudness, self._shape[:1])

    def _records(self, dtype: Any, name: str, read: Any, shape: tuple[int, ...]) -> npt.NDArray[np.void]:
        records, error = np.zeros(shape, dtype), error_record()
        records["struct_size"] = dtype.itemsize
        pointer = ffi.from_buffer(f"{name}[]", records, require_writable=True)
        check(read(self._handle, pointer, records.size, error), error)
        return records

    def series(self, batch: int, series: int) -> Samples:
        """Return loudness over time in LUFS: one window (`MOMENTARY`, `SHORT_TERM`) every 10 ms."""
        count, error = ffi.new("size_t *"), error_record()
        check(lib.amp_meter_series(self._handle, batch, series, ffi.NULL, 0, count, error), error)
        values = np.empty(count[0])
        check(
            lib.amp_meter_series(self._handle, batch, series, doubles(values), values.size, count, error),
            error,
        )
        return values


def k_weighting(sample_rate: float) -> Samples:
    """Return b0, b1, b2, a1, a2 of the two filters (2, 5) of the K-weighting at a rate in Hz."""
    coefficients, error = np.empty((2, 5)), error_record()
    check(lib.amp_k_weighting(sample_rate, doubles(coefficients), error), error)
    return coefficients
