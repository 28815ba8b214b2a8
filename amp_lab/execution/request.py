"""One render as data, and the loop that runs it in this process."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Protocol, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from amp_lab import lowlevel
from amp_lab.errors import OutOfMemory, Pending
from amp_lab.execution.recycled_memory import Recycler
from amp_lab.graph.records.values import ReadOnlyArrays, Samples
from amp_lab.lowlevel import NodeMetrics, Runtime

Progress: TypeAlias = Callable[[int, int], object]
CALL_SECONDS = 0.025
"""Time one native call should take: short against the 0.1 s in which Ctrl-C must act."""
GROWTH = 8


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """Everything a render depends on; picklable.

    ``nodes`` are the plan's nodes in execution order, ``output_channels`` those of its output (0: none).
    ``block_frames`` 0 lets the runtime choose, ``threads`` 0 takes all the process may use. ``taps`` are
    ``"node"`` or ``"node.port"``. ``schedule_blob`` None follows the derived schedule, empty the plan's own
    order.
    """

    descriptor_blob: bytes
    plan_blob: bytes
    history_blob: bytes | None
    nodes: tuple[str, ...]
    output_channels: int
    sample_rate: float
    frames: int
    batches: int = 1
    batch_offset: int = 0
    inputs: Mapping[str, Samples] = field(default_factory=dict)
    taps: tuple[str, ...] = ()
    block_frames: int = 0
    stop_nonfinite: bool = True
    heat: bool = False
    trace: bool = False
    heat_budget_w: float | None = None
    schedule_blob: bytes | None = None
    threads: int = 0

    @property
    def flags(self) -> int:
        """The or of ``AMP_RUN_*``."""
        chosen = (
            (self.stop_nonfinite, lowlevel.STOP_NONFINITE),
            (self.heat, lowlevel.HEAT),
            (self.trace, lowlevel.TRACE),
        )
        return sum(flag for wanted, flag in chosen if wanted)


@dataclass(frozen=True)
class Excess:
    """A window in which a graph gave off more than its budget.

    ``node`` gave most of it, ``frame`` is the last of the window, ``power_w`` the graph's mean over it.
    """

    node: str
    frame: int
    power_w: float


@dataclass(frozen=True, eq=False, repr=False)
class Heat(ReadOnlyArrays):
    """Heat per node at the end of each window of 64 frames, summed over batches.

    ``times_s`` (W,); ``own_j`` energy the node itself gives off in the window, ``total_j`` accumulated heat
    and ``temperature_k`` above ambient (NaN without constants; the hottest batch), each (nodes, W).
    ``budget_w`` is the graph's heat budget, None without one.
    """

    nodes: tuple[str, ...]
    times_s: Samples
    own_j: Samples
    total_j: Samples
    temperature_k: Samples
    budget_w: float | None = None

    @property
    def graph_power_w(self) -> Samples:
        """Own heat of all nodes in watts, mean of each window, (W,)."""
        power: Samples = self.own_j.sum(axis=0) / (self.times_s[0] if self.times_s.size else 1.0)
        return power

    @property
    def over_budget(self) -> npt.NDArray[np.bool_]:
        """Windows in which the graph was over its heat budget, (W,); all False without a budget."""
        power = self.graph_power_w
        if self.budget_w is None:
            return np.zeros(power.shape, np.bool_)
        over: npt.NDArray[np.bool_] = ~(power <= self.budget_w)  # NaN is over every budget
        return over

    @property
    def excesses(self) -> tuple[Excess, ...]:
        """Where the graph was over its budget; policy ``halt`` stops at the first."""
        at = np.flatnonzero(self.over_budget)
        hottest = self.own_j.argmax(axis=0) if at.size else at
        return tuple(
            Excess(
                self.nodes[hottest[w]], int(w + 1) * lowlevel.HEAT_WINDOW - 1, float(self.graph_power_w[w])
            )
            for w in at
        )

    def __repr__(self) -> str:
        total = float(self.own_j.sum())
        over = self.excesses
        text = f"Heat: {len(self.nodes)} nodes, {self.times_s.size} windows, {total:.3g} J given off"
        if not over:
            return text
        first = over[0]
        where = f"first at frame {first.frame} ({first.node} gives most)"
        return f"{text}, over its budget in {len(over)} of them, {where}"

    @property
    def graph_total_j(self) -> Samples:
        """Accumulated own heat of all nodes, (W,)."""
        total: Samples = self.own_j.sum(axis=0).cumsum()
        return total


@dataclass(frozen=True, eq=False, repr=False)
class Trace(ReadOnlyArrays):
    """Firings, oldest first.

    ``events`` has the fields node (index into ``nodes``), frames, first_frame, visible_from, start_s and
    stop_s; ``dropped`` counts those the ring lost.
    """

    events: npt.NDArray[np.void]
    nodes: tuple[str, ...]
    dropped: int

    def __repr__(self) -> str:
        return f"Trace: {self.events.size} firings of {len(self.nodes)} nodes, {self.dropped} dropped"


class Metrics(Mapping[str, NodeMetrics]):
    """Metrics by node name, in execution order.

    Parameters
    ----------
    nodes
        The plan's nodes.
    table
        Their records, an array of `lowlevel.METRICS_DTYPE`.
    """

    def __init__(self, nodes: tuple[str, ...], table: npt.NDArray[np.void]) -> None:
        self._places = {name: i for i, name in enumerate(nodes)}
        self._table = table

    def __getitem__(self, node: str) -> NodeMetrics:
        _, _, *figures = self._table.item(self._places[node])
        return NodeMetrics(*figures)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Metrics: {len(self)} nodes, {float(self._table['seconds'].sum()):.3g} s in kernels"


class RenderParts(TypedDict):
    """What a render gives: audio (B, C, N), taps by name, metrics by node, heat and trace if asked."""

    audio: Samples
    taps: dict[str, Samples]
    metrics: Metrics
    heat: Heat | None
    trace: Trace | None
    block_frames: int
    threads: int
    isa: str
    build: str


class Allocate(Protocol):
    """Gives the array for the audio (name None) or a tap."""

    def __call__(self, name: str | None, shape: tuple[int, int, int]) -> Samples:
        """Return an array float64 (B, C, N) with contiguous frames."""
        ...


def allocate_here(name: str | None, shape: tuple[int, int, int]) -> Samples:
    """Memory of this process, that of dead renders first.

    Raises
    ------
    OutOfMemory
        If the system does not give that much.
    """
    nbytes = 8 * prod(shape)
    try:
        if nbytes <= sys.maxsize:
            return _recycler.take(shape)
    except MemoryError:
        pass
    except OSError as error:
        if error.errno != errno.ENOMEM:  # of a signal handler: a time-out, say
            raise
    what = "audio" if name is None else f"the tap {name}"
    raise OutOfMemory(
        f"render: no memory for {what} (got {nbytes} bytes for (B, C, N) {shape}). "
        "Render fewer frames or batches."
    )


_recycler = Recycler()


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
        Called with frames done and frames in all after every native call.
    should_stop
        Asked between native calls, about every 25 ms.
    allocate
        Gives the arrays for audio and taps.
    flight
        Writable buffer of `lowlevel.FLIGHT_SIZE` bytes for the flight record.

    Raises
    ------
    Pending
        If ``should_stop`` said so.
    AmpError
        What the runtime reports.
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
    """Render in calls of whole blocks that each take about `CALL_SECONDS`."""
    block = max(runtime.block_frames, 1)
    done, chunk = 0, block
    while done < request.frames:
        if should_stop is not None and should_stop():
            raise Pending(
                f"render: stopped at frame {done} of {request.frames}. Render again for all of it.",
                frame=done,
            )
        stop = min(done + chunk, request.frames)
        start = time.perf_counter()
        views = {port: array[:, :, done:stop] for port, array in taps.items()}
        runtime.execute(stop - done, audio[:, :, done:stop] if audio.shape[1] else None, views)
        fit = (stop - done) * CALL_SECONDS / max(time.perf_counter() - start, 1e-9)
        chunk = max(1, int(min(fit, chunk * GROWTH) / block)) * block
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
