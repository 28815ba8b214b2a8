"""Blessing under continuous integration, where goldens are checked and not to be changed unawares."""

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
    """Whether the environment says that this is continuous integration: `CI`."""
    return os.environ.get("CI", "").casefold() not in _OFF


def require_allowed(where: str, root: Path, goldens: str | Path | None, allow_ci: bool) -> str:
    """Return what is to be said about writing to a folder of cases under CI; empty elsewhere.

    Parameters
    ----------
    where : str
        The call, for errors.
    root : Path
        The folder that was found.
    goldens : path or None
        The folder that was named.
    allow_ci : bool
        Whether a folder that was searched for may be written.

    Raises
    ------
    GoldenError
        It may not.
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
