"""Checks of plain arguments: the errors say where, what was given, what is allowed and what to do."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amp_lab.errors import GraphError

LARGEST = 2**31 - 1
"""Largest whole number of most arguments."""
LONGEST = 2**63 - 1
"""Largest number of frames."""


def whole(where: str, value: Any, low: int = 0, high: int = LARGEST) -> int:
    """Return a whole number from ``low`` to ``high``; bool is none.

    Raises
    ------
    GraphError
        If it is something else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        allowed = f"whole numbers >= {low}" if number < low else f"whole numbers from {low} to {high}"
        raise GraphError(f"{where}: not allowed (got {value!r:.60}, allowed {allowed}). Give an int.")
    return number


def real(where: str, value: Any, allowed: str = "a finite number") -> float:
    """Return a finite number; bool and text are none.

    Raises
    ------
    GraphError
        If it is something else.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value)):
        raise GraphError(f"{where}: not a number (got {value!r:.60}, allowed {allowed}). Give a float.")
    return float(value)


def flag(where: str, value: Any) -> bool:
    """Return True or False.

    Raises
    ------
    GraphError
        If it is something else.
    """
    if not isinstance(value, bool):
        raise GraphError(f"{where}: not allowed (got {value!r:.60}, allowed True | False). Give one of them.")
    return value


def names(where: str, value: Any) -> tuple[str, ...]:
    """Return texts given as a list or tuple.

    Raises
    ------
    GraphError
        If it is something else; one text alone is.
    """
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(n, str) for n in value)
    ):
        raise GraphError(
            f"{where}: not allowed (got {value!r:.60}, allowed a list of names). Write ['name', ...]."
        )
    return tuple(value)


def target(where: str, path: str | Path) -> Path:
    """Return the path of a file to write.

    Raises
    ------
    GraphError
        If its folder is missing, or it is a folder itself.
    """
    file = Path(path)
    if not file.parent.is_dir():
        raise GraphError(f"{where}: no folder {str(file.parent)!r} (got {str(file)!r}). Make it first.")
    if file.is_dir():
        raise GraphError(f"{where}: is a folder (got {str(file)!r}, allowed a file). Add a file name.")
    return file
