"""Sort the arguments of builders into sources of input ports, parameters, and keywords of all nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from amp_lab.catalog.builder import BOUND, COMMON, takes_samples
from amp_lab.contracts import NodeContract
from amp_lab.errors import quoted
from amp_lab.graph.edits.nodes import Node, OutputRef
from amp_lab.graph.records.values import unknown_keyword

Source: TypeAlias = Node | OutputRef


@dataclass(frozen=True)
class Arguments:
    """Arguments of a builder: sources by input port, unchecked parameter values, keywords of all nodes."""

    sources: dict[str, list[Source]]
    params: dict[str, Any]
    common: dict[str, Any]


def sort(contract: NodeContract, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> Arguments:
    """Sort positional and keyword arguments by the contract.

    Raises
    ------
    TypeError
        If a source is not a node or output, or a keyword is unknown (with the nearest name).
    """
    params: dict[str, Any] = {}
    common: dict[str, Any] = {}
    special = {*COMMON, *BOUND} if takes_samples(contract) else set(COMMON)
    if inputs and takes_samples(contract):
        common["samples"] = _positional_samples(contract, inputs, keywords)
        inputs = ()
    sources = _positional(contract, inputs)
    for key, value in keywords.items():
        is_param = contract.param(key) is not None
        if key in contract.input_keys and (not is_param or _is_source(value)):
            if value is not None:
                items = value if isinstance(value, list | tuple) else [value]
                sources.setdefault(key, []).extend(_source(contract, key, item) for item in items)
        elif is_param:
            params[key] = value
        elif key in special:
            common[key] = value
        else:
            raise unknown_keyword(contract, key, special)
    return Arguments(sources, params, common)


def _positional(contract: NodeContract, inputs: tuple[Any, ...]) -> dict[str, list[Source]]:
    keys = contract.input_keys
    if not keys and inputs:
        raise TypeError(
            f"{contract.id}: has no input port (got {len(inputs)} sources, allowed 0). Remove them."
        )
    if len(keys) == 1:
        sources = [_source(contract, keys[0], item) for item in inputs]
        return {keys[0]: sources} if sources else {}
    if len(inputs) > len(keys):
        raise TypeError(
            f"{contract.id}: too many sources (got {len(inputs)}, allowed {len(keys)}: {', '.join(keys)}). "
            f"Give several sources of one port as a list: {keys[0]}=[a, b]."
        )
    return {key: [_source(contract, key, item)] for key, item in zip(keys, inputs, strict=False)}


def _positional_samples(contract: NodeContract, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Return samples that were passed as a positional argument."""
    if len(inputs) > 1 or "samples" in keywords:
        count = len(inputs) + ("samples" in keywords)
        raise TypeError(
            f"{contract.id}: samples are given twice (got {count} values, allowed one array or path). "
            f"Write g.{contract.id}(np.stack([left, right])) for channels."
        )
    if _is_source(inputs[0]):
        raise TypeError(
            f"{contract.id}: plays samples and has no input port (got {quoted(inputs[0])}, allowed an array "
            "or a path). Give samples, or connect the node to another one."
        )
    return inputs[0]


def _is_source(value: Any) -> bool:
    first = value[0] if isinstance(value, list | tuple) and value else value
    return isinstance(first, Node | OutputRef)


def _source(contract: NodeContract, port: str, item: Any) -> Source:
    if isinstance(item, Node | OutputRef):
        return item
    raise TypeError(
        f"{contract.id}.{port}: not a source (got {type(item).__name__}, allowed a node or an output). "
        + _cure(contract, item)
    )


def _cure(contract: NodeContract, item: Any) -> str:
    if _is_source(item):
        return f"Write g.{contract.id}(*nodes)."
    keys = ", ".join(f"{p.key}=" for p in contract.params)
    named = f"Parameters go by keyword ({keys})" if keys else "It has no parameters"
    return f"{named}; turn a number into a signal with g.constant(value=...)."
