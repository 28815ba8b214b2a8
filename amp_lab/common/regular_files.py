"""Open files that are not trusted: regular files of bounded size only, without blocking."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from amp_lab.errors import FileError, plain, quoted

_FLAGS = os.O_RDONLY
for _name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):  # what the system has of them
    _FLAGS |= getattr(os, _name, 0)
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
MIB = 2**20


@contextmanager
def opened(
    path: str | Path, most_bytes: int, cure: str, where: str = "", folder: int | None = None
) -> Iterator[BinaryIO]:
    """Open a regular file of at most ``most_bytes`` for reading.

    A FIFO or device is not opened, so the call does not block. Errors begin with ``where``, by default the
    path, and end with ``cure``. A relative path starts at ``folder``, the descriptor of an open folder, by
    default at the working directory.

    Raises
    ------
    FileError
        If there is no such file, it is of another kind, too large, or cannot be read.
    """
    where = where or plain(path, 200)
    try:
        _check(where, os.stat(path, dir_fd=folder), most_bytes, cure)
        with open(os.open(path, _FLAGS, dir_fd=folder), "rb") as stream:
            _check(where, os.fstat(stream.fileno()), most_bytes, cure)
            yield stream
    except OSError as error:
        raise FileError(f"{where}: {error.strerror or error}. {cure}") from None
    except ValueError as error:  # a path with NUL or a lone surrogate, and our own errors
        if isinstance(error, FileError):
            raise
        raise FileError(f"{where}: not a path ({error}). {cure}") from None


def read_bytes(
    path: str | Path, most_bytes: int, cure: str, where: str = "", folder: int | None = None
) -> bytes:
    """Return what a regular file of at most ``most_bytes`` holds; `FileError` as for `opened`."""
    with opened(path, most_bytes, cure, where, folder) as stream:
        data = stream.read(most_bytes + 1) or b""
    if len(data) > most_bytes:  # it grew, or is one whose size the system does not know
        raise too_large(where or plain(path, 200), f"more than {most_bytes}", most_bytes, cure)
    return data


def read_text(path: str | Path, most_bytes: int, cure: str) -> str:
    """Return the text of a regular UTF-8 file of at most ``most_bytes``; `FileError` as for `opened`."""
    return decoded(read_bytes(path, most_bytes, cure), plain(path, 200), cure)


def decoded(data: bytes, where: str, cure: str) -> str:
    """Return the text that bytes of a file are.

    Raises
    ------
    FileError
        If they are not UTF-8: with the line.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wide = " It looks like UTF-16: save it as UTF-8." if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        at = f"byte {error.start} is not UTF-8, line {line}"
        raise FileError(f"{where}: not a text file ({at}).{wide} {cure}") from None


def inside(where: str, path: str | Path, folders: Iterable[str | Path]) -> Path:
    """Return the real path of a file that an opened file names, if it lies below one of the folders.

    Links are followed first, so none leads out of the folders. The file need not be there yet.

    Raises
    ------
    FileError
        If it lies elsewhere, is a URL, or is there and no regular file.
    """
    allowed = [Path(os.path.realpath(folder)) for folder in folders]
    try:
        real = Path(os.path.realpath(path))
    except ValueError as error:
        raise FileError(f"{where}: not a path (got {quoted(str(path))}: {error}).") from None
    if "://" in str(path):
        what = f"{where}: is a URL (got {quoted(str(path))}, allowed the path of a file). Fetch it yourself."
        raise FileError(what)
    if not any(real.is_relative_to(folder) for folder in allowed):
        below = ", ".join(plain(folder, 200) for folder in allowed) or "none: it came without a folder"
        raise FileError(
            f"{where}: a file elsewhere (got {quoted(str(path))}, allowed below {below}). "
            "If you trust it, open the graph with allow_samples_from=FOLDER."
        )
    if real.exists() and not real.is_file():
        raise FileError(f"{where}: not a regular file (got {quoted(str(path))}). Name a sound file.")
    return real


def too_large(where: str, got: object, most_bytes: int, cure: str) -> FileError:
    """Return the error for a file that is too large."""
    return FileError(
        f"{where}: too large (got {got} bytes, allowed {most_bytes}: {most_bytes // MIB} MiB). {cure}"
    )


def _check(where: str, status: os.stat_result, most_bytes: int, cure: str) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        got = _KINDS.get(kind, "something else")
        raise FileError(f"{where}: not a regular file (got {got}). {cure}")
    if status.st_size > most_bytes:
        raise too_large(where, status.st_size, most_bytes, cure)
