"""Writing cases: one writer at a time, completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import systems

import amp_lab as amp
from amp_lab import golden
from amp_lab.common import atomic_files
from amp_lab.golden import attributes, transaction, writer_lock
from amp_lab.golden.cases import Case

fcntl = systems.module("fcntl")


def tone(level: float = 0.5) -> amp.Graph:
    """Return a graph of two nodes."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=level, name="level"))
    return g


def bless(root: Path, level: float = 0.5, name: str = "tone", **options: Any) -> Case:
    """Store the tone."""
    g = tone(level)
    render = g.render(frames=100, isolation="none")
    return golden.store(name, render, reason=f"level {level}", graph=g, goldens=root, **options)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one case."""
    bless(tmp_path)
    return tmp_path


def reason(root: Path, name: str = "tone") -> str:
    """Return why a complete case was approved."""
    return str(Case(root / name).load().manifest["blessed"]["reason"])


def entries(root: Path) -> list[str]:
    """Return the contents of the folder."""
    return sorted(os.listdir(root))


@pytest.fixture(params=[True, False], ids=["one step", "two steps"])
def swapped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system can swap two folders."""
    if not request.param:
        monkeypatch.setattr(atomic_files, "exchange", lambda one, other: False)
    return bool(request.param)


# ---- completely or not at all ----


def test_a_case_is_replaced_and_nothing_is_left(root: Path, swapped: bool) -> None:
    """`store` and `update` replace the old files; they leave no other file next to the case."""
    bless(root, 0.25, overwrite=True)
    assert reason(root) == "level 0.25" and entries(root) == [".gitattributes", "tone"]
    assert sorted(os.listdir(root / "tone")) == ["graph.json", "manifest.json", "reference.npz", "sums.txt"]


def test_permissions_of_a_case_stay(root: Path, swapped: bool) -> None:
    """Folder and files keep who may read and write them."""
    (root / "tone").chmod(0o770)
    (root / "tone" / "graph.json").chmod(0o640)
    bless(root, 0.25, overwrite=True)
    assert (root / "tone").stat().st_mode & 0o777 == 0o770
    assert (root / "tone" / "graph.json").stat().st_mode & 0o777 == 0o640


class Stop(BaseException):
    """The exception of Ctrl-C, at a place that the test chooses."""


@pytest.mark.parametrize("place", ["mkdir", "fsync", "rename", "exchange", "flush_folder", "ensure"])
@pytest.mark.parametrize("error", [Stop, functools.partial(OSError, errno.ENOSPC, "No space left on device")])
def test_a_failure_anywhere_leaves_the_old_case_or_the_new_one(
    root: Path, swapped: bool, monkeypatch: pytest.MonkeyPatch, place: str, error: Callable[[], BaseException]
) -> None:
    """At every call that changes the disk: the old or the new case is complete, and no other file is left."""
    owner = {"mkdir": Path, "fsync": os, "rename": os, "ensure": attributes}.get(place, atomic_files)
    if place == ("rename" if swapped else "exchange"):
        pytest.skip("is not called")
    real, seen, fails = getattr(owner, place), set(), 0
    calls = [0]
    while calls[0] >= fails:
        fails += 1
        calls = [0]

        def failing(*args: Any, calls: list[int] = calls, fails: int = fails, **options: Any) -> Any:
            calls[0] += 1
            if calls[0] == fails:
                raise error()  # one of its own each: its traceback keeps renders
            return real(*args, **options)

        bless(root, 0.5, overwrite=True)
        monkeypatch.setattr(owner, place, failing)
        with contextlib.suppress(Stop, golden.GoldenError):
            bless(root, 0.25, overwrite=True)
        monkeypatch.setattr(owner, place, real)
        seen.add(reason(root))
        assert entries(root) == [".gitattributes", "tone"]
    assert seen == {"level 0.5", "level 0.25"}


def test_a_full_disk_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the case, the system's error and the cure."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(transaction.os, "fsync", full)
    with pytest.raises(golden.GoldenError, match=r"^tone: cannot be written \(got No space left on d"):
        golden.update("tone", reason="r", comparator="max_abs", comparator_reason="r", goldens=root)


FULL = """
import resource, sys
from pathlib import Path
import amp_lab as amp
sys.path.insert(0, sys.argv[2])
from test_golden_store import bless
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    bless(Path(sys.argv[1]), 0.25, overwrite=True)
except amp.golden.GoldenError as error:
    print(error)
"""


@pytest.mark.parametrize("most", [0, 700, 100_000])
def test_a_limit_of_file_sizes_loses_nothing(root: Path, most: int) -> None:
    """`ulimit -f`: no byte, or too few, can be written; the old case stays complete, and the error is
    reported.
    """
    command = [sys.executable, "-P", "-c", FULL, str(root), str(Path(__file__).parent), str(most)]
    environment = os.environ | {"AMP_ISOLATION": "none"}  # a worker has no memory under this limit
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert ("cannot be written (got File too large)" in done.stdout) == (most < 100_000)
    assert reason(root) == ("level 0.5" if most < 100_000 else "level 0.25")
    assert entries(root) == [".gitattributes", "tone"]


@pytest.mark.skipif(not systems.is_root(), reason="only root can mount a small disk")
def test_a_small_disk_keeps_the_old_case(tmp_path: Path) -> None:
    """A real one, of 128 KiB: a case that does not fit is reported, and a smaller one fits afterwards."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        bless(tmp_path)
        g = amp.Graph(name="tone")
        g.output(g.noise(name="noise"))
        long = g.render(frames=100_000, isolation="none")
        for name, overwrite in (("tone", True), ("other", False)):
            with pytest.raises(
                golden.GoldenError, match=rf"^{name}: cannot be written \(got No space left on device"
            ):
                golden.store(name, long, reason="r", graph=g, goldens=tmp_path, overwrite=overwrite)
            assert entries(tmp_path) == [".gitattributes", "tone"] and reason(tmp_path) == "level 0.5"
        bless(tmp_path, 0.25, overwrite=True)
        assert reason(tmp_path) == "level 0.25"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_leftovers_of_a_kill_are_tidied_by_the_next_writer(root: Path) -> None:
    """Incomplete and replaced folders are removed; a case that was moved aside is restored."""
    shutil.copytree(root / "tone", root / ".amp_lab_new_0123")
    shutil.copytree(root / "tone", root / ".amp_lab_old_tone")
    (root / ".amp_lab_new_4567").mkdir()
    (root / ".amp_lab_lock").write_text("process 1 on moon since then")
    shutil.copytree(root / "tone", root / ".amp_lab_old_aside")
    bless(root, name="other")
    assert entries(root) == [".gitattributes", "aside", "other", "tone"]
    assert reason(root, "aside") == "level 0.5"


def test_readers_tidy_nothing(root: Path) -> None:
    """A check writes nothing, so it works where nothing can be written."""
    (root / "tone").rename(root / ".amp_lab_old_tone")
    (root / ".amp_lab_new_0123").mkdir()
    before = entries(root)
    render = tone().render(frames=100, isolation="none")
    assert golden.check("tone", render, goldens=root) and golden.verify(goldens=root)
    assert entries(root) == before


def test_what_was_never_blessed_is_not_removed(root: Path) -> None:
    """Notes that a user keeps in a case are named, and nothing is replaced."""
    (root / "tone" / "notes.txt").write_text("mine")
    for act in (
        lambda: bless(root, 0.25, overwrite=True),
        lambda: golden.update("tone", reason="r", comparator="max_abs", comparator_reason="r", goldens=root),
    ):
        with pytest.raises(golden.GoldenError, match=r"holds what was never blessed \(got notes\.txt\)"):
            act()
    assert (root / "tone" / "notes.txt").read_text() == "mine" and reason(root) == "level 0.5"


def test_junk_moves_to_the_new_case(root: Path, swapped: bool) -> None:
    """Files that an editor has open stay where the case is."""
    (root / "tone" / ".graph.json.swp").write_text("unsaved")
    bless(root, 0.25, overwrite=True)
    assert (root / "tone" / ".graph.json.swp").read_text() == "unsaved"


def test_links_are_not_written_through(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of a case that are links are replaced by files; a case that is a link is refused."""
    other = tmp_path_factory.mktemp("other")
    (root / "pyproject.toml").touch()
    shutil.move(root / "tone" / "sums.txt", root / "sums.txt")
    (root / "tone" / "sums.txt").symlink_to("../sums.txt")
    before = (root / "sums.txt").read_bytes()
    bless(root, 0.25, overwrite=True)
    assert (root / "sums.txt").read_bytes() == before and not (root / "tone" / "sums.txt").is_symlink()
    (root / "link").symlink_to(other)
    (root / "dead").symlink_to(root / "nowhere")
    for name in ("link", "dead"):
        with pytest.raises(golden.GoldenError, match=f"{name}: is a link"):
            bless(root, name=name, overwrite=True)
    assert not os.listdir(other) and not (root / "nowhere").exists()


def test_a_file_in_place_of_a_case_is_refused(root: Path) -> None:
    """What is no folder is not replaced by one."""
    (root / "notes").write_text("mine")
    with pytest.raises(golden.GoldenError, match="notes: is no folder"):
        bless(root, name="notes", overwrite=True)
    assert (root / "notes").read_text() == "mine"


# ---- one writer at a time ----


@contextlib.contextmanager
def locked_elsewhere(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process."""
    program = (
        "import sys; from pathlib import Path; from amp_lab.golden import transaction\n"
        "with transaction.writing(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-P", "-c", program, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        yield other
        other.kill()


def test_a_second_writer_is_told_who_writes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded wait, with the process that holds the lock; readers do not wait."""
    monkeypatch.setattr(writer_lock, "WAIT_S", 0.1)
    with locked_elsewhere(root) as other:
        held = rf"another process blesses here \(waited 0\.1 s, held by process {other.pid} on \S+ since 20"
        with pytest.raises(golden.GoldenError, match=held):
            bless(root, 0.25, overwrite=True)
        with pytest.raises(golden.GoldenError, match=held):
            golden.update("tone", reason="r", goldens=root)
        assert reason(root) == "level 0.5"
    bless(root, 0.25, overwrite=True)  # the holder was killed, and its file is still there
    assert reason(root) == "level 0.25" and entries(root) == [".gitattributes", "tone"]


def test_a_second_writer_waits(root: Path) -> None:
    """It writes as soon as the first is done."""
    with transaction.writing(root):
        thread = threading.Thread(target=bless, args=(root, 0.25), kwargs={"overwrite": True})
        thread.start()
        bless_meanwhile = reason(root)
    thread.join()
    assert (bless_meanwhile, reason(root)) == ("level 0.5", "level 0.25")


def test_a_file_system_without_locks_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case is written all the same, with a warning."""

    def refuse(file: Any, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.warns(RuntimeWarning, match=r"no lock on this file system \(No locks available\)"):
        bless(root, 0.25, overwrite=True)
    assert reason(root) == "level 0.25" and entries(root) == [".gitattributes", "tone"]


@pytest.mark.skipif(systems.is_root(), reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(root: Path) -> None:
    """One sentence, and reading works."""
    root.chmod(0o555)
    try:
        with pytest.raises(golden.GoldenError, match="cannot be written"):
            bless(root, 0.25, overwrite=True)
        assert golden.verify(goldens=root)
    finally:
        root.chmod(0o755)


# ---- .gitattributes ----


def test_lines_of_the_user_stay_and_come_last(root: Path) -> None:
    """What is missing is put before what is there, and only once."""
    file = root / attributes.FILE
    whole = file.read_bytes()
    assert whole.startswith(b"# cases of amp_lab") and b"/*/reference.npz binary\n" in whole
    file.write_bytes(b"*.png -diff\r\n/*/sums.txt -text\n\xff")
    for _ in range(2):
        bless(root, 0.25, overwrite=True)
        lines = file.read_bytes()
        assert lines.endswith(b"*.png -diff\r\n/*/sums.txt -text\n\xff")
        assert lines.count(b"/*/reference.npz binary") == 1 and lines.count(b"sums.txt") == 1


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_attributes_that_are_no_file_stay(root: Path, kind: str) -> None:
    """A link is not written through, and a folder is not changed."""
    file = root / attributes.FILE
    file.unlink()
    (root / "elsewhere").write_text("*.c text\n")
    file.symlink_to("elsewhere") if kind == "link" else file.mkdir()
    bless(root, 0.25, overwrite=True)
    assert file.is_symlink() or file.is_dir()
    assert (root / "elsewhere").read_text() == "*.c text\n"


# ---- schema 1, continuous integration ----


def test_update_writes_schema_1_anew(root: Path) -> None:
    """A manifest of schema 1 becomes one of schema 2, which vouches for every file; the bits stay."""
    path = root / "tone" / "manifest.json"
    manifest = json.loads(path.read_text())
    digest = manifest["digest"]
    manifest["schema"] = 1
    del manifest["files"]
    path.write_text(json.dumps(manifest))
    golden.update("tone", reason="newer schema", goldens=root)
    after = json.loads(path.read_text())
    assert (after["schema"], after["digest"], sorted(after["files"])) == (
        2,
        digest,
        ["graph.json", "reference.npz", "sums.txt"],
    )


def test_under_ci_a_folder_that_was_searched_for_is_not_written(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A named folder, `AMP_GOLDENS` and `allow_ci=True` permit it."""
    project = tmp_path_factory.mktemp("project")
    (project / "goldens").mkdir()
    monkeypatch.chdir(project)
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    monkeypatch.setenv("CI", "true")
    refused = r"golden\.store\('tone'\): nothing is blessed under CI .*allow_ci=True"
    with pytest.raises(golden.GoldenError, match=refused):
        bless(None)  # type: ignore[arg-type]
    assert not os.listdir(project / "goldens")
    bless(None, allow_ci=True)  # type: ignore[arg-type]
    with pytest.raises(golden.GoldenError, match="nothing is blessed under CI"):
        golden.update("tone", reason="r")
    assert bless(project / "goldens", 0.25, overwrite=True).manifest()["blessed"]["in_ci"] is True
    monkeypatch.setenv("AMP_GOLDENS", str(root))
    assert bless(None, 0.25, overwrite=True).folder == root / "tone"  # type: ignore[arg-type]
    monkeypatch.delenv("AMP_GOLDENS")
    for off in ("", "0", "false"):
        monkeypatch.setenv("CI", off)
        assert "in_ci" not in bless(None, 0.5, overwrite=True).manifest()["blessed"]  # type: ignore[arg-type]
