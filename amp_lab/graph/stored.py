"""A graph as text: JSON values, files, Python code, pickles."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from amp_lab.common import atomic_files, json_text
from amp_lab.errors import plain
from amp_lab.graph.edits.transactions import Store
from amp_lab.graph.files import json_format, python_code
from amp_lab.graph.records.values import Samples

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph


class Stored:
    """The part of `Graph` that goes to texts and files and comes back."""

    _store: Store
    _name: str
    _sample_folders: tuple[str, ...] = ()
    """Below which files may lie that an opened graph names."""

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as JSON values, sorted, defaults left out; reads back to the same bits."""
        with self._store.lock:
            return json_format.to_dict(cast("Graph", self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, allow_samples_from: str | Path | None = None) -> Graph:
        """Read what `to_dict` wrote. Nothing is imported or run.

        Parameters
        ----------
        data
            JSON values.
        allow_samples_from
            Folder below which sound files that ``source`` names may lie, and from which relative paths start.
            The first render reads them. By default none is read: values have no folder of their own.

        Raises
        ------
        FileError
            Listing violations with their JSON paths.
        """
        return json_format.from_dict(data, folders=_folders(allow_samples_from))

    def to_json(self) -> str:
        """Readable JSON text."""
        return json_text.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str, *, allow_samples_from: str | Path | None = None) -> Graph:
        """Read JSON text as `from_dict` reads values."""
        return cls.from_dict(json_text.read_json(text), allow_samples_from=allow_samples_from)

    def save(self, path: str | Path) -> Path:
        """Write the JSON text to a file; sound files below its folder are named from there.

        Raises
        ------
        FileError
            If it cannot be written; the old file is whole then.
        """
        where = f"{self._name}.save"
        folder = Path(os.path.realpath(atomic_files.check(path, where))).parent
        text = json_text.dumps(json_format.relative_to(self.to_dict(), folder))
        return atomic_files.write(path, text, where)

    @classmethod
    def load(cls, path: str | Path, *, allow_samples_from: str | Path | None = None) -> Graph:
        """Read a JSON file. Nothing is imported or run.

        Parameters
        ----------
        path
            A regular file.
        allow_samples_from
            A further folder below which sound files that ``source`` names may lie; by default only the file's
            own. Relative paths start at the file's folder, links followed. The first render reads them.

        Raises
        ------
        FileError
            With the path, and the place inside.
        """
        data = json_text.read_json(Path(path))
        folders = _folders(Path(os.path.realpath(path)).parent, allow_samples_from)
        return json_format.from_dict(data, where=plain(path, 200), folders=folders)

    def to_code(self) -> str:
        """Python that rebuilds this graph."""
        with self._store.lock:
            return python_code.to_code(cast("Graph", self))

    def __reduce__(self) -> tuple[Any, ...]:
        records = self._store.nodes.values()
        files = {r.name: r.samples for r in records if r.samples is not None and r.values.get("source")}
        return _unpickled, (self.to_dict(), files, self._sample_folders)


def _folders(*given: str | Path | None) -> tuple[str, ...]:
    return tuple(os.path.realpath(folder) for folder in given if folder is not None)


def _unpickled(data: dict[str, Any], files: dict[str, Samples], folders: tuple[str, ...]) -> Graph:
    """Undo `Stored.__reduce__`; samples that were read from files come along."""
    graph = json_format.from_dict(data)
    for name, samples in files.items():
        graph._store.nodes[name] = replace(graph._store.nodes[name], samples=samples)
    graph._sample_folders = folders
    return graph
