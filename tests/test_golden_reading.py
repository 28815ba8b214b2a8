"""Reading cases: any content of the folder is read in bounded time, or refused by its name."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import contents
from amp_lab.golden.cases import Case

PASSES = "tone: PASS exact 200 frames x 1 channel"


def tone() -> amp.Graph:
    """Return a graph that follows a curve."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0), gain=amp.curve("level")))
    g.controls = amp.ControlHistory([amp.Curve("level", [0.0], [0.5])])
    return g


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one case that has every file."""
    project = tmp_path_factory.mktemp("project")
    (project / "pyproject.toml").touch()
    (project / "goldens").mkdir()
    g = tone()
    render = g.render(frames=200, isolation="none")
    golden.store("tone", render, reason="first", graph=g, goldens=project / "goldens")
    return project


@pytest.fixture
def root(stored: Path, tmp_path: Path) -> Path:
    """A copy of the project's folder of cases."""
    shutil.copytree(stored, tmp_path / "project")
    return tmp_path / "project" / "goldens"


def verdicts(root: Path) -> list[str]:
    """Return the texts of check and verify."""
    checked = golden.check("tone", tone().render(frames=200, isolation="none"), goldens=root)
    return [str(checked), str(golden.verdicts(goldens=root)[0])]


def test_every_file_is_there(root: Path) -> None:
    """The case of these tests holds each kind of file and passes."""
    assert sorted(file.name for file in (root / "tone").iterdir()) == sorted(contents.FILES)
    assert verdicts(root) == [PASSES, PASSES]


# ---- systems that have less ----

BARE = """
import os, sys
from pathlib import Path
for name in ("fcntl", "resource"):
    sys.modules[name] = None
vars(os).pop("memfd_create", None)
import amp_lab as amp
from amp_lab import golden
g = amp.presets.three_osc()
render = g.render(frames=200, isolation="none")
root = Path(sys.argv[1])
golden.store("bare", render, reason="first", graph=g, goldens=root)
print(golden.check("bare", render, goldens=root))
"""


def test_cases_are_read_by_path_where_no_folder_can_be_opened(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: the same verdicts, and a FIFO is not waited for."""
    monkeypatch.setattr(contents, "OPENS_FOLDERS", False)
    assert verdicts(root) == [PASSES, PASSES]
    (root / "tone" / "sums.txt").unlink()
    os.mkfifo(root / "tone" / "sums.txt")
    assert all("FIFO" in text for text in verdicts(root))


def test_goldens_work_without_file_locks(tmp_path: Path) -> None:
    """Without fcntl and workers, a case is stored with a warning, and checked."""
    command = [sys.executable, "-P", "-c", BARE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "bare: PASS exact 200 frames x 2 channels" in done.stdout, done.stderr
    assert "no lock on this file system" in done.stderr


# ---- line endings, junk, old schemas ----


@pytest.mark.parametrize("file", ["graph.json", "controls.json", "sums.txt", "manifest.json"])
def test_line_endings_do_not_break_a_seal(root: Path, file: str) -> None:
    """A text whose line endings a checkout changed still counts as the approved one."""
    path = root / "tone" / file
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert b"\r\n" in path.read_bytes()
    assert verdicts(root) == [PASSES, PASSES]


def test_a_line_ending_in_the_samples_counts(root: Path) -> None:
    """Samples are no text: a line feed that became two bytes is a change."""
    path = root / "tone" / "reference.npz"
    path.write_bytes(path.read_bytes() + b"\n")
    before = Case(root / "tone").manifest()["files"]["reference.npz"]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert contents.seal("reference.npz", path.read_bytes()) != before
    assert all("reference.npz was changed" in text for text in verdicts(root))


@pytest.mark.parametrize("keeps", [True, False], ids=["with attributes", "without"])
def test_a_clone_that_converts_line_endings_passes(root: Path, tmp_path: Path, keeps: bool) -> None:
    """`core.autocrlf=true`: what `store` writes into `.gitattributes` keeps the bytes; seals hold without."""
    if not keeps:
        (root / ".gitattributes").unlink()
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=m"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "goldens"]):
        subprocess.run([*git, *command], cwd=root.parent, check=True)
    clone = tmp_path / "clone"
    subprocess.run([*git, "clone", "-q", "-c", "core.autocrlf=true", root.parent, clone], check=True)
    for file in contents.FILES:
        same = (clone / "goldens/tone" / file).read_bytes() == (root / "tone" / file).read_bytes()
        assert same == (keeps or file == "reference.npz")
    assert verdicts(clone / "goldens") == [PASSES, PASSES]


def test_a_seal_of_the_bytes_themselves_holds(root: Path) -> None:
    """A file that was sealed with its carriage returns is still accepted."""
    path = root / "tone" / "sums.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    change(
        root,
        lambda m: m["files"].update({"sums.txt": contents.hashlib.sha256(path.read_bytes()).hexdigest()}),
    )
    assert verdicts(root) == [PASSES, PASSES]


@pytest.mark.parametrize(
    "junk",
    [".DS_Store", "Thumbs.db", "desktop.ini", "graph.json~", ".graph.json.swp", "#sums.txt#", "._graph.json"],
)
def test_junk_is_ignored(root: Path, junk: str) -> None:
    """Files that editors and systems leave, in a case or next to it, are not part of it and no case."""
    (root / "tone" / junk).write_bytes(b"junk")
    for folder in (".ipynb_checkpoints", "__pycache__", "__MACOSX"):
        (root / "tone" / folder).mkdir()
        (root / folder).mkdir()
    (root / junk).mkdir()
    assert verdicts(root) == [PASSES, PASSES]
    assert golden.list_cases(root)[0].strange_files() == []
    assert [case.name for case in golden.list_cases(root)] == ["tone"]


def change(root: Path, how: Callable[[Any], object]) -> None:
    """Change the manifest."""
    path = root / "tone" / "manifest.json"
    data = json.loads(path.read_text())
    how(data)
    path.write_text(json.dumps(data))


def old_schema(manifest: Any) -> None:
    """Make a manifest what the first version wrote."""
    manifest["schema"] = 1
    del manifest["files"]


def test_schema_1_is_read(root: Path) -> None:
    """A manifest without digests of files still defines how the case is compared."""
    change(root, old_schema)
    assert verdicts(root) == [PASSES, PASSES]
    assert golden.list_cases(root)[0].manifest()["files"] == {}


def test_schema_1_holds_the_samples_to_their_digest(root: Path) -> None:
    """It has no seals, but the digest of the samples."""
    change(root, old_schema)
    change(root, lambda manifest: manifest.update(digest=64 * "0"))
    assert all("manifest.json: damaged (got digest 000000000000" in text for text in verdicts(root))


# ---- any content of the folder ----


def test_a_pointer_of_git_lfs_is_named(root: Path) -> None:
    """If `git lfs pull` was not run, the error reports it."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * '0'}\nsize 12345\n"
    for file in contents.FILES:
        path = root / "tone" / file
        before = path.read_bytes()
        path.write_text(pointer)
        said = f"tone/{file}: a pointer of git LFS, not the file itself. Run git lfs pull."
        assert all(said in text for text in verdicts(root))
        path.write_bytes(before)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket is short
    socket.socket(socket.AF_UNIX).bind(path.name)
    os.chdir(here)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("make", [_fifo, _socket, _device, _dangling, _circle, Path.mkdir, Path.touch])
@pytest.mark.parametrize("file", contents.FILES)
def test_what_is_no_file_is_named(root: Path, file: str, make: Callable[[Path], object]) -> None:
    """A FIFO, socket, device, folder, broken link or empty file is refused with the file's name, at once."""
    (root / "tone" / file).unlink()
    make(root / "tone" / file)
    for text in verdicts(root):
        assert text.startswith("tone: ERROR damaged") and file in text
    with pytest.raises(amp.FileError, match=file):
        Case(root / "tone").load()


@pytest.mark.parametrize("make", [_fifo, _dangling, _circle, Path.touch])
def test_what_is_no_folder_is_no_case(root: Path, make: Callable[[Path], object]) -> None:
    """A name of anything but a folder is listed nowhere and refused where it is read."""
    make(root / "other")
    assert [case.name for case in golden.list_cases(root)] == ["tone"]
    with pytest.raises(amp.FileError, match="other"):
        Case(root / "other").load()


def test_a_link_inside_the_project_is_read(root: Path) -> None:
    """A file or a case may be a link to one elsewhere in the same project."""
    shared = root.parent / "shared"
    shared.mkdir()
    for file in contents.FILES:
        (root / "tone" / file).rename(shared / file)
        (root / "tone" / file).symlink_to(f"../../shared/{file}")
    assert verdicts(root) == [PASSES, PASSES]
    (root / "again").symlink_to("tone")
    assert [str(v) for v in golden.verdicts("again", goldens=root)][:1] == [PASSES.replace("tone", "again")]


def test_a_link_out_of_the_project_is_not_read(root: Path, stored: Path) -> None:
    """A link to a file outside the project is refused, even if the file fits."""
    (root / "tone" / "sums.txt").unlink()
    (root / "tone" / "sums.txt").symlink_to(stored / "goldens/tone/sums.txt")
    assert all("tone/sums.txt: leads elsewhere (got a link to" in text for text in verdicts(root))
    shutil.rmtree(root / "tone")
    (root / "tone").symlink_to(stored / "goldens/tone")
    with pytest.raises(amp.FileError, match="tone: leads elsewhere"):
        Case(root / "tone").load()


# ---- replaced while it is read ----


def test_a_case_that_is_replaced_while_it_is_read_is_read_again(root: Path, monkeypatch: Any) -> None:
    """The reader keeps one folder open; if that is removed, it begins again with the new one."""
    shutil.copytree(root / "tone", root / ".new")
    data, calls = contents.OpenCase.data, []

    def replacing(case: contents.OpenCase, file: str) -> bytes:
        calls.append(file)
        if len(calls) == 2:
            shutil.rmtree(root / "tone")
            (root / ".new").rename(root / "tone")
        return data(case, file)

    monkeypatch.setattr(contents.OpenCase, "data", replacing)
    assert Case(root / "tone").load().manifest["name"] == "tone"
    assert calls[:3] == ["manifest.json", "graph.json", "manifest.json"]


def test_a_case_that_stands_aside_is_read(root: Path) -> None:
    """Between the two steps of a replacement, or after a kill there, the old case is read from its temporary
    place.
    """
    (root / "tone").rename(root / ".amp_lab_old_tone")
    assert [case.name for case in golden.list_cases(root)] == ["tone"]
    assert Case(root / "tone").load().manifest["blessed"]["reason"] == "first"
    assert Case(root / "tone").missing_files() == []


def test_a_damaged_case_is_damaged_at_once(root: Path, monkeypatch: Any) -> None:
    """A case that is not replaced is read once."""
    monkeypatch.setattr(contents.time, "sleep", lambda seconds: pytest.fail("waited"))
    (root / "tone" / "graph.json").write_text("{}")
    with pytest.raises(amp.FileError, match=r"graph\.json was changed"):
        Case(root / "tone").load()
