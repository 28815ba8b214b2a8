"""Graphs that come with the package and can be rendered as they are."""

from __future__ import annotations

from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.graph import Graph
from amp_lab.graph.records.curves import ControlHistory, performance
from amp_lab.graph.records.values import curve

__all__ = ["three_osc", "three_osc_controls"]

DETUNE = (0.9964, 1.0, 1.0045)
"""Frequency ratios of the three voices, about -6, 0 and +8 cents."""
PHASES = (0.0, 0.37, 0.71)
"""Start phases of the three voices in cycles; unequal, so that the first note does not begin with a spike."""
CIRCUIT = {"capacity_j_per_k": 2e-3, "conductance_w_per_k": 4e-3}
"""Heat constants of a small circuit: time constant 0.5 s."""
STANDBY = CIRCUIT | {"heat_j_per_frame": 2.5e-7}
"""A circuit that gives off 12 mW at 48 kHz, independent of its signal."""


def __dir__() -> list[str]:
    return sorted(__all__)


def three_osc_controls() -> ControlHistory:
    """Return the control curves of ten seconds that `three_osc` follows by default.

    Examples
    --------
    >>> amp.presets.three_osc_controls()
    ControlHistory: cutoff_hz, gate, pitch_hz, velocity
    """
    return performance()


def three_osc(controls: ControlHistory | None = None) -> Graph:
    """Return a graph of three detuned saws with vibrato through a low-pass filter, driven by control curves.

    Parameters
    ----------
    controls
        Curves ``gate``, ``velocity``, ``pitch_hz`` and ``cutoff_hz``; by default `three_osc_controls`.

    Examples
    --------
    >>> g = amp.presets.three_osc()
    >>> g
    Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz
    >>> g.render(frames=480).audio.shape
    (1, 2, 480)
    """
    g = Graph(sample_rate=48_000.0, name="three_osc")
    g.controls = three_osc_controls() if controls is None else controls
    lfo = g.lfo(rate_hz=5.0)
    mix = g.mix(
        *(_voice(g, lfo, *voice) for voice in zip((1, 2, 3), DETUNE, PHASES, strict=True)),
        gain=1 / 3,
        thermo=STANDBY,
    )
    flt = g.svf(mix, mode="lowpass", cutoff_hz=curve("cutoff_hz"), q=2.0, name="flt", thermo=STANDBY)
    g.modulate(lfo, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.15)
    amp = g.gain(flt, gain=0.8, name="amp", thermo=CIRCUIT)
    g.modulate(_envelope(g), amp.gain, mode="multiply")
    g.output(g.safety(g.pan(amp)), thermo=CIRCUIT)
    return g


def _voice(g: Graph, lfo: Node, number: int, ratio: float, phase: float) -> Node:
    """Add an oscillator at ``ratio`` times the pitch, with a vibrato of 1 Hz in amplitude."""
    voice = g.oscillator(
        waveform="saw",
        quality="blep2",
        frequency_hz=curve("pitch_hz"),
        phase_cycles=phase,
        name=f"osc_{number}",
    )
    detune = g.constant(value=ratio, name=f"detune_{number}")
    g.modulate(detune, voice.frequency_hz, mode="multiply")
    g.modulate(lfo, voice.frequency_hz, mode="add", scale=1.0)
    return voice


def _envelope(g: Graph) -> Node:
    """Add an envelope that the curves ``gate`` and ``velocity`` drive."""
    gate = g.controller(curve="gate", name="gate")
    velocity = g.controller(curve="velocity", name="velocity")
    return g.envelope(
        gate=gate, velocity=velocity, attack_s=0.004, decay_s=0.18, sustain=0.55, release_s=0.12, name="env"
    )
