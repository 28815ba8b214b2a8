"""The state of a graph: tables with transactions, each of which makes a difference."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

from amp_lab.common.alive import Alive
from amp_lab.graph.edits.differences import PROPERTIES, At, Difference, TableName
from amp_lab.graph.edits.events import Event
from amp_lab.graph.records.free_names import Entry, Names, Slots, Table
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord

Listener: TypeAlias = Callable[[Event], object]
Record: TypeAlias = Callable[[Difference], bool]
_STORES: Alive[Store] = Alive()


class Store:
    """The tables of one graph. Every change goes through `set`, `put`, `drop` or `revert` inside an `Edit`.

    Attributes
    ----------
    handles
        Handles of nodes by name; putting a handle sets its name.
    nodes
        Records of nodes by name.
    edges, modulations
        By (dst, port or parameter, slot).
    attributes
        Properties of the whole graph; ``folds`` (handles by title) and ``file`` belong to its journal.
    places
        Places of nodes on the canvas, by handle, so that a rename keeps them.
    version
        Counts the changes of what is rendered.
    finished
        Differences that `publish` has not processed yet, each with the ``record`` of its `Edit`.
    publish
        Function that processes them, called at the end of an edit under the lock; None without a journal.
    """

    def __init__(self) -> None:
        self.handles: Names[Any] = Names()
        self.nodes: Table[str, NodeRecord] = Table()
        self.edges: Slots[Edge] = Slots()
        self.modulations: Slots[Modulation] = Slots()
        self.attributes: Table[str, Any] = Table()
        self.places: Table[Any, tuple[float, float]] = Table()
        self.lock = threading.RLock()
        self.version = 0
        self.finished: tuple[tuple[Difference, Record | None], ...] = ()
        self.publish: Callable[[], object] | None = None
        self._open: list[dict[At, Entry | None]] = []  # per open edit: the entries before it
        self._listeners: list[Listener] = []
        _STORES.add(self)

    @property
    def depth(self) -> int:
        """Number of nested edits that are open."""
        return len(self._open)

    def free_in_fork(self) -> None:
        """In a fork of the process: undo the unfinished edit of another thread, and free its lock."""
        if self.lock.acquire(blocking=False):
            self.lock.release()
            return
        self.lock = threading.RLock()  # the thread that holds the old one does not exist in the fork
        self.roll_back(0)

    # ---- changes ----

    def put(self, table: TableName, key: Any, value: Any) -> None:
        """Set the value of a key; a new key comes last, another keeps its place."""
        self.set(table, key, getattr(self, table).following(key, value))

    def drop(self, table: TableName, key: Any) -> Any:
        """Remove and return a value."""
        value = getattr(self, table)[key]
        self.set(table, key, None)
        return value

    def set(self, table: TableName, key: Any, entry: Entry | None) -> None:
        """Set an entry (number in the order and value); None removes it."""
        self._open[-1].setdefault((table, key), getattr(self, table).entry(key))
        self._place(table, key, entry)

    def revert(self, difference: Difference) -> None:
        """Restore the entries before a difference."""
        for (table, key), (before, _) in difference.changes.items():
            self.set(table, key, before)
        self.sort()

    def _place(self, table: TableName, key: Any, entry: Entry | None) -> None:
        getattr(self, table).place(key, entry)
        if table == "handles" and entry is not None:
            entry[1]._name = key
        if table != "places" and (table != "attributes" or key in PROPERTIES):
            self.version += 1

    def sort(self) -> None:
        """Sort the tables by order of creation, after removed entries were restored."""
        for table in get_args(TableName):
            setattr(self, table, getattr(self, table).in_order())

    # ---- edits ----

    def begin(self) -> None:
        """Open an edit; an interrupt leaves it opened or not opened, never half."""
        self._open = [*self._open, {}]

    def commit(self, depth: int, record: Record | None) -> list[Event]:
        """Close the edits above a depth; publish the outermost one, and return the events for listeners."""
        if depth:
            outer = self._open[depth - 1]
            for level in self._open[depth:]:
                for at, before in level.items():
                    outer.setdefault(at, before)
            del self._open[depth:]
            return []
        changes: dict[At, tuple[Entry | None, Entry | None]] = {}
        for (table, key), before in self._open[0].items():
            after = getattr(self, table).entry(key)
            if _differ(before, after):
                changes[table, key] = before, after
        difference = Difference(changes)
        if self.publish is None:
            self._open = []
        else:
            self._open, self.finished = (
                [],
                (*self.finished, (difference, record)),
            )  # both, or none if interrupted
            self.publish()
        return list(difference.events()) if self._listeners else []

    def roll_back(self, depth: int) -> None:
        """Undo the edits above a depth; an interrupted call can be repeated."""
        for level in reversed(self._open[depth:]):
            for (table, key), before in level.items():
                self._place(table, key, before)
        self.sort()
        del self._open[depth:]

    # ---- listeners ----

    def observe(self, listener: Listener) -> None:
        """Call a listener with every event."""
        with self.lock:
            self._listeners.append(listener)

    def unobserve(self, listener: Listener) -> None:
        """Stop calling a listener; an unknown one is ignored."""
        with self.lock:
            self._listeners = [
                known for known in self._listeners if known is not listener and known != listener
            ]

    def notify(self, events: list[Event]) -> None:
        """Call the listeners; their exceptions become warnings."""
        for event in events:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception as error:
                    warnings.warn(
                        f"graph listener {listener!r} failed on {event!r}: {error!r}",
                        RuntimeWarning,
                        stacklevel=4,
                    )


def _differ(a: Entry | None, b: Entry | None) -> bool:
    return a is not b if a is None or b is None else a[0] != b[0] or a[1] is not b[1]


class Edit:
    """A transaction: its changes are kept together or, after an exception, not at all; nested edits join it.

    Listeners are called at the end of the outermost edit, without the lock. ``record`` processes its
    difference in place of adding a step of undo, and returns whether there is a new version; nested edits
    have no record.
    """

    def __init__(self, store: Store, record: Record | None = None) -> None:
        self._store = store
        self._record = record
        self._depth = 0

    def __enter__(self) -> None:
        self._store.lock.acquire()
        try:
            self._depth = self._store.depth
            self._store.begin()
        except BaseException:
            self._store.lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        events: list[Event] = []
        try:
            if kind is None:
                events = self._store.commit(self._depth, self._record)
            else:
                self._store.roll_back(self._depth)
        except BaseException:  # an interrupt before the end: nothing of the edit is kept
            self._store.roll_back(self._depth)
            raise
        finally:
            self._store.lock.release()
        self._store.notify(events)


def _free_all_in_fork() -> None:
    for store in _STORES:
        store.free_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all_in_fork)
