"""Samples beyond full scale: how many, how high, and where the first is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amp_lab.analysis.signals import SILENCE_DB, FloatArray, decibels

_BLOCK_SAMPLES = 1 << 20


@dataclass(frozen=True)
class Clipping:
    """Finite samples beyond ±1 of a (batch, channel, frame) signal.

    Attributes
    ----------
    samples : how many there are
    peak : highest finite magnitude, 0 if no sample is finite
    batch, channel, frame : where the first in time is, -1 if there is none
    nonfinite : samples that are NaN or infinite, in none of the above
    """

    samples: int = 0
    peak: float = 0.0
    batch: int = -1
    channel: int = -1
    frame: int = -1
    nonfinite: int = 0

    @property
    def peak_db(self) -> float:
        """Peak in dBFS, -400 for silence."""
        return max(float(decibels(self.peak)), SILENCE_DB)

    @property
    def text(self) -> str:
        """A message about the clipping; empty if no sample clips."""
        noun = "sample" if self.samples == 1 else "samples"
        if not self.samples:
            return ""
        return f"clips: {self.samples:,} {noun} beyond ±1 (peak {self.peak_db:+.1f} dBFS)"


def clipping(audio: FloatArray) -> Clipping:
    """Count the samples of `audio` (batch, channel, frame) beyond ±1 in a fixed amount of memory."""
    _, channels, frames = audio.shape
    samples = nonfinite = 0
    peak, first = 0.0, (frames, -1)
    step = max(1, min(frames, _BLOCK_SAMPLES))
    for row, (b, c) in enumerate(np.ndindex(audio.shape[:2])):
        for start in range(0, frames, step):
            size = np.abs(audio[b, c, start : start + step])
            finite = np.isfinite(size)
            nonfinite += size.size - int(finite.sum())
            peak = max(peak, float(size.max(initial=0.0, where=finite)))
            over = np.flatnonzero(finite & (size > 1.0))
            if over.size:
                samples += over.size
                first = min(first, (start + int(over[0]), row))
    if not samples:
        return Clipping(peak=peak, nonfinite=nonfinite)
    frame, row = first
    return Clipping(samples, peak, row // channels, row % channels, frame, nonfinite)
