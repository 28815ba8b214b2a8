"""Messages between a process and its rendering workers."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amp_lab.execution.request import RenderRequest
from amp_lab.isolate.file_descriptors import guard, owned, socket_pair
from amp_lab.isolate.shared_memory import ArrayLocation

PACKET = 1 << 16
"""Bytes in one packet: well under the default send buffer of a socket."""
CANCEL, BEGUN = 2048, 2049
"""Bytes after the flight record in the flight page: the caller requests a stop; the worker has begun."""
MORE, LAST = b"\0", b"\1"
READY = 0
"""First word of a worker; any other number is that of the error that keeps it from starting."""


@dataclass(frozen=True)
class Job:
    """A render for a worker; ``fault`` is ``AMP_TEST_FAULT``."""

    request: RenderRequest
    inputs: dict[str, ArrayLocation]
    audio: ArrayLocation
    page: ArrayLocation
    fault: str


@dataclass(frozen=True)
class StreamJob:
    """A stream for a worker of its own: what `amp_lab.lowlevel.stream.Stream` is made from, and the page."""

    descriptors: bytes
    plan: bytes
    config: dict[str, int]
    page: ArrayLocation
    fault: str


@dataclass(frozen=True)
class StreamCall:
    """A method of that stream to call; arrays stand as places."""

    method: str
    arguments: tuple[Any, ...]


class Channel:
    """Pickled messages, with file descriptors if need be, over an AF_UNIX SOCK_SEQPACKET socket.

    Packets arrive whole or not at all, and the packets of a message that has not arrived in time wait for the
    next call of `receive`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._pieces: list[bytes] = []
        self._fds: list[int] = []

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two connected channels."""
        with guard:
            one, other = socket_pair()
            return owned(cls(one)), owned(cls(other))

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket; the other end sees the end of the stream. A second time does nothing."""
        with guard:
            self._socket.close()

    def send(self, message: object, fds: Sequence[int] = (), timeout_s: float | None = None) -> None:
        """Send one message.

        Raises
        ------
        ConnectionError
            If the other end is gone.
        TimeoutError
            If the other end takes nothing for ``timeout_s`` seconds; what it got then is of no use.
        """
        data = memoryview(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
        self._socket.settimeout(timeout_s)
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
        self._socket.settimeout(timeout_s)
        try:
            while True:
                data, fds, _, _ = socket.recv_fds(self._socket, PACKET, 4, socket.MSG_CMSG_CLOEXEC)
                self._fds += fds
                if not data:
                    raise EOFError
                self._pieces.append(data[1:])
                if data[:1] == LAST:
                    break
        except ConnectionError as error:
            raise EOFError from error
        pieces, self._pieces = self._pieces, []
        received, self._fds = self._fds, []
        return pickle.loads(b"".join(pieces)), received
