"""Levels, true peak and loudness: examples, laws, and what is refused."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import analysis, measure, plots
from amp_lab.analysis import layouts
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.lowlevel import meter as native_meter
from amp_lab.lowlevel.library import LEVELS
from amp_lab.lowlevel.meter import LOUDNESS, TRUE_PEAK, Meter

RATE = 48_000.0
Samples = npt.NDArray[np.float64]
seeds = st.integers(0, 2**32)


def noise(seed: int, *shape: int) -> Samples:
    return np.random.default_rng(seed).normal(size=shape) * 0.1


def tone(level_db: float, frames: int, frequency_hz: float = 997.0, rate: float = RATE) -> Samples:
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz / rate * np.arange(frames))


# ---- loudness ----


@pytest.mark.parametrize("frames", [19_200, 20_000, 22_000, 23_999, 24_000, 48_000, 100_000])
def test_a_steady_tone_reads_its_loudness_at_any_length(frames: int) -> None:
    """Only complete gating blocks count: a rest at the end does not lower the loudness."""
    assert measure.loudness(np.tile(tone(-23.0, frames), (2, 1)), RATE) == pytest.approx(-23.0, abs=0.005)


@pytest.mark.parametrize("rate", [1_600.0, 7_999.0, 384_001.0, math.nan, -48_000.0, "48k", 1e9])
def test_a_rate_at_which_loudness_is_not_defined_is_refused(rate: Any) -> None:
    """With the range that is."""
    for function in (measure.loudness, measure.ebu_r128):
        with pytest.raises(InvalidArgument, match=r"sample_rate: .*(allowed 8000 to 384000 Hz)"):
            function(np.zeros(1_000_000), rate)


def test_less_than_a_gating_block_is_refused() -> None:
    """One frame less than 400 ms is; the summary has no number then."""
    with pytest.raises(InvalidArgument, match=r"loudness: too short \(got 0.4000 s, allowed 0.4 s"):
        measure.loudness(tone(-23.0, 19_199), RATE)
    assert np.isnan(analysis.measure_levels(tone(-23.0, 19_199), RATE).loudness_lufs).all()


def test_silence_is_minus_infinity_and_has_no_range() -> None:
    """Nothing is above the absolute gate."""
    found = measure.ebu_r128(np.zeros(200_000), RATE)
    assert found.integrated_lufs[0] == -math.inf and found.momentary_max_lufs[0] == -math.inf
    assert math.isnan(found.range_lu[0])
    assert (found.blocks[0], found.blocks_above[0]) == (38, 0)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("3.0", [1, 1, 1]),
        ("4.0", [1, 1, 1.41, 1.41]),
        ("5.0", [1, 1, 1, 1.41, 1.41]),
        ("5.1", [1, 1, 1, 0, 1.41, 1.41]),
        ("7.1", [1, 1, 1, 0, 1.41, 1.41, 1, 1]),
        (["Lrs", "Lss", "LFE", "Ltf", "Cs", "C"], [1, 1.41, 0, 1, 1, 1]),
    ],
)
def test_a_layout_decides_how_much_each_channel_counts(layout: Any, expected: list[float]) -> None:
    """One channel after the other sounds: its loudness is its weight in dB; effects do not count."""
    x = np.zeros((len(expected), len(expected), 24_000))
    x[range(len(expected)), range(len(expected))] = tone(-23.0, 24_000)
    with np.errstate(divide="ignore"):
        wanted = -26.01 + 10 * np.log10(expected)
    assert measure.loudness(x, RATE, layout=layout) == pytest.approx(wanted, abs=0.005)


def test_more_than_two_channels_need_a_layout() -> None:
    """Refused with a proposal; the summary has no number then, and one with it."""
    x = noise(1, 6, 24_000)
    with pytest.raises(InvalidArgument, match=r"layout: missing .*got 6, .*for example layout='5.1'"):
        measure.loudness(x[None], RATE)
    assert np.isnan(analysis.measure_levels(x[None], RATE).loudness_lufs[0])
    named = analysis.measure_levels(x[None], RATE, layout="5.1").loudness_lufs
    assert named == measure.loudness(x[None], RATE, layout="5.1")


def test_a_render_of_more_than_two_channels_is_measured_with_its_layout() -> None:
    """`Render.measure(layout=)` gives the loudness that `measure.loudness` gives of its audio."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.noise(channels=5, seed=2))
    r = g.render(seconds=0.5, isolation="none")
    assert np.isnan(r.measure().loudness_lufs[0])
    assert r.measure(layout="5.0").loudness_lufs == measure.loudness(r.audio, RATE, layout="5.0")


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("5.2", r"layout: no such layout \(got '5.2', allowed mono \| stereo \|"),
        ("5.0", r"another number of channels .*got 5 for L, R, C, Ls, Rs, allowed 2"),
        (["L", "X"], r"no such loudspeaker \(got 'X'"),
        (5, r"layout: not allowed"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(layout: Any, message: str) -> None:
    """By name."""
    with pytest.raises(AmpError, match=message):
        measure.loudness(noise(1, 2, 24_000), RATE, layout=layout)


def test_weights_follow_the_angle() -> None:
    """BS.1770-4, table 4: 1.41 from 60 to 120 degrees below 30 degrees of elevation, else 1."""
    for name, place in layouts.POSITIONS.items():
        beside = place is not None and 60 <= abs(place[0]) <= 120 and place[1] < 30
        assert layouts.weights([name])[0] == (0.0 if place is None else 1.41 if beside else 1.0)
    assert all(name in layouts.POSITIONS for names in layouts.LAYOUTS.values() for name in names)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_loudness_of_noise_agrees_with_another_meter(rate: int) -> None:
    """pyloudnorm normalises the highpass differently: 0.043 LU apart, the same for every signal."""
    x = noise(3, 2, 5 * rate) * np.linspace(0.05, 1.0, 5 * rate)
    other = pyloudnorm.Meter(rate).integrated_loudness(x.T)
    assert measure.loudness(x, rate) == pytest.approx(other + 0.043, abs=0.02)


def test_gates_leave_out_what_is_quiet() -> None:
    """What is silent, or 10 LU and more below the mean of the rest, does not count."""
    loud, quiet = tone(-20.0, 480_000), tone(-36.0, 480_000)
    found = measure.ebu_r128(np.concatenate([loud, quiet, np.zeros(480_000)]), RATE)
    edges = 10 * math.log10((97 + 0.75 + 0.5 + 0.25) / 100)  # of the last three blocks a part is loud
    assert found.integrated_lufs[0] == pytest.approx(-23.01 + edges, abs=0.005)
    assert found.gate_lufs[0] == pytest.approx(-23.01 - 10 - 2.9, abs=0.1)
    assert found.blocks[0] == 297 and found.blocks_above[0] == 100


def test_the_reading_is_a_record_with_units() -> None:
    """One line, read-only, plain values, pickled whole, drawn."""
    found = measure.ebu_r128(np.tile(tone(-23.0, 192_000), (2, 2, 1)), RATE)
    assert repr(found) == (
        "Loudness(2 batches of L R, 192000 frames at 48000 Hz: integrated -23.00 LUFS, range 0.00 LU, "
        "momentary at most -23.00 LUFS, short-term at most -23.00 LUFS)"
    )
    assert found.units["range_lu"] == "LU"
    with pytest.raises(ValueError, match="read-only"):
        found.momentary_lufs[0, 0] = 0.0
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)
    assert json.loads(json.dumps(found.to_dict()))["channels"] == ["L", "R"]
    assert found.momentary_lufs.shape == (2, 361) and found.momentary_times_s[-1] == pytest.approx(4.0)
    assert found.short_term_lufs.shape == (2, 101) and found.short_term_times_s[0] == 3.0
    assert [line.get_label() for line in found.plot().axes[0].lines[:2]] == [
        "momentary, 0.4 s",
        "short-term, 3 s",
    ]
    assert plots.loudness(found, batch=1).axes[0].get_ylabel() == "loudness (LUFS)"


# ---- laws ----


@given(seed=seeds, frames=st.integers(1, 400), before=st.integers(0, 200), after=st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_peaks_do_not_depend_on_direction_sign_or_padding(
    seed: int, frames: int, before: int, after: int
) -> None:
    """Bit for bit: a value near an end is measured like one in the middle."""
    x = noise(seed, frames)
    padded = np.concatenate([np.zeros(before), x, np.zeros(after)])
    for y in (x[::-1], -x, padded, padded[::-1]):
        assert measure.true_peak(y) == measure.true_peak(x)
        assert analysis.measure_levels(y, RATE).peak_db == analysis.measure_levels(x, RATE).peak_db
    assert measure.true_peak(x) >= analysis.measure_levels(x, RATE).peak_db[0, 0]


@given(seed=seeds, frames=st.integers(1, 5_000))
@settings(max_examples=25, deadline=None)
def test_rms_and_dc_do_not_depend_on_direction(seed: int, frames: int) -> None:
    """To a rounding: the order of a sum is that of the frames."""
    x = noise(seed, frames)
    one, other = (analysis.measure_levels(y, RATE) for y in (x, x[::-1]))
    assert one.rms_db == pytest.approx(other.rms_db, abs=1e-12)
    assert one.dc == pytest.approx(other.dc, abs=1e-15)
    assert one.rms_db == pytest.approx(10 * np.log10(np.mean(x**2)), abs=1e-11)
    assert one.dc[0, 0] == pytest.approx(math.fsum(x) / frames, abs=1e-16)


@given(seed=seeds, gain_db=st.floats(-300.0, 300.0), exponent=st.integers(-60, 60))
@settings(max_examples=25, deadline=None)
def test_a_gain_moves_every_level_by_itself(seed: int, gain_db: float, exponent: int) -> None:
    """To a rounding of the logarithm; loudness where no gate takes effect."""
    x = noise(seed, 1, 24_000)
    base = analysis.measure_levels(x, RATE)
    for gain, shift in ((10 ** (gain_db / 20), gain_db), (2.0**exponent, 20 * math.log10(2.0) * exponent)):
        moved = analysis.measure_levels(gain * x, RATE)
        for name in ("peak_db", "rms_db", "true_peak_db"):
            assert getattr(moved, name) == pytest.approx(getattr(base, name) + shift, abs=1e-9)
        assert moved.crest_db == pytest.approx(base.crest_db, abs=1e-9)
        if shift > -40.0:
            assert moved.loudness_lufs == pytest.approx(base.loudness_lufs + shift, abs=1e-9)


@given(seed=seeds, order=st.permutations(["L", "R", "C", "LFE", "Ls", "Rs"]))
@settings(max_examples=10, deadline=None)
def test_loudness_follows_the_channels_wherever_they_stand(seed: int, order: list[str]) -> None:
    """A signal and its layout in another order read the same, to the rounding of the sum over channels."""
    names = list(layouts.LAYOUTS["5.1"])
    x = noise(seed, 1, 6, 24_000) * np.arange(1.0, 7.0)[:, None]
    mixed = x[:, [names.index(name) for name in order]]
    found = measure.loudness(mixed, RATE, layout=order)
    assert found == pytest.approx(measure.loudness(x, RATE, layout="5.1"), abs=1e-12)


@given(seed=seeds, first=st.integers(1, 3_000), second=st.integers(1, 3_000))
@settings(max_examples=20, deadline=None)
def test_levels_of_two_signals_in_a_row_follow_from_theirs(seed: int, first: int, second: int) -> None:
    """The greater peak; power and mean weighted by length."""
    x, y = noise(seed, first), noise(seed + 1, second) * 3.0
    a, b, both = (analysis.measure_levels(z, RATE) for z in (x, y, np.concatenate([x, y])))
    assert both.peak_db == np.maximum(a.peak_db, b.peak_db)
    power = (first * 10 ** (a.rms_db / 10) + second * 10 ** (b.rms_db / 10)) / (first + second)
    assert both.rms_db == pytest.approx(10 * np.log10(power), abs=1e-9)
    assert both.dc == pytest.approx((first * a.dc + second * b.dc) / (first + second), abs=1e-15)


@given(seed=seeds, first=st.integers(1, 300), second=st.integers(1, 300), apart=st.integers(63, 200))
@settings(max_examples=20, deadline=None)
def test_the_true_peak_of_signals_apart_is_the_greater(
    seed: int, first: int, second: int, apart: int
) -> None:
    """Bit for bit, where no place depends on frames of both: it depends on 32 on either side."""
    x, y = noise(seed, first), noise(seed + 1, second) * 2.0
    row = np.concatenate([x, np.zeros(apart), y])
    assert measure.true_peak(row) == max(measure.true_peak(x), measure.true_peak(y))


@given(seed=seeds, hops=st.integers(0, 400))
@settings(max_examples=10, deadline=None)
def test_silence_ahead_moves_loudness_in_time_and_leaves_its_maxima(seed: int, hops: int) -> None:
    """Whole hops of 10 ms: the same values later, bit for bit."""
    x = noise(seed, 160_000)
    found, later = (measure.ebu_r128(np.concatenate([np.zeros(n), x]), RATE) for n in (0, 480 * hops))
    assert later.momentary_max_lufs == found.momentary_max_lufs
    assert later.short_term_max_lufs == found.short_term_max_lufs
    assert np.array_equal(later.momentary_lufs[:, hops:], found.momentary_lufs)


@given(seed=seeds, cuts=st.lists(st.integers(0, 30_000), max_size=8), threads=st.sampled_from([1, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_cuts_and_threads_change_no_bit(seed: int, cuts: list[int], threads: int) -> None:
    """A signal in pieces, read in between, gives the readings of the whole."""
    x = noise(seed, 2, 2, 30_000)
    options = {"flags": TRUE_PEAK | LOUDNESS, "sample_rate": 44_100.0}
    with Meter(2, 2, 30_000, **options) as whole, Meter(2, 2, 30_000, threads=threads, **options) as parts:
        whole.process(x)
        ends = [0, *sorted(cuts), 30_000]
        for first, last in pairwise(ends):
            parts.process(x[..., first:last])
            parts.levels()
        assert parts.levels().tobytes() == whole.levels().tobytes()
        assert parts.loudness().tobytes() == whole.loudness().tobytes()
        for kind in (native_meter.MOMENTARY, native_meter.SHORT_TERM):
            assert parts.series(1, kind).tobytes() == whole.series(1, kind).tobytes()


PROGRAM = """
import hashlib, numpy as np
from amp_lab.lowlevel import isa
from amp_lab.lowlevel.meter import LOUDNESS, TRUE_PEAK, Meter
x = np.random.default_rng(7).normal(size=(2, 2, 50_000))
m = Meter(2, 2, 50_000, flags=TRUE_PEAK | LOUDNESS, sample_rate=96_000.0)
m.process(x)
read = m.levels().tobytes() + m.loudness().tobytes() + m.series(1, 0).tobytes()
print(isa(), hashlib.sha256(read).hexdigest())
"""


def test_every_instruction_set_gives_the_same_bits() -> None:
    """One digest for all levels that run here."""
    found = {}
    for level in LEVELS:
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"AMP_ISA": level},
        )
        if done.returncode == 0 and done.stdout.startswith(level):
            found[level] = done.stdout.split()[1]
    assert found and len(set(found.values())) == 1


# ---- true peak ----


def test_the_true_peak_of_the_last_frames_is_seen() -> None:
    """A crest between samples reads the same at the beginning, in the middle and at the end."""
    crest = np.array([0.3, -0.5, 0.9, 0.9, -0.5, 0.3])
    reads = [
        float(measure.true_peak(np.concatenate([np.zeros(before), crest, np.zeros(200 - before)])))
        for before in (0, 1, 100, 190, 199, 200)
    ]
    assert len(set(reads)) == 1
    assert reads[0] > 20 * math.log10(1.1)


@pytest.mark.parametrize("share", [0.02, 0.11, 0.25, 0.33, 0.4, 0.44, 0.45, 0.458, 0.46])
def test_the_true_peak_of_a_sine_is_within_its_bound(share: float) -> None:
    """At most 0.15 dB low and 0.002 dB high up to 0.46 of the rate, for any phase."""
    n = np.arange(2_000)
    phases = np.linspace(0.0, np.pi, 40)[:, None]
    x = np.sin(2 * np.pi * share * n + phases) * np.kaiser(n.size, 14.0) ** 0.2
    read = measure.true_peak(x[None])[0]
    assert read.max() < 0.002
    assert read.min() > -0.15


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e160, 1e300])
def test_levels_of_very_large_and_very_small_samples(scale: float) -> None:
    """Squares that no float holds do not make the RMS zero or infinite."""
    found = analysis.measure_levels(np.array([3.0, -4.0, 0.0, 0.0]) * scale, RATE)
    assert found.rms_db[0, 0] == pytest.approx(20 * math.log10(2.5 * scale), abs=1e-9)
    assert found.crest_db[0, 0] == pytest.approx(20 * math.log10(1.6), abs=1e-9)


# ---- what is refused ----


@pytest.mark.parametrize(
    "call", [measure.true_peak, lambda x: measure.loudness(x, RATE), lambda x: measure.ebu_r128(x, RATE)]
)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([]), "empty"),
        (np.full(24_000, np.nan), "non-finite sample"),
        (np.full(24_000, 1j), "complex"),
        (np.zeros((1, 1, 1, 24_000)), "axes"),
        (np.zeros(24_000, dtype=np.int16), "integer|int16"),
    ],
)
def test_what_is_no_signal_is_refused(call: Callable[[Any], Any], x: Any, message: str) -> None:
    """By name, with a cure."""
    with pytest.raises(AmpError, match=message):
        call(x)


def test_loudness_of_samples_whose_square_no_float_holds_is_refused() -> None:
    """With the greatest that is allowed; the summary has no number then."""
    x = np.full(24_000, 1e150)
    with pytest.raises(InvalidArgument, match=r"sample too large \(got 1e\+150, allowed up to 2.58e\+120"):
        measure.loudness(x, RATE)
    assert np.isnan(analysis.measure_levels(x, RATE).loudness_lufs[0])


def test_a_closed_meter_says_so() -> None:
    """And one that is full, or of another shape, too."""
    meter = Meter(1, 1, 10)
    with pytest.raises(AmpError, match="more frames than the meter was made for"):
        meter.process(np.zeros((1, 1, 11)))
    with pytest.raises(AmpError, match="another shape"):
        meter.process(np.zeros((1, 2, 5)))
    with pytest.raises(AmpError, match="loudness is not measured"):
        meter.loudness()
    meter.close()
    with pytest.raises(InvalidArgument, match="Meter: is closed"):
        meter.process(np.zeros((1, 1, 1)))
