"""Memory of dead renders, kept warm: the first touch of fresh pages costs more than a small graph."""

from __future__ import annotations

import mmap
import threading
import weakref
from collections import deque
from math import prod

import numpy as np

from amp_lab.values import Samples

SMALLEST = 1 << 20
"""Bytes from which it pays; smaller arrays come from the allocator."""
KEEP_BYTES = 256 << 20
"""Memory of dead arrays that is kept; what is beyond goes back to the system, oldest first."""


class Recycler:
    """Private memory in sizes of powers of two, handed out again when the last view of an array is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dead: deque[mmap.mmap] = deque()
        self._warm: list[mmap.mmap] = []

    def take(self, shape: tuple[int, ...]) -> Samples:
        """Return an uninitialised float64 array."""
        nbytes = 8 * prod(shape)
        if nbytes < SMALLEST or not hasattr(mmap, "MAP_PRIVATE"):
            return np.empty(shape)
        size = 1 << (nbytes - 1).bit_length()
        with self._lock:
            block = self._reuse(size)
        if block is None:
            block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            if hasattr(mmap, "MADV_HUGEPAGE"):
                block.madvise(mmap.MADV_HUGEPAGE)
        owner = np.frombuffer(block, np.float64, prod(shape))  # every view refers to it, and it to the block
        # Finalizers run at any time in any thread, so this one only notes the block.
        weakref.finalize(owner, self._dead.append, block).atexit = False
        return owner.reshape(shape)

    def warm_bytes(self) -> int:
        """Bytes kept for the next arrays."""
        with self._lock:
            self._collect()
            return sum(len(block) for block in self._warm)

    def _reuse(self, size: int) -> mmap.mmap | None:
        self._collect()
        for i in reversed(range(len(self._warm))):
            if len(self._warm[i]) == size:
                return self._warm.pop(i)
        return None

    def _collect(self) -> None:
        while self._dead:
            self._warm.append(self._dead.popleft())
        while sum(len(block) for block in self._warm) > KEEP_BYTES:
            self._warm.pop(0)
