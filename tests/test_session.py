"""A session gives the bits of one render for any pushes, pulls and edits; waits name the input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import rigs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rigs import RATE, Samples, Scene, same_bits
from test_latency import FRAMES, Web, webs
from test_session_waits import echo

import amp_lab as amp
from amp_lab.common import threads
from amp_lab.contracts import Isolation
from amp_lab.render.session import Session, Tap

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
    try:
        whole = rigs.sound(scene)
    except (amp.NonFiniteError, amp.InvalidArgument) as error:  # loops upon loops of gain one
        assert isinstance(error, amp.NonFiniteError) or "out of range" in str(error)  # what modulates
        assume(False)
    with session_of(scene, live=True, ring_frames=ring, block_frames=1 + seed % 40) as session:
        assert same_bits(heard(session, scene, seed), whole)


@pytest.mark.parametrize("isolation", ["none", "process"])
@pytest.mark.parametrize("frames", [0, 100])
def test_values_set_together_are_set_all_or_none(isolation: Isolation, frames: int) -> None:
    """If one value does not fit none is set, from the first frame on or later."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.svf(g.oscillator(waveform="saw", frequency_hz=110.0), cutoff_hz=900.0, name="flt"))
    with g.session(isolation=isolation) as plain, g.session(isolation=isolation) as s:
        assert same_bits(s.pull(frames), plain.pull(frames))
        for bad in ({"q": -1.0}, {"nothing": 1.0}, {"q": np.ones((1, 7, 1))}):
            with pytest.raises((amp.InvalidArgument, amp.ShapeError)):
                s.set("flt", cutoff_hz=2000.0, **bad)
        assert same_bits(s.pull(300), plain.pull(300))
        assert s.set("flt", cutoff_hz=2000.0, q=3.0) == frames + 300
        plain.set("flt", q=3.0)
        plain.set("flt", cutoff_hz=2000.0)
        assert same_bits(s.pull(300), plain.pull(300))


def test_parameters_act_at_their_frame() -> None:
    """Set for a frame, or for the next one: the bits of a render with these frames; earlier are refused."""
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
    """Points added after the present frame sound as if always there; earlier ones are refused."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.sine(frequency_hz=amp.curve("pitch")))
    points = [(0.0, 200.0), (0.01, 400.0), (0.03, 400.0), (0.05, 90.0)]

    def history(count: int) -> amp.ControlHistory:
        return amp.ControlHistory([amp.Curve.drawn("pitch", points[:count])])

    whole = g.render(frames=3_000, controls=history(4), isolation="none").audio
    with g.session(controls=history(2)) as s:
        parts = [s.pull(960)]  # 0.02 s: 0.01 s after the last point
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
        with pytest.raises(
            amp.ShapeError, match=r"a\.samples: .* \(got shape \(1, 2, 3\), allowed \(1, 1, f"
        ):
            s.push("a", np.ones((2, 3)))
        with pytest.raises(amp.NonFiniteError, match="a: NaN at batch 0, channel 0, frame 1"):
            s.push("a", [1.0, np.nan])
        with pytest.raises(amp.InvalidArgument, match="no such node"):
            s.tap("nobody")
        with pytest.raises(amp.GraphError, match=r"left\.set: no values"):
            s.set("left")
        with pytest.raises(amp.GraphError, match=r"lossless \| latest"):
            s.tap("left", policy="newest")  # type: ignore[arg-type]
        s.end()
        assert s.live == ()
        with pytest.raises(amp.InvalidArgument, match="has ended"):
            s.push("a", np.ones(3))
        assert not s.pull(100).any()
    with pytest.raises(amp.InvalidArgument, match="Session: is closed"):
        s.pull(1)
    with pytest.raises(amp.GraphError, match=r"no such input node \(got 'left', allowed a \| b\)"):
        g.session(live=["left"])
    hot = amp.Graph(heat_budget_w=1.0, heat_policy="halt")
    hot.output(hot.sine())
    with pytest.raises(amp.Unsupported, match="heat: is not computed in streams"):
        hot.session()
    with pytest.raises(amp.GraphError, match="controls: missing"):
        g = amp.Graph()
        g.output(g.sine(frequency_hz=amp.curve("pitch")))
        g.session()


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The code of `docs/streaming.md` has the described effects."""
    page = (Path(__file__).parents[1] / "docs" / "streaming.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    exec(compile(code, "streaming.md", "exec"), {})
    assert f"  # {capsys.readouterr().out}" in code


def test_closing_frees_what_it_took() -> None:
    """Sessions are opened and closed, also during a pull in another thread, without growing the process."""
    g = amp.presets.three_osc()

    def once() -> None:
        s = g.session(controls=amp.performance(), batches=9)
        s.start(500)
        s.tap("flt", policy="latest")
        s.pull(100)
        s.close()
        s.close()
        assert threads.running() == before

    before = threads.running()
    once()
    held = resident()
    for _ in range(60):
        once()
    assert resident() - held < 20e6


def resident() -> float:
    """Resident memory of this process in bytes."""
    return float(psutil.Process().memory_info().rss)


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
