"""Events that `Graph.observe` reports after each edit.

Events are the differences between beginning and end of an edit (of a whole ``with g.edit():``), in an order
in which a listener can apply them one by one: removed links, removed nodes, renames, new and changed nodes,
added links, properties of the graph. What is added and removed within the same edit has no event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from amp_lab.graph.records.model import Edge, Modulation


@dataclass(frozen=True)
class NodeAdded:
    """A node was added; `NodeChanged` follows if it has parameters other than the defaults.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.observe(print)
    >>> tone = g.sine()
    NodeAdded(name='sine')
    """

    name: str


@dataclass(frozen=True)
class NodeRemoved:
    """A node was removed; `EdgeRemoved` of its links comes before.

    Examples
    --------
    >>> g = amp.Graph()
    >>> gain = g.gain(g.sine())
    >>> g.observe(print)
    >>> g.remove("sine")
    EdgeRemoved(edge=Edge sine.out -> gain.in[0])
    NodeRemoved(name='sine')
    """

    name: str


@dataclass(frozen=True)
class NodeRenamed:
    """A node was renamed; its links have no event of their own.

    Nodes that exchange names are renamed through ``name~``, which no node can have.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone = g.sine()
    >>> g.observe(print)
    >>> g.rename(tone, "tone")
    NodeRenamed(old='sine', new='tone')
    """

    old: str
    new: str


@dataclass(frozen=True)
class NodeChanged:
    """Parameters (by key), ``thermo``, ``samples`` or ``type`` of a node changed.

    If ``keys`` has ``type``, all parameters that it does not list have their defaults.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone = g.sine()
    >>> g.observe(print)
    >>> tone.set(frequency_hz=220.0, amplitude=0.5)
    NodeChanged(name='sine', keys=('frequency_hz', 'amplitude'))
    Node sine: sine(amplitude=0.5, frequency_hz=220.0)
    """

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class EdgeAdded:
    """An edge or modulation was added.

    Examples
    --------
    >>> g = amp.Graph()
    >>> tone, mix = g.sine(), g.mix()
    >>> g.observe(print)
    >>> edge = g.connect(tone, mix)
    EdgeAdded(edge=Edge sine.out -> mix.in[0])
    """

    edge: Edge | Modulation


@dataclass(frozen=True)
class EdgeRemoved:
    """An edge or modulation was removed.

    Examples
    --------
    >>> g = amp.Graph()
    >>> mix = g.mix(g.sine())
    >>> g.observe(print)
    >>> g.disconnect("mix.in[0]")
    EdgeRemoved(edge=Edge sine.out -> mix.in[0])
    """

    edge: Edge | Modulation


@dataclass(frozen=True)
class GraphChanged:
    """A property of the whole graph changed: ``name``, ``sample_rate``, ``heat_budget``, ``controls``.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.observe(print)
    >>> g.name = "beep"
    GraphChanged(key='name')
    """

    key: str


Event: TypeAlias = (
    NodeAdded | NodeRemoved | NodeRenamed | NodeChanged | EdgeAdded | EdgeRemoved | GraphChanged
)
