"""The state of a graph: records by key, edited as all or nothing, with events for listeners."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from amp_lab.graph.edits.events import Event
from amp_lab.graph.records.free_names import Slots
from amp_lab.graph.records.model import Edge, Modulation, NodeRecord

Listener: TypeAlias = Callable[[Event], object]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_ABSENT: Any = object()


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()


class Store:
    """Nodes by name, edges and modulations by (dst, port or parameter, slot).

    Every change goes through `put`, `drop` or `assign` inside ``with store:``, which undoes them all if an
    exception passes, and calls the listeners at the end of the outermost one, outside the lock.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, NodeRecord] = {}
        self.edges: Slots[Edge] = Slots()
        self.modulations: Slots[Modulation] = Slots()
        self.lock = threading.RLock()
        self.version = 0
        self._marks: list[tuple[int, int]] = []
        self._undo: list[Callable[[], object]] = []
        self._events: list[Event] = []
        self._listeners: list[Listener] = []
        _STORES.add(self)

    def free_in_fork(self) -> None:
        """In a fork of the process: take back the edit that another thread was making, and its lock."""
        if self.lock.acquire(blocking=False):
            self.lock.release()
            return
        self.lock = threading.RLock()  # that thread does not exist here and will never release it
        self._roll_back(0, 0)
        self._marks.clear()

    def __enter__(self) -> None:
        self.lock.acquire()
        self._marks.append((len(self._undo), len(self._events)))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        events: list[Event] = []
        try:
            undo_mark, event_mark = self._marks.pop()
            if kind is not None:
                self._roll_back(undo_mark, event_mark)
            if not self._marks:
                events, self._events, self._undo = self._events, [], []
                self.version += bool(events)
        finally:
            self.lock.release()
        self._notify(events)

    def _roll_back(self, undo_mark: int, event_mark: int) -> None:
        for step in reversed(self._undo[undo_mark:]):
            step()
        del self._undo[undo_mark:], self._events[event_mark:]

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        """Set an entry of `nodes`, `edges` or `modulations`."""
        before = table.get(key, _ABSENT)
        table[key] = value
        self._undo.append(
            partial(table.__delitem__, key) if before is _ABSENT else partial(table.__setitem__, key, before)
        )

    def drop(self, table: dict[K, V], key: K) -> V:
        """Remove and return an entry."""
        before = table[key]
        del table[key]
        self._undo.append(partial(table.__setitem__, key, before))
        return before

    def assign(self, target: object, attribute: str, value: object) -> None:
        """Set an attribute of the graph or of a handle."""
        before = getattr(target, attribute)
        setattr(target, attribute, value)
        self._undo.append(lambda: setattr(target, attribute, before))

    def emit(self, event: Event) -> None:
        """Queue an event for the end of the edit."""
        self._events.append(event)

    def observe(self, listener: Listener) -> None:
        """Call a listener with every event."""
        with self.lock:
            self._listeners.append(listener)

    def unobserve(self, listener: Listener) -> None:
        """Stop calling a listener; one that is not there is ignored."""
        with self.lock:
            self._listeners = [
                known for known in self._listeners if known is not listener and known != listener
            ]

    def _notify(self, events: list[Event]) -> None:
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


def _free_all_in_fork() -> None:
    for store in tuple(_STORES):
        store.free_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all_in_fork)
