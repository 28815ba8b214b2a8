"""Names of cases that are the same folder on every system, in every clone."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

from amp_lab.errors import plain, quoted

from . import contents
from .verdict import GoldenError

MOST_BYTES = 100
FORBIDDEN = '<>:"/\\|?*'
RESERVED = {
    *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"),
    *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"),
}
"""Devices of Windows, with any ending."""
EVERY = "all"
"""What `verify` takes for every case."""


def require_portable(name: Any, root: Path) -> str:
    """Return a name that a folder may have on any system and that no other entry is taken for.

    Raises
    ------
    GoldenError
        It is none, with what is wrong and what to do.
    """
    problem = _problem(name)
    if problem:
        raise GoldenError(f"golden name: {problem} Rename it: for example 'osc_saw'.")
    try:
        others = [other for other in os.listdir(root) if other != name and _key(other) == _key(name)]
    except OSError as error:
        cure = "Name a folder that you may read."
        raise GoldenError(f"{plain(root, 200)}: {error.strerror or error}. {cure}") from None
    if others:
        what = f"is the same as {quoted(others[0])} on some systems (got {quoted(name)})"
        raise GoldenError(f"golden name: {what}. Use that name, or one that differs in its letters.")
    return str(name)


def _key(name: str) -> str:
    """Return a name as a file system compares it that ignores case and normalises characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _problem(name: Any) -> str:
    got = f"got {quoted(name)}"
    if not isinstance(name, str) or not name:
        return f"not usable as a folder ({got}, allowed text)."
    if not name.isprintable():
        return f"not usable as a folder ({got}, allowed printable characters)."
    if bad := next((character for character in name if character in FORBIDDEN), ""):
        return f"not usable as a folder ({got}: {bad!r} is none of the characters allowed on every system)."
    if name[0] in "._ ":
        return f"not usable as a folder ({got}: begins with {name[0]!r}, as hidden and other folders do)."
    if name[-1] in ". ":
        return f"not usable as a folder ({got}: ends with {name[-1]!r}, which Windows drops)."
    if len(name.encode()) > MOST_BYTES:
        return f"too long ({got}: {len(name.encode())} bytes of UTF-8, allowed {MOST_BYTES})."
    if name.split(".")[0].rstrip().upper() in RESERVED:
        return f"is the name of a device on Windows ({got})."
    if contents.is_junk(name):
        return f"is a name that editors and systems give to what they leave ({got})."
    return f"stands for every case ({got})." if name == EVERY else ""
