"""Messages of the editor's toolbar: save, open, choose, export."""

from __future__ import annotations

import contextvars
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from amp_lab import plots
from amp_lab.common import checks
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.edits.journal import Journal
from amp_lab.plots import style
from amp_lab.widgets import disk, open_files
from amp_lab.widgets.base import described
from amp_lab.widgets.graphview import GraphView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from amp_lab.graph.graph import Graph

MOST_S = 600.0
"""Seconds of sound that are sent to a page as a file, at most."""


class FileMessages(GraphView):
    """The part of an editor that handles the graph's file."""

    file_status = traitlets.Dict().tag(sync=True)
    seconds = traitlets.Float(1.0, min=0.001, max=3600.0).tag(sync=True)

    def __init__(self, graph: Graph, **traits: Any) -> None:
        super().__init__(graph, **traits)
        self.file = open_files.of(graph)
        self.file.use(self._show_file)
        self._show_file()

    def figure(self) -> Figure:
        """Draw the graph as it is now.

        Examples
        --------
        >>> w = amp.editor(amp.presets.three_osc())
        >>> w.figure().axes[0].get_title(loc="right")
        '16 nodes  ·  10 edges  ·  8 modulations'
        """
        return plots.graph(self.journal.state, name=self.graph.name)

    def _show_file(self) -> None:
        self.file_status = self.file.shown()

    def _release(self) -> None:
        self.file.release(self._show_file)
        super()._release()

    def _on_hello(self, request: Mapping[str, Any]) -> None:
        super()._on_hello(request)
        self.file.look()

    def _on_look(self, _: Mapping[str, Any]) -> None:
        self.file.look()

    def _on_save(self, request: Mapping[str, Any]) -> None:
        path = request.get("path")
        self.file.save(None if path is None else disk.writable_place("save", path))
        self.send_message("done", id=request.get("id"), added=[])

    def _on_open(self, request: Mapping[str, Any]) -> None:
        self.file.open(disk.place("open", request["path"]))
        self.send_message("done", id=request.get("id"), added=[])

    def _on_choose(self, request: Mapping[str, Any]) -> None:
        self.file.choose(str(request["choice"]))
        self.send_message("done", id=request.get("id"), added=[])

    def _on_files(self, request: Mapping[str, Any]) -> None:
        self.send_message("files", id=request.get("id"), names=disk.nearby())

    def _on_both(self, request: Mapping[str, Any]) -> None:
        asked = self.file.asked
        pictures = []
        if asked is not None:
            theirs, graph = asked
            places = Journal.of(theirs.graph)
            places.settle(theirs.places, theirs.folds)
            pictures = [
                style.png(plots.graph(Journal.of(g).state, name=g.name)) for g in (theirs.graph, graph)
            ]
        self.send_message("both", pictures, id=request.get("id"))

    def _on_export(self, request: Mapping[str, Any]) -> None:
        """Send a file to the page, which saves it as a download."""
        what = request.get("what")
        if what == "wav":
            seconds = checks.real("export.seconds", request.get("seconds"), f"above 0 to {MOST_S:g} s")
            if not 0.0 < seconds <= MOST_S:
                allowed = f"allowed above 0 to {MOST_S:g} s"
                raise GraphError(f"export.seconds: not a length (got {seconds:g} s, {allowed}). Give fewer.")
            run = contextvars.copy_context().run
            threading.Thread(
                target=run,
                args=(self._render_wav, request.get("id"), seconds),
                name="amp_lab export",
                daemon=True,
            ).start()
            return
        if what == "png":
            self._download(request.get("id"), "png", style.png(self.figure()))
        elif what == "json":
            self._download(request.get("id"), "json", self.graph.to_json().encode())
        else:
            raise GraphError(
                f"export: no such format (got {quoted(what)}, allowed wav, png, json). Use one of these."
            )

    def _render_wav(self, id_: Any, seconds: float) -> None:
        """Render in a separate thread, so that other widgets are not blocked."""
        try:
            render = self.graph.render(seconds=seconds, progress=self._go_on)
            with tempfile.TemporaryDirectory(prefix="amp_lab_") as folder:
                self._download(
                    id_, "wav", render.save(Path(folder) / "sound.wav", subtype="FLOAT").read_bytes()
                )
        except Exception as error:
            self.send_message("failed", id=id_, **described(error))

    def _go_on(self, _: int, __: int) -> None:
        if self.closed:
            raise GraphError("export: the editor was closed.")

    def _download(self, id_: Any, ending: str, data: bytes) -> None:
        self.send_message("exported", [data], id=id_, name=f"{self.graph.name}.{ending}")
