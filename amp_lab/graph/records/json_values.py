"""Nodes, edges, modulations and parameter values as JSON values: without defaults, with the same bits."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from amp_lab.common import checks
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord, Thermo
from amp_lab.graph.records.values import CurveRef, Samples, Value, frozen

INLINE_VALUES = 64
MOST_AXES = 3
LINK_DEFAULTS: dict[str, Any] = {
    "delay_frames": 0,
    "gates": [],
    "kappa": None,
    "tokens": None,
    "channel": None,
}


def encode_node(record: NodeRecord) -> dict[str, Any]:
    """Return a node as JSON values, without its name."""
    data: dict[str, Any] = {"type": record.type, "revision": record.revision}
    if record.values:
        data["params"] = {key: encode(value) for key, value in sorted(record.values.items())}
    if record.thermo != Thermo():
        data["thermo"] = {key: value for key, value in vars(record.thermo).items() if value is not None}
    if record.samples is not None and "source" not in record.values:
        data["samples"] = encode(record.samples)
    return data


def encode_edge(edge: Edge) -> dict[str, Any]:
    """Return an edge as JSON values."""
    data = {"from": f"{edge.src}.{edge.src_port}", "to": f"{edge.dst}.{edge.dst_port}", "slot": edge.slot}
    tokens = None if edge.tokens is None else encode(edge.tokens)
    more = {
        "delay_frames": edge.delay_frames,
        "gates": list(edge.gates),
        "kappa": edge.kappa,
        "tokens": tokens,
        "channel": edge.channel,
    }
    return data | {key: value for key, value in more.items() if value != LINK_DEFAULTS[key]}


def encode_modulation(mod: Modulation) -> dict[str, Any]:
    """Return a modulation as JSON values."""
    data = {"from": f"{mod.src}.{mod.src_port}", "to": f"{mod.dst}.{mod.param}", "slot": mod.slot}
    data |= {"mode": mod.mode, "scale": mod.scale} | (
        {"offset": mod.offset} if mod.mode == "multiply" else {}
    )
    more = {"channel": mod.channel, "delay_frames": mod.delay_frames}
    return data | {key: value for key, value in more.items() if value != LINK_DEFAULTS[key]}


def encode(value: Value) -> Any:
    """Return a parameter value as JSON: number, text, ``{"curve": name}``, nested list or base64."""
    if isinstance(value, CurveRef):
        return {"curve": value.name}
    if not isinstance(value, np.ndarray):
        return value
    if value.size <= INLINE_VALUES and np.isfinite(value).all():
        return value.tolist()
    data = base64.b64encode(value.astype("<f8").tobytes()).decode()
    return {"float64": data, "shape": list(value.shape)}


def decode(data: Any) -> Any:
    """Return the parameter value that `encode` wrote."""
    if isinstance(data, dict) and set(data) == {"curve"}:
        return CurveRef(data["curve"])
    if isinstance(data, dict) and set(data) == {"float64", "shape"}:
        return _tensor(data["float64"], data["shape"])
    if isinstance(data, dict):
        raise GraphError(
            f"not a value (got keys {quoted(sorted(data))}, allowed curve, or float64 with shape). "
            "Save it again."
        )
    return data


def _tensor(coded: Any, shape: Any) -> Samples:
    if not isinstance(coded, str):
        raise GraphError(f"float64: not base64 (got {quoted(coded)}, allowed text). Save it again.")
    try:
        values = np.frombuffer(base64.b64decode(coded, validate=True), "<f8")
    except ValueError as error:
        raise GraphError(f"float64: damaged ({error}). Save it again.") from None
    sizes = list(shape) if isinstance(shape, list | tuple) else [shape]
    if len(sizes) > MOST_AXES or math.prod(checks.whole("shape", size) for size in sizes) != values.size:
        allowed = f"up to {MOST_AXES} sizes, together {values.size} values"
        raise GraphError(f"shape: does not fit (got {quoted(shape)}, allowed {allowed}). Save it again.")
    return frozen(values.reshape(sizes))


def array(data: str, shape: tuple[int, ...]) -> Samples:
    """Return an array that `Graph.to_code` wrote as text, since it is too long for a list of numbers.

    Parameters
    ----------
    data
        Base64 of the values, little-endian float64, last axis fastest.
    shape
        Up to three sizes; their product is the number of values.

    Returns
    -------
    numpy.ndarray
        Float64, read-only, the same bits.

    Raises
    ------
    GraphError
        If the text is damaged or the shape does not fit.

    Examples
    --------
    >>> amp.array("AAAAAAAA4D8AAAAAAADwPw==", (2,))
    array([0.5, 1. ])
    """
    values: Samples = decode({"float64": data, "shape": shape})
    return values
