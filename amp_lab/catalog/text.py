"""Node contracts as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from amp_lab.contracts import NodeContract, ParamContract, PortContract
from amp_lab.errors import visible

WIDTH = 100


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return lines with aligned columns, the last one not padded; unprintable characters become escapes."""
    table = [tuple(visible(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)][:-1]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]
        ).rstrip()
        for row in table
    ]


def node_table(contracts: Iterable[NodeContract]) -> str:
    """Return a table with a line per type: id, group, ports and summary."""
    rows = [(c.id, c.group, f"{_keys(c.inputs)} -> {_keys(c.outputs)}", c.summary) for c in contracts]
    return "\n".join(aligned([("type", "group", "inputs -> outputs", "summary"), *rows]))


def node_page(contract: NodeContract) -> str:
    """Return all of a contract as text, in sections."""
    about = [
        f"{contract.id} (revision {contract.revision}, {contract.group}): {contract.summary}",
        *textwrap.wrap(contract.doc, WIDTH),
    ]
    facts = [
        (
            "latency",
            f"{contract.latency_frames} frames" + " by default at 48 kHz" * (contract.latency_frames > 0),
        ),
        ("gradient", adjoint(contract)),
        ("heat", contract.heat or "none of its own"),
        ("laws", ", ".join(sorted(contract.laws)).replace("_", " ") or "none declared"),
        ("digest", f"{contract.digest:016x}"),
    ]
    cases = [
        (
            c.key,
            f"{c.stimulus}; {c.params or 'defaults'}; {c.channels} ch x {c.frames} frames; {c.comparator}",
        )
        for c in contract.cases
    ]
    sections = (
        ("inputs", [_port(p) for p in contract.inputs]),
        ("outputs", [_port(p) for p in contract.outputs]),
        ("parameters", [_param(p) for p in contract.params]),
        ("facts", facts),
        ("cases", cases),
    )
    parts = ["\n".join(about), *(_section(title, rows) for title, rows in sections if rows)]
    return "\n\n".join(parts)


def adjoint(contract: NodeContract) -> str:
    """Return how a node will be differentiated, marked as planned: no gradient is computed yet."""
    word = contract.adjoint.replace("_", " ")
    return f"planned: {word}" if contract.adjoint in ("exact", "subgradient") else word


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Return a heading and aligned rows; long texts of the last column are wrapped within it."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)][:-1]
    indent = 2 + sum(widths)
    lines = [title]
    for row in rows:
        head = "".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True))
        wrapped = textwrap.wrap(row[-1], max(40, WIDTH - indent))
        lines.append("  " + head + ("\n" + " " * indent).join(wrapped))
    return "\n".join(lines)


def _keys(ports: Iterable[PortContract]) -> str:
    return ", ".join(f"{p.key}?" if p.optional else p.key for p in ports) or "-"


def _port(port: PortContract) -> tuple[str, ...]:
    words = [port.channels, f"several edges: {port.gather or port.scatter}"]
    if port.map not in ("", "none"):
        words.append(f"maps {port.map}")
    if port.optional:
        words.append(f"optional, reads {port.neutral:g}")
    return port.key, ", ".join(words), port.doc


def _param(param: ParamContract) -> tuple[str, ...]:
    default = repr(param.default) if isinstance(param.default, str) else f"{param.default:g}"
    rate = {"fixed": "fixed", "batch": "per batch", "frame": "per frame"}[param.rate]
    allowed = param.allowed() + (", clamped" if param.range == "clamp" else "")
    return param.key, default, rate, f"{param.doc} [{allowed}]"
