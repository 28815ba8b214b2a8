"""Spectrum and spectrogram: calibration from 0 Hz to Nyquist, against scipy and closed forms."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as sps

from amp_lab import analysis, plots
from amp_lab.analysis import windows
from amp_lab.errors import InvalidArgument, ShapeError

RATE = 48_000.0
RATES = (44_100.0, 48_000.0, 96_000.0, 192_000.0)
QUANTITIES = ("amplitude", "power", "density")
Samples = npt.NDArray[np.float64]


def offset(frames: int) -> Samples:
    return np.ones(frames)


def nyquist(frames: int) -> Samples:
    return np.cos(np.pi * np.arange(frames))


def sine(frames: int, cycles: float = 0.2) -> Samples:
    return np.cos(2 * np.pi * cycles * np.arange(frames) + 0.3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("window", windows.NAMES)
@pytest.mark.parametrize("frames", [1_000, 999, 4_096])
def test_an_offset_and_a_tone_at_nyquist_read_their_amplitude(rate: float, window: Any, frames: int) -> None:
    """The one-sided doubling is applied neither at 0 Hz nor at half the sample rate."""
    low = analysis.power_spectrum(0.5 * offset(frames), rate, window=window)
    assert low.mean_db[0] == pytest.approx(20 * math.log10(0.5), abs=1e-9)
    if low.freq_hz[-1] == rate / 2:
        high = analysis.power_spectrum(0.5 * nyquist(frames), rate, window=window)
        assert high.mean_db[-1] == pytest.approx(20 * math.log10(0.5), abs=1e-9)
    _, _, level = analysis.spectrogram(0.5 * offset(frames), rate, window=window, segment_frames=512)
    assert level[0] == pytest.approx(np.full(level.shape[1], 20 * math.log10(0.5)), abs=1e-9)
    _, freq, level = analysis.spectrogram(0.5 * nyquist(frames), rate, window=window, segment_frames=512)
    assert freq[-1] == rate / 2
    assert level[-1] == pytest.approx(np.full(level.shape[1], 20 * math.log10(0.5)), abs=1e-9)


@pytest.mark.parametrize(
    ("quantity", "reference", "expected"),
    [
        ("amplitude", "sine", (0.0, 0.0, 0.0)),
        ("power", "sine", (3.0103, 0.0, 3.0103)),
        ("power", "square", (0.0, -3.0103, 0.0)),
        ("amplitude", "square", (0.0, -3.0103, 0.0)),
    ],
)
def test_full_scale_reads_by_quantity_and_reference(
    quantity: Any, reference: Any, expected: tuple[float, float, float]
) -> None:
    """Offset 1, sine of amplitude 1, and +-1 at half the sample rate, on their bins."""
    frames = 4_000
    for x, level, place in zip(
        (offset(frames), sine(frames), nyquist(frames)), expected, (0, 0.2, 0.5), strict=True
    ):
        found = analysis.power_spectrum(x, RATE, window="hann", quantity=quantity, reference=reference)
        here = int(np.argmin(np.abs(found.freq_hz - place * RATE)))
        assert found.mean_db[here] == pytest.approx(level, abs=1e-3)
        grid = analysis.spectrogram(x, RATE, quantity=quantity, reference=reference)
        here = int(np.argmin(np.abs(grid.freq_hz - place * RATE)))
        assert grid.level_db[here, 0] == pytest.approx(level, abs=1e-3)


@given(
    frames=st.integers(2, 700),
    seed=st.integers(0, 999),
    window=st.sampled_from(windows.NAMES),
    quantity=st.sampled_from(["power", "density"]),
)
@settings(max_examples=40, deadline=None)
def test_every_bin_is_that_of_scipys_periodogram(frames: int, seed: int, window: Any, quantity: Any) -> None:
    """With no trend taken out and the same zero-padding: mean square, or mean square per Hz."""
    x = np.random.default_rng(seed).standard_normal(frames) + 0.7
    found = analysis.power_spectrum(x, RATE, window=window, quantity=quantity, reference="square")
    nfft = 2 * (found.freq_hz.size - 1) + (found.freq_hz[-1] < RATE / 2 * (1 - 1e-9))
    name = {"rectangular": "boxcar"}.get(window, window)
    scaling = {"power": "spectrum", "density": "density"}[quantity]
    freq, power = sps.periodogram(x, RATE, name, nfft, detrend=False, scaling=scaling)
    assert found.freq_hz == pytest.approx(freq)
    assert 10.0 ** (found.mean_db / 10) == pytest.approx(power, rel=1e-9, abs=1e-13 * power.max())


@pytest.mark.parametrize("quantity", ["power", "density"])
def test_a_spectrogram_is_that_of_scipy(quantity: Any) -> None:
    """Segments, times and levels."""
    x = np.random.default_rng(1).standard_normal(4_096 + 16 * 99)
    found = analysis.spectrogram(
        x, RATE, segment_frames=4_096, columns=100, quantity=quantity, reference="square"
    )
    freq, time, power = sps.spectrogram(
        x, RATE, "hann", 4_096, 4_096 - 16, detrend=False,
        scaling={"power": "spectrum", "density": "density"}[quantity],
    )  # fmt: skip
    assert found.time_s == pytest.approx(time) and found.freq_hz == pytest.approx(freq)
    assert 10.0 ** (found.level_db / 10) == pytest.approx(power, rel=1e-9)


@given(
    frames=st.integers(1, 900),
    seed=st.integers(0, 999),
    window=st.sampled_from(windows.NAMES),
    shift=st.floats(-2.0, 2.0),
)
@settings(max_examples=40, deadline=None)
def test_the_density_adds_up_to_the_windowed_mean_square(
    frames: int, seed: int, window: Any, shift: float
) -> None:
    """Parseval, including the offset and the bin at Nyquist; reversal changes only roundings."""
    x = np.random.default_rng(seed).standard_normal((2, frames)) + shift
    w = windows.taper(window, frames)
    found = analysis.power_spectrum(x, RATE, window=window, quantity="density", reference="square")
    total = np.sum(10.0 ** (found.mean_db / 10), axis=-1)
    step = found.freq_hz[1] if found.freq_hz.size > 1 else RATE
    if found.freq_hz[-1] == RATE / 2 or frames == 1:
        assert total * step == pytest.approx(np.sum((w * x) ** 2, axis=-1) / np.sum(w**2), rel=1e-9)
    swapped = analysis.power_spectrum(x[::-1], RATE, window=window, quantity="density", reference="square")
    assert np.array_equal(swapped.mean_db[::-1], found.mean_db)


@given(gain_db=st.floats(-200.0, 200.0), quantity=st.sampled_from(QUANTITIES))
@settings(max_examples=20, deadline=None)
def test_gain_moves_every_level_by_itself(gain_db: float, quantity: Any) -> None:
    """Spectrum and spectrogram are linear."""
    x = np.random.default_rng(3).standard_normal(3_000)
    gain = 10.0 ** (gain_db / 20)
    for measured in (analysis.power_spectrum, analysis.spectrogram):
        plain, louder = (measured(factor * x, RATE, quantity=quantity) for factor in (1.0, gain))
        levels = [f.mean_db if isinstance(f, analysis.Spectrum) else f.level_db for f in (plain, louder)]
        assert levels[1] - levels[0] == pytest.approx(gain_db, abs=1e-9)


@given(seed=st.integers(0, 99), window=st.sampled_from(["hann", "blackmanharris"]))
@settings(max_examples=10, deadline=None)
def test_time_reversal_leaves_the_rectangular_spectrum(seed: int, window: Any) -> None:
    """A periodic window is not symmetrical by one frame: the reversal is that of x[1:]."""
    x = np.random.default_rng(seed).standard_normal(801)
    x[0] = 0.0
    turned = np.concatenate([[0.0], x[:0:-1]])
    first, second = (analysis.power_spectrum(y, RATE, window=window) for y in (x, turned))
    assert 10.0 ** (first.mean_db / 20) == pytest.approx(10.0 ** (second.mean_db / 20), abs=1e-12)
    first, second = (analysis.power_spectrum(y, RATE, window="rectangular") for y in (x, x[::-1]))
    assert 10.0 ** (first.mean_db / 20) == pytest.approx(10.0 ** (second.mean_db / 20), abs=1e-12)


@pytest.mark.parametrize("window", windows.NAMES)
def test_noise_has_one_density_in_every_window(window: Any) -> None:
    """White noise of mean square 1 is 2 / fs per Hz; its lines rise by the noise bandwidth of the window."""
    x = np.random.default_rng(5).standard_normal(1 << 19)
    facts = analysis.window_facts(window, 4_096)
    density, line = (
        analysis.power_spectrum(
            x, RATE, window=window, segment_frames=4_096, quantity=quantity, reference="square"
        )
        for quantity in ("density", "power")
    )
    inner = slice(20, -20)
    assert 10 * np.log10(np.mean(10 ** (density.mean_db[inner] / 10))) == pytest.approx(
        10 * math.log10(2 / RATE), abs=0.1
    )
    apart = line.mean_db[inner] - density.mean_db[inner]
    assert apart == pytest.approx(10 * math.log10(facts.noise_bandwidth_bins * RATE / 4_096), abs=1e-9)
    assert line.noise_bandwidth_hz == pytest.approx(facts.noise_bandwidth_bins * RATE / 4_096)


@pytest.mark.parametrize(
    ("window", "gain", "bandwidth", "scalloping"),
    [
        ("rectangular", 1.0, 1.0, 3.92),
        ("hann", 0.5, 1.5, 1.42),
        ("hamming", 0.54, 1.3628, 1.75),
        ("blackman", 0.42, 1.7268, 1.10),
        ("blackmanharris", 0.35875, 2.0044, 0.83),
        ("flattop", 0.21558, 3.7702, 0.01),
    ],
)
def test_windows_have_the_published_figures(
    window: Any, gain: float, bandwidth: float, scalloping: float
) -> None:
    """Harris 1978 (table I), and for the flat-top the coefficients of its cosines."""
    facts = analysis.window_facts(window)
    assert facts.coherent_gain == pytest.approx(gain, abs=1e-5)
    assert facts.noise_bandwidth_bins == pytest.approx(bandwidth, abs=1e-3)
    assert facts.scalloping_db == pytest.approx(scalloping, abs=0.01)
    found = analysis.power_spectrum(sine(4_000), RATE, window=window)
    assert found.coherent_gain == pytest.approx(facts.coherent_gain, abs=1e-4)
    assert found.noise_bandwidth_bins == pytest.approx(facts.noise_bandwidth_bins, abs=1e-3)


def test_an_offset_is_no_tone() -> None:
    """Its leakage next to 0 Hz reads up to 6 dB over it, and is no peak; a tone over an offset is one."""
    found = analysis.power_spectrum(offset(9_600), RATE)
    assert analysis.find_peaks(found.freq_hz, found.mean_db) == ()
    both = analysis.power_spectrum(offset(9_600) + 0.1 * sine(9_600, 0.01), RATE)
    (peak,) = analysis.find_peaks(both.freq_hz, both.mean_db)
    assert (peak.freq_hz, peak.level_db) == pytest.approx((480.0, -20.0), abs=0.01)
    beside = analysis.power_spectrum(offset(9_600) + 0.5 * sine(9_600, 5 / 9_600), RATE)
    (peak,) = analysis.find_peaks(beside.freq_hz, beside.mean_db)
    assert (peak.freq_hz, peak.level_db) == pytest.approx((25.0, -6.0), abs=0.5)
    low = analysis.power_spectrum(sine(9_600, 4 / 9_600), RATE)
    (peak,) = analysis.find_peaks(low.freq_hz, low.mean_db)
    assert (peak.freq_hz, peak.level_db) == pytest.approx((20.0, 0.0), abs=0.2)


@pytest.mark.parametrize("measured", [analysis.power_spectrum, analysis.spectrogram])
@pytest.mark.parametrize("rate", [0.0, -48e3, math.nan, math.inf, "48000", 2e7, None, True, 48e3 + 0j])
def test_a_sample_rate_is_a_number_of_1_to_10_million(measured: Any, rate: Any) -> None:
    """Everything else is refused with the range."""
    with pytest.raises(InvalidArgument, match=r"\.sample_rate: .*allowed 1 to 10000000 Hz\)"):
        measured(np.ones(64), rate)


@pytest.mark.parametrize("measured", [analysis.power_spectrum, analysis.spectrogram])
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"quantity": "psd"}, "no such quantity .*allowed amplitude | power | density"),
        ({"quantity": "Density"}, "Did you mean 'density'"),
        ({"reference": "Sine"}, "Did you mean 'sine'"),
        ({"reference": None}, "no such reference"),
        ({"window": "Hann"}, "Did you mean 'hann'"),
        ({"segment_frames": 0}, "allowed whole numbers from 1"),
        ({"segment_frames": 2.5}, "allowed whole numbers from 1"),
    ],
)
def test_what_a_spectrum_is_asked_is_checked(measured: Any, option: Any, said: str) -> None:
    """Names with the nearest one, sizes with their range."""
    with pytest.raises(InvalidArgument, match=said):
        measured(np.ones(64), RATE, **option)


def test_a_spectrogram_is_of_one_signal() -> None:
    """Channels are not concatenated."""
    with pytest.raises(ShapeError, match=r"several signals \(got shape \(2, 64\)"):
        analysis.spectrogram(np.ones((2, 64)), RATE)
    assert analysis.spectrogram(np.ones((1, 1, 64)), RATE).level_db.shape == (33, 1)


def test_results_are_records() -> None:
    """Read-only, plain values with units, one stable line, through a pickle too."""
    x = np.zeros(4_096)
    first, second = analysis.power_spectrum(x, RATE), analysis.spectrogram(x, RATE)
    assert repr(first) == (
        "Spectrum(4097, 0 to 24000 Hz, amplitude in dBFS, 0 dBFS full-scale sine, blackmanharris, "
        "1 of 4096 frames, noise bandwidth 23.49 Hz)"
    )
    assert repr(second) == (
        "ShortTimeSpectrum(1 segments of 4096 frames, 0 to 24000 Hz, amplitude in dBFS, "
        "0 dBFS full-scale sine, hann)"
    )
    assert repr(analysis.window_facts("hann", 4)) == (
        "WindowFacts(hann, 4 frames, coherent gain 0.5000, noise bandwidth 1.5000 bins, scalloping 1.38 dB)"
    )
    for record in (first, second, pickle.loads(pickle.dumps(first)), pickle.loads(pickle.dumps(second))):
        with pytest.raises(ValueError, match="read-only"):
            record.freq_hz[0] = 1.0
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.window = "hann"
        plain = json.loads(json.dumps(record.to_dict(), allow_nan=False))
        assert plain["units"]["freq_hz"] == "Hz" and plain["quantity"] == "amplitude"
    assert first.to_dict()["mean_db"][0] == "-inf" and first.units["mean_db"] == "dBFS"  # type: ignore[index]
    density = analysis.spectrogram(x, RATE, quantity="density")
    assert density.unit == density.units["level_db"] == "dBFS/Hz"


def test_a_picture_says_how_it_is_calibrated() -> None:
    """Unit on the axis; noise bandwidth and reference in the title."""
    figure = plots.spectrum(sine(4_096), RATE, quantity="density", reference="square", window="hann")
    axes = figure.axes[0]
    assert axes.get_ylabel() == "level (dBFS/Hz)"
    assert "Hann window" in axes.get_title(loc="right")
    assert "0 dBFS: full-scale square; noise bandwidth 17.6 Hz" in axes.get_title(loc="right")
