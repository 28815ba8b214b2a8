"""The parts of a graph: immutable records of nodes, edges and modulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from amp_lab.graph.records.values import Samples, Value

HEAT_POLICIES = ("report", "halt")
Mode: TypeAlias = Literal["multiply", "add"]


@dataclass(frozen=True)
class Thermo:
    """Heat constants of a node: own heat (J per frame), heat capacity (J/K), conductance to ambient (W/K)."""

    heat_j_per_frame: float | None = None
    capacity_j_per_k: float | None = None
    conductance_w_per_k: float | None = None


@dataclass(frozen=True, eq=False, slots=True)
class NodeRecord:
    """State of a node; ``values`` holds the parameters that differ from their defaults, in normal form.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.sine(amplitude=0.5).record
    NodeRecord(name='sine', type='sine', revision=1, values={'amplitude': 0.5},
        thermo=Thermo(heat_j_per_frame=None, capacity_j_per_k=None, conductance_w_per_k=None), samples=None)
    """

    name: str
    type: str
    revision: int
    values: Mapping[str, Value] = field(default_factory=dict)
    thermo: Thermo = Thermo()
    samples: Samples | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Edge:
    """A connection from an output port to an input port; ``slot`` is its place among the edges of the input.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone, mix = g.sine(), g.mix()
    >>> edge = g.connect(tone, mix, delay_frames=480)
    >>> edge.id, edge.src, edge.delay_frames, edge.is_plain
    ('mix.in[0]', 'sine', 480, False)
    """

    src: str
    src_port: str
    dst: str
    dst_port: str
    slot: int = 0
    delay_frames: int = 0
    gates: tuple[str, ...] = ()
    kappa: float | None = None
    tokens: Samples | None = None
    channel: int | None = None

    @property
    def id(self) -> str:
        """``dst.port[slot]``, unique in its graph."""
        return f"{self.dst}.{self.dst_port}[{self.slot}]"

    @property
    def is_plain(self) -> bool:
        """Whether the edge has no delay, gates, heat share, tokens or selected channel."""
        more = (self.kappa, self.tokens, self.channel)
        return not (self.delay_frames or self.gates) and all(value is None for value in more)

    def __repr__(self) -> str:
        delay = f", delay {self.delay_frames} frames" if self.delay_frames else ""
        channel = "" if self.channel is None else f" channel {self.channel}"
        return f"Edge {self.src}.{self.src_port}{channel} -> {self.id}{delay}"


@dataclass(frozen=True, slots=True)
class Modulation:
    """A modulation of a parameter by a signal m: times (offset + scale * m) or plus scale * m, in slot order.

    Examples
    --------
    >>> g = amp.Graph()
    >>> m = g.modulate(g.lfo(), g.sine().amplitude, mode="multiply", scale=0.5, offset=0.5)
    >>> m.id, m.mode, m.scale
    ('sine.amplitude[0]', 'multiply', 0.5)
    """

    src: str
    src_port: str
    dst: str
    param: str
    mode: Mode
    scale: float = 1.0
    offset: float = 0.0
    channel: int | None = None
    slot: int = 0
    delay_frames: int = 0

    @property
    def id(self) -> str:
        """``dst.param[slot]``, unique in its graph."""
        return f"{self.dst}.{self.param}[{self.slot}]"

    def __repr__(self) -> str:
        law = f"{self.offset:g} + {self.scale:g} m" if self.mode == "multiply" else f"{self.scale:g} m"
        return f"Modulation {self.src}.{self.src_port} -> {self.id}: {self.mode} {law}"


Link: TypeAlias = Edge | Modulation
