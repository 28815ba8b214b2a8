"""Nodes compared with independent results: SciPy, exact arithmetic, textbook formulas."""

from __future__ import annotations

import cmath
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import rigs
from rigs import RATE, Samples, Scene, source, through
from scipy import signal

import amp_lab as amp
from amp_lab import measure
from amp_lab.lowlevel import Runtime

NOISE = np.random.default_rng(1).uniform(-1, 1, 20_000)


def error_db(got: Samples, want: Samples) -> float:
    """RMS of the difference relative to the RMS of what was wanted, in dB."""
    return float(20 * np.log10(np.sqrt(np.mean((got - want) ** 2) / np.mean(want**2)) + 1e-300))


class TestFeedback:
    """Loops of one frame against one closed-form filter."""

    @pytest.mark.parametrize("gain", [0.9, -0.9, 0.5])
    def test_loop_of_three_nodes_is_its_closed_form(self, gain: float) -> None:
        """mix -> one_pole -> gain -> mix over one frame is A / (A - g z^-1 B), within 1e-12."""
        g = amp.Graph(sample_rate=RATE)
        total = g.mix(g.input(samples=NOISE), name="total")
        back = g.gain(g.one_pole(total, cutoff_hz=3000.0), gain=gain)
        g.connect(back, total, delay_frames=1)
        g.output(total)
        keep = math.exp(-2 * math.pi * 3000.0 / RATE)
        want = signal.lfilter([1.0, -keep], [1.0, -keep - gain * (1 - keep)], NOISE)
        assert np.abs(rigs.sound(Scene(g, NOISE.size))[0, 0] - want).max() < 1e-12

    def test_loop_through_a_biquad_is_its_closed_form(self) -> None:
        """A biquad in a loop of one frame, two gains round it."""
        b, a = np.array([0.2, 0.3, -0.1]), np.array([1.0, -0.5, 0.3])
        g = amp.Graph(sample_rate=RATE)
        total = g.mix(g.input(samples=NOISE), gain=0.7, name="total")
        given = {"design": "coefficients", "b0": 0.2, "b1": 0.3, "b2": -0.1, "a1": -0.5, "a2": 0.3}
        back = g.gain(g.add("biquad", total, **given), gain=0.8)
        g.connect(back, total, delay_frames=1)
        g.output(total)
        loop = np.append(a, 0.0) - 0.7 * 0.8 * np.insert(b, 0, 0.0)
        want = signal.lfilter(0.7 * a, loop, NOISE)
        assert np.abs(rigs.sound(Scene(g, NOISE.size))[0, 0] - want).max() < 1e-12

    def test_comb_of_any_length_is_its_closed_form(self) -> None:
        """Delays of 1 to 70 frames round a loop are 1 / (1 - g z^-d)."""
        for d in (1, 2, 15, 16, 17, 63, 64, 70):
            g = amp.Graph(sample_rate=RATE)
            total = g.mix(g.input(samples=NOISE), name="total")
            g.connect(g.gain(total, gain=-0.8), total, delay_frames=d)
            g.output(total)
            want = signal.lfilter([1.0], [1.0, *np.zeros(d - 1), 0.8], NOISE)
            assert np.abs(rigs.sound(Scene(g, NOISE.size))[0, 0] - want).max() < 1e-12, f"{d} frames"


ANALOG = {
    "lowpass": lambda q: ([1.0], [1.0, 1 / q, 1.0]),
    "bandpass": lambda q: ([1 / q, 0.0], [1.0, 1 / q, 1.0]),
    "highpass": lambda q: ([1.0, 0.0, 0.0], [1.0, 1 / q, 1.0]),
    "notch": lambda q: ([1.0, 0.0, 1.0], [1.0, 1 / q, 1.0]),
}


def cookbook(design: str, f: float, q: float, gain_db: float) -> tuple[list[float], list[float]]:
    """R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients."""
    w, amount = 2 * math.pi * f / RATE, 10 ** (gain_db / 40)
    c, alpha, root = math.cos(w), math.sin(w) / (2 * q), math.sqrt(amount)
    up, down, k = amount + 1, amount - 1, 2 * root * alpha
    plain = [1 + alpha, -2 * c, 1 - alpha]
    table = {
        "lowpass": ([(1 - c) / 2, 1 - c, (1 - c) / 2], plain),
        "highpass": ([(1 + c) / 2, -(1 + c), (1 + c) / 2], plain),
        "bandpass": ([alpha, 0.0, -alpha], plain),
        "notch": ([1.0, -2 * c, 1.0], plain),
        "peak": (
            [1 + alpha * amount, -2 * c, 1 - alpha * amount],
            [1 + alpha / amount, -2 * c, 1 - alpha / amount],
        ),
        "lowshelf": (
            [amount * (up - down * c + k), 2 * amount * (down - up * c), amount * (up - down * c - k)],
            [up + down * c + k, -2 * (down + up * c), up + down * c - k],
        ),
        "highshelf": (
            [amount * (up + down * c + k), -2 * amount * (down + up * c), amount * (up + down * c - k)],
            [up - down * c + k, 2 * (down - up * c), up - down * c - k],
        ),
    }
    return table[design]


class TestFilters:
    """Filters against scipy.signal.lfilter of independently derived transfer functions."""

    @pytest.mark.parametrize("cutoff_hz", [50.0, 1000.0, 8000.0, 21_000.0])
    @pytest.mark.parametrize("q", [0.5, 0.7071, 5.0, 40.0])
    @pytest.mark.parametrize("mode", ANALOG)
    def test_svf_is_the_bilinear_transform_of_the_prototype(
        self, mode: str, q: float, cutoff_hz: float
    ) -> None:
        """Prewarped analogue prototype, error below -180 dB."""
        warped = math.tan(math.pi * cutoff_hz / RATE)
        b, a = signal.lp2lp(*ANALOG[mode](q), warped)
        want = signal.lfilter(*signal.bilinear(b, a, fs=0.5), NOISE)
        assert error_db(through("svf", NOISE, mode=mode, cutoff_hz=cutoff_hz, q=q)[0], want) < -180.0

    @pytest.mark.parametrize("cutoff_hz", [50.0, 1000.0, 8000.0, 21_000.0])
    @pytest.mark.parametrize("q", [0.5, 0.7071, 5.0, 40.0])
    @pytest.mark.parametrize(
        "design", ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf"]
    )
    def test_biquad_is_the_cookbook(self, design: str, q: float, cutoff_hz: float) -> None:
        """All designs, boost and cut, error below -180 dB."""
        for gain_db in (-12.0, 9.0):
            b, a = cookbook(design, cutoff_hz, q, gain_db)
            want = signal.lfilter(b, a, NOISE)
            params = {"design": design, "cutoff_hz": cutoff_hz, "q": q, "gain_db": gain_db}
            assert error_db(through("biquad", NOISE, **params)[0], want) < -180.0, f"{gain_db} dB"

    def test_biquad_takes_coefficients(self) -> None:
        """design=coefficients is lfilter."""
        b, a = [0.3, -0.2, 0.7], [1.0, -1.2, 0.5]
        params = dict(zip(("b0", "b1", "b2", "a1", "a2"), b + a[1:], strict=True))
        got = through("biquad", NOISE, design="coefficients", **params)[0]
        assert error_db(got, signal.lfilter(b, a, NOISE)) < -180.0

    @pytest.mark.parametrize("cutoff_hz", [0.5, 100.0, 5000.0, 23_000.0])
    def test_one_pole_samples_the_rc_filter(self, cutoff_hz: float) -> None:
        """Lowpass a / (1 - (1 - a) z^-1) with a = 1 - exp(-2 pi f / fs), highpass the rest."""
        keep = math.exp(-2 * math.pi * cutoff_hz / RATE)
        low = signal.lfilter([-math.expm1(-2 * math.pi * cutoff_hz / RATE)], [1.0, -keep], NOISE)
        assert error_db(through("one_pole", NOISE, mode="lowpass", cutoff_hz=cutoff_hz)[0], low) < -180.0
        high = through("one_pole", NOISE, mode="highpass", cutoff_hz=cutoff_hz)[0]
        assert error_db(high, NOISE - low) < -180.0

    def test_modulated_svf_stays_bounded(self) -> None:
        """A cutoff swept at 5 kHz with Q 20 stays bounded, where direct forms diverge."""
        g = amp.Graph(sample_rate=RATE)
        flt = g.svf(g.input(samples=NOISE), cutoff_hz=5000.0, q=20.0)
        g.modulate(g.sine(frequency_hz=5000.0), flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.95)
        g.output(flt)
        assert np.abs(rigs.sound(Scene(g, NOISE.size))).max() < 100.0


class TestDelayLine:
    """The delay line against slices and written-out interpolation."""

    @pytest.mark.parametrize("interpolation", ["linear", "lagrange3"])
    @pytest.mark.parametrize("d", [0, 1, 2, 48, 4096, 9600])
    def test_whole_delays_shift_exactly(self, interpolation: str, d: int) -> None:
        """d frames of delay are d zeros and then the input, to the bit."""
        got = through("delay_line", NOISE, interpolation=interpolation, delay_s=d / RATE, max_delay_s=0.25)
        assert np.array_equal(got[0], np.concatenate([np.zeros(d), NOISE])[: NOISE.size])

    @pytest.mark.parametrize("d", [0.25, 1.5, 2.75, 100.125, 4799.5])
    def test_linear(self, d: float) -> None:
        """Between frames: (1 - t) x[n - k] + t x[n - k - 1]."""
        whole, part = int(d), d - int(d)
        x = np.concatenate([np.zeros(whole + 1), NOISE])
        want = (1 - part) * x[1 : NOISE.size + 1] + part * x[: NOISE.size]
        got = through("delay_line", NOISE, interpolation="linear", delay_s=d / RATE, max_delay_s=0.25)[0]
        np.testing.assert_allclose(got, want, atol=1e-10)

    @pytest.mark.parametrize("d", [1.5, 2.75, 100.125, 4799.5])
    def test_lagrange3(self, d: float) -> None:
        """The cubic through x[n - k + 1] ... x[n - k - 2], as a product formula."""
        whole, part = int(d), d - int(d)
        places = np.arange(-1, 3)
        weights = [np.prod([(part - j) / (i - j) for j in places if j != i]) for i in places]
        x = np.concatenate([np.zeros(whole + 2), NOISE])
        taps = [x[2 - i : 2 - i + NOISE.size] for i in places]
        want = np.sum([w * tap for w, tap in zip(weights, taps, strict=True)], axis=0)
        got = through("delay_line", NOISE, interpolation="lagrange3", delay_s=d / RATE, max_delay_s=0.25)[0]
        np.testing.assert_allclose(got, want, atol=1e-10)

    def test_moving_delay_reads_where_it_says(self) -> None:
        """A delay that changes every frame reads a straight line exactly between frames."""
        n = np.arange(5000)
        frames = 100 + 80 * np.sin(n / 300)
        got = through(
            "delay_line", n * 1.0, interpolation="linear", delay_s=frames[None, None] / RATE, max_delay_s=0.01
        )
        np.testing.assert_allclose(got[0, 200:], (n - frames)[200:], atol=1e-8)


def exact_cycles(frequency_hz: float, n: int) -> Fraction:
    """Phase of frame n in cycles modulo 1, without rounding."""
    return Fraction(frequency_hz) * n / Fraction(RATE) % 1


def measured_phase_error(runtime: Runtime, frequencies: list[float], frame: int) -> float:
    """Largest distance in cycles between rendered and exact phase over the next 64 frames."""
    sines = {(f"{part}_{i}", None): np.empty((1, 1, 64)) for part in "cs" for i in range(len(frequencies))}
    runtime.execute(64, None, sines)
    worst = 0.0
    for i, f in enumerate(frequencies):
        got = zip(sines["s_" + str(i), None][0, 0], sines["c_" + str(i), None][0, 0], strict=True)
        for n, (s, c) in enumerate(got):
            want = cmath.rect(1.0, 2 * math.pi * float(exact_cycles(f, frame + n)))
            turned = complex(c, s) * want.conjugate()
            worst = max(worst, abs(math.atan2(turned.imag, turned.real)) / (2 * math.pi))
    return worst


def phase_error_after(frame: int) -> float:
    """Render sines and cosines up to a frame without recording, and measure the phase there."""
    frequencies = [440.0, 0.1, 1234.56789]
    g = amp.Graph(sample_rate=RATE)
    for i, f in enumerate(frequencies):
        g.sine(frequency_hz=f, name=f"s_{i}")
        g.sine(frequency_hz=f, phase_cycles=0.25, name=f"c_{i}")
    plan = g.compile()
    with Runtime(plan.descriptor_blob, plan.plan_blob) as runtime:
        runtime.configure()
        runtime.execute(frame)
        assert runtime.position == frame
        return measured_phase_error(runtime, frequencies, frame)


class TestOscillators:
    """Phases against whole numbers, shapes against formulas, alias against the table of the design."""

    @pytest.mark.parametrize("frequency_hz", [440.0, 0.1, 1234.56789, 23_000.0])
    def test_sine_is_exact(self, frequency_hz: float) -> None:
        """The phase is n round(f 2^64 / fs) modulo 2^64, and its sine is right to 2e-15."""
        increment = round(Fraction(frequency_hz) * 2**64 / Fraction(RATE))
        got = source("sine", 3000, frequency_hz=frequency_hz)[0]
        with mpmath.workdps(40):
            want = [mpmath.sinpi(mpmath.mpf(2 * (n * increment % 2**64)) / 2**64) for n in range(3000)]
            assert max(abs(mpmath.mpf(float(y)) - w) for y, w in zip(got, want, strict=True)) < 2e-15

    def test_phase_after_ten_minutes(self) -> None:
        """28.8 million frames later the phase is within 1.2e-10 / 144 cycles, plus what a sine can show."""
        assert phase_error_after(28_800_000) <= 1.2e-10 / 144 + 1e-15

    @pytest.mark.long
    def test_phase_after_a_day(self) -> None:
        """24 h at 48 kHz, really rendered: within 1.2e-10 cycles."""
        assert phase_error_after(24 * 3600 * 48_000) <= 1.2e-10

    @pytest.mark.parametrize("quality", ["naive", "blep2"])
    @pytest.mark.parametrize("waveform", ["saw", "square", "triangle"])
    def test_shapes(self, waveform: str, quality: str) -> None:
        """Away from steps and corners (one frame on each side) all qualities are the ideal shape."""
        f, width = 1000.0 / 3, 0.3
        t = np.arange(4000) * f / RATE % 1.0
        ideal = {
            "saw": 2 * t - 1,
            "square": np.where(t < width, 1.0, -1.0),
            "triangle": 2 * np.abs(2 * ((t + 0.75) % 1.0) - 1) - 1,
        }[waveform]
        corners = {"saw": [0.0], "square": [0.0, width], "triangle": [0.25, 0.75]}[waveform]
        apart = np.min([np.abs((t - c + 0.5) % 1.0 - 0.5) for c in corners], axis=0)
        clear = apart > f / RATE * 1.001
        got = source(
            "oscillator", 4000, waveform=waveform, quality=quality, frequency_hz=f, pulse_width=width
        )
        np.testing.assert_allclose(got[0][clear], ideal[clear], atol=1e-12)
        if quality == "naive":
            np.testing.assert_allclose(got[0][apart > 1e-9], ideal[apart > 1e-9], atol=1e-12)
        else:
            assert np.abs(got[0] - ideal)[~clear].max() > 1e-3

    @pytest.mark.parametrize(("k", "alias_db"), [(2403, -48), (6799, -44), (13_593, -42), (22_861, -35)])
    def test_saw_alias_is_that_of_the_two_point_blep(self, k: int, alias_db: float) -> None:
        """Alias below 15 kHz over total, in 2^18 frames with k cycles: within 1 dB; `measure` agrees."""
        frames = 2**18
        audio = source("oscillator", frames, waveform="saw", quality="blep2", frequency_hz=k * RATE / frames)[
            0
        ]
        power = np.abs(np.fft.rfft(audio)) ** 2
        power[0] = 0.0
        alias = power.copy()
        alias[::k] = 0.0
        below = np.arange(power.size) * RATE / frames < 15_000.0
        got = 10 * math.log10(alias[below].sum() / power.sum())
        assert got == pytest.approx(alias_db, abs=1.0)
        told = float(np.squeeze(measure.alias_energy(audio, k * RATE / frames, RATE)))
        assert told == pytest.approx(got, abs=0.1)

    @pytest.mark.parametrize("waveform", ["square", "triangle"])
    def test_blep_lowers_the_alias(self, waveform: str) -> None:
        """Rounded steps and corners alias at least 10 dB less than sharp ones."""
        frames, k = 2**16, 1501

        def alias(quality: str) -> float:
            params = {"waveform": waveform, "quality": quality, "frequency_hz": k * RATE / frames}
            power = np.abs(np.fft.rfft(source("oscillator", frames, **params)[0])) ** 2
            power[::k] = 0.0
            return 10 * math.log10(power[: frames * 15 // 48].sum())

        assert alias("blep2") < alias("naive") - 10.0
