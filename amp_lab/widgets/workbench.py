"""The workbench: sound, editor, panel and views of one graph in one widget."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from ipywidgets import widget_serialization
from matplotlib.figure import Figure

from amp_lab.errors import GraphError, quoted
from amp_lab.graph.graph import Graph
from amp_lab.widgets import disk, open_files
from amp_lab.widgets.base import STATIC, Choice, View
from amp_lab.widgets.editor import Editor
from amp_lab.widgets.live import Live
from amp_lab.widgets.panel import Panel
from amp_lab.widgets.scope import Scope
from amp_lab.widgets.spectra import Spectrogram, Spectrum
from amp_lab.widgets.thermo import Thermo
from amp_lab.widgets.timeline import Timeline

if TYPE_CHECKING:
    from amp_lab.render.render import Render

STRIP = 42
"""Height of the live sound's bar, in pixels."""
VIEWS = ("scope", "spectrum", "spectrogram", "thermo", "timeline")


class Workbench(View):
    """Editor, panel, live sound and all views of a graph in one widget: ``amp.lab(g)``.

    Parameters
    ----------
    graph
        The model.
    seconds
        Length of the render.

    Attributes
    ----------
    live, editor, panel, scope, spectrum, spectrogram, thermo, timeline
        The widgets it consists of; each can also be shown separately.
    file : amp_lab.widgets.patchfile.PatchFile
        The file to which edits made in a view are saved.
    tab : str
        Name of the open view.

    Examples
    --------
    >>> g = amp.presets.three_osc()
    >>> w = amp.lab(g, seconds=0.1)
    >>> w.panel.wait().seconds
    0.1
    >>> w.tab = "timeline"
    >>> w.panel.trace, w.editor.graph is g
    (True, True)
    >>> w.figure().axes[0].get_title(loc="right")
    '16 nodes  ·  10 edges  ·  8 modulations'
    >>> w.close()
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
        self.graph, self.file = graph, self.editor.file
        self.live = Live(graph, height=STRIP)
        self.panel = Panel(graph, seconds=seconds, height=440)
        self.panel.on_render(self._rendered)
        traitlets.dlink((self.panel, "seconds"), (self.editor, "seconds"))
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
        """Set the panel to compute only the data of the open view."""
        self.panel.heat = self.tab == "thermo"
        self.panel.trace = self.tab == "timeline"

    def _hover(self, change: Any) -> None:
        self.editor.highlight = change["new"]

    def _select(self, change: Any) -> None:
        if change["new"] in self.graph:
            self.editor.selection = [change["new"]]


def lab(
    graph: Graph | str | os.PathLike[str] | None = None,
    *,
    save: str | os.PathLike[str] | None = None,
    **traits: Any,
) -> Workbench:
    """Open a graph in the workbench (see `Workbench`).

    Parameters
    ----------
    graph
        A graph; the path of a patch file (``"voice.amp.json"``), which is made with the first edit if there
        is none; or nothing, for an empty graph.
    save
        Patch file that keeps the edits made by hand in a view, as `PatchFile` says. If it holds edits of
        this very graph already, they are put on it, as one step of undo.

    Raises
    ------
    GraphError
        If it is no graph, or a path at which no patch file can be or is.

    Examples
    --------
    >>> w = amp.lab(amp.Graph(name="empty"))
    >>> w
    Workbench of Graph empty: 0 nodes, 0 edges, 0 modulations at 48000 Hz
    >>> w.close()
    >>> amp.lab("voice.wav")
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: lab: not a patch file (got 'voice.wav', allowed *.json). Give 'voice.amp.json'.
    """
    given: object = graph
    if graph is None or isinstance(graph, Graph):
        file = None if save is None else disk.writable_place("lab.save", save)
        kept = open_files.of(Graph() if graph is None else graph)
    elif isinstance(given, str | os.PathLike):
        if save is not None:
            raise GraphError(
                f"lab: two files (got {quoted(given)} and save={quoted(save)}). Give one of them."
            )
        file, kept = None, open_files.at(disk.place("lab", given))
    else:
        what = f"got {quoted(given)}, allowed a Graph, the path of a patch file, or nothing"
        raise GraphError(f"lab: not a graph ({what}). Write amp.lab(g).")
    if file is not None:
        kept.keep(file)
    return Workbench(kept.graph, **traits)
