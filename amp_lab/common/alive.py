"""A weak set of objects that runs no Python code when one of them is freed."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Alive(Generic[T]):
    """A weak set of objects, by identity.

    When an object is freed, only C code runs. In `weakref.WeakSet` Python code runs then, in which an
    exception of a signal handler is ignored, so that a Ctrl-C is lost.
    """

    def __init__(self) -> None:
        self._refs: dict[int, weakref.ref[Any]] = {}

    def add(self, one: T) -> None:
        """Add an object; it is removed when it is freed."""
        key = id(one)
        self._refs[key] = weakref.ref(one, partial(self._refs.pop, key))  # called as pop(key, the reference)

    def clear(self) -> None:
        """Remove all objects."""
        self._refs.clear()

    def __iter__(self) -> Iterator[T]:
        """Iterate over the objects that exist at the start of the iteration."""
        return iter([one for ref in tuple(self._refs.values()) if (one := ref()) is not None])
