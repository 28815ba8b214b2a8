"""Replacing files: wherever a failure happens, either the old or the new file is complete."""

from __future__ import annotations

import ast
import contextlib
import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import systems
from interrupts import lines_run

import amp_lab as amp
from amp_lab.common import atomic_files

resource = systems.module("resource")

OLD, NEW = b"old" * 1000, b"new" * 2000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to replace, the only one in its folder."""
    path = tmp_path / "folder" / "sound.bin"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def alone(file: Path) -> bool:
    """Whether a file is the only one in its folder."""
    return os.listdir(file.parent) == [file.name]


def test_a_file_is_flushed_before_it_takes_the_name_and_its_folder_after(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a loss of power leaves a name without bytes, or the old name."""
    steps: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            steps.append("fsync folder" if is_folder else name)
            return real(*arguments)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    assert atomic_files.write(file, NEW) == file
    assert steps == ["fsync", "replace", "fsync folder"] and file.read_bytes() == NEW and alone(file)


TRACED = (atomic_files, contextlib)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_before_any_line_leaves_one_of_the_two_whole(file: Path) -> None:
    """No other file is left, and none is open; one that was being closed is closed with its object."""
    total = lines_run(lambda: atomic_files.write(file, NEW), TRACED)
    assert total > 40
    replaced = 0
    for stop_at in range(1, total + 1):
        file.write_bytes(OLD)
        with contextlib.suppress(KeyboardInterrupt):
            lines_run(lambda: atomic_files.write(file, NEW), TRACED, stop_at)
            pytest.fail("it was not interrupted")
        assert file.read_bytes() in (OLD, NEW) and alone(file), stop_at
        assert not [link for link in map(os.path.realpath, Path("/proc/self/fd").iterdir()) if ".tmp" in link]
        replaced += file.read_bytes() == NEW
    assert 0 < replaced < total  # some before, some after


@pytest.mark.parametrize("step", ["open", "chmod", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_what_the_system_refuses_is_one_sentence_with_the_name(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    """Whichever step the system refuses, the old file is complete."""

    def refuse(*_: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, refuse)
    with pytest.raises(amp.FileError, match=r"sound\.bin: cannot be written \(.*\)\. Name a file") as info:
        atomic_files.write(file, NEW)
    monkeypatch.undo()
    assert os.strerror(code) in str(info.value) and info.value.stage == "save"
    assert file.read_bytes() == OLD and alone(file)


def test_an_error_of_the_block_passes_as_it_is(file: Path) -> None:
    """One of another file too: it is not this one that cannot be written."""
    with pytest.raises(ZeroDivisionError), atomic_files.replacing(file) as stream:
        stream.write(NEW[: 1 // 0])
    with pytest.raises(FileNotFoundError), atomic_files.replacing(file):
        Path("/nonexistent/other").read_bytes()
    assert file.read_bytes() == OLD and alone(file)


@contextlib.contextmanager
def file_limit(most: int) -> Iterator[None]:
    """No file may grow beyond this number of bytes, as with ``ulimit -f``."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("most", [0, 1, 2999, 3001, 5999])
def test_a_limit_of_the_size_leaves_the_old_file(file: Path, most: int) -> None:
    """A write that is cut short is a failure, also where the old file was smaller."""
    with file_limit(most), pytest.raises(amp.FileError, match=r"sound\.bin: cannot be written \(File too"):
        atomic_files.write(file, NEW)
    assert file.read_bytes() == OLD and alone(file)


def test_a_library_that_needs_a_path_gets_one(file: Path) -> None:
    """``name`` is in the same folder; what is written there by name becomes the file."""
    with atomic_files.replacing(file) as stream:
        assert Path(stream.name).parent == file.parent and file.read_bytes() == OLD
        Path(stream.name).write_bytes(NEW)
    assert file.read_bytes() == NEW and alone(file)


def test_permissions_stay_and_new_files_get_the_usual_ones(file: Path) -> None:
    """A private file is at no time readable by others, a new one follows the mask of the process."""
    file.chmod(0o600)
    with atomic_files.replacing(file) as stream:
        assert stat.S_IMODE(os.stat(stream.name).st_mode) == 0o600
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = os.umask(0o027)
    try:
        atomic_files.write(file.with_name("new"), NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.with_name("new").stat().st_mode) == 0o640


@pytest.mark.skipif(not systems.is_root(), reason="only root can give files away")
def test_an_owner_stays(file: Path) -> None:
    """When root saves over a user's file, the user stays its owner."""
    os.chown(file, 1234, 4321)
    atomic_files.write(file, NEW)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_a_link_stays_and_its_file_is_replaced(file: Path, tmp_path: Path) -> None:
    """Through links of links and links of folders; one to nothing makes the file there."""
    (tmp_path / "way").symlink_to("folder")
    (tmp_path / "first").symlink_to("way/sound.bin")
    (tmp_path / "second").symlink_to(tmp_path / "first")
    (tmp_path / "dangling").symlink_to("folder/made")
    atomic_files.write(tmp_path / "second", NEW)
    atomic_files.write(tmp_path / "dangling", OLD)
    assert file.read_bytes() == NEW and (file.parent / "made").read_bytes() == OLD
    assert all((tmp_path / name).is_symlink() for name in ("way", "first", "second", "dangling"))


def test_a_device_is_written_and_stays_one() -> None:
    """So a save of root to ``/dev/null`` does not replace it."""
    atomic_files.write("/dev/null", NEW)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(amp.FileError, match=r"/dev/full: cannot be written \(No space left"):
        atomic_files.write("/dev/full", NEW)


def test_a_fifo_gets_the_bytes(tmp_path: Path) -> None:
    """At the end, at once; the library may seek before."""
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    with atomic_files.replacing(tmp_path / "pipe") as stream:
        stream.write(b"....tail")
        stream.seek(0)
        stream.write(b"head")
    reader.join()
    assert got == [b"headtail"] and stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_in_a_file_is_written_where_it_stands(tmp_path: Path, name: str) -> None:
    """``> file`` of a shell: what was printed before and after is there too, and its file is not replaced."""
    code = (
        "import sys; from amp_lab.common import atomic_files; print('before')\n"
        "atomic_files.write(sys.argv[1], 'saved\\n'); print('after')"
    )
    with open(tmp_path / "out", "w") as out:
        subprocess.run([sys.executable, "-P", "-c", code, name], stdout=out, check=True, timeout=120)
    assert (tmp_path / "out").read_text() == "before\nsaved\nafter\n"


def test_a_folder_of_descriptors_need_not_be_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of ``/dev/stdout`` is read-only for all but root, also where a shell sends output to a file."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not os.path.isdir(path) and real(path, mode))
    assert atomic_files.check("/dev/stdout") == Path("/dev/stdout")
    with pytest.raises(amp.FileError, match="its folder is read-only"):
        atomic_files.check("/tmp/new")


def locked(path: Path) -> Path:
    path.write_bytes(OLD)
    path.chmod(0o444)
    return path


def circle(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def nowhere(path: Path) -> Path:
    path.symlink_to("/nonexistent/file")
    return path


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (lambda path: path.parent, r"is a folder \(got '.*', allowed a file\)\. Add a file name\."),
        (lambda path: path / "deep", r"no folder '.*sound' \(got '.*/deep'\)\. Make it first\."),
        (lambda path: path.with_name(300 * "a"), r"cannot be written .*File name too long.*"),
        (lambda path: Path(*500 * ["deep folder"]), r"cannot be written .*File name too long.*"),
        (locked, r"cannot be written \(got '.*sound': it is read-only\)\. Name a file that you may write\."),
        (circle, r"cannot be written .*Too many levels of symbolic links.*"),
        (nowhere, r"no folder '/nonexistent' \(got '.*sound'\)\. Make it first\."),
        (lambda path: Path("/proc/amp_lab"), r"cannot be written .*"),
        (lambda path: str(path) + "\0", r"not a path .*"),
        (lambda path: 5, r"not a path \(got 5, allowed text or a Path\)\. Name a file\."),
        (bytes, r"not a path \(got b'.*', allowed text or a Path\)\. Name a file\."),
        (lambda path: str(path) + "\ud800", r"not a path .*"),
    ],
)
def test_places_where_nothing_can_be_written(
    tmp_path: Path, place: Callable[[Path], str | Path], said: str
) -> None:
    """One sentence with the name of the file, before any change if the reason can be known then."""
    path = place(tmp_path / "sound")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(amp.FileError, match=rf"^tone\.save: {said}$"):
        atomic_files.write(path, NEW, "tone.save")
    assert sorted(os.listdir(tmp_path)) == before


def test_two_names_are_exchanged_in_one_step(tmp_path: Path) -> None:
    """Folders with files in them too; where the system cannot, nothing is changed."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name)
    if not atomic_files.exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system exchanges no names")
    assert (tmp_path / "one/which").read_text() == "other" and (tmp_path / "other/which").read_text() == "one"
    with pytest.raises(FileNotFoundError):
        atomic_files.exchange(tmp_path / "one", tmp_path / "missing")


WRITES = {"write_text", "write_bytes", "tofile", "savetxt", "savez", "savez_compressed", "copyfile", "copy2"}
ELSEWHERE = {
    "golden/codec.py": "into the stream of a caller",
    "golden/transaction.py": "new files of a folder that is exchanged as a whole",
    "golden/usage.py": "lines appended to a list",
    "golden/writer_lock.py": "a file that is only locked",
}
"""Other ways to write, and why they cannot lose a file."""


def writes(path: Path) -> list[int]:
    """Lines of a module that open a file for writing, or write one by its path."""
    found = []
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        texts = [str(value.value) for value in values if isinstance(value, ast.Constant)]
        opened = name == "open" and any(re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", text) for text in texts)
        if opened or name in WRITES:
            found.append(call.lineno)
    return found


def test_nothing_else_replaces_a_file() -> None:
    """Every writer of files uses this module; exceptions are listed here with their reason."""
    package = Path(amp.__file__).parent
    modules = [path for path in package.rglob("*.py") if path != Path(atomic_files.__file__)]
    assert writes(Path(atomic_files.__file__)) and len(modules) > 80
    found = {path.relative_to(package).as_posix() for path in modules if writes(path)}
    assert found <= ELSEWHERE.keys(), {name: writes(package / name) for name in found - ELSEWHERE.keys()}
