"""Memory shared by a process and its rendering workers: one sparse file, mapped piece by piece as it grows.

A mapped piece keeps its address while an array in it, or its memory, exists.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from dataclasses import dataclass, field
from functools import partial
from math import prod

import numpy as np

from amp_lab.errors import OutOfMemory
from amp_lab.execution.recycled_memory import Recycler, Retired
from amp_lab.graph.records.values import Samples
from amp_lab.isolate.file_descriptors import memory_file
from amp_lab.isolate.limits import reason

PAGE = mmap.ALLOCATIONGRANULARITY
FIRST_BYTES = 16 << 20
"""Size of the first piece; the file doubles from there, in pieces of no more than `MOST_BYTES`."""
MOST_BYTES = 1 << 30


_all: list[weakref.ref[SharedMemory]] = []
"""Every memory of this process; a plain list, which a fork beside another thread may copy at any moment."""


@dataclass(frozen=True)
class ArrayLocation:
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

    def array(self, place: ArrayLocation) -> Samples:
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

    def page(self, place: ArrayLocation) -> memoryview:
        """View `PAGE` bytes."""
        first = place.offset - place.start
        return memoryview(self._piece(place))[first : first + PAGE]

    def _piece(self, place: ArrayLocation) -> mmap.mmap:
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
    """A mapped piece of the file, bytes [start, stop), of which those from ``end`` on were never used.

    ``free`` has offsets by size: their pages went back to the system, and read as zeros when touched again.
    """

    mapping: mmap.mmap
    start: int
    stop: int
    end: int
    free: dict[int, list[int]] = field(default_factory=dict)


class _Range:
    """A part of a piece. With the object its pages go back to the system, unless others may look at them."""

    def __init__(self, piece: _Piece, offset: int, size: int, retired: Retired) -> None:
        self._piece, self._offset, self._size, self._retired = piece, offset, size, retired

    def place(self, shape: tuple[int, ...]) -> ArrayLocation:
        """Return the place of an array in it."""
        return ArrayLocation(self._piece.start, self._piece.stop - self._piece.start, self._offset, shape)

    def __len__(self) -> int:
        return self._size

    @property
    def __array_interface__(self) -> dict[str, object]:
        address = np.frombuffer(self._piece.mapping, np.uint8).ctypes.data + self._offset - self._piece.start
        return {"version": 3, "shape": (self._size,), "typestr": "|u1", "data": (address, False)}

    def __del__(self) -> None:
        if not self._retired.yes:
            piece = self._piece
            piece.mapping.madvise(mmap.MADV_REMOVE, self._offset - piece.start, self._size)
            piece.free.setdefault(self._size, []).append(self._offset)


class SharedMemory(MappedMemory):
    """The owner's side: gives ranges away and takes them back when the last view of an array is gone.

    Ranges are recycled (`Recycler`), never merged; only pages that were written exist. A range that an
    exception of a signal handler drops is given back with its last reference.
    """

    def __init__(self) -> None:
        self._file = memory_file("amp-lab")
        super().__init__(self._file.fileno())
        self._most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._lock = threading.RLock()
        self._pieces: list[_Piece] = []
        self._recycler: Recycler[_Range] = Recycler()
        _all[:] = [*(known for known in _all if known() is not None), weakref.ref(self)]

    def take(self, shape: tuple[int, ...]) -> tuple[ArrayLocation, Samples]:
        """ArrayLocation and array of a range that is taken back when the array and all its views are gone.

        Raises
        ------
        OutOfMemory
            If there is none left.
        """
        nbytes = 8 * prod(shape)
        if nbytes == 0:
            return ArrayLocation(0, 0, 0, shape), np.empty(shape)
        with self._lock:
            found, array = self._recycler.take(shape, partial(self._range, nbytes), PAGE)
        return found.place(shape), array

    def status(self) -> tuple[int, int, int]:
        """Count arrays alive, their bytes, and bytes kept warm for the next."""
        arrays, sizes, _ = self._recycler.lent()
        return arrays, sizes, self._recycler.warm_bytes()

    def retire(self) -> None:
        """Reuse nothing that dies from now on: a fork, or a worker that was lost, may look at it."""
        self._recycler.retire()

    def close(self) -> None:
        """Close the file; its memory goes when the last array is gone."""
        self.retire()
        self._file.close()

    def _range(self, nbytes: int, size: int) -> _Range:
        """Return a range of a size, or a larger one where the file cannot grow; call it under the lock."""
        _, _, used = self._recycler.lent()
        if used + nbytes > self._most:
            raise OutOfMemory(
                f"worker memory: exhausted (got {nbytes} bytes more, {used} in use, allowed {self._most} "
                "in all). Render fewer frames or batches, or drop some renders."
            )
        for piece in self._pieces:
            if piece.free.get(size):
                return self._again(piece, size)
        for piece in self._pieces:
            if piece.end + size <= piece.stop:
                piece.end += size
                return _Range(piece, piece.end - size, size, self._recycler.retired)
        try:
            piece = self._grow(size)
        except OutOfMemory:
            larger = [
                (n, i) for i, p in enumerate(self._pieces) for n, free in p.free.items() if free and n > size
            ]
            if not larger:
                raise
            found, i = min(larger)
            return self._again(self._pieces[i], found)
        return _Range(piece, piece.start, size, self._recycler.retired)

    def _again(self, piece: _Piece, size: int) -> _Range:
        return _Range(piece, piece.free[size].pop(), size, self._recycler.retired)

    def _grow(self, size: int) -> _Piece:
        """Map another piece, as large as the file is, else as is needed; its first bytes are given away."""
        start = os.fstat(self.fd).st_size
        for nbytes in (max(size, FIRST_BYTES, min(start, MOST_BYTES)), size):
            try:
                os.ftruncate(self.fd, start + nbytes)
                mapping = self._maps[start] = self._map(start, nbytes)
            except OSError as error:
                failure = _refused(nbytes, error)
            except OutOfMemory as error:
                os.ftruncate(self.fd, start)
                failure = error
            else:
                piece = _Piece(mapping, start, start + nbytes, start + size)
                self._pieces.append(piece)
                return piece
        raise failure.with_traceback(None)


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
