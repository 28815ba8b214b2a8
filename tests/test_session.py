"""A session gives the bits of one render however it is pushed, pulled and moved; who waits is told."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import rigs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rigs import RATE, Samples, Scene, same_bits
from test_latency import FRAMES, Web, webs

import amp_lab as amp
from amp_lab.session import Session, Tap

SCENES = dict(rigs.scenes())


def session_of(scene: Scene, live: bool, **more: object) -> Session:
    """Return a session of a scene; its inputs are pushed to if ``live``."""
    names = list(scene.graph.inputs()) if live else []
    return scene.graph.session(
        batches=scene.batches,
        controls=scene.controls,
        live=names,
        output=scene.graph.output_node is not None,
        **more,  # type: ignore[arg-type]
    )


def feed(session: Session, scene: Scene, rng: np.random.Generator) -> Iterator[None]:
    """Push all samples of a scene in random parts, one part per step, then end its inputs."""
    for name, samples in scene.graph.inputs().items():
        for part in np.split(samples, np.sort(rng.integers(0, samples.shape[2], 5)), axis=2):
            session.push(name, part)
            yield
        session.end(name)
    while True:
        yield


def heard(session: Session, scene: Scene, seed: int) -> Samples:
    """Pull output and taps of a scene in parts of their own, pushing in between; channels stacked."""
    rng = np.random.default_rng(seed)
    taps = ([session.output] if session.output else []) + [session.tap(name) for name in scene.taps]
    steps = feed(session, scene, rng) if session.live else iter(lambda: None, 0)
    parts: list[list[Samples]] = [[] for _ in taps]
    left = [scene.frames] * len(taps)
    while any(left):
        next(steps)
        k = int(rng.choice(np.flatnonzero(left)))
        frames = min(left[k], int(np.exp(rng.uniform(0.0, np.log(max(2.0, scene.frames / 3))))))
        try:
            part = taps[k].pull(frames)
        except amp.Pending:
            assert session.live or len(taps) > 1
            continue
        parts[k].append(part)
        left[k] -= part.shape[2]
    return np.concatenate([np.concatenate(p, axis=2) for p in parts], axis=1)


@pytest.mark.parametrize("name", list(SCENES))
def test_every_scene_streams_to_the_bits_of_a_render(name: str) -> None:
    """Loops, modulation, tensors, curves, gathers, latency: pushed and pulled at random; any rings."""
    scene = SCENES[name]
    whole = rigs.sound(scene)
    for seed, (live, block, ring) in enumerate([(False, None, None), (True, 64, None), (True, 7, 1)]):
        with session_of(scene, live, block_frames=block, ring_frames=ring) as session:
            assert same_bits(heard(session, scene, seed), whole)


@pytest.mark.parametrize("name", sorted(rigs.GOLDEN_CASES))
def test_every_golden_streams_to_its_reference(name: str) -> None:
    """The session's sound is what the golden holds."""
    scene = rigs.golden_scene(name)
    whole = rigs.sound(scene)
    with session_of(scene, live=True) as session:
        assert rigs.digest(heard(session, scene, 3)) == rigs.digest(whole)


@settings(max_examples=60, deadline=None)
@given(webs(), st.integers(0, 2**32 - 1), st.sampled_from([None, 1, 5]))
def test_random_graphs_stream_to_the_bits_of_a_render(web: Web, seed: int, ring: int | None) -> None:
    """Mixes and firs with loops, delays, gates and tokens, rings of one frame and more."""
    graph = web.build()
    assume(web.arrivals() is not None and (web.slack() is None or web.slack() >= 1))
    scene = Scene(graph, FRAMES, taps=tuple(web.latency))
    with session_of(scene, live=True, ring_frames=ring, block_frames=1 + seed % 40) as session:
        assert same_bits(heard(session, scene, seed), rigs.sound(scene))


def echo(gates: tuple[str, ...] = ()) -> amp.Graph:
    """Two inputs; one is heard at once and through a gain, the other through a filter."""
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


def test_a_gate_changes_the_order_and_stalls_exactly_its_consumers() -> None:
    """What one input feeds waits for the other at the gate; without it nothing waits; the sound is one."""
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
            s.push("b", y[100:])
            stalled = ("left", "after") if gates else ()
            for name in stalled:
                got[name] = np.concatenate((got[name], taps[name].pull(300)), axis=2)
            sounds[gates] = got | {"out": s.pull(400)}
    assert orders[()][0] == orders[()][1] != orders[("beat",)][0] == orders[("beat",)][1]
    assert all(same_bits(sounds[()][name], sounds[("beat",)][name]) for name in sounds[()])


def test_pending_names_what_is_missing_and_nothing_is_lost() -> None:
    """A pull gives what is there, then says who waits for which input; more samples and it goes on."""
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
    """It gets the newest frames, tells what it never saw and never stops anybody."""
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
    """A noise that meets itself behind a long filter, beside a sine that nothing ever stops."""
    g = amp.Graph(sample_rate=RATE)
    g.gain(g.sine(frequency_hz=99.0, name="live"), gain=1.0, name="meter")
    fork = g.noise(name="fork", seed=3)
    g.output(g.mix(fork, g.fir(fork, half_length=half, name="long"), name="meet"))
    return g


def test_a_stuck_part_beside_a_live_one_is_freed_by_growth() -> None:
    """The case of Geilen and Basten: the deadlock is seen without a global halt, and growth ends it."""
    g = two_speeds(500)
    whole = g.render(frames=2_000, isolation="none").audio
    with g.session(ring_frames=1) as s:
        live = s.tap("meter")
        assert live.pull(3_000).shape[2] == 3_000  # lives while the other part is stuck
        assert s.counters.ring("fork").grown == 0 and s.counters.frames["meet"] == 0
        assert same_bits(s.pull(2_000), whole)
        ring = s.counters.ring("fork")
        assert ring.grown >= 8 and 500 < ring.most <= ring.capacity < 1_100
    with (
        g.session(ring_frames=1, limit_frames=300) as s,
        pytest.raises(amp.RingFull, match=r"fork\.out: the ring"),
    ):
        s.pull(2_000)


def test_parameters_act_at_their_frame() -> None:
    """Set for a frame, or for the next one: the bits of a render with these frames; the past is refused."""
    g = amp.Graph(sample_rate=RATE)
    osc = g.oscillator(waveform="saw", frequency_hz=110.0, name="osc")
    g.output(g.svf(osc, cutoff_hz=900.0, name="flt"))
    with g.session() as s:
        parts = [s.pull(100)]
        assert s.set("flt", cutoff_hz=2000.0, q=3.0, at_frame=150) == 150
        parts.append(s.pull(333))
        now = s.set(osc, frequency_hz=220.0)
        assert now == 433
        with pytest.raises(
            amp.InvalidArgument, match=r"osc\.frequency_hz: frame 432 has been made \(the earliest is 433"
        ):
            s.set("osc", frequency_hz=1.0, at_frame=432)
        with pytest.raises(amp.InvalidArgument, match=r"flt\.cutoff_hz: out of range"):
            s.set("flt", cutoff_hz=1e9)
        parts.append(s.pull(500))
    scene = Scene(g, 933)
    with rigs.started(scene) as runtime:
        for key, value in (("cutoff_hz", 2000.0), ("q", 3.0)):
            runtime.set_param("flt", key, value, 150)
        runtime.set_param("osc", "frequency_hz", 220.0, now)
        assert same_bits(np.concatenate(parts, axis=2), rigs.proceed(runtime, scene, [933]))


def test_curves_grow_while_they_play() -> None:
    """Points added ahead of what was heard sound as if they had always been there; later ones are refused."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.sine(frequency_hz=amp.curve("pitch")))
    points = [(0.0, 200.0), (0.01, 400.0), (0.03, 400.0), (0.05, 90.0)]

    def history(count: int) -> amp.ControlHistory:
        return amp.ControlHistory([amp.Curve.drawn("pitch", points[:count])])

    whole = g.render(frames=3_000, controls=history(4), isolation="none").audio
    with g.session(controls=history(2)) as s:
        parts = [s.pull(960)]  # 0.02 s: 0.01 s behind the last point
        with pytest.raises(amp.InvalidArgument, match="would change what was heard"):
            s.control("pitch", [(0.03, 90.0)])
        s.control("pitch", points[2:3])
        s.control("pitch", points[3:])
        parts.append(s.pull(2_040))
    assert same_bits(np.concatenate(parts, axis=2), whole)


def test_what_stops_a_session_is_heard_up_to_the_frame_before() -> None:
    """A value out of range at frame n: n frames, then the error of the render, however it is pulled."""
    g = amp.Graph(sample_rate=RATE)
    osc = g.sine(frequency_hz=440.0)
    g.modulate(g.lfo(rate_hz=1.0), osc.frequency_hz, mode="add", scale=40_000.0)
    g.output(osc)
    with pytest.raises(amp.AmpError) as offline:
        g.render(seconds=1.0, isolation="none")
    for size in (1_000, 48_000):
        frames = 0
        with g.session() as s:
            with pytest.raises(type(offline.value)) as caught:
                while True:
                    frames += s.pull(size).shape[2]
            assert str(caught.value) == str(offline.value) and frames == caught.value.frame > 0
            with pytest.raises(type(offline.value)):
                s.pull(1)


def test_mistakes_say_what_to_do() -> None:
    """Names, shapes, phases."""
    g = echo()
    with g.session() as s:
        with pytest.raises(amp.InvalidArgument, match="takes no samples"):
            s.push("left", np.ones(3))
        with pytest.raises(amp.ShapeError, match=r"a: shape \(got \(1, 2, 3\)"):
            s.push("a", np.ones((2, 3)))
        with pytest.raises(amp.NonFiniteError, match="a: NaN at batch 0, channel 0, frame 1"):
            s.push("a", [1.0, np.nan])
        with pytest.raises(amp.InvalidArgument, match="no such node"):
            s.tap("nobody")
        with pytest.raises(amp.GraphError, match=r"lossless \| latest"):
            s.tap("left", policy="newest")  # type: ignore[arg-type]
        s.end()
        assert s.live == ()
        with pytest.raises(amp.InvalidArgument, match="has ended"):
            s.push("a", np.ones(3))
        assert not s.pull(100).any()
    with pytest.raises(amp.InvalidArgument, match="Session: is closed"):
        s.pull(1)
    with pytest.raises(amp.GraphError, match="no input nodes: left"):
        g.session(live=["left"])
    hot = amp.Graph(heat_budget_w=1.0, heat_policy="halt")
    hot.output(hot.sine())
    with pytest.raises(amp.Unsupported, match="heat is not computed in streams"):
        hot.session()
    with pytest.raises(amp.GraphError, match="needs the curves"):
        g = amp.Graph()
        g.output(g.sine(frequency_hz=amp.curve("pitch")))
        g.session()


def eventually(met: object, seconds: float = 10.0) -> bool:
    """Whether something comes true in time."""
    assert callable(met)
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.002)
    return bool(met())


def test_a_thread_keeps_the_output_ahead_and_stops_at_once() -> None:
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
            assert time.monotonic() - begun < 0.1 and not s.running
        assert s.output.counters.underruns >= 2
    assert same_bits(np.concatenate(parts, axis=2), whole)


def test_the_thread_waits_for_input_and_says_so() -> None:
    """Starved it rests, a push wakes it; what stopped it is raised once nothing is ready."""
    with echo().session() as s:
        s.start(64)
        assert s.output is not None and eventually(lambda: s._error is not None)
        with pytest.raises(amp.Pending, match='waits for input "b"'):
            s.pull(10)
        s.push("b", np.ones(200))
        assert eventually(lambda: s.output is not None and s.output.counters.ready >= 64)
        assert s.pull(64).shape == (1, 1, 64)


def test_threads_push_pull_set_start_and_stop_at_once() -> None:
    """Two pushers, a meter, a knob nobody hears, somebody who starts and stops, and one who listens."""
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


def test_closing_frees_what_it_took() -> None:
    """Sessions come and go, also closed in the middle of a pull elsewhere, without growing the process."""
    g = amp.presets.three_osc()

    def once() -> None:
        s = g.session(controls=amp.performance(), batches=9)
        s.start(500)
        s.tap("flt", policy="latest")
        s.pull(100)
        s.close()
        s.close()
        assert threading.active_count() == before

    before = threading.active_count()
    once()
    held = resident()
    for _ in range(60):
        once()
    assert resident() - held < 20e6


def resident() -> float:
    """Resident memory of this process in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096.0


@pytest.mark.long
def test_one_hour_is_one_render() -> None:
    """Three oscillators for an hour at 48 kHz, pulled in random lengths: the digest of one offline render."""
    frames, controls = 3600 * 48_000, amp.performance()
    scene = Scene(amp.presets.three_osc(), frames, controls)
    channels = scene.graph.compile().output_channels

    def digest(parts: Iterator[Samples]) -> str:
        sha = hashlib.sha256()
        for part in parts:
            sha.update(np.ascontiguousarray(part.transpose(2, 0, 1)))
        return sha.hexdigest()

    def offline() -> Iterator[Samples]:
        out = np.empty((1, channels, 480_000))
        with rigs.started(scene) as runtime:
            for _ in range(frames // 480_000):
                runtime.execute(480_000, out)
                yield out

    def streamed() -> Iterator[Samples]:
        rng, left = np.random.default_rng(8), frames
        with scene.graph.session(controls=controls) as s:
            meter: Tap = s.tap("flt", policy="latest")
            while left:
                part = s.pull(min(left, int(np.exp(rng.uniform(0, np.log(100_000))))))
                meter.pull(1_000)
                left -= part.shape[2]
                yield part
            assert max(ring.capacity for ring in s.counters.rings) < 10_000

    assert digest(streamed()) == digest(offline())
