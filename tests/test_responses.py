"""Responses of systems by impulse, step and sweep, with their limits; group delay against scipy."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as sps

import amp_lab as amp
from amp_lab import measure, plots
from amp_lab.errors import InvalidArgument, ShapeError

RATE = 48_000.0
RATES = (44_100.0, 48_000.0, 96_000.0, 192_000.0)
METHODS: tuple[Any, ...] = ("impulse", "step", "sweep")
Samples = npt.NDArray[np.float64]
POLES = sps.butter(3, 0.2)


def filtered(x: Samples) -> Samples:
    return np.asarray(sps.lfilter(*POLES, x))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", RATES)
def test_every_method_finds_the_response_of_a_filter(method: Any, rate: float) -> None:
    """Magnitude within the band of the stimulus, against freqz; a sweep to 0.3 dB."""
    found = measure.system_response(filtered, rate, method=method, frames=4_096)
    response = found.frequency_response()
    low, high = max(found.band_hz[0], found.resolution_hz), min(found.band_hz[1], 0.2 * rate)
    seen = (response.freq_hz >= 2 * low) & (response.freq_hz <= high / 1.2)
    _, reference = sps.freqz(*POLES, response.freq_hz[seen], fs=rate)
    tolerance = 0.3 if method == "sweep" else 1e-6
    assert response.magnitude_db[0, 0, seen] == pytest.approx(20 * np.log10(np.abs(reference)), abs=tolerance)
    assert found.decayed or method == "sweep"
    assert found.step[0, 0, -1] == pytest.approx(1.0, abs=1e-9) or method == "sweep"
    assert found.harmonics_db.shape == (1, 1, 4 if method == "sweep" else 0)


def test_a_step_is_the_sum_of_the_impulse_response() -> None:
    """And both methods agree."""
    by_step, by_impulse = (
        measure.system_response(filtered, RATE, method=m, frames=2_048) for m in ("step", "impulse")
    )
    assert by_step.step == pytest.approx(filtered(np.ones((1, 1, 2_048))), abs=1e-12)
    assert by_step.impulse == pytest.approx(by_impulse.impulse, abs=1e-12)


@given(a2=st.floats(0.01, 0.1), a3=st.floats(0.01, 0.1), amplitude=st.floats(0.5, 1.0))
@settings(max_examples=4, deadline=None)
def test_a_sweep_sets_the_harmonics_apart(a2: float, a3: float, amplitude: float) -> None:
    """y = x + a2 x^2 + a3 x^3: second a2 A / 2 and third a3 A^2 / 4 over the linear 1 + 3/4 a3 A^2.

    No harmonic folds back when the sweep ends at a tenth of the sample rate.
    """

    def bent(x: Samples) -> Samples:
        return x + a2 * x**2 + a3 * x**3

    linear = 1 + 0.75 * a3 * amplitude**2
    expected = [20 * math.log10(a2 * amplitude / 2 / linear), 20 * math.log10(a3 * amplitude**2 / 4 / linear)]
    low, wide = (
        measure.system_response(bent, RATE, method="sweep", amplitude=amplitude, band_hz=(20.0, stop))
        for stop in (4_800.0, 24_000.0)
    )
    assert low.harmonics_db[0, 0, :2] == pytest.approx(expected, abs=1.0)
    assert low.harmonics_db[0, 0, 2:].max() < -70.0
    response = wide.frequency_response()
    seen = (response.freq_hz > 100) & (response.freq_hz < 5_000)
    assert response.magnitude_db[0, 0, seen] == pytest.approx(20 * math.log10(linear), abs=0.05)


def test_the_limits_are_told() -> None:
    """Length, end, floor, band and circularity; a response that is cut off is not called decayed."""
    slow = sps.butter(1, 20.0, fs=RATE)
    cut = measure.system_response(lambda x: sps.lfilter(*slow, x), RATE, frames=1_000)
    whole = measure.system_response(lambda x: sps.lfilter(*slow, x), RATE, frames=1 << 15)
    assert (cut.decayed, whole.decayed) == (False, True)
    assert cut.limits[0] == "length: 1000 frames, which resolve 48 Hz"
    assert cut.limits[1].endswith("it was cut off, or is noisy: use more frames")
    assert whole.limits[1].endswith("it has decayed")
    rng = np.random.default_rng(1)
    noisy = measure.system_response(lambda x: x + 1e-3 * rng.standard_normal(x.shape), RATE, amplitude=1.0)
    assert noisy.floor_db == pytest.approx(np.array([[-60.0]]), abs=1.0)
    swept = measure.system_response(filtered, RATE, method="sweep", band_hz=(50.0, 8_000.0))
    assert swept.limits[3:] == ("band: 50 to 8000 Hz", "circularity: none, the spectra are zero-padded")


def test_nothing_wraps_round() -> None:
    """A click long after the end of the sweep stays at its time."""

    def late(x: Samples) -> Samples:
        return x + 0.1 * np.pad(x, ((0, 0), (0, 0), (3_000, 0)))[..., : x.shape[-1]]

    for method in METHODS:
        h = measure.system_response(late, RATE, method=method, frames=4_000, band_hz=(2.0, 24_000.0)).impulse[
            0, 0
        ]
        assert (h[0], h[3_000]) == pytest.approx((1.0, 0.1), abs=0.01)
        assert np.abs(np.delete(h, [0, 3_000])).max() < 0.01


def test_a_graph_that_looks_ahead_is_in_time() -> None:
    """The impulse response begins before the impulse, and the phase is zero."""
    graph = amp.Graph(sample_rate=RATE)
    graph.output(graph.fir(graph.input(name="in"), half_length=40, cutoff_hz=6_000.0, mode="lowpass"))
    for method in METHODS:
        found = measure.system_response(graph, method=method, frames=1_024, isolation="none")
        assert found.before == 40
        assert np.argmax(np.abs(found.impulse[0, 0])) == 40
        response = found.frequency_response()
        seen = (response.freq_hz > 500) & (response.freq_hz < 4_000)
        assert response.group_delay_s[0, 0, seen] == pytest.approx(0.0, abs=1e-5)


@given(
    taps=st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=40).filter(lambda t: max(map(abs, t)) > 0.1),
    rate=st.sampled_from(RATES),
)
@settings(max_examples=30, deadline=None)
def test_the_group_delay_of_a_finite_response_is_scipys(taps: list[float], rate: float) -> None:
    """Exact at every frequency where the response is not nearly zero, there NaN or off in both."""
    h = np.pad(np.array(taps), (0, 64 - len(taps)))
    found = measure.frequency_response(h, rate)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, delay = sps.group_delay((np.array(taps), [1.0]), found.freq_hz, fs=rate)
    seen = found.magnitude_db > found.magnitude_db.max() - 60.0
    assert found.group_delay_s[seen] * rate == pytest.approx(delay[seen], rel=1e-6, abs=1e-6)
    assert measure.group_delay(h, rate) == pytest.approx(found.group_delay_s, nan_ok=True)


@pytest.mark.parametrize("q", [0.5, 3.0, 20.0])
def test_the_group_delay_of_a_resonance_is_scipys(q: float) -> None:
    """A band-pass of any Q, when its response has decayed."""
    b, a = sps.iirpeak(1_000.0, q, fs=RATE)
    found = measure.system_response(lambda x: sps.lfilter(b, a, x), RATE, frames=1 << 15).frequency_response()
    seen = (found.freq_hz > 100) & (found.freq_hz < 10_000)
    _, delay = sps.group_delay((b, a), found.freq_hz[seen], fs=RATE)
    assert found.group_delay_s[0, 0, seen] * RATE == pytest.approx(delay, abs=1e-3)


@given(seed=st.integers(0, 99), gain=st.floats(0.001, 1_000.0))
@settings(max_examples=10, deadline=None)
def test_responses_are_linear_and_channels_apart(seed: int, gain: float) -> None:
    """Gain moves the magnitude by itself, a reversed response has the same, channels keep their order."""
    h = np.random.default_rng(seed).standard_normal((2, 65))
    plain = measure.frequency_response(h, RATE)
    louder = measure.frequency_response(gain * h, RATE)
    assert louder.magnitude_db - plain.magnitude_db == pytest.approx(20 * math.log10(gain), abs=1e-9)
    turned = measure.frequency_response(h[:, ::-1], RATE)
    assert 10 ** (turned.magnitude_db / 20) == pytest.approx(10 ** (plain.magnitude_db / 20), abs=1e-12)
    assert np.array_equal(measure.frequency_response(h[::-1], RATE).magnitude_db, plain.magnitude_db[::-1])
    padded = measure.frequency_response(np.pad(h, ((0, 0), (0, 65))), RATE)
    assert padded.magnitude_db[:, ::2] == pytest.approx(plain.magnitude_db, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: measure.system_response(filtered), "sample_rate: missing"),
        (lambda: measure.system_response(filtered, -1.0), "sample_rate: out of range"),
        (lambda: measure.system_response(filtered, RATE, method="chirp"), "allowed impulse . step . sweep"),  # type: ignore[arg-type]
        (lambda: measure.system_response(filtered, RATE, frames=1), "frames: not allowed"),
        (lambda: measure.system_response(filtered, RATE, amplitude=0.0), "amplitude: out of range"),
        (lambda: measure.system_response(filtered, RATE, method="sweep", band_hz=(0.0, 1e3)), "above 0 Hz"),
        (
            lambda: measure.system_response(filtered, RATE, method="sweep", band_hz=(3e4, 4e4)),
            "below 24000 Hz",
        ),
        (lambda: measure.system_response(lambda x: x * np.nan, RATE), "non-finite sample"),
        (lambda: measure.system_response(lambda x: x[..., :9], RATE), "another length .*got 9 frames"),
        (lambda: measure.frequency_response(np.ones(8), "48000"), "sample_rate: not a number"),  # type: ignore[arg-type]
        (lambda: measure.frequency_response(np.ones(8), 0.0), "sample_rate: out of range"),
        (lambda: measure.group_delay(np.ones(8), math.nan), "sample_rate: not a number"),
        (
            lambda: measure.frequency_response(np.ones(8), RATE).at(25_000.0),
            "FrequencyResponse.at: out of range",
        ),
        (lambda: measure.frequency_response(np.ones(8), RATE).at("1k"), "FrequencyResponse.at: not a number"),  # type: ignore[arg-type]
        (lambda: measure.impulse_response(np.ones(8), stimulus=np.ones(8), before=-1), "before: not allowed"),
    ],
)
def test_what_a_response_is_asked_is_checked(call: Any, said: str) -> None:
    """Place, value, range and cure."""
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_a_stimulus_fits_its_response() -> None:
    """Three channels in, two recorded: the error is not numpy's."""
    with pytest.raises(ShapeError, match=r"deconvolve\.stimulus: does not fit"):
        measure.impulse_response(np.ones((2, 8)), stimulus=np.ones((3, 8)))


def test_results_are_records_with_pictures() -> None:
    """Read-only, plain values with units, one stable line, a figure each."""
    found = measure.system_response(filtered, RATE, method="sweep", frames=256, sweep_frames=8_192)
    response = measure.frequency_response(filtered, RATE, frames=256)
    line = "SystemResponse(sweep, 1x1x256 frames at 48000 Hz, 20 to 20000 Hz, tail "
    assert repr(found).startswith(line) and "\n" not in repr(found)
    assert repr(response) == "FrequencyResponse(1x1x129, 0 to 24000 Hz)"
    for record in (found, response, pickle.loads(pickle.dumps(found))):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.sample_rate = 1.0  # type: ignore[misc, union-attr]
        assert json.loads(json.dumps(record.to_dict(), allow_nan=False))["units"]
    assert [ax.get_ylabel() for ax in found.plot().axes] == ["impulse response", "magnitude (dB)"]
    assert [ax.get_xscale() for ax in found.plot().axes] == ["linear", "log"]
    assert [ax.get_ylabel() for ax in response.plot().axes] == ["magnitude (dB)", "group delay (ms)"]
    bent = np.sin(2 * np.pi * 1_000 / RATE * np.arange(4_800))
    bars = measure.harmonic_distortion(bent + 0.01 * bent**2, RATE, 1_000.0).plot()
    assert len(bars.axes[0].patches) == 9
    spectrum = amp.analysis.power_spectrum(np.stack([bent, 0.5 * bent]), RATE, quantity="density").plot()
    assert spectrum.axes[0].get_ylabel() == "level (dBFS/Hz)"
    assert plots.png(bars).startswith(b"\x89PNG")
