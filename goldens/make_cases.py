"""Build the golden cases and bless them: `python goldens/make_cases.py REASON [--new] [CASE ...]`.

They are the graphs below and the worked cases of every node type, which its contract declares (`--new` makes
those that a new type has).
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

import amp_lab as amp
from amp_lab.golden import node_cases
from amp_lab.golden.node_cases import NodeCase

GOLDENS = Path(__file__).parent
FRAMES = 24_000
"""Half a second at 48 kHz: the length of every case but the performance."""

Made = tuple[amp.Graph, amp.ControlHistory | None, int, int]
"""Graph, controls, frames, batches."""


def three_osc() -> Made:
    """Play the ten-second performance on the three-oscillator preset."""
    return amp.presets.three_osc(), amp.presets.three_osc_controls(), 480_000, 1


def _shape(waveform: Literal["saw", "square", "triangle"]) -> Callable[[], Made]:
    """Return a case that sweeps one band-limited shape over its whole range, with moving pulse width."""

    def make() -> Made:
        g = amp.Graph(name=f"osc_{waveform}")
        osc = g.oscillator(
            waveform=waveform,
            quality="blep2",
            frequency_hz=amp.curve("frequency_hz"),
            phase_cycles=0.125,
            pulse_width=amp.curve("pulse_width"),
            name="osc",
        )
        g.output(g.gain(osc, gain=0.5, name="level"), name="out")
        sweep = amp.Curve.drawn("frequency_hz", [(0.0, 30.0), (0.5, 12_000.0)], interpolation="exponential")
        width = amp.Curve.drawn("pulse_width", [(0.0, 0.5), (0.25, 0.1), (0.5, 0.9)], interpolation="smooth")
        return g, amp.ControlHistory([sweep, width]), FRAMES, 1

    return make


def osc_sine() -> Made:
    """Put the sine node, phase-modulated, beside the sine of the oscillator, frequency-modulated."""
    g = amp.Graph(name="osc_sine")
    slow = g.sine(frequency_hz=3.0, name="slow")
    sine = g.sine(frequency_hz=440.0, amplitude=0.5, name="sine")
    shape = g.oscillator(waveform="sine", frequency_hz=660.0, amplitude=0.25, name="shape")
    g.modulate(slow, sine.phase_cycles, mode="add", scale=0.2)
    g.modulate(slow, shape.frequency_hz, mode="multiply", offset=1.0, scale=0.5)
    g.output(g.mix(sine, shape, name="sum"), name="out")
    return g, None, FRAMES, 1


def envelope() -> Made:
    """Play gates, a retrigger, velocities and a note cut short on a tone that `reset` moves in phase."""
    g = amp.Graph(name="envelope")
    gate, trigger, velocity = (
        g.controller(curve=name, name=name) for name in ("gate", "trigger", "velocity")
    )
    env = g.envelope(
        gate=gate,
        trigger=trigger,
        velocity=velocity,
        attack_s=0.004,
        hold_s=0.01,
        decay_s=0.05,
        sustain=0.4,
        release_s=0.06,
        name="env",
    )
    tone = g.sine(frequency_hz=220.0, name="tone")
    g.modulate(env, tone.amplitude, mode="multiply", scale=1.0)
    g.modulate(env.reset, tone.phase_cycles, mode="add", scale=0.25)
    g.output(tone, name="out")
    gates = amp.Curve.drawn(
        "gate", [(0.0, 0), (0.02, 1), (0.2, 0), (0.28, 1), (0.29, 0), (0.36, 1)], interpolation="hold"
    )
    triggers = amp.Curve.drawn(
        "trigger", [(0.0, 0), (0.12, 1), (0.121, 0), (0.42, 1), (0.421, 0)], interpolation="hold"
    )
    speeds = amp.Curve.drawn("velocity", [(0.0, 1.0), (0.1, 0.5), (0.25, 0.8)], interpolation="hold")
    return g, amp.ControlHistory([gates, triggers, speeds]), FRAMES, 1


def svf_sweep() -> Made:
    """Send noise through the four modes of the state-variable filter, sweeping cutoff and resonance."""
    g = amp.Graph(name="svf_sweep")
    noise = g.noise(amplitude=0.25, seed=7, name="noise")
    modes = ("lowpass", "bandpass", "highpass", "notch")
    sweeps = {key: amp.curve(key) for key in ("cutoff_hz", "q")}
    filters = [g.add("svf", noise, mode=mode, name=mode, **sweeps) for mode in modes]
    low, band, high, notch = (
        g.pan(f, position=p) for f, p in zip(filters, (-1.0, -0.3, 0.3, 1.0), strict=True)
    )
    g.output(g.mix(low, band, high, notch, name="sum"), name="out")
    cutoff = amp.Curve.drawn("cutoff_hz", [(0.0, 40.0), (0.5, 16_000.0)], interpolation="exponential")
    q = amp.Curve.drawn("q", [(0.0, 0.5), (0.5, 12.0)])
    return g, amp.ControlHistory([cutoff, q]), FRAMES, 1


def one_frame_feedback() -> Made:
    """Send an impulse into a loop of mix, one-pole filter and gain, closed over one single frame."""
    g = amp.Graph(name="one_frame_feedback")
    impulse = np.zeros((1, 1, 16))
    impulse[0, 0, 3] = 1.0
    source = g.input(samples=impulse, name="impulse")
    total = g.mix(source, name="total")
    pole = g.one_pole(total, mode="lowpass", cutoff_hz=6000.0, name="pole")
    back = g.gain(pole, gain=0.999, name="back")
    g.connect(back, total, delay_frames=1)
    g.output(total, name="out")
    return g, None, FRAMES, 1


def delay_network() -> Made:
    """Let four damped delay lines feed one another through a rotation, so that a click rings in stereo."""
    g = amp.Graph(name="delay_network")
    click = g.input(samples=np.hanning(34)[None, None, 1:-1], name="click")
    lengths = (0.0113, 0.0157, 0.0191, 0.0229)
    sums = [g.mix(click, name=f"sum_{i}") for i in range(4)]
    lines = [
        g.delay_line(
            s, delay_s=d, max_delay_s=0.03, interpolation="lagrange3" if i % 2 else "linear", name=f"line_{i}"
        )
        for i, (s, d) in enumerate(zip(sums, lengths, strict=True))
    ]
    damped = [
        g.one_pole(line, mode="lowpass", cutoff_hz=5000.0, name=f"damp_{i}") for i, line in enumerate(lines)
    ]
    for i, source in enumerate(damped):
        for step, gain in ((1, 0.45), (3, -0.45)):
            share = g.gain(source, gain=gain, name=f"feed_{i}_{step}")
            g.connect(share, sums[(i + step) % 4], delay_frames=1 + 7 * i + step)
    left, right = (
        g.pan(g.mix(*damped[k::2], name=n), position=p) for k, n, p in ((0, "left", -1), (1, "right", 1))
    )
    g.output(g.mix(left, right, name="stereo"), name="out")
    return g, None, FRAMES, 1


def modulated_batch() -> Made:
    """Play three variants in two channels from tensors of parameters, modulated at audio rate."""
    g = amp.Graph(name="modulated_batch")
    pitches = np.array([[[110.0], [110.7]], [[220.0], [221.1]], [[330.0], [331.9]]])
    saw = g.oscillator(waveform="saw", frequency_hz=pitches, channels=2, name="saw")
    fm = g.sine(frequency_hz=np.array([[[75.0]], [[150.0]], [[400.0]]]), name="fm")
    wobble = g.lfo(shape="triangle", rate_hz=7.0, name="wobble")
    flt = g.svf(saw, mode="bandpass", cutoff_hz=np.array([[[800.0], [1200.0]]]), q=3.0, name="flt")
    level = g.gain(flt, gain=np.linspace(0.5, 0.1, FRAMES)[None, None], name="level")
    g.modulate(fm, saw.frequency_hz, mode="add", scale=40.0)
    g.modulate(fm, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.5)
    g.modulate(wobble, level.gain, mode="multiply", offset=1.0, scale=0.3)
    g.output(level, name="out")
    return g, None, FRAMES, 3


def late_paths() -> Made:
    """Mix a saw with itself through two nodes that read ahead, one of them in a loop; a gate joins both."""
    g = amp.Graph(name="late_paths")
    saw = g.oscillator(waveform="saw", frequency_hz=110.0, quality="blep4", amplitude=0.4, name="saw")
    echo = g.mix(saw, name="echo")
    tone = g.fir(echo, mode="bandpass", cutoff_hz=300.0, upper_hz=5000.0, half_length=24, name="tone")
    back = g.gain(tone, gain=-0.6, name="back")
    g.connect(back, echo, delay_frames=480, tokens=0.1 * np.hanning(480)[None, None])
    limit = g.lookahead_limiter(tone, ceiling=0.3, lookahead_s=0.002, release_s=0.02, name="limit")
    total = g.mix(name="total")
    g.connect(limit, total, gates=["exit"])
    g.connect(saw, total, delay_frames=3)
    meter = g.one_pole(name="meter", cutoff_hz=30.0)
    g.connect(saw, meter, gates=["exit"])
    g.modulate(meter, total.gain, mode="add", scale=0.5)
    g.output(total, name="out")
    return g, None, FRAMES, 1


CASES: Mapping[str, Callable[[], Made]] = {
    "three_osc": three_osc,
    "osc_sine": osc_sine,
    "osc_saw": _shape("saw"),
    "osc_square": _shape("square"),
    "osc_triangle": _shape("triangle"),
    "envelope": envelope,
    "svf_sweep": svf_sweep,
    "one_frame_feedback": one_frame_feedback,
    "delay_network": delay_network,
    "modulated_batch": modulated_batch,
    "late_paths": late_paths,
}


NODES: Mapping[str, NodeCase] = {case.golden: case for case in node_cases.every()}
"""The worked cases of all node types, which their contracts declare, by the names of their goldens."""


def _made(name: str) -> tuple[Made, dict[str, Any]]:
    """Return what a case is made of, and how it is compared."""
    if name in CASES:
        return CASES[name](), {}
    case = NODES[name]
    graph, controls = case.graph()
    rule = case.comparator()
    how = {"comparator": rule["name"], "comparator_reason": rule["reason"], **rule["limits"]}
    return (graph, controls, case.case.frames, 1), how


def store(name: str, reason: str, goldens: Path = GOLDENS) -> amp.golden.Case:
    """Render a case and make that its reference."""
    (graph, controls, frames, batches), how = _made(name)
    render = graph.render(frames=frames, batches=batches, controls=controls, isolation="none")
    return amp.golden.store(
        name,
        render,
        reason=reason,
        graph=graph,
        controls=controls,
        blessed_by="amp_lab",
        goldens=goldens,
        overwrite=True,
        **how,
    )


def chosen(patterns: Sequence[str], new: bool) -> list[str]:
    """Return the names that fit a pattern; those without a golden if only new ones are wanted."""
    known = [*CASES, *NODES]
    names = [name for name in known if any(fnmatch.fnmatchcase(name, p) for p in patterns or ["*"])]
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise SystemExit(f"{pattern}: no case of that name (allowed e.g. osc_saw, 'case.svf.*').")
    return [name for name in names if not (new and (GOLDENS / name).exists())]


def main(arguments: list[str] | None = None) -> None:
    """Bless what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reason", help="why this is the truth, or what changed and why it is right")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="names or patterns; default: all")
    parser.add_argument("--new", action="store_true", help="only those that have no golden yet")
    options = parser.parse_args(arguments)
    for name in chosen(options.cases, options.new):
        case = store(name, options.reason)
        size = sum(file.stat().st_size for file in case.folder.iterdir())
        print(f"{name}: {case.manifest()['digest'][:12]}, {size / 1e6:.3f} MB")


if __name__ == "__main__":
    main()
