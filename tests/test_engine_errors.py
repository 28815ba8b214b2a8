"""Failures of a running engine: their place, the same for every block size, and what works afterwards."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import rigs
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.lowlevel import Runtime

FRAMES = 200
BLOCKS = (1, 7, 64, 65, 1000)
EVERY_BLOCK = pytest.mark.parametrize("block", BLOCKS)
CUTS = [Cut(b) for b in BLOCKS] + [Cut(50, rigs.random_calls(2, FRAMES))]


def caught(scene: Scene, cut: Cut, flags: int = lowlevel.STOP_NONFINITE) -> amp.NonFiniteError:
    """Render and return the expected failure."""
    with pytest.raises(amp.NonFiniteError) as info:
        sound(scene, cut, flags=flags)
    return info.value


class TestNonFinite:
    """The first NaN or Inf is named: node, port, batch, channel, frame."""

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("batches, b, c, n", [(1, 0, 0, 0), (1, 0, 1, 64), (3, 1, 0, 199), (7, 6, 1, 8)])
    def test_in_the_samples_given(self, bad: float, batches: int, b: int, c: int, n: int) -> None:
        """A bad sample is found where it enters, for every block."""
        x = np.random.default_rng(1).uniform(-1, 1, (batches, 2, FRAMES))
        x[b, c, n] = bad
        x[:, :, n + 1 :] = np.nan
        g = amp.Graph(sample_rate=RATE)
        plan_samples = np.zeros_like(x)
        g.output(g.svf(g.input(samples=plan_samples, name="source")))
        scene = Scene(g, FRAMES, None, batches)
        for cut in CUTS:
            with rigs.started(scene, cut) as runtime:
                runtime.bind_input("source", x)
                with pytest.raises(amp.NonFiniteError) as info:
                    rigs.proceed(runtime, scene, cut.calls or [FRAMES])
            e = info.value
            place = (e.node, e.port, e.batch, e.channel, e.frame)
            assert place == ("source", "out", b, c, n), str(cut)
            assert str(e).startswith(
                f"source.out: {'NaN' if np.isnan(bad) else 'Inf'} at batch {b}, channel {c}"
            )
            assert (e.stage, e.code) == ("execute", -9)

    @staticmethod
    def overflow(n: int, feedback: int, frames: int = FRAMES) -> Scene:
        """Build a graph whose ``second`` gain overflows at frame n, in a loop if ``feedback`` frames."""
        x = np.ones(frames)
        x[n:] = 1e300
        g = amp.Graph(sample_rate=RATE)
        first = g.gain(g.input(samples=x, name="source"), gain=1e6, name="first")
        second = g.gain(first, gain=1e6, name="second")
        if feedback:
            g.connect(g.gain(second, gain=1e-13, name="back"), first, delay_frames=feedback)
        g.output(g.one_pole(second, name="pole"))
        return Scene(g, frames)

    @pytest.mark.parametrize("feedback", [0, 1, 5, 16, 40])
    @pytest.mark.parametrize("n", [0, 63, 130])
    def test_made_by_a_node(self, n: int, feedback: int) -> None:
        """The node that overflows is named, not those after it, also inside feedback."""
        for cut in CUTS:
            e = caught(self.overflow(n, feedback), cut)
            assert (e.node, e.port, e.batch, e.channel, e.frame) == ("second", "out", 0, 0, n), str(cut)

    @EVERY_BLOCK
    def test_the_earliest_frame_wins(self, block: int) -> None:
        """A later node that fails at an earlier frame is the one named."""
        x, y = np.ones(FRAMES), np.ones(FRAMES)
        x[150:], y[40:] = 1e308, 1e308
        g = amp.Graph(sample_rate=RATE)
        early = g.gain(g.input(samples=x), gain=10.0, name="a_first_in_order")
        late = g.gain(g.input(samples=y), gain=10.0, name="z_last_in_order")
        g.output(g.mix(early, late))
        e = caught(Scene(g, FRAMES), Cut(block))
        assert (e.node, e.frame) == ("z_last_in_order", 40)

    @EVERY_BLOCK
    def test_in_a_modulated_parameter(self, block: int) -> None:
        """The parameter is the port, whether or not AMP_RUN_STOP_NONFINITE is set."""
        m = np.zeros((1, 2, FRAMES))
        m[0, 1, 99:] = 1e300
        g = amp.Graph(sample_rate=RATE)
        level = g.gain(g.input(samples=np.ones((1, 2, FRAMES))), gain=1.0, name="level")
        g.modulate(g.input(samples=m), level.gain, mode="add", scale=1e300)
        g.output(level)
        for flags in (lowlevel.STOP_NONFINITE, 0):
            e = caught(Scene(g, FRAMES), Cut(block), flags)
            assert (e.node, e.port, e.batch, e.channel, e.frame) == ("level", "gain", 0, 1, 99)

    def test_without_the_flag_the_values_pass(self) -> None:
        """Without the flag the values pass, and frames before them are what they were."""
        scene = self.overflow(100, 0)
        got = sound(scene, flags=0)[0, 0]
        assert np.isfinite(got[:100]).all()
        assert not np.isfinite(got[100:]).any()

    @pytest.mark.parametrize("feedback", [False, True])
    @EVERY_BLOCK
    def test_a_nonfinite_value_stays_in_its_channel(self, block: int, feedback: bool) -> None:
        """A reader of the other channel, of a node or of its loop, gets that channel's values."""
        x = np.ones((1, 2, FRAMES))
        x[0, 1, 50:] = 1e308
        g = amp.Graph(sample_rate=RATE)
        both = g.gain(g.input(samples=x), gain=10.0)
        left = g.gain(gain=0.5)
        g.connect(both, left, channel=0)
        if feedback:
            g.connect(g.gain(left, gain=1e-3), both, delay_frames=1)
        g.output(left)
        got = sound(Scene(g, FRAMES), Cut(block), flags=0)[0, 0]
        assert got[0] == 5.0
        assert np.isfinite(got).all()

    def test_frames_before_stay_valid(self) -> None:
        """Frames delivered before the failure are right, and position returns their number."""
        scene = self.overflow(9000, 0, 12_000)
        want = sound(scene, flags=0)
        with rigs.started(scene, Cut(32)) as runtime:
            out = np.zeros((1, 1, scene.frames))
            with pytest.raises(amp.NonFiniteError):
                runtime.execute(scene.frames, out)
            valid = runtime.position
        assert 4096 <= valid <= 9000
        assert same_bits(out[:, :, :valid], want[:, :, :valid])

    @pytest.mark.parametrize("block", [1, 64])
    def test_after_a_failure_configure_comes_first(self, block: int) -> None:
        """Execute is refused until configured; then the runtime is as new."""
        scene = self.overflow(100, 3)
        with rigs.started(scene, Cut(block)) as runtime:
            good = rigs.proceed(runtime, scene, [64])
            with pytest.raises(amp.NonFiniteError):
                runtime.execute(100)
            with pytest.raises(amp.InvalidArgument, match=r"stopped with an error before\. Configure again"):
                runtime.execute(1)
            runtime.configure(block_frames=block, flags=lowlevel.STOP_NONFINITE)
            assert runtime.position == 0
            assert same_bits(rigs.proceed(runtime, scene, [64]), good)


def plain(**changes: Any) -> amp.Graph:
    """Return a small graph with an input, a curve and a filter."""
    g = amp.Graph(sample_rate=RATE)
    source = g.input(samples=np.ones((1, 2, 50)), name="source")
    g.output(g.svf(source, name="flt", **({"cutoff_hz": amp.curve("cutoff")} | changes)))
    return g


def bare(graph: amp.Graph, **options: int) -> Runtime:
    """Return a configured runtime without inputs and curves."""
    plan = graph.compile()
    runtime = Runtime(plan.descriptor_blob, plan.plan_blob)
    runtime.configure(**options)
    return runtime


def curves(*names: str) -> bytes:
    """History blob of flat curves."""
    return amp.ControlHistory(amp.Curve(n, np.zeros(1), np.full(1, 500.0)) for n in names).blob


class TestWhatIsGiven:
    """Curves, samples, buffers and names."""

    def test_curves_must_be_those_of_the_plan(self) -> None:
        """Missing and extra curves are named; without any, execute names the first."""
        with bare(plain()) as runtime:
            with pytest.raises(amp.InvalidArgument, match="missing cutoff") as info:
                runtime.set_history(curves("pitch", "other"))
            assert [v.port for v in info.value.violations] == ["cutoff", "other", "pitch"]
            assert str(info.value).count("not in the graph: ") == 2
            with pytest.raises(amp.InvalidArgument, match="not in the graph: other"):
                runtime.set_history(curves("cutoff", "other"))
            with pytest.raises(amp.InvalidArgument, match=r'follows control curves .*"cutoff"'):
                runtime.execute(1)
            runtime.set_history(curves("cutoff"))
            runtime.execute(1)

    @pytest.mark.parametrize("shape", [(2, 2, 50), (1, 1, 50), (1, 3, 50)])
    def test_samples_must_fit(self, shape: tuple[int, int, int]) -> None:
        """Batches 1 or B and the channels of the node; the message gives both shapes."""
        with bare(plain(), batches=3) as runtime:
            with pytest.raises(amp.ShapeError, match=r"source: shape .*expected \(1 or 3, 2, any\)") as info:
                runtime.bind_input("source", np.zeros(shape))
            assert (info.value.node, info.value.stage) == ("source", "bind_input")
            runtime.bind_input("source", np.zeros((3, 2, 7)))

    def test_only_inputs_take_samples(self) -> None:
        """Other nodes and unknown names are refused."""
        with bare(plain()) as runtime:
            with pytest.raises(amp.InvalidArgument, match="flt: is a svf, which takes no samples"):
                runtime.bind_input("flt", np.zeros((1, 2, 5)))
            with pytest.raises(amp.InvalidArgument, match="nobody: there is no such node"):
                runtime.bind_input("nobody", np.zeros((1, 2, 5)))

    @pytest.mark.parametrize("shape", [(1, 2, 9), (1, 1, 10), (2, 2, 10)])
    def test_buffers_must_fit(self, shape: tuple[int, int, int]) -> None:
        """An output or tap of the wrong shape is refused before anything is rendered."""
        with bare(plain(cutoff_hz=500.0)) as runtime:
            with pytest.raises(
                amp.ShapeError, match=r"output: buffer shape .*expected \(1, 2, at least 10\)"
            ):
                runtime.execute(10, np.zeros(shape))
            with pytest.raises(amp.ShapeError, match="flt: buffer shape"):
                runtime.execute(10, None, {("flt", None): np.zeros(shape)})
            assert runtime.position == 0

    def test_unknown_taps(self) -> None:
        """Nodes and ports that are not there are named."""
        with bare(plain(cutoff_hz=500.0)) as runtime:
            with pytest.raises(amp.InvalidArgument, match="nobody: there is no such node"):
                runtime.execute(1, None, {("nobody", None): np.zeros((1, 2, 1))})
            with pytest.raises(amp.InvalidArgument, match='flt: has no output "wet"'):
                runtime.execute(1, None, {("flt", "wet"): np.zeros((1, 2, 1))})

    def test_a_graph_without_output_gives_taps_only(self) -> None:
        """Reading its audio is an error with a cure."""
        g = amp.Graph(sample_rate=RATE)
        g.sine(name="tone")
        with bare(g) as runtime:
            with pytest.raises(amp.InvalidArgument, match="no output node"):
                runtime.execute(1, np.zeros((1, 1, 1)))
            runtime.execute(1, None, {("tone", None): np.zeros((1, 1, 1))})

    def test_phases(self) -> None:
        """Nothing runs before configure; negative lengths and absurd sizes are refused."""
        plan = plain(cutoff_hz=500.0).compile()
        with Runtime(plan.descriptor_blob) as runtime:
            with pytest.raises(amp.InvalidArgument, match="not configured"):
                runtime.execute(1)
            with pytest.raises(amp.InvalidArgument, match="batches: out of range"):
                runtime.configure(batches=0)
            with pytest.raises(amp.InvalidArgument, match="block_frames: out of range"):
                runtime.configure(block_frames=2**31)
            runtime.configure()
            with pytest.raises(amp.InvalidArgument, match="frames: out of range"):
                runtime.execute(-1)
            runtime.execute(0)
            assert runtime.position == 0

    def test_a_cancelled_render_can_go_on(self) -> None:
        """cancel stops the next execute as pending; the one after delivers what was left."""
        scene = rigs.golden_scene("one_frame_feedback")
        want = sound(scene)
        with rigs.started(scene) as runtime:
            first = rigs.proceed(runtime, scene, [100])
            runtime.cancel()
            with pytest.raises(amp.Pending):
                runtime.execute(100)
            assert runtime.position == 100
            rest = rigs.proceed(runtime, scene, [scene.frames - 100])
        assert same_bits(np.concatenate([first, rest], axis=2), want)


class TestDrift:
    """A plan of other descriptors."""

    @pytest.mark.parametrize(
        "node, changed",
        [("flt", plain(cutoff_hz=500.0, q=3.0)), ("flt", plain(cutoff_hz=500.0, mode="notch"))],
    )
    def test_the_first_node_that_differs_is_named(self, node: str, changed: amp.Graph) -> None:
        """One different parameter is enough, and both digests are in the message."""
        mine, other = plain(cutoff_hz=500.0).compile(), changed.compile()
        with pytest.raises(amp.DriftError, match=r"plan has [0-9a-f]{16}, .*give [0-9a-f]{16}") as info:
            Runtime(mine.descriptor_blob, other.plan_blob)
        assert (info.value.node, info.value.code) == (node, -7)

    def test_renamed_missing_and_added_nodes(self) -> None:
        """A node that is only on one side is named."""
        base = plain(cutoff_hz=500.0)
        renamed, more = base.copy(), base.copy()
        renamed.rename("flt", "zz_filter")
        more.sine(name="zz_more")
        plans = [graph.compile() for graph in (base, renamed, more)]
        for mine, given, node in ((0, 1, "zz_filter"), (0, 2, "zz_more"), (2, 0, "zz_more")):
            with pytest.raises(amp.DriftError) as info:
                Runtime(plans[mine].descriptor_blob, plans[given].plan_blob)
            assert info.value.node == node


class TestFloatingPoint:
    """The caller's floating-point environment, and denormals."""

    FENV_BYTES, MXCSR_AT = 32, 28

    @staticmethod
    def libm() -> Any:
        if platform.machine() not in ("x86_64", "AMD64") or not sys.platform.startswith("linux"):
            pytest.skip("the layout of fenv_t is known for x86-64 glibc only")
        return ctypes.CDLL(ctypes.util.find_library("m"))

    @contextmanager
    def environment(self, mxcsr_bits: int) -> Iterator[Any]:
        """Set bits of MXCSR for this thread and take them back."""
        libm = self.libm()
        saved, wild = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
        libm.fegetenv(saved)
        libm.fegetenv(wild)
        word = ctypes.c_uint32.from_buffer(wild, self.MXCSR_AT)
        word.value |= mxcsr_bits
        libm.fesetenv(wild)
        try:
            yield lambda: self.mxcsr(libm)
        finally:
            libm.fesetenv(saved)

    def mxcsr(self, libm: Any) -> int:
        buffer = ctypes.create_string_buffer(64)
        libm.fegetenv(buffer)
        return ctypes.c_uint32.from_buffer(buffer, self.MXCSR_AT).value & 0xFFC0

    @pytest.mark.parametrize("bits", [0x8040, 0x2000, 0x4000, 0x6000, 0xE040])
    def test_it_is_neither_trusted_nor_changed(self, bits: int) -> None:
        """Flush-to-zero, denormals-are-zero and the rounding modes change no bit, and are restored."""
        scene = rigs.variants(6)
        want = sound(scene)
        with rigs.started(scene) as runtime:
            out = np.empty_like(want)
            with self.environment(bits) as now:
                before = now()
                runtime.execute(scene.frames, out)
                after = now()
        assert before & bits == bits
        assert after == before
        assert same_bits(out, want)

    @pytest.mark.parametrize(
        "type_id, params",
        [
            *[("svf", {"mode": mode, "cutoff_hz": 5000.0}) for mode in ("lowpass", "bandpass")],
            ("biquad", {"design": "lowpass", "cutoff_hz": 5000.0}),
            ("one_pole", {"cutoff_hz": 3000.0}),
            ("safety", {"release_s": 0.001, "dc_block_hz": 100.0}),
        ],
    )
    def test_tails_end_in_zero(self, type_id: str, params: dict[str, Any]) -> None:
        """A long decay never passes through denormals: below 1e-30 the state is zero."""
        x = np.zeros(60_000)
        x[:10] = 1.0
        y = np.abs(rigs.through(type_id, x, **params)[0])
        assert y[:2000].max() > 1e-3
        assert not np.any((y > 0) & (y < 1e-300))
        assert not np.any(y[-1000:])

    @pytest.mark.parametrize("d", [1, 5, 16, 100])
    @pytest.mark.parametrize("gain", [0.5, -0.9])
    def test_loops_end_in_zero(self, gain: float, d: int) -> None:
        """A loop of nodes that keep no state decays to zero too, without denormals."""
        x: Samples = np.zeros(1000 * d + 10_000)
        x[0] = 1.0
        g = amp.Graph(sample_rate=RATE)
        total = g.mix(g.input(samples=x), name="total")
        g.connect(g.gain(total, gain=gain), total, delay_frames=d)
        g.output(total)
        for batches in (1, 6):
            y = np.abs(sound(Scene(g, x.size, None, batches)))
            assert not np.any((y > 0) & (y < 1e-300))
            assert not np.any(y[:, :, -d:])
