"""Signals that measurements accept, and conversions to dB."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from amp_lab.common import arrays
from amp_lab.errors import InvalidArgument, ShapeError

FloatArray: TypeAlias = npt.NDArray[np.float64]

SILENCE_DB = -400.0
"""Level drawn or printed for digital silence where minus infinity would not fit."""


def to_signal(x: npt.ArrayLike, where: str) -> FloatArray:
    """Return `x` as float64 with frames on the last axis, of shape (..., frame) and 1 to 3 axes.

    Raises
    ------
    ShapeError
        If `x` has no axis or more than three, or is two-dimensional and looks like (frame, channel).
    InvalidArgument
        If `x` is empty, or no floating point numbers: `amp_lab.samples` converts integers.
    """
    signal = arrays.samples(where, x, takes_scale=False, error=InvalidArgument)
    if not 1 <= signal.ndim <= 3:
        raise ShapeError(
            f"{where}: wrong number of axes (got {signal.ndim}, allowed 1 to 3). "
            "Pass (frame), (channel, frame) or (batch, channel, frame)."
        )
    if signal.size == 0:
        raise InvalidArgument(
            f"{where}: empty signal (got shape {signal.shape}, allowed at least 1 frame). "
            "Render at least one frame."
        )
    if signal.ndim == 2:
        cure = f"If it has {signal.shape[0]} channels pass (batch, channel, frame): x[None]."
        arrays.check_not_transposed(where, signal.shape, cure)
    return signal


def to_bcn(x: npt.ArrayLike, where: str) -> FloatArray:
    """Return `x` as a (batch, channel, frame) view; missing leading axes become 1."""
    signal = to_signal(x, where)
    return signal.reshape((1,) * (3 - signal.ndim) + signal.shape)


def require_finite(signal: FloatArray, where: str) -> None:
    """Refuse NaN and infinity, naming the first.

    Raises
    ------
    InvalidArgument
        At the first non-finite sample.
    """
    finite = np.isfinite(signal)
    if not finite.all():
        first = np.unravel_index(int(np.argmin(finite)), signal.shape)
        index = tuple(int(i) for i in first)
        raise InvalidArgument(
            f"{where}: non-finite sample (got {signal[index]} at {index}, allowed finite). "
            'Render with nonfinite="raise" to find its node.'
        )


def finite_runs(signal: FloatArray) -> npt.NDArray[np.int64]:
    """First and last + 1 frame (runs, 2) of each stretch in which every signal (..., frame) is finite."""
    finite = np.isfinite(signal).reshape(-1, signal.shape[-1]).all(axis=0)
    return np.flatnonzero(np.diff(finite, prepend=False, append=False)).reshape(-1, 2)


def bin_frequencies(size: int, sample_rate: float) -> FloatArray:
    """Frequencies in Hz of the bins of a real FFT over `size` frames."""
    return np.arange(size // 2 + 1, dtype=np.float64) * (sample_rate / size)


def decibels(ratio: npt.ArrayLike) -> FloatArray:
    """Amplitude ratio to dB; zero gives minus infinity without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(20.0 * np.log10(np.abs(np.asarray(ratio, dtype=np.float64))))


def power_decibels(ratio: npt.ArrayLike) -> FloatArray:
    """Power ratio to dB; zero gives minus infinity without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(np.asarray(ratio, dtype=np.float64)))
