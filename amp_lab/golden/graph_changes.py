"""How the graph in the code differs from a stored one: nodes, parameters, links, curves and recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from amp_lab import catalog
from amp_lab.errors import AmpError, plain, quoted
from amp_lab.execution.request import RenderRequest
from amp_lab.graph.files import descriptor_reader
from amp_lab.graph.files.descriptors import Descriptors
from amp_lab.graph.records.curves import Curve
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord
from amp_lab.graph.records.values import CurveRef, Samples

MOST = 12
"""Most changes that are listed; further ones are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """All that the bits of a render depend on: descriptors, curves, recordings."""

    graph: Descriptors
    curves: Mapping[str, Curve]
    inputs: Mapping[str, Samples]


def sound_of(request: RenderRequest) -> Sound:
    """Return what a request renders.

    Raises
    ------
    BlobError
        Its blobs are damaged.
    """
    curves = {} if request.history_blob is None else descriptor_reader.history(request.history_blob)
    return Sound(descriptor_reader.descriptors(request.descriptor_blob), curves, request.inputs)


def changes(stored: Sound, code: Sound, first: str = "") -> tuple[str, ...]:
    """Return a line per difference, stored value before the arrow, the code's after it.

    Parameters
    ----------
    stored, code : Sound
    first : str
        Node whose changes come first.
    """
    lines = list(_changes(stored, code))
    lines.sort(key=lambda line: not (first and line.startswith((f"{plain(first)}.", f"{plain(first)}:"))))
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return (*lines[:MOST], *more)


def _changes(stored: Sound, code: Sound) -> Iterator[str]:
    for key in ("sample_rate", "output", "heat_budget_w", "heat_policy"):
        yield from _value(f"graph.{key}", getattr(stored.graph, key), getattr(code.graph, key))
    yield from _tables("node", {n.name: n for n in stored.graph.nodes}, {n.name: n for n in code.graph.nodes})
    yield from _tables(
        "edge into", {e.id: e for e in stored.graph.edges}, {e.id: e for e in code.graph.edges}
    )
    old, new = ({m.id: m for m in sound.graph.modulations} for sound in (stored, code))
    yield from _tables("modulation of", old, new)
    yield from _tables("curve", stored.curves, code.curves)
    for name in sorted(stored.inputs.keys() & code.inputs.keys()):
        yield from _value(f"{plain(name)}.samples", stored.inputs[name], code.inputs[name])


def _tables(what: str, stored: Mapping[str, Any], code: Mapping[str, Any]) -> Iterator[str]:
    for name in (*stored, *(name for name in code if name not in stored)):
        if name not in code:
            yield f"{what} {plain(name)}: gone (was {_brief(stored[name])})"
        elif name not in stored:
            yield f"{what} {plain(name)}: new ({_brief(code[name])})"
        elif isinstance(stored[name], NodeRecord):
            yield from _nodes(stored[name], code[name])
        else:
            yield from _records(f"{what} {plain(name)}", stored[name], code[name])


def _nodes(stored: NodeRecord, code: NodeRecord) -> Iterator[str]:
    where = plain(stored.name)
    if stored.type != code.type:
        yield f"{where}: {stored.type} -> {code.type}"
        return
    for key in sorted(stored.values.keys() | code.values.keys()):
        old, new = (record.values.get(key, _default(record.type, key)) for record in (stored, code))
        yield from _value(f"{where}.{key}", old, new)
    yield from _records(where, stored.thermo, code.thermo)
    yield from _value(f"{where}.revision", stored.revision, code.revision)


def _records(where: str, stored: Any, code: Any) -> Iterator[str]:
    """Compare two dataclasses of one kind field by field; both ends of a source are one value."""
    for field in fields(stored):
        old, new = getattr(stored, field.name), getattr(code, field.name)
        yield from _value(f"{where}.{field.name}", old, new)


def _default(type_id: str, key: str) -> Any:
    try:
        param = catalog.contract(type_id).param(key)
    except AmpError:
        return None
    return None if param is None else param.default


def _value(where: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and old.shape == new.shape:
        differs = np.flatnonzero(old.reshape(-1).view(np.uint64) != new.reshape(-1).view(np.uint64))
        if differs.size:
            at = [int(i) for i in np.unravel_index(differs[0], old.shape)]
            count = f" ({differs.size} of {old.size} values differ)" if old.size > 1 else ""
            place = f"{where}{at if old.size > 1 else ''}"
            yield f"{place}: {float(old.flat[differs[0]])!r} -> {float(new.flat[differs[0]])!r}{count}"
    elif isinstance(old, np.ndarray) or isinstance(new, np.ndarray) or _key(old) != _key(new):
        yield f"{where}: {_brief(old)} -> {_brief(new)}"


def _key(value: Any) -> Any:
    """Return what makes a value equal to another: the bits of a number, and its kind."""
    return (type(value), value.hex() if isinstance(value, float) else value)


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.shape}"
    if isinstance(value, CurveRef) and not isinstance(value, Curve):
        return f"curve {plain(value.name)}"
    if isinstance(value, NodeRecord):
        return value.type
    if isinstance(value, Edge | Modulation):
        return f"from {plain(value.src)}.{plain(value.src_port)}"
    if isinstance(value, Curve):
        return f"{value.times_s.size} points"
    return "none" if value is None else quoted(value)
