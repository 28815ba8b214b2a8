"""The nodes of a graph, and the handles of nodes, outputs and parameters that users work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from typing import Any

from amp_lab import catalog
from amp_lab.catalog.builder import takes_samples
from amp_lab.common import checks
from amp_lab.contracts import NodeContract, ParamContract
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.edits.transactions import Edit, Store
from amp_lab.graph.records import samples
from amp_lab.graph.records.free_names import Names
from amp_lab.graph.records.model import Edge, Link, Mode, Modulation, NodeRecord, Thermo
from amp_lab.graph.records.values import Value, ValueLike, normal, same, unknown_keyword

__all__ = [
    "Edge",
    "Link",
    "Mode",
    "Modulation",
    "Node",
    "NodeRecord",
    "NodeTable",
    "OutputRef",
    "ParamRef",
    "Thermo",
    "checked_thermo",
]
NO_THERMO = Thermo()
NO_VALUES: Mapping[str, Value] = {}


@dataclass(frozen=True)
class OutputRef:
    """One output port of a node, as a source for `Graph.connect` and `Graph.modulate`.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.envelope().reset, g["envelope"].reset.splits
    (envelope.reset, False)
    """

    node: Node
    port: str

    @property
    def splits(self) -> bool:
        """Whether each edge from this output carries one channel."""
        return self.port in self.node.contract.split_keys

    def __repr__(self) -> str:
        return f"{self.node.name}.{self.port}"


@dataclass(frozen=True)
class ParamRef:
    """One parameter of a node, as a target for `Graph.modulate`.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone = g.sine(frequency_hz=220.0)
    >>> tone.frequency_hz
    sine.frequency_hz
    >>> tone.frequency_hz.value, tone.frequency_hz.contract.unit
    (220.0, 'Hz')
    """

    node: Node
    key: str

    @property
    def value(self) -> Value:
        """The value that was set, before modulation."""
        return self.node.params[self.key]

    @property
    def contract(self) -> ParamContract:
        """The contract of the parameter: unit, range, default and rate."""
        return next(p for p in self.node.contract.params if p.key == self.key)

    def __repr__(self) -> str:
        return f"{self.node.name}.{self.key}"


class Node:
    """Handle of a node in a graph; it stays valid when the node is renamed.

    Parameters and output ports are attributes: ``flt.cutoff_hz``, ``env.reset``. `param` and `output` return
    those whose key is a method of the handle.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone = g.sine(frequency_hz=220.0, name="tone")
    >>> tone
    Node tone: sine(frequency_hz=220.0)
    >>> tone.name, tone.type, tone.contract.summary, tone.record.revision, tone.graph is g
    ('tone', 'sine', 'Sine oscillator.', 1, True)
    >>> tone.params
    {'frequency_hz': 220.0, 'phase_cycles': 0.0, 'amplitude': 1.0, 'channels': 1}
    >>> tone.param("amplitude").value, tone.output("out")
    (1.0, tone.out)
    >>> tone.set_thermo(heat_j_per_frame=1e-6).thermo.heat_j_per_frame
    1e-06
    >>> tone.frequncy_hz
    Traceback (most recent call last):
        ...
    AttributeError: tone (sine): no such parameter or output (got 'frequncy_hz', allowed frequency_hz |
        phase_cycles | amplitude | channels | out). Did you mean 'frequency_hz'?
    """

    __slots__ = ("_graph", "_name")

    def __init__(self, graph: NodeTable, name: str) -> None:
        self._graph = graph
        self._name = name

    @property
    def graph(self) -> Any:
        """The `Graph` of the node (typed `Any`: that class derives from one in this module)."""
        return self._graph

    @property
    def name(self) -> str:
        """Name of the node, unique in its graph."""
        return self._name

    @property
    def record(self) -> NodeRecord:
        """The node's present state as an immutable record."""
        return self._graph.record(self._name)

    @property
    def type(self) -> str:
        """Id of the node type."""
        return self.record.type

    @property
    def contract(self) -> NodeContract:
        """The contract of the node type."""
        return self._graph.contract(self._name)

    @property
    def params(self) -> dict[str, Value]:
        """All parameters by key, defaults included, before modulation."""
        values = self.record.values
        return {p.key: values.get(p.key, p.default) for p in self.contract.params}

    @property
    def thermo(self) -> Thermo:
        """Heat constants of the node."""
        return self.record.thermo

    def set(self, **params: ValueLike) -> Node:
        """Set parameters, all or none: number, array (B|1, C|1, N|1), curve, choice, text; return the node.

        Examples
        --------
        >>> g = amp.Graph()
        >>> g.sine().set(frequency_hz=220.0, amplitude=0.1)
        Node sine: sine(amplitude=0.1, frequency_hz=220.0)
        >>> g["sine"].set(frequency_hz=50_000.0)
        Traceback (most recent call last):
            ...
        amp_lab.errors.GraphError: sine.frequency_hz: out of range (got 50000 Hz, allowed 0 to 0.49 fs).
            Choose a value inside.
        """
        self._graph.set_params(self, params)
        return self

    def set_thermo(
        self,
        *,
        heat_j_per_frame: float | None = None,
        capacity_j_per_k: float | None = None,
        conductance_w_per_k: float | None = None,
    ) -> Node:
        """Set all three heat constants (None for not given), and return the node."""
        self._graph.set_thermo(self, Thermo(heat_j_per_frame, capacity_j_per_k, conductance_w_per_k))
        return self

    def output(self, port: str) -> OutputRef:
        """Return the output port with a key."""
        self._one_of(port, self.contract.output_keys, "output port")
        return OutputRef(self, port)

    def param(self, key: str) -> ParamRef:
        """Return the parameter with a key."""
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


class NodeTable:
    """The part of `Graph` that holds nodes and links."""

    _store: Store
    _sample_rate: float

    def edit(self) -> AbstractContextManager[None]:
        """Group edits: ``with g.edit(): ...`` keeps all of them or, after an exception, none.

        Examples
        --------
        >>> g = amp.Graph()
        >>> with g.edit():
        ...     g.gain(g.sine(), gian=0.5)
        ...
        Traceback (most recent call last):
            ...
        TypeError: gain: no such parameter or input port (got 'gian', allowed in | gain | name | thermo). Did
            you mean 'gain'?
        >>> g.nodes
        ()
        """
        return Edit(self._store)

    @property
    def _handles(self) -> Names[Node]:
        return self._store.handles

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in order of creation."""
        with self._store.lock:
            return tuple(self._handles[name] for name in self._store.nodes)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, in order of creation."""
        with self._store.lock:
            return tuple(self._store.edges.values())

    @property
    def modulations(self) -> tuple[Modulation, ...]:
        """All modulations, in order of creation."""
        with self._store.lock:
            return tuple(self._store.modulations.values())

    @property
    def output_node(self) -> Node | None:
        """The ``output`` node, None if there is none yet."""
        with self._store.lock:
            names = (
                name
                for name, record in self._store.nodes.items()
                if catalog.contract(record.type).io == "sink"
            )
            name = next(names, None)
            return None if name is None else self._handles[name]

    def record(self, name: str) -> NodeRecord:
        """Return the present state of a node, by its name."""
        found = self._store.nodes.get(name)
        if found is None:
            raise self._no_node(name)
        return found

    def contract(self, name: str) -> NodeContract:
        """Return the contract of a node, by its name."""
        return catalog.contract(self.record(name).type)

    def __getitem__(self, name: str) -> Node:
        return self._node(name)

    def __contains__(self, name: object) -> bool:
        return name in self._handles

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self._handles)

    def set_params(self, node: Node | str, params: Mapping[str, Any], *, read_files: bool = True) -> None:
        """Set parameters of a node, all or none; of an ``input`` also ``samples`` and ``scale``.

        With ``read_files=False`` a sound file that ``source`` names is read by the first render.
        """
        with self.edit():
            self._change(self._mine(node), params, read_files)

    def set_thermo(self, node: Node | str, thermo: Thermo) -> None:
        """Set the heat constants of a node."""
        with self.edit():
            name = self._mine(node).name
            record = replace(self.record(name), thermo=checked_thermo(name, vars(thermo)))
            self._store.put("nodes", name, record)

    def _change(self, node: Node, params: Mapping[str, Any], read_files: bool = True) -> None:
        if params:
            self._store.put("nodes", node.name, self._changed(node.record, params, read_files))

    def _changed(self, record: NodeRecord, params: Mapping[str, Any], read_files: bool = True) -> NodeRecord:
        contract, data = catalog.contract(record.type), record.samples
        if takes_samples(contract) and read_files:
            params, data = samples.resolve(record, params, self._sample_rate)
        values = dict(record.values)
        for key, raw in params.items():
            param = contract.param(key)
            if param is None:
                raise unknown_keyword(contract, key)
            names_curve = key == contract.curve_param
            value = normal(f"{record.name}.{key}", param, raw, self._sample_rate, names_curve=names_curve)
            values.pop(key, None)
            if not same(value, param.default):
                values[key] = value
        return replace(record, values=values or NO_VALUES, samples=data)

    def _node(self, name: str) -> Node:
        handle = self._handles.get(name)
        if handle is None:
            raise self._no_node(name)
        return handle

    def _no_node(self, name: str) -> GraphError:
        return GraphError(
            checks.unknown(self._store.attributes["name"], name, self._handles, "node"), node=name
        )

    def _mine(self, node: Node | str) -> Node:
        if isinstance(node, str):
            return self._node(node)
        if not isinstance(node, Node):
            raise GraphError(
                f"node: not a node (got {quoted(node)}, allowed a handle or a name). Write g['name']."
            )
        if self._handles.get(node.name) is not node:
            cure = "Use this graph's own nodes."
            raise GraphError(f"{node.name}: belongs to another graph or was removed. {cure}", node=node.name)
        return node


def checked_thermo(name: str, values: Mapping[str, float | None] | None) -> Thermo:
    """Return heat constants given by key, checked.

    Raises
    ------
    TypeError
        If a key is unknown.
    GraphError
        If a value is not a number of 0 or more.
    """
    if values is None:
        return NO_THERMO
    keys = [field.name for field in fields(Thermo)]
    if not isinstance(values, Mapping):
        raise GraphError(
            f"{name}.thermo: not heat constants "
            f"(got {quoted(values)}, allowed {', '.join(keys)}). Give a dict."
        )
    for key, value in values.items():
        if key not in keys:
            raise TypeError(checks.unknown(f"{name}.thermo", key, keys, "constant"))
        if value is not None and checks.real(f"{name}.thermo.{key}", value, "0 or more") < 0:
            raise GraphError(
                f"{name}.thermo.{key}: out of range (got {quoted(value)}, allowed 0 or more).", node=name
            )
    return Thermo(**{key: None if value is None else float(value) for key, value in values.items()})


def _brief(value: Value) -> str:
    return (
        f"array{value.shape}"
        if not isinstance(value, float | int | str) and hasattr(value, "shape")
        else quoted(value)
    )
