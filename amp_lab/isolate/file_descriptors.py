"""Open files of this package: each has one owner, closes once, and is whole when the process forks.

They are opened and closed under `guard`, in threads of our own: a signal handler, which runs in the main
thread, can never come between a descriptor and its owner. A fork waits for `guard`, and closes its copies.
"""

from __future__ import annotations

import io
import os
import socket
import threading
from contextlib import suppress
from typing import Protocol, TypeVar

from amp_lab.common.alive import Alive


class Closable(Protocol):
    """Something that owns a descriptor; closing it a second time does nothing."""

    def close(self) -> None:
        """Close it."""
        ...


Owner = TypeVar("Owner", bound=Closable)
STANDARD = 3
"""Descriptors below are stdin, stdout and stderr, also where they are closed."""
guard = threading.RLock()
_owners: Alive[Closable] = Alive()


def owned(owner: Owner) -> Owner:
    """Remember an owner, so that a fork closes its copy; call it under `guard`."""
    _owners.add(owner)
    return owner


def close_copies() -> None:
    """Close what a fork inherited and has no use for."""
    for owner in _owners:
        with suppress(OSError):
            owner.close()
    _owners.clear()


def memory_file(name: str) -> io.FileIO:
    """Open a sparse file without a name on any disk.

    Raises
    ------
    OSError
        If the system refuses, or there are too many open files.
    """
    with guard:
        return owned(io.FileIO(_above_standard(os.memfd_create(name)), "r+b"))


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Connect two AF_UNIX SOCK_SEQPACKET sockets."""
    with guard:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        one, other = (socket.socket(fileno=_above_standard(end.detach())) for end in pair)
        return one, other


def _above_standard(fd: int) -> int:
    """Move a descriptor away from the numbers that a new process gives to its standard files."""
    import fcntl  # noqa: PLC0415 - Windows has none, nor workers

    if fd >= STANDARD:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, STANDARD)
    finally:
        os.close(fd)
