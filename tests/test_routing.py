"""Combining edges at a port and splitting channels: every mode compared with NumPy, in every layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import rigs
from rigs import Cut, Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab import catalog
from amp_lab.errors import AmpError, GraphError, ShapeError

FRAMES = 230
BATCHES = (1, 3, 8, 19)
MATRIX = np.random.default_rng(8).uniform(-1, 1, (2, 5))

Mode = Callable[[Sequence[Samples]], Samples]


def signals(batches: int, channels: Sequence[int]) -> list[Samples]:
    """Return one noise per number of channels, (B, C, N)."""
    rng = np.random.default_rng([batches, *channels])
    return [rng.uniform(-1, 1, (batches, c, FRAMES)) for c in channels]


def met(type_id: str, xs: Sequence[Samples], slots: Sequence[int] | None = None, **params: Any) -> Scene:
    """Return the graph in which the signals meet at a node."""
    g = amp.Graph(sample_rate=rigs.RATE)
    node = g.add(type_id, name="node", **params)
    for i, x in enumerate(xs):
        g.connect(g.input(samples=x), node, slot=i if slots is None else slots[i])
    g.output(node, name="out")
    return Scene(g, FRAMES, None, xs[0].shape[0])


def check(scene: Scene, want: Samples) -> None:
    """Assert these bits in blocks of any size."""
    for block in (0, 1, 7, 64, 65):
        assert same_bits(sound(scene, Cut(block)), want), f"block {block}"


def added(xs: Sequence[Samples]) -> Samples:
    """Sum from the first on; a lone channel reaches all."""
    total = xs[0] + np.zeros_like(max(xs, key=lambda x: x.shape[1]))
    for x in xs[1:]:
        total = total + x
    return total


def mixed(matrix: Samples, x: Samples) -> Samples:
    """Products of the matrix (B|1, R, C), added from column 0 on."""
    y = matrix[:, :, 0, None] * x[:, None, 0]
    for c in range(1, x.shape[1]):
        y = y + matrix[:, :, c, None] * x[:, None, c]
    return y


class TestGather:
    """Several edges at one input port."""

    @pytest.mark.parametrize("batches", BATCHES)
    @pytest.mark.parametrize(
        ("type_id", "channels", "law"),
        [
            ("mix", (2, 1, 2), added),
            ("average", (2, 1, 2), lambda xs: added(xs) * (1.0 / 3.0)),
            ("average", (1,) * 7, lambda xs: added(xs) * (1.0 / 7.0)),
            ("stack", (2, 1, 3), lambda xs: np.concatenate(xs, axis=1)),
            ("first", (1, 2, 3), lambda xs: xs[0]),
        ],
    )
    def test_edges_meet_as_declared(
        self, type_id: str, channels: tuple[int, ...], law: Mode, batches: int
    ) -> None:
        """Sum, mean, concatenation and first, in slot order, to the bit."""
        xs = signals(batches, channels)
        check(met(type_id, xs), law(xs))

    @pytest.mark.parametrize("batches", BATCHES)
    def test_a_matrix_takes_what_its_edges_stack(self, batches: int) -> None:
        """Five channels of three edges become two, by one matrix and by one per batch."""
        xs = signals(batches, (2, 1, 2))
        own = np.random.default_rng(4).uniform(-1, 1, (batches, 2, 5))
        for matrix in (MATRIX[None], own):
            scene = met("matrix_mix", xs, matrix=matrix)
            check(scene, mixed(matrix, np.concatenate(xs, axis=1)))

    @pytest.mark.parametrize("type_id", ["average", "stack", "first", "matrix_mix"])
    def test_a_lone_edge_passes(self, type_id: str) -> None:
        """One edge has no gather step and changes nothing."""
        (x,) = signals(3, (2,))
        params = {"matrix": np.eye(2)} if type_id == "matrix_mix" else {}
        check(met(type_id, [x], **params), x)

    @pytest.mark.parametrize("type_id", ["mix", "average", "stack", "first"])
    def test_slots_decide_and_declaration_does_not(self, type_id: str) -> None:
        """Edges made in another order with the same slots give the same bits; other slots give others."""
        xs = [scale * x for scale, x in zip((1e16, 1.0, -1e16), signals(1, (1, 1, 1)), strict=True)]
        want = sound(met(type_id, xs, (3, 5, 9)))
        assert same_bits(sound(met(type_id, [xs[2], xs[0], xs[1]], (9, 3, 5))), want)
        assert not same_bits(sound(met(type_id, [xs[1], xs[2], xs[0]], (3, 5, 9))), want)

    def test_edges_that_are_not_the_first_are_dead(self) -> None:
        """They have no effect on channels, cycles or delays, and the plan lists them."""
        x, wide = signals(1, (1, 7))
        scene = met("first", [wide, x], (4, 2))
        scene.graph.connect("node", "node", slot=8)
        check(scene, x)
        info = scene.graph.compile().info
        assert [(e["src"], e["slot"]) for e in info["dead_edges"]] == [("input", 4), ("node", 8)]
        assert [(e["src"], e["dst"]) for e in info["edges"]] == [("input_2", "node"), ("node", "out")]
        assert "not read" in scene.graph.compile().to_text()

    def test_an_edge_picks_one_channel(self) -> None:
        """channel= carries only that channel, from any output."""
        x = signals(9, (3,))[0]
        g = amp.Graph(sample_rate=rigs.RATE)
        g.input(samples=x, name="x")
        for kind, channels in (("mix", [2, 0]), ("stack", [1, 1, 2])):
            node = g.add(kind, name=kind)
            for c in channels:
                g.connect("x", node, channel=c)
        g.output(g["mix"], name="out")
        taps = sound(Scene(g, FRAMES, None, 9, ("stack",)))
        want = np.concatenate([added([x[:, [2]], x[:, [0]]]), x[:, [1, 1, 2]]], axis=1)
        assert same_bits(taps, want)

    def test_picked_channels_keep_delay_and_tokens(self) -> None:
        """A picked channel is delayed like any signal, after the edge's own tokens."""
        x = signals(6, (2,))[0]
        tokens = np.random.default_rng(1).uniform(-1, 1, (6, 1, 5))
        g = amp.Graph(sample_rate=rigs.RATE)
        node, source = g.stack(name="node"), g.input(samples=x)
        g.connect(source, node, channel=1, delay_frames=5, tokens=tokens)
        g.connect(source, node, delay_frames=2)
        g.output(node)
        late = np.concatenate([np.zeros((6, 2, 2)), x[:, :, :-2]], axis=2)
        own = np.concatenate([tokens, x[:, 1:, :-5]], axis=2)
        check(Scene(g, FRAMES, None, 6), np.concatenate([own, late], axis=1))

    def test_a_constant_is_stacked_and_averaged(self) -> None:
        """Constant values combined with signals."""
        x = signals(6, (1,))[0]
        g = amp.Graph(sample_rate=rigs.RATE)
        dc = g.constant(value=0.25, channels=2)
        parts = [g.input(samples=x), dc]
        g.output(g.average(*parts), name="out")
        g.stack(*parts, name="stack")
        flat = np.full((6, 2, FRAMES), 0.25)
        got = sound(Scene(g, FRAMES, None, 6, ("stack",)))
        assert same_bits(got, np.concatenate([(x + flat) * 0.5, x, flat], axis=1))

    def test_gains_are_modulated(self) -> None:
        """The gain of a stack follows a modulator, channel by channel."""
        xs = signals(6, (1, 2))
        m = signals(6, (3, 1))[0]
        scene = met("stack", xs, gain=0.5)
        g = scene.graph
        g.modulate(g.input(samples=m), g["node"].gain, mode="multiply", offset=1.0, scale=0.5)
        check(scene, (0.5 * (1.0 + 0.5 * m)) * np.concatenate(xs, axis=1))


class TestScatter:
    """Channels that leave an output port."""

    @pytest.mark.parametrize("batches", BATCHES)
    def test_split_and_stack_undo_each_other(self, batches: int) -> None:
        """Each edge carries its channel, for any order of the edges."""
        x = signals(batches, (3,))[0]
        g = amp.Graph(sample_rate=rigs.RATE)
        parts, node = g.split(g.input(samples=x)), g.stack(name="node")
        for channel in (2, 0, 1):
            g.connect(parts, node, channel=channel, slot=channel)
        g.output(node)
        check(Scene(g, FRAMES, None, batches), x)

    def test_edges_take_the_next_free_channel(self) -> None:
        """Without channel= the k-th edge carries channel k, and shows it."""
        g = amp.Graph()
        parts = g.split(g.input(samples=np.zeros((1, 3, 4))), name="parts")
        names = [g.gain(parts, name=f"g{i}").name for i in range(3)]
        assert [next(e.channel for e in g.edges if e.dst == n) for n in names] == [0, 1, 2]
        g.disconnect("g1.in[0]")
        assert g.connect("parts", "g1").channel == 1
        carried = {e["dst"]: (e["channel"], e["carries"]) for e in g.compile().info["edges"]}
        assert [carried[n] for n in names] == [(0, 1), (1, 1), (2, 1)]

    def test_a_matrix_change_is_heard_at_its_frame(self) -> None:
        """set_param replaces the matrix between two frames, in both layouts; its shape is kept."""
        for batches in (3, 9):
            xs = signals(batches, (5,))
            later = np.random.default_rng(2).uniform(-1, 1, (batches, 2, 5))
            scene = met("matrix_mix", xs, matrix=MATRIX)
            with rigs.started(scene) as runtime:
                runtime.set_param("node", "matrix", later, at_frame=77)
                got = rigs.proceed(runtime, scene, [FRAMES])
                with pytest.raises(ShapeError, match=r"node\.matrix: shape \(got \(1, 5, 2\), expected"):
                    runtime.set_param("node", "matrix", np.zeros((1, 5, 2)))
            want = mixed(MATRIX[None], xs[0])
            want[:, :, 77:] = mixed(later, xs[0])[:, :, 77:]
            assert same_bits(got, want)

    def test_middle_and_side_are_a_matrix_and_back(self) -> None:
        """Two matrices whose product is one restore the signal, as powers of two are exact."""
        x = np.round(signals(1, (2,))[0] * 1024) + 0.0  # no zero is negative
        g = amp.Graph(sample_rate=rigs.RATE)
        side = g.matrix_mix(g.input(samples=x), matrix=[[1, 1], [1, -1]])
        g.output(g.matrix_mix(side, matrix=[[0.5, 0.5], [0.5, -0.5]]))
        check(Scene(g, FRAMES), x)


class TestMaps:
    """Outputs made of other batches and of picked frames."""

    @pytest.mark.parametrize("batches", BATCHES)
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    def test_batches_are_mixed_from_the_first_on(self, reduction: str, batches: int) -> None:
        """Every batch of the output is the same mix, in every layout."""
        x = signals(batches, (2,))[0]
        total = x[0]
        for b in range(1, batches):
            total = total + x[b]
        want = np.tile(total * (1.0 / batches if reduction == "mean" else 1.0), (batches, 1, 1))
        check(met("batch_mix", [x], reduction=reduction), want)

    def test_the_rest_of_the_graph_is_not_mixed(self) -> None:
        """With a batch_mix in it a graph of many nodes keeps its bits."""
        scene = rigs.variants(19)
        want = sound(scene)
        crowd = scene.graph.batch_mix(scene.graph["total"])
        got = sound(replace(scene, taps=(crowd.name,)))
        assert same_bits(got[:, : want.shape[1]], want)
        assert all(same_bits(got[b, want.shape[1] :], got[0, want.shape[1] :]) for b in range(19))

    @pytest.mark.parametrize("batches", BATCHES)
    @pytest.mark.parametrize(("hop", "phase"), [(1, 0), (3, 0), (10, 7), (10, 27), (64, 63), (1000, 5)])
    def test_values_are_held_from_hop_to_hop(self, hop: int, phase: int, batches: int) -> None:
        """y[n] = x[m], m the last frame that is phase modulo hop; zeros before it."""
        x = signals(batches, (2,))[0]
        n = np.arange(FRAMES)
        m = n - (n - phase) % hop
        want = np.where(m >= 0, x[:, :, np.maximum(m, 0)], 0.0)
        check(met("hold", [x], hop_frames=hop, phase_frames=phase), want)

    def test_the_contract_declares_them(self) -> None:
        """Nodes that map batches or frames declare it at their output."""
        maps = {t: catalog[t].outputs[0].map for t in catalog.types() if catalog[t].outputs[0].map != "none"}
        assert maps == {"batch_mix": "batches", "hold": "frames"}


class TestFeedback:
    """The modes inside loops, frame by frame and in sub-blocks."""

    @pytest.mark.parametrize("batches", BATCHES)
    @pytest.mark.parametrize("delay", [1, 3, 40])
    def test_every_mode_goes_round_a_loop(self, delay: int, batches: int) -> None:
        """stack, matrix, split, average and hold in one loop equal the recursion written out."""
        x = signals(batches, (1,))[0]
        matrix = np.array([[0.5, -0.25, 0.125], [0.25, 0.5, -0.5]])
        g = amp.Graph(sample_rate=rigs.RATE)
        source, entry = g.input(samples=x), g.stack(name="entry")
        parts = g.split(g.matrix_mix(entry, matrix=matrix), name="parts")
        mean = g.average(parts, source, name="mean")
        held = g.hold(parts, hop_frames=3, name="held")
        taken = g.first(held, mean, name="taken")
        for slot, (src, late) in enumerate([(source, 0), (mean, delay), (taken, delay)]):
            g.connect(src, entry, slot=slot, delay_frames=late)
        g.output(g.stack(mean, taken), name="out")

        means, takes = np.zeros((batches, FRAMES)), np.zeros((batches, FRAMES))
        for n in range(FRAMES):
            back = [y[:, n - delay] if n >= delay else np.zeros(batches) for y in (means, takes)]
            a, b = mixed(matrix[None], np.stack([x[:, 0, n], *back], axis=1)[:, :, None])[:, :, 0].T
            means[:, n] = (a + x[:, 0, n]) * 0.5
            takes[:, n] = b if n % 3 == 0 else takes[:, n - 1]
        check(Scene(g, FRAMES, None, batches), np.stack([means, takes], axis=1))

    @pytest.mark.parametrize("delay", [1, 30])
    def test_a_loop_through_all_batches(self, delay: int) -> None:
        """The mix of the batches is fed back into each of them."""
        x = signals(11, (1,))[0]
        g = amp.Graph(sample_rate=rigs.RATE)
        total = g.mix(g.input(samples=x), name="total")
        g.connect(g.batch_mix(total), total, delay_frames=delay)
        g.output(g.gain(total, gain=0.5))
        y = np.zeros_like(x)
        for n in range(FRAMES):
            crowd = np.zeros(1)
            for b in range(11):
                if n >= delay:
                    crowd = crowd + y[b, :, n - delay] if b else y[b, :, n - delay]
            y[:, :, n] = x[:, :, n] + crowd * (1.0 / 11.0)
        check(Scene(g, FRAMES, None, 11), 0.5 * y)


class TestTexts:
    """JSON, code, plan text and errors have channels and modes."""

    @staticmethod
    def graph() -> amp.Graph:
        g = amp.Graph(sample_rate=rigs.RATE, name="routed")
        parts = g.split(g.matrix_mix(g.noise(channels=2), matrix=[[1, 0.5], [0.25, -1], [0, 1]]))
        node = g.stack(name="node")
        for channel in (2, 0):
            g.connect(parts, node, channel=channel)
        g.output(g.batch_mix(node), name="out")
        return g

    def test_json_code_and_copies_carry_channels(self) -> None:
        """JSON, code and copies restore the same descriptors."""
        g = self.graph()
        names: dict[str, Any] = {}
        exec(g.to_code(), names)
        assert '"channel": 2' in g.to_json() and "channel=2" in g.to_code()
        for other in (names["g"], amp.Graph.from_json(g.to_json()), g.copy()):
            assert other.to_dict() == g.to_dict()
            assert other.compile().digest == g.compile().digest

    def test_the_plan_text_shows_modes_and_channels(self) -> None:
        """A person reads which port does what and which channel an edge carries."""
        text = self.graph().compile().to_text()
        for words in ("in matrix, out matrix", "out split", "in concat", "out maps batches", "channel 2"):
            assert words in text, words

    def test_change_picks_another_channel(self) -> None:
        """An edge's channel is a field like any other."""
        g = self.graph()
        assert g.change("node.in[1]", channel=1).channel == 1
        assert g.change("out.in[0]", channel=0).channel == 0

    @pytest.mark.parametrize("channel", [-1, 1.5, True, "left"])
    def test_a_channel_is_a_whole_number(self, channel: Any) -> None:
        """Everything else is refused where it is written."""
        g = self.graph()
        with pytest.raises(GraphError, match=r"node\.in\[2\]\.channel: not allowed"):
            g.connect("noise", "node", channel=channel)

    def test_one_channel_leaves_a_split_once(self) -> None:
        """The plan names both edges and the cure."""
        g = self.graph()
        g.connect("split", "node", channel=2)
        with pytest.raises(AmpError, match=r"channel 2 of split\.out leaves by the edge .* already\. Name"):
            g.compile()

    def test_a_split_has_no_more_edges_than_channels(self) -> None:
        """The fourth edge of three channels has nothing to carry."""
        g = self.graph()
        [g.gain(g["split"]) for _ in range(2)]
        with pytest.raises(
            AmpError, match=r"channel \(got 3, allowed 0 to 2\)\. split\.out has 3, one for each"
        ):
            g.compile()

    @pytest.mark.parametrize(
        ("matrix", "error", "words"),
        [
            ([1, 2], ShapeError, r"not a matrix \(got \(2,\), allowed \(rows, columns\)"),
            ([[]], ShapeError, "not a matrix"),
            ([[1, np.nan]], GraphError, "not finite"),
            ([[1, 2e6]], GraphError, r"out of range \(got 2e\+06"),
            ("identity", GraphError, "not numbers"),
            (amp.curve("m"), GraphError, "cannot follow a curve"),
        ],
    )
    def test_matrices_are_checked(self, matrix: Any, error: type[AmpError], words: str) -> None:
        """Shape, range and kind, where they are written."""
        with pytest.raises(error, match=rf"matrix_mix\.matrix: {words}"):
            amp.Graph().matrix_mix(matrix=matrix)

    def test_columns_are_what_comes_in(self) -> None:
        """A matrix of other columns is refused by the plan, naming both."""
        g = amp.Graph()
        g.output(g.matrix_mix(g.noise(channels=3), matrix=[[1, 0], [0, 1]]))
        with pytest.raises(
            ShapeError, match=r"matrix_mix\.in: .* 3 channels \(got a matrix of 2 x 2, allowed 3"
        ):
            g.compile()

    def test_a_loop_through_a_stack_is_refused(self) -> None:
        """The loop would widen without end; with one channel picked it is accepted."""
        g = amp.Graph()
        node = g.stack(g.noise(), name="node")
        back = g.connect(node, node, delay_frames=1)
        g.output(node)
        with pytest.raises(ShapeError, match=r"node\.in: its edges stack to too many channels"):
            g.compile()
        g.change(back, channel=0)
        assert g.compile().output_channels == 2
