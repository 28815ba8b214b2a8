"""Memory and messages shared by a process and its rendering workers."""

from __future__ import annotations

import mmap
import os
import pickle
import socket
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from amp_lab.errors import OutOfMemory
from amp_lab.request import RenderRequest
from amp_lab.values import Samples

PACKET = 1 << 16
"""Bytes in one packet: well under the default send buffer of a socket."""
PAGE = 4096
CANCEL, BEGUN = 2048, 2049
"""Bytes after the flight record in the flight page: the caller wants a stop, the worker has begun."""
KEEP_BYTES = 256 << 20
"""Memory of dead arrays that stays warm for the next render; what is beyond goes back to the system."""
MORE, LAST = b"\0", b"\1"


@dataclass(frozen=True)
class Job:
    """A render for a worker: offsets are places in the shared memory, ``fault`` is ``AMP_TEST_FAULT``."""

    request: RenderRequest
    inputs: dict[str, tuple[int, tuple[int, ...]]]
    audio: int
    page: int
    fault: str


@dataclass(frozen=True)
class StreamJob:
    """A stream for a worker of its own: what `amp_lab.lowlevel_stream.Stream` is made from, and the page."""

    descriptors: bytes
    plan: bytes
    config: dict[str, int]
    page: int
    fault: str


@dataclass(frozen=True)
class StreamCall:
    """A method of that stream to call; ``number`` comes back with the answer."""

    number: int
    method: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Place:
    """An array in the shared memory."""

    offset: int
    shape: tuple[int, ...]


class Channel:
    """Pickled messages, with file descriptors if need be, over an AF_UNIX SOCK_SEQPACKET socket.

    Packets arrive whole or not at all, so a reader that was interrupted never waits for half a message.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two connected channels."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket; the other end sees the end of the stream."""
        self._socket.close()

    def send(self, message: object, fds: Sequence[int] = ()) -> None:
        """Send one message.

        Raises
        ------
        OSError
            If the other end is gone.
        """
        data = memoryview(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
        while len(data) >= PACKET:
            self._socket.send(MORE + data[: PACKET - 1])
            data = data[PACKET - 1 :]
        socket.send_fds(self._socket, [LAST, data], fds)

    def receive(self, timeout_s: float | None = None) -> Any:
        """Receive one message.

        Raises
        ------
        EOFError
            If the other end is gone.
        TimeoutError
            If nothing arrives for ``timeout_s`` seconds.
        """
        return self.receive_fds(timeout_s)[0]

    def receive_fds(self, timeout_s: float | None = None) -> tuple[Any, list[int]]:
        """Receive one message and the descriptors that came with it; raises as `receive` does."""
        pieces: list[bytes] = []
        self._socket.settimeout(timeout_s)
        try:
            while True:
                data, fds, _, _ = socket.recv_fds(self._socket, PACKET, 4, socket.MSG_CMSG_CLOEXEC)
                if not data:
                    raise EOFError
                pieces.append(data[1:])
                if data[:1] == LAST:
                    return pickle.loads(b"".join(pieces)), fds
        except ConnectionError as error:
            raise EOFError from error
        finally:
            self._socket.settimeout(None)


class Memory:
    """A sparse anonymous file, mapped whole and once by each process; arrays are views of ranges of it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, os.fstat(fd).st_size)

    def array(self, offset: int, shape: tuple[int, ...]) -> Samples:
        """View a range as a writable float64 array; views of it keep it alive."""
        count = prod(shape)
        if count == 0:
            return np.empty(shape)
        base = np.frombuffer(self._map, np.float64, count, offset)
        return base.reshape(shape)

    def page(self, offset: int) -> memoryview:
        """View `PAGE` bytes."""
        return memoryview(self._map)[offset : offset + PAGE]


class Pool(Memory):
    """The owner's side: hands out ranges and takes them back when the last view of an array dies.

    Ranges have sizes of powers of two and are reused, never merged. The file is larger than the machine's
    memory, but only pages that were written exist.
    """

    def __init__(self) -> None:
        self._size = 4 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        fd = os.memfd_create("amp-lab")
        os.ftruncate(fd, self._size)
        super().__init__(fd)
        self._map.madvise(mmap.MADV_DONTDUMP)
        self._lock = threading.Lock()
        self._end = 0
        self._free: dict[int, list[int]] = {}
        self._warm: dict[int, int] = {}
        self._dead: deque[tuple[int, int]] = deque()
        self._live: dict[int, int] = {}
        self._retired = False

    def take(self, shape: tuple[int, ...]) -> tuple[int, Samples]:
        """Offset and array of a range that is taken back when the array and all its views are gone.

        Raises
        ------
        OutOfMemory
            If there is no range left.
        """
        nbytes = 8 * prod(shape)
        if nbytes == 0:
            return 0, np.empty(shape)
        size = max(PAGE, 1 << (nbytes - 1).bit_length())
        with self._lock:
            offset = self._range(size)
            self._live[offset] = size
        array = self.array(offset, shape)
        weakref.finalize(array.base, self._release, offset, size).atexit = False
        return offset, array

    def status(self) -> tuple[int, int, int]:
        """Count arrays alive, their bytes, and bytes kept warm for the next."""
        with self._lock:
            self._collect()
            return len(self._live), sum(self._live.values()), sum(self._warm.values())

    def retire(self) -> None:
        """Reuse nothing any more: a fork of this process may look at every array."""
        self._retired = True

    def close(self) -> None:
        """Close the file; its memory goes when the last array is gone."""
        self.retire()
        os.close(self.fd)

    def _release(self, offset: int, size: int) -> None:
        """Note a dead array. Finalizers run at any time in any thread, so nothing here may need the lock."""
        if self._retired:
            return
        if size > KEEP_BYTES:
            self._map.madvise(mmap.MADV_REMOVE, offset, size)
        self._dead.append((offset, size))

    def _range(self, size: int) -> int:
        self._collect()
        if free := self._free.get(size):
            offset = free.pop()
            self._warm.pop(offset, None)
            return offset
        if self._end + size > self._size:
            got = f"{size} bytes more, {sum(self._live.values())} in use"
            raise OutOfMemory(
                f"worker memory: exhausted (got {got}, allowed {self._size} in all). Drop some renders."
            )
        self._end += size
        return self._end - size

    def _collect(self) -> None:
        while self._dead:
            offset, size = self._dead.popleft()
            del self._live[offset]
            self._free.setdefault(size, []).append(offset)
            self._warm[offset] = size
        while sum(self._warm.values()) > KEEP_BYTES:
            offset = next(iter(self._warm))
            self._map.madvise(mmap.MADV_REMOVE, offset, self._warm.pop(offset))
