"""Run a render in this process, in native calls that are short enough to stop between them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from math import prod
from typing import Protocol

import numpy as np
import numpy.typing as npt

from amp_lab import lowlevel
from amp_lab.contracts import Progress
from amp_lab.errors import OutOfMemory, Pending
from amp_lab.execution.call_size import CallSize
from amp_lab.execution.recycled_memory import ProcessMemory
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import Heat, Metrics, RenderParts, Trace
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel import Runtime


class Allocate(Protocol):
    """A function that allocates the array for the audio (name None) or for a tap."""

    def __call__(self, name: str | None, shape: tuple[int, int, int]) -> Samples:
        """Return a float64 array (B, C, N) with contiguous frames."""
        ...


def allocate_here(name: str | None, shape: tuple[int, int, int]) -> Samples:
    """Return an array in memory of this process, preferably that of a freed render.

    Raises
    ------
    OutOfMemory
        If the system does not give that much memory.
    """
    nbytes = 8 * prod(shape)
    try:
        if nbytes <= sys.maxsize:
            return _memory.take(shape)
    except MemoryError:
        pass
    what = "audio" if name is None else f"the tap {name}"
    raise OutOfMemory(
        f"render: no memory for {what} (got {nbytes} bytes for (B, C, N) {shape}). "
        "Render fewer frames or batches."
    )


_memory = ProcessMemory()


def render_in_process(
    request: RenderRequest,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    allocate: Allocate = allocate_here,
    flight: object | None = None,
) -> RenderParts:
    """Render a request in this process.

    Parameters
    ----------
    progress
        Called with frames done and frames in total after every native call.
    should_stop
        Called between native calls; True stops the render.
    allocate
        Allocates the arrays for audio and taps.
    flight
        Writable buffer of `lowlevel.FLIGHT_SIZE` bytes for the flight record.

    Raises
    ------
    Pending
        If ``should_stop`` returned True.
    AmpError
        Errors of the runtime.
    """
    with Runtime(request.descriptor_blob, request.plan_blob) as runtime:
        if flight is not None:
            runtime.set_flight(flight)
        _prepare(runtime, request)
        shape = (request.batches, request.output_channels, request.frames)
        audio = allocate(None, shape)
        ports = {name: _port(name) for name in request.taps}
        taps = {
            name: allocate(name, (request.batches, runtime.port_channels(*port), request.frames))
            for name, port in ports.items()
        }
        _run(
            runtime,
            request,
            audio,
            {ports[name]: array for name, array in taps.items()},
            progress,
            should_stop,
        )
        return RenderParts(
            audio=audio,
            taps=taps,
            metrics=Metrics(request.nodes, runtime.all_metrics(len(request.nodes))),
            heat=_heat(runtime, request) if request.heat else None,
            trace=Trace(*_trace(runtime, request)) if request.trace else None,
            block_frames=runtime.block_frames,
            threads=runtime.threads,
            isa=lowlevel.isa(),
            build=lowlevel.build_info(),
        )


def _port(tap: str) -> tuple[str, str | None]:
    node, _, port = tap.partition(".")
    return node, port or None


def _prepare(runtime: Runtime, request: RenderRequest) -> None:
    if request.schedule_blob is not None:
        runtime.set_schedule(request.schedule_blob)
    runtime.configure(
        batches=request.batches,
        block_frames=request.block_frames,
        flags=request.flags,
        batch_offset=request.batch_offset,
        threads=request.threads,
    )
    for name, samples in request.inputs.items():
        runtime.bind_input(name, samples)
    if request.history_blob is not None:
        runtime.set_history(request.history_blob)


def _run(
    runtime: Runtime,
    request: RenderRequest,
    audio: Samples,
    taps: Mapping[tuple[str, str | None], Samples],
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> None:
    """Render in calls of whole blocks."""
    size, done = CallSize(block_frames=max(runtime.block_frames, 1)), 0
    while done < request.frames:
        if should_stop is not None and should_stop():
            raise Pending(
                f"render: stopped at frame {done} of {request.frames}. Render again for all of it.",
                frame=done,
            )
        with size.up_to(request.frames - done) as frames:
            stop = done + frames
            views = {port: array[:, :, done:stop] for port, array in taps.items()}
            runtime.execute(frames, audio[:, :, done:stop] if audio.shape[1] else None, views)
        done = stop
        if progress is not None:
            progress(done, request.frames)


def _heat(runtime: Runtime, request: RenderRequest) -> Heat:
    own, total, temperature = (
        np.array(rows) for rows in zip(*(runtime.heat(name) for name in request.nodes), strict=True)
    )
    times_s = (np.arange(own.shape[1]) + 1) * lowlevel.HEAT_WINDOW / request.sample_rate
    return Heat(request.nodes, times_s, own, total, temperature, request.heat_budget_w)


def _trace(runtime: Runtime, request: RenderRequest) -> tuple[npt.NDArray[np.void], tuple[str, ...], int]:
    events, dropped = runtime.trace()
    return events, request.nodes, dropped
