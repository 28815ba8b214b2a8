"""Edits of the nodes of a graph: add, rename, replace, remove."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from amp_lab import catalog
from amp_lab.catalog.builder import BOUND
from amp_lab.common import checks
from amp_lab.contracts import NodeContract
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.edits import arguments
from amp_lab.graph.edits.link_edits import Wiring, fits
from amp_lab.graph.edits.nodes import Node, checked_thermo
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord

NAME = re.compile(r"\w[\w\-]*")


class Editing(Wiring):
    """The methods of `Graph` that add, rename, replace and remove nodes."""

    def add(self, type_id: str, *inputs: arguments.Source, **keywords: Any) -> Node:
        """Add a node and return its handle; ``g.svf(...)`` is ``g.add("svf", ...)``.

        Parameters
        ----------
        type_id
            A node type of the catalogue.
        *inputs
            Sources: all of them for the only input port, or one per input port in order. For a node of type
            ``input`` its samples.
        **keywords
            Sources by input port, parameters, ``name`` and ``thermo``; for ``input`` also ``samples``,
            ``scale``.

        Raises
        ------
        TypeError
            If a keyword is unknown.
        GraphError, ShapeError
            If a name, value or port is not allowed; the graph is then unchanged.

        Examples
        --------
        >>> g = amp.Graph()
        >>> tone = g.add("sine", frequency_hz=220.0)
        >>> g.add("gain", tone, gain=0.5, name="half")
        Node half: gain(gain=0.5)
        """
        contract = catalog.contract(type_id)
        sorted_ = arguments.sort(contract, inputs, keywords)
        common = sorted_.common
        with self.edit():
            name = self._new_name(common.get("name"), contract)
            thermo = checked_thermo(name, common.get("thermo"))
            record = NodeRecord(name, type_id, contract.revision, thermo=thermo)
            params = sorted_.params | {key: common[key] for key in BOUND if key in common}
            node = self._add_record(self._changed(record, params) if params else record)
            for port, sources in sorted_.sources.items():
                for source in sources:
                    self.connect(source, node, port=port)
        return node

    def _new_name(self, given: str | None, contract: NodeContract) -> str:
        existing = self.output_node if contract.io == "sink" else None
        if existing is not None:
            raise GraphError(
                f"{existing.name}: the graph has an output already (allowed 1). Remove it, or mix before it."
            )
        if given is None:
            return self._handles.free(contract.id)
        return self._free_name(given)

    def _free_name(self, name: str) -> str:
        if check_name(name) in self._handles:
            raise GraphError(
                f"{name}: name is taken (allowed: unique names). Try {self._handles.free(name)!r}."
            )
        return name

    def _add_record(self, record: NodeRecord) -> Node:
        node = Node(self, record.name)
        self._store.put("nodes", record.name, record)
        self._store.put("handles", record.name, node)
        return node

    def rename(self, node: Node | str, name: str) -> None:
        """Rename a node; its links are renamed with it and its handle stays valid.

        Examples
        --------
        >>> g = amp.Graph()
        >>> tone = g.sine()
        >>> gain = g.gain(tone)
        >>> g.rename(tone, "tone")
        >>> tone.name, g.edges
        ('tone', (Edge tone.out -> gain.in[0],))
        """
        with self.edit():
            handle = self._mine(node)
            old = handle.name
            if name == old:
                return
            self._free_name(name)
            links = self._links_of(old)
            for link in links:
                self._drop_link(link)
            self._store.put("nodes", name, replace(self._store.drop("nodes", old), name=name))
            self._store.put("handles", name, self._store.drop("handles", old))
            for link in links:
                src, dst = (name if end == old else end for end in (link.src, link.dst))
                self._put_link(replace(link, src=src, dst=dst))

    def remove(self, node: Node | str) -> None:
        """Remove a node with all edges and modulations from or to it.

        Examples
        --------
        >>> g = amp.Graph()
        >>> gain = g.gain(g.sine())
        >>> g.remove("sine")
        >>> g, gain
        (Graph graph: 1 nodes, 0 edges, 0 modulations at 48000 Hz, Node gain: gain())
        """
        with self.edit():
            handle = self._mine(node)
            for link in self._links_of(handle.name):
                self._drop_link(link)
            self._store.drop("nodes", handle.name)
            self._store.drop("handles", handle.name)
            self._store.set("places", handle, None)

    def replace(self, node: Node | str, type_id: str, **params: Any) -> tuple[Edge | Modulation, ...]:
        """Give a node another type; name, heat constants, and links whose ports the new type has are kept.

        Returns
        -------
        tuple of Edge and Modulation
            The links that were removed because the new type has no such port or parameter.

        Examples
        --------
        >>> g = amp.Graph()
        >>> env, tone = g.envelope(), g.sine()
        >>> edge = g.modulate(env, tone.amplitude, mode="multiply")
        >>> g.replace("sine", "oscillator", waveform="saw")
        ()
        >>> tone
        Node sine: oscillator()
        """
        contract = catalog.contract(type_id)
        with self.edit():
            handle = self._mine(node)
            name, old = handle.name, handle.record
            if contract.io == "sink" and handle.contract.io != "sink":
                self._new_name(None, contract)
            dropped = tuple(link for link in self._links_of(name) if not fits(link, name, contract))
            for link in dropped:
                self._drop_link(link)
            record = NodeRecord(name, type_id, contract.revision, thermo=old.thermo)
            self._store.put("nodes", name, record)
            self._change(handle, params)
        return dropped


def check_name(name: str) -> str:
    """Return a name of a node or graph, checked.

    Raises
    ------
    GraphError
        If it is empty, too long or has other characters.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name.encode()) > checks.NAME_BYTES:
        raise GraphError(
            f"name: not allowed (got {quoted(name)}, allowed letters and digits of any script, _ and, not "
            f"first, -; up to {checks.NAME_BYTES} bytes). Rename it."
        )
    return str(name)
