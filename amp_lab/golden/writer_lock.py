"""One writer at a time: a locked file, which its holder removes again."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from amp_lab.errors import plain

from .verdict import GoldenError

WAIT_S, PAUSE_S = 60.0, 0.02
_FLAGS = os.O_CREAT
for _name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):  # what the system has of them
    _FLAGS |= getattr(os, _name, 0)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of a lock file, in a folder that exists.

    If the file system has no locks, a `RuntimeWarning` is issued, and other writers are not excluded.

    Raises
    ------
    GoldenError
        Another process has held it for `WAIT_S` seconds.
    OSError
        The file cannot be made.
    """
    until = time.monotonic() + WAIT_S
    while True:
        with open(path, "a+", encoding="utf-8", opener=_opener) as file:
            refusal = _lock(file)
            if refusal not in (0, errno.EAGAIN, errno.EACCES):
                what = f"{plain(path.parent, 200)}: no lock on this file system ({os.strerror(refusal)})."
                cure = "Let one process at a time bless here."
                warnings.warn(f"{what} {cure}", RuntimeWarning, stacklevel=4)
                refusal = 0
            if refusal == 0 and _has_name(file, path):  # else its last holder has just removed it
                try:
                    _sign(file)
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        os.unlink(path)
                return
            holder = _holder(file)
        if time.monotonic() > until:
            got = f"waited {WAIT_S:g} s, held by {holder}"
            cure = "Wait until it is done, or end it."
            raise GoldenError(f"{plain(path.parent, 200)}: another process blesses here ({got}). {cure}")
        time.sleep(PAUSE_S)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | _FLAGS, 0o666)


def _lock(file: TextIO) -> int:
    """Lock the file if no other writer holds it, until it is closed; return the number of the error, or 0."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        return errno.ENOLCK
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _has_name(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return False


def _sign(file: TextIO) -> None:
    """Write process, host and time into the lock file; a full disk is ignored."""
    now = datetime.now().isoformat(" ", "seconds")
    with contextlib.suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()} since {now}".encode())


def _holder(file: TextIO) -> str:
    with contextlib.suppress(OSError, ValueError):
        file.seek(0)
        return plain(file.read(200)) or "an unknown process"
    return "an unknown process"
