"""Compiled plans and schedules of graphs, and both as text."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amp_lab.plan.plan import Plan

__all__ = ["Plan"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the modules of this room import each other by path."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("amp_lab.plan.plan"), name)
