"""The journal of a graph: every edit as a difference, with undo and redo."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from functools import partial
from typing import TypeAlias

from amp_lab.errors import GraphError, NativeCrash
from amp_lab.graph.edits import adopted, states
from amp_lab.graph.edits.differences import At, Difference
from amp_lab.graph.edits.edited_graph import EditedGraph
from amp_lab.graph.edits.states import Patch, Place, State
from amp_lab.graph.edits.transactions import Edit

STEPS = 300
"""Most steps of undo."""
FILE: At = ("attributes", "file")

Subscriber: TypeAlias = Callable[[Patch], object]
Watcher: TypeAlias = Callable[[NativeCrash | None], object]


class Journal:
    """The versions of one graph, with undo and redo; `Journal.of` returns the one journal of a graph.

    Subscribers are called with patches in the order of versions, in the thread that edits and while it holds
    the graph's lock, so they must return quickly. An exception of a subscriber becomes a `RuntimeWarning`.

    Examples
    --------
    >>> from amp_lab.graph.edits.journal import Journal
    >>> g = amp.Graph()
    >>> journal = Journal.of(g)
    >>> journal.subscribe(lambda patch: print("version", patch.version))
    >>> with journal.step():
    ...     tone, gain = g.sine(), g.gain()
    ...
    version 1
    >>> journal.move({"sine": (0.0, 40.0)})
    version 2
    >>> journal.settle({"sine": (9.0, 9.0), "gain": (264.0, 40.0)})
    >>> journal.place("sine"), journal.place("gain")
    ((0.0, 40.0), (264.0, 40.0))
    >>> journal.fold("voice", ("sine", "gain"))
    version 3
    >>> with journal.lock():
    ...     print(journal.state.folds, journal.undo_steps)
    ...
    {'voice': ('sine', 'gain')} 3
    >>> journal.undo(), journal.redo_steps, journal.redo()
    version 4
    version 5
    (True, 1, True)
    >>> journal.belongs("voice.json")
    >>> journal.file
    'voice.json'
    >>> journal.adopt(amp.Graph(), {}, {}, "other.json")
    version 6
    >>> g
    Graph graph: 0 nodes, 0 edges, 0 modulations at 48000 Hz
    """

    def __init__(self, graph: EditedGraph) -> None:
        self._graph = graph
        self._store = graph._store
        self._past: deque[Difference] = deque(maxlen=STEPS)
        self._future: deque[Difference] = deque()
        self._gesture: str | None = None  # gesture of the last step
        self._seen: State | None = None
        self._unsent: deque[Patch] = deque()
        self._sending = False
        self._subscribers: list[Subscriber] = []
        self._watchers: list[Watcher] = []
        self._crash: NativeCrash | None = None
        self.keeper: object = None
        """The `PatchFile` of the graph, set by the widgets."""
        self.version = 0
        self._store.publish = self._publish

    @staticmethod
    def of(graph: EditedGraph) -> Journal:
        """Return the journal of a graph; it is created at the first call."""
        with graph._store.lock:
            found = started(graph)
            if found is None:
                graph._journal = found = Journal(graph)
            return found

    @property
    def state(self) -> State:
        """The present state."""
        with self._store.lock:
            if self._store.depth:
                return states.look(self._store)
            if self._seen is None:
                self._seen = states.look(self._store)
            return self._seen

    @property
    def file(self) -> str:
        """Path of the patch file of the present state; "" for none."""
        file: str = self._store.attributes["file"]
        return file

    def place(self, name: str) -> Place | None:
        """Return the upper left corner of a node on the canvas in pixels; None if it has no place."""
        return self._store.places.get(self._store.handles.get(name))

    @property
    def undo_steps(self) -> int:
        """Number of steps that can be undone."""
        return len(self._past)

    @property
    def redo_steps(self) -> int:
        """Number of undone steps that can be done again."""
        return len(self._future)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber(patch)`` after every edit, move, fold, undo and redo."""
        with self._store.lock:
            self._subscribers.append(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop calling a subscriber; an unknown one is ignored.

        Examples
        --------
        >>> from amp_lab.graph.edits.journal import Journal
        >>> journal = Journal.of(amp.Graph())
        >>> journal.subscribe(print)
        >>> journal.unsubscribe(print)
        >>> journal.undo_steps
        0
        """
        with self._store.lock:
            self._subscribers = [known for known in self._subscribers if known != subscriber]

    @property
    def crash(self) -> NativeCrash | None:
        """The `NativeCrash` of the graph's last render; None if that did not crash."""
        return self._crash

    def report(self, crash: NativeCrash | None) -> None:
        """Set `crash` to that of a render, or to None after one that succeeded, and call the watchers.

        A copy is kept, since the traceback of the exception refers to the arrays of the render.
        """
        with self._store.lock:
            news = crash is not None or self._crash is not None
            self._crash = None if crash is None else copy(crash)
            watchers = tuple(self._watchers) if news else ()
        for watcher in watchers:
            watcher(self._crash)

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher(crash)`` after a crash, and ``watcher(None)`` when a render succeeds again.

        Examples
        --------
        >>> from amp_lab.graph.edits.journal import Journal
        >>> journal = Journal.of(amp.Graph())
        >>> journal.watch(print)
        >>> journal.report(amp.NativeCrash("beep: the worker died", signal="SIGSEGV"))
        beep: the worker died
        >>> journal.crash.signal
        'SIGSEGV'
        >>> journal.unwatch(print)
        """
        with self._store.lock:
            self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Stop calling a watcher; an unknown one is ignored."""
        with self._store.lock:
            self._watchers = [known for known in self._watchers if known != watcher]

    def lock(self) -> AbstractContextManager[bool]:
        """Return the graph's lock, a context manager: hold it to read a state together with its version."""
        return self._store.lock  # no generator around it: an interrupt could leave it locked

    @contextmanager
    def step(self, gesture: str | None = None) -> Iterator[dict[str, Place]]:
        """Make the edits of a ``with`` block one step of undo, all or none; steps of one gesture are merged.

        Yields a dict that receives the places of added or moved nodes by name.
        """
        places: dict[str, Place] = {}
        with Edit(self._store, partial(self._add_step, gesture=gesture)):
            yield places
            self._put_places({name: at for name, at in places.items() if name in self._graph})

    def move(self, places: Mapping[str, Place], gesture: str | None = None) -> None:
        """Place nodes on the canvas, as one step of undo; places are upper left corners in pixels."""
        with self.step(gesture):
            self._put_places(places)

    def settle(self, places: Mapping[str, Place], folds: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Place nodes that have no place yet, and set folds if given, without a step of undo."""
        with Edit(self._store, _no_step):
            self._put_places({name: at for name, at in places.items() if self.place(name) is None})
            if folds is not None:
                self._put_folds(folds)

    def fold(self, title: str, names: tuple[str, ...]) -> None:
        """Show some nodes as one box with a title; an empty tuple unfolds the box.

        Raises
        ------
        GraphError
            If a node is in another fold already.
        """
        with self._graph.edit():
            folds = {key: value for key, value in states.folds(self._store).items() if key != title}
            taken = {name: key for key, value in folds.items() for name in value}
            for name in names:
                self._graph._node(name)
                if name in taken:
                    raise GraphError(
                        f"{name}: is in the fold {taken[name]!r} (allowed one fold per node). Unfold it.",
                        node=name,
                    )
            self._put_folds(folds | ({title: names} if names else {}))

    def belongs(self, file: str) -> None:
        """Set the file of the present state, and of earlier and later states that have the same file."""
        with Edit(self._store, _no_step):
            old = self.file
            self._store.put(*FILE, file)
            for steps in (self._past, self._future):
                renamed = [_with_file(step, old, file) for step in steps]
                steps.clear()
                steps.extend(renamed)

    def adopt(
        self,
        other: EditedGraph,
        places: Mapping[str, Place],
        folds: Mapping[str, tuple[str, ...]],
        file: str,
    ) -> None:
        """Make the graph equal to another one, as one step; handles of nodes with equal names stay valid.

        Raises
        ------
        GraphError
            If the sample rates differ.
        """
        if other.sample_rate != self._graph.sample_rate:
            rates = f"got {other.sample_rate:g} Hz, allowed {self._graph.sample_rate:g} Hz"
            cure = "Open it by itself: amp.lab(path)."
            raise GraphError(f"{other.name}: has another sample rate ({rates}). {cure}")
        with self._graph.edit(), other._store.lock:
            adopted.take_over(self._graph, other)
            folders = (*self._graph._sample_folders, *other._sample_folders)
            self._graph._sample_folders = tuple(dict.fromkeys(folders))
            for node in tuple(self._store.places):
                self._store.set("places", node, None)
            self._put_places(places)
            self._put_folds(folds)
            self._store.put(*FILE, file)

    def undo(self) -> bool:
        """Undo the last step, made in Python or in a view; False if there is none.

        Raises
        ------
        GraphError
            Inside an edit that is not finished.
        """
        return self._travel("undo", self._past, self._future)

    def redo(self) -> bool:
        """Do the last undone step again; False if there is none.

        Raises
        ------
        GraphError
            As `undo`.
        """
        return self._travel("redo", self._future, self._past)

    # ---- how it works ----

    def _put_places(self, places: Mapping[str, Place]) -> None:
        for name, at in places.items():
            self._store.put("places", self._graph._node(name), at)

    def _put_folds(self, folds: Mapping[str, tuple[str, ...]]) -> None:
        handles = {title: tuple(map(self._graph._node, names)) for title, names in folds.items()}
        self._store.put("attributes", "folds", handles)

    def _travel(self, what: str, source: deque[Difference], target: deque[Difference]) -> bool:
        def record(difference: Difference) -> bool:
            source.pop()
            target.append(difference)
            self._gesture = None
            return True

        with self._store.lock:
            if self._store.depth:
                raise GraphError(f"{what}: an edit is not finished. Leave `with g.edit():` first.")
            if not source:
                return False
            with Edit(self._store, record):
                self._store.revert(source[-1])
            return True

    def _add_step(self, difference: Difference, gesture: str | None = None) -> bool:
        if not difference.changes:
            return False
        if gesture is not None and gesture == self._gesture:
            self._past[-1] = self._past[-1].then(difference)
        else:
            self._past.append(difference)
        self._gesture = gesture
        self._future.clear()
        return True

    def _publish(self) -> None:
        """Record the differences of finished edits and send their patches, in order."""
        self._seen = None
        while self._store.finished:
            difference, record = self._store.finished[0]
            if (record or self._add_step)(difference):
                self.version += 1
                self._unsent.append(states.patch(difference, self._store, self.version))
            self._store.finished = self._store.finished[1:]
        if self._sending:  # a subscriber made this edit: its patch is sent after those before it
            return
        self._sending = True
        try:
            while self._unsent:
                self._send(self._unsent.popleft())
        finally:
            self._unsent.clear()
            self._sending = False

    def _send(self, patch: Patch) -> None:
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(patch)
            except Exception as error:
                what = f"subscriber {subscriber!r} of a graph failed: {error!r}"
                warnings.warn(what, RuntimeWarning, stacklevel=6)


def _no_step(_: Difference) -> bool:
    """Record an edit as a part of the present state: no step of undo, no patch."""
    return False


def _with_file(step: Difference, old: str, new: str) -> Difference:
    """Return a step in which a file is replaced by another."""
    if FILE not in step.changes:
        return step
    before, after = (
        entry and (entry[0], new if entry[1] == old else entry[1]) for entry in step.changes[FILE]
    )
    return Difference({**step.changes, FILE: (before, after)})


def started(graph: EditedGraph) -> Journal | None:
    """Return the journal of a graph; None if it has none yet."""
    return graph._journal if isinstance(graph._journal, Journal) else None


def report(graph: EditedGraph, crash: NativeCrash | None) -> None:
    """Call `Journal.report` if the graph has a journal."""
    journal = started(graph)
    if journal is not None:
        journal.report(crash)


def present(graph: EditedGraph) -> State:
    """Return the present state of a graph, without creating a journal."""
    journal = started(graph)
    return states.look(graph._store) if journal is None else journal.state
