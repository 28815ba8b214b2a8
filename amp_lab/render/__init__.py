"""Renders and sessions of a graph: requests, processes in which they run, and results."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amp_lab.contracts import Progress
    from amp_lab.execution import Heat, RenderParts, RenderRequest, Trace, allocate_here, render_in_process
    from amp_lab.lowlevel import NodeMetrics
    from amp_lab.render.prepare import length, render_graph
    from amp_lab.render.render import Render
    from amp_lab.render.session import Session

_PLACES = {
    "Heat": "execution.results",
    "NodeMetrics": "lowlevel",
    "Progress": "contracts",
    "Render": "render.render",
    "RenderParts": "execution.results",
    "RenderRequest": "execution.request",
    "Session": "render.session",
    "Trace": "execution.results",
    "allocate_here": "execution.in_process",
    "length": "render.prepare",
    "render_graph": "render.prepare",
    "render_in_process": "execution.in_process",
}

__all__ = [
    "Heat",
    "NodeMetrics",
    "Progress",
    "Render",
    "RenderParts",
    "RenderRequest",
    "Session",
    "Trace",
    "allocate_here",
    "length",
    "render_graph",
    "render_in_process",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the modules of this room import each other by path."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"amp_lab.{_PLACES[name]}"), name)
