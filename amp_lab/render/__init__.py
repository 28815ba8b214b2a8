"""Renders and sessions of a graph: what is asked for, where it runs, what comes back."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amp_lab.render.render import (
        Heat,
        NodeMetrics,
        Progress,
        Render,
        RenderParts,
        RenderRequest,
        Trace,
        allocate_here,
        render_in_process,
    )

__all__ = [
    "Heat",
    "NodeMetrics",
    "Progress",
    "Render",
    "RenderParts",
    "RenderRequest",
    "Trace",
    "allocate_here",
    "render_in_process",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the modules of this room import each other by path."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("amp_lab.render.render"), name)
