"""A graph as data: the part of `Graph` without files, plans and renders."""

from __future__ import annotations

from typing import Literal, Self

from amp_lab import catalog
from amp_lab.common import checks
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.edits.node_edits import Editing, check_name
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.edits.transactions import Listener, Store
from amp_lab.graph.records.curves import ControlHistory, check_history
from amp_lab.graph.records.free_names import Names, Slots, Table
from amp_lab.graph.records.model import HEAT_POLICIES


class EditedGraph(Editing):
    """The part of `Graph` that is data: nodes, links, sample rate, name, heat budget, controls."""

    _sample_folders: tuple[str, ...] = ()
    """Folders that may hold the sound files that a loaded graph names."""

    @checks.keywords
    def __init__(
        self,
        *,
        sample_rate: float = 48_000.0,
        name: str = "graph",
        heat_budget_w: float | None = None,
        heat_policy: Literal["report", "halt"] = "report",
    ) -> None:
        catalog.types()  # raises here, not at the first render, if the engine cannot run on this machine
        rate = checks.sample_rate("Graph.sample_rate", sample_rate)
        self._store = Store()
        self._sample_rate = rate
        self._journal: object = None
        with self.edit():
            self._assign(name=check_name(name), controls=None, folds={}, file="")
            self.set_heat_budget(heat_budget_w, heat_policy)

    # ---- properties ----

    @property
    def sample_rate(self) -> float:
        """Sample rate in Hz."""
        return self._sample_rate

    @property
    def name(self) -> str:
        """Name of the graph."""
        name: str = self._store.attributes["name"]
        return name

    @name.setter
    def name(self, name: str) -> None:
        self._assign(name=check_name(name))

    @property
    def heat_budget_w(self) -> float | None:
        """Heat budget in W, None for no budget."""
        watts: float | None = self._store.attributes["heat_budget"]
        return watts

    @property
    def heat_policy(self) -> str:
        """What happens over the heat budget: ``report`` or ``halt`` (see `Graph`)."""
        policy: str = self._store.attributes["heat_policy"]
        return policy

    def set_heat_budget(self, watts: float | None, policy: Literal["report", "halt"] = "report") -> None:
        """Set the heat budget in W (None for no budget) and the heat policy.

        Examples
        --------
        >>> g = amp.Graph()
        >>> g.set_heat_budget(2.0, "halt")
        >>> g.heat_budget_w, g.heat_policy
        (2.0, 'halt')
        >>> g.set_heat_budget(-1.0)
        Traceback (most recent call last):
            ...
        amp_lab.errors.GraphError: heat_budget_w: out of range (got -1.0, allowed above 0 W, or None). Give
        watts.
        """
        budget, checked = _check_heat(watts, policy)
        self._assign(heat_budget=budget, heat_policy=checked)

    @property
    def controls(self) -> ControlHistory | None:
        """Control curves that renders and sessions use by default; they are saved with the graph."""
        controls: ControlHistory | None = self._store.attributes["controls"]
        return controls

    @controls.setter
    def controls(self, controls: ControlHistory | None) -> None:
        self._assign(controls=check_history(f"{self.name}.controls", controls))

    def _assign(self, **attributes: object) -> None:
        with self.edit():
            for key, value in attributes.items():
                self._store.put("attributes", key, value)

    def __repr__(self) -> str:
        links = f"{len(self._store.edges)} edges, {len(self._store.modulations)} modulations"
        return f"Graph {self.name}: {len(self)} nodes, {links} at {self._sample_rate:g} Hz"

    # ---- listeners ----

    def observe(self, listener: Listener) -> None:
        """Call ``listener(event)`` with every event of every edit (see `amp_lab.graph.edits.events`).

        Examples
        --------
        >>> g = amp.Graph()
        >>> g.observe(print)
        >>> tone = g.sine()
        NodeAdded(name='sine')
        >>> g.rename(tone, "tone")
        NodeRenamed(old='sine', new='tone')
        """
        self._store.observe(listener)

    def unobserve(self, listener: Listener) -> None:
        """Stop calling a listener; an unknown one is ignored.

        Examples
        --------
        >>> g = amp.Graph()
        >>> g.observe(print)
        >>> tone = g.sine()
        NodeAdded(name='sine')
        >>> g.unobserve(print)
        >>> tone.set(amplitude=0.5)
        Node sine: sine(amplitude=0.5)
        """
        self._store.unobserve(listener)

    def copy(self) -> Self:
        """Return an independent graph with the same nodes, edges and controls, without listeners.

        Examples
        --------
        >>> g = amp.Graph(name="a")
        >>> tone = g.sine()
        >>> other = g.copy()
        >>> other.name = "b"
        >>> other["sine"].set(frequency_hz=100.0)
        Node sine: sine(frequency_hz=100.0)
        >>> g, tone
        (Graph a: 1 nodes, 0 edges, 0 modulations at 48000 Hz, Node sine: sine())
        """
        with self._store.lock:
            new = type(self)(sample_rate=self._sample_rate, name=self.name)
            new._sample_folders = self._sample_folders
            ours, theirs = self._store, new._store
            theirs.handles = Names((name, Node(new, name)) for name in ours.handles)
            theirs.nodes = Table(ours.nodes)
            theirs.edges, theirs.modulations = Slots(ours.edges), Slots(ours.modulations)
            theirs.attributes = Table({**ours.attributes, "folds": {}, "file": ""})
        return new


def _check_heat(watts: float | None, policy: str) -> tuple[float | None, str]:
    if watts is not None and checks.real("heat_budget_w", watts, "above 0 W, or None") <= 0:
        got = f"got {quoted(watts)}, allowed above 0 W, or None"
        raise GraphError(f"heat_budget_w: out of range ({got}). Give watts.")
    budget = None if watts is None else float(watts)
    return budget, checks.choice("heat_policy", policy, HEAT_POLICIES, "policy")
