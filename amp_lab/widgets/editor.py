"""The graph editor: edits in Python and in any view change the same graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from amp_lab import catalog
from amp_lab.errors import LISTED, AmpError, Violation
from amp_lab.graph.records.model import Link
from amp_lab.plots import graph_layout
from amp_lab.widgets import edits
from amp_lab.widgets.base import STATIC
from amp_lab.widgets.file_messages import FileMessages

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph
    from amp_lab.render.render import Render


class Editor(FileMessages):
    """Editor of a graph: ``amp.editor(g)``.

    Parameters
    ----------
    graph
        The model. Edits made in Python show at once, edits made in a view are edits of this graph.
    height
        Of the view in pixels.
    seconds
        Length of the sound that the toolbar exports.

    Attributes
    ----------
    selection : list of str
        Names of the selected nodes; may be set.
    highlight : str
        Name of a node to mark, as when the pointer is over it in another widget.
    problems : list of dict
        Reasons why the graph cannot be rendered: ``message``, ``node``, ``port``; empty if it can.
    file : amp_lab.widgets.patchfile.PatchFile
        The file to which edits made in a view are saved; no file at first.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> w = amp.editor(g)
    >>> w
    Editor of Graph beep: 0 nodes, 0 edges, 0 modulations at 48000 Hz
    >>> tone = g.sine()
    >>> w.check()
    [{'message': 'beep: has no output node. End it with one.', 'node': 'sine', 'port': '', 'cure': [{'op':
        'add', 'type': 'output', 'name': 'output'}, {'op': 'connect', 'src': 'sine.out', 'dst': 'output',
        'port': 'in'}]}]
    >>> out = g.output(tone)
    >>> w.check()
    []
    >>> w.arrange()
    >>> w.journal.place("output")
    (248.0, 30)
    """

    _esm = STATIC / "editor.js"
    _css = STATIC / "editor.css"
    _public: ClassVar[tuple[str, ...]] = ("selection", "problems", "highlight", "seconds")
    height = traitlets.Int(560, min=120, max=4000).tag(sync=True)
    selection = traitlets.List(traitlets.Unicode()).tag(sync=True)
    problems = traitlets.List(traitlets.Dict()).tag(sync=True)
    badges = traitlets.Dict().tag(sync=True)
    highlight = traitlets.Unicode("").tag(sync=True)

    def __init__(self, graph: Graph, **traits: Any) -> None:
        super().__init__(graph, **traits)
        self.problems = problems(graph)

    def show(self, render: Render) -> None:
        """Show time, heat and latency of a render on the nodes; heat only if the render computed it.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.fir(g.sine()))
        >>> w = amp.editor(g)
        >>> w.show(g.render(frames=480))
        >>> w.badges["fir"]["latency_frames"]
        32
        """
        total = sum(entry.seconds for entry in render.metrics.values()) or 1.0
        self.badges = {
            name: {
                "seconds": entry.seconds,
                "share": entry.seconds / total,
                "heat_j": None if render.computed_heat is None else entry.heat_j,
                "latency_frames": render.plan.latencies.get(name, 0),
            }
            for name, entry in render.metrics.items()
        }

    def check(self) -> list[dict[str, Any]]:
        """Compile the plan now; set and return ``problems``, as happens shortly after every edit."""
        self.problems = problems(self.graph)
        return self.problems

    def arrange(self) -> None:
        """Arrange all nodes by the stages of the plan."""
        state = self.journal.state
        heights = {name: graph_layout.height(catalog.contract(r.type)) for name, r in state.nodes.items()}
        self.journal.move(graph_layout.arrange(heights, graph_layout.links_of(state)))

    # ---- messages ----

    def _on_fold(self, request: Mapping[str, Any]) -> None:
        self.journal.fold(request["title"], tuple(request["nodes"]))
        self.send_message("done", id=request.get("id"), added=[])

    def _on_arrange(self, request: Mapping[str, Any]) -> None:
        self.arrange()

    def _on_copy(self, request: Mapping[str, Any]) -> None:
        count = edits.copy(self.graph, request["nodes"])
        self.send_message("copied", id=request.get("id"), count=count)

    def _on_code(self, request: Mapping[str, Any]) -> None:
        self.send_message("code", id=request.get("id"), text=self.graph.to_code())

    def _on_check(self, request: Mapping[str, Any]) -> None:
        latency = 0 if self.check() else self.graph.compile().latency_frames
        self.send_message("checked", version=self.journal.version, latency_frames=latency)


def problems(graph: Graph) -> list[dict[str, Any]]:
    """List why a graph cannot be rendered: message, node, port, and operations that correct it."""
    try:
        plan = graph.compile()
    except AmpError as error:
        return [_problem(graph, violation) for violation in error.violations[:LISTED]]
    if graph.output_node is None:
        ends = [node.name for node in graph.nodes if node.contract.outputs and not _feeds(graph, node.name)]
        cure = [{"op": "add", "type": "output", "name": auto} for auto in ("output",) if auto not in graph]
        if len(ends) == 1 and cure:
            source = graph[ends[0]].contract.output_keys[0]
            cure.append({"op": "connect", "src": f"{ends[0]}.{source}", "dst": "output", "port": "in"})
        message = f"{graph.name}: has no output node. End it with one."
        return [{"message": message, "node": ends[-1] if ends else "", "port": "", "cure": cure}]
    missing = [name for name in plan.curves if graph.controls is None or name not in graph.controls]
    return [
        {"message": f"{name}: the graph has no control curve of this name. Draw it in the panel.",
         "node": "", "port": "", "cure": []}
        for name in missing
    ]  # fmt: skip


def _feeds(graph: Graph, name: str) -> bool:
    links: tuple[Link, ...] = (*graph.edges, *graph.modulations)
    return any(link.src == name for link in links)


def _problem(graph: Graph, violation: Violation) -> dict[str, Any]:
    at = (violation.node, violation.port) if violation.node in graph else ("", "")
    return {"message": str(violation), "node": at[0], "port": at[1], "cure": _delay(graph, violation)}


def _delay(graph: Graph, violation: Violation) -> list[dict[str, Any]]:
    """Return the operation that adds the missing frames of delay to a link."""
    if not violation.frames:
        return []
    for kind, table in (("e", graph.edges), ("m", graph.modulations)):
        for link in table:
            if (link.src, link.dst) == (violation.src, violation.node):
                delay = link.delay_frames + violation.frames
                return [{"op": "change", "link": f"{kind}:{link.id}", "fields": {"delay_frames": delay}}]
    return []


def editor(graph: Graph, **traits: Any) -> Editor:
    """Show a graph in an editor (see `Editor`).

    Raises
    ------
    GraphError
        If it is no graph.

    Examples
    --------
    >>> amp.editor(amp.presets.three_osc())
    Editor of Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz
    >>> amp.editor("three_osc")
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: editor: not a graph (got 'three_osc', allowed a Graph). Pass amp.Graph().
    """
    return Editor(graph, **traits)
