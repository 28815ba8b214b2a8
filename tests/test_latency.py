"""Processing latency and gates: starts computed from the edges alone, and the sound by recursion."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp

FRAMES = 90
INPUT = np.random.default_rng(11).uniform(-1, 1, FRAMES)
STOPBAND_DB = 40.0


def response(half: int) -> Samples:
    """Response of a fir with that half_length at its defaults, (2 half + 1,)."""
    x = np.zeros((1, 1, 2 * half + 1))
    x[0, 0, half] = 1.0
    return rigs.through("fir", x, half_length=half, stopband_db=STOPBAND_DB)[0]


@dataclass(frozen=True)
class Wire:
    """An edge, or a modulation of the gain of its destination if ``depth`` is not 0."""

    src: str
    dst: str
    delay: int = 0
    gates: tuple[str, ...] = ()
    depth: float = 0.0
    tokens: Samples | None = None


@dataclass
class Web:
    """Mixes (latency 0) and firs of given half length; all mixes read silence, the first also the input."""

    latency: dict[str, int]
    wires: list[Wire] = field(default_factory=list)

    def build(self, name: str = "web") -> amp.Graph:
        """Return the web as a graph; the clock comes first in the order, ``end`` is the output."""
        g = amp.Graph(sample_rate=RATE, name=name)
        g.noise(name=rigs.CLOCK)
        source, quiet = g.input(samples=INPUT, name="source"), g.constant(value=0.0, name="quiet")
        for node, half in self.latency.items():
            if half:
                g.add("fir", name=node, half_length=half, stopband_db=STOPBAND_DB)
            else:
                g.add("mix", name=node, gain=0.4)
                g.connect(quiet, node)
        for node in (node for node, half in self.latency.items() if half):
            if not any(w.dst == node for w in self.wires):
                g.connect(quiet, node)
        g.connect(source, next(iter(self.latency)))
        for w in self.wires:
            if w.depth:
                g.modulate(w.src, g[w.dst].gain, mode="add", scale=w.depth, delay_frames=w.delay)
            else:
                g.connect(w.src, w.dst, delay_frames=w.delay, gates=w.gates, tokens=w.tokens)
        g.output(g[list(self.latency)[-1]], name="end")
        return g

    def arrivals(self) -> dict[str, int] | None:
        """Virtual times of the frames 0, raised until nothing changes; None if they rise for ever."""
        behind = [
            {w.dst for w in self.wires if gate in w.gates}
            for gate in {g for w in self.wires for g in w.gates}
        ]
        start = dict.fromkeys(self.latency, 0)
        for _ in range(4 * len(start) * len(start) + 10):
            before = dict(start)
            for w in self.wires:
                start[w.dst] = max(start[w.dst], start[w.src] + self.latency[w.src] - w.delay)
            for consumers in behind:
                start |= dict.fromkeys(consumers, max(start[v] for v in consumers))
            if start == before:
                return start
        return None

    def slack(self) -> int | None:
        """Least sum(d) - sum(L) over all cycles, None without any (Floyd and Warshall)."""
        far: dict[tuple[str, str], float] = {}
        for w in self.wires:
            key = (w.src, w.dst)
            far[key] = min(far.get(key, np.inf), w.delay - self.latency[w.src])
        for k, i, j in itertools.product(self.latency, repeat=3):
            far[i, j] = min(far.get((i, j), np.inf), far.get((i, k), np.inf) + far.get((k, j), np.inf))
        least = min((far[v, v] for v in self.latency if (v, v) in far), default=np.inf)
        return None if np.isinf(least) else int(least)


class Oracle:
    """Any frame of any node, computed recursively from its sources, without blocks or virtual time."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.known: dict[tuple[str, int], float] = {}
        self.into = {v: [w for w in web.wires if w.dst == v] for v in web.latency}

    @cached_property
    def responses(self) -> dict[int, Samples]:
        """Response per half length."""
        return {half: response(half) for half in set(self.web.latency.values()) if half}

    def heard(self, w: Wire, n: int) -> float:
        """What frame n of the destination reads from an edge."""
        m = n - w.delay
        if m >= 0:
            return self.frame(w.src, m)
        return float(w.tokens[0, 0, w.delay + m]) if w.tokens is not None and n >= 0 else 0.0

    def input(self, v: str, n: int) -> float:
        """Frame n of the sum at the input of a node."""
        if n < 0:
            return 0.0
        own = float(INPUT[n]) if v == next(iter(self.web.latency)) and n < FRAMES else 0.0
        return own + sum(self.heard(w, n) for w in self.into[v] if not w.depth)

    def frame(self, v: str, n: int) -> float:
        """Frame n >= 0 of a node."""
        if (v, n) not in self.known:
            half = self.web.latency[v]
            if half:
                h = self.responses[half]
                y = sum(h[half + k] * self.input(v, n - k) for k in range(half, -half - 1, -1))
            else:
                gain = 0.4 + sum(w.depth * self.heard(w, n) for w in self.into[v] if w.depth)
                y = gain * self.input(v, n)
            self.known[v, n] = float(y)
        return self.known[v, n]

    def sound(self) -> Samples:
        """Every node, (nodes, FRAMES)."""
        frames = [[self.frame(v, n) for v in self.web.latency] for n in range(FRAMES)]
        return np.array(frames).T


def scene(web: Web, batches: int = 1) -> Scene:
    """Return the web with every node tapped."""
    return Scene(web.build(), FRAMES, None, batches, tuple(web.latency))


def check(web: Web, *cuts: Cut) -> None:
    """Assert arrivals, readiness, sound and its independence of cuts and layouts."""
    want = web.arrivals()
    assert want is not None
    plan = web.build().compile()
    assert {v: plan.arrivals[v] for v in want} == want
    assert plan.latency_frames == max(want[v] + lag for v, lag in web.latency.items())
    assert starts(web) == want
    heard = sound(scene(web))
    np.testing.assert_allclose(heard[0, 1:], Oracle(web).sound(), rtol=0.0, atol=1e-12)
    for batches in (1, 6):
        for cut in cuts or (Cut(1), Cut(7), Cut(64), Cut(FRAMES), Cut(5, rigs.random_calls(2, FRAMES))):
            got = sound(scene(web, batches), cut)
            for b in range(batches):
                assert same_bits(got[b], heard[0]), f"{cut}, {batches} batches"


def starts(web: Web) -> dict[str, int]:
    """Measured virtual time of every node's first firing."""
    first = rigs.starts(replace(scene(web), taps=()))
    return {v: first[v] for v in web.latency}


PARALLEL = Web({"in": 0, "look": 20, "sum": 0}, [Wire("in", "look"), Wire("look", "sum"), Wire("in", "sum")])
LOOP = Web(
    {"svf": 0, "look": 64, "end_": 0}, [Wire("svf", "look"), Wire("look", "svf", 65), Wire("svf", "end_")]
)
TOKENS = np.random.default_rng(3).uniform(-1, 1, (1, 1, 30))


class TestVirtualTime:
    """Arrivals, lags, and the sound that follows."""

    @pytest.mark.parametrize(
        "web",
        [
            PARALLEL,
            LOOP,
            Web({"a": 5, "b": 7, "c": 0}, [Wire("a", "b"), Wire("b", "c"), Wire("a", "c", 3)]),
            Web({"a": 9, "b": 0}, [Wire("a", "b", 9)]),
            Web({"a": 9, "b": 0, "c": 0}, [Wire("a", "b", 30), Wire("a", "c"), Wire("b", "c")]),
            Web({"a": 0, "b": 6, "c": 0}, [Wire("a", "b"), Wire("b", "c", depth=0.3), Wire("a", "c")]),
            Web(
                {"a": 0, "b": 6, "c": 0},
                [Wire("a", "b"), Wire("b", "a", 7), Wire("b", "c", 30, (), 0.0, TOKENS)],
            ),
            Web({"a": 3, "b": 0}, [Wire("a", "b", 30, (), 0.0, TOKENS), Wire("b", "a", 4)]),
            Web(
                {"a": 12, "b": 0}, [Wire("b", "a", 30, (), 0.0, TOKENS), Wire("a", "b", 2), Wire("b", "b", 1)]
            ),
        ],
    )
    def test_parallel_paths_loops_modulation_and_tokens(self, web: Web) -> None:
        """The output follows from the edges, frame by frame, however late each node starts."""
        check(web)

    def test_the_plan_says_what_an_edge_holds(self) -> None:
        """A join holds the frames of the faster path; taps of it are ahead of what is delivered."""
        info = PARALLEL.build().compile().info
        lags = {(e["src"], e["dst"]): e["lag_frames"] for e in info["edges"]}
        assert lags["in", "sum"] == 20
        assert lags["look", "sum"] == lags["in", "look"] == 0
        assert lags["quiet", "sum"] == 20
        assert {n["name"]: n["advance_frames"] for n in info["nodes"]}["in"] == 20

    def test_the_latency_of_a_loop_shortens_its_sub_block(self) -> None:
        """65 frames of delay less 64 of latency leave sub-blocks of one frame."""
        (component,) = LOOP.build().compile().info["components"]
        assert component["sub_block"] == 1

    def test_latency_is_that_of_the_parameters(self) -> None:
        """The look-ahead in seconds becomes frames at the graph's rate."""
        for rate, frames in ((48_000.0, 120), (44_100.0, 110), (1000.0, 3)):
            g = amp.Graph(sample_rate=rate)
            g.output(g.add("lookahead_limiter", g.input(samples=[1.0]), lookahead_s=0.0025))
            assert g.compile().latency_frames == frames
            assert g.render(frames=8).latency_frames == frames

    def test_thousands_of_nodes_take_no_time(self) -> None:
        """A long chain with a long way round and a gate is compiled in a moment, and delivered aligned."""
        g = amp.Graph(sample_rate=RATE)
        here = entry = g.mix(g.input(samples=INPUT), name="entry")
        with g.edit():
            for i in range(3000):
                here = g.add("fir" if i % 1000 == 0 else "gain", here, name=f"n{i}")
            g.connect(here, entry, delay_frames=97, slot=1)
            g.connect(here, g.add("mix", name="late"), gates=["g"])
            g.connect(entry, "late", gates=["g"])
        assert g.compile().arrivals["late"] == g.compile().latency_frames == 96


class TestRefusal:
    """Impossible loops and gates."""

    @staticmethod
    def refused(web: Web) -> str:
        """Message of the refusal."""
        with pytest.raises(amp.CycleError) as caught:
            web.build().compile()
        assert caught.value.stage == "plan"
        return str(caught.value)

    def test_a_loop_with_too_little_delay(self) -> None:
        """The sums, and who declares what; one frame more is enough."""
        short = replace(LOOP, wires=[replace(w, delay=min(w.delay, 64)) for w in LOOP.wires])
        assert self.refused(short) == (
            "feedback svf -> look -> svf: 64 frames of edge delay, needs 65 (look declares 64). "
            "Add delay_frames on one of its edges."
        )
        none = replace(LOOP, wires=[replace(w, delay=0) for w in LOOP.wires])
        assert self.refused(none) == (
            "feedback look -> svf -> look: 0 frames of edge delay, needs 65 (look declares 64). "
            "Add delay_frames on one of its edges."
        )

    def test_every_node_with_latency_is_named(self) -> None:
        """Two of three nodes of the loop have latency."""
        web = Web({"a": 3, "b": 0, "c": 5}, [Wire("a", "b"), Wire("b", "c", 4), Wire("c", "a", 2)])
        assert self.refused(web) == (
            "feedback c -> a -> b -> c: 6 frames of edge delay, needs 9 (c declares 5, a declares 3). "
            "Add delay_frames on one of its edges."
        )

    def test_a_gate_before_and_behind_a_latency(self) -> None:
        """A consumer downstream of another behind the same gate; the delay in the message is the cure."""
        wires = [Wire("in", "look", gates=("beat",)), Wire("look", "sum", gates=("beat",))]
        web = Web({"in": 0, "look": 20, "sum": 0}, wires)
        assert self.refused(web) == (
            'gate "beat": look -> sum together with look: 0 frames of edge delay, needs 20 '
            "(look declares 20). "
            "Add delay_frames on one of its edges, or take one of its nodes out of the gate."
        )
        check(Web(web.latency, [wires[0], replace(wires[1], delay=20)]))

    def test_two_gates_that_contradict(self) -> None:
        """Each gate alone is possible; together they would need each of two latencies before the other."""
        wires = [
            Wire("in", "p", gates=("one",)),
            Wire("in", "r", gates=("two",)),
            Wire("p", "q", gates=("two",)),
            Wire("r", "s", gates=("one",)),
        ]
        web = Web({"in": 0, "p": 4, "q": 0, "r": 6, "s": 0}, wires)
        message = self.refused(web)
        assert re.match(r'gate "(one|two)", "(one|two)": ', message)
        assert "0 frames of edge delay, needs 10 (" in message
        assert message.count(" together with ") == 2
        for gate in ("one", "two"):
            check(Web(web.latency, [replace(w, gates=tuple(k for k in w.gates if k == gate)) for w in wires]))


class TestGates:
    """Consumers behind one gate fire at one virtual time."""

    def test_a_gate_changes_when_and_not_what(self) -> None:
        """The fast consumer waits for the slow one in the trace, only with the gate; same sound."""
        wires = [
            Wire("in", "look"),
            Wire("look", "slow", gates=("beat",)),
            Wire("in", "fast", gates=("beat",)),
        ]
        latency = {"in": 0, "look": 20, "fast": 0, "slow": 0}
        gated, free = Web(latency, wires), Web(latency, [replace(w, gates=()) for w in wires])
        assert starts(gated) == {"in": 0, "look": 0, "fast": 20, "slow": 20}
        assert starts(free) == {"in": 0, "look": 0, "fast": 0, "slow": 20}
        assert gated.build().compile().gates == {"beat": ("fast", "slow")}
        assert free.build().compile().gates == {}
        assert same_bits(sound(scene(gated)), sound(scene(free)))
        check(gated)
        check(free)


def delayed_change(web_frames: int, at: int | None, calls: list[int], block: int) -> Samples:
    """Gain after a fir set to 3 at a frame; ``at`` None: at the earliest frame after the first call."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.gain(g.add("fir", g.input(samples=INPUT), half_length=20), gain=1.0, name="level"))
    s = Scene(g, web_frames)
    with rigs.started(s, Cut(block)) as runtime:
        first = rigs.proceed(runtime, s, calls[:1]) if at is None else np.empty((1, 1, 0))
        runtime.set_param("level", "gain", np.full((1, 1, 1), 3.0), at_frame=-1 if at is None else at)
        return np.concatenate(
            [first, rigs.proceed(runtime, s, calls[len(calls[:1]) if at is None else 0 :])], axis=2
        )


class TestParameters:
    """A parameter set while rendering."""

    @pytest.mark.parametrize("block", [1, 7, 64, 300])
    def test_it_takes_effect_at_its_logical_frame(self, block: int) -> None:
        """The earliest frame is frames delivered plus latency; requesting that frame at first is the same."""
        flat = delayed_change(FRAMES, 10_000, [FRAMES], block)
        soon = delayed_change(FRAMES, None, [30, 60], block)
        assert same_bits(soon[:, :, :50], flat[:, :, :50])
        np.testing.assert_array_equal(soon[:, :, 50:], 3.0 * flat[:, :, 50:])
        assert same_bits(delayed_change(FRAMES, 50, [FRAMES], block), soon)
        assert same_bits(delayed_change(FRAMES, 50, [3] * 30, block), soon)
        np.testing.assert_array_equal(delayed_change(FRAMES, 0, [FRAMES], block), 3.0 * flat)

    def test_earlier_frames_are_refused(self) -> None:
        """The message names the earliest frame, whether the frame was delivered or rendered ahead."""
        s = scene(PARALLEL)
        with rigs.started(s) as runtime:
            rigs.proceed(runtime, s, [30])
            one = np.ones((1, 1, 1))
            with pytest.raises(
                amp.InvalidArgument, match=r"frame 29 has been delivered \(the earliest is 50\)"
            ):
                runtime.set_param("sum", "gain", one, at_frame=29)
            with pytest.raises(
                amp.InvalidArgument, match=r"frame 49 has been rendered ahead.*the earliest is 50\)"
            ):
                runtime.set_param("sum", "gain", one, at_frame=49)
            runtime.set_param("sum", "gain", one, at_frame=50)

    def test_a_held_source_changes_on_its_frame(self) -> None:
        """A constant next to a latency changes at one logical frame for every reader and tap."""
        g = amp.Graph(sample_rate=RATE)
        dc = g.constant(value=1.0, name="dc")
        g.output(g.mix(dc, g.add("fir", dc, half_length=9)), name="out")
        s = Scene(g, FRAMES, taps=("dc",))
        with rigs.started(s, Cut(16)) as runtime:
            runtime.set_param("dc", "value", np.full((1, 1, 1), 2.0), at_frame=40)
            y = rigs.proceed(runtime, s, [20, 70])
        np.testing.assert_array_equal(y[0, 1], np.where(np.arange(FRAMES) < 40, 1.0, 2.0))
        np.testing.assert_array_equal(np.flatnonzero(np.diff(y[0, 1])), [39])

    def test_clearing_takes_effect_on_the_same_frame(self) -> None:
        """Values restored by clear_params count from a late node's earliest logical frame."""
        s = replace(scene(PARALLEL), taps=())
        with rigs.started(s) as runtime:
            runtime.set_param("sum", "gain", np.zeros((1, 1, 1)), at_frame=1)
            first = rigs.proceed(runtime, s, [20])
            runtime.clear_params()
            rest = rigs.proceed(runtime, s, [70])
        flat = sound(s)
        assert not np.any(first[:, :, 1:])
        assert not np.any(rest[:, :, :20])
        assert same_bits(rest[:, :, 20:], flat[:, :, 40:])


class TestFaults:
    """Faults in a graph with latency."""

    @pytest.mark.parametrize("block", [1, 7, 64, 300])
    def test_the_frame_is_logical(self, block: int) -> None:
        """A limit exceeded after a latency is reported at the node's own frame, for every block."""
        g = amp.Graph(sample_rate=RATE)
        steps = g.input(samples=np.arange(300.0), name="steps")
        level = g.gain(g.add("fir", g.input(samples=INPUT), half_length=20), gain=1.0, name="level")
        g.modulate(g.gain(steps, gain=1e4), level.gain, mode="add")
        g.output(level)
        with pytest.raises(amp.InvalidArgument) as caught:
            g.render(frames=200, block_frames=block)
        assert (caught.value.node, caught.value.frame) == ("level", 100)


class TestHeat:
    """Heat counts logical frames too."""

    def test_it_arrives_with_the_signal_it_belongs_to(self) -> None:
        """Records do not depend on the block, are a prefix of longer ones, and cover what is delivered."""
        g = amp.Graph(sample_rate=RATE)
        source = g.gain(g.input(samples=np.repeat([1.0, 0.0], 128)), name="source")
        fir = g.add("fir", source, half_length=33, name="fir")
        g.output(g.mix(source, fir), name="out")
        short, long, small = (
            g.render(frames=n, heat=True, block_frames=b).heat for n, b in ((256, 64), (512, 64), (256, 7))
        )
        assert short.own_j.shape[1] == 4
        assert same_bits(short.own_j, small.own_j)
        assert same_bits(short.total_j, small.total_j)
        assert same_bits(short.total_j, long.total_j[:, :4])
        heat = g.render(frames=256, heat=True, taps="all")
        out = heat.taps["out"][0, 0].reshape(4, 64)
        np.testing.assert_allclose(
            short.own_j[short.nodes.index("out")], (out**2).sum(axis=1) / RATE, rtol=1e-12
        )


class TestTaps:
    """Taps of any node at any call."""

    @pytest.mark.parametrize("block", [1, 7, 64])
    def test_the_output_may_be_delayed_too(self, block: int) -> None:
        """An output that starts early because of its delay delivers what its source did, that much later."""
        g = amp.Graph(sample_rate=RATE)
        fir = g.fir(g.input(samples=INPUT), half_length=9, name="fir")
        g.connect(fir, g.output(name="out"), delay_frames=1)
        got = sound(Scene(g, FRAMES, taps=("fir.out",)), Cut(block))
        assert same_bits(got[:, 0, 1:], got[:, 1, :-1])
        assert got[0, 0, 0] == 0.0
        assert np.abs(got).max() > 0.1

    def test_a_tap_that_comes_late_is_aligned(self) -> None:
        """A node tapped only from the second call on gives the frames it always gives."""
        s = scene(PARALLEL)
        whole = sound(s)
        with rigs.started(s, Cut(16)) as runtime:
            rigs.proceed(runtime, replace(s, taps=()), [37])
            late = rigs.proceed(runtime, s, [53])
        assert same_bits(late, whole[:, :, 37:])

    def test_a_render_is_a_prefix_of_every_longer_one(self) -> None:
        """Frames read ahead do not change earlier output."""
        whole = sound(scene(LOOP))
        for frames in (1, 19, 20, 21, 64):
            assert same_bits(sound(replace(scene(LOOP), frames=frames)), whole[:, :, :frames])

    def test_the_worker_delivers_the_same(self) -> None:
        """Audio, taps, latency and clocks of a render in another process are those of one in this."""
        here, there = (
            PARALLEL.build().render(frames=50, taps="all", isolation=i) for i in ("none", "process")
        )
        assert here.digest == there.digest
        assert here.latency_frames == there.latency_frames == 20
        assert all(same_bits(here.taps[name], there.taps[name]) for name in here.taps)
        for name, mine in here.metrics.items():
            assert mine.measured_delay_frames == there.metrics[name].measured_delay_frames
        assert there.metrics["look"].measured_delay_frames == 20

    def test_nothing_is_rendered_for_no_frames(self) -> None:
        """A call of no frames leaves the clock at the start."""
        s = scene(PARALLEL)
        with rigs.started(s) as runtime:
            runtime.execute(0, None, {})
            assert runtime.metrics("in").frames == 0
            assert same_bits(rigs.proceed(runtime, s, [FRAMES]), sound(s))


@st.composite
def webs(draw: st.DrawFn) -> Web:
    """Three to fifteen nodes; links that do not go forward have some delay, not always enough."""
    count = draw(st.integers(3, 15))
    names = [f"n{i:02}" for i in draw(st.permutations(range(count)))]
    latency = {name: draw(st.sampled_from([0, 0, 0, 1, 4, 9])) for name in names}
    latency[names[0]] = 0
    longest = draw(st.sampled_from([4, 30, 80]))
    wires = []
    for _ in range(draw(st.integers(2, 2 * count))):
        i, j = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        delay = draw(st.integers(0 if i < j else 1, longest)) if i >= j or draw(st.booleans()) else 0
        gates = tuple(draw(st.sets(st.sampled_from(["a", "b"]), max_size=1))) if draw(st.booleans()) else ()
        modulates = latency[names[j]] == 0 and draw(st.integers(0, 4)) == 0
        if modulates:
            wires.append(Wire(names[i], names[j], delay, depth=0.02))
        else:
            wires.append(Wire(names[i], names[j], delay, gates))
    return Web(latency, wires)


class TestRandomWebs:
    """Generated webs."""

    @settings(max_examples=150, deadline=None)
    @given(web=webs())
    def test_they_are_refused_exactly_when_they_cannot_be(self, web: Web) -> None:
        """A cycle with sum(d) <= sum(L), or gates that no starts satisfy."""
        slack = web.slack()
        possible = web.arrivals() is not None and (slack is None or slack > 0)
        event("possible" if possible else "impossible")
        if possible:
            plan: Any = web.build().compile()
            blocks = [c["sub_block"] for c in plan.info["components"]]
            assert min(blocks, default=None) == slack
        else:
            with pytest.raises(amp.CycleError, match=r"frames of edge delay, needs \d+"):
                web.build().compile()

    @settings(max_examples=60, deadline=None)
    @given(web=webs(), block=st.integers(1, 100))
    def test_arrivals_and_sound(self, web: Web, block: int) -> None:
        """Starts, delivered latency, sound, and one digest for every cut and layout."""
        slack = web.slack()
        assume(web.arrivals() is not None and (slack is None or slack > 0))
        reference = Oracle(web).sound()
        assume(np.abs(reference).max() < 10.0)
        check(web, Cut(1), Cut(7), Cut(64), Cut(FRAMES), Cut(block, rigs.random_calls(block, FRAMES)))
