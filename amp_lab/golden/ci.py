"""Blessing under continuous integration, where goldens must not be changed by accident."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from amp_lab.errors import plain

from . import folders
from .verdict import GoldenError

_LOG = logging.getLogger(__name__)
_OFF = ("", "0", "false", "no", "off")


def is_set() -> bool:
    """Return whether the environment variable `CI` is set."""
    return os.environ.get("CI", "").casefold() not in _OFF


def require_allowed(where: str, root: Path, goldens: str | Path | None, allow_ci: bool) -> str:
    """Return a note about writing to a folder of cases under CI; empty elsewhere.

    Parameters
    ----------
    where : str
        Name of the call, for errors.
    root : Path
        The folder of cases.
    goldens : path or None
        The folder that the caller named.
    allow_ci : bool
        Whether a folder that was found by search may be written.

    Raises
    ------
    GoldenError
        If the folder may not be written.
    """
    if not is_set():
        return ""
    named = folders.is_named(goldens)
    if not named and not allow_ci:
        cure = "Bless where you can listen and commit. Or name the folder, or use allow_ci=True (--allow-ci)."
        raise GoldenError(f"{where}: nothing is blessed under CI (got the folder {plain(root, 200)}). {cure}")
    why = "the folder was named" if named else "it was allowed"
    said = f"blessed under CI in {plain(root, 200)}, as {why}"
    _LOG.info("%s: %s", where, said)
    return said
