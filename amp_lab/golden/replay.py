"""Render a stored case from the texts of graph and controls, in a worker, with limits of time and memory."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from amp_lab.common import json_text, regular_files
from amp_lab.errors import FileError, WorkerUnavailable, plain, quoted
from amp_lab.graph.files import json_format
from amp_lab.graph.records.curves import ControlHistory

from . import contents
from .verdict import GoldenError

Done = TypeVar("Done")
MOST_STREAMS = 4096 * regular_files.MIB
"""Bytes of all node streams of a case, which are kept while it is compared."""
MOST_SECONDS = 600.0
"""Of one render of a case; `AMP_GOLDEN_TIMEOUT` is another limit."""
STANDSTILL_S = 60.0
"""Seconds in one firing after which a worker counts as hung; at most half the limit of the render."""


def limit_s() -> float:
    """Return the seconds one render of a case may take.

    Raises
    ------
    GoldenError
        `AMP_GOLDEN_TIMEOUT` is no such number.
    """
    text = os.environ.get("AMP_GOLDEN_TIMEOUT", "")
    try:
        value = float(text) if text else MOST_SECONDS
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise GoldenError(
            f"AMP_GOLDEN_TIMEOUT: no time (got {quoted(text)}, allowed above 0 s). Unset it, or give seconds."
        )
    return value


def _isolated(do: Callable[[Any], Done]) -> Done:
    """Call `do` with the isolation of `AMP_ISOLATION`; by default a worker, if the system supports workers.

    Raises
    ------
    WorkerUnavailable
        A worker was asked for, or has crashed before.
    """
    from amp_lab import isolate  # noqa: PLC0415 - comparing needs no engine
    from amp_lab.render.isolation import isolated  # noqa: PLC0415 - comparing needs no engine

    if os.environ.get("AMP_ISOLATION"):
        return isolated("auto", do)
    if isolate.supported() and not isolate.fallen_back():
        try:
            return do("process")
        except WorkerUnavailable as error:
            isolate.fall_back(error)
    return do("none")


def _clock(what: str) -> Callable[[int, int], None]:
    """Return what stops a render, called with its progress, once it has taken longer than it may."""
    limit, begun = limit_s(), time.monotonic()

    def check(done: int, total: int) -> None:
        if time.monotonic() - begun > limit:
            raise GoldenError(
                f"{what}: takes too long (got {limit:g} s for {done} of {total} frames, allowed {limit:g} s "
                "for all). Set AMP_GOLDEN_TIMEOUT to more seconds, or bless a shorter render."
            )

    return check


def sound(graph: Any, *, frames: int, batches: int, **options: Any) -> Any:
    """Return the Render of a graph, in a worker and within the limits of time."""
    from amp_lab.render import render_graph  # noqa: PLC0415 - comparing needs no engine

    chosen: dict[str, Any] = {"controls": None, "taps": (), "block_frames": None} | options
    return _isolated(
        lambda isolation: render_graph(
            graph,
            frames,
            batches=batches,
            isolation=isolation,
            trace=False,
            nonfinite="raise",
            out=None,
            heat=False,
            progress=_clock(graph.name),
            timeout_s=min(STANDSTILL_S, limit_s() / 2.0),
            **chosen,
        )
    )


def parts(name: str, request: Any) -> Any:
    """Return what a request renders to, in a worker and within the limits of time."""
    from amp_lab.render.isolation import run  # noqa: PLC0415 - comparing needs no engine

    standstill = min(STANDSTILL_S, limit_s() / 2.0)
    return _isolated(lambda isolation: run(request, isolation, _clock(name), timeout_s=standstill))


@dataclass(frozen=True, slots=True)
class StoredGraph:
    """The graph of a case and the controls it follows, as their files hold them.

    Attributes
    ----------
    case : str
        Name, for errors.
    graph_text : str
        JSON.
    controls_text : str or None
        JSON; None if the graph follows no curve.

    Examples
    --------
    >>> from amp_lab.golden.replay import StoredGraph
    >>> stored = StoredGraph("beep", amp.Graph(name="beep").to_json(), None)
    >>> stored.graph(), stored.controls()
    (Graph beep: 0 nodes, 0 edges, 0 modulations at 48000 Hz, None)
    """

    case: str
    graph_text: str
    controls_text: str | None

    @classmethod
    def of(cls, case: contents.OpenCase) -> StoredGraph:
        """Read both files of a case, which need not be those that were blessed.

        Examples
        --------
        >>> from amp_lab.golden import contents, replay
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine())
        >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
        >>> contents.read(case.folder, replay.StoredGraph.of).graph()
        Graph beep: 2 nodes, 1 edges, 0 modulations at 48000 Hz
        """
        controls = case.text(contents.CONTROLS) if contents.CONTROLS in case.names() else None
        return cls(case.name, case.text(contents.GRAPH), controls)

    def graph(self) -> Any:
        """Return the graph, made anew; it reads no sound file.

        Raises
        ------
        FileError
            With the file and the place inside.
        """
        from amp_lab.graph.graph import Graph  # noqa: PLC0415 - comparing needs no engine

        where = f"{plain(self.case)}/{contents.GRAPH}"
        data = json_text.read_json(self.graph_text, where=where)
        return json_format.from_dict(Graph, data, where=where)

    def controls(self) -> ControlHistory | None:
        """Return the curves, or None if there are none; `FileError` as for `graph`."""
        if self.controls_text is None:
            return None
        where = f"{plain(self.case)}/{contents.CONTROLS}"
        return ControlHistory.from_dict(json_text.read_json(self.controls_text, where=where), where=where)


def render(
    stored: StoredGraph,
    *,
    frames: int,
    batches: int,
    taps: bool = False,
    block_frames: int | None = None,
) -> Any:
    """Return the Render of a stored case.

    Parameters
    ----------
    stored : StoredGraph
    frames, batches : int
    taps : bool
        Keep the stream of every output port of every node.
    block_frames : int, optional
        Block size asked of the engine.

    Raises
    ------
    FileError
        The graph cannot be read, or its streams are more than `MOST_STREAMS`.
    GoldenError
        It takes longer than `limit_s`.
    NativeCrash
        The worker died, or stood still for `STANDSTILL_S`.
    """
    graph = stored.graph()
    if taps:
        size = channels_of(graph.compile().info) * frames * batches * 8
        if size > MOST_STREAMS:
            got = f"got {size} bytes of node streams, allowed {MOST_STREAMS}"
            raise FileError(
                f"{plain(stored.case)}: too much to be rendered again ({got}). Use a shorter render."
            )
    return sound(
        graph,
        frames=frames,
        batches=batches,
        controls=stored.controls(),
        taps=every_port(graph.compile().info) if taps else (),
        block_frames=block_frames,
    )


def channels_of(info: Any) -> int:
    """Return the channels of all output ports of a plan."""
    return sum(port["channels"] for node in info["nodes"] for port in node["outputs"])


def every_port(info: Any) -> tuple[str, ...]:
    """Return the taps of all output ports: `env` for the first of a node, `env.reset` for a further one."""
    ports = (
        (node["name"], i, port["port"]) for node in info["nodes"] for i, port in enumerate(node["outputs"])
    )
    return tuple(f"{name}.{port}" if i else name for name, i, port in ports)


def audio_of_batch(stored: StoredGraph, *, frames: int, batch: int) -> npt.NDArray[np.float64]:
    """Return one batch of a case rendered alone, `(1, C, N)`.

    Every array with a batch axis is cut to that batch; random sources get its number as batch offset.
    """
    graph: Any = stored.graph()
    for node in graph.nodes:
        tensors = {key: value for key, value in node.record.values.items() if _has_batches(value)}
        if _has_batches(node.record.samples):
            tensors["samples"] = node.record.samples
        if tensors:
            graph.set_params(node, {key: value[batch : batch + 1] for key, value in tensors.items()})
    for edge in graph.edges:
        if _has_batches(edge.tokens):
            graph.change(edge, tokens=edge.tokens[batch : batch + 1])
    first = sound(graph, frames=1, batches=1, controls=stored.controls())
    request = replace(first.request, frames=frames, batch_offset=batch)
    audio: npt.NDArray[np.float64] = parts(stored.case, request)["audio"]
    return audio


def _has_batches(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.shape[0] > 1
