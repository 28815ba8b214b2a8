"""Find where two renders begin to differ: the first node whose inputs agree and whose output does not.

`sums.txt` has one row per 4096 frames: digest, RMS and peak of the output, then a digest per node stream in
data order. In a feedback loop all nodes differ within one block, so nodes of loops also have a 16-bit
fingerprint per frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.errors import FileError, plain, quoted

from .operands import bits, first
from .verdict import BLOCK_FRAMES

_HEADER = (
    f"# amp_lab golden sums 1: blocks of {BLOCK_FRAMES} frames, first 12 hex digits of SHA-256, tab-separated"
)
_FIXED = ("block", "frame", "audio", "rms", "peak")

Stream = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Streams:
    """What is kept of every node's output.

    Attributes
    ----------
    rows : tuple of tuple of str
        Cells of `sums.txt`, without its header.
    columns : tuple of str
        Node streams in data order, named as the taps are.
    loops : dict of str to ndarray (N,) uint16
        Fingerprint per frame of streams inside feedback loops.
    """

    rows: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    loops: Mapping[str, npt.NDArray[np.uint16]]

    def to_text(self) -> str:
        """Return the text of `sums.txt`."""
        table = ["\t".join(row) for row in (_FIXED + self.columns, *self.rows)]
        return "\n".join([_HEADER, *table]) + "\n"

    @classmethod
    def from_text(
        cls, text: str, loops: Mapping[str, npt.NDArray[np.uint16]], where: str = "sums.txt"
    ) -> Streams:
        """Parse the text of `sums.txt`; errors begin with `where`.

        Raises
        ------
        FileError
            The header is another one, or a row has the wrong number of cells.
        """
        header, names, *rows = (*text.splitlines(), "", "")[: max(2, text.count("\n"))]
        columns = tuple(names.split("\t"))
        cells = tuple(tuple(row.split("\t")) for row in rows)
        if header != _HEADER or columns[:5] != _FIXED or any(len(row) != len(columns) for row in cells):
            raise FileError(
                f"{where}: unreadable (got {quoted(header)}, allowed {_HEADER!r}). Bless the case again."
            )
        return cls(cells, columns[5:], loops)

    def column(self, name: str | None) -> list[str]:
        """Return one digest per block of a node stream, or of the output (None)."""
        at = _FIXED.index("audio") if name is None else len(_FIXED) + self.columns.index(name)
        return [row[at] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first node to part, with the frames between which it does (equal if known exactly).

    Attributes
    ----------
    node : str
    first_frame, last_frame : int
    batch, channel : int or None
        Of the first sample that differs, if the samples are known.
    """

    node: str
    first_frame: int
    last_frame: int
    batch: int | None = None
    channel: int | None = None

    def __str__(self) -> str:
        """Return the place as text: `flt first differs in frame 9000, batch 0, channel 1`."""
        at = f"frame {self.first_frame}"
        if self.last_frame != self.first_frame:
            at = f"frames {self.first_frame} to {self.last_frame}"
        place = "" if self.channel is None else f", batch {self.batch}, channel {self.channel}"
        return f"{plain(self.node)} first differs in {at}{place}"


def _digest(block: Stream) -> str:
    return hashlib.sha256(np.ascontiguousarray(block, dtype="<f8").tobytes()).hexdigest()[:12]


def _blocks(stream: Stream) -> list[Stream]:
    return [stream[..., n : n + BLOCK_FRAMES] for n in range(0, stream.shape[-1], BLOCK_FRAMES)]


def fingerprints(stream: Stream) -> npt.NDArray[np.uint16]:
    """Return 16 bits per frame of a stream `(B, C, N)`, mixed from all its batches and channels."""
    mixed = np.zeros(stream.shape[-1], dtype=np.uint64)
    for row in np.ascontiguousarray(stream, dtype=np.float64).reshape(-1, stream.shape[-1]).view(np.uint64):
        mixed = (mixed ^ row) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return ((mixed * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(48)).astype(np.uint16)


def order_of(info: Mapping[str, Any]) -> list[str]:
    """Return the node names of a plan in data order."""
    return [str(node["name"]) for node in info["nodes"]]


def owner(stream: str, nodes: Iterable[str]) -> str:
    """Return the node a stream belongs to: `env.reset` and `env` both belong to `env`."""
    return stream if stream in nodes else stream.rpartition(".")[0]


def streams_of(audio: Stream, taps: Mapping[str, Stream], info: Mapping[str, Any]) -> Streams:
    """Reduce a render to what a golden keeps of it.

    Parameters
    ----------
    audio : ndarray (B, C, N)
    taps : dict of str to ndarray (B, C, N)
        Every node's output.
    info : dict
        `plan.info` of the render.
    """
    nodes = order_of(info)
    rank = {name: i for i, name in enumerate(nodes)}
    columns = sorted(taps, key=lambda name: (rank[owner(name, rank)], name))
    digests = [[_digest(block) for block in _blocks(taps[name])] for name in columns]
    rows = []
    for i, block in enumerate(_blocks(audio)):
        rms, peak = float(np.sqrt(np.mean(block**2))), float(np.max(np.abs(block)))
        fixed = (str(i), str(i * BLOCK_FRAMES), _digest(block), f"{rms:.4e}", f"{peak:.4e}")
        rows.append(fixed + tuple(column[i] for column in digests))
    loops = {node["name"] for node in info["nodes"] if node["component"] >= 0}
    prints = {name: fingerprints(taps[name]) for name in columns if owner(name, rank) in loops}
    return Streams(tuple(rows), tuple(columns), prints)


def _parting(name: str | None, result: Streams, reference: Streams) -> tuple[int, int] | None:
    """Return the frames between which one stream first differs, or None if it never does."""
    if name is not None and name in result.loops and name in reference.loops:
        a, b = result.loops[name], reference.loops[name]
        frames = min(len(a), len(b))
        differs = np.flatnonzero(a[:frames] != b[:frames])
        if differs.size:
            return int(differs[0]), int(differs[0])
    pairs = zip(result.column(name), reference.column(name), strict=False)
    for i, (got, want) in enumerate(pairs):
        if got != want:
            return i * BLOCK_FRAMES, (i + 1) * BLOCK_FRAMES - 1
    return None


def _partings(result: Streams, reference: Streams, info: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return, per node that differs, the frames between which it first does."""
    order = order_of(info)
    streams: list[tuple[str, str | None]] = [
        (owner(c, order), c) for c in result.columns if c in reference.columns
    ]
    if info["output"] not in dict(streams):
        streams.append((str(info["output"]), None))
    parts: dict[str, tuple[int, int]] = {}
    for node, name in streams:
        span = _parting(name, result, reference)
        if span is not None:
            low, high = parts.get(node, span)
            parts[node] = min(span[0], low), min(span[1], high)
    return parts


def locate(result: Streams, reference: Streams, info: Mapping[str, Any]) -> Divergence | None:
    """Return the first node in data order whose inputs agree and whose output does not.

    Parameters
    ----------
    result, reference : Streams
    info : dict
        `plan.info` of the result.
    """
    parts = _partings(result, reference, info)
    node = _origin(parts, info)
    return None if node is None else Divergence(node, *parts[node])


def locate_samples(
    result: Mapping[str, Stream], reference: Mapping[str, Stream], info: Mapping[str, Any]
) -> Divergence | None:
    """As `locate`, to the frame, batch and channel, from the samples of both renders.

    Parameters
    ----------
    result, reference : dict of str to ndarray (B, C, N)
        Streams by tap name, also of another length; a stream of another shape differs from frame 0 on.
    info : dict
        `plan.info` of the result.
    """
    order = order_of(info)
    found: dict[str, Divergence] = {}
    for name in result:
        node = owner(name, order)
        parting = _first_sample(node, result[name], reference[name]) if name in reference else None
        if parting is not None and (node not in found or parting.first_frame < found[node].first_frame):
            found[node] = parting
    first = _origin({node: (at.first_frame, at.last_frame) for node, at in found.items()}, info)
    return None if first is None else found[first]


def _first_sample(node: str, result: Stream, reference: Stream) -> Divergence | None:
    frames = min(result.shape[-1], reference.shape[-1])
    if result.shape[:-1] != reference.shape[:-1]:
        return Divergence(node, 0, 0)
    for start in range(0, frames, BLOCK_FRAMES):
        sides = (bits(x[..., start : min(frames, start + BLOCK_FRAMES)]) for x in (result, reference))
        differs = next(sides) != next(sides)
        if differs.any():
            batch, channel, frame = first(differs)
            return Divergence(node, start + frame, start + frame, batch, channel)
    return None


def _origin(parts: Mapping[str, tuple[int, int]], info: Mapping[str, Any]) -> str | None:
    """Return the node in which a difference begins, of those that part between two frames.

    An input agrees as long as the earliest frame at which its producer may part, plus the delay of the edge,
    minus the frames by which the node looks ahead, lies after the last frame at which the node may part.
    """
    if not parts:
        return None
    rank = {name: i for i, name in enumerate(order_of(info))}
    ahead = {str(node["name"]): int(node.get("latency_frames", 0)) for node in info["nodes"]}
    reached = {
        edge["dst"]
        for edge in info["edges"]
        if edge["dst"] in parts
        and edge["src"] in parts
        and edge["src"] != edge["dst"]
        and parts[edge["src"]][0] + edge["delay_frames"] - ahead[edge["dst"]] <= parts[edge["dst"]][1]
    }
    candidates = [node for node in parts if node not in reached] or list(parts)
    return min(candidates, key=lambda node: (parts[node][0] // BLOCK_FRAMES, rank[node]))


def changed_nodes(result: Streams, reference: Streams, info: Mapping[str, Any]) -> str:
    """Return a note about nodes that the reference lacks or has in addition; empty if there are none."""
    nodes = order_of(info)
    before = {owner(c, c.split(".")[:1]) for c in reference.columns}
    now = {owner(c, nodes) for c in result.columns}
    lists = (("gone:", before - now), ("new:", now - before))
    parts = [f"{label} {', '.join(sorted(names))}" for label, names in lists if names]
    return "nodes " + "; ".join(parts) if parts else ""
