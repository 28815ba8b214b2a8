"""Replace files atomically: after any failure the name stands for the complete old or the complete new file.

The new file is written beside the old one under a temporary name, flushed to the disk, and renamed; then the
folder is flushed. This holds for exceptions, Ctrl-C, a kill and a loss of power. A kill may leave a file
`.amp_lab_*.tmp` beside the file.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from amp_lab.errors import FileError, plain, quoted

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MOST_LINKS = 40
_HERE, _EXCHANGE = -100, 2
"""`AT_FDCWD` and `RENAME_EXCHANGE` of Linux."""
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def write(path: str | Path, data: bytes | str, where: str = "") -> Path:
    """Replace a file, or make it, and return its path; text is written as UTF-8.

    Parameters
    ----------
    path, where
        As for `replacing`.
    data
        What the file holds afterwards.

    Raises
    ------
    FileError
        As for `replacing`.
    """
    with replacing(path, where) as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return Path(path)


@contextlib.contextmanager
def replacing(path: str | Path, where: str = "") -> Iterator[BinaryIO]:
    """Open the file that takes the place of another when the block ends without an exception.

    It can be read, written and sought in; ``file.name`` is its path beside the other, for libraries that open
    files themselves (they must write into it, not replace it). A new file gets the permissions that are usual
    for the process, another one keeps them, and its owner where the system allows that. A symbolic link
    stays: the file it names is replaced. A device, a FIFO or ``/dev/stdout`` gets the bytes when the block
    ends.

    Parameters
    ----------
    path
        The file to replace.
    where
        What errors begin with, by default the path.

    Raises
    ------
    FileError
        If the file cannot be written; the old file is then unchanged, and no temporary file is left.
    """
    target, temporary = check(path, where), ""
    try:
        if (stream := _direct(target)) is not None:
            with stream, tempfile.NamedTemporaryFile(prefix="amp_lab_") as file:
                yield cast(BinaryIO, file)
                file.flush()
                file.seek(0)
                shutil.copyfileobj(file, stream)
            return
        real = _followed(target)
        temporary = str(real.with_name(f".amp_lab_{secrets.token_hex(8)}.tmp"))
        with open(temporary, "w+b", opener=lambda name, _: os.open(name, _NEW, 0o666)) as file:
            _keep_permissions(real, temporary)
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, real)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        is_ours = isinstance(error, OSError) and str(error.filename) in ("None", temporary, str(target))
        if isinstance(error, BrokenPipeError) or not is_ours:
            raise
        raise _refused(target, where, cast(OSError, error)) from error
    flush_folder(real.parent)


def check(path: str | Path, where: str = "") -> Path:
    """Return the path of a file that can be written, as far as that can be known before it is.

    A read-only file is refused, though a folder that is not would let it be replaced.

    Parameters
    ----------
    path, where
        As for `replacing`.

    Raises
    ------
    FileError
        If its folder is missing or read-only, or it is a folder, read-only, or no path at all.
    """
    given: object = path
    begin = where or plain(given, 200)
    if not isinstance(given, str | Path):
        what = f"{begin}: not a path (got {quoted(given)}, allowed text or a Path). Name a file."
        raise FileError(what, stage="save")
    file, shown = Path(path), quoted(str(path), 240)
    try:
        real = _followed(file)
        if not real.parent.is_dir():
            folder = quoted(str(file.parent if real.parent == file.parent.absolute() else real.parent), 240)
            raise FileError(f"{begin}: no folder {folder} (got {shown}). Make it first.", stage="save")
        if real.is_dir():
            what = f"is a folder (got {shown}, allowed a file). Add a file name."
            raise FileError(f"{begin}: {what}", stage="save")
        if os.path.exists(file):
            if not os.stat(file).st_mode & 0o222 or not os.access(file, os.W_OK):
                raise PermissionError(errno.EACCES, "it is read-only")
        elif len(os.fsencode(real.name)) > _longest_name(real.parent):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        is_replaced = _descriptor(str(real)) is None and _is_regular(file)
        if is_replaced and not os.access(real.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "its folder is read-only")
    except OSError as error:
        raise _refused(file, where, error) from error
    except ValueError as error:  # NUL or a lone surrogate, and our own errors
        if isinstance(error, FileError):
            raise
        raise FileError(f"{begin}: not a path (got {shown}: {error}). Name a file.", stage="save") from None
    return file


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


# ---- folders ----


def flush_folder(folder: str | Path) -> None:
    """Have the names in a folder on the disk, where folders can be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def exchange(one: str | Path, other: str | Path) -> bool:
    """Swap what two names stand for in one step, files or folders of one file system; both must be there.

    Returns
    -------
    bool
        False, and nothing is changed, where the system or the file system cannot do that.

    Raises
    ------
    OSError
        If it can and that failed.
    """
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    if (code := ctypes.get_errno()) in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(one))


# ---- how it works ----


def _refused(target: Path, where: str, error: OSError) -> FileError:
    why = error.strerror or plain(error)
    shown = f"got {quoted(str(target), 240)}: {why}" if where else why
    begin = where or plain(target, 200)
    return FileError(f"{begin}: cannot be written ({shown}). Name a file that you may write.", stage="save")


def _longest_name(folder: Path) -> int:
    """Bytes of the longest name a folder takes, as far as the system says."""
    return os.pathconf(folder, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255


def _is_regular(path: Path) -> bool:
    """Whether a file, links followed, is a regular one or not there yet."""
    return not os.path.exists(path) or stat.S_ISREG(os.stat(path).st_mode)


def _followed(path: Path) -> Path:
    """Return what a path means after all links, which need not be there; a `_descriptor` stays as it is."""
    with contextlib.suppress(FileNotFoundError):
        os.stat(path)  # a circle of links, or a name that is too long
    text = os.path.join(os.getcwd(), path)
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(text)
        text = os.path.join(os.path.realpath(folder), name)
        if _descriptor(text) is not None or not os.path.islink(text):
            return Path(text)
        text = os.path.join(os.path.dirname(text), os.readlink(text))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _descriptor(text: str) -> int | None:
    """Return the descriptor of this process that ``/dev/stdout`` or ``/dev/fd/3`` lead to."""
    folder, name = os.path.split(text)
    here = ("/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd")
    return int(name) if folder in here and name.isdecimal() else None


def _direct(target: Path) -> BinaryIO | None:
    """Open what cannot be replaced, as it is no regular file but leads elsewhere; None for all others."""
    if (descriptor := _descriptor(str(_followed(target)))) is not None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return open(os.dup(descriptor), "wb")  # keeps its place in the file, which opening would not
    return None if _is_regular(target) else open(target, "wb")


def _keep_permissions(old: Path, new: str) -> None:
    if not os.path.exists(old):
        return
    status = os.stat(old)
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)
    os.chmod(new, stat.S_IMODE(status.st_mode))
