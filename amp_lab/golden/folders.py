"""Finding the `goldens/` folder: argument, `AMP_GOLDENS`, nearest `pyproject.toml`, then a folder upward."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from amp_lab.common import regular_files
from amp_lab.errors import FileError, plain, quoted

from .verdict import GoldenError


def _configured(folder: Path, tried: list[str]) -> Path | None:
    """Return `[tool.amp_lab] goldens` of the nearest `pyproject.toml`, resolved against it."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if os.path.lexists(file):
            value = _setting(file)
            tried.append(
                f"[tool.amp_lab] goldens in {plain(file, 200)}: " + (quoted(value) if value else "not set")
            )
            return parent / value if value else None
    tried.append(f"pyproject.toml from {plain(folder, 200)} upward: none")
    return None


def _setting(file: Path) -> str | None:
    """Return `[tool.amp_lab] goldens` of a `pyproject.toml`."""
    cure = "Correct it, or name the folder with AMP_GOLDENS."
    try:
        value: Any = tomllib.loads(regular_files.read_text(file, regular_files.MIB, cure))
    except FileError:
        raise
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: a number of too many digits
        raise FileError(f"{plain(file, 200)}: not TOML ({plain(error, 200)}). {cure}") from None
    tools = value.get("tool")
    table = tools.get("amp_lab", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        got = f"got {quoted(table)}, allowed a table with goldens"
        raise FileError(f"{plain(file, 200)}: tool.amp_lab: no table ({got}). {cure}")
    value = table.get("goldens")
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


def _chosen(goldens: str | Path | None, start: Path | None, tried: list[str]) -> Path | None:
    """Return the folder that is named or found, which need not exist; append to `tried` what was tried."""
    tried.append("goldens= argument: " + ("not given" if goldens is None else plain(goldens, 200)))
    if goldens is not None:
        return Path(goldens)
    value = os.environ.get("AMP_GOLDENS")
    tried.append(f"AMP_GOLDENS: {plain(value, 200) if value else 'not set'}")
    if value:
        return Path(value)
    folder = (start or Path.cwd()).resolve()
    chosen = _configured(folder, tried)
    if chosen is None:
        chosen = _upward(folder)
        tried.append(f"a goldens folder from {plain(folder, 200)} upward: {plain(chosen or 'none', 200)}")
    return chosen


def is_named(goldens: str | Path | None = None) -> bool:
    """Whether `find` takes a folder that was named, by argument or `AMP_GOLDENS`, and does not search."""
    return goldens is not None or bool(os.environ.get("AMP_GOLDENS"))


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

    Examples
    --------
    >>> amp.golden.find().name
    'goldens'
    >>> amp.golden.find("nowhere")
    Traceback (most recent call last):
        ...
    amp_lab.golden.verdict.GoldenError: goldens: folder not found (tried, in this order:
      goldens= argument: nowhere). Create it or set AMP_GOLDENS.
    """
    tried: list[str] = []
    try:
        chosen = _chosen(goldens, start, tried)
        if chosen is not None and chosen.is_dir():
            return chosen.resolve()
    except FileError:
        raise
    except (
        OSError,
        ValueError,
    ) as error:  # of a path, or no working directory
        tried.append(f"gave up: {plain(error, 200)}")
    lines = "\n".join(f"  {line}" for line in tried)
    raise GoldenError(
        f"goldens: folder not found (tried, in this order:\n{lines}). Create it or set AMP_GOLDENS."
    )
