"""Feedback against a simulation in plain Python: the same operations in the same order, so equal bits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp

FRAMES = 300
INPUT = np.random.default_rng(4).uniform(-1, 1, FRAMES)


@dataclass
class Link:
    """An edge into a mix, or a modulation of its gain if ``mode`` is given."""

    src: int
    dst: int
    delay: int
    tokens: Samples | None = None
    mode: str = ""
    scale: float = 0.0
    offset: float = 0.0


@dataclass
class Network:
    """Mixes with gains; mix 0 reads the input. Links into one mix are in slot order."""

    gains: list[float]
    links: list[Link] = field(default_factory=list)

    def build(self, name: str = "network") -> amp.Graph:
        """Return the network as a graph; its output is the last mix."""
        g = amp.Graph(sample_rate=RATE, name=name)
        nodes = [g.add("mix", gain=gain, name=f"m{i}") for i, gain in enumerate(self.gains)]
        g.connect(g.input(samples=INPUT, name="source"), nodes[0])
        quiet = g.constant(value=0.0, name="quiet")
        for node in nodes[1:]:
            g.connect(quiet, node)
        for link in self.links:
            src, dst = nodes[link.src], nodes[link.dst]
            if link.mode:
                law: Any = {"mode": link.mode, "scale": link.scale, "offset": link.offset}
                g.modulate(src, dst.gain, delay_frames=link.delay, **law)
            else:
                g.connect(src, dst, delay_frames=link.delay, tokens=link.tokens)
        g.output(nodes[-1], name="out")
        return g

    def order(self) -> list[int]:
        """Mixes so that every link without delay goes forward."""
        left, order = set(range(len(self.gains))), []
        while left:
            ready = [
                v
                for v in sorted(left)
                if not any(k.dst == v and k.delay == 0 and k.src in left for k in self.links)
            ]
            assert ready, "a cycle without delay"
            order.append(ready[0])
            left.remove(ready[0])
        return order

    def closing(self) -> set[int]:
        """Mixes that a delaying link of a loop leaves: there values below 1e-30 become zero."""
        return {k.src for k in self.links if k.delay > 0 and k.src in self.reached_from(k.dst)}

    def reached_from(self, start: int) -> set[int]:
        """Mixes that read one directly or indirectly, itself included."""
        reached = {start}
        while more := {k.dst for k in self.links if k.src in reached} - reached:
            reached |= more
        return reached

    def simulate(self, frames: int = FRAMES) -> Samples:
        """Return every mix, (mixes, frames), one frame after another."""
        y = np.zeros((len(self.gains), frames))
        order, closing = self.order(), self.closing()

        def heard(link: Link, n: int) -> float:
            if n >= link.delay:
                return float(y[link.src, n - link.delay])
            return 0.0 if link.tokens is None else float(link.tokens[0, 0, n])

        for n, v in itertools.product(range(frames), order):
            total = float(INPUT[n]) if v == 0 else 0.0
            gain = self.gains[v]
            mine = [link for link in self.links if link.dst == v]
            for link in (k for k in mine if not k.mode):
                total = total + heard(link, n)
            for link in (k for k in mine if k.mode == "multiply"):
                gain = gain * (link.offset + link.scale * heard(link, n))
            for link in (k for k in mine if k.mode == "add"):
                gain = gain + link.scale * heard(link, n)
            y[v, n] = gain * total
            if v in closing and abs(y[v, n]) < 1e-30:
                y[v, n] = 0.0
        return y

    def least_cycle(self) -> int | None:
        """Least sum of delays round any cycle, by walking every simple one; None without cycles."""
        return min((sum(k.delay for k in cycle) for cycle in self.cycles()), default=None)

    def cycles(self) -> Iterator[list[Link]]:
        """Every simple cycle, once per start that is its lowest mix."""

        def walk(start: int, path: list[Link]) -> Iterator[list[Link]]:
            at = path[-1].dst if path else start
            for link in (k for k in self.links if k.src == at and k.dst >= start):
                if link.dst == start:
                    yield [*path, link]
                elif all(link.dst != k.dst for k in path):
                    yield from walk(start, [*path, link])

        for start in range(len(self.gains)):
            yield from walk(start, [])


def check(network: Network, *cuts: Cut) -> None:
    """Assert that the engine gives the bits of the simulation, at every mix, for every cut."""
    graph = network.build()
    taps = tuple(f"m{i}" for i in range(len(network.gains)))
    want = network.simulate()
    for batches in (1, 6):
        scene = Scene(graph, FRAMES, None, batches, taps)
        for cut in cuts or (Cut(), Cut(1), Cut(7), Cut(64), Cut(33, rigs.random_calls(1, FRAMES))):
            got = sound(scene, cut)
            for b in range(batches):
                assert same_bits(got[b, 1:], want), f"{cut}, {batches} batches"


def ring(*delays: int, gain: float = 0.7) -> Network:
    """As many mixes in a ring as there are delays."""
    n = len(delays)
    return Network([gain] * n, [Link(i, (i + 1) % n, d) for i, d in enumerate(delays)])


def sub_blocks(graph: amp.Graph) -> list[int]:
    """Sub-block of every feedback component of the plan."""
    return [component["sub_block"] for component in graph.compile().info["components"]]


class TestLoops:
    """Loops of every length and shape."""

    @pytest.mark.parametrize("d", [1, 2, 3, 8, 14, 15, 16, 17, 31, 64, 65, 70])
    def test_delay_of_a_loop(self, d: int) -> None:
        """One to seventy frames round three mixes, below and above where the driver changes."""
        network = ring(0, 0, d)
        check(network)
        assert sub_blocks(network.build()) == [d]

    @pytest.mark.parametrize("d", [1, 5, 16, 40])
    def test_self_loop(self, d: int) -> None:
        """A mix that reads itself."""
        check(Network([0.8], [Link(0, 0, d)]))

    @pytest.mark.parametrize("d", [2, 9, 16, 40])
    def test_splitting_a_delay_changes_no_bit(self, d: int) -> None:
        """A delay moved from one edge of a loop to another does not change the output at the loop's entry."""

        def entry(network: Network) -> Samples:
            return sound(Scene(network.build(), FRAMES, None, 1, ("m0",)))[0, 1]

        whole = entry(ring(0, 0, d))
        for first in range(1, d):
            assert same_bits(entry(ring(0, first, d - first)), whole)
        check(ring(d // 2, 0, d - d // 2))

    @pytest.mark.parametrize("d", [1, 20])
    def test_names_mean_nothing(self, d: int) -> None:
        """Two gains in a ring give the same bits whichever comes first, down to values that become zero."""
        heard = set()
        for first, second in (("a", "b"), ("b", "a")):
            g = amp.Graph(sample_rate=RATE)
            g.mix(g.input(samples=[1.0], name="source"), gain=1e-9, name=first)
            g.gain(gain=-1e-9, name=second)
            for src, dst in ((first, second), (second, first)):
                g.connect(src, dst, delay_frames=d)
            g.output(g.stack(g[first], g[second], name="both"), name="out")
            heard.add(rigs.digest(sound(Scene(g, 6 * d))))
        assert len(heard) == 1

    @pytest.mark.parametrize("inner, outer", [(1, 1), (1, 20), (20, 1), (17, 40), (3, 16)])
    def test_nested_loops(self, inner: int, outer: int) -> None:
        """A loop inside a loop; the shorter cycle sets the sub-block."""
        network = Network(
            [0.5, 0.6, 0.4], [Link(0, 1, 0), Link(1, 2, 0), Link(2, 1, inner), Link(2, 0, outer)]
        )
        check(network)
        assert sub_blocks(network.build()) == [min(inner, outer)]

    @pytest.mark.parametrize("a, b", [(1, 1), (2, 30), (16, 16), (18, 5)])
    def test_crossed_loops(self, a: int, b: int) -> None:
        """Two loops that share a mix, like a figure of eight, and cross-couple."""
        links = [Link(0, 1, 0), Link(1, 0, a), Link(0, 2, 0), Link(2, 0, b), Link(1, 2, 3), Link(2, 1, 17)]
        check(Network([0.3, 0.5, -0.6], links))

    def test_two_components_one_after_the_other(self) -> None:
        """A fast loop feeds a slow one; each has its own sub-block."""
        network = Network([0.5, 0.5], [Link(0, 0, 1), Link(0, 1, 4), Link(1, 1, 50)])
        check(network)
        assert sorted(sub_blocks(network.build())) == [1, 50]

    @pytest.mark.parametrize("d", [1, 4, 16, 33])
    @pytest.mark.parametrize("mode", ["multiply", "add"])
    def test_modulation_closes_a_loop(self, mode: str, d: int) -> None:
        """A mix whose gain follows its own past through another."""
        links = [
            Link(0, 1, 0),
            Link(1, 0, d, mode=mode, scale=0.3, offset=0.5 if mode == "multiply" else 0.0),
        ]
        check(Network([0.6, 0.5], links))

    @pytest.mark.parametrize("d", [1, 3, 16, 50])
    def test_initial_tokens(self, d: int) -> None:
        """Initial tokens of an edge are output before the producer's frame 0, in a loop and outside."""
        tokens = np.random.default_rng(d).uniform(-1, 1, (1, 1, d))
        check(Network([0.5, 0.9], [Link(0, 1, 0), Link(1, 0, d, tokens)]))
        check(Network([0.5, 0.9], [Link(0, 1, d, tokens)]))

    def test_tokens_differ_per_batch(self) -> None:
        """Initial tokens with a batch axis ring in their own batch."""
        tokens = np.random.default_rng(8).uniform(-1, 1, (6, 1, 5))
        together = Network([0.9], [Link(0, 0, 5, tokens)]).build()
        got = sound(Scene(together, FRAMES, None, 6))
        for b in range(6):
            alone = Network([0.9], [Link(0, 0, 5, tokens[b : b + 1])])
            assert same_bits(got[b], alone.simulate())

    def test_delay_outside_a_loop(self) -> None:
        """Edges that only delay, longer than any block, and several from one mix."""
        check(
            Network(
                [1.0, 0.5], [Link(0, 1, 0), Link(0, 1, 1), Link(0, 1, 64), Link(0, 1, 299), Link(0, 1, 5000)]
            )
        )


class TestRefusal:
    """Loops that cannot be."""

    @pytest.mark.parametrize(
        "network, cycle",
        [
            (ring(0, 0), "m0 -> m1 -> m0"),
            (ring(0, 0, 0), "m0 -> m1 -> m2 -> m0"),
            (Network([1.0], [Link(0, 0, 0)]), "m0 -> m0"),
            (
                Network([1.0] * 4, [Link(0, 1, 0), Link(1, 2, 0), Link(2, 3, 0), Link(3, 2, 0)]),
                "m2 -> m3 -> m2",
            ),
            (
                Network([1.0] * 3, [Link(0, 1, 0), Link(1, 2, 0), Link(2, 0, 0, mode="add", scale=1.0)]),
                "m0 -> m1 -> m2 -> m0",
            ),
        ],
    )
    def test_a_cycle_without_delay_is_spelled_out(self, network: Network, cycle: str) -> None:
        """The whole message, to the letter, and the node."""
        with pytest.raises(amp.CycleError) as caught:
            network.build().compile()
        want = f"feedback {cycle}: 0 frames of edge delay, needs 1. Add delay_frames on one of its edges."
        assert str(caught.value) == want
        assert caught.value.node == cycle.split(" ", maxsplit=1)[0]
        assert caught.value.stage == "plan"

    def test_one_frame_is_enough(self) -> None:
        """The cure the message names works on any of the edges."""
        for place in range(3):
            check(ring(*(int(i == place) for i in range(3))))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Small random networks; links that do not go forward have a delay of at least one frame."""
    count = draw(st.integers(1, 5))
    gains = [draw(st.sampled_from([0.5, -0.4, 0.3, 0.9])) / 2 for _ in range(count)]
    longest = draw(st.sampled_from([3, 20, 90]))
    links = []
    for _ in range(draw(st.integers(1, 8))):
        src, dst = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        delay = draw(st.integers(0 if src < dst else 1, longest))
        mode = draw(st.sampled_from(["", "", "", "multiply", "add"]))
        offset = 0.4 if mode == "multiply" else 0.0
        links.append(Link(src, dst, delay, mode=mode, scale=0.05 if mode else 0.0, offset=offset))
    edges = [1 + sum(k.dst == i and not k.mode for k in links) for i in range(count)]
    return Network([gain / n for gain, n in zip(gains, edges, strict=True)], links)


def test_a_tap_in_front_of_a_component_is_read_before_its_slice_is_taken() -> None:
    """A node that only a tap reads fires directly before a feedback component that reuses its memory."""
    check(Network([0.25] * 3, [Link(2, 2, 1, mode="multiply", scale=0.05, offset=0.4)]))


class TestRandomNetworks:
    """Generated networks."""

    @settings(max_examples=60, deadline=None)
    @given(network=networks(), block=st.integers(1, 100))
    @example(
        network=Network([0.5, -0.1, 0.125], [Link(2, 1, 1), Link(1, 2, 1)]), block=1
    )  # -0.1 times nothing is -0
    def test_they_equal_the_simulation(self, network: Network, block: int) -> None:
        """Every mix, to the bit, in one block and many, in both layouts."""
        assume(np.abs(network.simulate()).max() < 1e3)
        check(network, Cut(), Cut(block), Cut(block, rigs.random_calls(block, FRAMES)))

    @settings(max_examples=150, deadline=None)
    @given(network=networks())
    def test_the_sub_block_is_the_least_cycle(self, network: Network) -> None:
        """The plan's least sub-block is the least sum of delays over all simple cycles."""
        blocks = sub_blocks(network.build())
        assert min(blocks, default=None) == network.least_cycle()
