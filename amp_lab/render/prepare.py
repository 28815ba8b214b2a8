"""Render a graph: check arguments, make the request, run it, and return the `Render`."""

from __future__ import annotations

import platform
import weakref
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from amp_lab import lowlevel
from amp_lab.common import checks
from amp_lab.common.version import __version__
from amp_lab.contracts import Isolation, Nonfinite, Progress
from amp_lab.errors import GraphError, NativeCrash, ShapeError, plain, quoted
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import RenderParts
from amp_lab.graph.edits.journal import report
from amp_lab.graph.records.curves import ControlHistory, check_history
from amp_lab.graph.records.values import Samples
from amp_lab.plan import schedule as schedules
from amp_lab.render.isolation import isolated, run
from amp_lab.render.progress import Progress as Bar
from amp_lab.render.render import Render

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

NAMED_SIZES = 8
"""Most arrays that an error about batches names; further ones are counted."""


def length(graph: Graph, seconds: float | None, frames: int | None) -> int:
    """Return the frames to render, from exactly one of seconds and frames.

    Raises
    ------
    GraphError
        If none or both are given, or the length is out of range.
    """
    if (seconds is None) == (frames is None):
        got = "none" if seconds is None else "both"
        allowed = "allowed one of seconds= and frames="
        raise GraphError(f"{graph.name}.render: unclear length (got {got}, {allowed}). Give one of them.")
    where = f"{graph.name}.render"
    if seconds is None:
        return checks.whole(f"{where}.frames", frames, high=checks.LONGEST)
    count = checks.real(f"{where}.seconds", seconds, "0 s or more") * graph.sample_rate
    if not 0 <= count < checks.LONGEST:
        longest = checks.LONGEST / graph.sample_rate
        got = f"got {quoted(seconds)} s, allowed 0 to {longest:g} s"
        raise GraphError(f"{where}.seconds: out of range ({got}). Render a shorter piece.")
    return round(count)


def render_graph(
    graph: Graph,
    frames: int,
    *,
    batches: int,
    controls: ControlHistory | None,
    taps: Sequence[str] | Literal["all"],
    block_frames: int | None,
    isolation: Isolation,
    trace: bool,
    nonfinite: Nonfinite,
    out: Samples | None,
    heat: bool,
    progress: Progress | None,
    schedule: schedules.Choice = None,
    threads: int | None = None,
    timeout_s: float | None = None,
) -> Render:
    """Return the render of a graph; arguments are those of `Graph.render`."""
    if threads is not None:
        checks.whole(f"{graph.name}.render.threads", threads, 1, lowlevel.MOST_THREADS)
    _check(graph, batches, block_frames, nonfinite, {"trace": trace, "heat": heat})
    names = _taps(graph, taps)
    _check_heard(graph, names)
    plan = graph.compile()
    history = check_history_for(f"{graph.name}.render", graph, plan.curves, controls)
    request = RenderRequest(
        descriptor_blob=plan.descriptor_blob,
        plan_blob=plan.plan_blob,
        history_blob=None if history is None else history.blob,
        nodes=plan.order,
        output_channels=plan.output_channels,
        sample_rate=graph.sample_rate,
        frames=frames,
        batches=batches,
        inputs=graph.inputs(),
        taps=names,
        block_frames=block_frames or 0,
        stop_nonfinite=nonfinite == "raise",
        heat=heat,
        trace=trace,
        heat_budget_w=graph.heat_budget_w,
        schedule_blob=schedules.choose(f"{graph.name}.render", schedule),
        threads=threads or 0,
    )
    _check_out(graph, request, out)
    with Bar(graph.name) as bar, _reported(graph):
        parts, chosen = isolated(
            isolation, lambda chosen: (run(request, chosen, progress or bar, out, timeout_s), chosen)
        )
    provenance = _provenance(request, parts, plan.digest, history, chosen)
    return Render(
        name=graph.name,
        audio=_locked(parts["audio"]),
        sample_rate=graph.sample_rate,
        taps={name: _locked(signal) for name, signal in parts["taps"].items()},
        metrics=parts["metrics"],
        latency_frames=plan.latency_frames,
        trace=parts["trace"],
        plan=plan,
        provenance=provenance,
        request=request,
        isolation=chosen,
        computed_heat=parts["heat"],
    )


@contextmanager
def _reported(graph: Graph) -> Iterator[None]:
    """Report a crash of the render, or a render that succeeds again, to the views of the graph."""
    try:
        yield
    except NativeCrash as crash:
        report(graph, crash)
        raise
    report(graph, None)


def shown_by(graph: Graph) -> Callable[[NativeCrash], None]:
    """Return a function that reports a crash to the views of a graph; it refers to the graph weakly."""
    known = weakref.ref(graph)

    def show(crash: NativeCrash) -> None:
        if (graph := known()) is not None:
            report(graph, crash)

    return show


def _check(
    graph: Graph, batches: int, block_frames: int | None, nonfinite: str, flags: Mapping[str, bool]
) -> None:
    checks.whole(f"{graph.name}.render.batches", batches, 1)
    check_batches(f"{graph.name}.render.batches", graph, batches)
    if block_frames is not None:
        checks.whole(f"{graph.name}.render.block_frames", block_frames, 1)
    for key, value in flags.items():
        checks.flag(f"{graph.name}.render.{key}", value)
    checks.choice(f"{graph.name}.render.nonfinite", nonfinite, get_args(Nonfinite), "choice")


def check_batches(where: str, graph: Graph, batches: int, live: Container[str] = ()) -> None:
    """Check that every array of a graph has 1 batch or ``batches``.

    Parameters
    ----------
    live
        Inputs whose samples are not played.

    Raises
    ------
    ShapeError
        If arrays have another number; with all of them and, if they agree, the number to pass as ``batches``.
    """
    sizes: dict[str, int] = {}
    with graph._store.lock:
        for record in graph._store.nodes.values():
            if record.samples is not None and record.name not in live:
                sizes[f"{record.name}.samples"] = record.samples.shape[0]
            for key, value in record.values.items():
                if isinstance(value, np.ndarray):
                    sizes[f"{record.name}.{key}"] = value.shape[0]
        for edge in graph._store.edges.values():
            if edge.tokens is not None:
                sizes[f"{edge.id}.tokens"] = edge.tokens.shape[0]
    if all(size in (1, batches) for size in sizes.values()):
        return
    several = {place: size for place, size in sizes.items() if size != 1}
    listed = [f"{plain(place)} has {size}" for place, size in several.items()]
    got = ", ".join(
        listed[:NAMED_SIZES] + [f"{len(listed) - NAMED_SIZES} more"] * (len(listed) > NAMED_SIZES)
    )
    allowed = "1" if batches == 1 else f"1 or {batches}"
    wanted = set(several.values())
    cure = (
        f"Write batches={wanted.pop()}." if len(wanted) == 1 else "Give each of them 1 batch, or one number."
    )
    raise ShapeError(f"{where}: sizes do not fit (got batches={batches}, {got}; allowed {allowed}). {cure}")


def _check_heard(graph: Graph, taps: tuple[str, ...]) -> None:
    if graph.output_node is None and not taps:
        raise GraphError(f"{graph.name}: has no output node. End it with g.output(node), or name taps=[...].")


def _check_out(graph: Graph, request: RenderRequest, out: Samples | None) -> None:
    shape = (request.batches, request.output_channels, request.frames)
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise ShapeError(
            f"{graph.name}.render.out: not an array (got {quoted(out)}, allowed writable float64 {shape}). "
            f"Give np.empty({shape})."
        )
    if out.shape != shape or out.dtype != np.float64 or not out.flags.writeable:
        got = f"{out.dtype} {out.shape}{'' if out.flags.writeable else ' read-only'}"
        raise ShapeError(
            f"{graph.name}.render.out: wrong layout (got {got}, allowed writable float64 {shape}). "
            f"Give np.empty({shape})."
        )


def check_history_for(
    where: str, graph: Graph, curves: tuple[str, ...], controls: ControlHistory | None
) -> ControlHistory | None:
    """Return the control history for the curves of a graph: the one given, or that of the graph.

    Raises
    ------
    GraphError
        If there is none and the graph needs curves.
    """
    history = graph.controls if controls is None else check_history(f"{where}.controls", controls)
    if history is None and curves:
        raise GraphError(
            f"{where}.controls: missing (got None, allowed a ControlHistory with {', '.join(curves)}). "
            "Pass controls=ControlHistory([...]), set g.controls, or on the command line --controls FILE."
        )
    return history


def _taps(graph: Graph, taps: Sequence[str] | Literal["all"]) -> tuple[str, ...]:
    if taps == "all":
        return tuple(node.name for node in graph.nodes if node.contract.outputs)
    names = (taps,) if isinstance(taps, str) else checks.names(f"{graph.name}.render.taps", taps)
    for name in names:
        node, _, port = name.partition(".")
        _ = graph[node].output(port) if port else graph[node]
    return names


def _locked(array: Samples) -> Samples:
    view = array.view()
    view.flags.writeable = False
    return view


def _provenance(
    request: RenderRequest,
    parts: RenderParts,
    plan_digest: str,
    history: ControlHistory | None,
    isolation: str,
) -> dict[str, str]:
    return {
        "amp_lab": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "build": parts["build"],
        "isa": parts["isa"],
        "sources": lowlevel.source_digest(),
        "plan": plan_digest,
        "controls": "" if history is None else history.digest,
        "schedule": schedules.name_of(request.schedule_blob),
        "block_frames": str(parts["block_frames"]),
        "batch_offset": str(request.batch_offset),
        "threads": str(parts["threads"]),
        "isolation": "worker process" if isolation == "process" else "in process",
    }
