"""Memory of renders: one policy of recycling, for pages of this process and for those shared with workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from interrupts import lines_run

import amp_lab as amp
from amp_lab import isolate
from amp_lab.errors import OutOfMemory
from amp_lab.execution import recycled_memory
from amp_lab.execution.recycled_memory import SMALLEST, ProcessMemory, Recycler
from amp_lab.graph.records.values import Samples
from amp_lab.isolate import shared_memory
from amp_lab.isolate.shared_memory import SharedMemory

Take = Callable[[tuple[int, ...]], Samples]
LIMIT = 4 * SMALLEST
ON_LINUX = pytest.mark.skipif(not isolate.supported(), reason="workers need memfd (Linux)")


class Memory:
    """Either memory, through their common interface."""

    def __init__(self, kind: str) -> None:
        self.it: Any = ProcessMemory() if kind == "process" else SharedMemory()
        self.recycler: Recycler[Any] = self.it._recycler

    def take(self, *shape: int) -> Samples:
        """Return an array."""
        array: Any = self.it.take(shape)
        return array if isinstance(self.it, ProcessMemory) else array[1]

    @property
    def warm(self) -> int:
        """Bytes kept."""
        return self.recycler.warm_bytes()


@pytest.fixture(params=["process", pytest.param("shared", marks=ON_LINUX)])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """A memory that keeps `LIMIT` bytes."""
    monkeypatch.setattr(recycled_memory, "KEEP_BYTES", LIMIT)
    made = Memory(request.param)
    yield made
    if request.param == "shared":
        made.it.close()


def test_memory_is_reused_only_when_the_last_view_is_gone(memory: Memory) -> None:
    """A view keeps its memory; afterwards the next array of that size gets it."""
    array = memory.take(1, 2, SMALLEST // 8)
    address, view = array.ctypes.data, array[0, 1, 5:]
    del array
    assert memory.take(1, 2, SMALLEST // 8).ctypes.data != address
    view[:] = 1.0
    del view
    again = [memory.take(2, 1, SMALLEST // 8) for _ in range(2)]
    assert address in {a.ctypes.data for a in again}


def test_sizes_are_powers_of_two(memory: Memory) -> None:
    """An array of another length uses memory of a freed one of its class."""
    array = memory.take(SMALLEST // 8 + 1)
    address = array.ctypes.data
    del array
    assert memory.warm == 2 * SMALLEST
    assert memory.take(2 * SMALLEST // 8).ctypes.data == address


def test_no_more_than_the_limit_is_kept(memory: Memory) -> None:
    """Freed arrays beyond the limit go back to the system, the oldest first."""
    arrays = [memory.take(LIMIT // 8 // 2) for _ in range(4)]
    addresses = [a.ctypes.data for a in arrays]
    while arrays:
        del arrays[0]
        assert memory.warm <= LIMIT
    assert memory.warm == LIMIT
    assert memory.take(LIMIT // 8 // 2).ctypes.data in addresses[2:]


def test_memory_larger_than_the_limit_goes_back_with_its_array(memory: Memory) -> None:
    """It is not kept until the next array is taken."""
    array = memory.take(LIMIT // 8 + 1)
    assert [one.block for one in memory.recycler._lent.values()] == [None]
    array[:] = 1.0
    del array
    assert memory.warm == 0
    assert not memory.take(LIMIT // 8 + 1).any()


@pytest.mark.parametrize("refusal", [MemoryError, OutOfMemory])
def test_where_the_system_refuses_larger_memory_is_used(refusal: type[Exception]) -> None:
    """If some is kept; otherwise the refusal is passed on."""

    def refuse(size: int) -> bytearray:
        raise refusal(f"{size}")

    recycler: Recycler[bytearray] = Recycler()
    _, array = recycler.take((1000,), bytearray, 8)
    address = array.ctypes.data
    with pytest.raises(refusal, match="128"):
        recycler.take((16,), refuse, 8)
    del array
    assert recycler.take((16,), refuse, 8)[1].ctypes.data == address


def test_an_exception_between_two_steps_loses_nothing(memory: Memory) -> None:
    """Whichever line is interrupted: memory is in use, warm or free, and only one of these."""

    def take() -> None:
        memory.take(SMALLEST // 8)

    total = 0
    for stop_at in range(1, 1000):
        first, other = memory.take(SMALLEST // 8), memory.take(SMALLEST // 8)
        first[:], other[:] = 1.0, 2.0
        del first
        try:
            lines_run(take, (recycled_memory, shared_memory), stop_at, error=TimeoutError)
        except TimeoutError:
            total += 1
        assert (other == 2.0).all()
        assert memory.recycler.lent()[0] == 1, f"after {stop_at} lines"
        del other
        if total < stop_at:
            break
    assert 10 < total < 999
    if isinstance(memory.it, SharedMemory):  # but for addresses, without memory, that are given away by then
        pieces = memory.it._pieces
        free = sum(size * len(offsets) for piece in pieces for size, offsets in piece.free.items())
        assert free + memory.warm >= sum(piece.end - piece.start for piece in pieces) - 4 * SMALLEST
        for kept in (memory.recycler._warm, memory.recycler._lent, pieces, memory.it._maps):
            kept.clear()  # frames that the tracer made CPython lose refer to them


@ON_LINUX
@pytest.mark.parametrize("frames", [100, LIMIT // 8 + 1])
@pytest.mark.parametrize("first", ["child", "parent"])
def test_a_fork_and_its_parent_keep_what_they_see(
    frames: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any order of freeing, and at any size, the other array keeps its samples."""
    monkeypatch.setattr(recycled_memory, "KEEP_BYTES", LIMIT)
    memory = SharedMemory()
    _, array = memory.take((frames,))
    array[:] = 1.0
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        code = 1
        try:
            os.close(writer)
            if first == "child":
                del array
                memory.take((frames,))
                code = 0
            else:
                os.read(reader, 1)
                code = 0 if (array == 1.0).all() else 2
        finally:
            os._exit(code)
    os.close(reader)
    if first == "parent":
        del array
        memory.take((frames,))[1][:] = 3.0
        os.close(writer)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    if first == "child":
        assert (array == 1.0).all()
        os.close(writer)
    memory.close()


def test_a_signal_handler_may_take_memory_at_any_line(memory: Memory) -> None:
    """No array overlaps another, whatever is interrupted."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("signals of POSIX")
    kept: list[Samples] = []

    def handler(*_: object) -> None:
        kept.append(memory.take(SMALLEST // 8))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    try:
        while len(kept) < 20:
            arrays = [memory.take(SMALLEST // 8) for _ in range(3)]
            assert len({a.ctypes.data for a in arrays}) == 3
            del arrays
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert len({a.ctypes.data for a in kept}) == len(kept)


def test_renders_that_are_kept_do_not_share_memory() -> None:
    """Two renders that exist at once have different sounds."""
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
