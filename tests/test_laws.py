"""The laws of the engine: the same bits however a render is made, and what every contract promises."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs import CASES, Cut, Samples, Scene, case_params, case_scene, digest, same_bits, sound, variants

import amp_lab as amp
from amp_lab import catalog, lowlevel
from amp_lab.contracts import CaseContract, ParamContract

ANY_CASE = pytest.mark.parametrize(("type_id", "case"), CASES, ids=rigs.case_ids())
BATCHES = (1, 3, 4, 5, 8, 9, 64)


def keeping(law: str) -> pytest.MarkDecorator:
    """Every case of every type whose contract declares the law."""
    chosen = [(t, c) for t, c in CASES if law in catalog[t].laws]
    assert chosen, f"no contract declares {law}"
    return pytest.mark.parametrize(("type_id", "case"), chosen, ids=[f"{t}-{c.key}" for t, c in chosen])


@cache
def reference(name: str) -> str:
    """Digest of a golden graph rendered in one call with the engine's own block."""
    return digest(sound(rigs.golden_scene(name)))


class TestOneSound:
    """A graph has one sound, however it is rendered."""

    @pytest.mark.parametrize("name", rigs.GOLDEN_CASES)
    @pytest.mark.parametrize("block", [1, 7, 63, 64, 65, 512, -1])
    def test_no_block_size_changes_a_bit(self, name: str, block: int) -> None:
        """Every golden graph sounds the same in blocks of 1, 7, 63, 64, 65, 512 frames and in one block."""
        scene = rigs.golden_scene(name)
        with rigs.started(scene, Cut(block if block > 0 else scene.frames)) as runtime:
            assert runtime.block_frames == (block if block > 0 else scene.frames)
            assert digest(rigs.proceed(runtime, scene, [scene.frames])) == reference(name)

    @pytest.mark.parametrize("name", rigs.GOLDEN_CASES)
    def test_no_cut_into_calls_changes_a_bit(self, name: str) -> None:
        """Twenty random ways to cut a render into calls of execute give one digest."""
        scene = rigs.golden_scene(name)
        cuts = [Cut((0, 64, 100)[seed % 3], rigs.random_calls(seed, scene.frames)) for seed in range(20)]
        assert {digest(sound(scene, cut)) for cut in cuts} == {reference(name)}

    @pytest.mark.parametrize("names", list(itertools.permutations("abz")), ids="".join)
    def test_nothing_is_written_over_that_is_read_as_a_modulation(self, names: tuple[str, ...]) -> None:
        """A node reads its own input and, as a modulation, the same memory under another node's name."""
        g = amp.Graph(name="shared")
        sine, noise, other = names
        output = g.output(g.sine(frequency_hz=300.0, name=sine), name="out")
        mean = g.average(g.noise(name=noise), g.sine(frequency_hz=77.0, name=other), name="mean")
        g.modulate(output, mean.gain, mode="multiply")
        g.gain(mean, gain=0.5, name="tail")
        shared, apart = (
            g.render(frames=1000, isolation="none", taps=["tail"], heat=heat) for heat in (False, True)
        )
        assert same_bits(
            shared.taps["tail"], apart.taps["tail"]
        )  # with heat every output has memory of its own

    @pytest.mark.parametrize("block", [1, 7, 63, 64, 65, 512])
    @pytest.mark.parametrize("batches", [1, 4, 5, 9])
    def test_no_block_size_changes_a_bit_of_a_batch(self, batches: int, block: int) -> None:
        """A graph with feedback, noise and modulation sounds the same for every block, in both layouts."""
        scene = variants(batches)
        calls = rigs.random_calls(block, scene.frames)
        want = sound(scene)
        assert same_bits(sound(scene, Cut(block)), want)
        assert same_bits(sound(scene, Cut(block, calls)), want)

    @pytest.mark.parametrize("batches", BATCHES)
    def test_batches_at_once_equal_batches_one_by_one(self, batches: int) -> None:
        """Each batch rendered alone, told its number, has the bits it has among the others."""
        together = sound(variants(batches))
        for b in range(batches):
            alone = sound(variants(batches, first=b, count=1), batch_offset=b)
            assert same_bits(alone, together[b : b + 1]), f"batch {b} of {batches}"

    def test_batches_differ(self) -> None:
        """The batches compared above are not copies of one another."""
        assert len({digest(batch) for batch in sound(variants(64))}) == 64

    @pytest.mark.parametrize("name", rigs.GOLDEN_CASES)
    def test_a_render_is_a_prefix_of_every_longer_one(self, name: str) -> None:
        """N frames are bit for bit the first N of more."""
        scene = rigs.golden_scene(name)
        whole = sound(scene)
        for frames in (1, 13, 64, 1000, scene.frames // 3):
            assert same_bits(sound(replace(scene, frames=frames)), whole[:, :, :frames]), f"{frames} frames"

    @pytest.mark.parametrize("name", rigs.GOLDEN_CASES)
    def test_looking_changes_nothing(self, name: str) -> None:
        """Taps, heat, trace, metrics and the watch for NaN leave the sound alone."""
        scene = rigs.golden_scene(name)
        taps = tuple(f"{n.name}.{p}" for n in scene.graph.nodes for p in n.contract.output_keys)
        channels = scene.graph.compile().output_channels
        looked = sound(replace(scene, taps=taps), flags=lowlevel.HEAT | lowlevel.TRACE)
        assert digest(looked[:, :channels]) == reference(name)
        for flags in (0, lowlevel.HEAT, lowlevel.TRACE, lowlevel.NO_METRICS):
            assert digest(sound(scene, flags=flags)) == reference(name)

    @pytest.mark.parametrize("name", rigs.GOLDEN_CASES)
    @pytest.mark.parametrize("seed", [1, 2])
    def test_the_order_of_declaration_means_nothing(self, name: str, seed: int) -> None:
        """Nodes, edges and modulations in any order in the JSON give the same bits: slots decide."""
        scene, rng = rigs.golden_scene(name), np.random.default_rng(seed)
        data: dict[str, Any] = scene.graph.to_dict()
        names = list(data["nodes"])
        rng.shuffle(names)
        data["nodes"] = {key: data["nodes"][key] for key in names}
        for key in ("edges", "modulations"):
            rng.shuffle(data.get(key, []))
        shuffled = replace(scene, graph=amp.Graph.from_dict(data))
        assert digest(sound(shuffled)) == reference(name)

    def test_slots_decide_the_order_of_a_sum(self) -> None:
        """Swapping slots does change a sum of unequal numbers, so the permutation test can fail."""

        def total(slots: tuple[int, int, int]) -> Samples:
            g = amp.Graph()
            mix = g.add("mix", name="mix")
            for value, slot in zip((1e16, 1.0, -1e16), slots, strict=True):
                g.connect(g.gain(g.input(samples=[value]), gain=1.0), mix, slot=slot)
            g.output(mix)
            return sound(Scene(g, 1))

        assert not same_bits(total((0, 1, 2)), total((0, 2, 1)))

    def test_every_instruction_set_level_gives_the_same_bits(self) -> None:
        """Golden graphs, contract cases, batches: one digest on v2, v3, v4 and base, by both compilers."""
        here = rigs.digests()
        for way, digests in rigs.answers(rigs.__file__).items():
            assert digests == here, way

    @pytest.mark.parametrize("block", [1, 7, 64, 100, 512, 2000])
    def test_the_trace_proves_the_block(self, block: int) -> None:
        """Outside feedback a node fires ceil(N / block) times, with no window longer than the block."""
        scene = replace(rigs.golden_scene("three_osc"), frames=2001)
        with rigs.started(scene, Cut(block), flags=lowlevel.TRACE) as runtime:
            rigs.proceed(runtime, scene, [scene.frames])
            events, dropped = runtime.trace()
            order = scene.graph.compile().order
            calls = {name: runtime.metrics(name).calls for name in order}
        firings = math.ceil(scene.frames / block)
        assert set(calls.values()) == {firings}
        assert dropped == 0
        for node in range(len(order)):
            mine = events[events["node"] == node]
            assert mine["frames"].max() == block
            assert mine["first_frame"].tolist() == list(range(0, scene.frames, block))


class TestParametersAsSignals:
    """A constant, a tensor filled with it and a flat curve are one thing."""

    @staticmethod
    def value(param: ParamContract, given: dict[str, Any]) -> float:
        return float(given.get(param.key, param.default))

    @pytest.mark.parametrize("batches", [1, 6])
    @ANY_CASE
    def test_number_tensor_and_curve_give_equal_bits(
        self, type_id: str, case: CaseContract, batches: int
    ) -> None:
        """Every frame-rate parameter of every case, in both layouts, as any of the three."""
        given = case_params(type_id, case)
        want = sound(case_scene(type_id, case, batches=batches))
        for param in catalog[type_id].params:
            if param.kind != "number" or param.rate != "frame":
                continue
            value = self.value(param, given)
            shapes = [(1, 1, 1), (1, 1, case.frames), (batches, case.channels, case.frames), (1, 1, 10)]
            for shape in shapes:
                scene = case_scene(type_id, case, batches=batches, **{param.key: np.full(shape, value)})
                assert same_bits(sound(scene), want), f"{param.key} as a tensor {shape}"
            flat = case_scene(type_id, case, batches=batches, **{param.key: amp.curve("flat")})
            curve = amp.Curve("flat", np.array([0.001]), np.array([value]))
            flat = replace(flat, controls=amp.ControlHistory([curve]))
            assert same_bits(sound(flat), want), f"{param.key} as a curve"

    def test_every_type_with_numbers_was_covered(self) -> None:
        """At least one frame-rate number exists for each type that is not plain input or output."""
        without = {
            t
            for t in catalog.types()
            if not any(p.kind == "number" and p.rate == "frame" for p in catalog[t].params)
        }
        ports = {"first", "split"}
        assert without == {"controller", "fir", "input", "output", "batch_mix", "hold", "matrix_mix"} | ports


class TestContracts:
    """What a contract declares is measured on every one of its cases."""

    def test_every_type_has_a_case(self) -> None:
        """A node type without cases would pass everything below."""
        assert [t for t in catalog.types() if not catalog[t].cases] == []
        assert {t for t, _ in CASES} == set(catalog.types())

    @ANY_CASE
    def test_a_case_is_not_silent(self, type_id: str, case: CaseContract) -> None:
        """Its render has the declared length and channels, is finite and is not all zeros."""
        audio = sound(case_scene(type_id, case))
        assert audio.shape[2] == case.frames
        assert audio.shape[1] >= case.channels
        assert np.isfinite(audio).all()
        assert np.any(audio != 0.0)

    @pytest.mark.parametrize("batches", [1, 6])
    @keeping("block_invariant")
    def test_block_invariant(self, type_id: str, case: CaseContract, batches: int) -> None:
        """Blocks of 1, 3, 8, 63, 64, 65 frames, one block, and random calls give the same bits."""
        scene = case_scene(type_id, case, batches=batches)
        want = sound(scene)
        for block in (1, 3, 8, 63, 64, 65, case.frames):
            assert same_bits(sound(scene, Cut(block)), want), f"block {block}"
        for seed in range(3):
            cut = Cut((0, 16, 200)[seed], rigs.random_calls(seed, case.frames))
            assert same_bits(sound(scene, cut), want), str(cut)

    def test_every_type_is_block_invariant(self) -> None:
        """No contract leaves the first law out."""
        assert [t for t in catalog.types() if "block_invariant" not in catalog[t].laws] == []

    @keeping("linear")
    def test_linear(self, type_id: str, case: CaseContract) -> None:
        """The response to 2 a - 3 b is twice that to a minus three times that to b, to 1e-12."""
        ports = catalog[type_id].input_keys
        rng = np.random.default_rng(5)
        a, b = (
            {port: rng.uniform(-1, 1, (1, case.channels, case.frames)) for port in ports} for _ in range(2)
        )
        both = {port: 2.0 * a[port] - 3.0 * b[port] for port in ports}
        ya, yb, y = (sound(case_scene(type_id, case, feed=feed)) for feed in (a, b, both))
        assert np.any(y != 0.0)
        np.testing.assert_allclose(y, 2.0 * ya - 3.0 * yb, rtol=0.0, atol=1e-12 * np.abs(y).max())

    @pytest.mark.parametrize("shift", [1, 13, 70])
    @keeping("time_invariant")
    def test_time_invariant(self, type_id: str, case: CaseContract, shift: int) -> None:
        """A delayed input gives the delayed output to the bit, and zeros before what its latency foresees."""
        signals = {
            p: rigs.stimulus(case.stimulus, case.channels, case.frames, p)
            for p in catalog[type_id].input_keys
        }
        later = {
            p: np.concatenate([np.zeros((1, case.channels, shift)), x], axis=2)[:, :, : case.frames]
            for p, x in signals.items()
        }
        y, delayed = (sound(case_scene(type_id, case, feed=feed)) for feed in (signals, later))
        ahead = rigs.latency(type_id, case)
        end = max(shift, case.frames - ahead)  # from there on the delayed input was cut
        assert same_bits(delayed[:, :, shift:end], y[:, :, : end - shift])
        if signals:
            assert not np.any(delayed[:, :, : max(0, shift - ahead)])

    @keeping("silence")
    def test_silent(self, type_id: str, case: CaseContract) -> None:
        """Silence in, silence out."""
        feed = {p: np.zeros((1, case.channels, case.frames)) for p in catalog[type_id].input_keys}
        assert feed
        assert not np.any(sound(case_scene(type_id, case, feed=feed)))

    @keeping("bounded")
    def test_bounded(self, type_id: str, case: CaseContract) -> None:
        """Nothing leaves the bound the contract states, and loud input comes near it."""
        key = {"noise": "amplitude"}.get(type_id, "ceiling")
        param = catalog[type_id].param(key)
        assert param is not None
        bound = float(case_params(type_id, case).get(key, param.default))
        rng = np.random.default_rng(6)
        loud = {
            p: 100.0 * rng.standard_cauchy((1, case.channels, case.frames))
            for p in catalog[type_id].input_keys
        }
        peak = np.abs(sound(case_scene(type_id, case, feed=loud))).max()
        assert 0.9 * bound < peak <= bound

    @ANY_CASE
    def test_the_clocks_show_the_declared_latency(self, type_id: str, case: CaseContract) -> None:
        """A node has consumed its latency more than it gave; nothing else in the graph has."""
        scene = case_scene(type_id, case)
        declared = rigs.latency(type_id, case)
        with rigs.started(scene) as runtime:
            rigs.proceed(runtime, scene, [scene.frames])
            metrics = {name: runtime.metrics(name) for name in scene.graph.compile().order}
        assert metrics["node"].measured_delay_frames == declared
        assert metrics["node"].frames == scene.frames + declared
        assert not any(m.measured_delay_frames for name, m in metrics.items() if name != "node")

    @pytest.mark.parametrize("type_id", [t for t in catalog.types() if catalog[t].latency_frames])
    def test_the_contract_declares_the_latency_of_the_defaults(self, type_id: str) -> None:
        """The number in the table is that of a node with default parameters at 48 kHz."""
        g = amp.Graph(sample_rate=48_000.0)
        g.add(type_id, g.input(samples=[1.0]), name="node")
        assert g.compile().latencies["node"] == catalog[type_id].latency_frames

    @pytest.mark.parametrize(
        ("type_id", "case"),
        [(t, c) for t, c in CASES if catalog[t].latency_frames],
        ids=lambda x: getattr(x, "key", x),
    )
    def test_the_raw_output_lags_by_the_declared_latency(self, type_id: str, case: CaseContract) -> None:
        """A change of the input at frame k is first seen in the output at frame k - L exactly.

        One delay more would show it at k - L + 1, one less at k - L - 1: the declared number is the true one.
        """
        ahead, k = rigs.latency(type_id, case), case.frames // 2
        quiet = np.full((1, case.channels, case.frames), 1e-3)
        loud = np.where(np.arange(case.frames) == k, 5.0, quiet)
        y, other = (sound(case_scene(type_id, case, feed={"in": x})) for x in (quiet, loud))
        changed = np.flatnonzero((y != other).any(axis=(0, 1)))
        assert changed[0] == k - ahead

    @pytest.mark.parametrize("type_id", [t for t in catalog.types() if catalog[t].latency_frames])
    def test_parallel_paths_stay_in_phase(self, type_id: str) -> None:
        """A path through a node that leaves the signal alone, less the direct path, is silence."""
        transparent: dict[str, dict[str, Any]] = {
            "fir": {"mode": "bandstop", "cutoff_hz": 9000.0, "upper_hz": 9000.0, "half_length": 37},
            "lookahead_limiter": {"ceiling": 1.0, "lookahead_s": 0.00123},
        }
        x = np.random.default_rng(9).uniform(-1, 1, (1, 2, 600))
        g = amp.Graph(sample_rate=rigs.RATE)
        source = g.input(samples=x)
        through = g.add(type_id, source, name="node", **transparent[type_id])
        g.output(g.mix(g.gain(source, gain=-1.0), through))
        assert g.compile().latency_frames > 0
        null = sound(Scene(g, 600, taps=("node",)))
        assert not np.any(null[:, :2])
        assert same_bits(null[:, 2:], x)

    @pytest.mark.parametrize(
        ("type_id", "case"),
        [(t, c) for t, c in CASES if catalog[t].inputs and c.stimulus != "none"],
        ids=lambda x: getattr(x, "key", x),
    )
    def test_causal(self, type_id: str, case: CaseContract) -> None:
        """A change of the input from frame k + L on changes no output frame before k, L being its latency."""
        k = case.frames // 2
        at = k + rigs.latency(type_id, case)
        signals = {
            p: rigs.stimulus("noise", case.channels, case.frames, p) for p in catalog[type_id].input_keys
        }
        changed = {p: np.where(np.arange(case.frames) < at, x, -x + 0.3) for p, x in signals.items()}
        y, other = (sound(case_scene(type_id, case, feed=feed)) for feed in (signals, changed))
        assert same_bits(y[:, :, :k], other[:, :, :k])
        assert not same_bits(y, other)


class TestRandomGraphs:
    """The first law on graphs nobody drew."""

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10_000), batches=st.sampled_from([1, 2, 5]), data=st.data())
    def test_random_chains_are_block_invariant(self, seed: int, batches: int, data: st.DataObject) -> None:
        """Random nodes with random delays, feedback and modulation keep their bits under any cut."""
        frames = 400
        g, rng = amp.Graph(sample_rate=rigs.RATE, name="chain"), np.random.default_rng(seed)
        source = g.input(samples=rng.uniform(-1, 1, (1, 2, frames)), name="source")
        wave = g.lfo(shape="random", rate_hz=2000.0, name="wave")
        here: amp.Node = g.mix(source, name="entry")
        for i in range(data.draw(st.integers(1, 5), "length")):
            kind = data.draw(st.sampled_from(["gain", "svf", "one_pole", "delay_line", "safety"]), "kind")
            here = g.add(kind, here, name=f"n{i}")
            if kind in ("svf", "one_pole"):
                g.modulate(wave, here.cutoff_hz, mode="multiply", offset=1.0, scale=0.5)
            if data.draw(st.booleans(), "feedback"):
                back = g.gain(here, gain=0.2, name=f"back{i}")
                g.connect(back, "entry", delay_frames=data.draw(st.integers(1, 40), "delay"))
        g.output(here, name="out")
        scene = Scene(g, frames, None, batches)
        want = sound(scene)
        block = data.draw(st.integers(1, 80), "block")
        assert same_bits(sound(scene, Cut(block)), want)
        assert same_bits(sound(scene, Cut(block, rigs.random_calls(seed, frames))), want)
