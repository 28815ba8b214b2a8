"""Rooms of the package: imports go down, never in a circle, and a room holds what one can overlook.

``lint-imports`` checks the contracts of ``pyproject.toml``; here is what it cannot say, and that it bites.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "amp_lab"
MOST_UPWARD, MOST_ENTRIES = 8, 12
LARGE = {"analysis", "bench", "golden", "plots", "widgets"}
"""Rooms that are as they were before there were rooms."""
METHODS = ("amp_lab.graph.graph -> ", "amp_lab.render.render -> ")
"""Only a graph and a render may import what is above them, for their methods."""


def contracts() -> list[dict[str, list[str]]]:
    """Return the contracts of the import linter."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, list[str]]] = settings["tool"]["importlinter"]["contracts"]
    return found


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, text=True, capture_output=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Imports of the sources, also those for types and inside functions, without the listed upward ones."""
    sys.path.insert(0, str(ROOT))
    try:
        made = grimp.build_graph("amp_lab", cache_dir=None)
    finally:
        sys.path.remove(str(ROOT))
    for line in contracts()[0]["ignore_imports"]:
        importer, imported = line.split(" -> ")
        made.remove_import(importer=importer, imported=imported)
    return made


def test_few_upward_imports_are_allowed() -> None:
    """All contracts allow the same ones, of a graph's and a render's methods only."""
    allowed = [set(one["ignore_imports"]) for one in contracts() if "ignore_imports" in one]
    assert all(one == allowed[0] for one in allowed)
    assert len(allowed[0]) <= MOST_UPWARD
    assert all(line.startswith(METHODS) for line in allowed[0])


def test_no_module_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    """The linter checks rooms and their parts; this checks modules, in any room."""
    circles = {
        module: chain
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if (chain := graph.find_shortest_chain(other, module)) is not None
    }
    assert not circles


def test_rooms_are_small() -> None:
    """At most this number of entries, files and folders; a larger room must be split."""
    rooms = [path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    sizes = {
        str(room.relative_to(PACKAGE)): sum(entry.name != "__pycache__" for entry in room.iterdir())
        for room in sorted(path.parent for path in rooms)
    }
    assert {name: size for name, size in sizes.items() if size > MOST_ENTRIES and name not in LARGE} == {}


@pytest.mark.parametrize(
    ("module", "added", "broken"),
    [
        ("common/arrays.py", "from amp_lab.graph.graph import Graph", "imports between rooms go down"),
        ("plan/text.py", "if TYPE_CHECKING:\n    from amp_lab.widgets.live import Live", "rooms go down"),
        ("graph/records/model.py", "def f():\n    from amp_lab.graph.edits import events", "inside graph"),
        ("render/tap.py", "def f():\n    from amp_lab.render.session import Session", "no circle"),
    ],
)
def test_the_contract_refuses(tmp_path: Path, module: str, added: str, broken: str) -> None:
    """An import upward, also one for types only, and one that closes a circle."""
    shutil.copytree(
        PACKAGE, tmp_path / "amp_lab", ignore=shutil.ignore_patterns("js", "static", "__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "amp_lab" / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{added}\n", encoding="utf-8")
    done = lint(tmp_path)
    line = next(line for line in done.stdout.splitlines() if broken in line)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in line
