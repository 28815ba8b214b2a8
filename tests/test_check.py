"""What `make check` runs: which tests are quick, the package as it is edited, hooks whose commands exist."""

from __future__ import annotations

import ast
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import check
import pytest
import quick
import run_all
import staged
import yaml

ROOT = Path(__file__).resolve().parents[1]


def functions(path: Path) -> Iterator[str]:
    """Yield the tests of a file as the list names them."""
    name = f"tests/{path.name}"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield f"{name}::{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield from (f"{name}::{node.name}::{one.name}" for one in node.body if hasattr(one, "name"))


def test_the_list_of_slow_tests_names_tests_that_exist() -> None:
    """One that was renamed or removed leaves the list; no test is left out twice."""
    allowed_s, slow = quick.listed()
    files = {path.name: path for path in quick.LIST.parent.glob("test_*.py")}
    there = {name for path in files.values() for name in functions(path)}
    assert set(slow) <= there and list(slow) == sorted(slow)
    assert all(cost >= allowed_s for cost in slow.values())
    chosen = quick.files()
    left_out = {f"tests/{name}" for name in files} - set(chosen)
    assert not {name.partition("::")[0] for name in slow} & left_out
    assert len(chosen) > 30


def test_a_new_test_file_is_quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Until it was measured: what nobody looked at runs."""
    monkeypatch.setattr(quick, "LIST", tmp_path / "slow.json")
    quick.LIST.write_text('{"allowed_s": 0.4, "files": ["tests/test_b.py"], "slow": {}}', encoding="utf-8")
    for name in ("a", "b", "c"):
        (tmp_path / f"test_{name}.py").touch()
    assert quick.files() == ["tests/test_a.py", "tests/test_c.py"]


def test_a_measurement_changes_the_entries_of_what_ran_only() -> None:
    """Slow ones come, quick ones go, others stay."""
    before = {"a::x": 1.0, "b::y": 2.0}
    after = quick.rewritten(before, {"b::y": 0.1, "c::z": 3.04}, 0.4)
    assert after == {"a::x": 1.0, "c::z": 3.0}


def test_the_copy_follows_the_sources(tmp_path: Path) -> None:
    """Changed files are copied, removed ones removed; what is built stays, and nothing else is touched."""
    package, target = tmp_path / "amp_lab", tmp_path / "staged"
    for name in ("__init__.py", "graph/edits.py", "widgets/js/x.js", "_native/__init__.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name, encoding="utf-8")
    assert staged.copy(package, target) == 3
    assert not (target / "widgets").exists()
    (target / "_native" / "lib.so").touch()
    assert staged.copy(package, target) == 0
    (package / "graph" / "edits.py").write_text("other text", encoding="utf-8")
    (package / "new").mkdir()
    (package / "new" / "__init__.py").touch()
    assert staged.copy(package, target) == 2
    assert (target / "graph" / "edits.py").read_text(encoding="utf-8") == "other text"
    shutil.rmtree(package / "graph")
    assert staged.copy(package, target) == 1
    assert not (target / "graph").exists() and (target / "_native" / "lib.so").exists()


def commands() -> list[tuple[str, ...]]:
    """The commands of `make check` and of the hooks of pre-commit."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"], "nothing is fetched"
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert all(hook["language"] == "system" for hook in hooks)
    of_hooks = [tuple(hook["entry"].split()) for hook in hooks]
    return [*of_hooks, *(command for phase in check.phases() for command in phase.commands)]


@pytest.mark.skipif(not (ROOT / ".venv").is_dir(), reason="no .venv here, which the hooks call")
@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_the_commands_of_check_and_hooks_exist(command: tuple[str, ...]) -> None:
    """Each program is in the environment, each file in the repository, each script in package.json."""
    program, *arguments = command
    if program == "npm":
        if run_all.node_missing():
            pytest.skip(run_all.node_missing())
        scripts = (ROOT / run_all.WIDGETS / "package.json").read_text(encoding="utf-8")
        assert arguments[-1] in ("--silent", "ci") or f'"{arguments[-1]}":' in scripts
        return
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    assert shutil.which(ROOT / program if "/" in program else program, path=path), program
    for argument in arguments:
        if "/" in argument and not argument.startswith(("-", "build/")):
            assert (ROOT / argument).exists(), argument


def test_the_tools_of_the_hooks_are_pinned() -> None:
    """And need nothing beyond what the tests need."""
    pinned = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    for name in ("ruff", "mypy", "import-linter", "clang-format", "pytest-timeout"):
        assert f"\n{name}==" in pinned
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    assert any(one.startswith("pytest-timeout") for one in extra["test"])
