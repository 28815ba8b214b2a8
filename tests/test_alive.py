"""Weak references to objects: they keep nothing alive, and no Python code runs when an object is freed."""

from __future__ import annotations

import gc
import sys
from types import FrameType
from typing import Any

from amp_lab.common.alive import Alive


class Thing:
    """An object that can be freed."""


def test_it_has_what_lives() -> None:
    """In order of addition, once each, without freed objects."""
    alive: Alive[Thing] = Alive()
    one, other = Thing(), Thing()
    for thing in (one, other, one):
        alive.add(thing)
    assert [*alive] == [one, other]
    del thing, one
    gc.collect()
    assert [*alive] == [other]
    alive.clear()
    assert not [*alive]


def test_no_python_code_runs_when_an_object_is_freed() -> None:
    """So no signal handler can raise in it; `weakref.WeakSet` calls a function of its own there."""
    alive: Alive[Thing] = Alive()
    things = [Thing()]
    alive.add(things[0])
    called: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        things.clear()
    finally:
        sys.setprofile(None)
    assert called == []
    assert not [*alive]
