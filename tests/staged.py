"""The package as it is edited, laid out as the wheel has it, without making a wheel: what `make check` tests.

``python tests/staged.py`` compiles what changed in the build folder of the wheel, installs the library into
``build/staged/amp_lab/_native`` and copies the Python files beside it. `ENVIRONMENT` makes Python import that
package before the installed one, in all processes, whether a wheel or an editable one is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAGED = ROOT / "build" / "staged"
BUILD = ROOT / "build" / f"wheel-Release-{sys.implementation.cache_tag}"
"""Where `make build` compiles the library."""
LEFT_OUT = {"__pycache__", "_native", "js", "labextension"}
"""Folders that the wheel leaves out, or gets from the build."""
ENVIRONMENT = {
    "PYTHONPATH": str(STAGED),
    "SKBUILD_EDITABLE_SKIP": str(BUILD),  # else the finder of an editable install comes first
}


def sources(package: Path) -> Iterator[Path]:
    """Yield the files of the package that are not built."""
    for folder, folders, files in os.walk(package):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        yield from (Path(folder, name) for name in files)
    yield package / "_native" / "__init__.py"


def copy(package: Path, target: Path) -> int:
    """Make the files in `target` those of the package; return how many were written or removed."""
    changes = 0
    wanted = {path.relative_to(package): path for path in sources(package)}
    for name, path in wanted.items():
        there, now = target / name, path.stat()
        if there.is_file() and (there.stat().st_mtime_ns, there.stat().st_size) == (
            now.st_mtime_ns,
            now.st_size,
        ):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, there)
        changes += 1
    for path in list(sources(target)):
        if path.relative_to(target) not in wanted and path.exists():
            path.unlink()
            changes += 1
    for folder, *_ in sorted(os.walk(target), reverse=True):  # an empty one could still be imported
        if set(os.listdir(folder)) <= {"__pycache__"}:
            shutil.rmtree(folder)
    return changes


def native() -> None:
    """Compile what changed, and install it."""
    if not (BUILD / "CMakeCache.txt").exists():
        raise SystemExit(f"{BUILD.relative_to(ROOT)}: nothing built there yet. Run `make build` once.")
    subprocess.run(["cmake", "--build", BUILD], check=True)
    install = ["cmake", "--install", BUILD, "--prefix", STAGED / "amp_lab" / "_native", "--component"]
    for component in ("amp_runtime", "amp_devel"):
        subprocess.run([*install, component], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    native()
    print(f"{copy(ROOT / 'amp_lab', STAGED / 'amp_lab')} Python files copied")
