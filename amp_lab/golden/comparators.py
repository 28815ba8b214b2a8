"""Named comparators: two arrays `(batch, channel, frame)` in, one `Comparison` out.

`exact`, the default, requires equal bits. All others require a reason for their tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.analysis.bands import third_octaves
from amp_lab.common import checks
from amp_lab.errors import quoted

from .operands import as_samples, bits, first, rate_of, unfit
from .verdict import Comparison, GoldenError, Mismatch

__all__ = ["COMPARATORS", "Comparison", "check_limits", "compare", "third_octaves"]

Samples = npt.NDArray[np.float64]
_LARGE = 2.0**1021
"""From here on the difference or sum of two samples may be more than float64 holds."""
_CORRELATED = 1e-9
"""Of the product of both norms: a cross-correlation below it has no peak."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """One comparator's answer, with the lines a failure prints for it.

    `passed` has shape `(B, C)` or `(B, C, N)` and is what compares as within the limit, so that a measure
    that is NaN never is; `line` gives expected, actual and difference at one place of it.
    """

    passed: npt.NDArray[np.bool_]
    measured: float
    tolerance: str
    line: Callable[[tuple[int, ...]], tuple[str, str, str]]


_Comparator = Callable[[Samples, Samples, Mapping[str, float], float], _Finding]


def _factor(*sides: Samples) -> float:
    """Return what keeps differences of these samples finite: 1, or a power of two for very large ones."""
    return 0.25 if max(float(np.max(np.abs(x))) for x in sides) > _LARGE else 1.0


def _per_sample(
    result: Samples, reference: Samples, passed: npt.NDArray[np.bool_], tolerance: str
) -> _Finding:
    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        want, got = float(reference[at]), float(result[at])
        return repr(want), repr(got), repr(got - want)

    with np.errstate(over="ignore"):
        return _Finding(passed, float(np.max(np.abs(result - reference))), tolerance, line)


def _exact(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    return _per_sample(result, reference, bits(result) == bits(reference), "0 (every bit)")


def _max_abs(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    factor = _factor(result, reference)
    with np.errstate(over="ignore"):  # a tolerance may be larger than all there is
        allowed = np.maximum(limits["abs_tol"] * factor, limits["rel_tol"] * np.abs(reference * factor))
    tolerance = f"max({limits['abs_tol']:g}, {limits['rel_tol']:g} * |expected|)"
    passed = np.abs(result * factor - reference * factor) <= allowed
    return _per_sample(result, reference, passed, tolerance)


def _decibel(power: npt.ArrayLike) -> Samples:
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power), dtype=np.float64)


def _scaled(x: Samples, *others: Samples) -> tuple[Samples, Samples]:
    """Return rows times a power of two that brings their largest sample to 0.5 to 1, and its exponent.

    So their squares neither overflow nor vanish. `others` are looked at too, for one common scale.
    """
    largest = [np.max(np.abs(row), axis=-1, keepdims=True) for row in (x, *others)]
    exponent = np.frexp(np.max(largest, axis=0))[1]
    scaled: Samples = np.ldexp(x, -exponent)
    return scaled, np.asarray(exponent[..., 0], dtype=np.float64)


def _energy_db(x: Samples) -> Samples:
    """Sum of squares along time in dB; -inf only for rows of zeros."""
    scaled, exponent = _scaled(x)
    energy: Samples = _decibel(np.sum(scaled**2, axis=-1)) + exponent * (20.0 * np.log10(2.0))
    return energy


def _distance(a: Samples, b: Samples) -> Samples:
    """Return |a - b| in dB, where two silences (-inf) are equal."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b))


def _rms_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    frames = _decibel(reference.shape[-1])
    want, got = _energy_db(reference) - frames, _energy_db(result) - frames
    away = _distance(got, want)

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return f"{want[at]:.6g} dB RMS", f"{got[at]:.6g} dB RMS", f"{away[at]:.6g} dB"

    return _Finding(away <= limits["limit_db"], float(np.max(away)), f"{limits['limit_db']:g} dB", line)


def _snr_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    factor = _factor(result, reference)
    signal = _energy_db(reference)
    noise = _energy_db(result * factor - reference * factor) - 20.0 * np.log10(factor)
    with np.errstate(invalid="ignore"):
        snr = np.where(np.isneginf(noise), np.inf, signal - noise)
    limit = limits["limit_db"]

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return f"signal to difference >= {limit:g} dB", f"{snr[at]:.6g} dB", f"{snr[at] - limit:.6g} dB"

    return _Finding(snr >= limit, float(np.min(snr)), f"at least {limit:g} dB", line)


def _spectral_db(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    (expected, scale), (actual, _) = _scaled(reference, result), _scaled(result, reference)
    edges, want_power = third_octaves(expected, rate)
    _, got_power = third_octaves(actual, rate)
    floor = np.max(want_power, axis=-1, keepdims=True) * 10.0 ** (limits["floor_db"] / 10.0)
    want, got = _decibel(np.maximum(want_power, floor)), _decibel(np.maximum(got_power, floor))
    away = _distance(got, want)
    worst = np.argmax(away, axis=-1)

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        band = int(worst[at])
        name = f"from {edges[band]:.5g} to {edges[band + 1]:.5g} Hz"
        if 0 < band < edges.size - 2:
            name = f"in the {(edges[band] * edges[band + 1]) ** 0.5:.5g} Hz third octave"
        full = 20.0 * np.log10(2.0) * float(scale[at])
        levels = (f"{side[at][band] + full:.6g} dB {name}" for side in (want, got))
        return next(levels), next(levels), f"{away[at][band]:.6g} dB"

    tolerance = f"{limits['limit_db']:g} dB per third octave above {limits['floor_db']:g} dB of the loudest"
    return _Finding(np.max(away, axis=-1) <= limits["limit_db"], float(np.max(away)), tolerance, line)


def _lag(result: Samples, reference: Samples) -> Samples:
    """Frames by which `result` lags, per (batch, channel), at the maximum of the cross-correlation.

    Two silences lag by 0; a silence and a sound, or two sounds that never correlate, by infinity.
    """
    frames = reference.shape[-1]
    late, early = _scaled(result)[0], _scaled(reference)[0]
    spectrum = np.fft.rfft(late, 2 * frames) * np.conj(np.fft.rfft(early, 2 * frames))
    correlation = np.fft.irfft(spectrum, 2 * frames)
    peak = np.argmax(correlation, axis=-1)
    lag: Samples = np.where(peak > frames, peak - 2 * frames, peak).astype(np.float64)
    norms = np.sqrt(np.sum(late**2, axis=-1) * np.sum(early**2, axis=-1))
    lag[~(np.max(correlation, axis=-1) > _CORRELATED * norms)] = np.inf
    lag[~np.any(result, axis=-1) & ~np.any(reference, axis=-1)] = 0.0
    return lag


def _lag_frames(result: Samples, reference: Samples, limits: Mapping[str, float], rate: float) -> _Finding:
    lag = _lag(result, reference)
    limit = limits["limit_frames"]

    def line(at: tuple[int, ...]) -> tuple[str, str, str]:
        return "lag of 0 frames", f"lag of {lag[at]:g} frames", f"{lag[at]:g} frames"

    return _Finding(np.abs(lag) <= limit, float(np.max(np.abs(lag))), f"{limit:g} frames", line)


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
        Unknown comparator, a limit missing, out of range or no number, or a tolerance without a reason.
    TypeError
        A limit this comparator does not have.
    """
    checks.choice("comparator", comparator, COMPARATORS, "comparator", GoldenError)
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
    values = {key: _limit(f"{comparator}.{key}", value, key == "floor_db") for key, value in full.items()}
    if not isinstance(reason, str) or (comparator != "exact" and not reason.strip()):
        raise GoldenError(
            f"{comparator}: no reason for the tolerance (got {quoted(reason)}). Say why: reason='...'."
        )
    return values


def _limit(where: str, value: Any, below_zero: bool) -> float:
    """Return a limit: a finite number from 0 up, or below 0."""
    allowed = "below 0" if below_zero else "0 and above"
    number = checks.real(where, value, allowed, GoldenError)
    if number >= 0.0 if below_zero else number < 0.0:
        raise GoldenError(f"{where}: out of range (got {number:g}, allowed {allowed}). Change it.")
    return number


def _place(finding: _Finding, result: Samples, reference: Samples) -> Mismatch:
    if finding.passed.ndim == 3:
        at: tuple[int, ...] = first(~finding.passed)
        batch, channel, frame = at
    else:
        at = tuple(int(i) for i in np.argwhere(~finding.passed)[0])
        batch, channel = at
        frame = int(np.argmax(bits(result[at]) != bits(reference[at])))
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
    """Compare `result` with `reference`.

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
        Shape, sample rate and non-finite values are failures too, whatever the comparator, and so is a
        measure that is no number.

    Raises
    ------
    GoldenError, TypeError
        See `check_limits`; or one side holds no samples.

    Examples
    --------
    >>> x = amp.measure.tone(4800, 48_000.0, 440.0)
    >>> amp.golden.compare(x, x)
    PASS exact 4800 frames x 1 channel
    >>> print(amp.golden.compare(1.1 * x, x, comparator="rms_db", limit_db=0.5, reason="level by ear"))
    FAIL rms_db at block 0, frame 1, batch 0, channel 0
      expected   -3.0103 dB RMS
      actual     -2.18245 dB RMS
      difference 0.827854 dB
      tolerance  0.5 dB
      reason     level by ear
    """
    values = check_limits(comparator, reason, limits)
    rate = rate_of("compare.sample_rate", result, sample_rate)
    reference_rate = rate_of("compare.reference_sample_rate", reference, reference_sample_rate)
    hertz = rate if rate is not None else reference_rate
    if comparator == "spectral_db" and hertz is None:
        raise GoldenError("spectral_db: no sample rate (got None). Give sample_rate= in Hz.")
    got, want = as_samples("compare.result", result), as_samples("compare.reference", reference)
    batches, channels, frames = want.shape[-3:]
    mismatch = unfit(got, want, rate, reference_rate)
    measured = float("nan")
    if mismatch is None:
        finding = COMPARATORS[comparator][0](got, want, values, hertz or 0.0)
        measured = finding.measured
        if not finding.passed.all():
            mismatch = _place(finding, got, want)
    return Comparison(comparator, frames, channels, batches, mismatch, measured, reason)
