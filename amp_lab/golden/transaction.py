"""Write cases: one writer at a time, and each case is replaced in one step.

The new folder is written and flushed beside the old one, and then the two exchange names. If the system
cannot exchange names, the old folder is renamed for a moment, and readers find it under that name. After
Ctrl-C, a kill, a loss of power or a full disk the name stands for the complete old case or the complete new
one. The next writer removes left-over folders, or renames an old case back.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from amp_lab.common import atomic_files
from amp_lab.errors import plain

from . import attributes, contents, writer_lock
from .verdict import GoldenError

LOCK = ".amp_lab_lock"
NEW = ".amp_lab_new_"
"""Begins the name of a folder that is being written, or of one that was replaced and is being removed."""


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Keep other writers away from a folder of cases, and tidy what a killed one left there.

    Raises
    ------
    GoldenError
        Another process has been writing for `writer_lock.WAIT_S` seconds, or the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _as_golden_error(plain(root, 200), "Name a folder that you may write."):
            stack.enter_context(writer_lock.held(root / LOCK))
            _tidy(root)
        yield


def replace(root: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Make these the files of a case, new or old; to be called while `writing`.

    Raises
    ------
    GoldenError
        What has the name is no folder, holds what was never blessed, or cannot be replaced. It is as it was.
    """
    target, new = root / name, root / f"{NEW}{secrets.token_hex(8)}"
    _require_replaceable(target)
    try:
        with _as_golden_error(plain(name), "The case is unchanged: free disk space, or allow writing."):
            new.mkdir()
            attributes.ensure(root, new)
            _fill(new, target, files)
            _swap(new, target)
            _carry_junk(new, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def _as_golden_error(where: str, cure: str) -> Iterator[None]:
    """Raise a `GoldenError` in place of an `OSError`."""
    try:
        yield
    except OSError as error:
        why = error.strerror or plain(error)
        raise GoldenError(f"{where}: cannot be written (got {why}). {cure}") from error


def _tidy(root: Path) -> None:
    """Remove what a killed writer left, and put a case back that stands aside."""
    for name in os.listdir(root):
        path = root / name
        if name.startswith(NEW):
            shutil.rmtree(path, ignore_errors=True)
        elif name.startswith(contents.REPLACED) and path.is_dir():
            _settle(path, root / name.removeprefix(contents.REPLACED))


def _require_replaceable(target: Path) -> None:
    name = plain(target.name)
    if target.is_symlink():
        got = f"got a link to {plain(os.path.realpath(target), 200)}"
        raise GoldenError(f"{name}: is a link ({got}). Bless the case where it lies, or remove the link.")
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise GoldenError(f"{name}: is no folder (got a file of that name). Remove it, or rename the case.")
    with os.scandir(target) as entries:
        strange = sorted(
            entry.name
            for entry in entries
            if not contents.is_junk(entry.name)
            and (entry.name not in contents.FILES or entry.is_dir(follow_symlinks=False))
        )
    if strange:
        got = f"got {', '.join(plain(each) for each in strange[:5])}"
        raise GoldenError(f"{name}: holds what was never blessed ({got}). Move it elsewhere first.")


def _fill(new: Path, old: Path, files: Mapping[str, bytes]) -> None:
    """Write and flush the files; they and the folder get the permissions of the old ones."""
    for name, data in files.items():
        with open(new / name, "xb") as stream:
            _keep_mode(old / name, new / name)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    _keep_mode(old, new)
    atomic_files.flush_folder(new)


def _keep_mode(old: Path, new: Path) -> None:
    with contextlib.suppress(OSError):
        status = os.lstat(old)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(new, stat.S_IMODE(status.st_mode))


def _swap(new: Path, target: Path) -> None:
    if not os.path.lexists(target):
        os.rename(new, target)
    elif not atomic_files.exchange(new, target):
        _swap_in_two_steps(new, target)
    atomic_files.flush_folder(target.parent)


def _swap_in_two_steps(new: Path, target: Path) -> None:
    kept = contents.kept(target)
    try:
        os.rename(target, kept)
        os.rename(new, target)
        atomic_files.flush_folder(target.parent)
        os.rename(kept, new)  # which is where the old case is after one step, too
    finally:
        _settle(kept, target)


def _settle(kept: Path, target: Path) -> None:
    """Remove a case that stands aside, or put it back if no other has its name."""
    if not os.path.lexists(target):
        with contextlib.suppress(FileNotFoundError):
            os.rename(kept, target)
    else:
        shutil.rmtree(kept, ignore_errors=True)


def _carry_junk(old: Path, new: Path) -> None:
    """Move what belongs to an editor or system to where the case is now."""
    with contextlib.suppress(OSError):  # there was none
        for name in filter(contents.is_junk, os.listdir(old)):
            os.rename(old / name, new / name)
