"""Blobs have the layout of the C headers, byte by byte."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.lowlevel import blobs


def fnv1a(data: bytes) -> int:
    """The published definition of FNV-1a, 64 bit."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


class Reader:
    """Reads a payload by the grammar in ``graph.h``, independently of the encoder."""

    def __init__(self, payload: bytes) -> None:
        self.rest = payload

    def take(self, format_: str) -> Any:
        """Read packed little-endian values."""
        size = struct.calcsize("<" + format_)
        values = struct.unpack("<" + format_, self.rest[:size])
        self.rest = self.rest[size:]
        return values[0] if len(values) == 1 else values

    def text(self) -> str:
        """Read u16 length and utf-8."""
        size = self.take("H")
        data, self.rest = self.rest[:size], self.rest[size:]
        return data.decode()

    def tensor(self) -> Any:
        """Read a tensor as an array."""
        shape = self.take("IIQ")
        return np.array(self.take(f"{math.prod(shape)}d")).reshape(shape)


def compiled(g: amp.Graph) -> Reader:
    """Reader at the start of a graph's descriptor payload."""
    return Reader(blobs.unseal(b"AMPD", g.compile().descriptor_blob))


@given(st.binary(max_size=300))
def test_checksum_is_fnv1a(data: bytes) -> None:
    """The native checksum equals the published definition."""
    assert lowlevel.checksum(data) == fnv1a(data)


@given(st.binary(max_size=100))
def test_a_sealed_payload_comes_back(payload: bytes) -> None:
    """Sealing puts magic, version 1, length and checksum before the payload; unsealing checks them."""
    sealed = blobs.seal(b"AMPD", payload)
    assert struct.unpack_from("<4sIQQ", sealed) == (b"AMPD", 1, len(payload), fnv1a(payload))
    assert blobs.unseal(b"AMPD", sealed) == payload


@pytest.mark.parametrize(
    ("offset", "what"),
    [(0, "magic"), (4, "version"), (8, "payload length"), (16, "checksum"), (24, "checksum")],
)
def test_one_wrong_bit_is_named(offset: int, what: str) -> None:
    """A flipped bit is refused, naming the field that shows it."""
    sealed = bytearray(blobs.seal(b"AMPH", b"payload"))
    sealed[offset] ^= 1
    with pytest.raises(amp.BlobError, match=f"wrong {what}"):
        blobs.unseal(b"AMPH", bytes(sealed))


def test_a_truncated_header_is_refused() -> None:
    """Fewer bytes than a header are refused."""
    with pytest.raises(amp.BlobError, match="too short"):
        blobs.unseal(b"AMPD", b"AMPD")


def test_text_too_long_for_its_length_is_refused() -> None:
    """A text of 65536 bytes cannot be encoded."""
    with pytest.raises(amp.GraphError, match="too long"):
        blobs.text("x" * 65_536)


def test_descriptors_of_a_small_graph() -> None:
    """Sample rate, nodes, parameters of each kind, edges and modulations are where graph.h puts them."""
    g = amp.Graph(sample_rate=44_100.0, name="tiny", heat_budget_w=2.5, heat_policy="halt")
    cutoff = np.array([100.0, 200.0, 300.0]).reshape(1, 1, 3)
    flt = g.svf(g.noise(seed=7, channels=2), mode="highpass", cutoff_hz=cutoff, q=amp.curve("q"))
    flt.set_thermo(capacity_j_per_k=2.0)
    g.modulate(
        g.lfo(channels=2), flt.cutoff_hz, mode="multiply", scale=0.5, offset=1.0, channel=1, delay_frames=9
    )
    g.output(flt)
    g.connect(flt, flt, delay_frames=2, gates=["a"], kappa=0.0, tokens=np.ones((1, 1, 2)), channel=0)

    r = compiled(g)
    assert (r.take("d"), r.text(), r.take("d"), r.take("B"), r.text()) == (44_100.0, "tiny", 2.5, 1, "output")
    assert r.take("I") == 4
    nodes: dict[str, dict[str, Any]] = {}
    for _ in range(4):
        name, type_, (_revision, ratio) = r.text(), r.text(), r.take("II")
        thermo = r.take("ddd")
        readers = {0: lambda: r.take("d"), 1: r.tensor, 2: r.text, 3: r.text, 4: lambda: r.take("q")}
        params = {}
        for _ in range(r.take("I")):
            key, kind = r.text(), r.take("B")
            params[key] = (kind, readers[kind]())
        nodes[name] = {"type": type_, "ratio": ratio, "thermo": thermo, "params": params}
    assert {name: node["type"] for name, node in nodes.items()} == {n.name: n.type for n in g}
    svf = nodes["svf"]
    assert svf["ratio"] == 1
    assert svf["thermo"][1] == 2.0 and math.isnan(svf["thermo"][0]) and math.isnan(svf["thermo"][2])
    assert svf["params"]["mode"] == (3, "highpass")
    assert svf["params"]["q"] == (2, "q")
    assert svf["params"]["cutoff_hz"][0] == 1 and np.array_equal(svf["params"]["cutoff_hz"][1], cutoff)
    assert nodes["noise"]["params"] == {"channels": (4, 2), "seed": (4, 7)}

    edges = []
    for _ in range(r.take("I")):
        ends = (r.text(), r.text(), r.text(), r.text())
        slot, delay = r.take("iQ")
        has = r.take("B")
        tokens = r.tensor() if has & 1 else None
        channel = r.take("i") if has & 2 else None
        gates = [r.text() for _ in range(r.take("I"))]
        edges.append((ends, slot, delay, tokens, channel, gates, r.take("d")))
    assert [e[0] for e in edges] == [(e.src, e.src_port, e.dst, e.dst_port) for e in g.edges]
    ends, slot, delay, tokens, channel, gates, kappa = edges[-1]
    assert (ends[2], slot, delay, channel, gates, kappa) == ("svf", 1, 2, 0, ["a"], 0.0)
    assert np.array_equal(tokens, np.ones((1, 1, 2)))
    assert math.isnan(edges[0][6]) and edges[0][3] is edges[0][4] is None

    assert r.take("I") == 1
    assert (r.text(), r.text(), r.text(), r.text()) == ("lfo", "out", "svf", "cutoff_hz")
    assert r.take("BddiiQ") == (0, 0.5, 1.0, 1, 0, 9)
    assert r.rest == b""


def test_history_of_two_curves() -> None:
    """Curves are in name order, with interpolation, count and (time, value) pairs."""
    history = amp.ControlHistory([amp.Curve("b", [0, 1], [2, 3], "smooth"), amp.Curve("a", [5], [6], "hold")])
    r = Reader(blobs.unseal(b"AMPH", history.blob))
    assert r.take("I") == 2
    assert (r.text(), r.take("BI"), r.take("dd")) == ("a", (0, 1), (5.0, 6.0))
    assert (r.text(), r.take("BI"), r.take("dddd")) == ("b", (2, 2), (0.0, 2.0, 1.0, 3.0))
    assert r.rest == b""


def test_defaults_are_not_encoded() -> None:
    """A parameter at its default is not stored, so giving the default explicitly makes the same blob."""
    implicit, explicit = amp.Graph(), amp.Graph()
    implicit.output(implicit.sine())
    explicit.output(explicit.sine(frequency_hz=explicit.add("sine", name="probe").params["frequency_hz"]))
    explicit.remove("probe")
    assert implicit.compile().descriptor_blob == explicit.compile().descriptor_blob
