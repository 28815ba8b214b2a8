"""Where a fault is reported: one place for every layout, block size, cut and rounding mode of the caller."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Callable

import numpy as np
import pytest

import amp_lab as amp

FE_UPWARD = 0x800


def _error(make: Callable[[], amp.Graph], **settings: object) -> amp.AmpError:
    with pytest.raises(amp.AmpError) as caught:
        make().render(isolation="none", **settings)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("batches", [1, 4, 5, 8, 9])
def test_a_limit_is_kept_in_every_batch_of_every_layout(batches: int) -> None:
    """A delay beyond max_delay_s in the last batch alone is an error that names that batch."""
    delays = np.full((batches, 1, 1), 0.005)
    delays[-1] = 0.02
    g = amp.Graph(name="late")
    g.output(g.delay_line(g.noise(), delay_s=delays, max_delay_s=0.01, name="line"))
    with pytest.raises(amp.InvalidArgument, match=r"line\.delay_s: above max_delay_s") as caught:
        g.render(frames=64, batches=batches, isolation="none")
    assert caught.value.batch == batches - 1


@pytest.mark.parametrize("batches", [1, 6])
def test_edges_that_sum_to_infinity_are_named_where_they_meet(batches: int) -> None:
    """The place is the port where finite signals overflow, not a node that reads it later or never."""
    x = np.zeros((1, 1, 100))
    x[0, 0, 20:] = 1.7e308

    def swallowed() -> amp.Graph:
        g = amp.Graph(name="sum")
        signal = g.input(samples=x, name="in")
        g.output(g.envelope(gate=[signal, g.gain(signal)], name="env"))
        return g

    def delayed() -> amp.Graph:
        g = amp.Graph(name="sum")
        signal = g.input(samples=x, name="in")
        g.output(g.delay_line(signal, g.gain(signal), delay_s=100 / 48000, name="line"))
        return g

    for make, place in ((swallowed, ("env", "gate", 20)), (delayed, ("line", "in", 20))):
        error = _error(make, frames=300, batches=batches)
        assert isinstance(error, amp.NonFiniteError)
        assert (error.node, error.port, error.frame) == place


@pytest.mark.parametrize("delay", [3, 10])
def test_at_one_frame_the_first_node_in_firing_order_is_named(delay: int) -> None:
    """For any block size: in the per-frame table and in loops that fire until input runs out."""
    control = np.zeros((1, 1, 64))
    control[0, 0, 15] = 1e9

    def loop() -> amp.Graph:
        g = amp.Graph(name="loop")
        far = g.input(samples=control, name="far")
        a = g.gain(g.input(samples=np.ones((1, 1, 64)), name="in"), gain=0.5, name="a")
        b = g.gain(gain=0.5, name="b")
        g.connect(a, b, delay_frames=delay)
        g.connect(b, a, delay_frames=delay)
        g.modulate(far, a.gain, mode="add", scale=1.0)
        g.modulate(far, b.gain, mode="add", scale=1.0)
        g.output(b)
        return g

    for block in (1, 5, 10, 15, 16, 20, 512):
        error = _error(loop, frames=64, block_frames=block)
        assert (error.node, error.frame) == ("a", 15)


def test_the_earlier_of_two_ends_wins_however_calls_are_cut() -> None:
    """A budget exceeded at frame 63 stops before a NaN at frame 1000, in one call or in many."""
    x = np.full((1, 1, 4096), 2.0)
    x[0, 0, 1000] = np.nan

    def hot() -> amp.Graph:
        g = amp.Graph(name="hot", heat_budget_w=0.5, heat_policy="halt")
        g.output(g.gain(g.input(samples=x, name="in"), gain=1.0, name="level"))
        return g

    for block in (1, 64, 512, 4096):
        error = _error(hot, frames=4096, block_frames=block)
        assert isinstance(error, amp.ThermalError)
        assert error.frame == 63


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="fesetround of the C library")
def test_the_callers_rounding_mode_reaches_no_bit() -> None:
    """Rounding upwards while plan, configure and render run gives the bits of rounding to nearest."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))

    def render() -> str:
        g = amp.Graph(name="rounded")
        g.output(
            g.biquad(g.svf(g.noise(), cutoff_hz=777.0, q=3.3), design="peak", gain_db=3.0, cutoff_hz=1234.5)
        )
        return g.render(frames=4800, isolation="none").digest

    nearest = render()
    libm.fesetround(FE_UPWARD)
    try:
        upward = render()
    finally:
        libm.fesetround(0)
    assert upward == nearest
