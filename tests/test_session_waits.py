"""Sessions that wait: who is named, what grows, what is skipped; and all of it from several threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import rigs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from rigs import RATE, Samples, Scene, same_bits
from test_latency import FRAMES, INPUT, Web, webs
from timed import timed

import amp_lab as amp
from amp_lab.render.session import Session


def echo(gates: tuple[str, ...] = ()) -> amp.Graph:
    """Two inputs; one is output at once and through a gain, the other through a filter."""
    g = amp.Graph(sample_rate=RATE, name="echo")
    a, b = g.input(channels=1, name="a"), g.input(channels=1, name="b")
    left, right = g.add("gain", name="left", gain=0.5), g.add("one_pole", name="right", cutoff_hz=900.0)
    g.connect(a, left, gates=gates)
    g.connect(b, right, gates=gates)
    g.gain(a, gain=2.0, name="free")
    g.gain(left, gain=1.0, name="after")
    g.output(right, name="out")
    return g


def order(session: Session) -> list[str]:
    """Nodes in the order in which they fired, pushes left out."""
    trace = session.trace
    return [trace.nodes[k] for k in trace.events["node"] if trace.nodes[k] not in ("a", "b")]


def windows(session: Session, node: str) -> list[tuple[int, int]]:
    """First frame and frames of every firing of a node."""
    trace = session.trace
    events = trace.events[trace.events["node"] == trace.nodes.index(node)]
    return [(int(e["first_frame"]), int(e["frames"])) for e in events]


def test_a_gate_changes_the_order_and_stalls_exactly_its_consumers() -> None:
    """The consumers of a gate wait for each other; without the gate nothing waits; the sound is the same."""
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-1, 1, 400), rng.uniform(-1, 1, 400)
    orders: dict[tuple[str, ...], list[list[str]]] = {}
    sounds: dict[tuple[str, ...], dict[str, Samples]] = {}
    for gates in ((), ("beat",), ("beat",), ()):
        with echo(gates).session(trace=True, block_frames=64) as s:
            taps = {name: s.tap(name) for name in ("left", "after", "free")}
            s.push("a", x)
            s.push("b", y[:100])
            got = {name: tap.pull(400) for name, tap in taps.items()}
            frames = s.counters.frames
            assert frames["free"] == 400 and frames["right"] == 100
            assert (frames["left"], frames["after"]) == ((100, 100) if gates else (400, 400))
            if gates:
                with pytest.raises(
                    amp.Pending, match=r'after: frame 100 waits for input "b".*gate "beat"'
                ) as caught:
                    taps["after"].pull(1)
                assert caught.value.node == "b" and "Stalled: after, left, right." in str(caught.value)
            orders.setdefault(gates, []).append(order(s))
            assert (windows(s, "left") == windows(s, "right")) == bool(gates)
            s.push("b", y[100:])
            stalled = ("left", "after") if gates else ()
            for name in stalled:
                got[name] = np.concatenate((got[name], taps[name].pull(300)), axis=2)
            sounds[gates] = got | {"out": s.pull(400)}
    assert orders[()][0] == orders[()][1] != orders[("beat",)][0] == orders[("beat",)][1]
    assert all(same_bits(sounds[()][name], sounds[("beat",)][name]) for name in sounds[()])


NEVER = 10**9


def reached(web: Web, pushed: int) -> dict[str, int]:
    """Frames each node can fire after this number of source samples: lowered until nothing changes."""
    frames = dict.fromkeys(web.latency, NEVER)
    first = next(iter(web.latency))
    frames[first] = pushed
    behind = [
        {w.dst for w in web.wires if gate in w.gates} for gate in {g for w in web.wires for g in w.gates}
    ]
    while True:
        before = dict(frames)
        for w in web.wires:
            frames[w.dst] = min(frames[w.dst], max(0, frames[w.src] - web.latency[w.src]) + w.delay)
        for consumers in behind:
            frames |= dict.fromkeys(consumers, min(frames[v] for v in consumers))
        if frames == before:
            return frames


@settings(max_examples=80, deadline=None)
@given(web=webs(), pushed=st.integers(0, FRAMES), ring=st.sampled_from([None, 1]))
def test_random_graphs_stall_exactly_where_samples_are_missing(
    web: Web, pushed: int, ring: int | None
) -> None:
    """Every tap delivers the frames that follow from the pushed ones, no more; the rest completes them."""
    slack = web.slack()
    assume(web.arrivals() is not None and (slack is None or slack > 0))
    graph, names = web.build(), tuple(web.latency)
    expected = {v: min(FRAMES, max(0, n - web.latency[v])) for v, n in reached(web, pushed).items()}
    event(f"{sum(n < FRAMES for n in expected.values()) > 0} stalls, gates {any(w.gates for w in web.wires)}")
    with graph.session(live=["source"], ring_frames=ring, block_frames=1 + pushed % 20) as s:
        taps = {name: s.tap(name) for name in names}
        s.push("source", INPUT[:pushed])
        parts: dict[str, list[Samples]] = {name: [] for name in names}
        for name, tap in taps.items():
            try:
                parts[name].append(tap.pull(FRAMES))
            except amp.Pending as why:
                assert why.node == "source" and name in str(why)
            assert sum(part.shape[2] for part in parts[name]) == expected[name]
        s.push("source", INPUT[pushed:])
        s.end()
        for name, tap in taps.items():
            parts[name].append(tap.pull(FRAMES - expected[name]))
    sound = rigs.sound(Scene(graph, FRAMES, taps=names))
    for k, name in enumerate(names, 1):
        assert same_bits(np.concatenate(parts[name], axis=2)[0, 0], sound[0, k])


def test_pending_names_what_is_missing_and_nothing_is_lost() -> None:
    """A pull returns ready frames, then names node and input that wait; more samples let it continue."""
    with echo().session() as s:
        with pytest.raises(amp.Pending, match=r'out: frame 0 waits for input "b" \(pushed up to frame 0\)'):
            s.pull(10)
        s.push("b", np.ones(7))
        first = s.pull(10)
        assert first.shape == (1, 1, 7)
        s.end("b")
        both = np.concatenate((first, s.pull(93)), axis=2)
        assert s.output is not None and s.output.counters.underruns == 2
    g = amp.Graph(sample_rate=RATE)
    g.output(g.one_pole(g.input(samples=np.ones(7)), cutoff_hz=900.0))
    assert same_bits(both, g.render(frames=100, isolation="none").audio)


def test_a_full_ring_names_itself_and_its_reader() -> None:
    """Who pushes, or pulls what would need more, gets `RingFull` at the limit; reading makes room."""
    x = np.random.default_rng(5).uniform(-1, 1, 5000)
    with echo().session(limit_frames=1000) as s:
        free = s.tap("free")
        with pytest.raises(
            amp.RingFull, match=r"a\.out: the ring is full \(needs 5000 frames, allowed \d+\)"
        ):
            s.push("a", x)
        for k in range(0, 5000, 1000):
            s.push("a", x[k : k + 1000])
            got = free.pull(1000)
            assert same_bits(got[0, 0], 2.0 * x[k : k + 1000])
        ring = s.counters.ring("a")
        assert ring.most <= ring.capacity <= ring.limit and ring.most >= 1000
        idle = s.tap("free")
        s.end("a")
        assert free.pull(9000).shape[2] <= s.counters.ring("free").limit
        with pytest.raises(
            amp.RingFull, match=r"free\.out: the ring is full.*its tap has read up to frame 5000"
        ):
            free.pull(1)
        idle.close()
        assert free.pull(9000).shape[2] == 9000
        with pytest.raises(amp.InvalidArgument, match="is closed"):
            idle.close()


def test_rings_grow_and_keep_every_token() -> None:
    """A tap that is read at the very end gets all of it, after many doublings."""
    graph = amp.presets.three_osc()
    controls = amp.performance()
    with graph.session(controls=controls, ring_frames=1) as s:
        late = s.tap("flt")
        s.pull(30_000)
        ring = s.counters.ring("flt")
        assert ring.grown >= 10 and ring.fill >= 30_000
        heard_late = late.pull(30_000)
    taps = graph.render(frames=30_000, controls=controls, taps=["flt"], isolation="none").taps
    assert same_bits(heard_late, taps["flt"])


def test_a_latest_tap_skips_and_counts() -> None:
    """It receives the newest frames, counts those it skipped and never blocks the graph."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.sine(frequency_hz=440.0, name="tone"))
    whole = g.render(frames=10_000, isolation="none").audio
    with g.session(limit_frames=512) as s:
        meter = s.tap("tone", policy="latest", keep_frames=256)
        assert meter.pull(5).shape == (1, 1, 0)
        s.pull(9_000)
        assert meter.counters.skipped == 9_000 - 256 and meter.counters.ready == 256
        assert same_bits(meter.pull(100), whole[..., 8_900:9_000])
        assert meter.counters.skipped == 8_900
        s.pull(50)
        assert same_bits(meter.pull(500), whole[..., 9_000:9_050])
        assert repr(meter) == "Tap tone.out: latest, at frame 9050, 0 ready"


def two_speeds(half: int) -> amp.Graph:
    """A noise added to itself after a long filter, next to a sine that never stops."""
    g = amp.Graph(sample_rate=RATE)
    g.gain(g.sine(frequency_hz=99.0, name="live"), gain=1.0, name="meter")
    fork = g.noise(name="fork", seed=3)
    g.output(g.mix(fork, g.fir(fork, half_length=half, name="long"), name="meet"))
    return g


def test_a_stuck_part_beside_a_live_one_is_freed_by_growth() -> None:
    """The case of Geilen and Basten: the deadlock is detected while other nodes run, and growth ends it."""
    g = two_speeds(500)
    whole = g.render(frames=2_000, isolation="none").audio
    with g.session(ring_frames=1) as s:
        live = s.tap("meter")
        assert live.pull(3_000).shape[2] == 3_000  # runs while the other part is blocked
        assert s.counters.ring("fork").grown == 0 and s.counters.frames["meet"] == 0
        assert same_bits(s.pull(2_000), whole)
        ring = s.counters.ring("fork")
        assert ring.grown >= 8 and 500 < ring.most <= ring.capacity < 1_100
    with (
        g.session(ring_frames=1, limit_frames=300) as s,
        pytest.raises(amp.RingFull, match=r"fork\.out: the ring"),
    ):
        s.pull(2_000)


def eventually(met: object, seconds: float = 10.0) -> bool:
    """Whether something comes true in time."""
    assert callable(met)
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.002)
    return bool(met())


@timed(0.1)
def test_a_thread_keeps_the_output_ahead_and_stops_at_once(within_s: float) -> None:
    """`start` and `stop` any number of times; pulls take what is ready, count underruns and lose nothing."""
    graph, controls = amp.presets.three_osc(), amp.performance()
    whole = graph.render(frames=40_000, controls=controls, isolation="none").audio
    with graph.session(controls=controls) as s:
        assert s.output is not None
        parts: list[Samples] = []
        for ahead in (2_000, 500):
            s.start(ahead)
            s.start(ahead)
            assert eventually(lambda ahead=ahead: s.output.counters.ready >= ahead)
            parts.append(s.pull(10_000))  # more than is ready
            while sum(p.shape[2] for p in parts) < 20_000 * (1 + (ahead == 500)):
                left = 20_000 * (1 + (ahead == 500)) - sum(p.shape[2] for p in parts)
                parts.append(s.pull(min(480, left)))
            begun = time.monotonic()
            s.stop()
            s.stop()
            assert time.monotonic() - begun < within_s and not s.running
        assert s.output.counters.underruns >= 2
    assert same_bits(np.concatenate(parts, axis=2), whole)


def test_the_thread_waits_for_input_and_says_so() -> None:
    """Without input it is idle, a push continues it; its failure is raised once nothing is ready."""
    with echo().session() as s:
        s.start(64)
        assert s.output is not None and eventually(lambda: s._running.error is not None)
        with pytest.raises(amp.Pending, match='waits for input "b"'):
            s.pull(10)
        s.push("b", np.ones(200))
        assert eventually(lambda: s.output is not None and s.output.counters.ready >= 64)
        assert s.pull(64).shape == (1, 1, 64)


def test_threads_push_pull_set_start_and_stop_at_once() -> None:
    """Two pushers, a meter, a knob without effect, a thread that starts and stops, and a reader."""
    frames = 60_000
    x = np.random.default_rng(6).uniform(-1, 1, frames)
    g = echo(("beat",))
    bound = echo(("beat",))
    for name in "ab":
        bound[name].set(samples=x)
    whole = bound.render(frames=frames, isolation="none").audio
    failures: list[BaseException] = []
    done = threading.Event()

    with g.session() as s:
        meter = s.tap("free", policy="latest", keep_frames=64)

        def push(name: str) -> None:
            for part in np.split(x, 60):
                s.push(name, part)

        def fiddle() -> None:
            while not done.is_set():
                meter.pull(64)
                s.set("after", gain=0.5)
                s.tap("after", policy="latest").close()
                assert s.counters.frames["free"] <= frames

        def switch() -> None:
            while not done.is_set():
                s.start(1_000)
                s.stop()

        def guarded(work: object, *arguments: str) -> None:
            assert callable(work)
            try:
                work(*arguments)
            except amp.Pending as error:
                if s.counters.frames["out"] < frames:  # at the end there is nothing more to wait for
                    failures.append(error)
            except BaseException as error:
                failures.append(error)

        jobs = [(push, "a"), (push, "b"), (fiddle,), (switch,), (switch,)]
        threads = [threading.Thread(target=guarded, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        parts, got = [], 0
        while got < frames and not failures:
            try:
                part = s.pull(min(700, frames - got))
            except amp.Pending:
                continue
            parts.append(part)
            got += part.shape[2]
        done.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert same_bits(np.concatenate(parts, axis=2), whole)
