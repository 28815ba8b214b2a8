"""Memory shared by a process and its rendering workers: one sparse file, mapped piece by piece as it grows.

Nothing moves: a piece that is mapped stays where it is while an array in it, or its memory, lives.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from amp_lab.errors import OutOfMemory
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.file_descriptors import memory_file
from amp_lab.isolate.limits import reason

PAGE = mmap.ALLOCATIONGRANULARITY
FIRST_BYTES = 16 << 20
"""Size of the first piece; the file doubles from there, in pieces of no more than `MOST_BYTES`."""
MOST_BYTES = 1 << 30
KEEP_BYTES = 256 << 20
"""Memory of dead arrays that stays warm for the next render; what is beyond goes back to the system."""


_all: list[weakref.ref[SharedMemory]] = []
"""Every memory of this process; a plain list, which a fork beside another thread may copy at any moment."""


@dataclass(frozen=True)
class Place:
    """An array in the shared memory: the piece of the file it lies in, its place in the file, its shape."""

    start: int
    nbytes: int
    offset: int
    shape: tuple[int, ...]


class MappedMemory:
    """A file whose pieces are mapped when they are first asked for; arrays are views of them."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._maps: dict[int, mmap.mmap] = {}

    def array(self, place: Place) -> Samples:
        """View a place as a writable float64 array; views of it keep it alive.

        Raises
        ------
        OutOfMemory
            If the piece of the file cannot be mapped.
        """
        if (count := prod(place.shape)) == 0:
            return np.empty(place.shape)
        base = np.frombuffer(self._piece(place), np.float64, count, place.offset - place.start)
        return base.reshape(place.shape)

    def page(self, place: Place) -> memoryview:
        """View `PAGE` bytes."""
        first = place.offset - place.start
        return memoryview(self._piece(place))[first : first + PAGE]

    def _piece(self, place: Place) -> mmap.mmap:
        found = self._maps.get(place.start)
        if found is None:
            found = self._maps[place.start] = self._map(place.start, place.nbytes)
        return found

    def _map(self, start: int, nbytes: int) -> mmap.mmap:
        try:
            piece = mmap.mmap(self.fd, nbytes, offset=start)
        except OSError as error:
            raise _refused(nbytes, error) from None
        piece.madvise(mmap.MADV_DONTDUMP)
        return piece


@dataclass
class _Piece:
    """A mapped piece of the file and how far it is given away."""

    start: int
    stop: int
    end: int


@dataclass(frozen=True)
class _Live:
    """A range in use: what tells when its array is gone, where it lies, its size, the bytes asked for."""

    ref: weakref.ref[Any]
    offset: int
    size: int
    nbytes: int


class SharedMemory(MappedMemory):
    """The owner's side: gives ranges away and takes them back when the last view of an array is gone.

    Ranges have sizes of powers of two and are reused, never merged; only pages that were written exist.
    Every change leaves a state that is right after each of its steps, so that an exception that comes out of
    a signal handler in between costs nothing.
    """

    def __init__(self) -> None:
        self._file = memory_file("amp-lab")
        super().__init__(self._file.fileno())
        self._most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._lock = threading.RLock()
        self._pieces: list[_Piece] = []
        self._free: dict[int, dict[int, None]] = {}
        self._warm: dict[int, int] = {}
        self._dead: deque[weakref.ref[Any]] = deque()
        self._live: dict[int, _Live] = {}
        self._retired = False
        _all[:] = [*(known for known in _all if known() is not None), weakref.ref(self)]

    def take(self, shape: tuple[int, ...]) -> tuple[Place, Samples]:
        """Place and array of a range that is taken back when the array and all its views are gone.

        Raises
        ------
        OutOfMemory
            If there is none left.
        """
        nbytes = 8 * prod(shape)
        if nbytes == 0:
            return Place(0, 0, 0, shape), np.empty(shape)
        with self._lock:
            size, offset = self._range(nbytes)
            piece = self._piece_of(offset)
            place = Place(piece.start, piece.stop - piece.start, offset, shape)
            array = self.array(place)
            # The callback is C code alone: a signal handler's exception in it would be lost, and the range.
            ref = weakref.ref(array.base, self._dead.append)
            self._live[id(ref)] = _Live(ref, offset, size, nbytes)
            if size > KEEP_BYTES:  # callbacks run from the newest to the oldest: it is nobody's else yet
                weakref.finalize(array.base, self._give_back, offset, size).atexit = False
        return place, array

    def status(self) -> tuple[int, int, int]:
        """Count arrays alive, their bytes, and bytes kept warm for the next."""
        with self._lock:
            self._collect()
            return len(self._live), sum(one.size for one in self._live.values()), sum(self._warm.values())

    def retire(self) -> None:
        """Reuse nothing that dies from now on: a fork, or a worker that was lost, may look at it."""
        self._retired = True

    def close(self) -> None:
        """Close the file; its memory goes when the last array is gone."""
        self.retire()
        self._file.close()

    def _range(self, nbytes: int) -> tuple[int, int]:
        """Size and offset of a range for so many bytes."""
        self._collect()
        used = sum(one.nbytes for one in self._live.values())
        if used + nbytes > self._most:
            raise OutOfMemory(
                f"worker memory: exhausted (got {nbytes} bytes more, {used} in use, allowed {self._most} in "
                "all). Render fewer frames or batches, or drop some renders."
            )
        size = max(PAGE, 1 << (nbytes - 1).bit_length())
        if self._free.get(size):
            return size, self._reuse(size)
        for piece in self._pieces:
            if piece.end + size <= piece.stop:
                piece.end += size
                return size, piece.end - size
        try:
            return size, self._grow(size)
        except OutOfMemory:
            larger = min((other for other, free in self._free.items() if other > size and free), default=0)
            if not larger:
                raise
            return larger, self._reuse(larger)

    def _reuse(self, size: int) -> int:
        offset, _ = self._free[size].popitem()
        self._warm.pop(offset, None)
        return offset

    def _grow(self, size: int) -> int:
        """Map another piece, as large as the file is, else as is needed; returns where it begins."""
        start = os.fstat(self.fd).st_size
        for nbytes in (max(size, FIRST_BYTES, min(start, MOST_BYTES)), size):
            try:
                os.ftruncate(self.fd, start + nbytes)
                self._maps[start] = self._map(start, nbytes)
            except OSError as error:
                failure = _refused(nbytes, error)
            except OutOfMemory as error:
                os.ftruncate(self.fd, start)
                failure = error
            else:
                self._pieces.append(_Piece(start, start + nbytes, start + size))
                return start
        raise failure.with_traceback(None)

    def _collect(self) -> None:
        while self._dead:
            one = self._live.get(id(self._dead[0]))
            if one is not None and not self._retired:
                self._warm[one.offset] = one.size
                self._free.setdefault(one.size, {})[one.offset] = None
            self._live.pop(id(self._dead[0]), None)
            self._dead.popleft()
        while sum(self._warm.values()) > KEEP_BYTES:
            offset = next(iter(self._warm))
            self._give_back(offset, self._warm[offset])
            self._warm.pop(offset, None)

    def _piece_of(self, offset: int) -> _Piece:
        return next(piece for piece in self._pieces if piece.start <= offset < piece.stop)

    def _give_back(self, offset: int, size: int) -> None:
        """Let the system have the pages of a range; they read as zeros when they are touched again."""
        start = self._piece_of(offset).start
        self._maps[start].madvise(mmap.MADV_REMOVE, offset - start, size)


def retire_all() -> None:
    """Retire every memory of this process."""
    for known in tuple(_all):
        if (memory := known()) is not None:
            memory.retire()


def _refused(nbytes: int, error: OSError) -> OutOfMemory:
    why = reason(error.errno or 0, str(error))
    return OutOfMemory(
        f"worker memory: cannot grow by {nbytes} bytes ({why}). "
        "Raise the limit, drop some renders, or render with isolation='none'."
    )
