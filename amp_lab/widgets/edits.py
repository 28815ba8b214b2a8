"""The operations on a graph that a view may request, one function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from amp_lab.common import checks
from amp_lab.errors import GraphError
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.edits.states import Place
from amp_lab.graph.records.curves import SCHEMA, ControlHistory
from amp_lab.graph.records.json_values import decode
from amp_lab.graph.records.model import Edge, Link, Modulation, NodeRecord, Thermo

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

Places: TypeAlias = dict[str, Place | None]
PASTE_STEP = 36.0
"""Distance of a copy from its original, in pixels of the canvas."""


@dataclass(frozen=True, eq=False)
class Fragment:
    """Nodes with the edges among them, as they were when they were copied."""

    nodes: tuple[NodeRecord, ...]
    links: tuple[Link, ...]
    places: Mapping[str, Place]


_clipboard: list[Fragment] = []
"""The last fragment copied; one for all graphs of a process."""


def apply(graph: Graph, ops: Sequence[Mapping[str, Any]], gesture: str | None = None) -> list[str]:
    """Carry out operations as one step of undo, all or none; returns the names of nodes that were added.

    Raises
    ------
    AmpError, TypeError
        As the graph's own methods; nothing has changed then.
    """
    journal = Journal.of(graph)
    added: list[str] = []
    with journal.lock(), journal.step(gesture) as places:
        for op in ops:
            arguments = dict(op)
            kind = arguments.pop("op", None)
            if kind not in _OPERATIONS:
                raise GraphError(checks.unknown("edit", kind, _OPERATIONS, "operation"))
            found = _OPERATIONS[kind](graph, **arguments) or {}
            places.update({name: place for name, place in found.items() if place is not None})
            added += [name for name in found if kind != "move"]
    return added


def copy(graph: Graph, names: Sequence[str]) -> int:
    """Keep nodes and the edges among them for `paste`; returns how many nodes."""
    journal = Journal.of(graph)
    with journal.lock():
        chosen = set(names)
        records = tuple(graph.record(name) for name in names if graph[name].contract.io != "sink")
        every: tuple[Link, ...] = (*graph.edges, *graph.modulations)
        links = tuple(link for link in every if link.src in chosen and link.dst in chosen)
        places = {name: at for name, at in journal.state.places.items() if name in chosen}
    _clipboard[:] = [Fragment(records, links, places)]
    return len(records)


# ---- operations; those that add or move nodes return them with their places, None for any ----


def _add(
    graph: Graph,
    type: str,
    at: Sequence[float] | None = None,
    name: str | None = None,
    params: Any = None,
    src: str | None = None,
    port: str | None = None,
) -> Places:
    """Add a node, under the next free name if none is given, and connect a source to its port."""
    more = {} if name is None else {"name": name}
    node = graph.add(type, **more, **{key: decode(value) for key, value in (params or {}).items()})
    if src is not None:
        graph.connect(src, node, port=port)
    return {node.name: None if at is None else (float(at[0]), float(at[1]))}


def _paste(graph: Graph, at: Sequence[float] | None = None) -> Places:
    if not _clipboard:
        raise GraphError("paste: nothing was copied (got an empty clipboard). Copy nodes first.")
    fragment = _clipboard[0]
    corner = tuple(min((place[i] for place in fragment.places.values()), default=0.0) for i in (0, 1))
    shift = (PASTE_STEP, PASTE_STEP) if at is None else (at[0] - corner[0], at[1] - corner[1])
    names: dict[str, str] = {}
    for record in fragment.nodes:
        names[record.name] = graph._handles.free(record.name)
        graph._add_record(replace(record, name=names[record.name]))
    for link in fragment.links:
        if link.src in names and link.dst in names:
            graph._put_link(replace(link, src=names[link.src], dst=names[link.dst]))
    places: Places = dict.fromkeys(names.values())
    for old, (x, y) in fragment.places.items():
        if old in names:
            places[names[old]] = x + shift[0], y + shift[1]
    return places


def _remove(graph: Graph, nodes: Sequence[str] = (), links: Sequence[str] = ()) -> None:
    for link in links:
        graph.disconnect(_link(graph, link))
    for name in nodes:
        graph.remove(name)


def _connect(graph: Graph, src: str, dst: str, port: str, **options: Any) -> None:
    graph.connect(src, dst, port=port, **options)


def _modulate(graph: Graph, src: str, dst: str, param: str, mode: Any = "add", **options: Any) -> None:
    graph.modulate(src, graph[dst].param(param), mode=mode, **options)


def _change(graph: Graph, link: str, fields: Mapping[str, Any]) -> None:
    graph.change(_link(graph, link), **fields)


def _set(graph: Graph, node: str, params: Mapping[str, Any]) -> None:
    graph.set_params(node, {key: decode(value) for key, value in params.items()})


def _thermo(graph: Graph, node: str, **constants: float | None) -> None:
    graph.set_thermo(node, Thermo(**constants))


def _rename(graph: Graph, node: str, name: str) -> None:
    graph.rename(node, name)


def _replace(graph: Graph, node: str, type: str) -> None:
    graph.replace(node, type)


def _move(graph: Graph, places: Mapping[str, Sequence[float]]) -> Places:
    return {graph[name].name: (float(at[0]), float(at[1])) for name, at in places.items()}


def _curves(graph: Graph, curves: Mapping[str, Any]) -> None:
    new = ControlHistory.from_dict({"schema": SCHEMA, "curves": curves})
    graph.controls = new if graph.controls is None else graph.controls.merge(new)


def _link(graph: Graph, id_: str) -> Link:
    """Return the edge (``e:dst.port[slot]``) or modulation (``m:...``) of that id."""
    kind, _, name = id_.partition(":")
    table: Sequence[Edge] | Sequence[Modulation] = graph.edges if kind == "e" else graph.modulations
    for link in table:
        if link.id == name:
            return link
    raise GraphError(f"{name}: no such {'edge' if kind == 'e' else 'modulation'} any more. Look again.")


_OPERATIONS: dict[str, Callable[..., Places | None]] = {
    "add": _add,
    "paste": _paste,
    "remove": _remove,
    "connect": _connect,
    "modulate": _modulate,
    "change": _change,
    "set": _set,
    "thermo": _thermo,
    "rename": _rename,
    "replace": _replace,
    "move": _move,
    "curves": _curves,
}
