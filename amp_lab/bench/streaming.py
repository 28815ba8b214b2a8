"""Speed of a session against a render, in interleaved rounds: ``python -P -m amp_lab.bench.streaming``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from amp_lab import lowlevel, presets
from amp_lab.graph.records.curves import performance
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel.stream import Stream

CHUNK, CALLS, ROUNDS = 4800, 100, 9


def _speed(call: Callable[[Samples], object], out: Samples, rate: float) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call(out)
    return CALLS * CHUNK / (time.perf_counter() - start) / rate


def compare() -> tuple[float, float]:
    """Median speeds of `Runtime.execute` and `Stream.pull` on three_osc, as multiples of real time."""
    graph = presets.three_osc()
    plan = graph.compile()
    history = performance().select(plan.curves).blob
    runtime = lowlevel.Runtime(plan.descriptor_blob, plan.plan_blob)
    runtime.configure(flags=lowlevel.STOP_NONFINITE)
    runtime.set_history(history)
    stream = Stream(plan.descriptor_blob, plan.plan_blob, flags=lowlevel.STOP_NONFINITE)
    stream.set_history(history)
    tap = stream.open_tap(None, None)
    out = np.zeros((1, plan.output_channels, CHUNK))
    ways: tuple[Callable[[Samples], object], ...] = (
        lambda buffer: runtime.execute(CHUNK, buffer),
        lambda buffer: stream.pull(tap, buffer),
    )
    rounds = [[_speed(way, out, graph.sample_rate) for way in ways] for _ in range(ROUNDS)]
    offline, streamed = (statistics.median(column) for column in zip(*rounds, strict=True))
    return offline, streamed


if __name__ == "__main__":
    offline, streamed = compare()
    ratio = f"ratio {streamed / offline:.2f}"
    print(f"three_osc: render {offline:.0f} x real time, session {streamed:.0f} x, {ratio}")
