"""Control, noise, mixing and safety against formulas written out, and curves against NumPy and SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import rigs
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs import RATE, Samples, Scene, source, through
from scipy import signal

import amp_lab as amp


class TestLfo:
    """The shapes of the lfo and its slew."""

    def test_shapes(self) -> None:
        """Sine, triangle from 0 up, saw, square, with depth and offset."""
        t = (np.arange(2000) * 37.0 / RATE + 0.1) % 1.0
        wanted = {
            "sine": np.sin(2 * np.pi * t),
            "triangle": 2 * np.abs(2 * ((t + 0.75) % 1.0) - 1) - 1,
            "saw": 2 * t - 1,
            "square": np.where(t < 0.5, 1.0, -1.0),
        }
        for shape, want in wanted.items():
            got = source("lfo", 2000, shape=shape, rate_hz=37.0, phase_cycles=0.1, depth=3.0, offset=-1.0)[0]
            np.testing.assert_allclose(got, 3 * want - 1, atol=1e-11, err_msg=shape)

    def test_random_holds_one_value_per_cycle(self) -> None:
        """New values, uniform in [-1, 1), at every whole cycle and nowhere else."""
        got = source("lfo", 480_000, shape="random", rate_hz=4800.0)[0].reshape(-1, 10)
        assert np.array_equal(got, np.repeat(got[:, :1], 10, axis=1))
        values = got[:, 0]
        assert np.unique(values).size == values.size
        assert abs(values.mean()) < 0.02
        assert values.var() == pytest.approx(1 / 3, rel=0.03)

    def test_slew_is_a_one_pole(self) -> None:
        """s += (1 - exp(-1 / (slew fs))) (shape - s), from the first value on."""
        t = np.arange(5000) * 91.3 / RATE % 1.0
        shape, keep = np.where(t < 0.5, 1.0, -1.0), math.exp(-1 / (0.0007 * RATE))
        want = signal.lfilter([1 - keep], [1.0, -keep], shape, zi=[keep * shape[0]])[0]
        got = source("lfo", 5000, shape="square", rate_hz=91.3, slew_s=0.0007)[0]
        np.testing.assert_allclose(got, want, atol=1e-12)


class TestNoise:
    """The noise against the statistics of independent uniform numbers."""

    def test_it_is_white_and_uniform(self) -> None:
        """Mean 0, variance 1/3, flat histogram, flat spectrum, no correlation between neighbours."""
        x = source("noise", 2**18)[0]
        assert abs(x.mean()) < 4 * math.sqrt(1 / 3 / x.size)
        assert x.var() == pytest.approx(1 / 3, rel=0.01)
        counts, _ = np.histogram(x, 64, (-1, 1))
        assert np.sum((counts - x.size / 64) ** 2 / (x.size / 64)) < 110.0
        _, density = signal.welch(x, nperseg=1024)
        assert np.abs(10 * np.log10(density[2:-2] / density[2:-2].mean())).max() < 1.5
        for lag in (1, 2, 8, 64):
            assert abs(np.mean(x[lag:] * x[:-lag])) < 5 / 3 / math.sqrt(x.size)

    def test_channels_batches_seeds_and_names_are_independent(self) -> None:
        """No two rows correlate, and equal seeds under one name repeat."""

        def rows(seed: int, name: str) -> Samples:
            g = amp.Graph(sample_rate=RATE)
            g.output(g.noise(seed=seed, channels=2, name=name))
            return rigs.sound(Scene(g, 2**15, None, 3)).reshape(6, -1)

        table = np.concatenate([rows(0, "a"), rows(1, "a"), rows(0, "b")])
        apart = np.corrcoef(table) - np.eye(len(table))
        assert np.abs(apart).max() < 5 / math.sqrt(2**15)
        assert rigs.same_bits(rows(1, "a"), rows(1, "a"))


Level = Callable[[int], float]


def path(parts: list[tuple[int, Callable[[float], float]]], end: float) -> Level:
    """Return the level k frames after an event: each part has its frames and a function of 0 to 1."""

    def level(k: int) -> float:
        for frames, part in parts:
            if k < frames:
                return part(k / frames)
            k -= frames
        return end

    return level


def started(start: float, peak: float, sustain: float, frames: list[int], held: bool) -> Level:
    """Attack, hold, decay; then the sustain, or at once the release."""
    attack, hold, decay, release = frames
    parts = [
        (attack, lambda u: start + (peak - start) * u),
        (hold, lambda u: peak),
        (decay, lambda u: sustain + (peak - sustain) * (1 - u) ** 4),
    ]
    if held:
        return path(parts, sustain)
    return path([*parts, (release, lambda u: sustain * (1 - u) ** 4)], 0.0)


def envelope_model(
    gates: Samples, triggers: Samples, velocities: Samples, times_s: list[float], sustain: float
) -> tuple[Samples, Samples]:
    """Amplitude and reset of the documented envelope, one frame after another."""
    frames = [math.floor(t * RATE + 0.5) for t in times_s]
    level: Level = lambda k: 0.0  # noqa: E731 - replaced at every event
    k, gate, trigger = 0, False, False
    amplitude, reset = [], []
    for g, t, velocity in zip(gates > 0.5, triggers > 0.5, velocities, strict=True):
        begins = bool((g and not gate) or (t and not trigger))
        now = level(k)
        if begins:
            level, k = started(now, velocity, sustain * velocity, frames, bool(g)), 0
        elif gate and not g:
            level, k = path([(frames[3], lambda u, now=now: now * (1 - u) ** 4)], 0.0), 0  # type: ignore[misc]
        gate, trigger = bool(g), bool(t)
        amplitude.append(level(k))
        reset.append(float(begins))
        k += 1
    return np.array(amplitude), np.array(reset)


class TestEnvelope:
    """The envelope compared with a plain model of its contract."""

    TIMES = st.lists(st.sampled_from([0.0, 1 / RATE, 0.0007, 0.003]), min_size=4, max_size=4)
    SIGNAL = st.lists(st.tuples(st.integers(1, 120), st.sampled_from([0.0, 1.0])), min_size=1, max_size=12)

    @settings(max_examples=60, deadline=None)
    @given(times_s=TIMES, sustain=st.sampled_from([0.0, 0.4, 1.0]), gate=SIGNAL, trigger=SIGNAL)
    def test_it_is_the_documented_formula(
        self,
        times_s: list[float],
        sustain: float,
        gate: list[tuple[int, float]],
        trigger: list[tuple[int, float]],
    ) -> None:
        """Any gates and triggers, any times from 0 on; amplitude and reset."""
        frames = 600
        gates, triggers = (
            np.concatenate([np.repeat([v for _, v in x], [n for n, _ in x]), np.zeros(frames)])[:frames]
            for x in (gate, trigger)
        )
        velocities = 0.2 + 0.8 * np.random.default_rng(2).random(frames)
        g = amp.Graph(sample_rate=RATE)
        ports = {"gate": gates, "trigger": triggers, "velocity": velocities}
        inputs = {key: g.input(samples=x, name=key) for key, x in ports.items()}
        names = ("attack_s", "hold_s", "decay_s", "release_s")
        params = dict(zip(names, times_s, strict=True))
        g.output(g.envelope(**inputs, **params, sustain=sustain, name="env"))
        got = rigs.sound(Scene(g, frames, taps=("env.reset",)))[0]
        amplitude, reset = envelope_model(gates, triggers, velocities, times_s, sustain)
        np.testing.assert_allclose(got[0], amplitude, atol=1e-12)
        assert np.array_equal(got[1], reset)


class TestCurves:
    """Control curves against NumPy."""

    TIMES = np.array([0.001, 0.004, 0.004, 0.0101, 0.02])
    VALUES = np.array([2.0, 5.0, 1.0, 0.25, 8.0])

    @pytest.mark.parametrize("interpolation", ["hold", "linear", "smooth", "exponential"])
    def test_a_controller_plays_the_formula(self, interpolation: str) -> None:
        """At t = n / fs; end values outside; of two points at one time the later holds from then on."""
        curve = amp.Curve("c", self.TIMES, self.VALUES, interpolation)  # type: ignore[arg-type]
        g = amp.Graph(sample_rate=RATE)
        g.output(g.controller(curve="c"))
        got = rigs.sound(Scene(g, 1200, amp.ControlHistory([curve])))[0, 0]
        t = np.arange(1200) / RATE
        i = np.clip(np.searchsorted(self.TIMES, t, side="right") - 1, 0, self.TIMES.size - 2)
        t0, t1, v0, v1 = self.TIMES[i], self.TIMES[i + 1], self.VALUES[i], self.VALUES[i + 1]
        u = (t - t0) / (t1 - t0)
        inside = {
            "hold": v0,
            "linear": v0 + (v1 - v0) * u,
            "smooth": v0 + (v1 - v0) * u * u * (3 - 2 * u),
            "exponential": v0 * (v1 / v0) ** u,
        }[interpolation]
        want = np.where(
            t < self.TIMES[0], self.VALUES[0], np.where(t >= self.TIMES[-1], self.VALUES[-1], inside)
        )
        np.testing.assert_allclose(got, want, rtol=1e-13)
        assert rigs.same_bits(amp.ControlHistory([curve]).sample("c", RATE, 1200), got)

    def test_linear_is_numpy_interp(self) -> None:
        """Without doubled times a linear curve is numpy.interp."""
        times, values = np.sort(np.random.default_rng(1).uniform(0, 0.02, (2, 40)))
        got = amp.ControlHistory([amp.Curve("c", times, values)]).sample("c", RATE, 1500)
        np.testing.assert_allclose(got, np.interp(np.arange(1500) / RATE, times, values), atol=1e-15)

    def test_a_parameter_follows_the_same_curve(self) -> None:
        """A gain that follows a curve is the product with the sampled curve, to the bit."""
        history = amp.ControlHistory([amp.Curve("c", self.TIMES, self.VALUES, "smooth")])
        x = np.random.default_rng(1).uniform(-1, 1, 1200)
        g = amp.Graph(sample_rate=RATE)
        g.output(g.gain(g.input(samples=x), gain=amp.curve("c")))
        want = history.sample("c", RATE, 1200) * x
        assert rigs.same_bits(rigs.sound(Scene(g, 1200, history))[0, 0], want)


class TestPan:
    """The pan law."""

    @pytest.mark.parametrize("position", [-1.0, -0.7, 0.0, 0.25, 1.0])
    def test_mono_is_placed_with_constant_power(self, position: float) -> None:
        """L = cos, R = sin of (position + 1) pi / 4."""
        x = np.random.default_rng(1).uniform(-1, 1, 500)
        left, right = through("pan", x, position=position)
        angle = (position + 1) * math.pi / 4
        np.testing.assert_allclose(left, math.cos(angle) * x, atol=1e-15)
        np.testing.assert_allclose(right, math.sin(angle) * x, atol=1e-15)
        np.testing.assert_allclose(left**2 + right**2, x**2, atol=1e-15)

    @pytest.mark.parametrize("position", [-1.0, -0.7, 0.0, 0.25, 1.0])
    def test_stereo_is_balanced(self, position: float) -> None:
        """The far channel follows a cosine, the near channel stays at unity to the bit."""
        x = np.random.default_rng(1).uniform(-1, 1, (1, 2, 500))
        left, right = through("pan", x, position=position)
        np.testing.assert_allclose(left, math.cos(max(0, position) * math.pi / 2) * x[0, 0], atol=1e-15)
        np.testing.assert_allclose(right, math.cos(max(0, -position) * math.pi / 2) * x[0, 1], atol=1e-15)
        near = (left, x[0, 0]) if position <= 0 else (right, x[0, 1])
        assert rigs.same_bits(*near)


class TestSafety:
    """The limiter never exceeds the ceiling, the blocker removes DC."""

    NASTY = st.sampled_from(
        [0.0, 1e-320, 1e-30, 0.3, -0.3, 1.0, -1.0000000000000002, 7.0, -1e4, 1e15, -1e150]
    )

    @settings(max_examples=80, deadline=None)
    @given(
        values=st.lists(NASTY | st.floats(-1e6, 1e6), min_size=1, max_size=200),
        ceiling=st.floats(1e-6, 1e6),
        release_s=st.floats(1e-4, 60.0),
        dc_block_hz=st.floats(0.0, 100.0),
    )
    def test_nothing_passes_the_ceiling(
        self, values: list[float], ceiling: float, release_s: float, dc_block_hz: float
    ) -> None:
        """|y| <= ceiling for any finite input, in both layouts."""
        g = amp.Graph(sample_rate=RATE)
        params = {"ceiling": ceiling, "release_s": release_s, "dc_block_hz": dc_block_hz}
        g.output(g.safety(g.input(samples=np.array(values)), **params))
        for batches in (1, 5):
            y = rigs.sound(Scene(g, len(values) + 9, None, batches))
            assert np.isfinite(y).all()
            assert np.abs(y).max() <= ceiling

    def test_below_the_ceiling_only_dc_is_changed(self) -> None:
        """With the blocker off and no peak above the ceiling the signal passes to the bit."""
        x = np.random.default_rng(1).uniform(-1, 1, 3000)
        assert rigs.same_bits(through("safety", x, ceiling=1.0, dc_block_hz=0.0)[0], x)

    def test_the_blocker_is_a_one_pole_highpass(self) -> None:
        """DC decays to nothing, as scipy's filter does."""
        x = 0.4 + 0.1 * np.sin(np.arange(96_000) / 5)
        keep = math.exp(-2 * math.pi * 20.0 / RATE)
        want = x - signal.lfilter([1 - keep], [1.0, -keep], x)
        got = through("safety", x, ceiling=1.0, dc_block_hz=20.0)[0]
        np.testing.assert_allclose(got, want, atol=1e-12)
        assert abs(got[-48_000:].mean()) < 1e-4

    def test_the_limiter_follows_its_formula(self) -> None:
        """y = x min(1, ceiling / peak), peak[n] = max(|x[n]|, peak[n-1] exp(-1 / (release fs)))."""
        x = 3 * np.random.default_rng(1).standard_normal(4000) * np.linspace(1, 0, 4000)
        peak, want = 0.0, []
        for value in x:
            peak = max(abs(value), math.exp(-1 / (0.01 * RATE)) * peak)
            want.append(value * min(1.0, 0.5 / peak))
        got = through("safety", x, ceiling=0.5, release_s=0.01, dc_block_hz=0.0)[0]
        np.testing.assert_allclose(got, want, atol=1e-14)
