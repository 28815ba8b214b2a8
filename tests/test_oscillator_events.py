"""Steps and corners between frames: compared with integrals of ideal shapes, and the remaining alias."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import rigs
from rigs import RATE, Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab import measure

ALIAS_FRAMES = 2**18
CYCLES = (
    2403,
    6799,
    13_593,
    22_861,
)  # of ALIAS_FRAMES: 440, 1245, 2489, 4186 Hz, with all aliases off the harmonics
WIDTH = 0.3
SHAPES: dict[str, Callable[[Samples], Samples]] = {
    "saw": lambda t: 2 * (t % 1) - 1,
    "square": lambda t: np.where(t % 1 < WIDTH, 1.0, -1.0),
    "triangle": lambda t: 1 - 4 * np.abs((t + 0.25) % 1 - 0.5),
}
KINKS = {"saw": [0.0], "square": [0.0, WIDTH], "triangle": [0.25, 0.75]}
SPLINES: dict[str, tuple[int, Callable[[Samples], Samples]]] = {
    "blep2": (1, lambda x: np.maximum(0.0, 1 - np.abs(x))),
    "blep4": (
        2,
        lambda x: np.where(
            np.abs(x) < 1, 2 / 3 - x**2 + np.abs(x) ** 3 / 2, np.maximum(0.0, 2 - np.abs(x)) ** 3 / 6
        ),
    ),
}


def oscillate(frames: int, ports: dict[str, Samples] | None = None, **params: object) -> Samples:
    """Return what an oscillator makes, (N,), with signals at its ports."""
    g = amp.Graph(sample_rate=RATE)
    node = g.oscillator(name="node", **params)
    for port, x in (ports or {}).items():
        g.connect(g.input(samples=x), node, port=port)
    g.output(node)
    return sound(Scene(g, frames))[0, 0]


def filtered(
    waveform: str, quality: str, step: float, offset: float, resets: Samples, frames: int
) -> Samples:
    """Integrate the ideal shape times the B-spline round every frame, piece by piece.

    The phase grows by ``step`` a frame, before frame 0 too, and is 0 at every time in ``resets``. Between
    frames, kinks and resets the product is a polynomial of degree 4 at most: five Gauss points are exact.
    """
    reach, spline = SPLINES[quality]
    starts = np.concatenate([[0.0], resets])
    ends = np.concatenate([resets, [frames + 9.0]])
    edges = [np.arange(-9.0, frames + 9.0), resets]
    for start, end, first in zip(starts, ends, [-9.0, *resets], strict=True):
        for kink in KINKS[waveform]:
            times = start + (np.arange(-99, frames * step + 99) + kink - offset) / step
            edges.append(times[(times > first) & (times < end)])
    cut = np.unique(np.concatenate(edges))
    nodes, weights = np.polynomial.legendre.leggauss(5)
    low, high = cut[:-1, None], cut[1:, None]
    tau = (low + high) / 2 + (high - low) / 2 * nodes
    begun = starts[np.maximum(0, np.searchsorted(starts, tau[:, 2], side="right") - 1)][:, None]
    mass = SHAPES[waveform]((tau - begun) * step + offset) * (high - low) / 2 * weights
    y = np.zeros(frames)
    for n in range(frames):
        near = np.abs(tau[:, 2] - n) < reach
        y[n] = (mass[near] * spline(tau[near] - n)).sum()
    return y


def rising(times: Samples, frames: int) -> Samples:
    """Return a signal that rises through 0 at the given times, straight between the frames round them."""
    n = np.arange(frames)
    since = n - times[np.maximum(0, np.searchsorted(times, n + 1.5) - 1)]
    return np.where(np.abs(since) < 1.5, 0.3 * since, -1.0)


class TestAgainstIntegrals:
    """The rounded shapes are the ideal ones under a B-spline, wherever the steps come from."""

    @pytest.mark.parametrize("quality", ["blep2", "blep4"])
    @pytest.mark.parametrize("waveform", list(SHAPES))
    @pytest.mark.parametrize("frequency_hz", [997.0, 5003.0])
    def test_free_running(self, waveform: str, quality: str, frequency_hz: float) -> None:
        """From frame 0 on, at any phase."""
        got = oscillate(
            300,
            waveform=waveform,
            quality=quality,
            frequency_hz=frequency_hz,
            phase_cycles=0.37,
            pulse_width=WIDTH,
        )
        want = filtered(waveform, quality, frequency_hz / RATE, 0.37, np.empty(0), 300)
        np.testing.assert_allclose(got, want, rtol=0.0, atol=1e-11)

    @pytest.mark.parametrize(("quality", "late"), [("blep2", 1), ("blep4", 0)])
    @pytest.mark.parametrize("waveform", list(SHAPES))
    def test_hard_sync(self, waveform: str, quality: str, late: int) -> None:
        """The phase is 0 where sync crosses 0 between the frames; for blep2, a frame later."""
        times = 10.25 + 23.7 * np.arange(12)
        got = oscillate(
            300,
            {"sync": rising(times, 300)},
            waveform=waveform,
            quality=quality,
            frequency_hz=5003.0,
            phase_cycles=0.37,
            pulse_width=WIDTH,
        )
        want = filtered(waveform, quality, 5003.0 / RATE, 0.37, times + late, 300)
        np.testing.assert_allclose(got, want, rtol=0.0, atol=1e-11)

    @pytest.mark.parametrize("waveform", list(SHAPES))
    def test_reset_acts_at_its_frame(self, waveform: str) -> None:
        """A rise above 0.5 sets the phase to 0 at the frame, once, and before sync."""
        frames, at = 120, np.array([20.0, 77.0])
        gate = np.where(np.arange(frames) % 57 >= 20, 1.0, 0.0)
        params = {"waveform": waveform, "frequency_hz": 2111.0, "pulse_width": WIDTH}
        ports = {"reset": gate, "sync": gate - 0.4}
        got = oscillate(frames, ports, quality="blep4", **params)
        want = filtered(waveform, "blep4", 2111.0 / RATE, 0.0, at, frames)
        np.testing.assert_allclose(got, want, rtol=0.0, atol=1e-11)
        naive = oscillate(frames, ports, quality="naive", **params)
        since = np.arange(frames) - np.where(
            np.arange(frames) >= 77, 77, np.where(np.arange(frames) >= 20, 20, 0)
        )
        np.testing.assert_allclose(naive, SHAPES[waveform](since * 2111.0 / RATE), rtol=0.0, atol=1e-11)

    @pytest.mark.parametrize("way", [1.0, -1.0])
    @pytest.mark.parametrize("waveform", list(SHAPES))
    def test_motion_of_the_offset_counts(self, waveform: str, way: float) -> None:
        """A constant phase whose offset changes, forwards or backwards, is rounded like a running one."""
        step = way * 0.0437
        got = oscillate(
            300,
            waveform=waveform,
            quality="blep4",
            frequency_hz=0.0,
            phase_cycles=(0.21 + step * np.arange(300))[None, None],
            pulse_width=WIDTH,
        )
        want = filtered(waveform, "blep4", step, 0.21, np.empty(0), 300)
        np.testing.assert_allclose(got[4:-4], want[4:-4], rtol=0.0, atol=1e-9)

    def test_motion_of_the_width_counts(self) -> None:
        """A falling edge with a varying width is one more saw."""
        step, drift, n = 0.0391, 0.0007, np.arange(400)
        square = oscillate(
            400,
            waveform="square",
            quality="blep4",
            frequency_hz=step * RATE,
            pulse_width=(0.3 + drift * n)[None, None],
        )
        up = filtered("saw", "blep4", step, 0.0, np.empty(0), 400)
        down = filtered("saw", "blep4", step - drift, -0.3, np.empty(0), 400)
        np.testing.assert_allclose(
            square[4:-4], (down - up + 2 * (0.3 + drift * n) - 1)[4:-4], rtol=0.0, atol=1e-9
        )


class TestPorts:
    """The cost of sync and reset, and the frames at which they act."""

    @pytest.mark.parametrize(("quality", "atol"), [("naive", 0.0), ("blep2", 1e-12), ("blep4", 0.0)])
    @pytest.mark.parametrize("waveform", ["sine", *SHAPES])
    def test_a_sync_without_a_rise_changes_nothing(self, waveform: str, quality: str, atol: float) -> None:
        """Also if it is on from the start."""
        params = {"waveform": waveform, "quality": quality, "frequency_hz": 3001.0, "phase_cycles": 0.1}
        free = oscillate(500, **params)
        for level in (-1.0, 0.0, 2.0):
            held = {"sync": np.full(500, level), "reset": np.full(500, level)}
            np.testing.assert_allclose(oscillate(500, held, **params), free, rtol=0.0, atol=atol)

    @pytest.mark.parametrize(
        ("quality", "latency", "first"), [("naive", 0, 60), ("blep2", 0, 60), ("blep4", 2, 58)]
    )
    def test_the_first_frame_that_hears_a_reset(self, quality: str, latency: int, first: int) -> None:
        """The frame of the event for naive and blep2, two before for blep4: the declared latency."""
        params = {"waveform": "saw", "quality": quality, "frequency_hz": 1000.0}
        g = amp.Graph(sample_rate=RATE)
        g.output(g.oscillator(name="node", **params))
        assert g.compile().latencies["node"] == latency
        rise = np.where(np.arange(100) == 60, 1.0, -1.0)
        quiet = np.full(100, -1.0)
        heard = oscillate(100, {"sync": rise}, **params) != oscillate(100, {"sync": quiet}, **params)
        assert np.flatnonzero(heard)[0] == first

    @pytest.mark.parametrize("batches", [1, 6])
    @pytest.mark.parametrize("waveform", ["sine", *SHAPES])
    def test_in_a_loop(self, waveform: str, batches: int) -> None:
        """Frame by frame in a loop that adds nothing, the bits are those of the node alone."""

        def render(loop: bool) -> Samples:
            g = amp.Graph(sample_rate=RATE)
            x = rigs.stimulus("noise", 1, 400, batches=batches)
            node = g.oscillator(waveform=waveform, quality="blep4", frequency_hz=3210.0, name="node")
            g.connect(g.input(samples=x), node, port="sync")
            amount = g.gain(node, gain=0.0)
            g.modulate(
                amount if loop else g.constant(value=0.0), node.frequency_hz, mode="add", delay_frames=3
            )
            g.output(node)
            return sound(Scene(g, 400, batches=batches))

        assert same_bits(render(True), render(False))

    def test_amplitude_belongs_to_the_frame(self) -> None:
        """A varying amplitude is a factor of the frame it is given for, also after latency."""
        level = np.random.default_rng(4).uniform(-1, 1, 300)
        params = {"waveform": "saw", "quality": "blep4", "frequency_hz": 2000.0}
        np.testing.assert_array_equal(
            oscillate(300, amplitude=level[None, None], **params), level * oscillate(300, **params)
        )


def alias(audio: Samples, cycles: int) -> float:
    """Alias below 15 kHz over total in dB."""
    return float(np.squeeze(measure.alias_energy(audio, cycles * RATE / ALIAS_FRAMES, RATE)))


class TestAlias:
    """The figures of the contract."""

    @pytest.mark.parametrize(("cycles", "alias_db"), list(zip(CYCLES, (-67, -63, -62, -53), strict=True)))
    def test_saw(self, cycles: int, alias_db: float) -> None:
        """Within 1 dB of the table, and at least 15 dB below blep2."""
        frequency_hz = cycles * RATE / ALIAS_FRAMES
        of = {
            quality: alias(oscillate(ALIAS_FRAMES, quality=quality, frequency_hz=frequency_hz), cycles)
            for quality in ("blep2", "blep4")
        }
        assert of["blep4"] == pytest.approx(alias_db, abs=1.0)
        assert of["blep4"] < of["blep2"] - 15.0

    @pytest.mark.parametrize("waveform", ["square", "triangle"])
    @pytest.mark.parametrize("cycles", CYCLES)
    def test_square_and_triangle(self, waveform: str, cycles: int) -> None:
        """At least 15 dB below blep2."""
        params = {"waveform": waveform, "frequency_hz": cycles * RATE / ALIAS_FRAMES}
        two, four = (alias(oscillate(ALIAS_FRAMES, quality=q, **params), cycles) for q in ("blep2", "blep4"))
        assert four < two - 15.0

    @pytest.mark.parametrize(
        ("cycles", "figures"), [(CYCLES[0], (-17, -43, -62)), (CYCLES[1], (-13, -40, -59))]
    )
    def test_hard_sync(self, cycles: int, figures: tuple[float, ...]) -> None:
        """A saw of 3.3 times the frequency of its sync, after the start."""
        master_hz, start = cycles * RATE / ALIAS_FRAMES, 1000
        frames = ALIAS_FRAMES + start
        master = oscillate(frames, waveform="triangle", quality="naive", frequency_hz=master_hz)
        for quality, alias_db in zip(("naive", "blep2", "blep4"), figures, strict=True):
            slave = oscillate(frames, {"sync": master}, quality=quality, frequency_hz=3.3 * master_hz)
            assert alias(slave[start:], cycles) == pytest.approx(alias_db, abs=1.0), quality

    @pytest.mark.parametrize("waveform", ["sine", "triangle"])
    def test_a_reset_rounds_the_slope_too(self, waveform: str) -> None:
        """Shapes without steps of their own: at least 10 dB from tier to tier."""
        master_hz, start = CYCLES[0] * RATE / ALIAS_FRAMES, 1000
        frames = ALIAS_FRAMES + start
        master = oscillate(frames, waveform="triangle", quality="naive", frequency_hz=master_hz)
        naive, two, four = (
            alias(
                oscillate(
                    frames, {"sync": master}, waveform=waveform, quality=q, frequency_hz=3.3 * master_hz
                )[start:],
                CYCLES[0],
            )
            for q in ("naive", "blep2", "blep4")
        )
        assert four < two - 10.0 < naive - 20.0
