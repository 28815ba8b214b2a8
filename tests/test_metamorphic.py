"""Changes of a graph that mean nothing change no bit, on generated graphs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from random_graphs import scenes
from rigs import Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab.graph.records.model import Edge

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHOICE = st.integers(0, 10_000)


def unchanged(scene: Scene, graph: amp.Graph) -> None:
    """Assert that every port of a scene sounds the same in the changed graph."""
    note(f"before\n{scene.graph.to_code()}\nafter\n{graph.to_code()}")
    before, after = sound(scene), sound(replace(scene, graph=graph))
    for tap, x, y in zip(scene.taps, *(per_port(scene, s) for s in (before, after)), strict=True):
        assert same_bits(x, y), tap


def per_port(scene: Scene, heard: Samples) -> list[Samples]:
    """The samples of each tap, after the channels of the output."""
    plan = scene.graph.compile()
    width = {(n["name"], p["port"]): p["channels"] for n in plan.info["nodes"] for p in n["outputs"]}
    ends = np.cumsum([plan.output_channels, *(width[tap.partition(".")[::2]] for tap in scene.taps)])
    return np.split(heard, ends[:-1], axis=1)[1:]


def without_shares(graph: amp.Graph) -> amp.Graph:
    """Return a copy that leaves shares of heat to the plan: with more edges those given may be too many."""
    g = graph.copy()
    for edge in g.edges:
        if edge.kappa is not None:
            g.change(edge, kappa=None)
    return g


def insert(g: amp.Graph, edge: Edge, name: str, *, behind: int, **fields: Any) -> None:
    """Put a unit gain into an edge; ``behind`` frames of its delay are on the edge that leaves the gain.

    Never all of them: values below 1e-30 become zero in the output of a node that a delay inside a loop
    leaves.
    """
    tokens = edge.tokens
    first, second = (None, None) if tokens is None else (tokens[:, :, behind:], tokens[:, :, :behind])
    g.disconnect(edge.id)
    unit = g.gain(gain=1.0, name=name)
    front = edge.delay_frames - behind
    g.connect(
        f"{edge.src}.{edge.src_port}",
        unit,
        delay_frames=front,
        tokens=first,
        channel=edge.channel,
    )
    g.connect(
        unit,
        edge.dst,
        port=edge.dst_port,
        slot=edge.slot,
        delay_frames=behind,
        tokens=second if behind else None,
        gates=edge.gates,
    )


class TestNothingChanges:
    """Each law changes the form of a graph, but not its sound."""

    @MANY
    @given(scene=scenes(), choices=st.lists(CHOICE, min_size=1, max_size=4))
    def test_unit_gains_in_edges(self, scene: Scene, choices: list[int]) -> None:
        """Gains of 1 in any edges, loops and initial tokens included."""
        g = without_shares(scene.graph)
        for i, choice in enumerate(choices):
            edges = g.edges
            insert(g, edges[choice % len(edges)], f"unit{i}", behind=0)
        unchanged(scene, g)

    @MANY
    @given(scene=scenes(), choice=CHOICE, part=CHOICE)
    def test_a_delay_split_over_two_edges(self, scene: Scene, choice: int, part: int) -> None:
        """The frames of an edge and its initial tokens are shared out to two."""
        late = [edge for edge in scene.graph.edges if edge.delay_frames]
        assume(late)
        g = without_shares(scene.graph)
        edge = late[choice % len(late)]
        insert(g, edge, "between", behind=part % edge.delay_frames)
        unchanged(scene, g)

    @MANY
    @given(scene=scenes(), random=st.randoms(use_true_random=False))
    def test_the_order_of_nodes_and_edges_in_the_file(self, scene: Scene, random: Any) -> None:
        """Nodes, edges and modulations in any order in the JSON."""
        data = scene.graph.to_dict()
        names = list(data["nodes"])
        random.shuffle(names)
        data["nodes"] = {name: data["nodes"][name] for name in names}
        random.shuffle(data["edges"])
        random.shuffle(data["modulations"])
        unchanged(scene, amp.Graph.from_dict(data))

    @MANY
    @given(scene=scenes(), keep=st.sets(CHOICE, max_size=5))
    def test_taps_that_were_not_asked_for(self, scene: Scene, keep: set[int]) -> None:
        """Any set of taps records what all of them record."""
        note(scene.graph.to_code())
        some = tuple(sorted({scene.taps[i % len(scene.taps)] for i in keep}))
        whole = dict(zip(scene.taps, per_port(scene, sound(scene)), strict=True))
        part = replace(scene, taps=some)
        heard = sound(part)
        assert same_bits(heard[:, : scene.graph.compile().output_channels], whole["out.out"])
        for tap, x in zip(some, per_port(part, heard), strict=True):
            assert same_bits(x, whole[tap]), tap

    @MANY
    @given(scene=scenes(), more=st.integers(1, 700))
    def test_a_longer_render(self, scene: Scene, more: int) -> None:
        """The first frames of a longer render are those of the shorter one."""
        note(scene.graph.to_code())
        longer = sound(replace(scene, frames=scene.frames + more))
        assert same_bits(longer[:, :, : scene.frames], sound(scene))

    @MANY
    @given(scene=scenes(), choice=CHOICE, delay=st.sampled_from([0, 0, 5, 100]))
    def test_a_node_that_is_not_read(self, scene: Scene, choice: int, delay: int) -> None:
        """Of any type that takes any signal, those with latency included, which makes the graph later."""
        sources = [n for n in scene.graph.nodes if n.contract.outputs and n.type != "split"]
        kinds = ("gain", "fir", "lookahead_limiter", "svf", "delay_line", "hold", "stack", "batch_mix")
        g = without_shares(scene.graph)
        extra = g.add(kinds[choice % len(kinds)], name="unread")
        g.connect(g[sources[choice // len(kinds) % len(sources)].name], extra, delay_frames=delay)
        unchanged(scene, g)
