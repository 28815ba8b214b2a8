"""Native meters: levels, true peak and loudness of signals that come in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab._native import ffi, lib
from amp_lab.lowlevel.calls import Samples, buffer, check, doubles, error_record
from amp_lab.lowlevel.handles import NativeHandle

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


class Meter(NativeHandle):
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

    SHOWN_AS = "Meter"

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
        config = ffi.new("amp_meter_config *")
        config.struct_size = ffi.sizeof("amp_meter_config")
        config.flags, config.batches, config.channels = flags, batches, channels
        config.threads, config.frames, config.sample_rate = threads, frames, sample_rate
        if weights is not None:
            copied = np.ascontiguousarray(np.broadcast_to(weights, channels), dtype=np.float64)
            config.weights = doubles(copied)
        self._create("amp_meter", lib.amp_meter_create, lib.amp_meter_destroy, config)
        self._shape = (batches, channels)

    def process(self, samples: Samples) -> None:
        """Take the next frames (batch, channel, frame)."""
        self._call(lib.amp_meter_process, buffer(samples))

    def levels(self) -> npt.NDArray[np.void]:
        """Return the readings (batch, channel) of all frames so far (`LEVELS_DTYPE`)."""
        return self._records(LEVELS_DTYPE, "amp_levels", lib.amp_meter_levels, self._shape)

    def loudness(self) -> npt.NDArray[np.void]:
        """Return the readings (batch,) of all frames so far (`LOUDNESS_DTYPE`)."""
        return self._records(LOUDNESS_DTYPE, "amp_loudness", lib.amp_meter_loudness, self._shape[:1])

    def _records(self, dtype: Any, name: str, read: Any, shape: tuple[int, ...]) -> npt.NDArray[np.void]:
        records = np.zeros(shape, dtype)
        records["struct_size"] = dtype.itemsize
        pointer = ffi.from_buffer(f"{name}[]", records, require_writable=True)
        self._call(read, pointer, records.size)
        return records

    def series(self, batch: int, series: int) -> Samples:
        """Return loudness over time in LUFS: one window (`MOMENTARY`, `SHORT_TERM`) every 10 ms."""
        count = ffi.new("size_t *")
        self._call(lib.amp_meter_series, batch, series, ffi.NULL, 0, count)
        values = np.empty(count[0])
        self._call(lib.amp_meter_series, batch, series, doubles(values), values.size, count)
        return values


def k_weighting(sample_rate: float) -> Samples:
    """Return b0, b1, b2, a1, a2 of the two filters (2, 5) of the K-weighting at a rate in Hz."""
    coefficients, error = np.empty((2, 5)), error_record()
    check(lib.amp_k_weighting(sample_rate, doubles(coefficients), error), error)
    return coefficients
