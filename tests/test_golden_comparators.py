"""Comparators hold for every level that float64 has: expected values are closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab.golden import COMPARATORS, GoldenError, comparators, compare

RATE = 48_000.0
LIMITS: dict[str, dict[str, float]] = {
    "exact": {},
    "max_abs": {"abs_tol": 0.0},
    "rms_db": {"limit_db": 0.1},
    "snr_db": {"limit_db": 60.0},
    "spectral_db": {"limit_db": 0.1},
    "lag_frames": {"limit_frames": 0},
}
LEVELS = [5e-324 * 2**20, 1e-300, 1e-200, 1.0, 1e160, 1e200, 1e307]
"""From denormals to where the difference of two samples is more than float64 holds."""


def held(name: str, result: Any, reference: Any, **limits: float) -> amp.golden.Comparison:
    options: dict[str, Any] = LIMITS[name] | limits | ({} if name == "exact" else {"reason": "test"})
    return compare(result, reference, comparator=name, sample_rate=RATE, **options)


def noise(frames: int = 4096) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(1).uniform(-0.5, 0.5, frames)


def test_every_comparator_is_held_to_every_case_here() -> None:
    """A new comparator gets its limits above, and with them all of these tests."""
    assert LIMITS.keys() == COMPARATORS.keys()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", COMPARATORS)
def test_a_sound_equals_itself_at_every_level(name: str, level: float) -> None:
    """Neither the smallest nor the largest samples make a comparison with itself fail."""
    assert held(name, noise() * level, noise() * level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", COMPARATORS)
def test_another_sound_fails_at_every_level(name: str, level: float) -> None:
    """The reference reversed in time and twice as loud is another, however small or large its squares are."""
    quiet = noise() / 2.0
    assert not held(name, quiet[::-1] * level * 2.0, quiet * level)


@pytest.mark.parametrize("level", LEVELS)
def test_measures_do_not_depend_on_the_level(level: float) -> None:
    """Half of a sound is 6.02 dB away and 6.02 dB under its difference, at any level."""
    x = noise() * level
    half = 20.0 * math.log10(2.0)
    assert held("rms_db", x / 2.0, x, limit_db=0.0).measured == pytest.approx(half, abs=1e-6)
    assert held("snr_db", x / 2.0, x, limit_db=0.0).measured == pytest.approx(half, abs=1e-6)
    assert held("snr_db", -x, x, limit_db=0.0).measured == pytest.approx(-half, abs=1e-6)
    assert held("lag_frames", np.r_[np.zeros(7), x[:-7]], x).measured == 7.0


def test_a_tolerance_above_all_samples_is_none_for_larger_differences() -> None:
    """|difference| 3e308 is more than 1.5 * |expected| 2.25e308, though float64 holds neither."""
    assert not held("max_abs", np.array([-1.5e308]), np.array([1.5e308]), rel_tol=1.5)
    assert held("max_abs", np.array([-1.5e308]), np.array([1.5e308]), rel_tol=2.0)
    assert held("max_abs", np.array([1.5e308]), np.array([1.0]), abs_tol=1.6e308)


@pytest.mark.parametrize(("name", "passes"), [("rms_db", True), ("snr_db", True), ("lag_frames", True)])
def test_silence_equals_silence_and_nothing_else(name: str, passes: bool) -> None:
    """Two silences agree; silence on one side only is infinitely far, however large the limit."""
    far = {"limit_frames": 1e6} if name == "lag_frames" else {"limit_db": 0.0 if name == "snr_db" else 1e6}
    silence, sound = np.zeros(64), np.r_[1.0, np.zeros(63)]
    assert bool(held(name, silence, silence)) is passes
    assert not held(name, sound, silence, **far)
    if name != "snr_db":  # the difference of a sound to silence is the sound: 0 dB
        assert not held(name, silence, sound, **far)
    assert held("snr_db", silence, sound, limit_db=0.0).measured == 0.0


def test_signals_that_never_correlate_have_no_lag() -> None:
    """An inverted impulse has no positive correlation at any lag, so no lag is within the limit."""
    impulse = np.array([1.0, 0.0, 0.0, 0.0])
    verdict = held("lag_frames", -impulse, impulse, limit_frames=3)
    assert not verdict and verdict.measured == math.inf
    assert not held("lag_frames", np.array([-1.0]), np.array([1.0]), limit_frames=1)


@pytest.mark.parametrize("name", COMPARATORS)
def test_a_measure_that_is_no_number_never_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A measure that is NaN fails the comparison: only a value within the limit passes."""
    monkeypatch.setattr(comparators, "_energy_db", lambda x: np.full(x.shape[:-1], np.nan))
    monkeypatch.setattr(comparators, "_lag", lambda result, reference: np.full((1, 1), np.nan))
    monkeypatch.setattr(comparators, "_distance", lambda a, b: np.full_like(a, np.nan))
    expected = name in ("exact", "max_abs")  # which measure samples, and those are finite
    assert bool(held(name, noise(), noise())) is expected


@given(
    result=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    name=st.sampled_from(sorted(COMPARATORS)),
)
@settings(max_examples=200, deadline=None)
def test_finite_samples_always_have_a_measure(result: list[float], name: str) -> None:
    """No finite samples make a measure NaN, warn, or let a bit through `exact` and `max_abs` of 0."""
    reference = [value / 3.0 + 1e-310 for value in result]
    verdict = held(name, np.array(result), np.array(reference))
    assert not math.isnan(verdict.measured)
    if name in ("exact", "max_abs"):
        assert bool(verdict) == (result == reference)
    assert held(name, np.array(result), np.array(result)) or verdict.measured == math.inf


NO_LIMITS: list[Any] = [
    -1.0,
    math.nan,
    math.inf,
    -math.inf,
    "3",
    b"3",
    True,
    None,
    [1.0],
    1j,
    10**400,
    object(),
]


@pytest.mark.parametrize("value", NO_LIMITS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("name", "key"), [(n, key) for n, (_, keys) in COMPARATORS.items() for key in keys if key != "floor_db"]
)
def test_a_limit_is_a_number_from_zero_up(name: str, key: str, value: Any) -> None:
    """Negative, NaN, infinite, text, bool: refused with place, value and range."""
    with pytest.raises(GoldenError, match=rf"{name}(\.{key})?: .*got .*(allowed 0 and above|none for)"):
        held(name, noise(), noise(), **{key: value})


@pytest.mark.parametrize("value", [0.0, 3.0, math.nan, "x", True])
def test_a_floor_must_be_below_the_loudest_band(value: Any) -> None:
    """A floor at or above the loudest band would make all bands equal."""
    with pytest.raises(GoldenError, match=r"spectral_db\.floor_db: .*allowed below 0"):
        held("spectral_db", noise(), noise(), floor_db=value)


@pytest.mark.parametrize("name", [None, 3, [], "Exact", "", "exact\x1b[2J"])
def test_an_unknown_comparator_is_an_error_that_names_the_known(name: Any) -> None:
    """It never passes, and never raises anything raw."""
    with pytest.raises(GoldenError, match=r"no such comparator .*allowed exact \| max_abs"):
        compare(noise(), noise(), comparator=name)


@pytest.mark.parametrize("reason", ["", "  ", None, 3])
def test_a_reason_is_text(reason: Any) -> None:
    """A tolerance without a reason is refused, whatever is given instead."""
    with pytest.raises(GoldenError, match="no reason for the tolerance"):
        compare(noise(), noise(), comparator="max_abs", abs_tol=1.0, reason=reason)


class Trap:
    """An object whose samples cannot be read."""

    @property
    def audio(self) -> Any:
        raise OSError("no such device")


NO_SAMPLES = [None, 3, "text", b"x", {}, object(), Trap(), np.array(["a"]), np.array([1j])]
NO_SAMPLES += [np.array([True]), np.array([None]), [[1.0], [1.0, 2.0]], np.arange(3), len]


@pytest.mark.parametrize("thing", NO_SAMPLES, ids=lambda x: type(x).__name__)
def test_what_holds_no_samples_is_refused(thing: Any) -> None:
    """Either side: complex parts, truth values and full scales of integers are not guessed."""
    for sides in ((thing, noise()), (noise(), thing)):
        with pytest.raises(GoldenError, match=r"compare\.\w+: .*\(got .*allowed a Render, or an array"):
            compare(*sides)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, "48000", True])
def test_a_sample_rate_is_a_positive_number(rate: Any) -> None:
    """On either side, with every comparator."""
    for key in ("sample_rate", "reference_sample_rate"):
        with pytest.raises(GoldenError, match=rf"compare\.{key}: "):
            compare(noise(), noise(), **{key: rate})


def test_more_axes_than_three_are_a_failure() -> None:
    """Four axes are no samples (batch, channel, frame), even if both sides have them."""
    verdict = compare(np.zeros((1, 1, 1, 4)), np.zeros((1, 1, 1, 4)))
    assert not verdict and verdict.mismatch is not None and verdict.mismatch.what == "shape"
