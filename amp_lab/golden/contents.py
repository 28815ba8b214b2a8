"""Read the files of one case as a consistent version, without a lock.

A case is replaced by putting another folder in its place, never by changing the files in it. So a reader
opens the folder once and reads every file from that one. If something is wrong with it and another folder, or
another manifest, has its name by then, the reader begins again.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from amp_lab.common import json_text, npz, regular_files
from amp_lab.errors import FileError, plain, quoted

from . import folders

T = TypeVar("T")
MANIFEST, GRAPH, CONTROLS, REFERENCE, SUMS = FILES = (
    "manifest.json",
    "graph.json",
    "controls.json",
    "reference.npz",
    "sums.txt",
)
MOST_BYTES = {
    MANIFEST: regular_files.MIB,
    GRAPH: json_text.MOST_BYTES,
    CONTROLS: json_text.MOST_BYTES,
    REFERENCE: npz.MOST_BYTES,
    SUMS: 64 * regular_files.MIB,
}
REPLACED = ".amp_lab_old_"
"""Begins the name of a case's folder while another takes its place in two steps."""
CURE = "Restore the file from version control."
OPENS_FOLDERS = {os.open, os.stat} <= os.supports_dir_fd
"""Whether the system opens folders, and files relative to them; elsewhere files are opened by their paths."""
TRIES, PAUSE_S = 100, 0.01
"""How often a case that is replaced again and again is read, and the pause before the next time."""
_LFS = b"version https://git-lfs.github.com/spec/"
_JUNK = (
    *(".*", "*~", "#*#", "*.swp", "*.swo", "*.bak", "*.orig", "*.rej", "*.tmp", "__pycache__", "__macosx"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
)
"""What editors, systems and Jupyter leave in folders; `.*` is `.DS_Store`, `.ipynb_checkpoints`, ..."""


class MissingFiles(FileError):  # noqa: N818 - the name says what happened
    """Required files of a case are missing.

    Attributes
    ----------
    files : tuple of str
        Their names.
    """

    def __init__(self, case: str, files: tuple[str, ...]) -> None:
        what = f"{plain(case)}: incomplete (got no {', '.join(files)}). {CURE}"
        super().__init__(what)
        self.files = files


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case's folder held open; what is read comes from this folder, whatever takes its name meanwhile.

    Attributes
    ----------
    name : str
        Of the case.
    path : Path
        Where the folder lay when it was opened.
    descriptor : int or None
        Of the folder; None where `OPENS_FOLDERS` is false.
    status : os.stat_result
        Of the folder.
    """

    name: str
    path: Path
    descriptor: int | None
    status: os.stat_result

    def names(self) -> list[str]:
        """Return what lies in the folder, without junk."""
        folder = self.path if self.descriptor is None else self.descriptor
        return sorted(name for name in os.listdir(folder) if not is_junk(name))

    def require(self, *files: str) -> None:
        """Raise `MissingFiles` unless these are there, of whatever kind."""
        names = self.names()
        if missing := tuple(file for file in files if file not in names):
            raise MissingFiles(self.name, missing)

    def data(self, file: str) -> bytes:
        """Return the bytes of a regular file, or of one below the project's folder that a link names.

        Raises
        ------
        FileError
            There is none, it is too large, lies elsewhere, or is a pointer of git LFS.
        """
        where = f"{plain(self.name)}/{file}"
        path = self.path / file if self.descriptor is None else Path(file)
        folder = self.descriptor
        try:
            is_link = stat.S_ISLNK(os.lstat(path, dir_fd=folder).st_mode)
        except OSError as error:
            raise FileError(f"{where}: {error.strerror or error}. {CURE}") from None
        if is_link:
            path = _inside(where, self.path / file, self.path.parent)
        data = regular_files.read_bytes(path, MOST_BYTES[file], CURE, where, folder)
        if data.startswith(_LFS):
            raise FileError(f"{where}: a pointer of git LFS, not the file itself. Run git lfs pull.")
        return data

    def text(self, file: str) -> str:
        """Return the text of a file as `text_of` does."""
        return text_of(f"{plain(self.name)}/{file}", self.data(file))


def read(folder: Path, parse: Callable[[OpenCase], T]) -> T:
    """Return what a function makes of a case; it is called again if the case was replaced meanwhile.

    Parameters
    ----------
    folder : Path
        Of the case.
    parse : function of an OpenCase
        Raises `FileError` for what it does not accept.

    Raises
    ------
    FileError
        There is no such folder, or what `parse` raised.
    """
    for _ in range(TRIES):
        with _opened(folder) as case:
            before = _identity(case.path / MANIFEST)
            try:
                return parse(case)
            except FileError:
                if _is_current(case, folder) and _identity(case.path / MANIFEST) == before:
                    raise
        time.sleep(PAUSE_S)
    cure = "Wait until the program that replaces it has ended."
    raise FileError(f"{plain(folder.name)}: replaced {TRIES} times while it was read. {cure}")


@contextmanager
def _opened(folder: Path) -> Iterator[OpenCase]:
    """Open the folder of a case, or the one that is kept while another takes its place in two steps."""
    failures: list[OSError] = []
    for path in (folder, kept(folder), folder):
        if path.is_symlink():
            _inside(plain(folder.name), path, folder.parent)
        try:
            descriptor = _open_folder(path)
        except OSError as error:
            failures.append(error)
            continue
        try:
            yield OpenCase(folder.name, path, descriptor, os.stat(path if descriptor is None else descriptor))
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return
    what = failures[0].strerror or failures[0]
    raise FileError(f"{plain(folder, 200)}: {what}. Name the folder of a case.")


def _open_folder(path: Path) -> int | None:
    """Open a folder; None where the system has no files relative to an open one (Windows)."""
    if OPENS_FOLDERS:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK)
    os.listdir(path)
    return None


def kept(folder: Path) -> Path:
    """Return where a case stands while another takes its place in two steps."""
    return folder.with_name(REPLACED + folder.name)


def _is_current(case: OpenCase, folder: Path) -> bool:
    """Whether the folder that is held open is still the one that has the name."""
    if case.path != folder and folder.exists():
        return False
    named = _identity(case.path)
    return named is not None and named[:2] == (case.status.st_dev, case.status.st_ino)


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _inside(where: str, link: Path, root: Path) -> Path:
    """Return where a link leads, if that is below the project's folder."""
    real, project = Path(os.path.realpath(link)), folders.project(root)
    if not real.is_relative_to(project):
        got = f"got a link to {quoted(str(real), 200)}, allowed below {plain(project, 200)}"
        raise FileError(f"{where}: leads elsewhere ({got}). Put the file itself there.")
    return real


def text_of(where: str, data: bytes) -> str:
    """Return the text of a file, each line ended by one line feed; `FileError` if it is not UTF-8."""
    return regular_files.decoded(data, where, CURE).replace("\r\n", "\n")


def is_junk(name: str) -> bool:
    """Whether a name is one that editors, systems or Jupyter give to what they leave in folders."""
    return any(fnmatch.fnmatchcase(name.casefold(), pattern) for pattern in _JUNK)


def seal(file: str, data: bytes) -> str:
    """Return the SHA-256 of a file; of text, with each line ended by one line feed."""
    return hashlib.sha256(data if file == REFERENCE else data.replace(b"\r\n", b"\n")).hexdigest()


def fits(file: str, data: bytes, digest: str) -> bool:
    """Whether a file is the one that was sealed; older seals are of the bytes, whatever ends their lines."""
    return digest in (seal(file, data), hashlib.sha256(data).hexdigest())
