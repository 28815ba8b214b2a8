"""What the measurements of `amp_lab.bench.report` are held against, and the figures that follow from them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Data: TypeAlias = dict[str, Any]

W6_S = 48_000 * 1024 / 1e9
"""Seconds that a nanosecond per variant and frame adds up to."""
MOST_DISPATCH_NS, MOST_WATCHING, MOST_BYTES = 1.5, 0.02, 4096
PLAN_MS = ((100, 1.0), (1_100, 10.0), (110_000, 1500.0))
"""Nodes of a graph at most, and milliseconds to plan and configure it at most."""


@dataclass(frozen=True)
class Requirement:
    """A row of the table: the required cost and the target, in its unit; ``scale`` from ns.

    ``hand`` is what the program ``by`` took on the machine these were set on, in the same unit.
    """

    workload: str
    what: str
    unit: str
    required: float
    target: float
    by: str
    hand: float
    block: int | None = None
    scale: float = 1.0


TARGETS = (
    Requirement("W1", "a voice", "ns/sample", 16, 12, "hand C++ scalar", 25.4),
    Requirement("W2", "64 voices, mixed", "ns/voice-sample", 4.4, 2.5, "hand C++ 8 lanes", 3.8),
    Requirement(
        "W3", "1000 gains, block 64", "ns/node-sample", 0.13, 0.09, "hand C++ own buffers", 0.104, 64
    ),
    Requirement(
        "W3", "1000 gains, block 512", "ns/node-sample", 0.08, 0.045, "hand C++ own buffers", 0.08, 512
    ),
    Requirement("W3", "1000 gains, block 1", "ns/node-sample", 5, 2.5, "hand C++ own buffers", 2.98, 1),
    Requirement("W4", "a loop over one frame", "ns/sample", 6, 3.3, "hand C++ three calls", 4.3),
    Requirement("W6", "1024 variants of 1 s", "s", 0.05, 0.03, "hand C++ 8 lanes", 0.036, scale=W6_S),
)


@dataclass(frozen=True)
class LimitCheck:
    """Something that must hold: a sentence's subject, the figure, and the most it may be."""

    what: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.value <= self.most

    def __str__(self) -> str:
        return f"{self.what}: {number(self.value)} of at most {number(self.most)} {self.unit}".rstrip()


def number(value: float) -> str:
    """Write a figure with three digits, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def middle(costs: Sequence[float]) -> float:
    """Median of the rounds."""
    return statistics.median(costs)


def checks(data: Data) -> list[LimitCheck]:
    """Everything that must hold and was measured."""
    found = [
        LimitCheck(f"{t.workload}, {t.what}", middle(costs_of(data, t)) * t.scale, t.required, t.unit)
        for t in TARGETS
    ]
    for graph in data["plan"]["graphs"]:
        what = f"plan and configure {graph['graph']}, {graph['nodes']:,} nodes"
        found.append(LimitCheck(what, middle(graph["plan_and_configure_ms"]), plan_ms(graph), "ms"))
    for shape in data["memory"]["shapes"]:
        found.append(
            LimitCheck(f"memory per node of {shape['graph']}", middle(shape["total"]), MOST_BYTES, "bytes")
        )
    if loops := data["loops"]["loops"]:
        found.append(
            LimitCheck(
                "dispatch in the worst of the loops",
                max(map(dispatch, loops)),
                MOST_DISPATCH_NS,
                "ns per node-frame",
            )
        )
    graphs = data["polyphony"]["graphs"]
    found.append(
        LimitCheck(
            "cohorts against single nodes, the worst graph", max(map(ratio, graphs)), 1.0, "of the time"
        )
    )
    found.append(
        LimitCheck("metrics and trace", watched(data["watching"], "trace"), MOST_WATCHING, "of the time")
    )
    return found


def plan_ms(graph: Data) -> float:
    """Return the most milliseconds that planning and configuring a graph of its size may take."""
    return next(ms for nodes, ms in PLAN_MS if graph["nodes"] <= nodes)


def row_of(data: Data, target: Requirement) -> Data:
    """Return what was measured for a row of the table: ``costs`` and those of a ``first`` render, in ns."""
    for row in data["workloads"]:
        if (row["workload"], row["block"], row["threads"]) == (target.workload, target.block, 1):
            found: Data = row
            return found
    raise KeyError(target.workload)


def costs_of(data: Data, target: Requirement) -> list[float]:
    """Return the costs of a row of the table, in ns."""
    costs: list[float] = row_of(data, target)["costs"]
    return costs


def here(data: Data, target: Requirement) -> float | None:
    """Return the required cost as it would be on this machine.

    That is times what the program by hand took here over what it took where the requirement was set.
    None where that program was not run beside.
    """
    for row in data["beside"]:
        if (row["workload"], row["system"]) == (target.workload, target.by) and target.block in (
            None,
            row["block"],
        ):
            return target.required * middle(row["costs"]) * target.scale / target.hand
    return None


def dispatch(loop: Data) -> float:
    """Nanoseconds per node and frame that the engine adds to the ticks of a loop."""
    return middle(loop["cost"]) - middle(loop["bare"])


def ratio(graph: Data) -> float:
    """Time by the derived schedule as a share of that in the plan's order."""
    return middle([d / p for d, p in zip(graph["derived"], graph["plain"], strict=True)])


def watched(data: Data, way: str) -> float:
    """Return what a way to be watched adds, as a share."""
    return middle([on / off for on, off in zip(data[way], data["off"], strict=True)]) - 1
