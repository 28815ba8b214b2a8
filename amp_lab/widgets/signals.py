"""Base of widgets that show signals: available and shown signals, fixed and followed renders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import traitlets

from amp_lab.common import arrays, checks
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel import Pyramid
from amp_lab.plots import style
from amp_lab.widgets.base import ENGINE, View
from amp_lab.widgets.panel import Panel

if TYPE_CHECKING:
    from amp_lab.render.render import Render

    Source: TypeAlias = Render | Panel | Samples | Mapping[str, Render]

BUFFER_BYTES = 20_000
"""Bytes that one zoom sends to a page, at most."""
LANES, SHOWN = 2, 8
"""Numbers of lanes and of signals that are shown at first."""


@dataclass(frozen=True, eq=False)
class Signal:
    """One channel: source, lane, samples (frames,) and their rate in Hz."""

    source: str
    lane: str
    samples: Samples
    sample_rate: float

    @property
    def name(self) -> str:
        """Name, unique among the signals of a widget."""
        return f"{self.source}: {self.lane}"

    @cached_property
    def pyramid(self) -> Pyramid:
        """Extremes of any span, computed at the first use."""
        return Pyramid.build(self.samples)


class SignalView(View):
    """A widget that shows signals of renders.

    Parameters
    ----------
    *sources
        Renders, renders by name, a panel (its newest render is followed) or arrays (frames,),
        (channels, frames) or (batches, channels, frames).
    sample_rate
        Of arrays, in Hz.

    Raises
    ------
    GraphError
        If a source is something else, or there is none.
    """

    _public: ClassVar[tuple[str, ...]] = ("signals", "view", "available")
    signals = traitlets.List(traitlets.Unicode()).tag(sync=True)
    available = traitlets.List(traitlets.Dict()).tag(sync=True)
    tappable = traitlets.List(traitlets.Unicode()).tag(sync=True)
    view = traitlets.List(traitlets.Float()).tag(sync=True)
    height = traitlets.Int(360, min=120, max=4000).tag(sync=True)

    def __init__(self, *sources: Source, sample_rate: float = 48_000.0, **traits: Any) -> None:
        name = type(self).__name__.lower()
        sample_rate = checks.sample_rate(f"{name}.sample_rate", sample_rate)
        found, panels = _sources(name, sources, sample_rate)
        super().__init__(**traits)
        self._tables: dict[str, list[Signal]] = found
        self._version = 0
        self._wanted: set[str] = set()
        self._offer()
        self._follows: list[tuple[Panel, Callable[[Render], None]]] = []
        for title, panel in panels:
            self._follow(title, panel)

    def hold(self, name: str = "held") -> None:
        """Keep the present signals of the first source under another name, to compare later ones with them.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine())
        >>> w = amp.scope(g.render(frames=480))
        >>> w.hold("before")
        >>> w.show(g.render(frames=960))
        >>> w.signals
        ['beep: output mono', 'before: output mono']
        >>> w.drop("before")
        >>> w.signals
        ['beep: output mono']
        """
        with ENGINE:
            first = next(iter(self._tables.values()))
            held = [Signal(name, s.lane, s.samples, s.sample_rate) for s in first]
            lanes = {signal.lane for signal in self.shown()}
            self._put(name, held)
            more = [s.name for s in held if s.lane in lanes and s.name not in self.signals]
            self.signals = [*self.signals, *more][:SHOWN]

    def tap(self, name: str) -> None:
        """Show the signals of a node too, from the next render of the panels that are followed.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.sine(), gain=0.5))
        >>> panel = amp.panel(g, seconds=0.01)
        >>> w = amp.scope(panel)
        >>> w.tap("sine")
        >>> panel.taps
        ['sine']
        >>> panel.close()
        """
        self._wanted.add(name)
        for panel, _ in self._follows:
            if name in panel.graph and name not in panel.taps:
                panel.taps = [*panel.taps, name]

    def drop(self, name: str = "held") -> None:
        """Remove a source; an unknown name is ignored."""
        with ENGINE:
            if self._tables.pop(name, None) is not None:
                self._offer()

    def show(self, render: Render, name: str | None = None) -> None:
        """Show another render; one of the same name is replaced."""
        with ENGINE:
            self._put(name or render.name, _of_render(name or render.name, render))

    def shown(self) -> list[Signal]:
        """Return the signals that are shown, in order.

        Examples
        --------
        >>> w = amp.scope({"a": amp.presets.three_osc().render(frames=480)})
        >>> [signal.name for signal in w.shown()]
        ['a: output left', 'a: output right']
        """
        known = {signal.name: signal for table in self._tables.values() for signal in table}
        return [known[name] for name in self.signals if name in known]

    def __repr__(self) -> str:
        every = [signal for table in self._tables.values() for signal in table]
        frames = max((signal.samples.size for signal in every), default=0)
        rates = ", ".join(f"{rate:g} Hz" for rate in sorted({signal.sample_rate for signal in every}))
        size = f"{style.count(len(every), 'signal')}, {style.count(frames, 'frame')} at {rates or 'no rate'}"
        return f"{type(self).__name__} of {', '.join(self._tables)}: {size}"

    # ---- how it works ----

    def _release(self) -> None:
        for panel, listener in self._follows:
            panel.off_render(listener)

    def _follow(self, title: str, panel: Panel) -> None:
        def listener(render: Render) -> None:
            self.show(render, title)
            with ENGINE:
                self._find_taps()

        self._follows.append((panel, listener))
        panel.on_render(listener)
        self._find_taps()

    def _find_taps(self) -> None:
        """List the nodes that can be tapped, and show the tapped ones that were rendered."""
        nodes = [node for panel, _ in self._follows for node in panel.graph.nodes]
        tapped = {name for panel, _ in self._follows for name in panel.taps}
        self.tappable = sorted({node.name for node in nodes if node.contract.outputs} - tapped)
        lanes = {entry["name"]: entry["lane"].split()[0] for entry in self.available}
        come = [name for name, tap in lanes.items() if tap in self._wanted and name not in self.signals]
        if come:
            self._wanted -= {lanes[name] for name in come}
            self.signals = [*self.signals, *come][:SHOWN]

    def _put(self, name: str, table: list[Signal]) -> None:
        self._tables[name] = table
        self._offer()

    def _offer(self) -> None:
        """Send the list of signals to the views, with a version by which views discard older data."""
        self._version += 1
        self.available = [
            {
                "name": signal.name,
                "source": signal.source,
                "lane": signal.lane,
                "frames": signal.samples.size,
                "sample_rate": signal.sample_rate,
                "version": self._version,
            }
            for table in self._tables.values()
            for signal in table
        ]
        known = {entry["name"] for entry in self.available}
        if any(name not in known for name in self.signals):
            self.signals = [name for name in self.signals if name in known]
        if not self.signals:
            lanes = list(dict.fromkeys(entry["lane"] for entry in self.available))[:LANES]
            self.signals = [entry["name"] for entry in self.available if entry["lane"] in lanes][:SHOWN]

    def _chosen(self, request: Mapping[str, Any]) -> list[Signal]:
        known = {signal.name: signal for table in self._tables.values() for signal in table}
        return [known[name] for name in request["signals"] if name in known]

    def _on_tap(self, request: Mapping[str, Any]) -> None:
        self.tap(str(request["name"]))

    def _on_hold(self, _: Mapping[str, Any]) -> None:
        self.hold()

    def _on_drop(self, _: Mapping[str, Any]) -> None:
        self.drop()


def _sources(
    where: str, sources: Sequence[Source], sample_rate: float
) -> tuple[dict[str, list[Signal]], list[tuple[str, Panel]]]:
    from amp_lab.render.render import Render  # noqa: PLC0415 - renders do not need widgets

    tables: dict[str, list[Signal]] = {}
    panels: list[tuple[str, Panel]] = []
    named: list[tuple[str | None, Any]] = []
    for source in sources:
        named += list(source.items()) if isinstance(source, Mapping) else [(None, source)]
    for name, source in named:
        if isinstance(source, Panel):
            render = source.wait()
            title = name or source.graph.name
        else:
            render = source if isinstance(source, Render) else None
            title = name or (render.name if render is not None else "signal")
        title = _free(title, tables)
        panels += [(title, source)] if isinstance(source, Panel) else []
        if isinstance(source, Panel) and render is None:
            tables[title] = []
        elif render is not None:
            tables[title] = _of_render(title, render)
        elif isinstance(source, np.ndarray) and source.size and source.ndim <= 3:
            tables[title] = _of_array(where, title, source, sample_rate)
        else:
            allowed = "renders, panels that have rendered, or arrays (batches, channels, frames)"
            raise GraphError(f"{where}: nothing to look at (got {quoted(source)}, allowed {allowed}).")
    if not tables:
        raise GraphError(f"{where}: nothing to look at (got no source). Pass a render: amp.{where}(r).")
    return tables, panels


def _free(name: str, taken: Mapping[str, object]) -> str:
    count, title = 1, name
    while title in taken:
        count += 1
        title = f"{name} {count}"
    return title


def _of_render(name: str, render: Render) -> list[Signal]:
    tables = {"output": render.audio, **render.taps}
    return [
        Signal(name, f"{tap} {style.signal_name(audio.shape, b, c)}", audio[b, c], render.sample_rate)
        for tap, audio in tables.items()
        for b in range(audio.shape[0])
        for c in range(audio.shape[1])
        if audio.shape[2]
    ]


def _of_array(where: str, name: str, array: Samples, sample_rate: float) -> list[Signal]:
    audio = arrays.samples(where, array, takes_scale=False)
    if audio.ndim == 2:
        cure = f"If it has {audio.shape[0]} channels give (batches, channels, frames): x[None]."
        arrays.check_not_transposed(where, audio.shape, cure)
    audio = audio.reshape((1,) * (3 - audio.ndim) + audio.shape)
    return [
        Signal(name, style.signal_name(audio.shape, b, c), audio[b, c], sample_rate)
        for b in range(audio.shape[0])
        for c in range(audio.shape[1])
    ]
