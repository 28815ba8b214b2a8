"""Functions that a lower package calls and a higher one implements, registered by name in the root package.

Measurements have a method ``plot()`` and long renders show a bar in a notebook, but their packages must not
import figures or widgets. They get the function here by name; its module is imported at the first call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

_places: dict[str, str] = {}


def provide(places: Mapping[str, str]) -> None:
    """Register functions: ``"module:function"`` by name."""
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
