"""Levels: peak, RMS, true peak, crest, DC and loudness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyloudnorm
from scipy.signal import firwin, upfirdn

from amp_lab.analysis.signals import FloatArray, decibels, require_finite, to_bcn, to_signal
from amp_lab.errors import InvalidArgument
from amp_lab.values import ReadOnlyArrays

_OVERSAMPLING = 4
_HALF_TAPS = 24
"""Half length of the interpolator, in frames at the original rate."""
_BLOCK = 1 << 18
GATING_BLOCK_S = 0.4
"""Shortest signal BS.1770 can gauge: one gating block."""
MAX_LOUDNESS_CHANNELS = 5


@dataclass(frozen=True, eq=False)
class Measurement(ReadOnlyArrays):
    """Levels of a render: arrays of shape (batch, channel), loudness of shape (batch,).

    Attributes
    ----------
    peak_db, rms_db : dB relative to 1.0; a full-scale sine has peak 0 and RMS -3.01
    true_peak_db : dBTP, peak of the 4 times oversampled signal
    crest_db : peak_db - rms_db, NaN for silence
    dc : mean, in signal units
    loudness_lufs : integrated loudness, NaN where BS.1770 does not apply (short, over 5 channels)
    nonfinite : number of samples that are NaN or infinite, left out of all of the above
    """

    peak_db: FloatArray
    rms_db: FloatArray
    true_peak_db: FloatArray
    crest_db: FloatArray
    dc: FloatArray
    loudness_lufs: FloatArray
    frames: int
    sample_rate: float
    nonfinite: npt.NDArray[np.int64]

    def __repr__(self) -> str:
        """One line per channel and batch; equal measurements print equal text."""
        seconds = self.frames / self.sample_rate
        size = f"{self.frames} frame{'s' * (self.frames != 1)}"
        lines = [f"Measurement({size}, {seconds:.3f} s at {self.sample_rate:g} Hz)"]
        for b, c in np.ndindex(self.peak_db.shape):
            lines.append(
                f"  batch {b} channel {c}: peak {_number(self.peak_db[b, c])} dBFS, "
                f"true peak {_number(self.true_peak_db[b, c])} dBTP, "
                f"rms {_number(self.rms_db[b, c])} dB, crest {_number(self.crest_db[b, c])} dB, "
                f"dc {_number(self.dc[b, c], 6)}"
                + (f", {bad} non-finite left out" if (bad := int(self.nonfinite[b, c])) else "")
            )
        for b, value in enumerate(self.loudness_lufs):
            lines.append(f"  batch {b}: loudness {_number(value)} LUFS")
        return "\n".join(lines)


def true_peak(x: npt.ArrayLike) -> FloatArray:
    """Return the true peak in dBTP per (batch, channel), ITU-R BS.1770-4 annex 2: 4 times oversampled.

    The interpolator is a 193-tap Kaiser-windowed sinc (80 dB) with its cut-off at the original
    Nyquist frequency. At 4 times a peak may fall between samples: a sine at 20 kHz of 48 kHz
    reads at most 0.5 dB low, one at 10 kHz at most 0.12 dB.
    """
    signal = to_signal(x, "true_peak")
    require_finite(signal, "true_peak")
    taps = _OVERSAMPLING * firwin(
        2 * _HALF_TAPS * _OVERSAMPLING + 1, 1.0 / _OVERSAMPLING, window=("kaiser", 7.86)
    )
    peak = np.abs(signal).max(axis=-1)
    for start in range(0, signal.shape[-1], _BLOCK):
        block = signal[..., max(start - 2 * _HALF_TAPS, 0) : start + _BLOCK]
        between = upfirdn(taps, block, _OVERSAMPLING, axis=-1)
        lead = 0 if start == 0 else 2 * _HALF_TAPS * _OVERSAMPLING
        peak = np.maximum(peak, np.abs(between[..., lead : block.shape[-1] * _OVERSAMPLING]).max(axis=-1))
    return decibels(peak)[()]


def loudness(x: npt.ArrayLike, sample_rate: float) -> FloatArray:
    """Integrated loudness in LUFS per batch (EBU R 128, ITU-R BS.1770-4), -inf for silence.

    Channels are left, right, centre, left surround, right surround.

    Raises
    ------
    InvalidArgument
        If the signal is shorter than 0.4 s (one gating block) or has more than 5 channels.
    """
    signal = to_signal(x, "loudness")
    require_finite(signal, "loudness")
    batched = to_bcn(signal, "loudness")
    channels, frames = batched.shape[1:]
    if frames < GATING_BLOCK_S * sample_rate:
        raise InvalidArgument(
            f"loudness: too short (got {frames / sample_rate:.4f} s, allowed {GATING_BLOCK_S:g} s "
            "and more). Render longer; for short sounds read the RMS level."
        )
    if channels > MAX_LOUDNESS_CHANNELS:
        raise InvalidArgument(
            f"loudness: too many channels (got {channels}, allowed 1 to {MAX_LOUDNESS_CHANNELS}). "
            "Measure a mix-down."
        )
    meter = pyloudnorm.Meter(sample_rate)
    values = np.array([meter.integrated_loudness(clip.T) for clip in batched])
    return values[0] if signal.ndim < 3 else values


def measure_levels(audio: npt.ArrayLike, sample_rate: float) -> Measurement:
    """Every level of `audio` (batch, channel, frame) at once.

    Samples that are not finite are counted and left out; true peak and loudness, which look across
    neighbours, are then not measured.
    """
    signal = to_bcn(audio, "measure_levels")
    _, channels, frames = signal.shape
    finite = np.isfinite(signal)
    whole = bool(finite.all())
    kept, heard = signal if whole else np.where(finite, signal, 0.0), finite.sum(axis=-1)
    peak = decibels(np.maximum(kept.max(axis=-1), -kept.min(axis=-1)))
    gauged = whole and frames >= GATING_BLOCK_S * sample_rate and channels <= MAX_LOUDNESS_CHANNELS
    with np.errstate(invalid="ignore", over="ignore"):
        rms = decibels(np.sqrt(np.einsum("bcn,bcn->bc", kept, kept) / heard))
        crest = peak - rms
        dc = kept.sum(axis=-1) / heard
    return Measurement(
        peak_db=np.where(heard > 0, peak, np.nan),
        rms_db=rms,
        true_peak_db=true_peak(signal) if whole else np.full(peak.shape, np.nan),
        crest_db=crest,
        dc=dc,
        loudness_lufs=loudness(signal, sample_rate) if gauged else np.full(signal.shape[0], np.nan),
        frames=frames,
        sample_rate=sample_rate,
        nonfinite=frames - heard,
    )


def _number(value: Any, digits: int = 2) -> str:
    if np.isnan(value):
        return "n/a"
    return f"{round(float(value), digits) + 0.0:.{digits}f}"
