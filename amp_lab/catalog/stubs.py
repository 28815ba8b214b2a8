"""The typing stub of the builders, so that editors complete node types and their parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable

from amp_lab.catalog.builder import BOUND, keyword_ports, param_facts, takes_samples
from amp_lab.catalog.examples import example
from amp_lab.contracts import NodeContract, ParamContract

HEAD = '''\
# ruff: noqa
# fmt: off
"""Generated from the native contracts by ``make stubs``; do not edit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy.typing as npt

from amp_lab.common.arrays import Scale
from amp_lab.graph.edits.arguments import Source
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records.values import ValueLike

class Builders:
'''
COMMON = (
    "name: str | None = None",
    "thermo: Mapping[str, float | None] | None = None",
)


def render(contracts: Iterable[NodeContract]) -> str:
    """Return the text of ``graph/builders.pyi``."""
    return HEAD + "\n".join(_method(contract) for contract in contracts)


def _method(contract: NodeContract) -> str:
    arguments = ["self"]
    if takes_samples(contract):
        arguments.append("samples: npt.ArrayLike | str | Path | None = None")
    arguments.append("*inputs: Source" if contract.inputs else "*")
    arguments += [f"{port.key}: Source | list[Source] | None = None" for port in keyword_ports(contract)]
    arguments += [f"{param.key}: {_type(param)} = {_literal(param.default)}" for param in contract.params]
    if takes_samples(contract):
        arguments.append("scale: Scale = None")
    lines = [f"    def {contract.id}("]
    lines += [f"        {argument}," for argument in (*arguments, *COMMON)]
    lines += [
        "    ) -> Node:",
        f'        """{contract.summary}',
        "",
        "        Parameters",
        "        ----------",
    ]
    if takes_samples(contract):
        lines += [
            line for key, (_, doc) in BOUND.items() for line in _entry(key, f"{doc[0].upper()}{doc[1:]}.")
        ]
    for param in contract.params:
        lines += _entry(param.key, f"{param.doc} {param_facts(param)}")
    lines += ["", *(f"        {line}" for line in ("Examples", "--------", *example(contract)))]
    return "\n".join([*lines, '        """', ""])


def _entry(key: str, doc: str) -> list[str]:
    return [f"        {key}", f"            {doc}"]


def _type(param: ParamContract) -> str:
    if param.kind == "enum":
        return f"Literal[{', '.join(_literal(choice) for choice in param.choices)}]"
    return {"number": "ValueLike", "matrix": "npt.ArrayLike", "integer": "int", "text": "str"}[param.kind]


def _literal(value: float | int | str) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
