"""Bytes for the native side: descriptor and history blobs as laid out in ``graph.h`` and ``history.h``."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amp_lab.errors import BlobError, GraphError
from amp_lab.lowlevel import checksum
from amp_lab.values import CurveRef, Samples, Value

if TYPE_CHECKING:
    from amp_lab.control import Curve
    from amp_lab.model import Edge, Modulation, NodeRecord, Thermo

DESCRIPTORS = b"AMPD"
HISTORY = b"AMPH"
SCHEDULE = b"AMPI"
VERSION = 1
HEADER = struct.Struct("<4sIQQ")

INTERPOLATIONS = ("hold", "linear", "smooth", "exponential")
MODES = ("multiply", "add")
HEAT_POLICIES = ("report", "halt")


@dataclass(frozen=True)
class Descriptors:
    """Everything a descriptor blob says, in creation order (order means nothing, slots do)."""

    sample_rate: float
    name: str
    heat_budget_w: float | None
    heat_policy: str
    output: str
    nodes: tuple[NodeRecord, ...]
    edges: tuple[Edge, ...]
    modulations: tuple[Modulation, ...]


def seal(magic: bytes, payload: bytes) -> bytes:
    """Prefix a payload with magic, version, length and FNV-1a-64 checksum."""
    return HEADER.pack(magic, VERSION, len(payload), checksum(payload)) + payload


def unseal(magic: bytes, blob: bytes) -> bytes:
    """Return the payload of a sealed blob.

    Raises
    ------
    BlobError
        If the header, the length or the checksum is wrong.
    """
    kind = magic.decode()
    if len(blob) < HEADER.size:
        raise BlobError(
            f"{kind} blob: too short (got {len(blob)} bytes, allowed {HEADER.size} or more). Encode it again."
        )
    found, version, size, digest = HEADER.unpack_from(blob)
    payload = blob[HEADER.size :]
    checks = (
        ("magic", repr(found), repr(magic)),
        ("version", version, VERSION),
        ("payload length", len(payload), size),
        ("checksum", checksum(payload), digest),
    )
    for what, got, allowed in checks:
        if got != allowed:
            raise BlobError(f"{kind} blob: wrong {what} (got {got}, allowed {allowed}). Encode it again.")
    return payload


def text(value: str) -> bytes:
    """u16 length and utf-8 bytes."""
    data = value.encode()
    if len(data) > 0xFFFF:
        raise GraphError(
            f"text {value[:20]!r}...: too long (got {len(data)} bytes, allowed 65535). Shorten it."
        )
    return struct.pack("<H", len(data)) + data


def tensor(value: Samples) -> bytes:
    """u32 batches, u32 channels, u64 frames and the float64 values in (batch, channel, frame) order."""
    return struct.pack("<IIQ", *value.shape) + np.ascontiguousarray(value, dtype="<f8").tobytes()


def _optional(value: float | None) -> bytes:
    return _F64(math.nan if value is None else value)


class _Texts(dict[str, bytes]):
    """Names and keys as `text`, each made once: a graph says most of them often."""

    def __missing__(self, value: str) -> bytes:
        self[value] = data = text(value)
        return data


def _param(key: bytes, value: Value) -> bytes:
    if isinstance(value, float):
        return key + b"\x00" + _F64(value)
    if isinstance(value, str):
        return key + b"\x03" + text(value)
    if isinstance(value, CurveRef):
        return key + b"\x02" + text(value.name)
    if isinstance(value, np.ndarray):
        return key + b"\x01" + tensor(value)
    return key + b"\x04" + struct.pack("<q", value)


def _node(node: NodeRecord, texts: _Texts) -> bytes:
    head = texts[node.name] + texts[node.type] + _NODE(node.revision, node.oversample_ratio)
    params = [_param(texts[key], value) for key, value in sorted(node.values.items())]
    return head + _thermo(node.thermo) + _counted(params)


def _thermo(thermo: Thermo) -> bytes:
    constants = (thermo.heat_j_per_frame, thermo.capacity_j_per_k, thermo.conductance_w_per_k)
    return _NO_THERMO if constants == (None, None, None) else b"".join(map(_optional, constants))


def _edge(edge: Edge, texts: _Texts) -> bytes:
    ends = texts[edge.src] + texts[edge.src_port] + texts[edge.dst] + texts[edge.dst_port]
    head = ends + _EDGE(edge.slot, edge.delay_frames)
    if edge.tokens is None and edge.channel is None and not edge.gates and edge.kappa is None:
        return head + _NO_MORE
    parts = bytes([(edge.tokens is not None) | (edge.channel is not None) << 1])
    tokens = b"" if edge.tokens is None else tensor(edge.tokens)
    channel = b"" if edge.channel is None else struct.pack("<i", edge.channel)
    gates = _counted([text(gate) for gate in edge.gates])
    return head + parts + tokens + channel + gates + _optional(edge.kappa)


def _modulation(mod: Modulation, texts: _Texts) -> bytes:
    ends = texts[mod.src] + texts[mod.src_port] + texts[mod.dst] + texts[mod.param]
    channel = -1 if mod.channel is None else mod.channel
    numbers = (MODES.index(mod.mode), mod.scale, mod.offset, channel, mod.slot, mod.delay_frames)
    return ends + struct.pack("<BddiiQ", *numbers)


def _counted(parts: list[bytes]) -> bytes:
    return struct.pack("<I", len(parts)) + b"".join(parts)


_F64 = struct.Struct("<d").pack
_NODE = struct.Struct("<II").pack
_EDGE = struct.Struct("<iQ").pack
_NO_THERMO = 3 * _optional(None)
_NO_MORE = b"\0" + _counted([]) + _optional(None)
"""What ends an edge without tokens, channel, gates and heat share."""


def descriptors(graph: Descriptors) -> bytes:
    """Return the sealed descriptor blob (magic ``AMPD``) of a graph."""
    policy = struct.pack("<B", HEAT_POLICIES.index(graph.heat_policy))
    head = struct.pack("<d", graph.sample_rate) + text(graph.name) + _optional(graph.heat_budget_w) + policy
    texts = _Texts()
    body = (
        _counted([_node(node, texts) for node in graph.nodes]),
        _counted([_edge(edge, texts) for edge in graph.edges]),
        _counted([_modulation(mod, texts) for mod in graph.modulations]),
    )
    return seal(DESCRIPTORS, head + text(graph.output) + b"".join(body))


def history(curves: Iterable[Curve]) -> bytes:
    """Return the sealed control history blob (magic ``AMPH``) of some curves, in name order."""
    parts = []
    for curve in sorted(curves, key=lambda c: c.name):
        points = np.column_stack((curve.times_s, curve.values)).astype("<f8")
        parts.append(
            text(curve.name)
            + struct.pack("<BI", INTERPOLATIONS.index(curve.interpolation), len(points))
            + points.tobytes()
        )
    return seal(HISTORY, _counted(parts))


def schedule(stages: Iterable[Iterable[Iterable[str]]]) -> bytes:
    """Return the sealed schedule blob (magic ``AMPI``) of names of nodes by stage and cohort."""
    cohorts = [[_counted([text(name) for name in cohort]) for cohort in stage] for stage in stages]
    return seal(SCHEDULE, _counted([_counted(stage) for stage in cohorts]))
