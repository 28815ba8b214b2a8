"""Results of a native render: audio, taps, metrics, heat and firings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from amp_lab import lowlevel
from amp_lab.graph.records.values import ReadOnlyArrays, Samples
from amp_lab.lowlevel import NodeMetrics


@dataclass(frozen=True)
class Excess:
    """A window of 64 frames in which a graph gave off more power than its budget.

    ``node`` gave off most, ``frame`` is the window's last frame, ``power_w`` the graph's mean power in W.

    Examples
    --------
    >>> g = amp.Graph(heat_budget_w=0.01)
    >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
    >>> first = g.render(frames=64).heat.excesses[0]
    >>> first.node, first.frame, round(first.power_w, 3)
    ('output', 63, 0.486)
    """

    node: str
    frame: int
    power_w: float


@dataclass(frozen=True, eq=False, repr=False)
class Heat(ReadOnlyArrays):
    """Heat per node at the end of each of W windows of 64 frames, summed over batches.

    ``times_s`` (W,) are the ends of the windows in s. Arrays (nodes, W): ``own_j`` energy that the node
    itself gives off in a window, in J; ``total_j`` accumulated heat in J; ``temperature_k`` temperature of
    the hottest batch above ambient in K, NaN without heat constants. ``budget_w`` is the heat budget in W or
    None.

    Examples
    --------
    >>> g = amp.Graph(heat_budget_w=0.01)
    >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
    >>> heat = g.render(frames=128).heat
    >>> heat
    Heat: 3 nodes, 2 windows, 0.00138 J given off, over its budget in 2 of them, first at frame 63 (output
        gives most)
    >>> heat.graph_power_w.round(3), heat.over_budget
    (array([0.486, 0.548]), array([ True,  True]))
    >>> heat.graph_total_j.round(6), len(heat.excesses)
    (array([0.000648, 0.001379]), 2)
    >>> heat.own_j.shape
    (3, 2)
    """

    nodes: tuple[str, ...]
    times_s: Samples
    own_j: Samples
    total_j: Samples
    temperature_k: Samples
    budget_w: float | None = None

    @property
    def graph_power_w(self) -> Samples:
        """Power that all nodes give off, mean of each window in W, shape (W,)."""
        power: Samples = self.own_j.sum(axis=0) / (self.times_s[0] if self.times_s.size else 1.0)
        return power

    @property
    def over_budget(self) -> npt.NDArray[np.bool_]:
        """Whether the graph was over its heat budget in a window, shape (W,); all False without a budget."""
        power = self.graph_power_w
        if self.budget_w is None:
            return np.zeros(power.shape, np.bool_)
        over: npt.NDArray[np.bool_] = ~(power <= self.budget_w)  # NaN is over every budget
        return over

    @property
    def excesses(self) -> tuple[Excess, ...]:
        """The windows in which the graph was over its budget; the policy ``halt`` stops at the first."""
        at = np.flatnonzero(self.over_budget)
        hottest = self.own_j.argmax(axis=0) if at.size else at
        return tuple(
            Excess(
                self.nodes[hottest[w]], int(w + 1) * lowlevel.HEAT_WINDOW - 1, float(self.graph_power_w[w])
            )
            for w in at
        )

    def __repr__(self) -> str:
        total = float(self.own_j.sum())
        over = self.excesses
        text = f"Heat: {len(self.nodes)} nodes, {self.times_s.size} windows, {total:.3g} J given off"
        if not over:
            return text
        first = over[0]
        where = f"first at frame {first.frame} ({first.node} gives most)"
        return f"{text}, over its budget in {len(over)} of them, {where}"

    @property
    def graph_total_j(self) -> Samples:
        """Energy that all nodes have given off up to the end of each window in J, shape (W,)."""
        total: Samples = self.own_j.sum(axis=0).cumsum()
        return total


@dataclass(frozen=True, eq=False, repr=False)
class Trace(ReadOnlyArrays):
    """Firings of nodes, oldest first.

    ``events`` has the fields node (index into ``nodes``), frames, first_frame, visible_from (virtual time in
    frames from which the output can be read), start_s and stop_s (wall time); ``dropped`` counts lost events.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> trace = g.render(frames=64, trace=True).trace
    >>> trace
    Trace: 2 firings of 2 nodes, 0 dropped
    >>> trace.events["frames"], trace.events.dtype.names
    (array([64, 64], dtype=uint32), ('node', 'frames', 'first_frame', 'visible_from', 'start_s', 'stop_s'))
    """

    events: npt.NDArray[np.void]
    nodes: tuple[str, ...]
    dropped: int

    def __repr__(self) -> str:
        return f"Trace: {self.events.size} firings of {len(self.nodes)} nodes, {self.dropped} dropped"


class Metrics(Mapping[str, NodeMetrics]):
    """Metrics by node name, in execution order.

    Parameters
    ----------
    nodes
        The plan's nodes in execution order.
    table
        Their metrics, an array of `lowlevel.METRICS_DTYPE`.
    """

    def __init__(self, nodes: tuple[str, ...], table: npt.NDArray[np.void]) -> None:
        self._places = {name: i for i, name in enumerate(nodes)}
        self._table = table

    def __getitem__(self, node: str) -> NodeMetrics:
        _, _, *figures = self._table.item(self._places[node])
        return NodeMetrics(*figures)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Metrics: {len(self)} nodes, {float(self._table['seconds'].sum()):.3g} s in kernels"


class RenderParts(TypedDict):
    """Results of a render: audio (B, C, N), taps by name, metrics by node, heat and trace if requested."""

    audio: Samples
    taps: dict[str, Samples]
    metrics: Metrics
    heat: Heat | None
    trace: Trace | None
    block_frames: int
    threads: int
    isa: str
    build: str
