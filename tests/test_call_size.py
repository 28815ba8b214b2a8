"""How many frames the next native call makes, from how long the last one took. No clock is read here."""

from __future__ import annotations

from amp_lab.execution.call_size import CALL_SECONDS, FIRST_FRAMES, GROWTH, MOST_FRAMES, CallSize


def test_blocks_stay_whole_and_calls_grow_at_most_so_much() -> None:
    """The first call is one block; fast calls grow, and every call is a whole number of blocks."""
    size = CallSize(block_frames=100)
    assert size.frames == 100
    size.measured(100, 0.0)
    assert size.frames == 100 * GROWTH
    size.measured(size.frames, CALL_SECONDS * 400 / 370)
    assert size.frames == 300


def test_a_slow_call_makes_the_next_one_short_but_never_empty() -> None:
    """One block, or one frame of a stream, is the least."""
    for size, least in ((CallSize(block_frames=64), 64), (CallSize(), 1)):
        size.measured(size.frames, 1e6)
        assert size.frames == least


def test_a_stream_has_a_most() -> None:
    """A call of a stream holds the lock that its other users wait for."""
    size = CallSize()
    assert size.frames == FIRST_FRAMES
    for _ in range(20):
        size.measured(size.frames, 0.0)
    assert size.frames == MOST_FRAMES


def test_a_call_that_had_less_to_make_does_not_count() -> None:
    """Pulls of a few frames do not change the size, unless they were slow themselves."""
    size = CallSize()
    with size.up_to(3) as frames:
        assert frames == 3
    size.measured(3, CALL_SECONDS / 2)
    assert size.frames == FIRST_FRAMES
    size.measured(3, CALL_SECONDS * 3)
    assert size.frames == 1
