"""Functions that a lower room calls and a higher one has: the root package says where each is.

A measurement draws itself with ``plot()`` and a long render shows a bar in a notebook, but neither room may
import figures or widgets. Each asks here by name; what it gets is imported at the first call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

_places: dict[str, str] = {}


def provide(places: Mapping[str, str]) -> None:
    """Say where functions are: ``"module:function"`` by name."""
    _places.update(places)


def provided(name: str) -> Callable[..., Any]:
    """Return a function by the name it was provided under.

    Raises
    ------
    KeyError
        If nothing was provided under it.
    """
    module, _, function = _places[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
