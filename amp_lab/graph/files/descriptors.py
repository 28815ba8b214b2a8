"""The descriptor blob of a graph, as laid out in ``graph.h``."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from amp_lab.graph.records.model import HEAT_POLICIES, Edge, Modulation, NodeRecord, Thermo
from amp_lab.graph.records.values import CurveRef, Value
from amp_lab.lowlevel.blobs import counted, seal, tensor, text

DESCRIPTORS = b"AMPD"
NEWEST = 2
"""Version of the layout with extensions. Graphs without extensions are written as version 1, so that their
bytes and digests are those of earlier releases."""
REQUIRED = 1
MODES = ("multiply", "add")


@dataclass(frozen=True)
class Extension:
    """Data of a node or edge beyond its descriptor: up to 1 MiB under an id.

    ``params_json`` (UTF-8 JSON), ``declared_delay`` (u64 frames) and ``plugin_digest`` (SHA-256) are defined
    for nodes. A reader that does not support a required extension must refuse the graph.
    """

    id: str
    data: bytes
    required: bool = False


Extensions = tuple[Extension, ...]


@dataclass(frozen=True)
class Descriptors:
    """Contents of a descriptor blob, in order of creation, which has no meaning; slots order the edges."""

    sample_rate: float
    name: str
    heat_budget_w: float | None
    heat_policy: str
    output: str
    nodes: tuple[NodeRecord, ...]
    edges: tuple[Edge, ...]
    modulations: tuple[Modulation, ...]
    node_extensions: Mapping[str, Extensions] = field(default_factory=dict)
    """By name of the node."""
    edge_extensions: Mapping[tuple[str, str, int], Extensions] = field(default_factory=dict)
    """By destination, its port and slot."""


def _optional(value: float | None) -> bytes:
    return _F64(math.nan if value is None else value)


class _Texts(dict[str, bytes]):
    """Encoded names and keys; each is encoded once, since most occur often in a graph."""

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
    head = texts[node.name] + texts[node.type] + _NODE(node.revision, _RATIO)
    params = [_param(texts[key], value) for key, value in sorted(node.values.items())]
    return head + _thermo(node.thermo) + counted(params)


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
    gates = counted([text(gate) for gate in edge.gates])
    return head + parts + tokens + channel + gates + _optional(edge.kappa)


def _modulation(mod: Modulation, texts: _Texts) -> bytes:
    ends = texts[mod.src] + texts[mod.src_port] + texts[mod.dst] + texts[mod.param]
    channel = -1 if mod.channel is None else mod.channel
    numbers = (MODES.index(mod.mode), mod.scale, mod.offset, channel, mod.slot, mod.delay_frames)
    return ends + struct.pack("<BddiiQ", *numbers)


_F64 = struct.Struct("<d").pack
_NODE = struct.Struct("<II").pack
_RATIO = 1
"""Oversampling ratio of every node; the format has a field for it, the engine supports no other yet."""
_EDGE = struct.Struct("<iQ").pack
_NO_THERMO = 3 * _optional(None)
_NO_MORE = b"\0" + counted([]) + _optional(None)
"""End of an edge without tokens, channel, gates and heat share."""


def _extensions(list_: Extensions) -> bytes:
    return counted(
        [text(e.id) + struct.pack("<BI", REQUIRED * e.required, len(e.data)) + e.data for e in list_]
    )


def encode(graph: Descriptors) -> bytes:
    """Return the sealed descriptor blob (magic ``AMPD``) of a graph.

    The blob has version 1 if no node or edge has an extension, else version 2.
    """
    of_nodes, of_edges = graph.node_extensions, graph.edge_extensions
    extended = any(of_nodes.values()) or any(of_edges.values())
    policy = struct.pack("<B", HEAT_POLICIES.index(graph.heat_policy))
    head = struct.pack("<d", graph.sample_rate) + text(graph.name) + _optional(graph.heat_budget_w) + policy
    texts = _Texts()
    nodes = [_node(node, texts) for node in graph.nodes]
    edges = [_edge(edge, texts) for edge in graph.edges]
    if extended:
        nodes = [
            blob + _extensions(of_nodes.get(node.name, ()))
            for blob, node in zip(nodes, graph.nodes, strict=True)
        ]
        edges = [
            blob + _extensions(of_edges.get((edge.dst, edge.dst_port, edge.slot), ()))
            for blob, edge in zip(edges, graph.edges, strict=True)
        ]
    body = (
        counted(nodes),
        counted(edges),
        counted([_modulation(mod, texts) for mod in graph.modulations]),
    )
    payload = head + text(graph.output) + b"".join(body)
    return seal(DESCRIPTORS, payload, NEWEST if extended else 1)
