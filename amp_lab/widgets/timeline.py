"""Schedule and delays: firings of the nodes, and declared against measured latencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from matplotlib.figure import Figure

from amp_lab.export import trace_file
from amp_lab.plots import delay_view
from amp_lab.widgets.base import STATIC, Choice
from amp_lab.widgets.renders import RenderView
from amp_lab.widgets.signals import BUFFER_BYTES

if TYPE_CHECKING:
    from amp_lab.render.render import Render
    from amp_lab.widgets.panel import Panel

_BAR = np.dtype([("row", "<u2"), ("frames", "<u2"), ("start", "<f4"), ("length", "<f4"), ("frame", "<f4")])
_FIRING = np.dtype([("node", "i8"), ("frames", "i8"), ("first", "i8"), ("begin", "f8"), ("end", "f8")])


class Timeline(RenderView):
    """Timeline of a render: ``amp.timeline(r)``.

    Parameters
    ----------
    source
        A render, or a panel whose newest render is followed. The schedule needs ``trace=True``.
    tab
        ``schedule``: firings in wall time. ``delays``: starts and latencies on virtual time.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> w = amp.timeline(g.render(frames=64, trace=True), tab="delays")
    >>> w.figure().axes[0].get_title(loc="left")
    'Delays'
    >>> w.trace_json()[:16]
    '{"traceEvents":['
    """

    _esm = STATIC / "timeline.js"
    _css = STATIC / "timeline.css"
    _public: ClassVar[tuple[str, ...]] = ("tab",)
    tab = Choice(("schedule", "delays"), "schedule").tag(sync=True)
    height = traitlets.Int(420, min=120, max=4000).tag(sync=True)

    def figure(self) -> Figure:
        """Draw the tab that is open."""
        return self.rendered().timeline(self.tab)

    def trace_json(self) -> str:
        """Return the trace as text for Perfetto and chrome://tracing."""
        return trace_file.text(self.rendered())

    def _on_plan(self, request: Mapping[str, Any]) -> None:
        render = self.render
        if render is None:
            self.send_message("plan", id=request.get("id"), version=self.version, empty=True)
            return
        info, trace = render.plan.info, render.trace
        rows = delay_view.rows_of(info, trace, render.metrics)
        wall_s = 0.0
        if trace is not None and trace.events.size:
            wall_s = float(trace.events["stop_s"].max() - trace.events["start_s"].min())
        self.send_message(
            "plan",
            id=request.get("id"),
            version=self.version,
            sample_rate=render.sample_rate,
            latency_frames=render.latency_frames,
            traced=trace is not None,
            dropped=0 if trace is None else trace.dropped,
            wall_s=wall_s,
            components=[component["nodes"] for component in info["components"]],
            nodes=[
                {
                    "name": row.names[0],
                    "type": node["type"],
                    "channels": node["channels"],
                    "start": row.start,
                    "latency": row.latency,
                    "ready": row.ready,
                    "loop": row.loop,
                    "gates": node["gates"],
                    "measured_start": row.measured_start,
                    "measured_latency": row.measured_latency,
                    "seconds": render.metrics[row.names[0]].seconds,
                }
                for row, node in zip(rows, info["nodes"], strict=True)
            ],
            rings=[vars(ring) | {"held": ring.held} for ring in delay_view.rings_of(info)],
            path=delay_view.path_of(info),
        )

    def _on_firings(self, request: Mapping[str, Any]) -> None:
        trace = None if self.render is None else self.render.trace
        first, last, columns = (
            float(request["first"]),
            float(request["last"]),
            max(1, int(request["columns"])),
        )
        found: Any = np.zeros(0, _FIRING)
        if trace is not None and trace.events.size:
            origin = trace.events["start_s"].min()
            begins, ends = trace.events["start_s"] - origin, trace.events["stop_s"] - origin
            seen = (ends > first) & (begins < last)
            found = np.zeros(int(seen.sum()), _FIRING)
            found["node"], found["begin"], found["end"] = trace.events["node"][seen], begins[seen], ends[seen]
            found["frames"], found["first"] = trace.events["frames"][seen], trace.events["first_frame"][seen]
        bars = len(found) * _BAR.itemsize <= BUFFER_BYTES
        nodes = 0 if self.render is None else len(self.render.plan.order)
        columns = max(1, min(columns, BUFFER_BYTES // max(nodes, 1)))
        data = _bars(found, first) if bars else _load(found, nodes, first, last, columns)
        self.send_message(
            "firings", [data], id=request.get("id"), version=self.version, bars=bars, count=len(found),
            first=first, last=last, columns=columns,
        )  # fmt: skip

    def _on_trace(self, request: Mapping[str, Any]) -> None:
        name = f"{self.rendered().name}.trace.json"
        self.send_message("trace", [self.trace_json().encode()], id=request.get("id"), name=name)


def _bars(events: Any, origin: float) -> bytes:
    """Every firing: row, frames, start and length in seconds from the origin, first frame."""
    bars = np.zeros(len(events), _BAR)
    bars["row"], bars["frame"] = events["node"], events["first"]
    bars["frames"] = np.minimum(events["frames"], 65_535)
    bars["start"], bars["length"] = events["begin"] - origin, events["end"] - events["begin"]
    return bars.tobytes()


def _load(events: Any, nodes: int, first: float, last: float, columns: int) -> bytes:
    """Share of its time that each node is busy, per column, as bytes (nodes, columns)."""
    width = (last - first) / columns
    column = np.clip(((events["begin"] - first) / width).astype(np.int64), 0, columns - 1)
    place = events["node"] * columns + column
    busy = np.bincount(place, events["end"] - events["begin"], minlength=nodes * columns)
    return bytes(np.clip(np.ceil(busy / width * 255), 0, 255).astype(np.uint8))


def timeline(source: Render | Panel, **traits: Any) -> Timeline:
    """Show the schedule and the delays of a render (see `Timeline`).

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> amp.timeline(g.render(frames=480, trace=True))
    Timeline of Render beep: 1 x 1 x 480 frames at 48000 Hz, peak 0.00 dBFS, sha256 ...
    """
    return Timeline(source, **traits)
