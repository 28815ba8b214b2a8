"""The worked cases of node types as graphs: law tests, goldens and figures are made of the same ones.

The golden of a case is called ``case.TYPE.KEY`` and uses the comparator of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab import catalog
from amp_lab.contracts import CaseContract, NodeContract
from amp_lab.graph.graph import Graph
from amp_lab.graph.records.curves import ControlHistory, Curve

from .comparators import COMPARATORS
from .verdict import GoldenError

Samples = npt.NDArray[np.float64]
RATE = 48_000.0
"""Sample rate of every case in Hz."""
PREFIX = "case."
NODE, OUT = "node", "out"
"""Names of the node and of the output in the graph of a case."""


@dataclass(frozen=True, eq=False)
class NodeCase:
    """A worked case of a node type.

    Attributes
    ----------
    contract : NodeContract
    case : CaseContract
    """

    contract: NodeContract
    case: CaseContract

    @property
    def golden(self) -> str:
        """Name of its golden."""
        return f"{PREFIX}{self.contract.id}.{self.case.key}"

    def comparator(self) -> dict[str, Any]:
        """Return the comparator of the case (name, limits, reason) in the form of a golden's manifest.

        The tolerance is the first limit of the comparator; `exact` has none.

        Raises
        ------
        GoldenError
            There is no such comparator, or it is exact and has a tolerance.
        """
        name, tolerance = self.case.comparator, self.case.tolerance
        if name not in COMPARATORS or (name == "exact" and tolerance != 0.0):
            got = f"got {name} with tolerance {tolerance:g}"
            allowed = f"allowed {', '.join(COMPARATORS)}; exact with 0"
            raise GoldenError(f"{self.golden}: no comparator ({got}, {allowed}). Change the contract.")
        limits = {key: value for key, value in COMPARATORS[name][1].items() if value is not None}
        limits |= dict.fromkeys(list(COMPARATORS[name][1])[:1], tolerance)
        return {"name": name, "limits": limits, "reason": self.case.reason}

    def params(self) -> dict[str, Any]:
        """Return its parameters as builders take them."""
        kinds: Mapping[str, Callable[[str], Any]] = {
            "number": float,
            "integer": int,
            "enum": str,
            "text": str,
            "matrix": lambda rows: [[float(x) for x in row.split(",")] for row in rows.split(";")],
        }
        values = {}
        for word in self.case.params.split():
            key, _, value = word.partition("=")
            param = self.contract.param(key)
            if param is None:
                raise GoldenError(f"{self.golden}: no parameter {key}. Change the contract.")
            values[key] = kinds[param.kind](value)
        return values

    def graph(
        self, *, batches: int = 1, feed: Mapping[str, Samples] | None = None, **more: Any
    ) -> tuple[Graph, ControlHistory | None]:
        """Build an input per port, the node and the output; the second is the curve that the node plays.

        Parameters
        ----------
        batches : int
        feed : mapping of str to array (B, C, N), optional
            In place of the stimulus of these ports.
        **more
            In place of parameters of the case.
        """
        contract, case, feed = self.contract, self.case, feed or {}
        g = Graph(sample_rate=RATE, name=f"{contract.id}_{case.key}")
        params, controls = self.params() | more, None
        if contract.curve_param:
            played = stimulus(case.stimulus, 1, case.frames)[0, 0]
            params[contract.curve_param] = "played"
            controls = ControlHistory([Curve.sampled("played", played, RATE)])
        if contract.io == "source":
            params["samples"] = stimulus(case.stimulus, case.channels, case.frames, batches=batches)
            params.pop(contract.channels_param, None)
        elif contract.channels_param:
            params[contract.channels_param] = case.channels
        node = g.add(contract.id, name=NODE, **params)
        for port in contract.input_keys:
            if case.stimulus == "none" and port not in feed:
                continue  # optional, and not connected
            signal = stimulus(case.stimulus, case.channels, case.frames, port, batches)
            g.connect(g.input(samples=feed.get(port, signal), name=f"feed_{port}"), node, port=port)
        if node.output(contract.output_keys[0]).splits:  # put together again
            g.output(g.stack(*[node] * case.channels), name=OUT)
        elif contract.io != "sink":
            g.output(node, name=OUT)
        return g, controls


def of(type_id: str) -> list[NodeCase]:
    """Return the cases of a node type."""
    contract = catalog.contract(type_id)
    return [NodeCase(contract, case) for case in contract.cases]


def every() -> Iterator[NodeCase]:
    """Yield the cases of all node types."""
    for type_id in catalog.types():
        yield from of(type_id)


def stimulus(kind: str, channels: int, frames: int, port: str = "in", batches: int = 1) -> Samples:
    """Return what a case feeds a port of its node, (B, C, N), different in every batch and channel.

    The sines are rounded to steps of 2^-24: so they are the same bits with every mathematical library.
    """
    n = np.arange(frames)
    signals: Mapping[str, Callable[[int, int], Any]] = {
        "none": lambda b, c: np.zeros(frames),
        "impulse": lambda b, c: (n == 3 + b + 2 * c) * 1.0,
        "step": lambda b, c: (n >= 5 + b) * (1.0 - 0.25 * c),
        "ramp": lambda b, c: n / 64 - b + c,
        "sine": lambda b, c: _rounded(np.sin(0.1 * n + b + c)),
        "sweep": lambda b, c: _rounded(np.sin(1e-4 * n * n + b + c)),
        "noise": lambda b, c: np.random.default_rng([7, b, c, len(port)]).uniform(-1, 1, frames),
        "gate": lambda b, c: (n // (150 + 10 * b + 7 * c if port == "gate" else 97) % 2 == 0) * 1.0,
    }
    rows = [signals[kind](b, c) for b in range(batches) for c in range(channels)]
    return np.array(rows).reshape(batches, channels, frames)


def _rounded(x: Samples) -> Samples:
    rounded: Samples = np.round(x * 2.0**24) * 2.0**-24
    return rounded
