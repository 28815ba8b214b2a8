"""Generated graphs: loops of nodes that are given, and voices drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from amp_lab.bench.workloads import SAMPLE_RATE
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.graph import Graph
from amp_lab.graph.records.values import Samples

Draw: TypeAlias = np.random.Generator
WAVEFORMS: tuple[Literal["saw", "square", "triangle"], ...] = ("saw", "square", "triangle")
KINDS, VOICES, LINKS = (1, 4), (5, 24), (2, 6)
"""Kinds of voice in a graph, voices of a kind, nodes behind its source: from the first, below the second."""
FILTERS: dict[str, Callable[[Graph, Node, Draw], Node]] = {
    "svf": lambda g, x, draw: g.svf(x, cutoff_hz=draw.uniform(300, 6000), q=draw.uniform(0.6, 4)),
    "biquad": lambda g, x, draw: g.biquad(x, cutoff_hz=draw.uniform(300, 6000), q=draw.uniform(0.6, 4)),
    "one_pole": lambda g, x, draw: g.one_pole(x, cutoff_hz=draw.uniform(300, 6000)),
    "gain": lambda g, x, draw: g.gain(x, gain=draw.uniform(0.2, 0.9)),
    "safety": lambda g, x, draw: g.safety(x, ceiling=draw.uniform(0.3, 0.9)),
}
MOVED = {"svf": "cutoff_hz", "gain": "gain"}
"""What an lfo moves in some nodes."""


def excitation(frames: int) -> Samples:
    """Return steps between -0.5 and 0.5 that any language makes alike, (1, 1, frames)."""
    steps: Samples = (np.arange(frames, dtype=np.uint64) * 2_654_435_761 % 2**32) / 2.0**32 - 0.5
    return steps[None, None]


def loop(nodes: Sequence[tuple[str, Mapping[str, float]]], samples: Samples) -> Graph:
    """Put nodes of one input, given by type and parameters, in a ring over one frame; the first is heard."""
    g = Graph(sample_rate=SAMPLE_RATE, name="loop")
    (first, params), *others = nodes
    head = node = g.add(first, g.input(samples=samples), **params)
    for type_id, chosen in others:
        node = g.add(type_id, node, **chosen)
    g.connect(node, head, delay_frames=1)
    g.output(head)
    return g


def polyphony(seed: int) -> Graph:
    """Mix voices of a few kinds, unlike in number from kind to kind and in every parameter."""
    draw = np.random.default_rng(seed)
    g = Graph(sample_rate=SAMPLE_RATE, name=f"polyphony_{seed}")
    ends = [end for _ in range(draw.integers(*KINDS)) for end in _kind(g, draw)]
    g.output(g.mix(*ends, gain=1 / len(ends)))
    return g


def _kind(g: Graph, draw: Draw) -> list[Node]:
    """Voices of one kind."""
    waveform = WAVEFORMS[draw.integers(len(WAVEFORMS))]
    types = [str(draw.choice(list(FILTERS))) for _ in range(draw.integers(*LINKS))]
    moved = [type_id in MOVED and bool(draw.integers(2)) for type_id in types]
    ends = []
    for _ in range(draw.integers(*VOICES)):
        node = g.oscillator(waveform=waveform, quality="blep2", frequency_hz=draw.uniform(50, 900))
        for type_id, moves in zip(types, moved, strict=True):
            node = FILTERS[type_id](g, node, draw)
            if moves:
                lfo, target = g.lfo(rate_hz=draw.uniform(0.5, 8)), node.param(MOVED[type_id])
                g.modulate(lfo, target, mode="multiply", offset=1.0, scale=draw.uniform(0.1, 0.5))
        ends.append(node)
    return ends
