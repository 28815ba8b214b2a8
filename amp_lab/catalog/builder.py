"""Builders: one `Graph` method per node type; signature and docstring are derived from the contract."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable
from typing import Any

from amp_lab.catalog.examples import example
from amp_lab.contracts import NodeContract, ParamContract, PortContract

Builder = Callable[..., Any]

COMMON = {
    "name": (None, "unique name; by default the type, then type_2 and so on"),
    "thermo": (None, "heat constants: heat_j_per_frame, capacity_j_per_k, conductance_w_per_k"),
}
BOUND = {
    "samples": (
        None,
        "samples to play: floating-point array (B, C, N), (C, N) or (N,), or the path of a sound file",
    ),
    "scale": (
        None,
        "factor on an array, required for integers: 'full' for PCM (int16: 1/32768), 1 for the values "
        "as they are",
    ),
}
"""Further keywords of nodes that play samples; the first may be given by position."""


def keyword_ports(contract: NodeContract) -> tuple[PortContract, ...]:
    """Return the input ports whose key can be a keyword argument (``in`` cannot)."""
    return tuple(port for port in contract.inputs if not keyword.iskeyword(port.key))


def takes_samples(contract: NodeContract) -> bool:
    """Return whether the node plays samples that are bound to it."""
    return contract.io == "source"


def make(contract: NodeContract) -> Builder:
    """Return the method that adds a node of this type to a graph."""

    def build(self: Any, *inputs: Any, **keywords: Any) -> Any:
        return self.add(contract.id, *inputs, **keywords)

    build.__name__ = contract.id
    build.__qualname__ = f"Graph.{contract.id}"
    build.__doc__ = docstring(contract)
    build.__signature__ = signature(contract)  # type: ignore[attr-defined]
    return build


def signature(contract: NodeContract) -> inspect.Signature:
    """Return the signature ``(self, *inputs, port=None, param=default, name=None, ...)``."""
    parameter = inspect.Parameter
    parameters = [parameter("self", parameter.POSITIONAL_OR_KEYWORD)]
    if contract.inputs:
        parameters.append(parameter("inputs", parameter.VAR_POSITIONAL))
    if takes_samples(contract):
        parameters.append(parameter("samples", parameter.POSITIONAL_OR_KEYWORD, default=None))
    defaults: dict[str, Any] = {port.key: None for port in keyword_ports(contract)}
    defaults |= {param.key: param.default for param in contract.params}
    if takes_samples(contract):
        defaults["scale"] = None
    defaults |= {key: default for key, (default, _) in COMMON.items()}
    parameters += [parameter(key, parameter.KEYWORD_ONLY, default=value) for key, value in defaults.items()]
    return inspect.Signature(parameters)


def docstring(contract: NodeContract) -> str:
    """Return summary, paragraphs, ports, parameters (unit, range, default) and example of a contract."""
    lines = [contract.summary, "", contract.doc.strip(), "", "Parameters", "----------"]
    if contract.inputs:
        lines += ["*inputs", f"    Sources for {_ports(contract)}."]
    for port in contract.inputs:
        lines += [
            port.key,
            f"    Input port ({port.gather}{', optional' if port.optional else ''}): {port.doc}",
        ]
    for param in contract.params:
        lines += [param.key, f"    {param.doc} {param_facts(param)}"]
    for key, (_, doc) in ((BOUND | COMMON) if takes_samples(contract) else COMMON).items():
        lines += [key, f"    {doc[0].upper()}{doc[1:]}."]
    outputs = ", ".join(f"{port.key} ({port.doc})" for port in contract.outputs) or "none"
    lines += ["", "Returns", "-------", "Node", f"    Output ports: {outputs}"]
    lines += ["", "Examples", "--------", *example(contract)]
    return "\n".join(lines) + "\n"


def param_facts(param: ParamContract) -> str:
    """Return range, default and rate of a parameter: ``[1 to 0.49 fs Hz, default 1000, rate frame]``."""
    default = repr(param.default) if param.kind == "text" else param.default
    return f"[{param.allowed()}, default {default}, rate {param.rate}]"


def _ports(contract: NodeContract) -> str:
    if len(contract.inputs) == 1:
        return f"input port {contract.inputs[0].key}, in slot order"
    return f"input ports {', '.join(contract.input_keys)}, in this order"
