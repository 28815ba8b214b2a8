"""Base of widgets that show a graph: edits of the graph update the views, edits in a view the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from amp_lab import catalog
from amp_lab.errors import GraphError, NativeCrash, quoted
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.edits.states import Patch
from amp_lab.lowlevel.words import CURVES
from amp_lab.plots import graph_layout
from amp_lab.widgets import crash, edits, wire
from amp_lab.widgets.base import View

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph


class GraphView(View):
    """The part of a widget that keeps its views equal to a graph.

    Attributes
    ----------
    crash : dict
        The native crash of the last render, as the views show it; {} if there was none.

    Raises
    ------
    GraphError
        If the argument is not a graph.
    """

    crash = traitlets.Dict().tag(sync=True)

    def __init__(self, graph: Graph, **traits: Any) -> None:
        from amp_lab.graph.graph import Graph  # noqa: PLC0415 - graphs do not need widgets

        name = type(self).__name__.lower()
        if not isinstance(graph, Graph):
            raise GraphError(f"{name}: not a graph (got {quoted(graph)}, allowed a Graph). Pass amp.Graph().")
        super().__init__(**traits)
        self.graph = graph
        self.journal = Journal.of(graph)
        with self.journal.lock():
            self._settle()
            self.journal.subscribe(self._patched)
        self.journal.watch(self._crashed)
        self._crashed(self.journal.crash)

    def undo(self) -> bool:
        """Undo the last edit of the graph, by code or a view; return False if there is none.

        Examples
        --------
        >>> g = amp.Graph()
        >>> tone = g.sine()
        >>> w = amp.editor(g)
        >>> tone = tone.set(amplitude=0.5)
        >>> w.undo(), g["sine"]
        (True, Node sine: sine())
        """
        return self.journal.undo()

    def redo(self) -> bool:
        """Repeat the edit that was undone last; return False if there is none.

        Examples
        --------
        >>> g = amp.Graph()
        >>> w = amp.editor(g)
        >>> tone = g.sine()
        >>> w.undo(), w.redo(), w.redo()
        (True, True, False)
        """
        return self.journal.redo()

    def _release(self) -> None:
        self.journal.unsubscribe(self._patched)
        self.journal.unwatch(self._crashed)

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.graph!r}"

    def _crashed(self, error: NativeCrash | None) -> None:
        self.crash = crash.report(error, self.graph.sample_rate)

    def _patched(self, patch: Patch) -> None:
        if any(
            name in self.graph and self.journal.place(name) is None for name in {*patch.nodes, *patch.places}
        ):
            self._settle()
        self.send_message(**wire.patch(patch, self.journal))

    def _settle(self) -> None:
        state = self.journal.state
        if any(name not in state.places for name in state.nodes):
            contracts = {record.type: catalog.contract(record.type) for record in state.nodes.values()}
            self.journal.settle(graph_layout.settle(state, contracts))

    def _on_hello(self, request: Mapping[str, Any]) -> None:
        journal = self.journal
        with journal.lock():
            self.send_message(
                "state",
                version=journal.version,
                undo=journal.undo_steps,
                redo=journal.redo_steps,
                sample_rate=self.graph.sample_rate,
                document=wire.document(journal.state),
                catalogue=wire.contracts(self.graph.sample_rate) if request.get("catalogue") else None,
                interpolations=CURVES,
            )

    def _on_edit(self, request: Mapping[str, Any]) -> None:
        added = edits.apply(self.graph, request["ops"], request.get("gesture"))
        self.send_message("done", id=request.get("id"), added=added)

    def _on_undo(self, _: Mapping[str, Any]) -> None:
        self.undo()

    def _on_redo(self, _: Mapping[str, Any]) -> None:
        self.redo()
