"""Tables of a graph: entries in order of creation, and the next free name or slot in constant time."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Self, TypeAlias, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Entry: TypeAlias = tuple[int, Any]
"""Number of an entry in the order of creation, and its value."""
REMEMBERED_FROM = 8
"""Number of slots of a port from which its next free one is stored; fewer are searched as quickly."""


class Table(dict[K, V]):
    """Entries in order of creation, each with its number in that order."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self._numbers: dict[K, int] = {key: number for number, key in enumerate(self)}
        self._new = len(self)
        self._is_sorted = True

    def entry(self, key: K) -> Entry | None:
        """Return the entry of a key, None if there is none."""
        return (self._numbers[key], self[key]) if key in self else None

    def following(self, key: K, value: V) -> Entry:
        """Return the entry of a new value for a key: in the place of the present one, else the last place."""
        return (self._numbers[key] if key in self else self._new), value

    def place(self, key: K, entry: Entry | None) -> None:
        """Set an entry, or remove it (None); an entry restored out of order is last until `in_order`."""
        if entry is None:
            if key in self:
                del self[key]
            self._numbers.pop(key, None)
            return
        number, value = entry
        if key in self:
            self._is_sorted &= number == self._numbers[key]
        else:
            self._is_sorted &= not self or number > self._numbers[next(reversed(self))]
        self._new = max(self._new, number + 1)
        self._numbers[key] = number
        self[key] = value

    def in_order(self) -> Self:
        """Return the table with its entries in order of creation; itself if they are already."""
        if self._is_sorted:
            return self
        keys = sorted(self, key=self._numbers.__getitem__)
        new = type(self)()
        new.update(zip(keys, map(self.__getitem__, keys), strict=True))
        new._numbers, new._new = self._numbers, self._new
        return new


class Names(Table[str, V]):
    """Entries by name."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self._next: dict[str, int] = {}  # by stem: the lowest number that may be free

    def free(self, stem: str) -> str:
        """Return the first of ``stem``, ``stem_2``, ``stem_3``, ... that is not a key."""
        count = self._next.get(stem, 1)
        while (name := stem if count == 1 else f"{stem}_{count}") in self:
            count += 1
        self._next[stem] = count
        return name

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        stem, _, count = name.rpartition("_")
        if name in self._next:
            self._next[name] = 1
        if stem in self._next and count.isdecimal():
            self._next[stem] = min(self._next[stem], int(count))


class Slots(Table[tuple[str, str, int], V]):
    """Entries by (node, port or parameter, slot)."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self._next: dict[tuple[str, str], int] = {}  # by port: the lowest slot that may be free

    def free(self, node: str, key: str) -> int:
        """Return the first free slot of a port or parameter."""
        slot = self._next.get((node, key), 0)
        while (node, key, slot) in self:
            slot += 1
        if slot >= REMEMBERED_FROM:
            self._next[node, key] = slot
        return slot

    def __delitem__(self, place: tuple[str, str, int]) -> None:
        super().__delitem__(place)
        port, slot = place[:2], place[2]
        if port in self._next:
            self._next[port] = min(self._next[port], slot)
