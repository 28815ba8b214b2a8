"""The example in the docstring of a builder, made of the first worked case of the node's contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from amp_lab.contracts import NodeContract, ParamContract

SOURCES = {
    "gate": 'g.lfo(shape="square")',
    "impulse": "g.input([1.0])",
    "ramp": 'g.lfo(shape="saw")',
    "sine": "g.sine()",
    "step": "g.constant(value=1.0)",
}
"""Sources that stand for the stimuli of cases; white noise for all others."""


def example(contract: NodeContract) -> list[str]:
    """Return the lines of a doctest: it adds the node to a graph and shows all its parameters."""
    case = contract.cases[0]
    words = dict(word.split("=", 1) for word in case.params.split())
    given = {p.key: _value(p, words[p.key]) for p in contract.params if p.key in words}
    given |= {contract.curve_param: "level"} if contract.curve_param else {}
    arguments = [f"{key}={_literal(value)}" for key, value in given.items()]
    if contract.io == "source":
        arguments.insert(0, f"np.zeros(({case.channels}, {case.frames}))")
        given[contract.channels_param] = case.channels
    elif case.stimulus != "none":
        source = SOURCES.get(case.stimulus, "g.noise()")
        named = len(contract.inputs) > 1
        arguments[:0] = [f"{port.key}={source}" if named else source for port in contract.inputs]
    values = {p.key: _shown(p, given.get(p.key, p.default)) for p in contract.params}
    return [
        ">>> g = amp.Graph()",
        f">>> node = g.{contract.id}({', '.join(arguments)})",
        ">>> node.params",
        "{" + ", ".join(f"{key!r}: {value}" for key, value in values.items()) + "}",
    ]


def _value(param: ParamContract, text: str) -> Any:
    """Return the value that a case writes as text."""
    if param.kind == "matrix":
        return [[float(number) for number in row.split(",")] for row in text.split(";")]
    return {"number": float, "integer": int}.get(param.kind, str)(text)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _shown(param: ParamContract, value: Any) -> str:
    """Return a value as `Node.params` shows it, on one line."""
    return " ".join(repr(np.array(value, ndmin=3) if param.kind == "matrix" else value).split())
