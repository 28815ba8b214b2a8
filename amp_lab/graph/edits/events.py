"""What an edit changed in a graph, for whoever shows it.

Events tell what differs between the beginning and the end of an edit (of a whole ``with g.edit():``), in an
order in which each can be followed by itself: links that went, nodes that went, renames, nodes that are new
or changed, links that came, properties of the graph. What came and went inside the edit is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from amp_lab.graph.records.model import Edge, Modulation


@dataclass(frozen=True)
class NodeAdded:
    """A node appeared; `NodeChanged` follows if it has values of its own.

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
    """A node is gone; its edges were removed before it.

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
    """A node has another name; edges follow it.

    Nodes that exchange names are renamed over ``name~``, which no node can have.

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

    With ``type`` all parameters have their defaults, but for the keys that are named.

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
    """An edge or modulation appeared.

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
    """An edge or modulation is gone.

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
