"""Rendering a stored case natively, from nothing but its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import amp_lab
from amp_lab import regular_files
from amp_lab.errors import FileError

MOST_STREAMS = 4096 * regular_files.MIB
"""Bytes of all node streams of a case, which are kept while it is compared."""


def render(
    folder: Path,
    *,
    frames: int,
    batches: int,
    taps: bool = False,
    block_frames: int | None = None,
) -> Any:
    """Return the Render of the case in `folder`.

    Parameters
    ----------
    folder : Path
        Holds `graph.json` and, if the graph names a curve, `controls.json`.
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
    graph = amp_lab.Graph.load(folder / "graph.json")
    if taps:
        nodes = graph.compile().info["nodes"]
        channels = sum(port["channels"] for node in nodes for port in node["outputs"])
        size = channels * frames * batches * 8
        if size > MOST_STREAMS:
            got = f"got {size} bytes of node streams, allowed {MOST_STREAMS}"
            raise FileError(f"{folder.name}: too much to be rendered again ({got}). Use a shorter render.")
    return graph.render(
        frames=frames,
        batches=batches,
        controls=_controls(folder),
        taps=_every_port(graph) if taps else (),
        block_frames=block_frames,
        isolation="none",
    )


def _every_port(graph: Any) -> tuple[str, ...]:
    """Return the taps of all output ports: `env` for the first of a node, `env.reset` for a further one."""
    ports = ((node.name, i, port) for node in graph.nodes for i, port in enumerate(node.contract.output_keys))
    return tuple(f"{name}.{port}" if i else name for name, i, port in ports)


def audio_of_batch(folder: Path, *, frames: int, batch: int) -> npt.NDArray[np.float64]:
    """Return one batch of a case rendered alone, `(1, C, N)`.

    Every tensor with a batch axis is cut to that batch; random sources are told its number.
    """
    graph: Any = amp_lab.Graph.load(folder / "graph.json")
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

    first = graph.render(frames=1, controls=_controls(folder), isolation="none")
    return run(replace(first.request, frames=frames, batch_offset=batch), "none")["audio"]


def _has_batches(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.shape[0] > 1


def _controls(folder: Path) -> Any:
    file = folder / "controls.json"
    return amp_lab.ControlHistory.load(file) if file.is_file() else None
