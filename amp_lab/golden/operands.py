"""The two sides of a comparison as arrays `(batch, channel, frame)`, and why two cannot be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.common import arrays, checks
from amp_lab.errors import quoted

from .verdict import GoldenError, Mismatch

Samples = npt.NDArray[np.float64]


def as_samples(where: str, x: Any) -> Samples:
    """Return the samples of a Render or array; axes that are missing in front have length one.

    Raises
    ------
    GoldenError
        It is neither, or holds something else than real numbers.
    """
    try:
        given = getattr(x, "audio", x)
    except Exception:  # whatever was handed in is asked for its samples here
        given = x
    allowed = f"a Render, or an array of {arrays.SAMPLES}"
    samples = arrays.samples(where, given, takes_scale=False, allowed=allowed, error=GoldenError)
    return samples.reshape((1,) * (3 - samples.ndim) + samples.shape) if samples.ndim < 3 else samples


def rate_of(where: str, x: Any, given: Any) -> float | None:
    """Return the sample rate of a Render, or the one given for an array, in Hz; None if there is none.

    Raises
    ------
    GoldenError
        It is no positive finite number.
    """
    rate = getattr(x, "sample_rate", given)
    if rate is None:
        return None
    number = checks.real(where, rate, "above 0 Hz", GoldenError)
    if number <= 0.0:
        raise GoldenError(f"{where}: out of range (got {quoted(rate)} Hz, allowed above 0 Hz). Correct it.")
    return number


def bits(x: Samples) -> npt.NDArray[np.uint64]:
    """Return the bits of samples as integers."""
    return np.ascontiguousarray(x).view(np.uint64)


def first(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return (batch, channel, frame) of the first True in time; ties go to the lowest batch, then channel."""
    frame = int(np.argmax(mask.any(axis=(0, 1))))
    batch, channel = np.argwhere(mask[:, :, frame])[0]
    return int(batch), int(channel), frame


def unfit(
    result: Samples, reference: Samples, rate: float | None, reference_rate: float | None
) -> Mismatch | None:
    """Return why the two cannot be compared sample by sample, or None."""
    if rate is not None and reference_rate is not None and rate != reference_rate:
        return Mismatch(
            "sample rate", f"{reference_rate:g} Hz", f"{rate:g} Hz", "sample rates differ", "none"
        )
    if result.shape != reference.shape:
        names = ("batches", "channels", "frames")
        off = [n for n, a, b in zip(names, result.shape, reference.shape, strict=False) if a != b]
        want, got = (str(tuple(x.shape)) + " (batch, channel, frame)" for x in (reference, result))
        return Mismatch("shape", want, got, ", ".join(off or ["dimensions"]) + " differ", "none")
    if reference.ndim != 3 or reference.size == 0:
        size = f"{reference.size} samples in {reference.ndim} axes"
        return Mismatch("shape", "samples (batch, channel, frame)", size, "nothing was compared", "none")
    for side, x in (("expected", reference), ("actual", result)):
        bad = ~np.isfinite(x)
        if bad.any():
            b, c, n = first(bad)
            want, got = repr(float(reference[b, c, n])), repr(float(result[b, c, n]))
            return Mismatch("non-finite", want, got, f"{side} is not finite", "none", n, b, c)
    return None
