"""The workbench: sound, editor, panel and views of one graph as one application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from ipywidgets import widget_serialization
from matplotlib.figure import Figure

from amp_lab.widgets.base import STATIC, Choice, View
from amp_lab.widgets.editor import Editor
from amp_lab.widgets.live import Live
from amp_lab.widgets.panel import Panel
from amp_lab.widgets.scope import Scope
from amp_lab.widgets.spectra import Spectrogram, Spectrum
from amp_lab.widgets.thermo import Thermo
from amp_lab.widgets.timeline import Timeline

if TYPE_CHECKING:
    from amp_lab.graph import Graph
    from amp_lab.render import Render

STRIP = 42
"""Height of the sound's strip, in pixels."""
VIEWS = ("scope", "spectrum", "spectrogram", "thermo", "timeline")


class Workbench(View):
    """Everything about a graph in one place: ``amp.lab(g)``.

    Parameters
    ----------
    graph
        The model.
    seconds
        Length of the render.

    Attributes
    ----------
    live, editor, panel, scope, spectrum, spectrogram, thermo, timeline
        The widgets it is made of; each can be shown elsewhere too.
    tab : str
        Which of the views is open.
    """

    _esm = STATIC / "workbench.js"
    _css = STATIC / "workbench.css"
    _public: ClassVar[tuple[str, ...]] = ("tab",)
    height = traitlets.Int(700, min=400, max=4000).tag(sync=True)
    tab = Choice(VIEWS, VIEWS[0]).tag(sync=True)
    parts = traitlets.Dict().tag(sync=True, **widget_serialization)

    def __init__(self, graph: Graph, *, seconds: float = 1.0, **traits: Any) -> None:
        self.editor = Editor(graph)
        super().__init__(**traits)
        self.graph = graph
        self.live = Live(graph, height=STRIP)
        self.panel = Panel(graph, seconds=seconds, height=440)
        self.panel.on_render(self._rendered)
        self.scope, self.spectrum = Scope(self.panel), Spectrum(self.panel)
        self.spectrogram = Spectrogram(self.panel)
        self.thermo, self.timeline = Thermo(self.panel), Timeline(self.panel)
        for view in (self.thermo, self.timeline):
            view.observe(self._hover, "hovered")
            view.observe(self._select, "selected")
        self.observe(self._opened, "tab")
        self._opened()
        self.parts = {name: getattr(self, name) for name in ("live", "editor", "panel", *VIEWS)}
        if self.panel.render is not None:
            self.editor.show(self.panel.render)

    def figure(self) -> Figure:
        """Draw the graph."""
        return self.editor.figure()

    def __repr__(self) -> str:
        return f"Workbench of {self.graph!r}"

    def _release(self) -> None:
        self.live.close()
        for part in (self.timeline, self.thermo, self.spectrogram, self.spectrum, self.scope, self.panel):
            part.close()
        self.editor.close()

    def _on_undo(self, _: Mapping[str, Any]) -> None:
        self.editor.undo()

    def _on_redo(self, _: Mapping[str, Any]) -> None:
        self.editor.redo()

    def _rendered(self, render: Render) -> None:
        self.editor.show(render)

    def _opened(self, _: Any = None) -> None:
        """Let the panel compute what the open view shows, and nothing else."""
        self.panel.heat = self.tab == "thermo"
        self.panel.trace = self.tab == "timeline"

    def _hover(self, change: Any) -> None:
        self.editor.highlight = change["new"]

    def _select(self, change: Any) -> None:
        if change["new"] in self.graph:
            self.editor.selection = [change["new"]]


def lab(graph: Graph, **traits: Any) -> Workbench:
    """Open a graph in the workbench (see `Workbench`).

    Raises
    ------
    GraphError
        If it is no graph.
    """
    return Workbench(graph, **traits)
