"""The parameter panel: all parameters of a graph, and a render after every edit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from matplotlib.figure import Figure

from amp_lab import plots
from amp_lab.analysis.clipping import clipping
from amp_lab.graph.edits.states import Patch
from amp_lab.graph.records.model import NodeRecord
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel import Pyramid
from amp_lab.widgets import edits
from amp_lab.widgets.base import STATIC, described
from amp_lab.widgets.graphview import GraphView
from amp_lab.widgets.latest import Latest, Stale

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph
    from amp_lab.render.render import Render

STRIP_COLUMNS = 600
PICTURE_S = 5.0
"""Seconds for which a picture waits for its render, at most."""
HEARD_S = 60.0
"""Seconds of sound that are sent to a page, at most."""
PROGRESS_AFTER_S, PROGRESS_EVERY_S = 0.3, 0.1
"""Seconds before a render first shows its progress, and seconds between updates."""


class _Superseded(Exception):  # noqa: N818 - nothing went wrong
    """A newer render was asked for."""


class Panel(GraphView):
    """Panel of a graph's parameters: ``amp.panel(g)``.

    Every edit of the graph, by code or in a view, starts a render; a render of an older state is stopped.

    Parameters
    ----------
    graph
        The model.
    seconds
        Length of the render.
    auto
        Whether every edit starts a render.
    heat, trace
        Whether renders compute heat and record firings, for widgets that follow the panel.
    taps
        Nodes whose signals are kept too; names that the graph does not have are left out.

    Attributes
    ----------
    values : dict
        Numbers and choices by ``"node.key"``; may be set.
    render : Render or None
        The newest one.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine(amplitude=0.5))
    >>> w = amp.panel(g, seconds=0.1)
    >>> w.wait().peak
    0.5
    >>> w.on_render(lambda render: print("rendered, peak", render.peak))
    >>> w.values = w.values | {"sine.amplitude": 0.25}
    >>> render = w.wait()
    rendered, peak 0.25
    >>> w.close()
    """

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"
    _public: ClassVar[tuple[str, ...]] = ("values", "seconds", "auto", "heat", "trace", "taps")
    height = traitlets.Int(520, min=120, max=4000).tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    seconds = traitlets.Float(1.0, min=0.001, max=3600.0).tag(sync=True)
    auto = traitlets.Bool(True).tag(sync=True)
    heat = traitlets.Bool(False)
    trace = traitlets.Bool(False)
    taps = traitlets.List(traitlets.Unicode())

    def __init__(self, graph: Graph, **traits: Any) -> None:
        super().__init__(graph, **traits)
        self.render: Render | None = None
        self._listeners: list[Callable[[Render], object]] = []
        self._latest = Latest(self._work)
        self.values = self._present()
        self.observe(self._set, "values")
        self.observe(lambda _: self._latest.ask(), ["seconds", "heat", "trace", "taps"])
        self._latest.ask()

    def on_render(self, listener: Callable[[Render], object]) -> None:
        """Call ``listener(render)`` with every new render, in the panel's thread."""
        self._listeners.append(listener)

    def off_render(self, listener: Callable[[Render], object]) -> None:
        """Stop calling a listener; one that is not there is ignored.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> w = amp.panel(g, seconds=0.1)
        >>> renders = []
        >>> w.on_render(renders.append)
        >>> w.off_render(renders.append)
        >>> w.wait().seconds
        0.1
        >>> w.close()
        """
        self._listeners = [known for known in self._listeners if known != listener]

    def wait(self, timeout_s: float | None = None) -> Render | None:
        """Wait until the newest edit is rendered; returns the render."""
        self._latest.wait(timeout_s)
        return self.render

    def figure(self) -> Figure:
        """Draw the render of the graph as it is now.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> w = amp.panel(g, seconds=0.01)
        >>> w.figure().axes[0].get_xlabel()
        'time (ms)'
        >>> w.close()
        """
        self._wait_for_picture()
        if self.render is None:
            return plots.graph(self.journal.state, name=self.graph.name)
        return self.render.waveform()

    def _wait_for_picture(self) -> None:
        self.wait(PICTURE_S)

    def _release(self) -> None:
        super()._release()
        self._latest.close()
        self._listeners.clear()

    # ---- values ----

    def _present(self) -> dict[str, Any]:
        return {
            f"{name}.{key}": value
            for name, record in self.journal.state.nodes.items()
            for key, value in _plain(self.graph, record).items()
        }

    def _set(self, change: Any) -> None:
        """Set the graph's parameters to ``values`` that were set in Python or linked from another widget."""
        present = self._present()
        ops = [
            {"op": "set", "node": place.rpartition(".")[0], "params": {place.rpartition(".")[2]: value}}
            for place, value in change["new"].items()
            if place not in present or present[place] != value
        ]
        try:
            if ops:
                edits.apply(self.graph, ops)
        finally:
            self.values = self._present()

    def _patched(self, patch: Patch) -> None:
        super()._patched(patch)
        if patch.nodes:
            self.values = self._present()
        if self.auto and (patch.nodes or patch.edges or patch.modulations or patch.attributes):
            self._latest.ask()

    # ---- rendering ----

    def _work(self, stale: Stale) -> None:
        """Render once; errors are shown in the views, and the thread continues."""
        try:
            self._render(stale)
        except _Superseded:
            if self._latest.cancelled:
                self.send_message("stopped")
        except Exception as error:
            self.send_message("unrendered", **described(error))

    def _render(self, stale: Stale) -> None:
        version, start = self.journal.version, time.perf_counter()
        shown = start + PROGRESS_AFTER_S - PROGRESS_EVERY_S

        def progress(done: int, frames: int) -> None:
            nonlocal shown
            if stale():
                raise _Superseded
            if (now := time.perf_counter()) - shown >= PROGRESS_EVERY_S:
                shown = now
                self.send_message("progress", done=done, frames=frames)

        render = self.graph.render(
            seconds=self.seconds,
            taps=[name for name in self.taps if name in self.graph],
            heat=self.heat,
            trace=self.trace,
            progress=progress,
        )
        self.render = render
        self._show(render, version, time.perf_counter() - start)
        for listener in tuple(self._listeners):
            listener(render)

    def _show(self, render: Render, version: int, seconds: float) -> None:
        channels = render.audio[0][:2]
        columns = min(STRIP_COLUMNS, render.frames)
        strips = [Pyramid.build(channel).query(0, render.frames, columns) for channel in channels if columns]
        self.send_message(
            "rendered",
            [np.stack(strip, axis=1).astype("<f4").tobytes() for strip in strips],
            digest=render.digest,
            version=version,
            frames=render.frames,
            sample_rate=render.sample_rate,
            clips=clipping(render.audio).text,
            peak=render.peak,
            gain=_gain(sound(render)),
            heard_s=sound(render).shape[1] / render.sample_rate,
            render_s=seconds,
        )

    # ---- messages ----

    def _on_stop(self, _: Mapping[str, Any]) -> None:
        self._latest.cancel()

    def _on_render(self, _: Mapping[str, Any]) -> None:
        self._latest.ask()

    def _on_sound(self, request: Mapping[str, Any]) -> None:
        render = self.render
        heard = np.zeros((0, 0)) if render is None else sound(render)
        buffers = [np.ascontiguousarray(channel, dtype="<f4").tobytes() for channel in heard]
        rate = self.graph.sample_rate if render is None else render.sample_rate
        self.send_message("sound", buffers, id=request.get("id"), sample_rate=rate, gain=_gain(heard))

    def _on_curves(self, request: Mapping[str, Any]) -> None:
        plan = self.graph.compile()
        self.send_message("curves", id=request.get("id"), names=list(plan.curves))


def sound(render: Render) -> Samples:
    """Return the sound that a page plays: the first two channels of the first batch, 60 s at most."""
    heard: Samples = render.audio[0][:2, : round(HEARD_S * render.sample_rate)]
    return heard


def _gain(heard: Samples) -> float:
    """Return the gain that brings a sound within full scale; 1 if it is within."""
    return 1.0 / max(1.0, clipping(heard[np.newaxis]).peak)


def _plain(graph: Graph, record: NodeRecord) -> dict[str, Any]:
    """Return numbers, integers and choices of a node, defaults too."""
    contract = graph.contract(record.name)
    values = {p.key: record.values.get(p.key, p.default) for p in contract.params if p.kind != "text"}
    return {key: value for key, value in values.items() if isinstance(value, int | float | str)}


def panel(graph: Graph, **traits: Any) -> Panel:
    """Show the parameters of a graph in a panel (see `Panel`).

    Raises
    ------
    GraphError
        If it is no graph.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine(amplitude=0.5))
    >>> w = amp.panel(g, seconds=0.1)
    >>> w.values["sine.amplitude"]
    0.5
    >>> w.close()
    """
    return Panel(graph, **traits)
