"""Patch files on disk: allowed paths, reading, replacing, and when saving is switched off."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from amp_lab.common import atomic_files, json_text, regular_files
from amp_lab.errors import FileError, GraphError, plain, quoted

ENDING = ".amp.json"
LISTED = 200
DEPTH = 4
VISITED = 5_000
"""Number of folders and files that a search for patch files visits at most."""
OFF = ("CI", "PYTEST_VERSION")
"""Environment variables of tests (CI, pytest with nbval); with one of them set, widgets write no files."""
_LOCK = threading.RLock()
"""Held while a file is compared and replaced; innermost: no other lock is taken under it."""


@dataclass
class DiskFile:
    """One patch file and its state when it was last read or written.

    Attributes
    ----------
    known
        SHA-256 of its bytes then; None if there was no file.
    grew_from
        SHA-256 of the graph, as built by code, that its contents were edited from.
    version
        Version of the graph's journal when it was last written.
    """

    path: Path
    known: str | None = None
    grew_from: str = ""
    version: int = -1

    @property
    def name(self) -> str:
        """File name as messages show it."""
        return plain(self.path.name)

    def replace(self, data: bytes, version: int) -> tuple[bytes | None, bool]:
        """Write the file, unless a newer version or another program has written it meanwhile.

        Returns
        -------
        tuple
            The bytes that another program has written, None if it has not; and whether the file was deleted.

        Raises
        ------
        OSError, FileError
            If it cannot be written, or compared.
        """
        with _LOCK:
            if version < self.version:
                return None, False
            found = read(self.path)
            if found is not None and found != data and digest(found) != self.known:
                return found, False
            was_deleted = found is None and self.known is not None
            if found != data:
                atomic_files.write(self.path, data)
            self.known, self.version = digest(data), version
            return None, was_deleted


def digest(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def date(file: Path) -> str:
    """When a file was last written, to the minute."""
    with contextlib.suppress(OSError):
        return f"{datetime.fromtimestamp(file.stat().st_mtime):%Y-%m-%d %H:%M}"
    return "an earlier session"


def reason(error: Exception) -> str:
    """Return the reason of an error without the path, which the caller's message has already."""
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, GraphError):
        return str(error).partition(": ")[2].removesuffix(".") or str(error)
    return plain(error.strerror or error if isinstance(error, OSError) else error)


def switched_off() -> str:
    """Return the name of the environment variable that switches saving off, ``""`` if none is set."""
    return next((name for name in OFF if os.environ.get(name, "").lower() not in ("", "0", "false")), "")


def place(where: str, path: object) -> Path:
    """Return the resolved path of a patch file.

    Raises
    ------
    GraphError
        If it cannot be one: not text, not ``.json``, a folder, a device, a broken link, or its folder is
        missing.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise GraphError(
            f"{where}: not a path (got {quoted(path)}, allowed text or a Path). Give 'voice.amp.json'."
        )
    text = os.fspath(path)
    if "\0" in text or not text.endswith(".json"):
        raise GraphError(
            f"{where}: not a patch file (got {quoted(text)}, allowed *.json). Give 'voice.amp.json'."
        )
    try:
        return _resolved(where, text)
    except OSError as error:
        raise GraphError(f"{where}: {error.strerror} (got {quoted(text)}). Give another path.") from None


def _resolved(where: str, text: str) -> Path:
    file = Path(os.path.realpath(text))
    if os.path.islink(text) and not file.exists():
        raise GraphError(
            f"{where}: is a link to a file that does not exist (got {quoted(text)}). Give another path."
        )
    if file.is_dir():
        raise GraphError(f"{where}: is a folder (got {quoted(text)}, allowed a file). Add a file name.")
    if file.exists() and not file.is_file():
        raise GraphError(f"{where}: is no regular file (got {quoted(text)}). Give another path.")
    if not file.parent.is_dir():
        raise GraphError(
            f"{where}: no folder {quoted(str(file.parent))} (got {quoted(text)}). Make it first."
        )
    return file


def writable_place(where: str, path: object) -> Path:
    """Return the resolved path of a patch file that can be written.

    Raises
    ------
    GraphError
        As `place`, and if the file or its folder is read-only.
    """
    file = place(where, path)
    atomic_files.check(file, where)
    return file


def read(file: Path) -> bytes | None:
    """Return the bytes of a regular file, None if there is none.

    Raises
    ------
    FileError
        If it cannot be read, is no regular file or too large.
    """
    if not os.path.lexists(file):
        return None
    return regular_files.read_bytes(file, json_text.MOST_BYTES, "Give another path.")


def existing(file: Path) -> bytes:
    """Return the bytes of a file that must be there.

    Raises
    ------
    FileError
        If it is not, or cannot be read.
    """
    data = read(file)
    if data is None:
        raise FileError(f"{plain(file.name)}: no such file. Look at the list.")
    return data


def nearby() -> list[str]:
    """List patch files below the working folder, links not followed, sorted."""
    return sorted(_search(Path(), 0, [VISITED]))[:LISTED]


def _search(folder: Path, depth: int, left: list[int]) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        left[0] -= 1
        if left[0] < 0:
            return
        if entry.is_dir(follow_symlinks=False):
            if depth < DEPTH and not entry.name.startswith((".", "node_modules")):
                yield from _search(folder / entry.name, depth + 1, left)
        elif entry.name.endswith(ENDING):
            yield (folder / entry.name).as_posix()
