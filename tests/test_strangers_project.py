"""A project of another author, made only of the code blocks of `docs/howto/project.md`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "project.md"
BLOCK = re.compile(r"^```\{code-block\} \w+\n:caption: (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
CELLS = [text for caption, text in BLOCKS.items() if caption.startswith("wind.ipynb, cell ")]
FILES = ("pyproject.toml", "wind.py", "tests/test_wind.py", ".gitignore", ".github/workflows/goldens.yml")


def environment(**more: str) -> dict[str, str]:
    """Return a user's environment: the programs of this one, a name for Git, no CI."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AMP_", "PYTEST_"))}
    for key in ("CI", "PYTHONSAFEPATH", "PYTHONPATH"):
        own.pop(key, None)
    names = {
        f"GIT_{who}_{what}": f"{what.lower()}@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    return own | names | git | {"PATH": path} | more


def shell(folder: Path, script: str, code: int = 0, **more: str) -> str:
    """Run a script line by line, as a person types it; return what it printed."""
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{script}\n{done.stdout}"
    return done.stdout


def steps() -> list[str]:
    """Return what the workflow runs, but for the installation."""
    workflow = yaml.safe_load(BLOCKS[".github/workflows/goldens.yml"])
    runs = [step["run"] for step in workflow["jobs"]["goldens"]["steps"] if "run" in step]
    return [run for run in runs if not run.startswith("pip install")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after its page was followed, committed."""
    folder = tmp_path_factory.mktemp("work") / "wind"
    folder.mkdir()
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(BLOCKS[name], encoding="utf-8")
    shell(folder, "git init --quiet .")
    assert "golden wind: stored in " in shell(folder, BLOCKS["in the shell, once"])
    book = new_notebook(cells=[new_code_cell(cell.rstrip("\n")) for cell in CELLS])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / "wind.ipynb")
    shell(folder, BLOCKS["in the shell, after the notebook"])
    return folder


def test_workflow_is_green_in_a_clone_with_other_line_endings(made: Path, tmp_path: Path) -> None:
    """In a clone made with `core.autocrlf=true` every step of the workflow passes and proves something."""
    shell(tmp_path, f"git -c core.autocrlf=true clone --quiet --config core.autocrlf=true '{made}' clone")
    clone = tmp_path / "clone"
    assert b"\r\n" in (clone / "wind.py").read_bytes(), "the clone has line endings of Windows"
    unit, notebook, cases = (shell(clone, step, CI="true") for step in steps())
    assert "1 passed" in unit and "not looked for" not in unit
    assert "nbguard: 2 code cells of 1 notebooks executed and compared" in notebook
    assert "wind: PASS exact 24000 frames x 1 channel" in cases and " 0 failed" in cases
    assert "wind: PASS exact 24000 frames x 1 channel" in (clone / "wind.ipynb").read_text()
    assert shell(clone, "git status --porcelain") == ""


def test_change_is_red_named_and_accepted_by_one_command(made: Path, tmp_path: Path) -> None:
    """A changed parameter fails test, notebook and command by node and parameter; one command accepts it."""
    project = Path(shutil.copytree(made, tmp_path / "wind"))
    code = project / "wind.py"
    code.write_text(code.read_text().replace("q=6.0", "q=6.5"))
    unit, notebook, _ = steps()
    for command in (unit, notebook, "amp-lab golden verify --code wind:goldens"):
        told = shell(project, command, code=1)
        for line in BLOCKS["in the output of pytest"].splitlines():
            assert line in told, f"{line}\n{told}"
    told = shell(project, BLOCKS["in the shell, to accept"])
    assert re.search(r"^golden wind: stored in .*wind \(flt\.q: 6\.0 -> 6\.5\)$", told, re.MULTILINE)
    for command in (unit, notebook):
        shell(project, command, CI="true")
    changed = shell(project, "git status --porcelain").split()
    assert set(changed[1::2]) == {"wind.py", *(f"goldens/wind/{file}" for file in CHANGED)}


CHANGED = ("graph.json", "manifest.json", "reference.npz", "sums.txt")


def test_page_shows_every_file_and_only_what_is_run() -> None:
    """Each block of the page is a file, a cell or a script that these tests use."""
    scripts = ("in the shell, once", "in the shell, after the notebook", "in the shell, to accept")
    used = {*FILES, *scripts, "in the output of pytest"}
    assert {name for name in BLOCKS if not name.startswith("wind.ipynb, cell ")} == used
    assert len(CELLS) == 2
