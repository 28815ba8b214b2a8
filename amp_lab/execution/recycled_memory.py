"""Memory of dead renders, kept warm: the first touch of fresh pages costs more than a small graph.

`Recycler` has the policy, for pages of this process (here) and for ranges of the file that is shared with
workers (`amp_lab.isolate.shared_memory`): sizes, when memory is used again, and how much is kept.
"""

from __future__ import annotations

import errno
import mmap
import weakref
from collections import deque
from collections.abc import Callable, Sized
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any, Generic, TypeVar

import numpy as np

from amp_lab.errors import OutOfMemory
from amp_lab.graph.records.values import Samples

SMALLEST = 1 << 20
"""Bytes from which it pays in this process; smaller arrays come from the allocator."""
KEEP_BYTES = 256 << 20
"""Memory of dead arrays that is kept; what is beyond goes back to the system, oldest first."""

Block = TypeVar("Block", bound=Sized)
"""Memory that `numpy.asarray` shows as bytes, ``len()`` of them, and that is freed with the object."""


@dataclass(frozen=True)
class _Lent(Generic[Block]):
    """An array that lives, the block that is used again after it (None: not kept), the bytes asked for."""

    array: weakref.ref[Any]
    block: Block | None
    size: int
    nbytes: int


class Retired:
    """Whether memory that dies is used no more: a fork, or a worker that was lost, may look at it."""

    def __init__(self) -> None:
        self.yes = False


class Recycler(Generic[Block]):
    """Blocks in sizes of powers of two, used again when the last view of the array in one is gone.

    It has no lock, so that neither a fork nor a signal handler that renders finds one taken: a block is in
    one place at a time, each step that moves it is one call, and a block that an exception drops between two
    steps is freed with its last reference.

    Attributes
    ----------
    retired
        Whether `retire` was called; blocks may share it.
    """

    def __init__(self) -> None:
        self._lent: dict[int, _Lent[Block]] = {}
        self._dead: deque[weakref.ref[Any]] = deque()  # filled by callbacks that are C code alone
        self._warm: dict[int, deque[tuple[int, Block]]] = {}
        self._collected = 0  # blocks so far: their age in `_warm`
        self.retired = Retired()

    def take(
        self, shape: tuple[int, ...], make: Callable[[int], Block], smallest: int
    ) -> tuple[Block, Samples]:
        """Return an uninitialised float64 array of at least one number, and the block it lies in.

        Parameters
        ----------
        make
            Makes a block of so many bytes if none is warm.
        smallest
            Bytes of the smallest block.

        Raises
        ------
        MemoryError, OutOfMemory
            What ``make`` raises, where no larger block is warm either.
        """
        nbytes = 8 * prod(shape)
        self._collect()
        block = self._block(max(smallest, 1 << (nbytes - 1).bit_length()), make)
        # Every view refers to this array, and it to the block.
        array = np.asarray(block)[:nbytes].view(np.float64)
        owner = weakref.ref(array.base, self._dead.append)
        kept = block if len(block) <= KEEP_BYTES else None
        self._lent[id(owner)] = _Lent(owner, kept, len(block), nbytes)
        return block, array.reshape(shape)

    def lent(self) -> tuple[int, int, int]:
        """Count arrays alive, the bytes of their blocks, and the bytes that were asked for."""
        self._collect_forgotten()
        lent = tuple(self._lent.values())
        return len(lent), sum(one.size for one in lent), sum(one.nbytes for one in lent)

    def warm_bytes(self) -> int:
        """Bytes kept for the next arrays."""
        self._collect_forgotten()
        return self._warm_bytes()

    def retire(self) -> None:
        """Keep nothing that dies from now on."""
        self.retired.yes = True

    def _block(self, size: int, make: Callable[[int], Block]) -> Block:
        if (block := self._reuse(size)) is not None:
            return block
        self._collect_forgotten()
        if (block := self._reuse(size)) is not None:
            return block
        try:
            return make(size)
        except (MemoryError, OutOfMemory):
            for larger in sorted(self._warm):
                if larger > size and (block := self._reuse(larger)) is not None:
                    return block
            raise

    def _reuse(self, size: int) -> Block | None:
        with suppress(KeyError, IndexError):  # there is none, or another thread was quicker
            return self._warm[size].pop()[1]
        return None

    def _collect(self) -> None:
        with suppress(IndexError):
            while True:
                self._reclaim(id(self._dead.popleft()))
        self._trim()

    def _collect_forgotten(self) -> None:
        """Reclaim also what an exception made `_collect` forget."""
        for key in tuple(self._lent):
            self._reclaim(key)
        self._trim()

    def _reclaim(self, key: int) -> None:
        one = self._lent.get(key)
        if one is None or one.array() is not None or self._lent.pop(key, None) is None:
            return
        if one.block is not None and not self.retired.yes:
            self._collected += 1
            self._warm.setdefault(one.size, deque()).append((self._collected, one.block))

    def _trim(self) -> None:
        while self._warm_bytes() > KEEP_BYTES:
            with suppress(IndexError, ValueError):
                min((queue for queue in tuple(self._warm.values()) if queue), key=_age).popleft()

    def _warm_bytes(self) -> int:
        return sum(size * len(queue) for size, queue in tuple(self._warm.items()))


def _age(queue: deque[tuple[int, Any]]) -> int:
    return queue[0][0]


# ---- pages of this process ----


class ProcessMemory:
    """Private pages of this process, which a fork copies."""

    def __init__(self) -> None:
        self._recycler: Recycler[mmap.mmap] = Recycler()

    def take(self, shape: tuple[int, ...]) -> Samples:
        """Return an uninitialised float64 array.

        Raises
        ------
        MemoryError
            If the system does not give that much.
        """
        if 8 * prod(shape) < SMALLEST or not hasattr(mmap, "MAP_PRIVATE"):
            return np.empty(shape)
        return self._recycler.take(shape, _pages, SMALLEST)[1]

    def warm_bytes(self) -> int:
        """Bytes kept for the next arrays."""
        return self._recycler.warm_bytes()


def _pages(size: int) -> mmap.mmap:
    try:
        block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        if error.errno != errno.ENOMEM:  # of a signal handler: a time-out, say
            raise
        raise MemoryError from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    return block
