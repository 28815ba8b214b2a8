"""Live sound: the browser plays a graph while it is edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from matplotlib.figure import Figure

from amp_lab import plots
from amp_lab.errors import AmpError
from amp_lab.graph.edits.states import Patch
from amp_lab.widgets.base import STATIC
from amp_lab.widgets.feed import Feed
from amp_lab.widgets.graphview import GraphView

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

PICTURE_S = 2.0
"""Seconds of sound that the picture shows."""


@dataclass(frozen=True)
class Heard:
    """Last report of the page: levels of the graph's sound before the volume, and state of the stream.

    ``peak`` and ``rms`` per channel (1 is full scale); ``latency_s``, seconds from an edit to the sound: ring
    and the browser's output latency; ``ring_s``, the part of the ring; ``underruns`` and the number of
    ``silent_frames`` they caused, in the ring and, if the browser counts them, in its output;
    ``limited_db``, attenuation by the limiter in dB.
    """

    frames: int
    peak: tuple[float, ...]
    rms: tuple[float, ...]
    latency_s: float
    ring_s: float
    underruns: int
    silent_frames: int
    limited_db: float


class Live(GraphView):
    """Sound of a graph in the browser: ``amp.live(g)``.

    A session of the graph runs in a worker process, and the page plays it. Edits, by code or in a view, are
    audible at once: values are set in the running session, other edits start a new session with a crossfade.
    Sound starts with a click on Start, since browsers require one; Stop acts in the page alone.

    Parameters
    ----------
    graph
        The model. Inputs without samples are silent.
    volume_db
        Volume, from -60 to 0 dB.
    muted
        Whether playback is silent; the session still runs.
    repeat
        Whether curves begin again at their end.

    Attributes
    ----------
    playing : bool
        Whether it sounds; may be set, True once the user has clicked in the page.
    heard : Heard or None
        Last report of the page.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> w = amp.live(g, volume_db=-20.0)
    >>> w.playing, w.muted, w.volume_db, w.heard
    (False, False, -20.0, None)
    >>> w.figure().axes[0].get_xlabel()
    'time (s)'
    >>> w.stop()
    """

    _esm = STATIC / "live.js"
    _css = STATIC / "live.css"
    _public: ClassVar[tuple[str, ...]] = ("playing", "muted", "volume_db", "repeat")
    height = traitlets.Int(132, min=40, max=4000).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)
    volume_db = traitlets.Float(-12.0, min=-60.0, max=0.0).tag(sync=True)
    repeat = traitlets.Bool(True).tag(sync=True)
    sample_rate = traitlets.Float().tag(sync=True)

    def __init__(self, graph: Graph, **traits: Any) -> None:
        self._feed: Feed | None = None
        self.heard: Heard | None = None
        super().__init__(graph, **traits)
        self.sample_rate = graph.sample_rate
        self.observe(self._switched, "playing")
        self.observe(self._repeated, "repeat")

    def figure(self) -> Figure:
        """Draw the first seconds of the sound."""
        try:
            return self.graph.render(seconds=PICTURE_S).waveform()
        except AmpError:
            return plots.graph(self.journal.state, name=self.graph.name)

    def stop(self) -> None:
        """End the sound."""
        self.playing = False
        self._end()

    def _release(self) -> None:
        super()._release()
        self._end()

    def _end(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            self.send_message("halted", run=feed.run)
            feed.close()

    def _switched(self, change: Any) -> None:
        if not change["new"]:
            self._end()
        elif self._feed is None:
            self.send_message("play")

    def _repeated(self, change: Any) -> None:
        if self._feed is not None:
            self._feed.repeat = change["new"]

    def _patched(self, patch: Patch) -> None:
        if (feed := self._feed) is not None:
            feed.patched(patch)

    def _ended(self, feed: Feed) -> None:
        if feed is self._feed:
            self.stop()

    # ---- messages ----

    def _on_start(self, request: Mapping[str, Any]) -> None:
        self._end()
        self._feed = Feed(
            self.graph,
            self.send_message,
            self._ended,
            run=str(request["run"]),
            target=int(request["target"]),
            repeat=self.repeat,
        )
        self.playing = True

    def _on_played(self, request: Mapping[str, Any]) -> None:
        if (feed := self._feed) is None or feed.run != request["run"]:
            return
        feed.played(int(request["frames"]), int(request["target"]), bool(request["running"]))
        self.heard = Heard(
            frames=int(request["frames"]),
            peak=tuple(request["peak"]),
            rms=tuple(request["rms"]),
            latency_s=float(request["latency_s"]),
            ring_s=float(request["ring_s"]),
            underruns=int(request["underruns"]),
            silent_frames=int(request["silent_frames"]),
            limited_db=float(request["limited_db"]),
        )

    def _on_stop(self, request: Mapping[str, Any]) -> None:
        if self._feed is None or self._feed.run == request["run"]:
            self.stop()


def live(graph: Graph, **traits: Any) -> Live:
    """Play a graph in the browser while it is edited (see `Live`).

    Raises
    ------
    GraphError
        If it is no graph.

    Examples
    --------
    >>> amp.live(amp.presets.three_osc())
    Live of Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz
    >>> amp.live(amp.presets.three_osc(), volume=-20.0)
    Traceback (most recent call last):
        ...
    TypeError: Live: no such trait (got 'volume', allowed height | muted | playing | repeat | volume_db). Did
        you mean 'volume_db'?
    """
    return Live(graph, **traits)
