"""Memory of renders in this process."""

from __future__ import annotations

import numpy as np

import amp_lab as amp
from amp_lab.execution.recycled_memory import KEEP_BYTES, SMALLEST, Recycler


def test_memory_is_reused_only_when_the_last_view_is_gone() -> None:
    """A view keeps its memory; afterwards the next array of that size gets it."""
    recycler = Recycler()
    array = recycler.take((1, 2, SMALLEST))
    address, view = array.ctypes.data, array[0, 1, 5:]
    del array
    assert recycler.take((1, 2, SMALLEST)).ctypes.data != address
    view[:] = 1.0
    del view
    again = [recycler.take((2, 1, SMALLEST)) for _ in range(2)]
    assert address in {a.ctypes.data for a in again}


def test_no_more_than_the_limit_is_kept() -> None:
    """Dead arrays beyond the limit go back to the system."""
    recycler = Recycler()
    arrays = [recycler.take((KEEP_BYTES // 8 // 2,)) for _ in range(4)]
    arrays.clear()
    assert recycler.warm_bytes() == KEEP_BYTES


def test_renders_that_are_kept_do_not_share_memory() -> None:
    """Two renders alive at once hold different sounds."""
    g = amp.Graph(name="kept")
    noise = g.noise(amplitude=1.0)
    g.output(g.gain(noise, gain=0.5, name="level"))
    one = g.render(seconds=4.0, isolation="none")
    digest, copy = one.digest, np.array(one.audio)
    g["level"].set(gain=0.25)
    two = g.render(seconds=4.0, isolation="none")
    assert not np.shares_memory(one.audio, two.audio)
    assert np.array_equal(one.audio, copy)
    assert two.digest != digest
