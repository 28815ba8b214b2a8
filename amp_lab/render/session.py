"""Sessions: a running graph that is pushed to and pulled from; its bits are those of one render."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy.typing as npt

from amp_lab import lowlevel
from amp_lab.catalog.builder import takes_samples
from amp_lab.common import arrays, checks
from amp_lab.common.arrays import Scale
from amp_lab.common.closing import Closing
from amp_lab.contracts import Isolation, Nonfinite
from amp_lab.errors import (
    GraphError,
    InvalidArgument,
    NativeCrash,
    ShapeError,
    quoted,
)
from amp_lab.execution.results import Trace
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records import samples as sample_arrays
from amp_lab.graph.records.curves import ControlHistory, pairs
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel.stream import RingCounters, Stream, TapCounters
from amp_lab.plan.plan import Plan
from amp_lab.render.isolation import isolated
from amp_lab.render.prepare import check_batches, check_history_for, shown_by
from amp_lab.render.running import Running
from amp_lab.render.tap import Tap

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

Policy: TypeAlias = Literal["lossless", "latest"]


@dataclass(frozen=True)
class Counters:
    """Counters of a session: ``rings`` in firing order, ``taps`` (output first), ``frames`` fired by node.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.sine()))
    >>> with g.session() as s:
    ...     sound, counters = s.pull(100), s.counters
    ...
    >>> counters.frames, counters.ring("sine").most, counters.taps[0].position
    ({'sine': 100, 'gain': 100, 'output': 100}, 100, 100)
    """

    rings: tuple[RingCounters, ...]
    taps: tuple[TapCounters, ...]
    frames: dict[str, int]

    def ring(self, node: str) -> RingCounters:
        """Return the counters of the ring at a node's first output.

        Raises
        ------
        GraphError
            If there is no such ring.
        """
        found = {ring.node: ring for ring in reversed(self.rings)}
        return found[checks.choice("counters.ring", node, found, "node")]


class Session(Closing):
    """A running graph, made by `Graph.session`; a context manager. All methods may be called from any thread.

    Attributes
    ----------
    output
        The tap that `pull` reads; None if the session was made with ``output=False``.
    live
        Names of the inputs that expect samples by `push`.
    latency_frames
        Latency of the graph: the frames by which inputs and sources are ahead of the output.
    isolation
        ``"process"`` (in its own worker) or ``"none"``.

    Examples
    --------
    >>> g = amp.Graph(name="echo")
    >>> mic = g.input(name="mic")
    >>> out = g.output(g.gain(mic, gain=0.5, name="half"))
    >>> s = g.session(trace=True)
    >>> s.live, s.latency_frames, s.isolation
    (('mic',), 0, 'none')
    >>> s.push("mic", [1.0, 2.0])
    >>> s.pull(2)
    array([[[0.5, 1. ]]])
    >>> s
    Session echo: stopped, output at frame 2
    >>> s.end("mic")
    >>> s.start(ahead_frames=4800)
    >>> s.running
    True
    >>> s.stop()
    >>> s.running, s.trace.nodes
    (False, ('mic', 'half', 'output'))
    >>> s.close()
    >>> s.pull(1)
    Traceback (most recent call last):
        ...
    amp_lab.errors.InvalidArgument: Session: is closed. Make a new one.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        batches: int,
        controls: ControlHistory | None,
        live: Sequence[str] | None,
        output: bool,
        block_frames: int | None,
        ring_frames: int | None,
        limit_frames: int | None,
        trace: bool,
        nonfinite: Nonfinite,
        isolation: Isolation,
    ) -> None:
        where = f"{graph.name}.session"
        checks.whole(f"{where}.batches", batches, 1)
        sizes = {"block_frames": block_frames, "ring_frames": ring_frames, "limit_frames": limit_frames}
        for key, value in sizes.items():
            if value is not None:
                checks.whole(f"{where}.{key}", value, 1, 1 << 30)
        checks.choice(f"{where}.nonfinite", nonfinite, get_args(Nonfinite), "choice")
        plan = graph.compile()
        inputs = {node.name: node.record for node in graph.nodes if takes_samples(node.contract)}
        silent = [name for name, r in inputs.items() if r.samples is None and not r.values.get("source")]
        self.live = tuple(sorted(silent if live is None else checks.names(f"{where}.live", live)))
        if unknown := sorted(set(self.live) - set(inputs)):
            raise GraphError(checks.unknown(f"{where}.live", unknown[0], sorted(inputs), "input node"))
        check_batches(f"{where}.batches", graph, batches, self.live)
        history = check_history_for(where, graph, plan.curves, controls)
        flags = (nonfinite == "raise") * lowlevel.STOP_NONFINITE | trace * lowlevel.TRACE
        config = {key: value or 0 for key, value in sizes.items()} | {"batches": batches, "flags": flags}
        stream, self.isolation = isolated(
            isolation, lambda chosen: (_stream(plan, config, chosen, shown_by(graph)), chosen)
        )
        self._running = Running(graph.name, stream)
        self._nodes, self._batches = plan.order, batches
        self.latency_frames = plan.latency_frames
        self.sample_rate: float = graph.sample_rate
        self._name = graph.name
        if history is not None and plan.curves:
            self._stream.set_history(history.select(plan.curves).blob)
        for name, samples in graph.inputs(sorted(set(inputs) - set(self.live))).items():
            self._stream.bind_input(name, samples)
        self._taps: list[Tap] = []
        self.output = self._open(None, "lossless", 0) if output and graph.output_node is not None else None

    def close(self) -> None:
        """Stop the session and free its memory; a second call does nothing."""
        self._running.close()

    @property
    def _stream(self) -> Stream:
        return self._running.stream

    # ---- sound ----

    def push(self, node: str | Node, samples: npt.ArrayLike, *, scale: Scale = None) -> None:
        """Append samples (N,), (C, N) or (B|1, C, N) to an input: all of them or, after an error, none.

        Parameters
        ----------
        scale
            Factor on the samples; required for integers: ``"full"`` for PCM (int16: 1/32768), 1 for the
            values as they are.

        Raises
        ------
        GraphError
            If they are not real numbers, or integers without ``scale``.
        RingFull
            If more than ``limit_frames`` frames would wait; pull first.
        NonFiniteError
            If a sample is NaN or infinite and the session has ``nonfinite="raise"``.
        ShapeError, InvalidArgument
            If batches or channels do not fit, or the node is not one of ``live``.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.input(name="mic"))
        >>> with g.session() as s:
        ...     s.push("mic", [0.1, 0.2])
        ...     s.push("mic", np.array([16384], np.int16), scale="full")
        ...     print(s.pull(3))
        ...
        [[[0.1 0.2 0.5]]]
        """
        name = _name(node)
        array = sample_arrays.from_array(name, samples, scale)
        if not array.size:
            return
        try:
            self._stream.push(name, array)
        except ShapeError as error:
            raise self._misfit(name, array.shape) or error from None
        self._running.wake()

    def _misfit(self, name: str, shape: tuple[int, ...]) -> ShapeError | None:
        """Return the error for pushed samples whose batches or channels do not fit; None if they fit."""
        batches, channels, frames = shape
        wanted = self._stream.port_channels(name)
        if batches in (1, self._batches) and channels == wanted:
            return None
        allowed = f"({' | '.join(dict.fromkeys(('1', str(self._batches))))}, {wanted}, frames)"
        cure = (
            arrays.TRANSPOSED
            if channels != wanted == frames
            else (
                f"The input has {wanted} channels."
                if channels != wanted
                else f"The session runs batches={self._batches}; push one batch for all, or as many."
            )
        )
        return ShapeError(
            f"{name}.samples: does not fit the session (got shape {shape}, allowed {allowed}). {cure}",
            node=name,
        )

    def end(self, node: str | Node | None = None) -> None:
        """End an input (None: all of ``live``): after the pushed samples it plays zeros."""
        names = self.live if node is None else (_name(node),)
        for name in names:
            self._stream.end(name)
            self.live = tuple(other for other in self.live if other != name)
        self._running.wake()

    def pull(self, frames: int) -> Samples:
        """Return the next frames of the output, (B, C, frames); see `Tap.pull`."""
        if self.output is None:
            raise GraphError(
                f"{self._name}.session: has no output to pull. End it with g.output(node), or tap nodes."
            )
        return self.output.pull(frames)

    def tap(self, node: str | Node, *, policy: Policy = "lossless", keep_frames: int = 4096) -> Tap:
        """Return a reader of an output, ``"node"`` or ``"node.port"``, from the node's next frame on.

        Parameters
        ----------
        policy
            ``lossless``: frames wait until they are pulled; after ``limit_frames`` unread frames the node
            stops, and so do the nodes before it. ``latest``: the newest ``keep_frames`` frames wait, older
            ones are skipped and counted; it never blocks the graph. For meters and plots.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.sine(), gain=0.5))
        >>> with g.session() as s:
        ...     meter = s.tap("sine", policy="latest", keep_frames=256)
        ...     sound = s.pull(1000)
        ...     print(meter, s.counters.taps[1].skipped)
        ...
        Tap sine.out: latest, at frame 744, 256 ready 744
        """
        checks.choice("tap.policy", policy, get_args(Policy), "policy")
        return self._open(_name(node), policy, checks.whole("tap.keep_frames", keep_frames, 1))

    def _open(self, place: str | None, policy: str, keep_frames: int) -> Tap:
        node, _, port = (place or "").partition(".")
        number = self._stream.open_tap(node or None, port or None, policy, keep_frames)
        found = self._stream.tap_info(number)
        shape = (self._batches, self._stream.port_channels(found.node, found.port))
        tap = Tap(self._running, number, shape, policy, self._forget)
        self._taps.append(tap)
        return tap

    def _forget(self, tap: Tap) -> None:
        if tap not in self._taps:
            raise InvalidArgument("tap: is closed. Open another one.")
        self._taps.remove(tap)
        self._running.wake()

    # ---- control ----

    def set(self, node: str | Node, *, at_frame: int | None = None, **values: npt.ArrayLike) -> int:
        """Set parameters of a node at one frame, all or none, and return the frame.

        Parameters
        ----------
        at_frame
            Frame of the node; by default the next one that it makes. A node is ahead of the pulled frames by
            up to ``latency_frames``, and by the frames that `start` renders ahead.

        Raises
        ------
        InvalidArgument
            If the frame has been made already (with the earliest possible one), or a value is out of range.
        ShapeError
            If the shape of a value fits neither batches nor channels.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.constant(value=1.0, name="level"))
        >>> with g.session() as s:
        ...     print(s.set("level", value=2.0, at_frame=2))
        ...     print(s.pull(4))
        ...
        2
        [[[1. 1. 2. 2.]]]
        """
        name = _name(node)
        if not values:
            raise GraphError(f"{name}.set: no values. Write s.set({name!r}, gain=0.5).", node=name)
        frame = -1 if at_frame is None else checks.whole(f"{name}.at_frame", at_frame)
        tensors = {key: arrays.numbers(f"{name}.{key}", value) for key, value in values.items()}
        with self._running.turn:
            return self._stream.set_params(name, tensors, frame)

    def control(self, curve: str, points: Iterable[tuple[float, float]]) -> None:
        """Append points (time_s, value) to a control curve.

        The values of frames that have been made must not change. If the session is past the curve's last
        point, the first new point must therefore repeat its value, unless the interpolation is ``hold``.

        Raises
        ------
        InvalidArgument
            If a point would change a frame that has been made; with the point.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.controller(curve="level"))
        >>> with g.session(controls=amp.ControlHistory([amp.Curve("level", [0.0], [1.0])])) as s:
        ...     s.control("level", [(0.0, 1.0), (4 / 48000, 3.0)])
        ...     print(s.pull(5))
        ...
        [[[1.  1.5 2.  2.5 3. ]]]
        """
        array = pairs(f"curve {quoted(curve)}.points", points)
        with self._running.turn:
            self._stream.extend(curve, array[:, 0].copy(), array[:, 1].copy())

    # ---- rendering ahead ----

    @property
    def running(self) -> bool:
        """Whether a thread renders the output ahead (`start`)."""
        return self._running.by_itself

    def start(self, ahead_frames: int = 4800) -> None:
        """Render the output ahead in a thread, so that ``ahead_frames`` frames are ready to be pulled."""
        checks.whole("start.ahead_frames", ahead_frames, 1)
        if self.output is None:
            raise GraphError(f"{self._name}.session: has no output to keep ahead. Make it with output=True.")
        self._running.start(self.output._number, ahead_frames)

    def stop(self) -> None:
        """Stop rendering ahead, within 0.1 s; without `start` the call does nothing."""
        self._running.stop()

    # ---- what is known ----

    @property
    def counters(self) -> Counters:
        """Present counters of rings, taps and nodes."""
        stream = self._stream
        taps = tuple(tap.counters for tap in self._taps)
        return Counters(tuple(stream.rings()), taps, {name: stream.clock(name) for name in self._nodes})

    @property
    def trace(self) -> Trace:
        """Firings so far, oldest first; empty unless the session was made with ``trace=True``."""
        events, dropped = self._stream.trace()
        return Trace(events, self._nodes, dropped)

    def __repr__(self) -> str:
        at = "" if self.output is None else f", output at frame {self.output.counters.position}"
        return f"Session {self._name}: {'running' if self.running else 'stopped'}{at}"


def _stream(
    plan: Plan, config: dict[str, int], isolation: str, on_crash: Callable[[NativeCrash], None]
) -> Stream:
    if isolation == "none":
        return Stream(plan.descriptor_blob, plan.plan_blob, **config)
    from amp_lab.isolate.stream import RemoteStream  # noqa: PLC0415 - only for workers

    return RemoteStream(plan.descriptor_blob, plan.plan_blob, nodes=plan.order, on_crash=on_crash, **config)


def _name(node: str | Node) -> str:
    return node.name if isinstance(node, Node) else node
