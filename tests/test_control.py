"""Control curves: allowed points, their interpolation, and that JSON keeps their bits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab.graph.records.curves import Interpolation

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


def sampled(curve: amp.Curve, frames: int, rate: float = 10.0, first: int = 0) -> np.ndarray:
    """Sample one curve."""
    return amp.ControlHistory([curve]).sample(curve.name, rate, frames, first)


@pytest.mark.parametrize(
    ("times", "values", "interpolation", "message"),
    [
        ([0, 1], [1], "linear", r"wrong shape \(got times \(2,\) and values \(1,\)"),
        ([], [], "linear", "wrong shape"),
        ([0, float("nan")], [1, 1], "linear", r"point 1 is not finite \(got \(nan s, 1\)\)"),
        ([0, 2, 1], [1, 1, 1], "hold", r"times decrease at point 2 \(got 1 s after 2 s\)"),
        ([0, 1], [1, -1], "exponential", r"exponential through zero between points 0 and 1 \(got 1 to -1"),
        ([0, 1], [0, 1], "exponential", "exponential through zero"),
        ([0], [1], "cubic", r"no such interpolation \(got 'cubic', allowed hold \| linear \| smooth"),
    ],
)
def test_a_wrong_curve_is_named(
    times: list[float], values: list[float], interpolation: str, message: str
) -> None:
    """The error names the curve and the first point that is wrong."""
    with pytest.raises(amp.GraphError, match=rf"curve 'x': .*{message}"):
        amp.Curve("x", times, values, interpolation)  # type: ignore[arg-type]


def test_a_curve_needs_a_name() -> None:
    """A nameless curve is refused."""
    with pytest.raises(amp.GraphError, match="not a name"):
        amp.Curve("", [0], [1])


def test_points_are_read_only() -> None:
    """A curve cannot be changed after it was checked, not even through the arrays it was made from."""
    times = np.array([0.0, 1.0])
    curve = amp.Curve("x", times, [1, 2])
    times[0] = 5
    assert curve.times_s[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        curve.values[0] = 3


def test_ends_hold_and_the_later_of_two_points_wins() -> None:
    """Before and after its points a curve has its end values; at a shared time the later point counts."""
    step = amp.Curve("x", [0.2, 0.4, 0.4, 0.6], [1, 1, 5, 5])
    assert sampled(step, 8).tolist() == [1, 1, 1, 1, 5, 5, 5, 5]


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("hold", [1, 1, 1, 1, 16]),
        ("linear", [1, 4.75, 8.5, 12.25, 16]),
        ("smooth", [1, 1 + 15 * 0.15625, 8.5, 1 + 15 * 0.84375, 16]),
        ("exponential", [1, 2, 4, 8, 16]),
    ],
)
def test_interpolation(interpolation: Interpolation, expected: list[float]) -> None:
    """Between points the curve follows the formula in history.h."""
    curve = amp.Curve("x", [0, 0.4], [1, 16], interpolation)
    np.testing.assert_allclose(sampled(curve, 5), expected, rtol=1e-14)


def test_samples_do_not_depend_on_the_first_frame() -> None:
    """Sampling in pieces gives the bits of sampling at once."""
    history = amp.performance()
    whole = history.sample("pitch_hz", 48_000, 30_000)
    pieces = [history.sample("pitch_hz", 48_000, 10_000, first) for first in (0, 10_000, 20_000)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_sampled_curve_gives_its_samples_back() -> None:
    """A curve made from samples at a rate passes through them at that rate."""
    samples = np.sin(np.arange(50.0))
    np.testing.assert_allclose(sampled(amp.Curve.sampled("x", samples, 10.0), 50), samples, atol=1e-15)


def test_drawn_points_are_sorted_and_keep_the_order_of_one_time() -> None:
    """Points drawn back and forth are sorted by time, stably."""
    curve = amp.Curve.drawn("x", [(1, 5), (0, 1), (1, 6)])
    assert (curve.times_s.tolist(), curve.values.tolist()) == ([0, 1, 1], [1, 5, 6])
    # More points than a sort puts in order by insertion, which is stable of itself.
    points = [
        (float(time), float(value))
        for value, time in enumerate(np.random.default_rng(2).integers(9, size=999))
    ]
    curve = amp.Curve.drawn("x", points)
    assert list(zip(curve.times_s, curve.values, strict=True)) == sorted(points)  # values count up


@given(
    st.lists(st.tuples(finite, finite), min_size=1, max_size=12),
    st.sampled_from(["hold", "linear", "smooth"]),
    st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()),
)
def test_json_keeps_every_bit(
    points: list[tuple[float, float]], interpolation: Interpolation, name: str
) -> None:
    """JSON text restores any curve with the same bits."""
    history = amp.ControlHistory([amp.Curve.drawn(name, points, interpolation)])
    again = amp.ControlHistory.from_json(history.to_json())
    assert again == history
    assert again.blob == history.blob


def test_json_lists_every_violation() -> None:
    """One error names all wrong curves with their paths."""
    curves = {
        "a": {"interpolation": "hold"},
        "b": {"interpolation": "hold", "points": [[1, 0], [0, 0]]},
        "c": 3,
    }
    with pytest.raises(amp.GraphError) as caught:
        amp.ControlHistory.from_json(json.dumps({"schema": "amp_lab.controls/1", "curves": curves}))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [f"$.curves.{n}" for n in "abc"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"schema": "amp_lab.controls/2", "curves": {}}'])
def test_json_of_another_schema_is_refused(text: str) -> None:
    """Only the tagged schema is read."""
    with pytest.raises(amp.GraphError, match="not a control history"):
        amp.ControlHistory.from_json(text)


def test_save_and_load(tmp_path: Path) -> None:
    """A file keeps the digest."""
    history = amp.performance()
    assert amp.ControlHistory.load(history.save(tmp_path / "c.json")).digest == history.digest


def test_merge_and_select() -> None:
    """The other's curve wins a merge; selecting names what is missing."""
    a, b, b2 = amp.Curve("a", [0], [1]), amp.Curve("b", [0], [1]), amp.Curve("b", [0], [2])
    merged = amp.ControlHistory([a, b]).merge(amp.ControlHistory([b2]))
    assert list(merged.values()) == [a, b2]
    assert list(merged.select(["b"])) == ["b"]
    with pytest.raises(amp.GraphError, match=r"missing x, y \(got a \| b\)"):
        merged.select(["y", "x", "a"])


def test_a_name_given_twice_is_refused() -> None:
    """Names are unique."""
    with pytest.raises(amp.GraphError, match="'a' is given twice"):
        amp.ControlHistory([amp.Curve("a", [0], [1]), amp.Curve("a", [0], [1])])


def test_an_unknown_curve_cannot_be_sampled() -> None:
    """Sampling a curve that is not there names it."""
    with pytest.raises(amp.AmpError, match="nothing"):
        amp.ControlHistory([amp.Curve("a", [0], [1])]).sample("nothing", 48_000, 10)


def test_the_performance_is_music_of_ten_seconds() -> None:
    """Four curves; every note opens the gate and has its velocity; no point is after 10 s."""
    history = amp.performance()
    assert list(history) == ["cutoff_hz", "gate", "pitch_hz", "velocity"]
    notes = np.count_nonzero(history["gate"].values)
    assert notes == history["velocity"].values.size >= 20
    assert len(set(history["velocity"].values)) >= 5
    assert 9.0 < max(curve.times_s[-1] for curve in history.values()) <= 10.0
    assert 30 < history["pitch_hz"].values.min() < history["pitch_hz"].values.max() < 1000


def test_repr_is_one_stable_line() -> None:
    """Curve and history print as one line."""
    curve = amp.Curve("x", [0, 2.5], [1, 2])
    assert repr(curve) == "Curve x: 2 points, 0 to 2.5 s, linear"
    assert repr(amp.ControlHistory([curve])) == "ControlHistory: x"
