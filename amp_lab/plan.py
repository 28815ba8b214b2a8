"""The compiled plan: what the native side will do, as blobs, as data and as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from amp_lab import blob, lowlevel
from amp_lab.blob import Descriptors


@dataclass(frozen=True)
class Plan:
    """A graph compiled at one moment; later edits of the graph do not touch it."""

    descriptor_blob: bytes
    plan_blob: bytes

    @classmethod
    def compile(cls, graph: Descriptors) -> Self:
        """Compile descriptors natively.

        Raises
        ------
        AmpError
            Listing every violation.
        """
        descriptors = blob.descriptors(graph)
        return cls(descriptors, lowlevel.plan_compile(descriptors))

    @cached_property
    def info(self) -> dict[str, Any]:
        """The plan as JSON values: nodes in execution order, components, edges, digests."""
        data: dict[str, Any] = json.loads(lowlevel.plan_describe(self.descriptor_blob, self.plan_blob))
        return data

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the nodes in execution order; traces and flight records count in it."""
        return tuple(node["name"] for node in self.info["nodes"])

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the control curves a render needs, sorted."""
        return tuple(self.info["curves"])

    @property
    def digest(self) -> str:
        """Digest of descriptors and contracts, in hex."""
        return str(self.info["digest"])

    @property
    def latency_frames(self) -> int:
        """Latency G of the graph: what is delivered at virtual time t is logical frame t - G everywhere."""
        return int(self.info["latency_frames"])

    @property
    def arrivals(self) -> dict[str, int]:
        """Virtual time A at which each node fires its frame 0, in execution order."""
        return {node["name"]: int(node["arrival_frames"]) for node in self.info["nodes"]}

    @property
    def latencies(self) -> dict[str, int]:
        """Processing latency L of each node in frames, in execution order."""
        return {node["name"]: int(node["latency_frames"]) for node in self.info["nodes"]}

    @property
    def gates(self) -> dict[str, tuple[str, ...]]:
        """Consumers behind each synchrony gate, in execution order; they fire at one virtual time."""
        names = sorted({gate for node in self.info["nodes"] for gate in node["gates"]})
        nodes = self.info["nodes"]
        return {gate: tuple(n["name"] for n in nodes if gate in n["gates"]) for gate in names}

    @property
    def output_channels(self) -> int:
        """Channels of the output node, 0 if the graph has none."""
        return next((int(n["channels"]) for n in self.info["nodes"] if n["name"] == self.info["output"]), 0)

    def to_text(self) -> str:
        """Return the plan as aligned text, one line per node and edge; the same text for the same plan."""
        info = self.info
        latency = f"latency {info['latency_frames']} frames"
        title = f"plan {info['graph']}: {info['sample_rate']:g} Hz, {latency}, {self.digest[:8]}"
        nodes = [
            (
                n["name"],
                n["type"],
                f"{n['channels']} ch",
                _component(info, n["component"]),
                _latency(n),
                _modes(n),
            )
            for n in info["nodes"]
        ]
        edges = [
            (f"{e['src']}.{e['src_port']}", "->", _target(e), e["kind"], _delay(e), _channels(e))
            for e in info["edges"]
        ]
        dead = [
            (f"{e['src']}.{e['src_port']}", "->", _target(e), "audio", "not read") for e in info["dead_edges"]
        ]
        parts = [title, "nodes, in order of execution", *_aligned(nodes), "edges", *_aligned(edges)]
        parts += ["edges that are not the first of their port", *_aligned(dead)] if dead else []
        return "\n".join(parts) + "\n"

    def __repr__(self) -> str:
        info = self.info
        counts = ", ".join(f"{len(info[key])} {key}" for key in ("nodes", "edges", "components"))
        return f"Plan {info['graph']}: {counts}, latency {info['latency_frames']} frames, {self.digest[:8]}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _component(info: dict[str, Any], index: int) -> str:
    return "" if index < 0 else f"feedback {index}, sub-blocks of {info['components'][index]['sub_block']}"


def _latency(node: dict[str, Any]) -> str:
    return f"latency {node['latency_frames']}" if node["latency_frames"] else ""


def _modes(node: dict[str, Any]) -> str:
    words = [f"{p['port']} {p['gather']}" for p in node["inputs"] if p["gather"] != "sum"]
    words += [f"{p['port']} {p['scatter']}" for p in node["outputs"] if p["scatter"] != "broadcast"]
    words += [f"{p['port']} maps {p['map']}" for p in node["outputs"] if p["map"] != "none"]
    return ", ".join(words)


def _channels(edge: dict[str, Any]) -> str:
    if edge["kind"] != "audio":
        return ""
    words = [f"channel {edge['channel']}"] if edge["channel"] >= 0 else []
    words += [f"into channel {edge['into']}"] if edge["into"] else []
    return ", ".join(words)


def _target(edge: dict[str, Any]) -> str:
    return f"{edge['dst']}.{edge['dst_port']}[{edge['slot']}]"


def _delay(edge: dict[str, Any]) -> str:
    return (
        f"delay {edge['delay_frames']}{' (feedback)' if edge['feedback'] else ''}"
        if edge["delay_frames"]
        else ""
    )
