"""The parts of a graph: immutable records of nodes, edges and modulations, and the references users write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from amp_lab.common import checks
from amp_lab.contracts import NodeContract, ParamContract
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.records.values import Samples, Value, ValueLike

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

Mode: TypeAlias = Literal["multiply", "add"]


@dataclass(frozen=True)
class Thermo:
    """Heat constants of a node: own heat (J per frame), capacity (J/K), conductance to ambient (W/K)."""

    heat_j_per_frame: float | None = None
    capacity_j_per_k: float | None = None
    conductance_w_per_k: float | None = None


@dataclass(frozen=True, eq=False, slots=True)
class NodeRecord:
    """State of a node: ``values`` holds parameters that differ from their default, in normal form."""

    name: str
    type: str
    revision: int
    values: Mapping[str, Value] = field(default_factory=dict)
    thermo: Thermo = Thermo()
    oversample_ratio: int = 1
    samples: Samples | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Edge:
    """Audio from an output port to an input port; ``slot`` orders the edges that meet there."""

    src: str
    src_port: str
    dst: str
    dst_port: str
    slot: int = 0
    delay_frames: int = 0
    gates: tuple[str, ...] = ()
    kappa: float | None = None
    tokens: Samples | None = None
    channel: int | None = None

    @property
    def id(self) -> str:
        """``dst.port[slot]``, unique in its graph."""
        return f"{self.dst}.{self.dst_port}[{self.slot}]"

    @property
    def is_plain(self) -> bool:
        """Whether it is only a connection: no delay, gates, heat share, tokens or picked channel."""
        more = (self.kappa, self.tokens, self.channel)
        return not (self.delay_frames or self.gates) and all(value is None for value in more)

    def __repr__(self) -> str:
        delay = f", delay {self.delay_frames} frames" if self.delay_frames else ""
        channel = "" if self.channel is None else f" channel {self.channel}"
        return f"Edge {self.src}.{self.src_port}{channel} -> {self.id}{delay}"


@dataclass(frozen=True, slots=True)
class Modulation:
    """A signal m that multiplies a parameter by (offset + scale * m) or adds scale * m, in slot order."""

    src: str
    src_port: str
    dst: str
    param: str
    mode: Mode
    scale: float = 1.0
    offset: float = 0.0
    channel: int | None = None
    slot: int = 0
    delay_frames: int = 0

    @property
    def id(self) -> str:
        """``dst.param[slot]``, unique in its graph."""
        return f"{self.dst}.{self.param}[{self.slot}]"

    def __repr__(self) -> str:
        law = f"{self.offset:g} + {self.scale:g} m" if self.mode == "multiply" else f"{self.scale:g} m"
        return f"Modulation {self.src}.{self.src_port} -> {self.id}: {self.mode} {law}"


Link: TypeAlias = Edge | Modulation


@dataclass(frozen=True)
class OutputRef:
    """One output port of a node, as a source for `Graph.connect` and `Graph.modulate`."""

    node: Node
    port: str

    @property
    def splits(self) -> bool:
        """Whether each edge from it carries a channel of its own."""
        return self.port in self.node.contract.split_keys

    def __repr__(self) -> str:
        return f"{self.node.name}.{self.port}"


@dataclass(frozen=True)
class ParamRef:
    """One parameter of a node, as a target for `Graph.modulate`."""

    node: Node
    key: str

    @property
    def value(self) -> Value:
        """The parameter's own value, before modulation."""
        return self.node.params[self.key]

    @property
    def contract(self) -> ParamContract:
        """Its unit, range, default and rate."""
        return next(p for p in self.node.contract.params if p.key == self.key)

    def __repr__(self) -> str:
        return f"{self.node.name}.{self.key}"


class Node:
    """Handle of a node in a graph; it stays valid when the node is renamed.

    Parameters and output ports are attributes: ``flt.cutoff_hz``, ``env.reset``; where a name is taken,
    `param` and `output` reach them.
    """

    __slots__ = ("_graph", "_name")

    def __init__(self, graph: Graph, name: str) -> None:
        self._graph = graph
        self._name = name

    @property
    def graph(self) -> Graph:
        """The graph it belongs to."""
        return self._graph

    @property
    def name(self) -> str:
        """Its unique name."""
        return self._name

    @property
    def record(self) -> NodeRecord:
        """Its present state."""
        return self._graph.record(self._name)

    @property
    def type(self) -> str:
        """Stable id of its type."""
        return self.record.type

    @property
    def contract(self) -> NodeContract:
        """What its type promises."""
        return self._graph.contract(self._name)

    @property
    def params(self) -> dict[str, Value]:
        """All parameters by key, defaults included, before modulation."""
        values = self.record.values
        return {p.key: values.get(p.key, p.default) for p in self.contract.params}

    @property
    def thermo(self) -> Thermo:
        """Its heat constants."""
        return self.record.thermo

    def set(self, **params: ValueLike) -> Node:
        """Set parameters: number, array (B|1, C|1, N|1), curve, choice or text; returns the node."""
        self._graph.set_params(self, params)
        return self

    def set_thermo(
        self,
        *,
        heat_j_per_frame: float | None = None,
        capacity_j_per_k: float | None = None,
        conductance_w_per_k: float | None = None,
    ) -> Node:
        """Set all three heat constants (None: not given); returns the node."""
        self._graph.set_thermo(self, Thermo(heat_j_per_frame, capacity_j_per_k, conductance_w_per_k))
        return self

    def output(self, port: str) -> OutputRef:
        """Return the output port of that key."""
        self._one_of(port, self.contract.output_keys, "output port")
        return OutputRef(self, port)

    def param(self, key: str) -> ParamRef:
        """Return the parameter of that key."""
        self._one_of(key, tuple(p.key for p in self.contract.params), "parameter")
        return ParamRef(self, key)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_"):
            raise AttributeError(key)
        contract = self.contract
        if contract.param(key) is not None:
            return ParamRef(self, key)
        if key in contract.output_keys:
            return OutputRef(self, key)
        allowed = (*(p.key for p in contract.params), *contract.output_keys)
        raise checks.no_attribute(f"{self._name} ({contract.id})", key, allowed, "parameter or output")

    def __dir__(self) -> list[str]:
        contract = self.contract
        return [*super().__dir__(), *(p.key for p in contract.params), *contract.output_keys]

    def _one_of(self, key: str, allowed: tuple[str, ...], what: str) -> None:
        if key not in allowed:
            where = f"{self._name} ({self.type})"
            raise GraphError(checks.unknown(where, key, allowed, what), node=self._name)

    def __repr__(self) -> str:
        if self._name not in self._graph:
            return f"Node {self._name}: removed"
        params = ", ".join(f"{k}={_brief(v)}" for k, v in sorted(self.record.values.items()))
        return f"Node {self._name}: {self.type}({params})"


def _brief(value: Value) -> str:
    return (
        f"array{value.shape}"
        if not isinstance(value, float | int | str) and hasattr(value, "shape")
        else quoted(value)
    )
