"""The workloads as graphs of the public API, at 48 kHz.

Each is what its peers play: W1 a voice of three saws, W2 64 different such voices mixed,
W2B the same as batches, W3 a chain of 1000 gains,
W4 a loop of three nodes over one frame, W6 1024 variants of saw and low-pass, BUILD a graph of 64 voices
from nothing to its first frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from amp_lab import analysis
from amp_lab.errors import InvalidArgument
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.graph import Graph
from amp_lab.graph.records.values import Samples, batch

SAMPLE_RATE = 48_000
VOICES, GAINS, VARIANTS = 64, 1000, 1024
DETUNE = (1.0, 1.005, 0.995)
ALIAS_FRAMES = 1 << 18
REFERENCE_HZ = 440.0


@dataclass(frozen=True)
class Voice:
    """Settings of one voice: numbers, or one value per batch."""

    frequency_hz: Samples | float = 110.0
    lfo_hz: Samples | float = 5.0
    gate_hz: Samples | float = 1.0
    cutoff_hz: Samples | float = 1200.0
    q: Samples | float = 4.0
    position: Samples | float = -0.3

    def build(self, g: Graph) -> Node:
        """Add the voice to a graph; returns its panned end."""
        lfo = g.lfo(rate_hz=self.lfo_hz)
        saws = [g.oscillator(frequency_hz=self.frequency_hz * ratio, quality="blep2") for ratio in DETUNE]
        for saw in saws:
            g.modulate(lfo, saw.frequency_hz, mode="multiply", offset=1.0, scale=0.01)
        flt = g.svf(g.mix(*saws, gain=1 / 3), mode="lowpass", cutoff_hz=self.cutoff_hz, q=self.q)
        g.modulate(lfo, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.6)
        gate = g.lfo(shape="square", rate_hz=self.gate_hz)
        envelope = g.envelope(gate=gate, attack_s=0.01, decay_s=0.1, sustain=0.7, release_s=0.3)
        amp = g.gain(flt)
        g.modulate(envelope, amp.gain, mode="multiply")
        return g.pan(amp, position=self.position)


def voices() -> list[Voice]:
    """Return the 64 voices of W2 and BUILD."""
    return [
        Voice(55 + 7.3 * i, 5 + 0.01 * i, 1 + 0.003 * i, 800 + 25 * i, 1 + 0.05 * i, 2 * i / 63 - 1)
        for i in range(VOICES)
    ]


def one_voice() -> Graph:
    """W1: one voice in stereo."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W1")
    g.output(Voice().build(g))
    return g


def voices_as_batch() -> Graph:
    """W2B: one voice whose parameters are tensors, a batch per voice."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W2B")
    fields = zip(*(vars(voice).values() for voice in voices()), strict=True)
    g.output(Voice(*(batch(np.array(values)) for values in fields)).build(g))
    return g


def voices_mixed() -> Graph:
    """W2 and BUILD: 64 voices as nodes of their own, mixed."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W2")
    g.output(g.mix(*(voice.build(g) for voice in voices()), gain=1 / VOICES))
    return g


def _noise(seconds: float) -> Samples:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (1, 1, round(seconds * SAMPLE_RATE)))


def through_gains(g: Graph, node: Node, gains: int) -> Node:
    """Add gains in series behind a node; returns the last."""
    for _ in range(gains):
        node = g.gain(node, gain=0.9999)
    return node


def gain_chain(seconds: float) -> Graph:
    """W3: noise through 1000 gains in series."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W3")
    g.output(through_gains(g, g.input(samples=_noise(seconds)), GAINS))
    return g


def feedback_loop(seconds: float) -> Graph:
    """W4: noise into mix -> one_pole (pole at 0.3) -> gain 0.95 -> one frame of delay -> mix."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W4")
    total = g.mix(g.input(samples=_noise(seconds)))
    pole_hz = -math.log(0.3) * SAMPLE_RATE / (2 * math.pi)
    back = g.gain(g.one_pole(total, mode="lowpass", cutoff_hz=pole_hz), gain=0.95)
    g.connect(back, total, delay_frames=1)
    g.output(total)
    return g


def saw_variants(variants: int = VARIANTS) -> Graph:
    """W6: saw -> biquad low-pass with q 2, a batch per pitch and cutoff."""
    g = Graph(sample_rate=SAMPLE_RATE, name="W6")
    variant = np.arange(variants)
    saw = g.oscillator(frequency_hz=batch(55 * 2 ** (5 * variant / variants)), quality="blep2")
    g.output(g.biquad(saw, design="lowpass", cutoff_hz=batch(300 + 5 * variant), q=2.0))
    return g


@dataclass(frozen=True)
class Workload:
    """How one workload is rendered and counted.

    ``build`` gets the seconds of its input. Renders are ``piece_s`` long at most, several making up the time
    asked for; ``reuse`` renders them into one array. Cost is counted per frame and ``divisor``.
    """

    build: Callable[[float], Graph]
    unit: str
    batches: int = 1
    divisor: int = 1
    piece_s: float = math.inf
    reuse: bool = False
    blocks: tuple[int | None, ...] = (None,)
    setup: str = ""


WORKLOADS: dict[str, Workload] = {
    "W1": Workload(lambda _: one_voice(), "ns/sample"),
    "W2": Workload(lambda _: voices_mixed(), "ns/voice-sample", divisor=VOICES, setup="64 sub-graphs, mixed"),
    "W2B": Workload(
        lambda _: voices_as_batch(),
        "ns/voice-sample",
        batches=VOICES,
        divisor=VOICES,
        piece_s=5.0,
        reuse=True,
        setup="batch 64, voices not mixed, 5 s into one array",
    ),
    "W3": Workload(gain_chain, "ns/node-sample", divisor=GAINS, blocks=(64, 512, 1)),
    "W4": Workload(feedback_loop, "ns/sample", setup="loop delay 1"),
    "W6": Workload(
        lambda _: saw_variants(),
        "ns/variant-sample",
        batches=VARIANTS,
        divisor=VARIANTS,
        piece_s=1.0,
        reuse=True,
        setup="batch 1024, 1 s into one array",
    ),
    "BUILD": Workload(
        lambda _: voices_mixed(),
        "ms",
        divisor=1_000_000,  # costs are in ns
        setup="64 voices: build, plan, configure, 1 frame",
    ),
}


def alias_db(graph: Graph, frequency_hz: float | None = None) -> float:
    """Alias energy in dB of the saws of a graph, played plain at about a frequency in Hz.

    Without a frequency at the highest of their own.

    Raises
    ------
    InvalidArgument
        If the graph has no oscillator of one constant frequency.
    """
    saws = [node.params for node in graph if node.type == "oscillator"]
    pitches = [pitch for saw in saws if isinstance(pitch := saw["frequency_hz"], float)]
    if not pitches:
        raise InvalidArgument(f"{graph.name}: has no oscillator of one constant frequency. Pass W1.")
    asked_hz = max(pitches) if frequency_hz is None else frequency_hz
    exact_hz, _ = analysis.exact_frequency(asked_hz, SAMPLE_RATE, ALIAS_FRAMES)
    g = Graph(sample_rate=SAMPLE_RATE, name="alias")
    chosen = {key: saws[0][key] for key in ("waveform", "quality")}
    g.output(g.add("oscillator", frequency_hz=exact_hz, **chosen))
    audio = g.render(frames=ALIAS_FRAMES, isolation="none").audio[0, 0]
    return float(analysis.alias_energy(audio, exact_hz, SAMPLE_RATE))
