"""Rendering a stored case natively, from nothing but the texts of its graph and controls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab import graph_json, jsontext, regular_files
from amp_lab.control import ControlHistory
from amp_lab.errors import FileError, plain

from . import contents

MOST_STREAMS = 4096 * regular_files.MIB
"""Bytes of all node streams of a case, which are kept while it is compared."""


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
    """

    case: str
    graph_text: str
    controls_text: str | None

    @classmethod
    def of(cls, case: contents.OpenCase) -> StoredGraph:
        """Read both files of a case, which need not be those that were blessed."""
        controls = case.text(contents.CONTROLS) if contents.CONTROLS in case.names() else None
        return cls(case.name, case.text(contents.GRAPH), controls)

    def graph(self) -> Any:
        """Return the graph, made anew; it reads no sound file.

        Raises
        ------
        FileError
            With the file and the place inside.
        """
        where = f"{plain(self.case)}/{contents.GRAPH}"
        data = jsontext.read_json(self.graph_text, where=where)
        return graph_json.from_dict(data, where=where)

    def controls(self) -> ControlHistory | None:
        """Return the curves, or None if there are none; `FileError` as for `graph`."""
        if self.controls_text is None:
            return None
        where = f"{plain(self.case)}/{contents.CONTROLS}"
        return ControlHistory.from_dict(jsontext.read_json(self.controls_text, where=where), where=where)


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
    """
    graph = stored.graph()
    if taps:
        nodes = graph.compile().info["nodes"]
        channels = sum(port["channels"] for node in nodes for port in node["outputs"])
        size = channels * frames * batches * 8
        if size > MOST_STREAMS:
            got = f"got {size} bytes of node streams, allowed {MOST_STREAMS}"
            raise FileError(
                f"{plain(stored.case)}: too much to be rendered again ({got}). Use a shorter render."
            )
    return graph.render(
        frames=frames,
        batches=batches,
        controls=stored.controls(),
        taps=_every_port(graph) if taps else (),
        block_frames=block_frames,
        isolation="none",
    )


def _every_port(graph: Any) -> tuple[str, ...]:
    """Return the taps of all output ports: `env` for the first of a node, `env.reset` for a further one."""
    ports = ((node.name, i, port) for node in graph.nodes for i, port in enumerate(node.contract.output_keys))
    return tuple(f"{name}.{port}" if i else name for name, i, port in ports)


def audio_of_batch(stored: StoredGraph, *, frames: int, batch: int) -> npt.NDArray[np.float64]:
    """Return one batch of a case rendered alone, `(1, C, N)`.

    Every tensor with a batch axis is cut to that batch; random sources are told its number.
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
    from amp_lab.rendering import run  # noqa: PLC0415 - comparing needs no engine

    first = graph.render(frames=1, controls=stored.controls(), isolation="none")
    return run(replace(first.request, frames=frames, batch_offset=batch), "none")["audio"]


def _has_batches(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.shape[0] > 1
