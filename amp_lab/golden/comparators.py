"""Named comparators: two arrays `(batch, channel, frame)` in, one `Comparison` out.

`exact` is the default and means every bit. All others carry the reason why less is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab import arrays, checks
from amp_lab.analysis.bands import third_octaves

from .verdict import Comparison, GoldenError, Mismatch

__all__ = ["COMPARATORS", "Comparison", "check_limits", "compare", "third_octaves"]

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Finding:
    """One comparator's answer, with the lines a failure prints for it.

    `failed` has shape `(B, C)` or `(B, C, N)`; `line` gives expected, actual and difference there.
    """

    failed: npt.NDArray[np.bool_]
    measured: float
    tolerance: str
    line: Callable[[tuple[int, ...]], tuple[str, str, str]]


_Comparator = Callable[[Samples, Samples, Mapping[str, float], float], _Finding]


def _bits(x: Samples) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(x).view(np.uint64)


def _per_sample(
    result: Samples, reference: Samples, failed: npt.NDArray[np.bool_], tolerance: str
) -> _Finding:
    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        want, got = float(reference[at]), float(result[at])
        return repr(want), repr(got), repr(got - want)

    return _Finding(failed, float(np.max(np.abs(result - reference))), tolerance, line)


def _exact(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    return _per_sample(result, reference, _bits(result) != _bits(reference), "0 (every bit)")


def _max_abs(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    allowed = np.maximum(limits["abs_tol"], limits["rel_tol"] * np.abs(reference))
    tolerance = f"max({limits['abs_tol']:g}, {limits['rel_tol']:g} * |expected|)"
    return _per_sample(result, reference, np.abs(result - reference) > allowed, tolerance)


def _decibel(power: npt.ArrayLike) -> Samples:
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power), dtype=np.float64)


def _distance(a: Samples, b: Samples) -> Samples:
    """Return |a - b| in dB, where two silences (-inf) are equal."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b))


def _rms_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    want = _decibel(np.mean(reference**2, axis=-1))
    got = _decibel(np.mean(result**2, axis=-1))
    away = _distance(got, want)

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return f"{want[at]:.6g} dB RMS", f"{got[at]:.6g} dB RMS", f"{away[at]:.6g} dB"

    return _Finding(away > limits["limit_db"], float(np.max(away)), f"{limits['limit_db']:g} dB", line)


def _snr_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    signal, noise = np.sum(reference**2, axis=-1), np.sum((result - reference) ** 2, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.where(noise == 0.0, np.inf, _decibel(signal / noise))
    limit = limits["limit_db"]

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return f"signal to difference >= {limit:g} dB", f"{snr[at]:.6g} dB", f"{snr[at] - limit:.6g} dB"

    return _Finding(snr < limit, float(np.min(snr)), f"at least {limit:g} dB", line)


def _exponent(x: Samples) -> npt.NDArray[np.int32]:
    """Power of two above the largest magnitude (..., 1); squares of signals divided by it are doubles."""
    return np.asarray(np.frexp(np.max(np.abs(x), axis=-1, keepdims=True))[1], dtype=np.int32)


def _spectral_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    scale = np.maximum(_exponent(result), _exponent(reference))
    edges, want_power = third_octaves(np.ldexp(reference, -scale), rate)
    _, got_power = third_octaves(np.ldexp(result, -scale), rate)
    floor = np.max(want_power, axis=-1, keepdims=True) * 10.0 ** (limits["floor_db"] / 10.0)
    want, got = _decibel(np.maximum(want_power, floor)), _decibel(np.maximum(got_power, floor))
    away = _distance(got, want)
    worst = np.argmax(away, axis=-1)

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        band = int(worst[at])
        name = f"from {edges[band]:.5g} to {edges[band + 1]:.5g} Hz"
        if 0 < band < edges.size - 2:
            name = f"in the {(edges[band] * edges[band + 1]) ** 0.5:.5g} Hz third octave"
        full = 20.0 * np.log10(2.0) * float(scale[at][0])
        levels = (f"{side[at][band] + full:.6g} dB {name}" for side in (want, got))
        return next(levels), next(levels), f"{away[at][band]:.6g} dB"

    tolerance = f"{limits['limit_db']:g} dB per third octave above {limits['floor_db']:g} dB of the loudest"
    return _Finding(np.max(away, axis=-1) > limits["limit_db"], float(np.max(away)), tolerance, line)


def _lag(result: Samples, reference: Samples) -> Samples:
    """Frames by which `result` lags, per (batch, channel), at the maximum of the cross-correlation."""
    frames = reference.shape[-1]
    spectrum = np.fft.rfft(result, 2 * frames) * np.conj(np.fft.rfft(reference, 2 * frames))
    peak = np.argmax(np.fft.irfft(spectrum, 2 * frames), axis=-1)
    lag = np.where(peak > frames, peak - 2 * frames, peak).astype(np.float64)
    silent = np.stack([~np.any(x, axis=-1) for x in (result, reference)])
    return np.where(silent[0] != silent[1], np.inf, lag)


def _lag_frames(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    lag = _lag(result, reference)
    limit = limits["limit_frames"]

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return "lag of 0 frames", f"lag of {lag[at]:g} frames", f"{lag[at]:g} frames"

    return _Finding(np.abs(lag) > limit, float(np.max(np.abs(lag))), f"{limit:g} frames", line)


COMPARATORS: Mapping[str, tuple[_Comparator, Mapping[str, float | None]]] = {
    "exact": (_exact, {}),
    "max_abs": (_max_abs, {"abs_tol": 0.0, "rel_tol": 0.0}),
    "rms_db": (_rms_db, {"limit_db": None}),
    "snr_db": (_snr_db, {"limit_db": None}),
    "spectral_db": (_spectral_db, {"limit_db": None, "floor_db": -120.0}),
    "lag_frames": (_lag_frames, {"limit_frames": None}),
}
"""Name to (function, limits with their defaults; None means it must be given)."""


def check_limits(comparator: str, reason: str, limits: Mapping[str, Any]) -> dict[str, float]:
    """Return the full set of limits of a comparator.

    Raises
    ------
    GoldenError
        Unknown comparator, a limit missing or negative, or a tolerance without a reason.
    TypeError
        A limit this comparator does not have.
    """
    if comparator not in COMPARATORS:
        raise GoldenError(checks.unknown("comparator", comparator, COMPARATORS, "comparator"))
    known = COMPARATORS[comparator][1]
    for key in limits:
        if key not in known:
            raise TypeError(checks.unknown(comparator, key, known, "limit"))
    full = {key: limits.get(key, default) for key, default in known.items()}
    missing = [key for key, value in full.items() if value is None]
    if missing:
        raise GoldenError(
            f"{comparator}: limit missing (got none for {', '.join(missing)}). Give it as a keyword."
        )
    values = {
        key: checks.real(f"{comparator}.{key}", value, "a number", GoldenError)
        for key, value in full.items()
        if value is not None
    }
    for key, value in values.items():
        if value < 0.0 and key != "floor_db":
            raise GoldenError(
                f"{comparator}.{key}: out of range (got {value:g}, allowed 0 and above). Change it."
            )
    if comparator != "exact" and not reason.strip():
        raise GoldenError(
            f"{comparator}: no reason for the tolerance (got {reason!r}). Say why: reason='...'."
        )
    return values


def _as_samples(where: str, x: Any) -> Samples:
    samples = arrays.samples(where, getattr(x, "audio", x), takes_scale=False, error=GoldenError)
    return samples.reshape((1,) * (3 - samples.ndim) + samples.shape) if samples.ndim < 3 else samples


def _unfit(
    result: Samples, reference: Samples, rate: float | None, reference_rate: float | None
) -> Mismatch | None:
    """Return why the two cannot be compared sample by sample, or None."""
    if None not in (rate, reference_rate) and rate != reference_rate:
        return Mismatch(
            "sample rate", f"{reference_rate:g} Hz", f"{rate:g} Hz", "sample rates differ", "none"
        )
    if result.shape != reference.shape:
        names = ("batches", "channels", "frames")
        off = [n for n, a, b in zip(names, result.shape, reference.shape, strict=False) if a != b]
        want, got = (str(tuple(x.shape)) + " (batch, channel, frame)" for x in (reference, result))
        return Mismatch("shape", want, got, ", ".join(off or ["dimensions"]) + " differ", "none")
    if reference.size == 0:
        return Mismatch("shape", "at least one sample", "0 samples", "nothing was compared", "none")
    for side, x in (("expected", reference), ("actual", result)):
        bad = ~np.isfinite(x)
        if bad.any():
            b, c, n = _first(bad)
            want, got = repr(float(reference[b, c, n])), repr(float(result[b, c, n]))
            return Mismatch("non-finite", want, got, f"{side} is not finite", "none", n, b, c)
    return None


def _first(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return (batch, channel, frame) of the first True in time; ties go to the lowest batch, then channel."""
    frame = int(np.argmax(mask.any(axis=(0, 1))))
    batch, channel = np.argwhere(mask[:, :, frame])[0]
    return int(batch), int(channel), frame


def _place(finding: _Finding, result: Samples, reference: Samples) -> Mismatch:
    if finding.failed.ndim == 3:
        at: tuple[int, ...] = _first(finding.failed)
        batch, channel, frame = at
    else:
        at = tuple(int(i) for i in np.argwhere(finding.failed)[0])
        batch, channel = at
        frame = int(np.argmax(_bits(result[at]) != _bits(reference[at])))
    return Mismatch("value", *finding.line(at), finding.tolerance, frame, batch, channel)


@checks.keywords
def compare(
    result: Any,
    reference: Any,
    *,
    comparator: str = "exact",
    reason: str = "",
    sample_rate: float | None = None,
    reference_sample_rate: float | None = None,
    **limits: float,
) -> Comparison:
    """Hold `result` against `reference`.

    Parameters
    ----------
    result, reference : Render, or array (B, C, N), (C, N) or (N,)
    comparator : str
        ============= ==================================================== =========================
        name          passes if                                            limits
        ============= ==================================================== =========================
        `exact`       every bit is equal                                   none
        `max_abs`     abs(difference) <= max(abs_tol, rel_tol *            `abs_tol`, `rel_tol`, of
                      abs(expected)) at every sample                       0 each
        `rms_db`      levels differ by at most the limit                   `limit_db`
        `snr_db`      signal to difference is at least the limit           `limit_db`
        `spectral_db` levels from 0 Hz to Nyquist, by third octaves above  `limit_db`, `floor_db` of
                      17.8 Hz, differ by at most the limit; below the      -120
                      floor under the loudest they count as it
        `lag_frames`  cross-correlation peaks within the limit of zero     `limit_frames`
        ============= ==================================================== =========================
    reason : str
        Why the tolerance is right; required by all comparators but `exact`.
    sample_rate, reference_sample_rate : float, optional
        Hz, default that of a Render; a difference is a failure. `spectral_db` needs one.
    **limits : float
        Of the comparator, by the names above; one without a default must be given.

    Returns
    -------
    Comparison
        Shape, sample rate and non-finite values are failures too, whatever the comparator.

    Raises
    ------
    GoldenError, TypeError
        See `check_limits`.
    """
    values = check_limits(comparator, reason, limits)
    rate = getattr(result, "sample_rate", sample_rate)
    reference_rate = getattr(reference, "sample_rate", reference_sample_rate)
    hertz = rate if rate is not None else reference_rate
    if comparator == "spectral_db" and hertz is None:
        raise GoldenError("spectral_db: no sample rate (got None). Give sample_rate= in Hz.")
    got, want = _as_samples("compare.result", result), _as_samples("compare.reference", reference)
    batches, channels, frames = want.shape[-3:]
    mismatch = _unfit(got, want, rate, reference_rate)
    measured = float("nan")
    if mismatch is None:
        finding = COMPARATORS[comparator][0](got, want, values, hertz or 0.0)
        measured = finding.measured
        if finding.failed.any():
            mismatch = _place(finding, got, want)
    return Comparison(comparator, frames, channels, batches, mismatch, measured, reason)
