"""The node contracts of the native tables as records."""

from __future__ import annotations

from typing import Any

from amp_lab._native import lib
from amp_lab.contracts import CaseContract, NodeContract, ParamContract, PortContract
from amp_lab.lowlevel import words
from amp_lab.lowlevel.calls import text as _text


def _param(p: Any) -> ParamContract:
    kind = words.PARAM_KINDS[p.kind]
    choices = tuple(_text(p.choices[i]) for i in range(p.n_choices))
    default: float | int | str = p.value
    if kind == "enum":
        default = choices[int(p.value)]
    elif kind == "integer":
        default = int(p.value)
    elif kind == "text":
        default = ""
    return ParamContract(
        key=_text(p.key),
        unit=_text(p.unit),
        doc=_text(p.doc),
        kind=kind,
        scale=words.SCALES[p.scale],
        rate=words.RATES[p.rate],
        range=words.RANGES[p.range],
        low=p.low,
        high=p.high,
        high_is_fs=bool(p.high_is_fs),
        default=default,
        choices=choices,
    )


def _port(p: Any, is_input: bool) -> PortContract:
    return PortContract(
        key=_text(p.key),
        doc=_text(p.doc),
        channels=words.CHANNELS[p.channels],
        gather=words.GATHERS[p.gather] if is_input else "",
        scatter="" if is_input else words.SCATTERS[p.gather],
        map="" if is_input else words.MAPS[p.map],
        optional=bool(p.optional),
        neutral=p.neutral,
    )


def _case(c: Any) -> CaseContract:
    head = (_text(c.key), _text(c.stimulus), _text(c.params), c.channels, c.frames)
    return CaseContract(*head, _text(c.comparator), c.tolerance, _text(c.reason))


def _contract(c: Any) -> NodeContract:
    def key(place: int) -> str:
        return _text(c.params[place - 1].key) if place else ""

    return NodeContract(
        id=_text(c.id),
        revision=c.revision,
        group=_text(c.group),
        summary=_text(c.summary),
        doc=_text(c.doc),
        inputs=tuple(_port(c.inputs[i], True) for i in range(c.n_inputs)),
        outputs=tuple(_port(c.outputs[i], False) for i in range(c.n_outputs)),
        params=tuple(_param(c.params[i]) for i in range(c.n_params)),
        cases=tuple(_case(c.cases[i]) for i in range(c.n_cases)),
        latency_frames=c.latency_frames,
        adjoint=words.ADJOINTS[c.adjoint],
        heat=_text(c.heat),
        laws=frozenset(name for name, bit in words.LAWS.items() if c.laws & bit),
        has_channels=bool(c.has_channels),
        io=words.IOS[c.io],
        curve_param=key(c.curve_param),
        channels_param=key(c.channels_param),
        limited_param=key(c.limited_param),
        limit_param=key(c.limit_param),
        bound_param=key(c.bound_param),
        digest=int(lib.amp_node_digest(c.id)),
    )


def contracts() -> tuple[NodeContract, ...]:
    """Return the contracts of all node types, ordered by id."""
    return tuple(_contract(lib.amp_node_at(i)) for i in range(lib.amp_node_count()))
