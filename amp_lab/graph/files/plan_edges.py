"""Read edges in the form of plans, for graphs that other programs wrote.

``{"source": "A.out", "target": "B.in", "delay_frames": 128, "synchrony_gates": [0]}``: a gate is a name, or
an index into the list ``gates`` of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amp_lab.common import checks
from amp_lab.errors import GraphError, quoted

FORM = {"source", "target", "synchrony_gates"}
"""Keys that only this form has."""
KEYS = FORM | {"slot", "delay_frames", "kappa", "tokens", "channel"}
VERSIONS = (1, 2)


def is_one(item: Any) -> bool:
    """Return whether an edge has this form."""
    return isinstance(item, Mapping) and bool(FORM & item.keys())


def from_plan(path: str, item: Mapping[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    """Return the edge in the form of graph files.

    Parameters
    ----------
    path
        JSON path of the edge, for messages.
    item
        The edge.
    names
        Names of the gates by index; None if the file has no list, so that the number is the name.

    Raises
    ------
    GraphError
        If a gate is neither a name nor an index of the list.
    KeyError
        If the edge has no source or no target.
    """
    edge = {key: value for key, value in item.items() if key not in FORM}
    edge |= {"from": item["source"], "to": item["target"]}
    gates = item.get("synchrony_gates", [])
    where = f"{path}.synchrony_gates"
    if not isinstance(gates, list | tuple):
        raise GraphError(
            f"{where}: not a list (got {quoted(gates)}, allowed a list). Write [0] for the first gate."
        )
    if gates:
        edge["gates"] = [_gate(f"{where}[{i}]", gate, names) for i, gate in enumerate(gates)]
    return edge


def gate_names(path: str, listed: Any) -> list[str]:
    """Return the list of gates of a plan.

    Raises
    ------
    GraphError
        If it is not a list of names of gates.
    """
    if not isinstance(listed, list | tuple):
        allowed = "a list of names"
        raise GraphError(
            f"{path}: not a list (got {quoted(listed)}, allowed {allowed}). Write ['beat', ...]."
        )
    return [checks.label(f"{path}[{i}]", name) for i, name in enumerate(listed)]


def check_version(path: str, version: Any) -> None:
    """Raise `GraphError` for a version of descriptors that this package cannot read.

    Raises
    ------
    GraphError
        If the version is none of `VERSIONS`.
    """
    if isinstance(version, bool) or version not in VERSIONS:
        allowed = " or ".join(map(str, VERSIONS))
        raise GraphError(
            f"{path}: not supported (got {quoted(version)}, allowed {allowed}). Write the plan again."
        )


def _gate(where: str, gate: Any, names: Sequence[str] | None) -> str:
    if isinstance(gate, str):
        return gate
    if isinstance(gate, bool) or not isinstance(gate, int) or gate < 0:
        allowed = "a number from 0, or a name"
        raise GraphError(
            f"{where}: not a gate (got {quoted(gate)}, allowed {allowed}). Write 0 for the first gate."
        )
    if names is None:
        return str(gate)
    if gate >= len(names):
        allowed = f"0 to {len(names) - 1}" if names else "none: $.gates is empty"
        raise GraphError(f"{where}: no such gate (got {gate}, allowed {allowed}). Add its name to $.gates.")
    return names[gate]
