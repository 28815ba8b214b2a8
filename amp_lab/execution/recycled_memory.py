"""Memory of dead renders, kept warm: the first touch of fresh pages costs more than a small graph."""

from __future__ import annotations

import mmap
import weakref
from collections import deque
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np

from amp_lab.graph.records.values import Samples

SMALLEST = 1 << 20
"""Bytes from which it pays; smaller arrays come from the allocator."""
KEEP_BYTES = 256 << 20
"""Memory of dead arrays that is kept; what is beyond goes back to the system, oldest first."""


class Recycler:
    """Private memory in sizes of powers of two, handed out again when the last view of an array is gone.

    It has no lock, so that neither a fork nor a signal handler that renders finds one taken: a block is in
    one place at a time, and each step that moves it is one call.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[weakref.ref[Any], mmap.mmap]] = {}
        self._warm: deque[mmap.mmap] = deque()

    def take(self, shape: tuple[int, ...]) -> Samples:
        """Return an uninitialised float64 array."""
        nbytes = 8 * prod(shape)
        if nbytes < SMALLEST or not hasattr(mmap, "MAP_PRIVATE"):
            return np.empty(shape)
        size = 1 << (nbytes - 1).bit_length()
        self._collect()
        block = self._reuse(size)
        if block is None:
            block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            if hasattr(mmap, "MADV_HUGEPAGE"):
                block.madvise(mmap.MADV_HUGEPAGE)
        owner = np.frombuffer(block, np.float64, prod(shape))  # every view refers to it, and it to the block
        ref = weakref.ref(owner)
        self._blocks[id(ref)] = ref, block
        return owner.reshape(shape)

    def warm_bytes(self) -> int:
        """Bytes kept for the next arrays."""
        self._collect()
        return sum(map(len, tuple(self._warm)))

    def _reuse(self, size: int) -> mmap.mmap | None:
        for block in reversed(tuple(self._warm)):
            if len(block) == size:
                with suppress(ValueError):  # another thread was quicker
                    self._warm.remove(block)
                    return block
        return None

    def _collect(self) -> None:
        for key, (owner, block) in tuple(self._blocks.items()):
            if owner() is None and self._blocks.pop(key, None) is not None:
                self._warm.append(block)
        while sum(map(len, tuple(self._warm))) > KEEP_BYTES:
            with suppress(IndexError):
                self._warm.popleft()
