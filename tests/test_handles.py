"""Owners of native objects: every kind is called, closed, and used after closing in the same way."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import isolate
from amp_lab._native import lib
from amp_lab.isolate.stream import RemoteStream
from amp_lab.lowlevel import Runtime
from amp_lab.lowlevel.handles import NativeHandle
from amp_lab.lowlevel.meter import Meter
from amp_lab.lowlevel.stream import Stream


def graph() -> amp.Graph:
    """Make a graph with an input."""
    g = amp.Graph(sample_rate=48_000.0)
    g.output(g.gain(g.input(samples=np.zeros(16), name="in"), gain=0.5))
    return g


def runtime() -> Runtime:
    """Make a runtime that is ready to execute."""
    plan = graph().compile()
    made = Runtime(plan.descriptor_blob, plan.plan_blob)
    made.configure()
    return made


def stream() -> Stream:
    """Make a stream in this process."""
    plan = graph().compile()
    return Stream(plan.descriptor_blob, plan.plan_blob)


def remote_stream() -> RemoteStream:
    """Make a stream in a worker."""
    plan = graph().compile()
    return RemoteStream(plan.descriptor_blob, plan.plan_blob, nodes=plan.order, on_crash=lambda crash: None)


def meter() -> Meter:
    """Make a meter."""
    return Meter(1, 1, 16)


Call = Callable[[Any], object]
KINDS: dict[str, tuple[Callable[[], NativeHandle], Call, Call]] = {
    "Runtime": (runtime, lambda h: h.metrics("in"), lambda h: h.metrics("nowhere")),
    "Stream": (stream, lambda h: h.trace(), lambda h: h.end("nowhere")),
    "RemoteStream": (remote_stream, lambda h: h.trace(), lambda h: h.end("nowhere")),
    "Meter": (meter, lambda h: h.levels(), lambda h: h.process(np.zeros((1, 2, 3)))),
}
"""How to make one, a call that works, and one that the library refuses."""
HERE = [name for name in KINDS if name != "RemoteStream"]
"""Objects whose native object is in this process."""

workers_only = pytest.mark.skipif(not isolate.supported(), reason="workers need memfd (Linux)")
kinds = pytest.mark.parametrize(
    "kind", [pytest.param(name, marks=workers_only) if name not in HERE else name for name in KINDS]
)


def test_every_kind_is_tested() -> None:
    """A new owner of a native object appears in this table."""
    found, left = set(), [NativeHandle]
    while left:
        for cls in left.pop().__subclasses__():
            left.append(cls)
            found.add(cls.__name__)
    assert found == set(KINDS)
    destroyers = {name for name in dir(lib) if name.endswith("_destroy")}
    assert destroyers == {"amp_graph_runtime_destroy", "amp_stream_destroy", "amp_meter_destroy"}


@kinds
def test_a_block_closes_it(kind: str) -> None:
    """Also one that raises."""
    make, works, _ = KINDS[kind]
    with pytest.raises(ZeroDivisionError), make() as handle:
        works(handle)
        raise ZeroDivisionError
    with pytest.raises(amp.InvalidArgument, match="is closed"):
        works(handle)


@kinds
def test_closing_again_does_nothing_and_use_afterwards_says_why(kind: str) -> None:
    """One sentence for all, with the public name."""
    make, works, refused = KINDS[kind]
    handle = make()
    handle.close()
    handle.close()
    for call in (works, refused):
        with pytest.raises(amp.InvalidArgument, match=rf"^{handle.SHOWN_AS}: is closed\. Make a new one\.$"):
            call(handle)


@pytest.mark.parametrize("kind", HERE)
def test_an_error_that_is_kept_does_not_keep_the_native_object(kind: str) -> None:
    """Jupyter keeps the last traceback; memory is freed by `close` all the same, without a collection."""
    make, _, refused = KINDS[kind]
    handle = make()
    native = weakref.ref(handle._owned)
    gc.disable()
    try:
        with pytest.raises(amp.AmpError) as kept:
            refused(handle)
        handle.close()
        assert native() is None and kept.value.__traceback__ is not None
        error = weakref.ref(kept.value)
        del kept
        assert error() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", HERE)
def test_it_is_freed_with_its_object(kind: str) -> None:
    """An object that is not closed leaks nothing."""
    handle = KINDS[kind][0]()
    native = weakref.ref(handle._owned)
    del handle
    assert native() is None


@pytest.mark.parametrize("kind", ["Runtime", "Stream"])
def test_samples_are_borrowed_until_it_is_closed(kind: str) -> None:
    """And not longer, though the closed object still exists."""
    handle: Any = KINDS[kind][0]()
    samples = np.zeros((1, 1, 16))
    alive = weakref.ref(samples)
    handle.bind_input("in", samples)
    del samples
    assert alive() is not None
    handle.close()
    assert alive() is None


@pytest.mark.parametrize("kind", HERE)
def test_closing_waits_for_calls_under_way(kind: str) -> None:
    """The native object, and the memory it uses, exist until a call in another thread has returned."""
    handle: Any = KINDS[kind][0]()
    native = weakref.ref(handle._owned)
    handle._borrowed["samples"] = samples = np.zeros(3)
    alive = weakref.ref(samples)
    del samples
    called, go_on, seen = Event(), Event(), []

    def slow(pointer: object, *arguments: object) -> int:
        called.set()
        go_on.wait(10.0)
        seen.append((native() is pointer, alive() is not None))
        return 0

    thread = Thread(target=handle._call, args=(slow,))
    thread.start()
    assert called.wait(10.0)
    handle.close()
    with pytest.raises(amp.InvalidArgument, match="is closed"):
        handle._call(slow)
    go_on.set()
    thread.join(10.0)
    assert seen == [(True, True)] and native() is None and alive() is None


@kinds
def test_one_that_is_never_closed_ends_with_the_interpreter(kind: str) -> None:
    """At interpreter exit, in any order of teardown: no message, no crash."""
    code = f"""
import builtins, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_handles import KINDS
make, works, _ = KINDS[{kind!r}]
builtins.kept = make()
works(builtins.kept)
cycle = [builtins.kept]
cycle.append(cycle)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
