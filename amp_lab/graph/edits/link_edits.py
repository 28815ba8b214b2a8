"""Edits of the links of a graph: edges from port to port, modulations from port to parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from amp_lab.common import checks
from amp_lab.contracts import NodeContract
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.edits.nodes import Node, NodeTable, OutputRef, ParamRef
from amp_lab.graph.records.free_names import Slots
from amp_lab.graph.records.model import Edge, Link, Mode, Modulation
from amp_lab.graph.records.values import Samples, numbers


class Wiring(NodeTable):
    """The methods of `Graph` that add, change and remove edges and modulations."""

    @checks.keywords
    def connect(
        self,
        src: Node | OutputRef | str,
        dst: Node | str,
        *,
        port: str | None = None,
        slot: int | None = None,
        delay_frames: int = 0,
        gates: Sequence[str] = (),
        kappa: float | None = None,
        tokens: npt.ArrayLike | None = None,
        channel: int | None = None,
    ) -> Edge:
        """Connect an output to an input port.

        Parameters
        ----------
        src
            A node (its first output), an output of a node, ``"node"`` or ``"node.port"``.
        dst
            The node that reads the signal.
        port
            Key of its input port; needed if it has several.
        slot
            Place among the edges of the port, from 0; by default the next free one.
        delay_frames
            Delay d of the edge in frames: frame n of ``dst`` reads frame n - d of ``src``.
        gates
            Names of synchrony gates. Nodes behind one gate start at one virtual time, that of the latest; a
            gate moves firings in time and changes no sample.
        kappa
            Share of the source's heat that flows along the edge, 0 to 1; None for 1 / fan-out (0 for an edge
            with delay inside a loop).
        tokens
            Initial tokens (B|1, C|1, d): the frames that are read before frame 0 of ``src``; by default
            zeros.
        channel
            Channel of the source to carry; None for all. An edge from a ``split`` carries one channel, by
            default the next free one.

        Returns
        -------
        Edge
            The new edge.

        Raises
        ------
        GraphError, ShapeError
            If a port, slot or value is not allowed; with what is allowed.

        Examples
        --------
        >>> g = amp.Graph()
        >>> tone, echo = g.sine(), g.mix()
        >>> g.connect(tone, echo)
        Edge sine.out -> mix.in[0]
        >>> g.connect(echo, echo, delay_frames=4800)
        Edge mix.out -> mix.in[1], delay 4800 frames
        """
        with self.edit():
            source, target = self._source(src), self._mine(dst)
            key = self._input_port(target, port)
            place = self._free_slot(self._store.edges, target.name, key, slot)
            ends = (source.node.name, source.port, target.name, key, place)
            if channel is None and source.splits:
                channel = self._free_channel(source)
            given = {"delay_frames": delay_frames, "gates": gates, "kappa": kappa, "tokens": tokens}
            given["channel"] = channel
            more = {name: value for name, value in given.items() if value is not _PLAIN[name]}
            edge = Edge(*ends, **_checked(f"{target.name}.{key}[{place}]", more))
            self._put_link(edge)
        return edge

    @checks.keywords
    def modulate(
        self,
        src: Node | OutputRef | str,
        param: ParamRef,
        *,
        mode: Mode,
        scale: float = 1.0,
        offset: float = 0.0,
        channel: int | None = None,
        slot: int | None = None,
        delay_frames: int = 0,
    ) -> Modulation:
        """Modulate a parameter p by a signal m, frame by frame.

        ``multiply`` makes the value p * (offset + scale * m), ``add`` makes it p + scale * m. The modulations
        of one parameter are applied in slot order.

        Parameters
        ----------
        channel
            Channel of the modulator for all channels of the node; None: channel c modulates channel c.
        slot, delay_frames
            As in `connect`.

        Raises
        ------
        GraphError
            If the parameter cannot be modulated or an argument is not allowed.

        Examples
        --------
        >>> g = amp.Graph()
        >>> vibrato, tone = g.lfo(rate_hz=5.0), g.sine(frequency_hz=440.0)
        >>> g.modulate(vibrato, tone.frequency_hz, mode="add", scale=4.0)
        Modulation lfo.out -> sine.frequency_hz[0]: add 4 m
        >>> g.modulate(vibrato, tone.frequency_hz, mode="multiply", offset=1.0, scale=0.01)
        Modulation lfo.out -> sine.frequency_hz[1]: multiply 1 + 0.01 m
        """
        with self.edit():
            source = self._source(src)
            if not isinstance(param, ParamRef):
                raise GraphError(
                    f"modulate: not a parameter (got {quoted(param)}, allowed a parameter of a node). "
                    "Write g.modulate(src, node.key, mode=...)."
                )
            target = self._mine(param.node)
            place = self._free_slot(self._store.modulations, target.name, param.key, slot)
            ends = (source.node.name, source.port, target.name, param.key)
            more = {"scale": scale, "offset": offset, "channel": channel, "delay_frames": delay_frames}
            where = f"{target.name}.{param.key}[{place}]"
            modulation = Modulation(*ends, mode, slot=place, **_checked(where, more))
            self._put_link(modulation)
        return modulation

    def disconnect(self, link: Link | str) -> None:
        """Remove an edge or modulation, given the record or its id ``dst.port[slot]``.

        Examples
        --------
        >>> g = amp.Graph()
        >>> gain = g.gain(g.sine())
        >>> g.edges
        (Edge sine.out -> gain.in[0],)
        >>> g.disconnect("gain.in[0]")
        >>> g.edges
        ()
        """
        with self.edit():
            self._drop_link(self._link(link))

    def change(self, link: Link | str, **fields_: Any) -> Link:
        """Replace fields of an edge or modulation (``delay_frames``, ``scale``, ...); return the new record.

        Examples
        --------
        >>> g = amp.Graph()
        >>> gain = g.gain(g.sine())
        >>> g.change("gain.in[0]", delay_frames=480)
        Edge sine.out -> gain.in[0], delay 480 frames
        """
        old = self._link(link)
        allowed = {f.name for f in fields(old)} - {"src", "src_port", "dst", "dst_port", "param"}
        for key in fields_:
            if key not in allowed:
                raise TypeError(checks.unknown(old.id, key, sorted(allowed), "field"))
        with self.edit():
            new = replace(old, **_checked(old.id, fields_))
            self._drop_link(old)
            self._free_slot(getattr(self._store, _table(new)), *_key(new))
            self._put_link(new)
        return new

    # ---- steps of an edit ----

    def _source(self, src: object) -> OutputRef:
        if isinstance(src, OutputRef):
            return OutputRef(self._mine(src.node), src.port)
        if isinstance(src, str):
            name, _, port = src.partition(".")
            node = self._node(name)
            return node.output(port) if port else self._source(node)
        if not isinstance(src, Node):
            got = type(src).__name__
            cure = "Write g.constant(value=...) for a number."
            raise GraphError(f"source: not a source (got {got}, allowed a node or an output). {cure}")
        node = self._mine(src)
        keys = node.contract.output_keys
        if not keys:
            raise GraphError(
                f"{node.name} ({node.type}): has no output port. Connect from a node before it.",
                node=node.name,
            )
        return OutputRef(node, keys[0])

    def _input_port(self, node: Node, port: str | None) -> str:
        keys = node.contract.input_keys
        if port is None and len(keys) == 1:
            return keys[0]
        if port not in keys:
            where = f"{node.name} ({node.type})"
            if port is None:
                raise GraphError(
                    f"{where}: port= is needed (allowed {checks.listed(keys)}). Name one.",
                    node=node.name,
                )
            raise GraphError(checks.unknown(where, port, keys, "input port"), node=node.name)
        return port

    def _free_slot(self, table: Slots[Any], dst: str, key: str, slot: int | None) -> int:
        if slot is None:
            return table.free(dst, key)
        slot = checks.whole(f"{dst}.{key}.slot", slot)
        taken = table.get((dst, key, slot))
        if taken is not None:
            raise GraphError(
                f"{taken.id}: slot is taken by {quoted(taken)}. "
                "Choose another slot, or none for the next free one."
            )
        return slot

    def _free_channel(self, source: OutputRef) -> int:
        ends = (source.node.name, source.port)
        taken = {edge.channel for edge in self._store.edges.values() if (edge.src, edge.src_port) == ends}
        return next(channel for channel in range(len(taken) + 1) if channel not in taken)

    def _link(self, link: Link | str) -> Link:
        place = _place(link) if isinstance(link, str) else _key(link)
        for table in (self._store.edges, self._store.modulations):
            found: Link | None = table.get(place)
            if found is not None and (isinstance(link, str) or found is link):
                return found
        allowed = "allowed those of g.edges and g.modulations"
        raise GraphError(f"{link}: no such link ({allowed}). Use one of these.")

    def _links_of(self, name: str) -> list[Link]:
        links: list[Link] = [*self._store.edges.values(), *self._store.modulations.values()]
        return [link for link in links if name in (link.src, link.dst)]

    def _put_link(self, link: Link) -> None:
        node = self._node(link.dst)
        problem = _edge_problem(link) if isinstance(link, Edge) else _modulation_problem(link, node.contract)
        if problem:
            raise GraphError(f"{link.id}: {problem}", node=link.dst)
        self._store.put(_table(link), _key(link), link)

    def _drop_link(self, link: Link) -> None:
        self._store.drop(_table(link), _key(link))


def fits(link: Link, name: str, contract: NodeContract) -> bool:
    """Return whether an edge or modulation stays valid if the named node gets this contract."""
    source = link.src != name or link.src_port in contract.output_keys
    if isinstance(link, Edge):
        return source and (link.dst != name or link.dst_port in contract.input_keys)
    return source and (link.dst != name or not _modulation_problem(link, contract))


def _table(link: Link) -> Literal["edges", "modulations"]:
    return "edges" if isinstance(link, Edge) else "modulations"


def _key(link: Link) -> tuple[str, str, int]:
    return link.dst, link.dst_port if isinstance(link, Edge) else link.param, link.slot


def _place(id_: str) -> tuple[str, str, int]:
    """Return the key of a link with the id ``dst.port[slot]``; slot -1, which no link has, if it is no id."""
    node, _, rest = id_.partition(".")
    key, _, slot = rest.partition("[")
    is_id = id_ == f"{node}.{key}[{slot[:-1]}]" and slot[:-1].isdecimal()
    return node, key, int(slot[:-1]) if is_id else -1


_PLAIN: dict[str, Any] = {"delay_frames": 0, "gates": (), "kappa": None, "tokens": None, "channel": None}


def _checked(where: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return fields of an edge or modulation in normal form; `GraphError` for a wrong kind of value."""
    return {
        key: _CHECKS[key](f"{where}.{key}", value) if key in _CHECKS else value
        for key, value in given.items()
    }


def _tokens(where: str, tokens: npt.ArrayLike | None) -> Samples | None:
    if tokens is None:
        return None
    array = numbers(where, tokens, "(B|1, C|1, delay_frames)")
    if not np.isfinite(array).all():
        raise GraphError(f"{where}: not finite (got NaN or Inf, allowed finite numbers). Use finite values.")
    return array


def _gates(where: str, gates: Sequence[str]) -> tuple[str, ...]:
    return tuple(checks.label(f"{where}[{i}]", gate) for i, gate in enumerate(checks.names(where, gates)))


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "slot": checks.whole,
    "delay_frames": checks.whole,
    "gates": _gates,
    "kappa": lambda where, value: None if value is None else checks.real(where, value, "0 to 1, or None"),
    "tokens": _tokens,
    "scale": checks.real,
    "offset": checks.real,
    "channel": lambda where, value: None if value is None else checks.whole(where, value),
}


def _edge_problem(edge: Edge) -> str:
    if edge.kappa is not None and not 0 <= edge.kappa <= 1:
        return f"kappa is out of range (got {quoted(edge.kappa)}, allowed 0 to 1). Give a share, or None."
    if edge.tokens is not None and (edge.tokens.ndim != 3 or edge.tokens.shape[2] != edge.delay_frames):
        allowed = f"(B|1, C|1, {edge.delay_frames})"
        got = f"got {edge.tokens.shape}, allowed {allowed}"
        return f"initial tokens have the wrong shape ({got}). Give as many frames as the edge delays."
    return ""


def _modulation_problem(mod: Modulation, contract: NodeContract) -> str:
    param = contract.param(mod.param)
    if param is None or param.kind != "number" or param.rate != "frame":
        movable = (
            ", ".join(p.key for p in contract.params if p.kind == "number" and p.rate == "frame") or "none"
        )
        return f"{contract.id}.{mod.param} cannot be modulated (allowed {movable}). Choose one of these."
    if mod.mode not in get_args(Mode):
        return checks.unknown("mode", mod.mode, get_args(Mode), "mode")
    if mod.mode == "add" and mod.offset:
        return f"offset has no effect with mode add (got {mod.offset:g}, allowed 0). Set the parameter."
    return ""
