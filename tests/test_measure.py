"""Measurements of signals with results in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as sps

import amp_lab as amp
from amp_lab import analysis, measure
from amp_lab.errors import InvalidArgument, ShapeError

RATE = 48_000.0
ALIAS_FRAMES = 1 << 18
Samples = npt.NDArray[np.float64]


def sine(frequency_hz: float, amplitude: float, frames: int = 48_000, phase_rad: float = 0.0) -> Samples:
    return amplitude * np.sin(2 * np.pi * frequency_hz / RATE * np.arange(frames) + phase_rad)


@given(k=st.integers(400, 12_000), level_db=st.floats(-60.0, 0.0), phase=st.floats(0.0, 6.2))
@settings(max_examples=25, deadline=None)
def test_a_sine_reads_its_level_and_frequency_in_the_spectrum(k: int, level_db: float, phase: float) -> None:
    """Between bins too: 0.01 dB and 0.01 Hz with the default window."""
    frequency = k * 1.7123
    found = analysis.power_spectrum(sine(frequency, 10 ** (level_db / 20), phase_rad=phase), RATE)
    (peak,) = analysis.find_peaks(found.freq_hz, found.mean_db, count=1)
    assert peak.level_db == pytest.approx(level_db, abs=0.01)
    assert peak.freq_hz == pytest.approx(frequency, abs=0.01)


@given(frequency=st.floats(700.0, 20_000.0))
@settings(max_examples=15, deadline=None)
def test_the_flat_top_window_reads_levels_without_interpolation(frequency: float) -> None:
    """The highest bin of an averaged spectrum is within 0.01 dB for any frequency of the tone."""
    found = analysis.power_spectrum(sine(frequency, 0.5, 200_000), RATE, window="flattop")
    assert found.segments > 1
    assert found.mean_db.max() == pytest.approx(20 * math.log10(0.5), abs=0.01)


def test_peak_hold_keeps_what_the_mean_dilutes() -> None:
    """A burst in one of many segments keeps its level in the hold and not in the mean."""
    x = np.zeros(40 * 32_768)
    x[10 * 32_768 : 11 * 32_768] = sine(3_000.0, 1.0, 32_768)
    found = analysis.power_spectrum(x, RATE)
    assert found.hold_db.max() == pytest.approx(0.0, abs=0.1)
    assert found.mean_db.max() < -10.0


def test_thd_n_of_known_harmonics_and_noise() -> None:
    """Second and third harmonic and white noise add up in power; DC does not count."""
    noise = measure.noise(1 << 16, rms=1e-4, seed=3)[0, 0]
    x = 0.25 + sine(997.0, 1.0, 1 << 16) + sine(1994.0, 1e-2, 1 << 16, 1.0) + sine(2991.0, 3e-3, 1 << 16)
    residual = (1e-2**2 + 3e-3**2) / 2 + 1e-8
    expected = 10 * math.log10(residual / (residual + 0.5))
    assert measure.thd_n(x + noise, 997.0, RATE) == pytest.approx(expected, abs=0.05)


def test_thd_n_of_a_pure_tone_between_bins_is_at_the_rounding_floor() -> None:
    """The fit needs no whole number of periods."""
    assert measure.thd_n(sine(1_234.567, 0.9), 1_234.567, RATE) < -220.0


def test_thd_n_refuses_a_tone_it_cannot_fit() -> None:
    """The message gives the allowed range."""
    with pytest.raises(InvalidArgument, match=r"thd_n.f0_hz: out of range \(got 5 Hz, allowed 8 to 24000 Hz"):
        measure.thd_n(sine(997.0, 1.0), 5.0, RATE)


def test_snr_of_a_scaled_error_and_of_equal_signals() -> None:
    """One percent of error is 40 dB; no error is infinity; each channel has its own number."""
    x = measure.noise(4_096, channels=2, seed=1)
    y = x.copy()
    y[0, 1] *= 1.01
    ratio = measure.snr(y, x)
    assert ratio.shape == (1, 2)
    assert ratio[0, 0] == math.inf
    assert ratio[0, 1] == pytest.approx(40.0, abs=1e-9)


def test_snr_refuses_signals_of_different_shape() -> None:
    """The message gives both shapes."""
    with pytest.raises(ShapeError, match=r"got \(3,\), allowed \(4,\)|got \(4,\), allowed \(3,\)"):
        measure.snr(np.ones(3), np.ones(4))


@given(
    k=st.integers(1_000, 5_000).map(lambda n: 2 * n + 1),
    alias_db=st.floats(-120.0, -20.0),
    offset=st.integers(1, 900),
)
@settings(max_examples=10, deadline=None)
def test_alias_energy_of_a_synthetic_alias(k: int, alias_db: float, offset: int) -> None:
    """One partial off the harmonic grid is the alias; one above 15 kHz and DC are not."""
    f0, step = k * RATE / ALIAS_FRAMES, RATE / ALIAS_FRAMES
    partials = sine(f0, 1.0, ALIAS_FRAMES) + sine(2 * f0, 0.5, ALIAS_FRAMES)
    alias = sine((k + offset) * step, 10 ** (alias_db / 20), ALIAS_FRAMES)
    above = 90_000 if 90_000 % k else 90_001
    high = sine(above * step, 1e-2, ALIAS_FRAMES)
    power = 10 ** (alias_db / 10)
    expected = 10 * math.log10(power / (1.0 + 0.25 + power + 1e-4))
    assert measure.alias_energy(0.3 + partials + alias + high, f0, RATE) == pytest.approx(expected, abs=1e-4)


def test_alias_energy_of_a_naive_saw_matches_the_known_figure() -> None:
    """A naive saw at 1245 Hz has -18 dB of alias below 15 kHz."""
    f0, k = measure.exact_frequency(1_245.0, RATE)
    assert k == 6_799
    saw = 2.0 * np.mod(np.arange(ALIAS_FRAMES) * k / ALIAS_FRAMES, 1.0) - 1.0
    assert measure.alias_energy(saw, f0, RATE) == pytest.approx(-18.0, abs=1.0)


def test_alias_energy_refuses_a_frequency_off_the_bins_and_names_the_nearest() -> None:
    """The frequency it proposes is accepted."""
    x = sine(440.0, 1.0, ALIAS_FRAMES)
    with pytest.raises(
        InvalidArgument, match=r"alias_energy.f0_hz: not an exact bin .* \(k = 2403\)"
    ) as refusal:
        measure.alias_energy(x, 440.0, RATE)
    proposed = float(str(refusal.value).split("Render ")[1].split(" Hz")[0])
    assert measure.alias_energy(sine(proposed, 1.0, ALIAS_FRAMES), proposed, RATE) < -200.0


def test_alias_energy_refuses_even_bins_where_aliases_hide_under_harmonics() -> None:
    """An exact bin is not enough: k must be coprime to the number of frames."""
    with pytest.raises(InvalidArgument, match="coprime"):
        measure.alias_energy(sine(375.0, 1.0, ALIAS_FRAMES), 375.0, RATE)


def test_true_peak_finds_the_crest_between_samples() -> None:
    """A quarter-rate sine sampled at 45 degrees peaks 3.01 dB over its samples."""
    x = sine(RATE / 4, 1.0, 4_800, math.pi / 4) * np.hanning(4_800)
    assert 20 * math.log10(np.abs(x).max()) == pytest.approx(-3.01, abs=0.01)
    assert measure.true_peak(x) == pytest.approx(0.0, abs=0.01)


def test_true_peak_does_not_depend_on_where_blocks_meet() -> None:
    """A peak on either side of an internal block border reads the same."""
    reads = []
    for centre in (1_000, (1 << 18) - 1, 1 << 18, (1 << 18) + 1):
        x = np.zeros((1 << 18) + 2_000)
        x[centre - 500 : centre + 500] = sine(11_000.0, 1.0, 1_000, 0.3) * np.hanning(1_000)
        reads.append(float(measure.true_peak(x)))
    assert np.ptp(reads) < 1e-9


@pytest.mark.parametrize(("channels", "expected"), [(1, -23.0 - 10 * math.log10(2)), (2, -23.0)])
def test_loudness_of_the_reference_tone(channels: int, expected: float) -> None:
    """EBU Tech 3341 case 1: a stereo 1 kHz sine at -23 dBFS peak reads -23 LUFS; one channel 3 dB less."""
    x = np.tile(sine(1_000.0, 10 ** (-23.0 / 20), 20 * 48_000), (1, channels, 1))
    assert measure.loudness(x, RATE) == pytest.approx([expected], abs=0.1)


def test_loudness_refuses_less_than_a_gating_block() -> None:
    """The message gives the length and the shortest allowed."""
    with pytest.raises(InvalidArgument, match=r"too short \(got 0.3000 s, allowed 0.4 s"):
        measure.loudness(np.zeros(14_400), RATE)


@pytest.mark.parametrize("stimulus", ["impulse", "sweep", "noise"])
def test_impulse_response_of_a_filter_with_each_stimulus(stimulus: str) -> None:
    """Deconvolution recovers the taps of a known FIR in the excited band."""
    taps = np.array([0.5, 0.25, -0.125, 0.0, 0.3])
    frames = 1 << 15
    fed = {
        "impulse": measure.impulse(frames, amplitude=0.5),
        "sweep": measure.sweep(frames, RATE, 1.0, RATE / 2),
        "noise": measure.noise(frames),
    }[stimulus]
    fed = np.concatenate([fed, measure.silence(64)], axis=-1)
    found = measure.impulse_response(lambda x: sps.lfilter(taps, [1.0], x), stimulus=fed)
    tolerance = 2e-3 if stimulus == "sweep" else 1e-9
    assert found[0, 0, :5] == pytest.approx(taps, abs=tolerance)
    assert np.abs(found[0, 0, 5:1_000]).max() < tolerance


def test_a_recorded_response_is_deconvolved_by_its_stimulus_only() -> None:
    """Without the stimulus there is no result."""
    fed = measure.noise(4_096)
    assert measure.impulse_response(0.5 * fed, stimulus=fed)[0, 0, 0] == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(InvalidArgument, match=r"impulse_response\.stimulus: missing"):
        measure.impulse_response(0.5 * fed)


def test_frequency_response_equals_freqz() -> None:
    """Magnitude, phase and group delay of a decayed IIR filter against scipy."""
    b, a = sps.butter(3, 0.2)
    found = measure.frequency_response(lambda x: sps.lfilter(b, a, x), RATE, frames=4_096)
    _, reference = sps.freqz(b, a, found.freq_hz, fs=RATE)
    _, delay = sps.group_delay((b, a), found.freq_hz[1:1_000], fs=RATE)
    low = slice(1, 1_000)
    assert found.magnitude_db[0, 0, low] == pytest.approx(20 * np.log10(np.abs(reference[low])), abs=1e-9)
    assert found.phase_rad[0, 0, low] == pytest.approx(np.unwrap(np.angle(reference))[low], abs=1e-9)
    assert found.group_delay_s[0, 0, low] == pytest.approx(delay / RATE, abs=1e-9)


@given(delay=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_group_delay_of_a_pure_delay_is_that_delay(delay: int) -> None:
    """In seconds, at every frequency."""
    h = measure.impulse(512, at_frame=delay)
    assert measure.group_delay(h, RATE) == pytest.approx(np.full((1, 1, 257), delay / RATE), abs=1e-12)


def test_frequency_response_of_an_array_needs_its_rate() -> None:
    """An array has no sample rate."""
    with pytest.raises(InvalidArgument, match=r"frequency_response\.sample_rate: missing"):
        measure.frequency_response(measure.impulse(16))


def test_frequency_response_of_a_native_graph() -> None:
    """The stimulus enters a copy of the graph; the graph itself keeps its samples."""
    graph = amp.Graph(sample_rate=RATE, name="half")
    source = graph.input(samples=measure.silence(64), name="in")
    graph.output(graph.gain(source, gain=0.5))
    before = graph.to_json()
    found = measure.frequency_response(graph, frames=256, node="in", isolation="none")
    assert found.magnitude_db == pytest.approx(np.full((1, 1, 129), 20 * math.log10(0.5)), abs=1e-9)
    assert graph.to_json() == before
    alone = measure.frequency_response(graph, frames=256, isolation="none")
    assert np.array_equal(alone.magnitude_db, found.magnitude_db)


@pytest.mark.parametrize(
    "stimulus", [None, measure.sweep(8_192, RATE, 20.0, 24_000.0)], ids=["impulse", "sweep"]
)
def test_a_graph_that_looks_ahead_is_measured_whole(stimulus: np.ndarray | None) -> None:
    """A linear-phase filter has the magnitude of its taps and no phase: its output is in time."""
    half = 40
    graph = amp.Graph(sample_rate=RATE)
    graph.output(graph.fir(graph.input(name="in"), half_length=half, cutoff_hz=6_000.0, mode="lowpass"))
    taps = measure.impulse_response(graph, frames=2 * half + 1, before=half, isolation="none")[0, 0]
    assert np.array_equal(taps, taps[::-1]) and taps[half] > 0.2
    if stimulus is not None:
        stimulus = np.concatenate([np.zeros((1, 1, half)), stimulus, np.zeros((1, 1, half))], axis=-1)
    found = measure.frequency_response(graph, stimulus=stimulus, frames=512, isolation="none")
    within = (found.freq_hz > 100) & (found.freq_hz < 6_500)
    _, reference = sps.freqz(taps, 1, found.freq_hz[within], fs=RATE)
    assert found.magnitude_db[0, 0, within] == pytest.approx(20 * np.log10(np.abs(reference)), abs=1e-4)
    assert found.phase_rad[0, 0, within] == pytest.approx(0.0, abs=1e-4)
    assert found.group_delay_s[0, 0, within] == pytest.approx(0.0, abs=1e-6)


def test_the_input_of_a_measurement_must_be_clear() -> None:
    """None or several: the error lists them and how to choose."""
    graph = amp.Graph(name="g")
    graph.output(graph.noise())
    with pytest.raises(InvalidArgument, match=r"g\.node: .*there is none\)\. Begin the graph with"):
        measure.frequency_response(graph)
    graph.input(name="a"), graph.input(name="b")
    for node in (None, "noise"):
        with pytest.raises(InvalidArgument, match=r"allowed a \| b\)\."):
            measure.impulse_response(graph, node=node)


@pytest.mark.parametrize(
    "build",
    [
        measure.silence,
        measure.impulse,
        measure.noise,
        lambda frames: measure.tone(frames, RATE, 440.0),
        lambda frames: measure.two_tone(frames, RATE),
        lambda frames: measure.sweep(frames, RATE),
    ],
)
@pytest.mark.parametrize("frames", [0, -1, 1.5, "a"])
def test_a_stimulus_has_frames(build: Callable[[Any], Samples], frames: Any) -> None:
    """A length that is none is refused before anything is computed."""
    with pytest.raises(amp.GraphError, match=r"\.frames: not allowed \(got .*allowed whole numbers >= 1"):
        build(frames)


@pytest.mark.parametrize("module", [amp.measure, amp.presets])
def test_modules_show_only_what_is_public(module: Any) -> None:
    """Completion lists the functions, not what they import."""
    assert dir(module) == sorted(module.__all__)
    assert all(getattr(module, name).__doc__ for name in module.__all__)


def test_two_tone_peaks_at_its_amplitude_and_holds_two_lines() -> None:
    """Both lines 6 dB under the amplitude."""
    x = measure.two_tone(48_000, RATE, 1_900.0, 2_000.0, amplitude=0.8)
    found = analysis.power_spectrum(x[0, 0], RATE)
    peaks = analysis.find_peaks(found.freq_hz, found.mean_db)
    assert sorted(round(p.freq_hz) for p in peaks) == [1_900, 2_000]
    assert [p.level_db for p in peaks] == pytest.approx([20 * math.log10(0.4)] * 2, abs=0.01)
    assert np.abs(x).max() <= 0.8


def test_the_sweep_rises_exponentially() -> None:
    """Half-way in time it passes the geometric mean of its ends."""
    x = measure.sweep(96_000, RATE, 100.0, 10_000.0, amplitude=1.0)[0, 0]
    middle = x[48_000 - 480 : 48_000 + 480]
    crossings = np.flatnonzero(np.diff(np.signbit(middle)))
    frequency = (crossings.size - 1) / 2 / ((crossings[-1] - crossings[0]) / RATE)
    assert frequency == pytest.approx(1_000.0, rel=0.02)


def test_summary_prints_stable_lines() -> None:
    """One line per channel and one per batch, with the numbers of a half-scale sine."""
    audio = np.stack([sine(1_000.0, 0.5), np.zeros(48_000)])[None]
    text = repr(measure.summary(SimpleNamespace(audio=audio, sample_rate=RATE)))
    *lines, loudness = text.splitlines()
    assert lines == [
        "Measurement(48000 frames, 1.000 s at 48000 Hz)",
        "  batch 0 channel 0: "
        "peak -6.02 dBFS, true peak -6.02 dBTP, rms -9.03 dB, crest 3.01 dB, dc 0.000000",
        "  batch 0 channel 1: peak -inf dBFS, true peak -inf dBTP, rms -inf dB, crest n/a dB, dc 0.000000",
    ]
    label, value, unit = loudness.rsplit(" ", 2)
    assert (label, unit) == ("  batch 0: loudness", "LUFS")
    assert float(value) == pytest.approx(-9.03, abs=0.1)


def test_a_one_dimensional_signal_gives_a_number() -> None:
    """Leading axes of the signal are those of the result."""
    x = sine(1_000.0, 0.5)
    assert np.ndim(measure.true_peak(x)) == 0
    assert np.shape(measure.true_peak(np.tile(x, (3, 2, 1)))) == (3, 2)


@pytest.mark.parametrize("call", [measure.true_peak, lambda x: measure.thd_n(x, 997.0, RATE)])
def test_non_finite_samples_are_refused_with_their_place(call: object) -> None:
    """Never a silent NaN."""
    x = sine(997.0, 1.0)
    x[1234] = np.nan
    assert callable(call)
    with pytest.raises(InvalidArgument, match=r"non-finite sample \(got nan at \(1234,\)"):
        call(x)
