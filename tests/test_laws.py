"""The laws of the engine: the same bits however a render is made."""

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


def moving(type_id: str) -> list[ParamContract]:
    """Numbers of a type that may change every frame."""
    return [p for p in catalog[type_id].params if p.kind == "number" and p.rate == "frame"]


MOVING = [(type_id, case) for type_id, case in CASES if moving(type_id)]
ANY_MOVING = pytest.mark.parametrize(("type_id", "case"), MOVING, ids=[f"{t}-{c.key}" for t, c in MOVING])


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
        """Each batch rendered alone, with its batch offset, has the bits it has among the others."""
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
        """Taps, heat, trace, metrics and the check for NaN do not change the sound."""
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
        """Nodes, edges and modulations in any order in the JSON give the same bits: slots determine the
        order.
        """
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
    """A constant, a tensor filled with it and a flat curve are equal."""

    @staticmethod
    def value(param: ParamContract, given: dict[str, Any]) -> float:
        return float(given.get(param.key, param.default))

    @pytest.mark.parametrize("batches", [1, 6])
    @ANY_MOVING
    def test_number_tensor_and_curve_give_equal_bits(
        self, type_id: str, case: CaseContract, batches: int
    ) -> None:
        """Every frame-rate parameter of every case, in both layouts, as any of the three."""
        given = case_params(type_id, case)
        want = sound(case_scene(type_id, case, batches=batches))
        for param in moving(type_id):
            value = self.value(param, given)
            shapes = [(1, 1, 1), (1, 1, case.frames), (batches, case.channels, case.frames), (1, 1, 10)]
            for shape in shapes:
                scene = case_scene(type_id, case, batches=batches, **{param.key: np.full(shape, value)})
                assert same_bits(sound(scene), want), f"{param.key} as a tensor {shape}"
            flat = case_scene(type_id, case, batches=batches, **{param.key: amp.curve("flat")})
            curve = amp.Curve("flat", np.array([0.001]), np.array([value]))
            flat = replace(flat, controls=amp.ControlHistory([curve]))
            assert same_bits(sound(flat), want), f"{param.key} as a curve"

    @ANY_MOVING
    def test_a_value_out_of_range_is_refused_or_clamped(self, type_id: str, case: CaseContract) -> None:
        """As the contract declares; a clamped value has the bits of the limit, and is counted per frame."""
        for param in moving(type_id):
            low, high = param.limits(rigs.RATE)
            for limit, beyond in ((low, np.nextafter(low, -np.inf)), (high, np.nextafter(high, np.inf))):
                if param.range == "error":
                    with pytest.raises(amp.GraphError, match=f"node.{param.key}: out of range"):
                        sound(case_scene(type_id, case, **{param.key: beyond}))
                    continue
                scene = case_scene(type_id, case, **{param.key: np.full((1, 1, case.frames), beyond)})
                with rigs.started(scene) as runtime:
                    clamped = rigs.proceed(runtime, scene, [scene.frames])
                    assert runtime.metrics("node").clamped_values > 0
                assert same_bits(clamped, sound(case_scene(type_id, case, **{param.key: limit})))


class TestRandomGraphs:
    """The first law on generated graphs."""

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
