"""Versions of a graph: every edit as the difference of two states, with undo and redo."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import replace
from typing import TypeAlias

from amp_lab.errors import GraphError, NativeCrash
from amp_lab.graph.edits import adopted
from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.edits.events import Event
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.edits.states import Patch, Place, State, difference, events
from amp_lab.graph.records.free_names import Names, Slots

STEPS = 300
"""Steps of undo that are kept."""
ATTRIBUTES = {
    "name": "_name",
    "heat_budget": "_heat_budget_w",
    "heat_policy": "_heat_policy",
    "controls": "_controls",
}


Subscriber: TypeAlias = Callable[[Patch], object]
Watcher: TypeAlias = Callable[[NativeCrash | None], object]


class Journal:
    """The versions of one graph; `Journal.of` starts it, and it stays with the graph.

    Subscribers are called with patches in the order of versions, in the thread of the edit and under the
    graph's lock: they pass on, and do no work.
    """

    def __init__(self, graph: EditedGraph) -> None:
        self._graph = graph
        self._store = graph._store
        self._past: deque[State] = deque(maxlen=STEPS)
        self._future: list[State] = []
        self._subscribers: list[Subscriber] = []
        self._watchers: list[Watcher] = []
        self._crash: NativeCrash | None = None
        self._gesture: str | None = None
        self.keeper: object = None
        """What keeps the graph in a file, for the widgets."""
        self._local = threading.local()
        with self._store.lock:
            self._heard_version = self._store.version
            self._now = _look(graph)
            self.version = 0
            graph.observe(self._hear)

    @staticmethod
    def of(graph: EditedGraph) -> Journal:
        """Return the journal of a graph, started if there is none."""
        with graph._store.lock:
            found = started(graph)
            if found is None:
                graph._journal = found = Journal(graph)
            return found

    @property
    def state(self) -> State:
        """The present state."""
        return self._now

    @property
    def undo_steps(self) -> int:
        """How many steps can be undone."""
        return len(self._past)

    @property
    def redo_steps(self) -> int:
        """How many undone steps can be done again."""
        return len(self._future)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber(patch)`` after every edit, move, fold, undo and redo."""
        with self._store.lock:
            self._subscribers.append(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop calling a subscriber; one that is not there is ignored."""
        with self._store.lock:
            self._subscribers = [known for known in self._subscribers if known != subscriber]

    @property
    def crash(self) -> NativeCrash | None:
        """What the last render of the graph crashed with; None if it did not."""
        return self._crash

    def report(self, crash: NativeCrash | None) -> None:
        """Keep what a render crashed with, or None after one that did not; watchers are told what is new.

        Kept is a copy: the traceback of the exception holds the arrays of the render.
        """
        with self._store.lock:
            news = crash is not None or self._crash is not None
            self._crash = None if crash is None else copy(crash)
            watchers = tuple(self._watchers) if news else ()
        for watcher in watchers:
            watcher(self._crash)

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher(crash)`` after a crash, and ``watcher(None)`` when a render succeeds again."""
        with self._store.lock:
            self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Stop calling a watcher; one that is not there is ignored."""
        with self._store.lock:
            self._watchers = [known for known in self._watchers if known != watcher]

    def lock(self) -> AbstractContextManager[bool]:
        """Hold the graph still, to read a state and its version together."""
        return self._store.lock  # itself: a generator around it could be interrupted when it has taken it

    @contextmanager
    def step(self, gesture: str | None = None) -> Iterator[dict[str, Place]]:
        """Make the edits inside one step of undo, all or none; steps of one gesture are one step.

        Yields a table for the places of nodes that are added or moved meanwhile.
        """
        places: dict[str, Place] = {}
        self._local.step = gesture, places
        before = self.version
        try:
            with self._graph.edit():
                yield places
            if places and self.version == before:
                self.move(places, gesture)
        finally:
            self._local.step = None, {}

    def move(self, places: Mapping[str, Place], gesture: str | None = None) -> None:
        """Place nodes on the canvas; coordinates of their upper left corners."""
        with self._store.lock:
            for name in places:
                self._graph._node(name)
            self._commit(replace(self._now, places={**self._now.places, **places}), gesture)

    def settle(self, places: Mapping[str, Place], folds: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Give nodes that have no place one, and folds if given; a part of the present state, no step."""
        with self._store.lock:
            new = self._now.folds if folds is None else folds
            self._now = replace(self._now, places={**places, **self._now.places}, folds=new)

    def fold(self, title: str, names: tuple[str, ...]) -> None:
        """Show some nodes as one box of that title; no names unfold it.

        Raises
        ------
        GraphError
            If a node is in another fold already.
        """
        with self._store.lock:
            folds = {key: value for key, value in self._now.folds.items() if key != title}
            taken = {name: key for key, value in folds.items() for name in value}
            for name in names:
                self._graph._node(name)
                if name in taken:
                    raise GraphError(
                        f"{name}: is in the fold {taken[name]!r} (allowed one fold per node). Unfold it.",
                        node=name,
                    )
            self._commit(replace(self._now, folds=folds | ({title: names} if names else {})), None)

    def belongs(self, file: str) -> None:
        """Say that the present state, and those of the same file before and after it, belong to a file."""
        with self._store.lock:
            old = self._now.file
            self._past = deque((_moved(state, old, file) for state in self._past), STEPS)
            self._future = [_moved(state, old, file) for state in self._future]
            self._now = replace(self._now, file=file)

    def adopt(
        self,
        other: EditedGraph,
        places: Mapping[str, Place],
        folds: Mapping[str, tuple[str, ...]],
        file: str,
    ) -> None:
        """Make the graph what another one is, as one step; handles stay good where names are the same.

        Raises
        ------
        GraphError
            If the sample rates differ.
        """
        if other.sample_rate != self._graph.sample_rate:
            rates = f"got {other.sample_rate:g} Hz, allowed {self._graph.sample_rate:g} Hz"
            cure = "Open it by itself: amp.lab(path)."
            raise GraphError(f"{other.name}: has another sample rate ({rates}). {cure}")
        with self._store.lock, other._store.lock:
            before, now = self._now, _look(other)
            handles = {name: before.handles.get(name) or Node(self._graph, name) for name in now.handles}
            folders = (*self._graph._sample_folders, *other._sample_folders)
            self._graph._sample_folders = tuple(dict.fromkeys(folders))
            state = State(handles, *adopted.tables(before, now), dict(places), dict(folds), file)
            self._jump(state)
            self._commit(state, None)

    def undo(self) -> bool:
        """Undo the last step, wherever it came from; False if there is none."""
        return self._travel(self._past, self._future)

    def redo(self) -> bool:
        """Do the last undone step again; False if there is none."""
        return self._travel(self._future, self._past)

    # ---- how it works ----

    def _travel(self, source: deque[State] | list[State], target: deque[State] | list[State]) -> bool:
        with self._store.lock:
            if not source:
                return False
            state, before = source.pop(), self._now
            target.append(before)
            self._gesture = None
            self._jump(state)
            self._publish(before, state)
            return True

    def _jump(self, state: State) -> None:
        """Bring the graph to a state, and do not take that for an edit."""
        self._local.travel = True
        try:
            _restore(self._graph, self._now, state)
        finally:
            self._local.travel = False
        self._heard_version = self._store.version

    def _hear(self, _: Event) -> None:
        with self._store.lock:
            if getattr(self._local, "travel", False) or self._heard_version == self._store.version:
                return
            self._heard_version = self._store.version
            gesture, places = getattr(self._local, "step", (None, {}))
            state = _look(self._graph, self._now)
            placed = {name: at for name, at in places.items() if name in state.handles}
            self._commit(replace(state, places={**state.places, **placed}), gesture)

    def _commit(self, state: State, gesture: str | None) -> None:
        before = self._now
        if gesture is None or gesture != self._gesture:
            self._past.append(before)
        self._gesture = gesture
        self._future.clear()
        self._publish(before, state)

    def _publish(self, before: State, after: State) -> None:
        self._now = after
        self.version += 1
        patch = difference(before, after, self.version)
        for subscriber in tuple(self._subscribers):
            subscriber(patch)


def started(graph: EditedGraph) -> Journal | None:
    """Return the journal of a graph, None if there is none yet."""
    return graph._journal if isinstance(graph._journal, Journal) else None


def report(graph: EditedGraph, crash: NativeCrash | None) -> None:
    """Do what `Journal.report` does, if the graph has a journal."""
    journal = started(graph)
    if journal is not None:
        journal.report(crash)


def present(graph: EditedGraph) -> State:
    """Return the present state of a graph, without starting a journal for it."""
    with graph._store.lock:
        journal = started(graph)
        return _look(graph) if journal is None else journal.state


def _look(graph: EditedGraph, before: State | None = None) -> State:
    """Look at the graph as it is; places and folds of the state before follow renames."""
    store, handles = graph._store, dict(graph._handles)
    attributes = {key: getattr(graph, name) for key, name in ATTRIBUTES.items()}
    tables = (dict(store.nodes), dict(store.edges), dict(store.modulations))
    if before is None:
        return State(handles, *tables, attributes)
    new = {id(handle): name for name, handle in handles.items()}
    names = {name: new.get(id(handle)) for name, handle in before.handles.items()}
    places = {to: at for name, at in before.places.items() if (to := names.get(name))}
    folds = {
        title: kept
        for title, members in before.folds.items()
        if (kept := tuple(to for name in members if (to := names.get(name))))
    }
    return State(handles, *tables, attributes, places, folds, before.file)


def _moved(state: State, old: str, new: str) -> State:
    """Return the state with another file, if it belongs to the old one."""
    return replace(state, file=new) if state.file == old else state


def _restore(graph: EditedGraph, before: State, after: State) -> None:
    """Bring a graph from one state to another, with the events of all that differs."""
    store = graph._store
    patch = difference(before, after, 0)
    with graph.edit():
        store.assign(store, "nodes", dict(after.nodes))
        store.assign(store, "edges", Slots(after.edges))
        store.assign(store, "modulations", Slots(after.modulations))
        store.assign(graph, "_handles", Names(after.handles))
        for name, handle in after.handles.items():
            store.assign(handle, "_name", name)
        for key, attribute in ATTRIBUTES.items():
            store.assign(graph, attribute, after.attributes[key])
        for event in events(patch, before, after):
            store.emit(event)
