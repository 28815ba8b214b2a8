"""Decode descriptor and history blobs, to compare the graphs of two renders."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from amp_lab.errors import BlobError
from amp_lab.graph.files.descriptors import (
    DESCRIPTORS,
    MODES,
    NEWEST,
    REQUIRED,
    Descriptors,
    Extension,
    Extensions,
)
from amp_lab.graph.records.curves import HISTORY, INTERPOLATIONS, Curve
from amp_lab.graph.records.model import HEAT_POLICIES, Edge, Modulation, NodeRecord, Thermo
from amp_lab.graph.records.values import CurveRef, Samples, Value, frozen
from amp_lab.lowlevel.blobs import unseal, version_of

T = TypeVar("T")


def descriptors(blob: bytes) -> Descriptors:
    """Return the descriptors that `amp_lab.graph.files.descriptors.encode` wrote.

    Raises
    ------
    BlobError
        If it is another kind of blob, or damaged.
    """
    return _whole(DESCRIPTORS, blob, _descriptors, NEWEST)


def history(blob: bytes) -> dict[str, Curve]:
    """Return the curves of a `ControlHistory.blob`, by name.

    Raises
    ------
    BlobError
        If it is another kind of blob, or damaged.
    """
    return _whole(HISTORY, blob, lambda reader: {curve.name: curve for curve in reader.many(_curve)})


class _Reader:
    """Reads values from a payload, from front to back."""

    def __init__(self, payload: bytes, version: int) -> None:
        self._payload = payload
        self.version = version
        self.at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        part = self._payload[self.at : self.at + size]
        if len(part) < size:
            raise struct.error(f"{size} bytes expected at byte {self.at}")
        self.at += size
        return part

    def one(self, kind: str) -> Any:
        """Return the next number, by its `struct` letter."""
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0]

    def text(self) -> str:
        """Return the next text."""
        return self.take(self.one("H")).decode()

    def optional(self) -> float | None:
        """Return the next number; NaN stands for none."""
        value = float(self.one("d"))
        return None if math.isnan(value) else value

    def numbers(self, shape: tuple[int, ...]) -> Samples:
        """Return the next array."""
        return frozen(np.frombuffer(self.take(8 * math.prod(shape)), "<f8").reshape(shape))

    def tensor(self) -> Samples:
        """Return the next array (batch, channel, frame), with its shape before it."""
        return self.numbers((self.one("I"), self.one("I"), self.one("Q")))

    def many(self, item: Callable[[_Reader], T]) -> tuple[T, ...]:
        """Return counted items."""
        return tuple(item(self) for _ in range(self.one("I")))


def _whole(magic: bytes, blob: bytes, read: Callable[[_Reader], T], newest: int = 1) -> T:
    payload = unseal(magic, blob, newest)
    reader = _Reader(payload, version_of(blob))
    try:
        found = read(reader)
    except (struct.error, ValueError, IndexError) as error:
        raise BlobError(f"{magic.decode()} blob: cannot be read ({error}). Encode it again.") from None
    if reader.at != len(payload):
        got = f"got {len(payload)} bytes, allowed {reader.at}"
        raise BlobError(f"{magic.decode()} blob: goes on after its end ({got}). Encode it again.")
    return found


def _descriptors(reader: _Reader) -> Descriptors:
    head = (reader.one("d"), reader.text(), reader.optional(), HEAT_POLICIES[reader.one("B")], reader.text())
    nodes, edges = reader.many(partial(_extended, _node)), reader.many(partial(_extended, _edge))
    return Descriptors(
        *head,
        tuple(node for node, _ in nodes),
        tuple(edge for edge, _ in edges),
        reader.many(_modulation),
        {node.name: found for node, found in nodes if found},
        {(edge.dst, edge.dst_port, edge.slot): found for edge, found in edges if found},
    )


def _extended(item: Callable[[_Reader], T], reader: _Reader) -> tuple[T, Extensions]:
    return item(reader), reader.many(_extension) if reader.version >= NEWEST else ()


def _extension(reader: _Reader) -> Extension:
    id_, flags = reader.text(), reader.one("B")
    return Extension(id_, reader.take(reader.one("I")), bool(flags & REQUIRED))


def _node(reader: _Reader) -> NodeRecord:
    name, type_id = reader.text(), reader.text()
    revision, _ = reader.one("I"), reader.one("I")  # the second is reserved: 1
    thermo = Thermo(reader.optional(), reader.optional(), reader.optional())
    return NodeRecord(name, type_id, revision, dict(reader.many(_param)), thermo)


def _param(reader: _Reader) -> tuple[str, Value]:
    key, kind = reader.text(), reader.one("B")
    read: tuple[Callable[[], Value], ...] = (
        lambda: float(reader.one("d")),
        reader.tensor,
        lambda: CurveRef(reader.text()),
        reader.text,
        lambda: int(reader.one("q")),
    )
    return key, read[kind]()


def _edge(reader: _Reader) -> Edge:
    ends = (reader.text(), reader.text(), reader.text(), reader.text())
    slot, delay, parts = reader.one("i"), reader.one("Q"), reader.one("B")
    tokens = reader.tensor() if parts & 1 else None
    channel = reader.one("i") if parts & 2 else None
    gates = reader.many(_Reader.text)
    return Edge(*ends, slot, delay, gates, reader.optional(), tokens, channel)


def _modulation(reader: _Reader) -> Modulation:
    ends = (reader.text(), reader.text(), reader.text(), reader.text())
    mode, scale, offset = MODES[reader.one("B")], reader.one("d"), reader.one("d")
    channel, slot, delay = reader.one("i"), reader.one("i"), reader.one("Q")
    picked = None if channel < 0 else channel
    return Modulation(*ends, mode, scale, offset, picked, slot, delay)  # type: ignore[arg-type]


def _curve(reader: _Reader) -> Curve:
    name, interpolation, points = reader.text(), INTERPOLATIONS[reader.one("B")], reader.one("I")
    table = reader.numbers((points, 2))
    return Curve(name, table[:, 0], table[:, 1], interpolation)
