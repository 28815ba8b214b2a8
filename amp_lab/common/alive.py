"""Objects that are followed while they live, without keeping them and without Python code when one dies."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Alive(Generic[T]):
    """Objects that are still alive, by identity.

    What runs when one dies is C code alone: an exception of a signal handler that came there would be
    ignored, as it is in `weakref.WeakSet`, and Ctrl-C be lost.
    """

    def __init__(self) -> None:
        self._refs: dict[int, weakref.ref[Any]] = {}

    def add(self, one: T) -> None:
        """Remember an object until it dies."""
        key = id(one)
        self._refs[key] = weakref.ref(one, partial(self._refs.pop, key))  # called as pop(key, the reference)

    def clear(self) -> None:
        """Forget them all."""
        self._refs.clear()

    def __iter__(self) -> Iterator[T]:
        """Iterate over those that were alive when it began."""
        return iter([one for ref in tuple(self._refs.values()) if (one := ref()) is not None])
