"""amp_lab: build an audio graph, render it natively, look at it, hold it against a golden."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from amp_lab import moved
from amp_lab.common.provided import provide
from amp_lab.errors import (
    AmpError,
    BlobError,
    CycleError,
    DriftError,
    FileError,
    GraphError,
    InternalError,
    InvalidArgument,
    IsolationWarning,
    NativeCrash,
    NativeLibraryMissing,
    NativeLibraryStale,
    NonFiniteError,
    OutOfMemory,
    Pending,
    RingFull,
    ShapeError,
    ThermalError,
    Unsupported,
    Violation,
    WorkerUnavailable,
)

if TYPE_CHECKING:
    from amp_lab import analysis, catalog, golden, measure, options, plots, presets, widgets
    from amp_lab.common.version import __version__
    from amp_lab.graph.graph import Graph
    from amp_lab.graph.records.curves import ControlHistory, Curve, performance
    from amp_lab.graph.records.json_values import array
    from amp_lab.graph.records.values import batch, curve, samples
    from amp_lab.plan.plan import Plan
    from amp_lab.plan.schedule import Schedule
    from amp_lab.render.render import Render
    from amp_lab.render.session import Session
    from amp_lab.widgets.editor import editor
    from amp_lab.widgets.live import live
    from amp_lab.widgets.panel import panel
    from amp_lab.widgets.scope import scope
    from amp_lab.widgets.spectra import spectrogram, spectrum
    from amp_lab.widgets.thermo import thermo
    from amp_lab.widgets.timeline import timeline
    from amp_lab.widgets.workbench import lab

    load = Graph.load

_MODULES = (
    "analysis",
    "catalog",
    "diagnostics",
    "golden",
    "measure",
    "options",
    "plots",
    "presets",
    "widgets",
)
_NAMES = {
    "ControlHistory": "graph.records.curves",
    "Curve": "graph.records.curves",
    "performance": "graph.records.curves",
    "Graph": "graph.graph",
    "Plan": "plan.plan",
    "Render": "render.render",
    "Schedule": "plan.schedule",
    "Session": "render.session",
    "array": "graph.records.json_values",
    "batch": "graph.records.values",
    "curve": "graph.records.values",
    "samples": "graph.records.values",
    "__version__": "common.version",
    "editor": "widgets.editor",
    "lab": "widgets.workbench",
    "live": "widgets.live",
    "panel": "widgets.panel",
    "scope": "widgets.scope",
    "spectrogram": "widgets.spectra",
    "spectrum": "widgets.spectra",
    "thermo": "widgets.thermo",
    "timeline": "widgets.timeline",
}

__all__ = [
    "AmpError",
    "BlobError",
    "ControlHistory",
    "Curve",
    "CycleError",
    "DriftError",
    "FileError",
    "Graph",
    "GraphError",
    "InternalError",
    "InvalidArgument",
    "IsolationWarning",
    "NativeCrash",
    "NativeLibraryMissing",
    "NativeLibraryStale",
    "NonFiniteError",
    "OutOfMemory",
    "Pending",
    "Plan",
    "Render",
    "RingFull",
    "Schedule",
    "Session",
    "ShapeError",
    "ThermalError",
    "Unsupported",
    "Violation",
    "WorkerUnavailable",
    "__version__",
    "analysis",
    "array",
    "batch",
    "catalog",
    "curve",
    "diagnostics",
    "editor",
    "golden",
    "lab",
    "live",
    "load",
    "measure",
    "options",
    "panel",
    "performance",
    "plots",
    "presets",
    "samples",
    "scope",
    "spectrogram",
    "spectrum",
    "thermo",
    "timeline",
    "widgets",
]


moved.install()
provide(
    {
        "Distortion.plot": "amp_lab.plots.responses:harmonics",
        "FrequencyResponse.plot": "amp_lab.plots.responses:response",
        "Loudness.plot": "amp_lab.plots.loudness_curves:loudness",
        "Spectrum.plot": "amp_lab.plots.spectra:spectrum_of",
        "SystemResponse.plot": "amp_lab.plots.responses:system_response",
        "progress.notebook_bar": "amp_lab.widgets.notebook_progress:bar",
    }
)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import amp_lab`` is fast."""
    if name in _MODULES:
        return importlib.import_module(f"amp_lab.{name}")
    if name == "load":
        value = importlib.import_module("amp_lab.graph.graph").Graph.load
    elif name in _NAMES:
        value = getattr(importlib.import_module(f"amp_lab.{_NAMES[name]}"), name)
    else:
        raise AttributeError(f"module 'amp_lab' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
