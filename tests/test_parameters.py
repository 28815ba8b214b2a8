"""Parameters: modulation to the bit, channel rules, ranges with the exact place, values set at a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab import catalog
from amp_lab.contracts import CaseContract
from amp_lab.lowlevel import Runtime

FRAMES = 200
RNG = np.random.default_rng(9)


@pytest.mark.parametrize("type_id", sorted(catalog.types()))
@pytest.mark.parametrize("rate", [100.0, 1000.0, 48_000.0])
def test_a_default_outside_its_range_is_refused_like_a_given_value(type_id: str, rate: float) -> None:
    """A range that ends at a part of the sample rate may leave the default outside at a low rate."""
    contract = catalog.contract(type_id)
    numeric = [p for p in contract.params if p.kind in ("number", "integer") and p.range != "clamp"]
    outside = [p.key for p in numeric if not p.limits(rate)[0] <= p.default <= p.limits(rate)[1]]
    g = amp.Graph(sample_rate=rate)
    node = g.add(
        type_id, name="n", **({"curve": "c"} if any(p.key == "curve" for p in contract.params) else {})
    )
    source = g.input(samples=np.zeros(8), name="source")
    for port in contract.inputs:
        g.connect(source, node, port=port.key)
    if not outside:
        g.compile()
        return
    with pytest.raises(amp.InvalidArgument) as info:
        g.compile()
    for key in outside:
        assert f"n.{key}: out of range (got the default, " in str(info.value)
    node.set(**{p.key: p.limits(rate)[0] for p in numeric if p.key in outside})
    g.compile()


X = RNG.uniform(-1, 1, (1, 1, FRAMES))
BLOCKS = (1, 7, 64, 1000)


def scaled(
    modulators: list[tuple[Samples, dict[str, Any]]], gain: Any = 0.5, *, channels: int = 1, batches: int = 1
) -> Scene:
    """Build a gain that modulators change; its input is 1 everywhere, so its output is the parameter."""
    g = amp.Graph(sample_rate=RATE)
    node = g.gain(g.input(samples=np.ones((1, channels, FRAMES)), name="ones"), gain=gain, name="level")
    for i, (samples, law) in enumerate(modulators):
        g.modulate(g.input(samples=samples, name=f"m{i}"), node.gain, **law)
    g.output(node)
    return Scene(g, FRAMES, None, batches)


class TestModulation:
    """p prod(offset + scale m), then + sum scale m, in slot order."""

    LAW = st.tuples(
        st.sampled_from(["multiply", "add"]), st.floats(-2, 2), st.floats(-2, 2), st.integers(0, 20)
    )

    @settings(max_examples=40, deadline=None)
    @given(
        laws=st.lists(LAW, min_size=1, max_size=6),
        seed=st.integers(0, 99),
        base=st.sampled_from(["number", "tensor", "curve"]),
    )
    def test_the_formula_to_the_bit(
        self, laws: list[tuple[str, float, float, int]], seed: int, base: str
    ) -> None:
        """Multiplications first, additions second, each in slot order, whatever the order of the calls."""
        rng = np.random.default_rng(seed)
        slots = rng.permutation(len(laws)).tolist()
        signals = rng.uniform(-1, 1, (len(laws), 1, 1, FRAMES))
        tensor = rng.uniform(0.1, 1, (1, 1, FRAMES))
        curve = amp.ControlHistory([amp.Curve("c", np.array([0.0, 0.003]), np.array([0.2, 0.9]))])
        start = {"number": 0.7, "tensor": tensor, "curve": amp.curve("c")}[base]
        modulators = [
            (
                signals[i],
                {"mode": mode, "scale": scale, "slot": slots[i], "delay_frames": delay}
                | ({"offset": offset} if mode == "multiply" else {}),
            )
            for i, (mode, scale, offset, delay) in enumerate(laws)
        ]
        want = {
            "number": np.full(FRAMES, 0.7),
            "tensor": tensor[0, 0],
            "curve": curve.sample("c", RATE, FRAMES),
        }[base]
        late = [
            np.concatenate([np.zeros(d), s[0, 0]])[:FRAMES] for s, (*_, d) in zip(signals, laws, strict=True)
        ]
        for pass_ in ("multiply", "add"):
            for i in sorted(range(len(laws)), key=lambda i: slots[i]):
                mode, scale, offset, _ = laws[i]
                if mode == pass_:
                    want = want * (offset + scale * late[i]) if mode == "multiply" else want + scale * late[i]
        scene = scaled(modulators, start)
        scene = Scene(scene.graph, FRAMES, curve)
        for batches in (1, 5):
            got = sound(Scene(scene.graph, FRAMES, curve, batches))
            assert all(same_bits(row[0], want) for row in got)

    def test_a_mono_modulator_reaches_every_channel(self) -> None:
        """One channel is broadcast."""
        m = RNG.uniform(0, 1, (1, 1, FRAMES))
        got = sound(scaled([(m, {"mode": "multiply"})], 1.0, channels=3))
        assert same_bits(got[0], np.repeat(m[0], 3, axis=0))

    @pytest.mark.parametrize("mode, neutral", [("multiply", 2.0), ("add", 2.0)])
    def test_missing_channels_get_the_neutral_element(self, mode: str, neutral: float) -> None:
        """Two channels on a node of three: the third keeps its parameter."""
        m = RNG.uniform(0, 1, (1, 2, FRAMES))
        got = sound(scaled([(m, {"mode": mode})], 2.0, channels=3))[0]
        want = 2.0 * m[0] if mode == "multiply" else 2.0 + m[0]
        assert same_bits(got[:2], want)
        assert np.all(got[2] == neutral)

    def test_more_channels_than_the_node_are_refused(self) -> None:
        """A modulator never sets the channel count; the message names both and the cure."""
        m = np.ones((1, 2, FRAMES))
        message = r"m0 -> level\.gain: .*more channels.*got 2, allowed at most 1.*channel="
        with pytest.raises(amp.ShapeError, match=message) as caught:
            sound(scaled([(m, {"mode": "add"})]))
        assert (caught.value.node, caught.value.port) == ("level", "gain")

    def test_one_channel_can_be_picked(self) -> None:
        """channel= takes that channel for all of the node's."""
        m = RNG.uniform(0, 1, (1, 2, FRAMES))
        got = sound(scaled([(m, {"mode": "add", "channel": 1})], 0.0, channels=2))
        assert same_bits(got[0], np.repeat(m[0, 1:], 2, axis=0))
        with pytest.raises(amp.InvalidArgument, match=r"got 2, allowed 0 to 1"):
            sound(scaled([(m, {"mode": "add", "channel": 2})]))

    def test_every_batch_has_its_own_modulation(self) -> None:
        """A modulator with batches moves each batch of the node apart."""
        for batches in (3, 7):
            m = RNG.uniform(0, 1, (batches, 1, FRAMES))
            p = RNG.uniform(0, 1, (batches, 2, 1))
            got = sound(scaled([(m, {"mode": "add"})], p, channels=2, batches=batches))
            assert same_bits(got, p + m)


class TestRange:
    """A value out of range stops the render, and the message has its place."""

    @pytest.mark.parametrize(
        "batches, b, c, n", [(1, 0, 0, 0), (1, 0, 1, 133), (3, 2, 1, 64), (7, 5, 0, 199)]
    )
    @pytest.mark.parametrize("block", BLOCKS)
    def test_the_place_is_exact(self, batches: int, b: int, c: int, n: int, block: int) -> None:
        """Node, parameter, batch, channel and frame of the first, the same for every block."""
        m = np.zeros((batches, 2, FRAMES))
        m[b, c, n:] = 1.0
        g = amp.Graph(sample_rate=RATE)
        flt = g.svf(g.input(samples=np.ones((1, 2, FRAMES))), cutoff_hz=1000.0, name="flt")
        g.modulate(g.input(samples=m), flt.cutoff_hz, mode="add", scale=-2000.0)
        g.output(flt)
        with pytest.raises(amp.InvalidArgument) as caught:
            sound(Scene(g, FRAMES, None, batches), Cut(block))
        e = caught.value
        assert (e.node, e.port, e.batch, e.channel, e.frame) == ("flt", "cutoff_hz", b, c, n)
        assert str(e).startswith("flt.cutoff_hz: out of range (got -1000 Hz, allowed 1 to 0.49 fs).")
        assert e.stage == "execute"

    @pytest.mark.parametrize("block", BLOCKS)
    def test_a_curve_that_leaves_the_range(self, block: int) -> None:
        """The first frame whose value is outside is named."""
        g = amp.Graph(sample_rate=RATE)
        g.output(g.one_pole(g.input(samples=X), cutoff_hz=amp.curve("c"), name="pole"))
        curve = amp.Curve("c", np.array([0.0, 100 / RATE]), np.array([24_000.0, 22_000.0])[::-1])
        history = amp.ControlHistory([curve])
        first = int(np.flatnonzero(history.sample("c", RATE, FRAMES) > 0.49 * RATE)[0])
        with pytest.raises(amp.InvalidArgument, match=r"pole\.cutoff_hz: out of range") as caught:
            sound(Scene(g, FRAMES, history), Cut(block))
        assert caught.value.frame == first

    @pytest.mark.parametrize("block", BLOCKS)
    def test_a_node_s_own_limit(self, block: int) -> None:
        """A delay above max_delay_s is refused at its frame."""
        delay = np.full((1, 1, FRAMES), 0.001)
        delay[0, 0, 77:] = 0.0021
        g = amp.Graph(sample_rate=RATE)
        g.output(g.delay_line(g.input(samples=X), delay_s=delay, max_delay_s=0.002, name="line"))
        with pytest.raises(
            amp.InvalidArgument, match=r"line\.delay_s: above max_delay_s \(got 0\.0021"
        ) as caught:
            sound(Scene(g, FRAMES), Cut(block))
        assert (caught.value.node, caught.value.port, caught.value.frame) == ("line", "delay_s", 77)

    @pytest.mark.parametrize(
        "type_id", [t for t in catalog.types() if t not in ("input", "output", "controller")]
    )
    def test_every_number_refuses_values_beyond_its_limits(self, type_id: str) -> None:
        """Both limits of every parameter are accepted, and the nearest value beyond each is refused."""
        case = catalog[type_id].cases[0]
        for param in catalog[type_id].params:
            if param.kind != "number" or param.rate != "frame":
                continue
            low, high = param.limits(RATE)
            for value in (np.nextafter(low, -np.inf), np.nextafter(high, np.inf)):
                scene = rigs.case_scene(type_id, case)
                with rigs.started(scene) as runtime:
                    with pytest.raises(amp.InvalidArgument, match=rf"node\.{param.key}: out of range"):
                        runtime.set_param("node", param.key, value)
                    runtime.set_param("node", param.key, low)
                    runtime.set_param("node", param.key, high)


def level(value: Any = 1.0, *, batches: int = 1, block: int = 0) -> tuple[Scene, Runtime]:
    """Return a running gain of that value on a signal of ones."""
    scene = scaled([], value, batches=batches, channels=2)
    return scene, rigs.started(scene, Cut(block))


class TestSetParam:
    """set_param while rendering."""

    @pytest.mark.parametrize("block", BLOCKS)
    def test_it_acts_at_its_frame(self, block: int) -> None:
        """Now, or exactly at a later frame inside a block, several in any order."""
        scene, runtime = level(block=block)
        runtime.set_param("level", "gain", 5.0, at_frame=150)
        runtime.set_param("level", "gain", 3.0, at_frame=33)
        runtime.set_param("level", "gain", 4.0, at_frame=34)
        first = rigs.proceed(runtime, scene, [100])
        runtime.set_param("level", "gain", 7.0)
        second = rigs.proceed(runtime, scene, [100])
        got = np.concatenate([first, second], axis=2)[0, 0]
        want = np.repeat([1.0, 3.0, 4.0, 7.0, 5.0], [33, 1, 66, 50, 50])
        assert same_bits(got, want)

    @pytest.mark.parametrize("batches", [1, 6])
    @pytest.mark.parametrize(("type_id", "case"), rigs.CASES, ids=rigs.case_ids())
    def test_a_change_equals_a_tensor_with_a_step(
        self, type_id: str, case: CaseContract, batches: int
    ) -> None:
        """Every parameter of every case, set at frame k, sounds as one given frame by frame before."""
        given, k, latency = rigs.case_params(type_id, case), case.frames // 3, rigs.latency(type_id, case)
        for param in catalog[type_id].params:
            if param.kind != "number" or param.rate != "frame":
                continue
            old = float(given.get(param.key, param.default))
            new = 0.5 * old if old else 1e-4
            step = np.where(np.arange(case.frames) < k, old, new)[None, None]
            want = sound(rigs.case_scene(type_id, case, batches=batches, **{param.key: step}))
            scene = rigs.case_scene(type_id, case, batches=batches)
            with rigs.started(scene, Cut(100)) as runtime:
                runtime.set_param("node", param.key, new, at_frame=k)
                ahead = rigs.proceed(runtime, scene, [case.frames])
            with rigs.started(scene) as runtime:
                first = rigs.proceed(runtime, scene, [k - latency])
                runtime.set_param("node", param.key, new)
                rest = rigs.proceed(runtime, scene, [case.frames - k + latency])
                now = np.concatenate([first, rest], axis=2)
            assert same_bits(ahead, want), param.key
            assert same_bits(now, want), param.key

    def test_the_past_is_refused(self) -> None:
        """An earlier frame is an error that names the earliest."""
        scene, runtime = level()
        rigs.proceed(runtime, scene, [100])
        with pytest.raises(amp.InvalidArgument, match=r"frame 99 .*earliest is 100") as caught:
            runtime.set_param("level", "gain", 2.0, at_frame=99)
        assert (caught.value.stage, caught.value.node, caught.value.port) == ("set_param", "level", "gain")
        assert np.all(rigs.proceed(runtime, scene, [10]) == 1.0)
        runtime.set_param("level", "gain", 2.0, at_frame=110)
        assert np.all(rigs.proceed(runtime, scene, [10]) == 2.0)

    @pytest.mark.parametrize("shape", [(2, 1, 1), (1, 3, 1), (4, 2, 1), (3, 3, 5)])
    @pytest.mark.parametrize("begun", [False, True])
    def test_a_shape_that_does_not_fit_changes_nothing(
        self, shape: tuple[int, int, int], begun: bool
    ) -> None:
        """Status -2, the documented name, expected and given shape; the sound continues as before."""
        scene, runtime = level(batches=3)
        rigs.proceed(runtime, scene, [10] if begun else [])
        with pytest.raises(amp.ShapeError) as caught:
            runtime.set_param("level", "gain", np.full(shape, 9.0))
        text = str(caught.value)
        assert caught.value.code == -2
        assert text.startswith("amp_graph_runtime_set_param_shape_mismatch: level.gain: shape ")
        assert f"got {shape}" in text
        assert "expected (1 or 3, 1 or 2, any)" in text
        assert np.all(rigs.proceed(runtime, scene, [50]) == 1.0)

    @pytest.mark.parametrize("batches", [3, 7])
    @pytest.mark.parametrize("begun", [False, True])
    def test_values_per_batch_and_channel(self, batches: int, begun: bool) -> None:
        """Any of (B|1, C|1, 1) reaches its rows."""
        for shape in ((batches, 1, 1), (1, 2, 1), (batches, 2, 1), (1, 1, 1)):
            scene, runtime = level(batches=batches)
            rigs.proceed(runtime, scene, [10] if begun else [])
            value = RNG.uniform(0, 1, shape)
            runtime.set_param("level", "gain", value)
            assert same_bits(rigs.proceed(runtime, scene, [20]), np.broadcast_to(value, (batches, 2, 20)))

    def test_a_frame_axis_counts_logical_frames(self) -> None:
        """Set before the first frame it is indexed by frame, and has its last value after its end."""
        scene, runtime = level()
        value = RNG.uniform(0, 1, (1, 1, 50))
        runtime.set_param("level", "gain", value)
        got = rigs.proceed(runtime, scene, [20, 100])[0, 0]
        assert same_bits(got, np.concatenate([value[0, 0], np.full(70, value[0, 0, -1])]))

    def test_a_frame_axis_cannot_begin_later(self) -> None:
        """If the parameter was constant until then: an error that reports it, and nothing changes."""
        scene, runtime = level()
        rigs.proceed(runtime, scene, [10])
        with pytest.raises(amp.Unsupported, match=r"level\.gain: .*frame axis.*before the first execute"):
            runtime.set_param("level", "gain", np.ones((1, 1, 5)))
        assert np.all(rigs.proceed(runtime, scene, [10]) == 1.0)

    @pytest.mark.parametrize("begun", [False, True])
    def test_clear_params_returns_to_the_graph(self, begun: bool) -> None:
        """Values, and queued changes, are dropped."""
        scene, runtime = level(0.25)
        runtime.set_param("level", "gain", 2.0)
        runtime.set_param("level", "gain", 3.0, at_frame=60)
        if begun:
            assert np.all(rigs.proceed(runtime, scene, [20]) == 2.0)
        runtime.clear_params()
        assert np.all(rigs.proceed(runtime, scene, [100]) == 0.25)

    def test_values_survive_configure(self) -> None:
        """Set parameters stay over a reset of the clock."""
        scene, runtime = level()
        runtime.set_param("level", "gain", 2.0)
        runtime.configure()
        runtime.bind_input("ones", scene.graph.inputs()["ones"])
        assert np.all(rigs.proceed(runtime, scene, [20]) == 2.0)

    def test_modulation_goes_on_over_a_new_value(self) -> None:
        """The new value is the p of the formula."""
        m = RNG.uniform(0, 1, (1, 1, FRAMES))
        scene = scaled([(m, {"mode": "multiply"})], 1.0)
        with rigs.started(scene) as runtime:
            runtime.set_param("level", "gain", 3.0, at_frame=90)
            got = rigs.proceed(runtime, scene, [FRAMES])[0, 0]
        assert same_bits(got, np.where(np.arange(FRAMES) < 90, 1.0, 3.0) * m[0, 0])

    def test_a_value_takes_the_place_of_a_curve(self) -> None:
        """A parameter that follows a curve can be set, and follows it again after clear_params."""
        g = amp.Graph(sample_rate=RATE)
        g.output(g.gain(g.input(samples=np.ones(FRAMES)), gain=amp.curve("c"), name="level"))
        history = amp.ControlHistory([amp.Curve("c", np.array([0.0, 0.01]), np.array([0.0, 1.0]))])
        scene, line = Scene(g, FRAMES, history), history.sample("c", RATE, FRAMES)
        with rigs.started(scene) as runtime:
            parts = [rigs.proceed(runtime, scene, [50])]
            runtime.set_param("level", "gain", 3.0)
            parts.append(rigs.proceed(runtime, scene, [50]))
            runtime.clear_params()
            parts.append(rigs.proceed(runtime, scene, [50]))
        want = np.concatenate([line[:50], np.full(50, 3.0), line[100:150]])
        assert same_bits(np.concatenate(parts, axis=2)[0, 0], want)

    @pytest.mark.parametrize(
        "node, key, message",
        [
            ("nobody", "gain", "nobody: there is no such node"),
            ("level", "volume", r"level\.volume: there is no such parameter"),
            ("ones", "channels", r"ones\.channels: this parameter is fixed by the graph"),
        ],
    )
    def test_unknown_and_fixed_names(self, node: str, key: str, message: str) -> None:
        """The message names what is not there."""
        _, runtime = level()
        with pytest.raises(amp.InvalidArgument, match=message):
            runtime.set_param(node, key, 1.0)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_only_finite_values(self, value: float) -> None:
        """NaN and Inf are out of every range."""
        _, runtime = level()
        with pytest.raises(amp.InvalidArgument, match=r"level\.gain: out of range"):
            runtime.set_param("level", "gain", value)

    def test_before_configure(self) -> None:
        """There is no batch to check against yet."""
        plan = scaled([]).graph.compile()
        with (
            Runtime(plan.descriptor_blob, plan.plan_blob) as runtime,
            pytest.raises(amp.InvalidArgument, match="not configured"),
        ):
            runtime.set_param("level", "gain", 1.0)
