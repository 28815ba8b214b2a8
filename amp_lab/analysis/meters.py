"""Signals brought to the native meters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amp_lab.analysis.signals import FloatArray
from amp_lab.lowlevel.meter import Meter

_WORTH_THREADS = 1 << 20
"""Samples below which threads would cost more than they save."""


def metered(
    signal: FloatArray, *, flags: int = 0, sample_rate: float = 0.0, weights: npt.ArrayLike | None = None
) -> Meter:
    """Return a meter that has taken a signal (batch, channel, frame). Close it."""
    batches, channels, frames = signal.shape
    threads = 0 if signal.size >= _WORTH_THREADS else 1
    meter = Meter(
        batches, channels, frames, flags=flags, sample_rate=sample_rate, weights=weights, threads=threads
    )
    meter.process(signal if signal.strides[-1] == 8 else np.ascontiguousarray(signal))
    return meter
