"""Contents of a patch file: a graph as `Graph.save` writes it, and its layout in the editor."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amp_lab.common import json_text
from amp_lab.errors import FileError, GraphError, plain
from amp_lab.graph.edits.states import Place, State
from amp_lab.graph.files import json_format
from amp_lab.graph.graph import Graph

SECTION = "workbench"
SCHEMA = "amp_lab.workbench/1"
LINES = 12
"""Differences of two graphs that are listed; the others are counted."""


@dataclass(frozen=True, eq=False)
class PatchText:
    """A graph, places of its nodes, its folds, and the SHA-256 of the code's graph it came from."""

    graph: Graph
    places: Mapping[str, Place] = field(default_factory=dict)
    folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grew_from: str = ""

    def dump(self, folder: Path) -> bytes:
        """Return the bytes of a file in a folder; `Graph.load` reads them too.

        Raises
        ------
        GraphError
            If they are more than `Graph.load` reads.
        """
        section = {
            "schema": SCHEMA,
            "grew_from": self.grew_from,
            "places": {name: list(place) for name, place in self.places.items()},
            "folds": {title: list(names) for title, names in self.folds.items()},
        }
        return json_text.dumps(_values(self.graph, folder) | {SECTION: section}).encode()

    def lies_as(self, state: State) -> bool:
        """Whether the layout of nodes and folds equals that of a state."""
        moved = any(state.places.get(name) != at for name, at in self.places.items())
        return not moved and dict(state.folds) == dict(self.folds)


def load(path: Path, data: bytes, code: Graph | None = None) -> PatchText:
    """Read a file of `PatchText.dump` or `Graph.save`.

    Sound files that it names may lie below its folder, or beside those that the code's graph names.

    Raises
    ------
    FileError
        If it is damaged: with its name, and the place in it.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"{plain(path.name)}: not a text file (byte {error.start} is not UTF-8). Give a JSON file."
        raise FileError(what) from None
    try:
        value = json_text.read_json(text)
        graph = json_format.from_dict(Graph, value, folders=(str(path.parent), *_sound_folders(code)))
        section = value.get(SECTION, {})
        return PatchText(
            graph,
            {name: _place(graph, name, at) for name, at in _table(section, "places").items()},
            _folds(graph, _table(section, "folds")),
            str(section.get("grew_from", "")),
        )
    except GraphError as error:
        raise FileError(f"{plain(path.name)}: {error}") from None


def _sound_folders(code: Graph | None) -> list[str]:
    records = [] if code is None else [node.record for node in code.nodes]
    named = {str(record.values.get("source") or "") for record in records if record.samples is not None}
    return sorted({os.path.dirname(os.path.realpath(name)) for name in named if name})


def digest(graph: Graph, folder: Path) -> str:
    """SHA-256 of a graph's JSON text in a file of a folder; none if it is too large for one."""
    try:
        return hashlib.sha256(json_text.dumps(_values(graph, folder)).encode()).hexdigest()
    except GraphError:
        return ""


def same(a: Graph, b: Graph, folder: Path) -> bool:
    """Whether two graphs are the same in a file of a folder."""
    return _values(a, folder) == _values(b, folder)


def _values(graph: Graph, folder: Path) -> dict[str, Any]:
    return json_format.relative_to(graph.to_dict(), folder)


def differences(file: Graph, here: Graph) -> list[str]:
    """List how a file's graph and the one of a widget differ, by node and parameter."""
    found = list(_differences(file.to_dict(), here.to_dict()))
    more = len(found) - LINES
    return found if more <= 0 else [*found[:LINES], f"and {more} more"]


def _differences(file: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*file["nodes"], *here["nodes"]}):
        a, b = file["nodes"].get(name), here["nodes"].get(name)
        if a is None or b is None:
            yield f"{name}: only {'here' if a is None else 'in the file'}"
        elif a["type"] != b["type"]:
            yield f"{name}: {a['type']} in the file, {b['type']} here"
        else:
            yield from _fields(name, a.pop("params", {}), b.pop("params", {}))
            yield from _fields(name, a, b)
    for kind in ("edges", "modulations"):
        tables = [{(link["to"], link["slot"]): link for link in graph[kind]} for graph in (file, here)]
        for key in sorted({*tables[0], *tables[1]}):
            a, b = tables[0].get(key), tables[1].get(key)
            if a != b:
                link = a or b or {}
                where = "differs" if a and b else "only in the file" if a else "only here"
                yield f"{link['from']} to {link['to']}: {where}"
    rest = {"nodes", "edges", "modulations"}
    yield from _fields("", *({k: v for k, v in graph.items() if k not in rest} for graph in (file, here)))


def _fields(name: str, file: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*file, *here}):
        if file.get(key) != here.get(key):
            where = f"{name}.{key}" if name else key
            yield f"{where}: {_short(file.get(key))} in the file, {_short(here.get(key))} here"


def _short(value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, dict | list):
        return "other values"
    return f"{value:.6g}" if isinstance(value, float) else f"{value!s:.40}"


def _table(section: Any, key: str) -> dict[str, Any]:
    if not isinstance(section, dict) or section.get("schema", SCHEMA) != SCHEMA:
        got = section.get("schema") if isinstance(section, dict) else type(section).__name__
        raise GraphError(f"$.{SECTION}.schema: not a layout (got {got!r:.60}, allowed {SCHEMA!r}).")
    table = section.get(key, {})
    if not isinstance(table, dict):
        raise GraphError(f"$.{SECTION}.{key}: wrong kind (got {type(table).__name__}, allowed dict).")
    return table


def _place(graph: Graph, name: str, at: Any) -> Place:
    numbers: list[Any] = at if isinstance(at, list) and len(at) == 2 else []
    fits = [isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e9 for x in numbers]
    if name not in graph or len(fits) != 2 or not all(fits) or not all(map(math.isfinite, numbers)):
        what = "a node's place (allowed two numbers per node of the graph)"
        raise GraphError(f"$.{SECTION}.places.{name:.60}: not {what}.")
    return float(numbers[0]), float(numbers[1])


def _folds(graph: Graph, table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    taken: set[str] = set()
    for title, names in table.items():
        if not isinstance(names, list) or not names or any(
            not isinstance(name, str) or name not in graph or name in taken for name in names
        ):  # fmt: skip
            what = "a fold (allowed names of nodes, each in one fold)"
            raise GraphError(f"$.{SECTION}.folds.{title:.60}: not {what}.")
        taken.update(names)
    return {title: tuple(names) for title, names in table.items()}
