"""A graph as text: JSON values, files, Python code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from amp_lab.common import atomic_files, json_text
from amp_lab.errors import plain
from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.files import json_format, python_code


class Stored(EditedGraph):
    """The methods of `Graph` that write it to texts and files, and read it from them."""

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as JSON values: sorted, without defaults; `from_dict` restores the same bits.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine(frequency_hz=880.0))
        >>> g.to_dict()["nodes"]["sine"]
        {'type': 'sine', 'revision': 1, 'params': {'frequency_hz': 880.0}}
        """
        with self._store.lock:
            return json_format.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, allow_samples_from: str | Path | None = None) -> Self:
        """Return the graph that `to_dict` wrote. No code of the file is imported or run.

        Parameters
        ----------
        data
            JSON values.
        allow_samples_from
            Folder that may hold the sound files that ``source`` parameters name; relative paths start there.
            They are read by the first render. By default no sound file may be named.

        Raises
        ------
        FileError
            If a value is not allowed; the error lists all violations with their JSON paths.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine(frequency_hz=880.0))
        >>> amp.Graph.from_dict(g.to_dict())
        Graph beep: 2 nodes, 1 edges, 0 modulations at 48000 Hz
        >>> amp.Graph.from_dict(g.to_dict() | {"nodes": {"sine": {"type": "sinus"}}, "edges": []})
        Traceback (most recent call last):
            ...
        amp_lab.errors.FileError: $.nodes.sine: type: no such node type (got 'sinus', allowed average | ... |
            wavefolder). Use one of these.
        """
        return json_format.from_dict(cls, data, folders=_folders(allow_samples_from))

    def to_json(self) -> str:
        """Return the graph as JSON text.

        Examples
        --------
        >>> print(amp.Graph(name="empty").to_json())
        {
          "edges": [],
          "modulations": [],
          "name": "empty",
          "nodes": {},
          "sample_rate": 48000.0,
          "schema": "amp_lab.graph/1"
        }
        """
        return json_text.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str, *, allow_samples_from: str | Path | None = None) -> Self:
        """Return the graph of a JSON text; arguments and errors are those of `from_dict`.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine(frequency_hz=880.0))
        >>> again = amp.Graph.from_json(g.to_json())
        >>> again["sine"].params["frequency_hz"]
        880.0
        """
        return cls.from_dict(json_text.read_json(text), allow_samples_from=allow_samples_from)

    def save(self, path: str | Path) -> Path:
        """Write the JSON text to a file, and return its path.

        Paths of sound files below the folder of the file are written relative to it.

        Raises
        ------
        FileError
            If the file cannot be written; an old file is then unchanged.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine())
        >>> g.save("beep.json").name
        'beep.json'
        >>> amp.load("beep.json")
        Graph beep: 2 nodes, 1 edges, 0 modulations at 48000 Hz
        """
        where = f"{self.name}.save"
        folder = Path(os.path.realpath(atomic_files.check(path, where))).parent
        text = json_text.dumps(json_format.relative_to(self.to_dict(), folder))
        return atomic_files.write(path, text, where)

    @classmethod
    def load(cls, path: str | Path, *, allow_samples_from: str | Path | None = None) -> Self:
        """Return the graph of a JSON file. No code of the file is imported or run.

        Parameters
        ----------
        path
            A regular file.
        allow_samples_from
            A further folder that may hold the sound files that ``source`` parameters name; by default only
            the file's folder may. Relative paths start at the file's folder. The first render reads the sound
            files.

        Raises
        ------
        FileError
            If the file cannot be read or a value is not allowed; with path, and place in the file.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.input([0.5, -0.5], name="clip"))
        >>> path = g.save("beep.json")
        >>> amp.load("beep.json").render(frames=2).audio
        array([[[ 0.5, -0.5]]])
        >>> amp.load("boop.json")
        Traceback (most recent call last):
            ...
        amp_lab.errors.FileError: boop.json: No such file or directory. Give the path of a JSON file.
        """
        data = json_text.read_json(Path(path))
        folders = _folders(Path(os.path.realpath(path)).parent, allow_samples_from)
        return json_format.from_dict(cls, data, where=plain(path, 200), folders=folders)

    def to_code(self) -> str:
        """Return Python code that builds this graph and binds it to ``g``.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.pan(g.sine(frequency_hz=880.0), position=-0.5))
        >>> print(g.to_code())
        import amp_lab as amp
        <BLANKLINE>
        g = amp.Graph(sample_rate=48000.0, name="beep")
        sine = g.sine(frequency_hz=880.0)
        pan = g.pan(sine, position=-0.5)
        output = g.output(pan)
        """
        with self._store.lock:
            return python_code.to_code(self)


def _folders(*given: str | Path | None) -> tuple[str, ...]:
    return tuple(os.path.realpath(folder) for folder in given if folder is not None)
