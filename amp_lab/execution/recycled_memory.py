"""Reuse of memory of freed renders: the first access to new pages takes longer than rendering a small graph.

`Recycler` chooses sizes, when memory is reused and how much is kept. It is used for pages of this process
(here) and for ranges of the file that is shared with workers (`amp_lab.isolate.shared_memory`).
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
"""Bytes from which reuse is faster in this process; smaller arrays come from the allocator."""
KEEP_BYTES = 256 << 20
"""Most bytes of freed arrays that are kept; beyond it the oldest are returned to the system."""

Block = TypeVar("Block", bound=Sized)
"""Memory with a buffer of ``len()`` bytes, which is freed with the object."""


@dataclass(frozen=True)
class _Lent(Generic[Block]):
    """An array in use, the block to reuse after it (None: not kept), its size, and the bytes requested."""

    array: weakref.ref[Any]
    block: Block | None
    size: int
    nbytes: int


class Retired:
    """Whether memory that dies is used no more: a fork, or a worker that was lost, may look at it."""

    def __init__(self) -> None:
        self.yes = False


class Recycler(Generic[Block]):
    """Blocks in sizes of powers of two, which are reused when the last view of their array is freed.

    There is no lock, so a fork or a rendering signal handler cannot find one locked. A block is in one
    container at a time and is moved by single calls; a block that an exception drops between two calls is
    freed with its last reference.

    Attributes
    ----------
    retired
        Whether `retire` was called; blocks may share it.
    """

    def __init__(self) -> None:
        self._lent: dict[int, _Lent[Block]] = {}
        self._dead: deque[weakref.ref[Any]] = deque()  # filled by callbacks without Python code
        self._warm: dict[int, deque[tuple[int, Block]]] = {}
        self._collected = 0  # blocks so far; the number is the age of a block in `_warm`
        self.retired = Retired()

    def take(
        self, shape: tuple[int, ...], make: Callable[[int], Block], smallest: int
    ) -> tuple[Block, Samples]:
        """Return an uninitialised float64 array of at least one number, and the block it lies in.

        Parameters
        ----------
        make
            Makes a block of a number of bytes, if none is kept.
        smallest
            Bytes of the smallest block.

        Raises
        ------
        MemoryError, OutOfMemory
            What ``make`` raises, if no larger block is kept either.
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
        """Return the number of arrays in use, the bytes of their blocks, and the bytes requested."""
        self._collect_forgotten()
        lent = tuple(self._lent.values())
        return len(lent), sum(one.size for one in lent), sum(one.nbytes for one in lent)

    def warm_bytes(self) -> int:
        """Bytes kept for the next arrays."""
        self._collect_forgotten()
        return self._warm_bytes()

    def retire(self) -> None:
        """Keep no memory that is freed from now on."""
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
        with suppress(KeyError, IndexError):  # there is none, or another thread took it
            return self._warm[size].pop()[1]
        return None

    def _collect(self) -> None:
        with suppress(IndexError):
            while True:
                self._reclaim(id(self._dead.popleft()))
        self._trim()

    def _collect_forgotten(self) -> None:
        """Reclaim also blocks that `_collect` missed because of an exception."""
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
        if error.errno != errno.ENOMEM:  # an OSError of a signal handler, such as a time-out
            raise
        raise MemoryError from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    return block
