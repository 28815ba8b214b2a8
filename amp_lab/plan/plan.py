"""The compiled plan of a graph: as blobs for the runtime, as data and as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from amp_lab import lowlevel
from amp_lab.lowlevel import PlanFacts
from amp_lab.plan import schedule
from amp_lab.plan import text as plan_text
from amp_lab.plan.schedule import Schedule


@dataclass(frozen=True)
class Plan:
    """A compiled graph; later edits of the graph do not change it.

    Examples
    --------
    >>> plan = amp.presets.three_osc().compile()
    >>> plan
    Plan three_osc: 16 nodes, 18 edges, 0 components, latency 0 frames, ...
    >>> plan.curves
    ('cutoff_hz', 'gate', 'pitch_hz', 'velocity')
    >>> plan.output_channels
    2
    >>> len(plan.digest), len(plan.info["edges"]), len(plan.schedule.order)
    (16, 18, 16)
    """

    descriptor_blob: bytes
    plan_blob: bytes
    facts: PlanFacts
    name: str

    @classmethod
    def compile(cls, descriptor_blob: bytes, name: str, nodes: Iterable[str]) -> Self:
        """Compile descriptors natively.

        Parameters
        ----------
        descriptor_blob
            The graph, encoded by `amp_lab.graph.files.descriptors`.
        name
            Name of the graph.
        nodes
            Names of its nodes; the plan refers to these strings, so that no name is in memory twice.

        Raises
        ------
        AmpError
            If the graph has violations; the error lists all of them.

        Examples
        --------
        >>> plan = amp.Graph(name="empty").compile()
        >>> amp.Plan.compile(plan.descriptor_blob, "again", ())
        Plan again: 0 nodes, 0 edges, 0 components, latency 0 frames, ...
        """
        plan_blob, facts = lowlevel.plan_compile(descriptor_blob)
        own = {node: node for node in nodes}
        order = tuple(own[node] for node in facts.order)
        return cls(descriptor_blob, plan_blob, replace(facts, order=order), name)

    @cached_property
    def info(self) -> dict[str, Any]:
        """The plan as JSON values: nodes in execution order, components, edges, digests."""
        data: dict[str, Any] = json.loads(lowlevel.plan_describe(self.descriptor_blob, self.plan_blob))
        return data

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the nodes in execution order; traces and flight records refer to nodes by this index.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.sine()))
        >>> g.compile().order
        ('sine', 'gain', 'output')
        """
        return self.facts.order

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the control curves that a render needs, sorted."""
        return self.facts.curves

    @property
    def digest(self) -> str:
        """Digest of descriptors and contracts, 16 hexadecimal digits."""
        return self.facts.digest

    @property
    def latency_frames(self) -> int:
        """Latency G of the graph in frames: at virtual time t the output delivers frame t - G.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.fir(g.sine(), half_length=32))
        >>> g.compile().latency_frames
        32
        """
        return self.facts.latency_frames

    @property
    def arrivals(self) -> dict[str, int]:
        """Virtual time A at which each node fires its frame 0, in execution order.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.fir(g.sine(), half_length=32))
        >>> g.compile().arrivals
        {'sine': 0, 'fir': 0, 'output': 32}
        """
        return {node["name"]: int(node["arrival_frames"]) for node in self.info["nodes"]}

    @property
    def latencies(self) -> dict[str, int]:
        """Processing latency L of each node in frames, in execution order.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.fir(g.sine(), half_length=32))
        >>> g.compile().latencies
        {'sine': 0, 'fir': 32, 'output': 0}
        """
        return {node["name"]: int(node["latency_frames"]) for node in self.info["nodes"]}

    @property
    def gates(self) -> dict[str, tuple[str, ...]]:
        """Nodes behind each synchrony gate, in execution order; those of one gate start at one virtual time.

        Examples
        --------
        >>> g = amp.Graph()
        >>> tone, mix = g.sine(), g.mix()
        >>> edge = g.connect(tone, mix, gates=["start"])
        >>> out = g.output(mix)
        >>> g.compile().gates
        {'start': ('mix',)}
        """
        behind: dict[str, list[str]] = {}
        for node in self.info["nodes"]:
            for gate in node["gates"]:
                behind.setdefault(gate, []).append(node["name"])
        return {gate: tuple(behind[gate]) for gate in sorted(behind)}

    @property
    def output_channels(self) -> int:
        """Channels of the output node, 0 if the graph has none."""
        return self.facts.output_channels

    @cached_property
    def schedule(self) -> Schedule:
        """The derived schedule, which renders follow by default."""
        return schedule.followed(self.descriptor_blob, None)

    def to_text(self) -> str:
        """Return the plan as a readable text: nodes in execution order, loops, gates, edges, digest.

        If the derived schedule has cohorts, its stages are listed too. Equal plans give equal texts.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.gain(g.sine(), gain=0.5))
        >>> print(g.compile().to_text())
        plan beep: 48000 Hz, 3 nodes, 2 edges, no latency
        <BLANKLINE>
        nodes in firing order
          A is the virtual time, in frames, at which a node fires its frame 0; L is its processing latency.
          Its frame n can be read from time A + L + n on.
          A  L  ch  type    node
          0  0   1  sine    sine
          0  0   1  gain    gain
          0  0   1  output  output  delivered
        <BLANKLINE>
        edges
          sine.out  ->  gain.in[0]
          gain.out  ->  output.in[0]
        <BLANKLINE>
        digest ...
        """
        return plan_text.render(self.info, self.schedule.to_text() if self.schedule.cohorts else "")

    def __repr__(self) -> str:
        facts = self.facts
        counts = f"{len(facts.order)} nodes, {facts.edges} edges, {facts.components} components"
        return f"Plan {self.name}: {counts}, latency {facts.latency_frames} frames, {facts.digest[:8]}"
