"""Finding the folder of cases: what is broken on the way is named, never passed over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import amp_lab as amp
from amp_lab import golden
from amp_lab.golden import folders

TEXT = '[project]\nname = "x"\n[tool.amp_lab]\ngoldens = "goldens"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with goldens that a search upward would find without its pyproject.toml."""
    (tmp_path / "goldens").mkdir()
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("utf-16"), r"not a text file \(byte 0 is not UTF-8, line 1\)\. It looks like UTF-16"),
        (TEXT.encode("utf-16-le"), r"not TOML \(.*at line 1, column 2"),
        (TEXT.encode("utf-8-sig"), r"not TOML \(.*at line 1, column 1"),
        (TEXT.encode() + b"\xe9 = 1", r"byte \d+ is not UTF-8, line 5"),
        (TEXT.encode() + b"[tool", r"not TOML \(.*\)"),
        (b"a = 1\nb = " + 5000 * b"9", r"not TOML \(Exceeds the limit"),
        (b"a = 1\na = 2\n", r"not TOML \(.*at line 2"),
        (b"[tool]\namp_lab = 5", r"tool\.amp_lab: no table \(got 5"),
        (b"[tool.amp_lab]\ngoldens = ['a']", r"tool\.amp_lab\.goldens: no path"),
        (2**20 * b"#" + b"#", "too large"),
    ],
)
def test_a_pyproject_that_cannot_be_read_is_named(project: Path, data: bytes, said: str) -> None:
    """With file and line; the folder next to it is not used silently."""
    (project / "pyproject.toml").write_bytes(data)
    with pytest.raises(amp.FileError, match=rf"{project}/pyproject\.toml: .*{said}"):
        golden.find(start=project / "deep" / "down")
    assert golden.find(project / "goldens") == project / "goldens"


def fifo(path: Path) -> None:
    """Make a FIFO."""
    os.mkfifo(path)


@pytest.mark.parametrize("make", [fifo, os.mkdir, lambda path: os.symlink("nowhere", path)])
def test_a_pyproject_that_is_no_file_is_named(project: Path, make: Callable[[Path], object]) -> None:
    """A FIFO, a folder or a broken link of that name neither blocks nor is ignored."""
    make(project / "pyproject.toml")
    with pytest.raises(amp.FileError, match=r"pyproject\.toml: (not a regular file|No such file)"):
        golden.find(start=project / "deep")


def test_a_working_directory_that_is_gone_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named folder is found all the same; a search reports why it stopped."""
    monkeypatch.chdir(project / "deep" / "down")
    (project / "deep" / "down").rmdir()
    assert golden.find(project / "goldens") == project / "goldens"
    with pytest.raises(golden.GoldenError, match=r"gave up: .*No such file"):
        golden.find()


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "\udc80"])
def test_a_path_that_is_none_is_told(project: Path, path: str) -> None:
    """As a folder that is not there."""
    with pytest.raises(golden.GoldenError, match="goldens: folder not found"):
        golden.find(project / path)


def test_the_project_is_the_nearest_folder_with_a_mark(project: Path) -> None:
    """`.git`, file or folder, or `pyproject.toml`; a folder without any is a project by itself."""
    assert folders.project(project / "goldens") == project / "goldens"
    (project / ".git").touch()
    assert folders.project(project / "goldens") == project
