"""Nodes that look ahead, against SciPy and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rigs import RATE, same_bits, through
from scipy import signal


class TestFir:
    """Linear-phase filters against SciPy's window method."""

    @pytest.mark.parametrize("stopband_db", [21.0, 35.0, 60.0, 120.0])
    @pytest.mark.parametrize("half", [1, 16, 200])
    @pytest.mark.parametrize(
        ("mode", "corners"),
        [("lowpass", [3000.0]), ("highpass", [500.0]), ("bandpass", [900.0, 7000.0])],
    )
    def test_response(self, mode: str, corners: list[float], half: int, stopband_db: float) -> None:
        """The impulse response is that of firwin with its parts scaled at 0 Hz, centred on the impulse."""
        window = ("kaiser", signal.kaiser_beta(stopband_db))
        low, *high = (signal.firwin(2 * half + 1, f, window=window, fs=RATE) for f in sorted(corners))
        centre = np.where(np.arange(2 * half + 1) == half, 1.0, 0.0)
        want = {"lowpass": low, "highpass": centre - low, "bandpass": high[0] - low if high else low}[mode]
        x = centre[None, None]
        upper = {"upper_hz": corners[1]} if high else {}
        given = {"mode": mode, "cutoff_hz": corners[0], "half_length": half, "stopband_db": stopband_db}
        got = through("fir", x, **given, **upper)[0]
        np.testing.assert_allclose(got, want, rtol=0.0, atol=1e-14)
        if high:
            assert same_bits(
                through("fir", x, **given | {"cutoff_hz": corners[1]}, upper_hz=corners[0])[0], got
            )
            rest = through("fir", x, **given | {"mode": "bandstop"}, **upper)[0]
            np.testing.assert_allclose(rest + got, centre, rtol=0.0, atol=1e-15)

    def test_stopband(self) -> None:
        """The rejection is the requested one, and at the corner the gain is one half."""
        x = np.where(np.arange(1001) == 500, 1.0, 0.0)
        h = through("fir", x[None, None], cutoff_hz=6000.0, half_length=100, stopband_db=90.0)[0]
        f = np.fft.rfftfreq(48_000, 1 / RATE)
        gain = np.abs(np.fft.rfft(h, 48_000))
        wide = (90.0 - 8.0) * RATE / (28.7 * 100)
        assert -92.0 < 20 * np.log10(gain[f > 6000.0 + 0.52 * wide].max()) < -88.0
        assert gain[6000] == pytest.approx(0.5, abs=1e-3)


class TestLookaheadLimiter:
    """The limiter against its definition, frame by frame."""

    @pytest.mark.parametrize(("lookahead_s", "release_s"), [(0.0, 0.01), (0.0004, 0.002), (0.003, 0.1)])
    def test_definition(self, lookahead_s: float, release_s: float) -> None:
        """Least gain of the window, release, mean of the window, for two channels with their own ceilings."""
        frames, ahead = 3000, round(lookahead_s * RATE)
        rng = np.random.default_rng(12)
        x = rng.laplace(size=(1, 2, frames)) * np.repeat(rng.uniform(0, 1.0, 10), 300)
        ceiling = np.array([[[0.7], [1.1]]])
        wanted = np.minimum(1.0, (ceiling / np.maximum(np.abs(x), ceiling)).min(axis=(0, 1)))
        padded = np.concatenate([np.ones(ahead), wanted, np.ones(ahead)])
        least = np.lib.stride_tricks.sliding_window_view(padded, ahead + 1).min(axis=1)
        gain, before, rise = np.empty(frames + ahead), 1.0, 1.0 - math.exp(-1.0 / (release_s * RATE))
        for n in range(frames + ahead):
            before = gain[n] = min(least[n], before + (1.0 - before) * rise)
        mean = np.lib.stride_tricks.sliding_window_view(gain, ahead + 1).mean(axis=1)
        given = {"lookahead_s": lookahead_s, "release_s": release_s, "ceiling": ceiling}
        got = through("lookahead_limiter", x, **given)
        np.testing.assert_allclose(got, x[0] * mean, rtol=0.0, atol=1e-8)
        assert np.all(np.abs(got) <= ceiling[0])
        assert np.abs(got).max() > 0.6

    def test_below_the_ceiling_nothing_changes(self) -> None:
        """No bit changes, before the first peak and long after the last one."""
        x = np.random.default_rng(13).uniform(-1, 1, 40_000)
        x[5000] = 9.0
        got = through("lookahead_limiter", x[None, None], lookahead_s=0.002, release_s=0.02)[0]
        assert same_bits(got[: 5000 - 96], x[: 5000 - 96])
        assert not same_bits(got[5000 - 96 : 5001], x[5000 - 96 : 5001])
        assert same_bits(got[30_000:], x[30_000:])

    def test_it_never_drifts(self) -> None:
        """A million frames on, the bits are those of a limiter that has just begun."""
        rng = np.random.default_rng(14)
        loud, tail = rng.laplace(size=1_000_000), np.concatenate([np.zeros(20_000), rng.laplace(size=4000)])
        options = {"lookahead_s": 0.005, "release_s": 0.01}
        late = through("lookahead_limiter", np.concatenate([loud, tail])[None, None], **options)[0]
        fresh = through("lookahead_limiter", tail[None, None], **options)[0]
        assert same_bits(late[-4000:], fresh[-4000:])
