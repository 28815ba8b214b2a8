"""Pieces that displays and reports share."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from importlib import resources
from typing import TypeVar

from amp_lab.errors import plain

T = TypeVar("T")


def attempt(what: str, do: Callable[[], T]) -> T | str:
    """Return the result of `do`; if it raises, a sentence to show in its place."""
    try:
        return do()
    except Exception as error:  # whatever it is, the rest of the page is shown
        return failure(what, error)


def failure(what: str, error: Exception) -> str:
    """Return the sentence that stands where something could not be shown."""
    why = plain(" ".join(str(error).split()) or "no reason given", 300)
    return f'<p class="fault">{html.escape(f"{what} is not shown. {type(error).__name__}: {why}")}</p>'


def style_sheet(name: str) -> str:
    """Return a style sheet of the package: each of its rules begins with the class of our own root."""
    return resources.files("amp_lab.export").joinpath(f"{name}.css").read_text(encoding="utf-8")


def stored_bytes(text: str) -> int:
    """Bytes that a text takes in the JSON of a notebook."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace"))
