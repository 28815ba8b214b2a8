"""An edit is one difference: it is undone as a whole, to the byte, and its events can be replayed."""

from __future__ import annotations

import contextlib
import linecache
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab.graph.edits import events
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.records.model import Edge, Link

TYPES = ("gain", "svf", "noise", "mix", "one_pole")
NUMBERS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))


class Mirror:
    """A graph built only from events, one after the other."""

    def __init__(self, graph: amp.Graph) -> None:
        self.graph = graph
        self.nodes = {node.name: dict(node.record.values) for node in graph.nodes}
        self.links = {address(link): body(link) for link in (*graph.edges, *graph.modulations)}
        self.name = graph.name
        graph.observe(self.hear)

    def hear(self, event: events.Event) -> None:
        """Apply one event; an event that does not fit raises, which fails the test as a warning."""
        match event:
            case events.NodeAdded(name):
                assert name not in self.nodes
                self.nodes[name] = {}
            case events.NodeRemoved(name):
                del self.nodes[name]
                assert not any(name in (src, at[1]) for at, (src, *_) in self.links.items())
            case events.NodeRenamed(old, new):
                assert new not in self.nodes
                self.nodes[new] = self.nodes.pop(old)
                self.links = {
                    (at[0], new if at[1] == old else at[1], *at[2:]): (new if src == old else src, *rest)
                    for at, (src, *rest) in self.links.items()
                }
            case events.NodeChanged(name, keys):
                values = self.graph[name].record.values
                kept = {} if "type" in keys else self.nodes[name]
                self.nodes[name] = {k: v for k, v in kept.items() if k not in keys} | {
                    key: values[key] for key in keys if key in values
                }
            case events.EdgeAdded(link):
                assert address(link) not in self.links and {link.src, link.dst} <= self.nodes.keys()
                self.links[address(link)] = body(link)
            case events.EdgeRemoved(link):
                assert self.links.pop(address(link)) == body(link)
            case events.GraphChanged("name"):
                self.name = self.graph.name

    def check(self) -> None:
        """The graph built from events equals the real one."""
        graph = self.graph
        assert self.nodes == {node.name: dict(node.record.values) for node in graph.nodes}
        assert self.links == {address(link): body(link) for link in (*graph.edges, *graph.modulations)}
        assert self.name == graph.name


def address(link: Link) -> tuple[Any, ...]:
    """Return where a link ends."""
    port = link.dst_port if isinstance(link, Edge) else link.param
    return type(link).__name__, link.dst, port, link.slot


def body(link: Link) -> tuple[Any, ...]:
    """Return its source, and what else it holds, without the names of nodes."""
    return link.src, link.src_port, link.delay_frames, link.channel


def look(graph: amp.Graph) -> tuple[Any, ...]:
    """Return everything that undo has to bring back, order of creation and handles too."""
    state = Journal.of(graph).state
    assert state.places.keys() <= state.nodes.keys()
    return (
        graph.to_json(),
        [(node.name, id(node)) for node in graph.nodes],
        [edge.id for edge in graph.edges],
        [modulation.id for modulation in graph.modulations],
        dict(state.places),
        dict(state.folds),
        state.file,
    )


def edit(graph: amp.Graph, kind: int, a: int, b: int) -> None:
    """Make an edit of any kind; some are refused."""
    names = [node.name for node in graph.nodes]
    name, other = names[a % len(names)], names[b % len(names)]
    links = [*graph.edges, *graph.modulations]
    journal = Journal.of(graph)
    kinds: list[Callable[[], object]] = [
        lambda: graph.add(TYPES[a % len(TYPES)]),
        lambda: graph.connect(name, other),
        lambda: graph.modulate(name, graph[other].param("gain"), mode="add"),
        lambda: graph[name].set(gain=float(b)),
        lambda: graph[name].set_thermo(heat_j_per_frame=float(b)),
        lambda: graph.rename(name, f"n{b % 7}"),
        lambda: graph.remove(name),
        lambda: graph.disconnect(links[a % len(links)]),
        lambda: graph.change(links[a % len(links)], delay_frames=b % 5),
        lambda: graph.replace(name, TYPES[b % len(TYPES)]),
        lambda: setattr(graph, "name", f"g{a % 3}"),
        lambda: journal.move({name: (float(a), float(b))}),
        lambda: journal.fold(f"fold{b % 2}", (name,)),
    ]
    kinds[kind % len(kinds)]()


OPERATION = st.tuples(st.integers(0, 12), NUMBERS)
TREE = st.recursive(
    OPERATION, lambda parts: st.tuples(st.booleans(), st.lists(parts, max_size=5)), max_leaves=12
)


class Stop(Exception):  # noqa: N818 - nothing went wrong
    """Ends an edit that is to be taken back."""


def run(graph: amp.Graph, tree: Any) -> None:
    """Make an edit, or a group of edits that is kept or fails."""
    first, rest = tree
    if not isinstance(first, bool):
        edit(graph, first, *rest)
        return
    before = look(graph)
    try:
        with graph.edit():
            for part in rest:
                with contextlib.suppress(amp.AmpError, TypeError, ZeroDivisionError):
                    run(graph, part)
            if not first:
                raise Stop
    except Stop:
        assert look(graph) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(TREE, st.sampled_from(["undo", "redo", "settle"])), min_size=5, max_size=30))
def test_any_edits_are_undone_to_the_byte_and_replayed_from_their_events(program: list[Any]) -> None:
    """Groups that fail leave nothing, undo and redo find each state again, a mirror follows the events."""
    graph = amp.Graph()
    graph.gain(graph.noise(), gain=2.0)
    journal, mirror = Journal.of(graph), Mirror(graph)
    past, future, now = [], [], look(graph)
    for step in program:
        if step == "settle":  # gives places, also to nodes that earlier states have
            journal.settle({node.name: (1.0, 2.0) for node in graph.nodes})
            now = look(graph)
            continue
        if step in ("undo", "redo"):
            source, target = (past, future) if step == "undo" else (future, past)
            assert getattr(journal, step)() == bool(source)
            if source:
                target.append(now)
                now = source.pop()
                now = now if "settle" not in program else (*now[:4], look(graph)[4], *now[5:])
        else:
            version = journal.version
            with contextlib.suppress(amp.AmpError, TypeError, ZeroDivisionError):
                run(graph, step)
            if journal.version != version:
                past.append(now)
                future.clear()
                now = look(graph)
        assert look(graph) == now
        mirror.check()
    assert (journal.undo_steps, journal.redo_steps) == (len(past), len(future))
    while past:
        expected = past.pop()
        assert journal.undo() and [*look(graph)[:4], *look(graph)[5:]] == [*expected[:4], *expected[5:]]
        assert "settle" in program or look(graph) == expected
        mirror.check()


def test_names_that_change_places_can_be_followed_one_by_one() -> None:
    """Two nodes that swap names in one edit are renamed over a name that no node can have."""
    graph = amp.Graph()
    graph.connect(graph.noise(name="a"), graph.gain(name="b"))
    mirror, heard = Mirror(graph), []
    graph.observe(heard.append)
    with graph.edit():
        for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
            graph.rename(old, new)
    assert [type(event) for event in heard] == [events.NodeRenamed] * 3
    mirror.check()


def test_an_edit_is_told_as_what_differs_in_the_end() -> None:
    """Items added and removed inside a group are not reported; what is set twice is reported once, with all
    keys.
    """
    graph = amp.Graph()
    flt = graph.svf(graph.noise())
    heard: list[events.Event] = []
    graph.observe(heard.append)
    with graph.edit():
        graph.remove(graph.gain(flt))
        flt.set(q=3.0)
        flt.set(cutoff_hz=500.0, q=4.0)
        graph.set_heat_budget(1.0, "halt")
    assert heard == [events.NodeChanged("svf", ("cutoff_hz", "q")), events.GraphChanged("heat_budget")]


def test_a_group_that_fails_keeps_the_order_of_creation() -> None:
    """A removed item that is restored is at its old place: in the plan, and in a file."""
    graph = amp.presets.three_osc()
    before, plan = look(graph), graph.compile().digest
    with pytest.raises(Stop), graph.edit():
        graph.remove("lfo")
        graph.rename("flt", "tone")
        raise Stop
    assert look(graph) == before and graph.compile().digest == plan
    graph.remove("osc_1")
    assert Journal.of(graph).undo() and look(graph) == before and graph.compile().digest == plan


def test_a_plan_that_was_compiled_inside_an_edit_goes_with_it() -> None:
    """The plan is always that of the graph as it is, between the edits of a group and after it failed."""
    graph = amp.presets.three_osc()
    digest = graph.compile().digest
    with pytest.raises(Stop), graph.edit():
        graph["flt"].set(q=9.0)
        assert graph.compile().digest != digest
        raise Stop
    assert graph.compile().digest == digest


def test_undo_inside_an_edit_is_refused() -> None:
    """Undo in the middle of a step has no effect; the edit continues."""
    graph = amp.presets.three_osc()
    journal = Journal.of(graph)
    with graph.edit():
        graph["flt"].set(q=3.0)
        with pytest.raises(amp.GraphError, match="undo: an edit is not finished"):
            journal.undo()
    assert journal.undo() and graph["flt"].params["q"] == 2.0


def test_a_subscriber_may_edit() -> None:
    """Its edit is a step of its own, and every subscriber is sent all patches in order."""
    graph = amp.Graph()
    journal, versions = Journal.of(graph), ([], [])

    def follow(patch: Any) -> None:
        versions[0].append(patch.version)
        if "noise" in patch.nodes and "sine" not in graph:
            graph.sine()

    journal.subscribe(follow)
    journal.subscribe(lambda patch: versions[1].append(patch.version))
    graph.noise()
    assert versions == ([1, 2], [1, 2]) and journal.undo_steps == 2


def _interrupted(work: Callable[[], object], at: int) -> bool:
    """Whether the work ran to its end with an interrupt before the given line of the code that edits."""
    left = at

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        path = frame.f_code.co_filename
        if "/graph/edits/" not in path and "/free_names" not in path:
            return None
        # Python itself does not guard the steps of `with`: what takes and releases is not interrupted here.
        guarded = frame.f_code.co_name in ("__enter__", "__exit__")
        if event == "line" and not guarded and "with " not in linecache.getline(path, frame.f_lineno):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return False
    finally:
        sys.settrace(None)
    return left > 0


def _is_free(lock: Any) -> bool:
    """Whether another thread can take a lock."""
    found: list[bool] = []

    def take() -> None:
        found.append(lock.acquire(timeout=5))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return found == [True]


def small() -> amp.Graph:
    """Three nodes in a row."""
    graph = amp.Graph()
    graph.mix(graph.gain(graph.noise(), gain=2.0))
    return graph


def test_an_edit_that_is_interrupted_anywhere_is_made_or_not() -> None:
    """Before every line: the graph is as before or after, no lock stays, and undo leads back to the start."""

    def work() -> None:
        with graph.edit():
            graph.remove("noise")
            with contextlib.suppress(Stop), graph.edit():
                graph.rename("gain", "tone")
                raise Stop
            graph.noise(name="more")

    graph = small()
    before = look(graph)
    work()
    after = look(graph)[0]
    for at in range(1, 100_000):
        graph = small()
        before, journal = look(graph), Journal.of(graph)
        over = _interrupted(work, at)
        assert graph.to_json() in (before[0], after), at
        assert _is_free(graph._store.lock), at
        graph["mix"].set(gain=0.5)
        while journal.undo():
            pass
        assert look(graph) == before, at
        if over:
            break
    assert at > 100
