"""Distortion meters for polynomials, quantised tones and noise: the expected values are closed forms."""

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

from amp_lab import measure
from amp_lab.analysis import weighting
from amp_lab.errors import InvalidArgument

RATE = 48_000.0
RATES = (44_100.0, 48_000.0, 96_000.0, 192_000.0)
Samples = npt.NDArray[np.float64]


def db(ratio: float) -> float:
    return 20.0 * math.log10(abs(ratio))


def bent(x: Samples, a2: float, a3: float) -> Samples:
    return x + a2 * x**2 + a3 * x**3


def sine(frequency_hz: float, rate: float = RATE, frames: int = 48_000, amplitude: float = 1.0) -> Samples:
    return amplitude * np.sin(2 * np.pi * frequency_hz / rate * np.arange(frames) + 0.4)


coefficients = st.floats(-0.2, 0.2).filter(lambda a: abs(a) > 1e-4)


@given(
    a2=coefficients,
    a3=coefficients,
    amplitude=st.floats(0.05, 1.0),
    rate=st.sampled_from(RATES),
    f0=st.floats(100.0, 3_000.0),
)
@settings(max_examples=25, deadline=None)
def test_harmonics_of_a_polynomial(a2: float, a3: float, amplitude: float, rate: float, f0: float) -> None:
    """y = x + a2 x^2 + a3 x^3 of a sine A: tone A + 3/4 a3 A^3, second a2 A^2 / 2, third a3 A^3 / 4."""
    tone = amplitude + 0.75 * a3 * amplitude**3
    second, third = a2 * amplitude**2 / 2, a3 * amplitude**3 / 4
    y = bent(sine(f0, rate, int(rate // 4), amplitude), a2, a3)
    found = measure.harmonic_distortion(y, rate, f0, orders=3)
    assert found.orders == (2, 3)
    assert found.fundamental_db == pytest.approx(db(tone), abs=1e-4)
    assert found.harmonics_db == pytest.approx([db(second / tone), db(third / tone)], abs=1e-3)
    assert found.thd_db == pytest.approx(db(math.hypot(second, third) / tone), abs=1e-3)
    over_total = db(math.hypot(second, third) / math.hypot(tone, second, third))
    assert found.thd_n_db == pytest.approx(over_total, abs=1e-3)
    assert measure.thd_n(y, f0, rate) == pytest.approx(over_total, abs=1e-3)
    assert found.sinad_db == -found.thd_n_db
    assert found.snr_db > 150.0


@pytest.mark.parametrize("rate", RATES)
def test_thd_n_counts_20_hz_to_20_khz(rate: float) -> None:
    """As through the low-pass of AES17: a component on an edge counts whole, 24 kHz and 10 Hz do not."""
    tone = sine(997.0, rate, int(rate))
    for f, counts in ((5_000.0, True), (20.0, True), (20_000.0, True), (8.0, False), (24_000.0, False)):
        if f < rate / 2:
            found = measure.thd_n(tone + sine(f, rate, int(rate), 0.01), 997.0, rate)
            assert found == pytest.approx(-40.0, abs=0.01) if counts else found < -120.0
            whole = measure.thd_n(tone + sine(f, rate, int(rate), 0.01), 997.0, rate, band_hz=None)
            assert whole == pytest.approx(-40.0, abs=0.01)


@pytest.mark.parametrize("q", [1.2, 2.0, 3.0])
def test_a_notch_takes_its_share_of_the_harmonics(q: float) -> None:
    """At twice the frequency a second-order notch is 3 / hypot(3, 2 / Q)."""
    y = bent(sine(1_000.0), 0.02, 0.0)
    plain, notched = (measure.thd_n(y, 1_000.0, RATE, notch_q=given_q) for given_q in (None, q))
    assert notched - plain == pytest.approx(db(3.0 / math.hypot(3.0, 2.0 / q)), abs=1e-3)
    record = measure.harmonic_distortion(y, RATE, 1_000.0, notch_q=q)
    assert record.thd_n_db == pytest.approx(notched, abs=1e-9)
    assert f"notch of Q {q:g}" in repr(record)


def test_harmonics_beyond_the_band_are_left_out() -> None:
    """At 9 kHz only the second harmonic is below 20 kHz; aliases count as noise."""
    found = measure.harmonic_distortion(bent(sine(9_000.0), 0.0, 0.1), RATE, 9_000.0, orders=4)
    assert np.isnan(found.harmonics_db[1:]).all()
    folded = measure.harmonic_distortion(bent(sine(9_000.0), 0.0, 0.1), RATE, 9_000.0, band_hz=None)
    assert folded.snr_db == pytest.approx(-db(0.1 / 4 / (1 + 0.075)), abs=0.01)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_the_dynamic_range_of_a_dithered_quantiser(rate: float, bits: int) -> None:
    """TPDF dither and rounding leave white noise of step^2 / 4, of which the band holds its share."""
    frames, step = int(2 * rate), 2.0 ** (1 - bits)
    rng = np.random.default_rng(bits)
    dither = rng.random((2, frames)) - rng.random((2, frames))
    quantised = np.round(sine(997.0, rate, frames, 1e-3) / step + dither) * step
    flat = -10 * math.log10(2 * step**2 / 4 * (20_000.0 - 20.0) / (rate / 2))
    found = measure.dynamic_range(quantised, rate, weighting="none")
    assert found.dynamic_range_db == pytest.approx(np.full(2, flat), abs=0.15)
    assert found.tone_db == pytest.approx(np.full(2, -60.0), abs=0.05 if bits > 8 else 0.5)
    hz = np.linspace(20.0, 20_000.0, 20_001)
    for name in ("a", "ccir_rms"):
        weighted = flat - 10 * math.log10(np.mean(weighting.magnitude(name, hz) ** 2))
        known = measure.dynamic_range(quantised, rate, weighting=name)
        assert known.dynamic_range_db == pytest.approx(np.full(2, weighted), abs=0.2)
    idle = measure.idle_noise(np.round(dither) * step, rate, weighting="none")
    assert idle.noise_db == pytest.approx(np.full(2, -flat), abs=0.15)
    assert np.isnan(idle.tone_db).all()


def test_full_scale_is_what_it_is_said_to_be() -> None:
    """A converter whose full-scale sine has amplitude 0.5 reads 6 dB more."""
    noise = measure.noise(48_000, rms=1e-4)[0, 0]
    one, half = (measure.idle_noise(noise, RATE, full_scale=scale).noise_db for scale in (1.0, 0.5))
    assert half - one == pytest.approx(6.0206, abs=1e-4)
    assert measure.idle_noise(np.zeros(48_000), RATE).noise_db == -math.inf


def test_weightings_are_those_of_their_tables() -> None:
    """ITU-R BS.468-4 table 1 and IEC 61672-1 table 3, to the rounding of the tables."""
    itu = {
        31.5: -29.9, 63: -23.9, 100: -19.8, 200: -13.8, 400: -7.8, 800: -1.9, 1_000: 0.0, 2_000: 5.6,
        3_150: 9.0, 4_000: 10.5, 5_000: 11.7, 6_300: 12.2, 7_100: 12.0, 8_000: 11.4, 9_000: 10.1, 10_000: 8.1,
        12_500: 0.0, 14_000: -5.3, 16_000: -11.7, 20_000: -22.2, 31_500: -42.7,
    }  # fmt: skip
    a = {10: -70.4, 31.5: -39.4, 63: -26.2, 125: -16.1, 1_000: 0.0, 2_000: 1.2, 4_000: 1.0, 16_000: -6.6}
    hz = np.array(list(itu), dtype=float)
    assert 20 * np.log10(weighting.itu468(hz)) == pytest.approx(np.array(list(itu.values())), abs=0.11)
    assert 20 * np.log10(weighting.magnitude("ccir_rms", np.array([2_000.0]))) == pytest.approx([0.0])
    exact = 1000.0 * 10.0 ** (np.round(10.0 * np.log10(np.array(list(a)) / 1000.0)) / 10.0)
    assert 20 * np.log10(weighting.a_weighting(exact)) == pytest.approx(np.array(list(a.values())), abs=0.06)


@given(a2=coefficients, a3=coefficients, amplitude=st.floats(0.05, 1.0), rate=st.sampled_from(RATES))
@settings(max_examples=10, deadline=None)
def test_smpte_intermodulation_of_a_polynomial(a2: float, a3: float, amplitude: float, rate: float) -> None:
    """Second order 2 a2 A1 A2 and third 3/2 a3 A1^2 A2 over A2 + a3 (3/2 A1^2 A2 + 3/4 A2^3)."""
    x = measure.two_tone(int(rate // 4), rate, 60.0, 7_000.0, ratio=4.0, amplitude=amplitude)[0, 0]
    low, high = 0.8 * amplitude, 0.2 * amplitude
    carrier = high + a3 * (1.5 * low**2 * high + 0.75 * high**3)
    second, third = 2 * a2 * low * high / carrier, 1.5 * a3 * low**2 * high / carrier
    found = measure.intermodulation(bent(x, a2, a3), rate)
    assert found.second_db == pytest.approx(db(second), abs=1e-3)
    assert found.third_db == pytest.approx(db(third), abs=1e-3)
    assert found.imd_db == pytest.approx(db(math.hypot(second, third)), abs=1e-3)
    assert found.high_db == pytest.approx(db(carrier), abs=1e-3)


@given(a2=coefficients, a3=coefficients, amplitude=st.floats(0.05, 1.0), rate=st.sampled_from(RATES))
@settings(max_examples=10, deadline=None)
def test_ccif_intermodulation_of_a_polynomial(a2: float, a3: float, amplitude: float, rate: float) -> None:
    """f2 - f1 is a2 A^2, 2 f1 - f2 and 2 f2 - f1 are 3/4 a3 A^3 each, over two tones A + 9/4 a3 A^3."""
    x = measure.two_tone(int(rate // 8), rate, amplitude=amplitude)[0, 0]
    half = amplitude / 2
    both = 2 * (half + 2.25 * a3 * half**3)
    second, third = a2 * half**2 / both, 1.5 * a3 * half**3 / both
    found = measure.intermodulation(bent(x, a2, a3), rate, method="ccif")
    assert found.second_db == pytest.approx(db(second), abs=2e-3)
    assert found.third_db == pytest.approx(db(third), abs=2e-3)
    assert found.imd_db == pytest.approx(db(math.hypot(second, third)), abs=2e-3)


METERS: dict[str, Any] = {
    "thd_n": lambda x, rate=RATE, f0=997.0: measure.thd_n(x, f0, rate),
    "harmonic_distortion": lambda x, rate=RATE, f0=997.0: measure.harmonic_distortion(x, rate, f0).thd_n_db,
    "dynamic_range": lambda x, rate=RATE, f0=997.0: measure.dynamic_range(x, rate, f0_hz=f0).dynamic_range_db,
}


@pytest.mark.parametrize("meter", METERS.values(), ids=METERS.keys())
@given(seed=st.integers(0, 99), gain_db=st.floats(-100.0, 100.0))
@settings(max_examples=8, deadline=None)
def test_reversal_channels_and_gain(meter: Any, seed: int, gain_db: float) -> None:
    """A reversed signal reads the same, channels are independent, and gain changes only absolute values."""
    noise = np.random.default_rng(seed).standard_normal((2, 4_801))
    x = sine(997.0, frames=4_801) + np.array([[0.01], [0.001]]) * noise
    plain = meter(x)
    assert meter(x[:, ::-1]) == pytest.approx(plain, abs=1e-6)
    assert np.array_equal(meter(x[::-1]), plain[::-1])
    assert np.array_equal(meter(x[None]), plain[None])
    absolute = -gain_db if meter is METERS["dynamic_range"] else 0.0
    assert meter(10.0 ** (gain_db / 20) * x) - plain == pytest.approx(absolute, abs=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_levels_whose_squares_are_no_doubles_are_read(size: float) -> None:
    """Ratios do not depend on how large the numbers are."""
    x = bent(sine(997.0), 0.01, 0.0)
    assert measure.thd_n(size * x, 997.0, RATE) == pytest.approx(measure.thd_n(x, 997.0, RATE), abs=1e-9)
    assert measure.snr(size * x, size * sine(997.0)) == pytest.approx(measure.snr(x, sine(997.0)), abs=1e-9)


@pytest.mark.parametrize("meter", METERS.values(), ids=METERS.keys())
@pytest.mark.parametrize("f0", [-997.0, 0.0, 5.0, 24_000.0, 30_000.0, math.nan, math.inf, "997", True, 997j])
def test_a_tone_has_a_frequency_below_nyquist_and_eight_periods(meter: Any, f0: Any) -> None:
    """Everything else is refused with the range."""
    with pytest.raises(InvalidArgument, match=r"f0_hz: .*allowed 8 to 24000 Hz for 48000 frames"):
        meter(sine(997.0), f0=f0)


@pytest.mark.parametrize("meter", METERS.values(), ids=METERS.keys())
@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, "48000", 1e8, None])
def test_a_meter_has_a_sample_rate(meter: Any, rate: Any) -> None:
    """Of 1 Hz to 10 MHz."""
    with pytest.raises(InvalidArgument, match=r"\.sample_rate: .*allowed 1 to 10000000 Hz"):
        meter(sine(997.0), rate=rate)


@pytest.mark.parametrize("meter", METERS.values(), ids=METERS.keys())
@pytest.mark.parametrize("x", [np.zeros(4_800), np.full(4_800, 0.3)], ids=["silence", "offset"])
def test_silence_has_no_distortion(meter: Any, x: Samples) -> None:
    """An offset is silence too."""
    with pytest.raises(InvalidArgument, match="silent signal"):
        meter(x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: measure.thd_n(x, 997.0, RATE, band_hz=(20_000.0, 20.0)), "band_hz: out of range"),
        (lambda x: measure.thd_n(x, 997.0, RATE, band_hz=(30_000.0, 40_000.0)), "below 24000 Hz"),
        (lambda x: measure.thd_n(x, 997.0, RATE, band_hz=20.0), "band_hz: not a band"),  # type: ignore[arg-type]
        (lambda x: measure.thd_n(x, 997.0, RATE, notch_q=0.0), "notch_q: out of range"),
        (lambda x: measure.harmonic_distortion(x, RATE, orders=1), "orders: not allowed .*from 2 to 200"),
        (lambda x: measure.dynamic_range(x, RATE, weighting="A"), "Did you mean 'a'"),  # type: ignore[arg-type]
        (lambda x: measure.dynamic_range(x, RATE, full_scale=0.0), "full_scale: out of range"),
        (lambda x: measure.idle_noise(x[:5], RATE), "too short .*5 frames, allowed 39 and more"),
        (lambda x: measure.intermodulation(x, RATE, method="din"), "allowed smpte . ccif"),  # type: ignore[arg-type]
        (lambda x: measure.intermodulation(x, 8_000.0), "high_hz: out of range .*60 to 4000 Hz"),
        (
            lambda x: measure.intermodulation(x, 44_100.0, method="ccif", high_hz=21_900.0),
            "product is out of",
        ),
        (lambda x: measure.intermodulation(x, RATE, low_hz=1_000.0, high_hz=3_000.0), "falls on another"),
        (lambda x: measure.intermodulation(x[:4_000], RATE), "too short .*allowed 6400 and more"),
    ],
)
def test_what_a_meter_is_asked_is_checked(call: Any, said: str) -> None:
    """Place, value, range and cure."""
    with pytest.raises(InvalidArgument, match=said):
        call(sine(997.0))


def test_results_are_records() -> None:
    """Read-only, plain values with units, one stable line, through a pickle too."""
    y = bent(sine(1_000.0), 0.02, 0.004)
    twin = np.round(measure.two_tone(48_000, RATE)[0, 0] * 32_768) / 32_768
    records = [
        measure.harmonic_distortion(y, RATE, 1_000.0),
        measure.intermodulation(bent(measure.two_tone(48_000, RATE), 0.02, 0.004), RATE, method="ccif"),
        measure.idle_noise(np.stack([y, twin]), RATE, weighting="none"),
    ]
    assert [repr(r) for r in records[:2]] == [
        "Distortion(1000.000 Hz at 0.03 dBFS: THD+N -39.98 dB, THD -39.98 dB, SNR "
        f"{float(records[0].snr_db):.2f} dB, 20 to 20000 Hz, 48000 frames at 48000 Hz)",
        "Intermodulation(ccif, 19000 Hz at -6.00 dBFS and 20000 Hz at -6.00 dBFS: IMD -45.94 dB, "
        "second order -46.04 dB, third order -62.52 dB, 48000 frames at 48000 Hz)",
    ]
    assert repr(records[2]).startswith("NoiseLevel(dynamic range ") and "\n" not in repr(records[2])
    for record in [*records, *(pickle.loads(pickle.dumps(r)) for r in records)]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.sample_rate = 1.0
        plain = json.loads(json.dumps(record.to_dict(), allow_nan=False))
        assert plain["units"]["sample_rate"] == "Hz" and plain["frames"] == 48_000
    with pytest.raises(ValueError, match="read-only"):
        records[2].noise_db[0] = 0.0
