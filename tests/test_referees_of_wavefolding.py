"""The wavefolder against its integral in 60 digits, quadrature, and the series of a folded sine."""

from __future__ import annotations

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from rigs import RATE, Samples, Scene, same_bits, sound, through

import amp_lab as amp

FRAMES = 4096


def fold(v: npt.ArrayLike) -> Samples:
    """Triangle of period 4 and slope 1 at 0, point by point."""
    return np.asarray(np.abs((np.asarray(v) + 3.0) % 4.0 - 2.0) - 1.0, dtype=np.float64)


def mean_fold(a: float, b: float) -> mpmath.mpf:
    """Mean of the fold between two arguments, from its integral in 60 digits."""
    with mpmath.workdps(60):
        low, high = mpmath.mpf(a), mpmath.mpf(b)
        pieces = [mpmath.nint(v / 2) for v in (low, high)]
        rests = [v - 2 * k for v, k in zip((low, high), pieces, strict=True)]
        signs = [-1 if int(k) % 2 else 1 for k in pieces]
        if low == high:
            return signs[0] * rests[0]
        below, above = (sign * (r * r - 1) / 2 for sign, r in zip(signs, rests, strict=True))
        return (above - below) / (high - low)


def largest_error(v: Samples) -> float:
    """Largest error of the node over a signal whose values are its arguments."""
    got = through("wavefolder", v)[0]
    before = np.insert(v, 0, 0.0)[:-1]
    return float(max(abs(y - mean_fold(a, b)) for y, a, b in zip(got, before, v, strict=True)))


class TestDefinition:
    """The mean of the fold between two neighbouring arguments."""

    @pytest.mark.parametrize("spread", [0.1, 3.0, 1e3, 1e9, 1e14])
    def test_steps_of_any_size(self, spread: float) -> None:
        """Within 3e-16 (the output is at most 1) of the integral in 60 digits."""
        v = spread * np.random.default_rng(1).normal(size=2000)
        assert largest_error(v) < 3e-16

    @pytest.mark.parametrize("kink", [1.0, -3.0, 0.0, 41.0, 2.0**20 + 1.0])
    def test_steps_so_small_that_the_quotient_would_lose_all_digits(self, kink: float) -> None:
        """Steps of 0.1 to one unit in the last place, across a kink and on a straight piece: within 3e-16."""
        rng = np.random.default_rng(2)
        steps = 10.0 ** rng.uniform(-17, -1, 2000) * rng.choice([-1.0, 1.0], 2000)
        assert largest_error(kink + steps) < 3e-16
        neighbours = np.nextafter(kink, kink + np.repeat([1.0, -1.0], 2))
        assert largest_error(np.tile(np.append(neighbours, kink), 3)) < 3e-16

    def test_numbers_that_move(self) -> None:
        """Drive and bias per frame, two channels, against the naive quotient in float64: within 1e-10.

        No step of these signals is so small that the naive quotient loses more.
        """
        rng = np.random.default_rng(3)
        x, drive = rng.uniform(-1, 1, (1, 2, 3000)), rng.uniform(-9, 9, (1, 2, 3000))
        bias = np.repeat(rng.uniform(-2, 2, (1, 1, 100)), 30, axis=2)
        g = amp.Graph(sample_rate=RATE)
        g.output(g.wavefolder(g.input(samples=x), drive=drive, bias=bias))
        v = drive * x + bias
        a = np.concatenate([np.zeros((1, 2, 1)), v[:, :, :-1]], axis=2)
        piece = [u - 2.0 * np.round(u / 2.0) for u in (a, v)]
        sign = [1.0 - 2.0 * (np.round(u / 2.0) % 2.0) for u in (a, v)]
        low, high = (s * (r * r - 1.0) / 2.0 for s, r in zip(sign, piece, strict=True))
        assert np.abs(v - a).min() > 1e-5
        want = (high - low) / (v - a)
        np.testing.assert_allclose(sound(Scene(g, 3000)), want, rtol=0.0, atol=1e-10)


class TestSmallSignals:
    """Below the folds the node is linear."""

    def test_it_is_the_mean_of_two_frames(self) -> None:
        """To the bit: unity at 0 Hz, a zero at half the rate, half a frame of delay."""
        x = np.random.default_rng(4).uniform(-1, 1, 999)
        assert same_bits(through("wavefolder", x)[0], 0.5 * (np.insert(x, 0, 0.0)[:-1] + x))

    @pytest.mark.parametrize("drive", [1.0, -0.25, 3.0])
    def test_gain_and_delay(self, drive: float) -> None:
        """The response is drive cos(pi f / fs) exp(-j pi f / fs)."""
        click = np.zeros(64)
        click[0] = 1e-3
        found = np.fft.rfft(through("wavefolder", click, drive=drive)[0] / 1e-3)
        half_turn = np.pi * np.arange(33) / 64
        np.testing.assert_allclose(
            found, drive * np.cos(half_turn) * np.exp(-1j * half_turn), rtol=0.0, atol=1e-14
        )


class TestAliasing:
    """Sines of a whole, odd number of cycles in 4096 frames: no alias falls on a harmonic."""

    @staticmethod
    def alias(y: Samples, cycles: int) -> float:
        """Power of everything that is no harmonic below half the rate."""
        power = 0.5 * np.abs(np.fft.rfft(y) * 2.0 / FRAMES) ** 2
        return float(np.delete(power, np.arange(0, FRAMES // 2 + 1, cycles)).sum())

    @pytest.mark.parametrize(
        ("cycles", "drive", "lower_db"),
        [(107, 4.0, 9.1), (107, 10.0, 12.4), (421, 4.0, 5.0), (421, 10.0, 12.3)],
    )
    def test_it_is_as_much_lower_as_theory_says(self, cycles: int, drive: float, lower_db: float) -> None:
        """Sines of 1254 and 4934 Hz against the naive fold.

        The naive alias is the tail of the series of the folded sine, within 0.01 dB. That of the node is the
        alias of the fold integrated over each frame by 4096 points of the line between its ends, within
        0.01 dB; that is within 1.6 dB (the line is no sine) of the tail lowered by sinc(f / fs).
        """
        x = np.sin(2.0 * np.pi * cycles * np.arange(FRAMES) / FRAMES)
        got = through("wavefolder", np.tile(x, 2), drive=drive)[0, FRAMES:]
        naive, node = self.alias(fold(drive * x), cycles), self.alias(got, cycles)

        a, b = np.roll(drive * x, 1)[:, None], (drive * x)[:, None]
        between = fold(a + (b - a) * (np.arange(4096) + 0.5) / 4096).mean(axis=1)
        assert 10.0 * np.log10(node / self.alias(between, cycles)) == pytest.approx(0.0, abs=0.01)

        points = 1 << 20
        turn = 2.0 * np.pi * np.arange(points) / points
        power = 0.5 * np.abs(np.fft.rfft(fold(drive * np.sin(turn))) * 2.0 / points) ** 2
        at = np.arange(power.size) * cycles / FRAMES  # of the rate
        tail = power[at > 0.5]
        assert 10.0 * np.log10(naive / tail.sum()) == pytest.approx(0.0, abs=0.01)
        lowered = (tail * np.sinc(at[at > 0.5]) ** 2).sum()
        assert 10.0 * np.log10(node / lowered) == pytest.approx(0.0, abs=1.6)
        assert 10.0 * np.log10(naive / node) > lower_db


class TestAnyInput:
    """For any input the output is at most 1, or NaN."""

    def test_the_bound_holds(self) -> None:
        """From denormals to the largest double, in jumps and in single units in the last place."""
        rng = np.random.default_rng(5)
        wild = rng.choice([-1.0, 1.0], 4000) * 10.0 ** rng.uniform(-320, 308, 4000)
        odd = 2.0 * rng.integers(-(2**40), 2**40, 2000) + 1.0
        near = np.ravel([np.nextafter(odd, -np.inf), odd, np.nextafter(odd, np.inf)], order="F")
        y = through("wavefolder", np.concatenate([wild, near]))
        assert np.abs(y).max() <= 1.0

    def test_beyond_two_to_the_fifty_the_argument_counts_as_zero(self) -> None:
        """2^50 is still folded; above it v = 0 takes its place, in the frame and in the next."""
        x = [2.0**50 - 1.0, np.nextafter(2.0**50, np.inf), 0.5, 1e308, -1e308, 0.25]
        want = [float(mean_fold(a, b)) for a, b in [(0.0, x[0]), (x[0], 0.0), (0.0, 0.5), (0.5, 0.0)]]
        np.testing.assert_allclose(through("wavefolder", np.array(x))[0], [*want, 0.0, 0.125], atol=1e-16)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_what_is_no_number_lasts_two_frames(self, bad: float) -> None:
        """NaN and Inf give NaN in their frame and the next, and have no later effect."""
        g = amp.Graph(sample_rate=RATE)
        g.output(g.wavefolder(g.input(samples=np.array([0.5, bad, 0.5, 0.25]))))
        y = sound(Scene(g, 4), flags=0)[0, 0]
        assert same_bits(np.isnan(y), [0, 1, 1, 0])
        assert y[3] == 0.375
