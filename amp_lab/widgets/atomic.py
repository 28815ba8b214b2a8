"""Files that are replaced whole: whatever fails in the middle, the old file is still there."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write(path: Path, data: bytes) -> None:
    """Replace a file, or make it; its mode is kept.

    A temporary file beside it is written and flushed to the disk first and takes the name then. ``path`` is
    resolved: a link would be replaced by the file.

    Raises
    ------
    OSError
        If that fails; the old file is whole then, and the temporary one is gone.
    """
    temporary = path.with_name(f".amp_lab_{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, _NEW, 0o666)
    try:
        with open(descriptor, "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _flush_folder(path.parent)


def keep_beside(path: Path) -> Path:
    """Give what a file holds now a second, free name (``voice.2.amp.json``), and return that.

    Raises
    ------
    OSError
        If that fails.
    """
    for count in range(2, 10_000):
        other = beside(path, count)
        if os.path.lexists(other):
            continue
        try:
            os.link(path, other)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            write(other, path.read_bytes())
        return other
    raise FileExistsError(f"{path}: no free name beside it")


def beside(path: Path, count: int) -> Path:
    """``voice.amp.json`` and 2 make ``voice.2.amp.json``."""
    stem, dot, ending = path.name.lstrip(".").partition(".")
    hidden = "." * (len(path.name) - len(path.name.lstrip(".")))
    return path.with_name(f"{hidden}{stem}.{count}{dot}{ending}")


def _flush_folder(folder: Path) -> None:
    """Have the new name on the disk too, where folders can be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
