"""The thin layer over C: layouts, lifetimes, pyramids, flight records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab._native import ffi
from amp_lab.lowlevel import Pyramid, Runtime


def tone() -> amp.Plan:
    """Compile a sine."""
    g = amp.Graph()
    g.output(g.sine(frequency_hz=1000.0, name="tone"))
    return g.compile()


def configured(**options: int) -> Runtime:
    """Make a runtime that is ready to execute."""
    plan = tone()
    runtime = Runtime(plan.descriptor_blob, plan.plan_blob)
    runtime.configure(**options)
    return runtime


def test_the_trace_layout_is_that_of_the_header() -> None:
    """The structured type is as large as the C record."""
    assert lowlevel.TRACE_DTYPE.itemsize == ffi.sizeof("amp_trace_event")


def test_versions_and_build_are_told() -> None:
    """ABI version, instruction set, build and source digest are there."""
    assert lowlevel.abi_version() == (1, 5)
    assert lowlevel.isa() in ("v2", "v3", "v4", "base")
    assert lowlevel.build_info() and lowlevel.source_digest()
    assert isinstance(lowlevel.test_hooks(), bool)


@given(
    frames=st.integers(1, 5000), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)), columns=st.integers(1, 50)
)
def test_pyramid_extremes_are_exact(frames: int, cuts: tuple[float, float], columns: int) -> None:
    """Low and high of every column equal those of its samples."""
    samples = np.random.default_rng(frames).normal(size=frames)
    first, last = (int(cut * (frames - 1)) for cut in sorted(cuts))
    last += 1
    low, high = Pyramid.build(samples).query(first, last, columns)
    span = (last - first) / columns
    for c in range(columns):
        a = min(last - 1, first + int(span * c))
        b = last if c == columns - 1 else max(a + 1, first + int(span * (c + 1)))
        assert (low[c], high[c]) == (samples[a:b].min(), samples[a:b].max())


def test_one_fault_in_a_million_shows() -> None:
    """A NaN marks exactly the column that holds it."""
    samples = np.zeros(1_000_000)
    samples[123_456] = np.nan
    low, high = Pyramid.build(samples).query(0, samples.size, 1000)
    assert np.flatnonzero(np.isnan(low)).tolist() == np.flatnonzero(np.isnan(high)).tolist() == [123]


def test_a_pyramid_refuses_bad_spans_and_shapes() -> None:
    """Spans outside the signal and arrays that are not one channel are refused."""
    with pytest.raises(amp.InvalidArgument, match=r"got \[0, 11\) in 3 columns"):
        Pyramid.build(np.zeros(10)).query(0, 11, 3)
    with pytest.raises(amp.ShapeError, match="Pass one channel"):
        Pyramid.build(np.zeros((2, 10)))


def test_an_array_with_strided_frames_is_refused() -> None:
    """Frames must be contiguous; strides of batch and channel are free."""
    with configured() as runtime:
        with pytest.raises(amp.ShapeError, match="frames contiguous"):
            runtime.execute(4, np.zeros((1, 1, 8))[:, :, ::2])
        out = np.zeros((1, 3, 8))
        runtime.execute(4, out[:, 1:2, 2:6])
        assert np.count_nonzero(out) == np.count_nonzero(out[0, 1, 2:6]) == 3


def test_a_parameter_set_while_running_takes_effect_at_its_frame() -> None:
    """The value changes at the frame given, and is back after `clear_params` and configure."""
    with configured() as runtime:
        whole = np.zeros((1, 1, 100))
        runtime.execute(100, whole)
        runtime.configure()
        changed = np.zeros((1, 1, 100))
        runtime.set_param("tone", "amplitude", 0.5, at_frame=60)
        runtime.execute(100, changed)
        assert np.array_equal(changed[0, 0, :60], whole[0, 0, :60])
        assert np.array_equal(changed[0, 0, 60:], whole[0, 0, 60:] * 0.5)
        runtime.clear_params()
        runtime.configure()
        runtime.execute(100, changed)
        assert changed.tobytes() == whole.tobytes()


def test_a_shape_that_does_not_fit_changes_nothing() -> None:
    """A wrong shape is `ShapeError` naming node and parameter."""
    with configured(batches=2) as runtime:
        with pytest.raises(amp.ShapeError) as caught:
            runtime.set_param("tone", "amplitude", np.zeros((3, 1, 1)))
        assert (caught.value.code, caught.value.node, caught.value.port) == (-2, "tone", "amplitude")


def test_a_closed_runtime_says_so() -> None:
    """Closing twice is harmless; using it afterwards is an error, not a crash."""
    runtime = configured()
    runtime.close()
    runtime.close()
    with pytest.raises(amp.InvalidArgument, match="is closed"):
        runtime.configure()


def test_a_foreign_plan_is_drift() -> None:
    """A plan of other descriptors is refused naming the node."""
    g = amp.Graph()
    g.output(g.sine(frequency_hz=999.0, name="tone"))
    with pytest.raises(amp.DriftError, match="tone"):
        Runtime(g.compile().descriptor_blob, tone().plan_blob)


@pytest.mark.parametrize("blob", [b"", b"AMPD", b"x" * 100])
def test_garbage_is_a_blob_error(blob: bytes) -> None:
    """Bytes that are no blob give a status."""
    with pytest.raises(amp.BlobError):
        Runtime(blob)


def test_an_unknown_tap_is_named() -> None:
    """Channels of an unknown port are refused."""
    with configured() as runtime:
        assert runtime.port_channels("tone") == 1
        with pytest.raises(amp.InvalidArgument, match=r"tone\.side: no such output"):
            runtime.port_channels("tone", "side")


def test_the_flight_record_tells_the_last_firing() -> None:
    """After a run the record names the phase, the firings and the last window; detaching stops it."""
    memory = bytearray(lowlevel.FLIGHT_SIZE)
    with configured(block_frames=64) as runtime:
        runtime.set_flight(memory)
        runtime.execute(128)
        flight = lowlevel.read_flight(memory)
        assert flight.sequence >= 2 * len(tone().order)
        assert flight.phase == "idle" and flight.first_frame == 64 and flight.frames == 64
        runtime.set_flight(None)
        runtime.execute(64)
        assert lowlevel.read_flight(memory) == flight


def test_position_and_block_are_told() -> None:
    """The clock counts delivered frames, the block is the requested one."""
    with configured(block_frames=32) as runtime:
        runtime.execute(50)
        assert (runtime.position, runtime.block_frames) == (50, 32)
