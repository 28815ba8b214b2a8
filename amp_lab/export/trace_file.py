"""A trace as a file for Perfetto and chrome://tracing (the Trace Event Format of Chromium)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amp_lab.common import atomic_files
from amp_lab.errors import GraphError

if TYPE_CHECKING:
    from amp_lab.render.render import Render


def events(render: Render) -> list[dict[str, Any]]:
    """Return the trace events of a render: one track per node, one slice per firing, times in microseconds.

    Raises
    ------
    GraphError
        If the render has no trace.

    Examples
    --------
    >>> from amp_lab.export import trace_file
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> events = trace_file.events(g.render(frames=64, trace=True))
    >>> [event["ph"] for event in events], events[-1]["args"]
    (['M', 'M', 'M', 'X', 'X'], {'first_frame': 0, 'frames': 64})
    """
    trace = render.trace
    if trace is None:
        raise GraphError(f"{render.name}: has no trace (got trace=False). Render it with trace=True.")
    types = {node["name"]: node["type"] for node in render.plan.info["nodes"]}
    process = {"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": render.name}}
    tracks = [
        {"ph": "M", "pid": 1, "tid": index + 1, "name": "thread_name", "args": {"name": name}}
        for index, name in enumerate(trace.nodes)
    ]
    slices = [
        {
            "ph": "X",
            "pid": 1,
            "tid": int(event["node"]) + 1,
            "name": trace.nodes[event["node"]],
            "cat": types[trace.nodes[event["node"]]],
            "ts": float(event["start_s"]) * 1e6,
            "dur": float(event["stop_s"] - event["start_s"]) * 1e6,
            "args": {"first_frame": int(event["first_frame"]), "frames": int(event["frames"])},
        }
        for event in trace.events
    ]
    return [process, *tracks, *slices]


def text(render: Render) -> str:
    """Return the trace of a render as the JSON text that the viewers open.

    Examples
    --------
    >>> from amp_lab.export import trace_file
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> trace_file.text(g.render(frames=64, trace=True))[:30]
    '{"traceEvents":[{"ph":"M","pid'
    >>> trace_file.text(g.render(frames=64))
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: beep: has no trace (got trace=False). Render it with trace=True.
    """
    return json.dumps({"traceEvents": events(render), "displayTimeUnit": "ns"}, separators=(",", ":"))


def save(render: Render, path: str | Path) -> Path:
    """Write the trace of a render for https://ui.perfetto.dev or chrome://tracing.

    Raises
    ------
    GraphError
        If the render has no trace, or the place cannot be written.

    Examples
    --------
    >>> from amp_lab.export import trace_file
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> trace_file.save(g.render(frames=64, trace=True), "beep.trace.json").name
    'beep.trace.json'
    """
    return atomic_files.write(path, text(render), f"{render.name}.trace")
