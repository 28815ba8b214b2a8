"""Tables whose keys count up, where finding the next free key takes no longer when there are many."""

from __future__ import annotations

from typing import Any, TypeVar

V = TypeVar("V")
REMEMBERED_FROM = 8
"""Slots of a port from which its next free one is remembered: fewer are counted as quickly."""


class Names(dict[str, V]):
    """Entries by name."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self._next: dict[str, int] = {}  # by stem: below it no number is free

    def free(self, stem: str) -> str:
        """Return ``stem``, ``stem_2``, ...: the first that is no key."""
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


class Slots(dict[tuple[str, str, int], V]):
    """Entries by (node, port or parameter, slot)."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self._next: dict[tuple[str, str], int] = {}  # by port: below it no slot is free

    def free(self, node: str, key: str) -> int:
        """Return the first slot of a port or parameter that is not taken."""
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
