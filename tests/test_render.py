"""Renders: one digest for any block size, read-only results, files, heat, traces, stopping."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from matplotlib.text import Text
from rigs import Samples
from timed import timed

import amp_lab as amp
from amp_lab.execution import render_in_process
from amp_lab.render.isolation import choose_isolation


def small() -> amp.Graph:
    """Build a stereo graph with noise, feedback, modulation and a curve."""
    g = amp.Graph(name="small")
    flt = g.svf(g.noise(seed=3), cutoff_hz=amp.curve("cutoff_hz"))
    g.connect(flt, flt, delay_frames=5)
    g.modulate(g.lfo(rate_hz=30.0), flt.q, mode="add", scale=0.2)
    g.output(g.pan(g.gain(flt, gain=0.1)))
    g.controls = amp.ControlHistory([amp.Curve("cutoff_hz", [0.0, 0.1], [200.0, 2000.0], "exponential")])
    return g


@pytest.fixture(scope="module")
def whole() -> amp.Render:
    """Render the small graph with the default block."""
    return small().render(frames=3000, isolation="none")


@pytest.mark.parametrize("block_frames", [1, 7, 63, 64, 65, 512, 3000])
def test_the_digest_does_not_depend_on_the_block(whole: amp.Render, block_frames: int) -> None:
    """Any block size gives the bits of any other, and is really used."""
    render = small().render(frames=3000, block_frames=block_frames, isolation="none")
    assert render.digest == whole.digest
    assert render.provenance["block_frames"] == str(block_frames)


def test_a_short_render_is_the_prefix_of_a_long_one(whole: amp.Render) -> None:
    """Rendering fewer frames gives the first of them."""
    part = small().render(frames=1234, isolation="none")
    assert part.audio.tobytes() == np.ascontiguousarray(whole.audio[:, :, :1234]).tobytes()


def test_batches_together_are_batches_apart(whole: amp.Render) -> None:
    """Batch b of many equals the same batch rendered alone with its offset."""
    many = small().render(frames=3000, batches=3, isolation="none")
    assert many.audio.shape == (3, 2, 3000)
    assert many.audio[:1].tobytes() == whole.audio.tobytes()
    alone = render_in_process(replace(whole.request, batch_offset=2))["audio"]
    assert alone.tobytes() == np.ascontiguousarray(many.audio[2:]).tobytes()
    assert many.audio[1].tobytes() != many.audio[2].tobytes()


def test_seconds_are_frames_at_the_sample_rate() -> None:
    """``seconds`` is rounded to whole frames; an empty render is allowed."""
    render = small().render(seconds=0.01, isolation="none")
    assert (render.frames, render.seconds) == (480, 0.01)
    empty = small().render(frames=0, isolation="none")
    assert empty.audio.shape == (1, 2, 0) and empty.peak == 0.0 and "-inf dBFS" in repr(empty)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"got none, allowed one of seconds= and frames="),
        ({"seconds": 1, "frames": 1}, r"got both, allowed one of seconds= and frames="),
        ({"frames": -1}, r"small\.render\.frames: not allowed \(got -1"),
        (
            {"frames": 8, "batches": 0},
            r"small\.render\.batches: not allowed \(got 0, allowed whole numbers >= 1",
        ),
        ({"frames": 8, "block_frames": 0}, r"small\.render\.block_frames: not allowed \(got 0"),
        (
            {"frames": 8, "nonfinite": "ignore"},
            r"nonfinite: no such choice \(got 'ignore', allowed raise \| allow\)",
        ),
        (
            {"frames": 8, "isolation": "thread"},
            r"no such isolation \(got 'thread', allowed auto \| process \| none\)",
        ),
        ({"frames": 8, "taps": ["svff"]}, r"no such node \(got 'svff'.* Did you mean 'svf'"),
        ({"frames": 8, "taps": ["svf.side"]}, r"no such output port \(got 'side'"),
        ({"frames": 8, "out": np.zeros((1, 2, 9))}, r"out: wrong layout \(got float64 \(1, 2, 9\), allowed"),
        ({"frames": 8, "controls": amp.ControlHistory()}, "cutoff_hz"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    """Unknown options are refused before rendering."""
    with pytest.raises(amp.AmpError, match=message):
        small().render(**{"isolation": "none", **options})


def test_firings_do_not_depend_on_where_a_result_stands() -> None:
    """Only large results have blocks that end with the lines of their memory."""
    room, firings = np.zeros(6016), set[str]()
    for shift in (0, 1, 6):
        out = room[shift : shift + 6000].reshape(1, 2, 3000)
        render = small().render(frames=3000, out=out, isolation="none", block_frames=64, trace=True)
        assert render.trace
        firings.add(str(render.trace.events[["node", "first_frame", "frames"]].tolist()))
    assert len(firings) == 1


def test_missing_controls_are_named() -> None:
    """Rendering a graph with curves but without a control history names the missing ones."""
    g = small()
    g.controls = None
    with pytest.raises(amp.GraphError, match=r"small\.render\.controls: missing .* with cutoff_hz"):
        g.render(frames=8)


def test_out_receives_the_audio(whole: amp.Render) -> None:
    """The audio is written to the given array, whatever its strides, and shown through a read-only view."""
    out = np.zeros((1, 4, 3000))[:, ::2]
    render = small().render(frames=3000, out=out, isolation="none")
    assert np.shares_memory(render.audio, out)
    assert render.digest == whole.digest


@pytest.mark.parametrize("shape", [(16, 1, 70_003), (1, 2, 600_001), (13, 1, 90_000)])
@pytest.mark.parametrize(("block_frames", "threads"), [(None, 1), (64, 1), (1000, 2)])
def test_large_results_stand_where_they_were_asked_for(
    shape: tuple[int, int, int], block_frames: int | None, threads: int
) -> None:
    """Results larger than caches bypass them: every value is written and none beyond, for any alignment."""
    x = np.random.default_rng(7).uniform(-1.0, 1.0, shape)
    g = amp.Graph(name="large")
    g.output(g.gain(g.input(samples=x), gain=0.5))
    for shift in (0, 1, 6):
        room = np.full(x.size + 16, np.nan)
        out = room[shift : shift + x.size].reshape(shape)
        g.render(
            frames=shape[2],
            batches=shape[0],
            out=out,
            isolation="none",
            threads=threads,
            block_frames=block_frames,
        )
        assert np.array_equal(out, 0.5 * x)
        assert np.isnan(room[:shift]).all() and np.isnan(room[shift + x.size :]).all()


def test_large_results_of_a_graph_with_latency() -> None:
    """Latency is compensated in large results as in small ones, which caches hold."""
    x = np.random.default_rng(8).uniform(-2.0, 2.0, (16, 1, 70_003))

    def late(samples: Samples) -> amp.Render:
        g = amp.Graph(name="late")
        g.output(g.svf(g.lookahead_limiter(g.input(samples=samples))))
        return g.render(frames=samples.shape[2], batches=samples.shape[0], isolation="none")

    large = late(x)
    for b in (0, 7, 8, 15):
        assert late(x[b : b + 1]).audio[0].tobytes() == large.audio[b].tobytes()


def test_taps_are_the_signals_inside(whole: amp.Render) -> None:
    """Taps carry node outputs; the tap of the output is the audio, and tapping changes nothing."""
    render = small().render(frames=3000, taps="all", isolation="none")
    assert set(render.taps) == {n.name for n in small() if n.contract.outputs}
    assert render.taps["output"].tobytes() == render.audio.tobytes() == whole.audio.tobytes()
    assert render.taps["svf"].shape == (1, 1, 3000)
    one = small().render(frames=3000, taps=["svf.out"], isolation="none")
    assert one.taps["svf.out"].tobytes() == render.taps["svf"].tobytes()


def test_results_are_frozen_and_read_only_also_after_pickling(whole: amp.Render) -> None:
    """A render cannot be changed by mistake; a pickle keeps digest and metrics."""
    for render in (whole, pickle.loads(pickle.dumps(whole))):
        with pytest.raises(ValueError, match="read-only"):
            render.audio[0, 0, 0] = 1.0
        with pytest.raises(FrozenInstanceError):
            render.name = "x"
        assert render.digest == whole.digest
        assert {m.seconds for m in render.metrics.values()} == {m.seconds for m in whole.metrics.values()}


def test_every_array_of_a_result_is_read_only() -> None:
    """Audio, taps, heat, trace and measurements, before and after pickling, from a worker and from here."""
    for isolation in ("none", "process"):
        r = small().render(frames=640, taps="all", heat=True, trace=True, isolation=isolation)
        results = [
            r,
            r.heat,
            r.trace,
            amp.measure.summary(r),
            amp.measure.frequency_response(np.eye(1, 64)[0], 48_000.0),
        ]
        for result in [*results, *(pickle.loads(pickle.dumps(one)) for one in results)]:
            values = [v for f in vars(result).values() for v in (f.values() if isinstance(f, dict) else (f,))]
            arrays = [v for v in values if isinstance(v, np.ndarray)]
            assert arrays
            assert not any(array.flags.writeable for array in arrays), type(result).__name__


def test_metrics_count_the_frames_of_every_node(whole: amp.Render) -> None:
    """Each node fired every frame once; heat is unknown unless it was enabled."""
    assert set(whole.metrics) == {n.name for n in small()}
    assert {m.frames for m in whole.metrics.values()} == {3000}
    assert all(np.isnan(m.heat_j) for m in whole.metrics.values())


def test_heat_asked_for_later_is_the_heat_of_the_same_render(whole: amp.Render) -> None:
    """Heat computed along the way and on demand have the same bits, and so has the sound."""
    along = small().render(frames=3000, heat=True, isolation="none")
    assert along.digest == whole.digest
    for name in ("times_s", "own_j", "total_j", "temperature_k"):
        assert getattr(along.heat, name).tobytes() == getattr(whole.heat, name).tobytes()
    assert whole.heat is whole.heat
    assert whole.heat.times_s[0] == 64 / 48_000 and whole.heat.own_j.shape == (
        len(whole.heat.nodes),
        3000 // 64,
    )
    assert along.heat.graph_total_j[-1] > 0


def test_heat_asked_for_later_is_refused_if_the_sound_is_another() -> None:
    """Heat of a different render is refused; the error names what to check."""
    out = np.zeros((1, 2, 3000))
    render = small().render(frames=3000, out=out, isolation="none")
    out[0, 0, 1234] += 1e-12
    with pytest.raises(amp.InternalError, match=r"heat: the second render differs .*given as out= was overw"):
        _ = render.heat


def test_a_trace_lists_the_firings_of_every_node() -> None:
    """Outside feedback a node fires once per block."""
    render = small().render(frames=3000, block_frames=64, trace=True, isolation="none")
    assert render.trace is not None and render.trace.dropped == 0
    place = render.trace.nodes.index("gain")
    mine = render.trace.events[render.trace.events["node"] == place]
    assert len(mine) == -(-3000 // 64)
    assert mine["frames"].sum() == 3000 and np.all(np.diff(mine["first_frame"]) == 64)
    assert np.all(mine["stop_s"] >= mine["start_s"])


def test_a_trace_counts_what_the_ring_lost() -> None:
    """Of more firings than the ring holds the last are kept, and the others are counted."""
    g = amp.Graph()
    g.output(g.gain(g.constant(value=0.5), gain=0.5))
    frames, held = 30_000, 65_536
    trace = g.render(frames=frames, block_frames=1, trace=True, isolation="none").trace
    assert trace is not None and trace.events.size == held
    assert trace.dropped == frames * len(g) - held > 0
    assert trace.events["first_frame"][-1] == frames - 1
    assert repr(trace) == f"Trace: {held} firings of {len(g)} nodes, {frames * len(g) - held} dropped"
    with g.session(trace=True, block_frames=1, isolation="none") as session:
        session.output.pull(frames)
        assert (session.trace.events.size, session.trace.dropped) == (held, trace.dropped)


def test_a_trace_goes_from_node_to_node() -> None:
    """No firing begins before the one ahead of it is over; one that has nothing to do takes no time."""
    g = amp.Graph()
    sound = g.mix(g.constant(value=0.5, name="held"), g.oscillator(frequency_hz=220.0), name="sum")
    g.output(g.gain(sound, gain=0.5), name="out")
    trace = g.render(frames=64 * 63, block_frames=64, trace=True, isolation="none").trace
    assert trace is not None and len(trace.events) == 63 * len(g)
    events = trace.events[33 * len(g) :]  # after the last block that is timed for metrics, the 33rd
    assert np.all(events["start_s"][1:] >= events["stop_s"][:-1])
    spent = events["stop_s"] - events["start_s"]
    took = {name: spent[events["node"] == k] for k, name in enumerate(trace.nodes)}
    assert not took["held"].any() and not took["out"].any() and np.all(took["sum"] > 0)


def test_a_non_finite_value_stops_the_render_with_its_place() -> None:
    """The node, frame and channel of the first NaN are named; ``allow`` delivers it."""
    g = amp.Graph()
    samples = np.zeros((2, 100))
    samples[1, 40] = np.nan
    g.output(g.gain(g.input(name="mic", samples=samples)))
    with pytest.raises(amp.NonFiniteError, match="mic") as caught:
        g.render(frames=100, isolation="none")
    assert (caught.value.node, caught.value.channel, caught.value.frame) == ("mic", 1, 40)
    passed = g.render(frames=100, nonfinite="allow", isolation="none")
    assert np.flatnonzero(np.isnan(passed.audio)).tolist() == [140]


def test_progress_is_told_until_the_end() -> None:
    """The callback receives rising frame counts that end with all of them."""
    heard: list[tuple[int, int]] = []
    small().render(
        frames=20_000, block_frames=64, isolation="none", progress=lambda *args: heard.append(args)
    )
    assert heard == sorted(heard) and len(heard) > 1 and heard[-1] == (20_000, 20_000)


def test_a_request_can_be_stopped_between_calls(whole: amp.Render) -> None:
    """``should_stop`` ends the render as pending, with the frame reached."""
    answers = iter([False, True])
    with pytest.raises(amp.Pending, match="stopped at frame") as caught:
        render_in_process(replace(whole.request, frames=100_000), should_stop=lambda: next(answers))
    assert 0 < caught.value.frame < 100_000


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@timed(5.0)
def test_ctrl_c_stops_a_long_render_at_once_and_the_next_works(whole: amp.Render, within_s: float) -> None:
    """An interrupt ends ten minutes of sound long before they are rendered; the graph renders again."""
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    g = small()
    timer = threading.Timer(0.3, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        g.render(seconds=600, isolation="none")
    assert time.perf_counter() - sent[0] < within_s
    assert [entry.name for entry in caught.traceback][1:] == ["checked", "render"]
    timer.join()
    assert g.render(frames=3000, isolation="none").digest == whole.digest


def test_several_threads_render_at_once(whole: amp.Render) -> None:
    """Eight renders in parallel have the digest of one alone."""
    digests: list[str] = []

    def work() -> None:
        digests.append(small().render(frames=3000, isolation="none").digest)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [whole.digest] * 8


def test_provenance_is_stable(whole: amp.Render) -> None:
    """Two renders of one graph on one build have the same provenance, without dates."""
    again = small().render(frames=3000, isolation="none")
    assert again.provenance == whole.provenance
    assert whole.provenance["plan"] == whole.plan.digest
    assert whole.provenance["isa"] and whole.provenance["build"]


def test_provenance_names_the_controls() -> None:
    """Their digest if the graph follows any, else nothing; other curves are another digest."""

    def controls(history: amp.ControlHistory | None) -> str:
        g = amp.Graph()
        level = 0.5 if history is None else amp.curve("level")
        g.output(g.gain(g.constant(value=1.0), gain=level))
        return g.render(frames=10, controls=history, isolation="none").provenance["controls"]

    rising, falling = (
        amp.ControlHistory([amp.Curve.drawn("level", [(0.0, a), (1.0, b)])]) for a, b in ((0, 1), (1, 0))
    )
    assert controls(None) == ""
    assert controls(rising) == rising.digest != controls(falling) == falling.digest


def test_a_wav_keeps_every_bit(whole: amp.Render, tmp_path: Path) -> None:
    """The default WAV holds the doubles themselves."""
    data, rate = soundfile.read(whole.save(tmp_path / "a.wav"), dtype="float64")
    assert rate == 48_000 and data.T.tobytes() == np.ascontiguousarray(whole.audio[0]).tobytes()


def test_a_file_that_would_clip_is_refused(tmp_path: Path) -> None:
    """Whole-number formats refuse samples beyond full scale, naming the peak."""
    g = amp.Graph()
    g.output(g.constant(value=1.5))
    render = g.render(frames=10, isolation="none")
    with pytest.raises(amp.GraphError, match=r"PCM_24 would clip \(got a peak of 1\.5"):
        render.save(tmp_path / "a.flac")
    assert soundfile.read(render.save(tmp_path / "a.wav"))[0][0] == 1.5


def test_one_of_several_batches_must_be_chosen(tmp_path: Path) -> None:
    """A file holds one batch."""
    render = small().render(frames=10, batches=2, isolation="none")
    with pytest.raises(amp.GraphError, match="has 2 batches"):
        render.save(tmp_path / "a.wav")
    data, _ = soundfile.read(render.save(tmp_path / "a.wav", batch=1), dtype="float64")
    assert np.array_equal(data.T, render.audio[1])


def test_repr_is_one_stable_line(whole: amp.Render) -> None:
    """Shape, rate, peak and the head of the digest."""
    peak = f"{20 * np.log10(whole.peak):.2f}"
    expected = f"Render small: 1 x 2 x 3000 frames at 48000 Hz, peak {peak} dBFS, sha256 {whole.digest[:8]}"
    assert repr(whole) == expected


def test_isolation_is_chosen_by_place_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` means in process outside notebooks unless the environment sets otherwise; an explicit value
    wins.
    """
    monkeypatch.delenv("AMP_ISOLATION", raising=False)
    assert choose_isolation("auto") == "none"
    monkeypatch.setenv("AMP_ISOLATION", "process")
    assert (choose_isolation("auto"), choose_isolation("none")) == ("process", "none")


def test_a_timeline_without_a_trace_shows_the_plan(whole: amp.Render) -> None:
    """The nodes are drawn; there are no firings to draw."""
    words = {text.get_text() for text in whole.timeline().findobj(Text)}
    assert set(whole.plan.order) <= words and "Firings" not in words


@pytest.mark.parametrize("figure", [amp.Render.waveform, amp.Render.spectrum, amp.Render.thermo])
def test_figures_have_axes(whole: amp.Render, figure: Callable[[amp.Render], Any]) -> None:
    """The figure methods draw."""
    assert figure(whole).axes


def test_a_render_compared_with_itself_passes(whole: amp.Render) -> None:
    """``compare`` gives a verdict."""
    assert "PASS" in repr(whole.compare(whole))
    assert "FAIL" in repr(whole.compare(whole.audio * 1.01))


def test_the_performance_plays_without_touching_the_limiter() -> None:
    """three_osc sounds from the first note to the last and stays below full scale."""
    render = amp.presets.three_osc().render(seconds=10.0, taps=["pan"], isolation="none")
    level = np.abs(render.audio).max(axis=(0, 1)).reshape(20, -1).max(axis=1)
    assert level[:-1].min() > 0.05
    assert np.abs(render.taps["pan"]).max() < 1.0
