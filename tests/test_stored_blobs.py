"""Blobs of version 1 that an earlier library stored can be read; version 2 adds extensions."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.graph.files import descriptor_reader, descriptors
from amp_lab.graph.files.descriptors import Descriptors, Extension
from amp_lab.lowlevel import blobs

STORED = Path(__file__).parents[1] / "native" / "tests" / "stored"
NAMES = sorted(path.stem for path in STORED.glob("*.ampd"))
HERE, THERE = Extension("acme.tuning", b"abc"), Extension("declared_delay", struct.pack("<Q", 128))


def stored(name: str) -> bytes:
    """Bytes of a sample."""
    return (STORED / name).read_bytes()


def graph_with(*, required: bool = False) -> Descriptors:
    """Return a graph with extensions at a node and an edge."""
    plain = descriptor_reader.descriptors(stored("voice.ampd"))
    edge = plain.edges[1]
    return replace(
        plain,
        node_extensions={"svf": (THERE, replace(HERE, required=required))},
        edge_extensions={(edge.dst, edge.dst_port, edge.slot): (HERE,)},
    )


def test_there_are_samples() -> None:
    """One of every node type among them."""
    assert {"every_type", "routing", "voice"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_version_1_is_read_and_written_bit_for_bit(name: str) -> None:
    """Stored descriptors decode, and encode to a blob of the same plan; their stored plan loads."""
    blob, plan = stored(f"{name}.ampd"), stored(f"{name}.ampp")
    assert blobs.version_of(blob) == blobs.version_of(plan) == 1
    read = descriptor_reader.descriptors(blob)
    again = descriptors.encode(read)
    assert blobs.version_of(again) == 1
    assert descriptor_reader.descriptors(again).nodes[0].name == read.nodes[0].name
    now, facts = lowlevel.plan_compile(blob)
    assert lowlevel.plan_compile(again) == (now, facts)
    assert blobs.version_of(now) == 2
    for held in (plan, now):
        lowlevel.plan_describe(blob, held)
        lowlevel.Runtime(blob, held).close()
    with pytest.raises(amp.DriftError) as caught:
        lowlevel.plan_describe(stored("voice.ampd" if name != "voice" else "routing.ampd"), plan)
    assert caught.value.node


def test_a_graph_without_extensions_is_of_version_1() -> None:
    """So every descriptor blob and digest that was stored before stays as it is."""
    g = amp.presets.three_osc()
    plan = g.compile()
    assert blobs.version_of(plan.descriptor_blob) == 1
    assert plan.info["descriptor_version"] == 1


def test_extensions_come_back() -> None:
    """Of nodes and edges, with their bytes; the plan lists them and has a digest of its own."""
    graph = graph_with()
    blob = descriptors.encode(graph)
    assert blobs.version_of(blob) == 2
    back = descriptor_reader.descriptors(blob)
    assert (back.node_extensions, back.edge_extensions) == (graph.node_extensions, graph.edge_extensions)
    assert descriptors.encode(back) == blob
    plan = amp.Plan.compile(blob, "voice", [node.name for node in graph.nodes])
    assert plan.digest != lowlevel.plan_compile(stored("voice.ampd"))[1].digest
    listed = {node["name"]: node.get("extensions") for node in plan.info["nodes"]}
    assert listed.pop("svf") == [
        {"id": "acme.tuning", "required": False, "bytes": 3},
        {"id": "declared_delay", "required": False, "bytes": 8},
    ]
    assert not any(listed.values())
    assert plan.info["descriptor_version"] == 2


def test_required_extensions_are_refused() -> None:
    """Naming the node and the extension."""
    with pytest.raises(amp.Unsupported, match=r'svf: extension "acme\.tuning" is required') as caught:
        lowlevel.plan_compile(descriptors.encode(graph_with(required=True)))
    assert caught.value.node == "svf"


def test_newer_versions_are_refused() -> None:
    """By the reader in Python and by the native one."""
    blob = bytearray(stored("voice.ampd"))
    blob[4] = 3
    with pytest.raises(amp.BlobError, match=r"wrong version \(got 3, allowed 1 to 2\)"):
        descriptor_reader.descriptors(bytes(blob))
    with pytest.raises(amp.BlobError, match="version 3 is not known"):
        lowlevel.plan_compile(bytes(blob))
