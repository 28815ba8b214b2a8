"""Finding the `goldens/` folder: argument, `AMP_GOLDENS`, nearest `pyproject.toml`, then a folder upward."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from amp_lab import regular_files
from amp_lab.errors import FileError, plain, quoted

from .verdict import GoldenError


def _configured(folder: Path, tried: list[str]) -> Path | None:
    """Return `[tool.amp_lab] goldens` of the nearest `pyproject.toml`, resolved against it."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            value = _setting(file)
            tried.append(f"[tool.amp_lab] goldens in {file}: " + (repr(value) if value else "not set"))
            return parent / value if value else None
    tried.append(f"pyproject.toml from {folder} upward: none")
    return None


def _setting(file: Path) -> str | None:
    """Return `[tool.amp_lab] goldens` of a `pyproject.toml`."""
    cure = "Mend it, or name the folder with AMP_GOLDENS."
    try:
        value: Any = tomllib.loads(regular_files.read_text(file, regular_files.MIB, cure))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{plain(file, 200)}: not TOML ({error}). {cure}") from None
    for key in ("tool", "amp_lab", "goldens"):
        value = value.get(key) if isinstance(value, dict) else None
    if value is not None and not isinstance(value, str):
        got = f"got {quoted(value)}, allowed the path of a folder"
        raise FileError(f"{plain(file, 200)}: tool.amp_lab.goldens: no path ({got}). {cure}")
    return value


def _upward(folder: Path) -> Path | None:
    candidates = (parent / "goldens" for parent in (folder, *folder.parents))
    return next((path for path in candidates if path.is_dir()), None)


def project(root: Path) -> Path:
    """Return the folder of the project that a folder of cases belongs to: with `.git` or `pyproject.toml`.

    A folder of cases outside of projects is one by itself.
    """
    real = Path(os.path.realpath(root))
    marks = (".git", "pyproject.toml")
    above = (parent for parent in (real, *real.parents) if any(os.path.lexists(parent / m) for m in marks))
    return next(above, real)


def find(goldens: str | Path | None = None, start: Path | None = None) -> Path:
    """Return the folder that holds the cases.

    Parameters
    ----------
    goldens : path, optional
        Taken as it is.
    start : Path, optional
        Where the search upward begins; default the working directory.

    Raises
    ------
    GoldenError
        Nothing found; the text lists everything tried.
    FileError
        A `pyproject.toml` in the way cannot be read.
    """
    folder = (start or Path.cwd()).resolve()
    tried: list[str] = []
    chosen = Path(goldens) if goldens is not None else None
    tried.append(f"goldens= argument: {goldens!s}" if goldens is not None else "goldens= argument: not given")
    if chosen is None:
        value = os.environ.get("AMP_GOLDENS")
        tried.append(f"AMP_GOLDENS: {value or 'not set'}")
        chosen = Path(value) if value else _configured(folder, tried)
    if chosen is None:
        chosen = _upward(folder)
        tried.append(f"a goldens folder from {folder} upward: {chosen or 'none'}")
    if chosen is not None and chosen.is_dir():
        return chosen.resolve()
    lines = "\n".join(f"  {line}" for line in tried)
    raise GoldenError(
        f"goldens: folder not found (tried, in this order:\n{lines}). Create it or set AMP_GOLDENS."
    )
