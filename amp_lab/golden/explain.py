"""Explain why a result differs from its reference: a changed graph or a changed engine, and in which node.

The stored graph is rendered again with every node tapped, up to the block in which the result first differs.
If that gives the reference, the cause is the graph in the code. It is rendered again in the same way, and the
samples of both give node, frame and channel, their descriptors the parameters. Otherwise the cause is the
engine, and the digests in `sums.txt` give the node. A render keeps at most `MOST_STREAMS` bytes of streams
and takes at most `replay.limit_s` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from amp_lab.common import regular_files
from amp_lab.errors import AmpError
from amp_lab.execution.request import RenderRequest

from . import replay
from .cases import Blessed
from .comparators import compare
from .divergence import Divergence, Streams, changed_nodes, locate, locate_samples, streams_of
from .graph_changes import changes, sound_of
from .operands import Samples, bits
from .verdict import BLOCK_FRAMES, Comparison, Verdict

MOST_STREAMS = 512 * regular_files.MIB
"""Bytes of node streams of each of the two renders that are compared node by node."""
OTHER_AUDIO = (
    "graph, controls and recordings are the stored ones, which give the reference: these samples were "
    "changed after they were rendered, or another build rendered them"
)


def compared(blessed: Blessed, render: Any) -> Comparison:
    """Hold a render against the reference, by the comparator of the case."""
    rule = blessed.manifest["comparator"]
    return compare(
        render,
        blessed.samples,
        comparator=rule["name"],
        reason=rule["reason"],
        reference_sample_rate=float(blessed.manifest["render"]["sample_rate"]),
        **rule["limits"],
    )


def replayed(blessed: Blessed, **options: Any) -> Any:
    """Render the stored graph, by default as long as the reference."""
    batches, _, frames = blessed.samples.shape
    return replay.render(blessed.stored, **{"frames": frames, "batches": batches} | options)


def explain(blessed: Blessed, verdict: Verdict, render: Any) -> Verdict:
    """Return a failure with its cause, the node it starts in, and the changes of the graph in the code."""
    mismatch = verdict.comparison.mismatch
    if mismatch is None:
        return verdict
    try:
        if mismatch.what not in ("value", "non-finite") or mismatch.frame is None:
            told = _changes(replayed(blessed, frames=0), render)
            return verdict.explained(changes=told, cause="graph" if told else "")
        frames = _frames(blessed, render, mismatch.frame)
        return _with_cause(blessed, verdict, render, frames)
    except (AmpError, MemoryError) as error:
        return verdict.explained(note=f"the stored graph does not render: {error}")


def _frames(blessed: Blessed, render: Any, differing: int) -> int:
    """Return how much is rendered again: nodes that look ahead may part after the output does."""
    total = int(blessed.samples.shape[2])
    if blessed.manifest["comparator"]["name"] != "exact":
        return total
    ahead = int(getattr(getattr(render, "plan", None), "latency_frames", 0))
    return min(total, ((differing + ahead) // BLOCK_FRAMES + 1) * BLOCK_FRAMES)


def _with_cause(blessed: Blessed, verdict: Verdict, render: Any, frames: int) -> Verdict:
    fits = _fits(render, frames)
    stored = replayed(blessed, frames=frames, taps=fits)
    if not _gives_the_reference(blessed, stored, frames):
        found = runtime_fault(blessed, verdict, stored) if fits else verdict
        return found.explained(cause="runtime", changes=_changes(stored, render))
    origin = _in_the_code(blessed, stored, render, frames) if fits else None
    told = _changes(stored, render, "" if origin is None else origin.node)
    notes = [] if origin is None else [str(origin)]
    if not fits:
        notes.append(f"the node is not looked for: its streams take more than {MOST_STREAMS} bytes")
    if not told:
        known = _request(render) is not None
        notes.append(OTHER_AUDIO if known else "the graph of an array is not known")
    node = "" if origin is None else origin.node
    return verdict.explained(cause="graph" if told else "", changes=told, node=node, note="; ".join(notes))


def _gives_the_reference(blessed: Blessed, stored: Any, frames: int) -> bool:
    if blessed.manifest["comparator"]["name"] != "exact":
        return compared(blessed, stored).passed
    got, want = stored.audio[..., :frames], blessed.samples[..., :frames]
    return got.shape == want.shape and bool(np.array_equal(bits(got), bits(want)))


def runtime_fault(blessed: Blessed, verdict: Verdict, stored: Any) -> Verdict:
    """Return a failure of the stored graph with the node it starts in, by the digests of its streams."""
    info = stored.plan.info
    result = streams_of(stored.audio, stored.taps, info)
    note = changed_nodes(result, blessed.streams, info)
    origin = locate(result, blessed.streams, info)
    if origin is None:
        return verdict.explained(note=note or "every node stream agrees")
    return verdict.explained(node=origin.node, note="; ".join(filter(None, (str(origin), note))))


def _in_the_code(blessed: Blessed, stored: Any, render: Any, frames: int) -> Divergence | None:
    """Return where the graph in the code first differs from the stored one, sample by sample."""
    taps = _streams_of_the_code(blessed, render, frames)
    if taps is None:
        return None
    info = render.plan.info
    return locate_samples(taps, _with_output(stored.taps, stored, frames), info)


def _streams_of_the_code(blessed: Blessed, render: Any, frames: int) -> Mapping[str, Samples] | None:
    """Return every node's stream: those of the render if it has them, else it is rendered again."""
    info = getattr(getattr(render, "plan", None), "info", None)
    if info is None:
        return None
    if info["output"] and _tapped(render, info):
        return _with_output({name: x[..., :frames] for name, x in render.taps.items()}, render, frames)
    request = _request(render)
    if request is None:
        return None
    again = replace(request, frames=frames, taps=replay.every_port(info), heat=False, trace=False)
    parts = replay.parts(blessed.case.name, again)
    return dict(parts["taps"])


def _with_output(taps: Mapping[str, Samples], render: Any, frames: int) -> dict[str, Samples]:
    return {str(render.plan.info["output"]): render.audio[..., :frames], **taps}


def _tapped(render: Any, info: Mapping[str, Any]) -> bool:
    names = {str(node["name"]) for node in info["nodes"]} - {info["output"]}
    return all(name in render.taps for name in names)


def _fits(render: Any, frames: int) -> bool:
    """Whether the streams of a render of this length may be kept; those of the stored graph are as many."""
    info = getattr(getattr(render, "plan", None), "info", None)
    if info is None or _request(render) is None:
        return True
    return replay.channels_of(info) * frames * int(render.audio.shape[0]) * 8 <= MOST_STREAMS


def _request(render: Any) -> RenderRequest | None:
    request = getattr(render, "request", None)
    return request if isinstance(request, RenderRequest) else None


def _changes(stored: Any, render: Any, first: str = "") -> tuple[str, ...]:
    """Return how the graph of a render differs from the stored one; nothing if it is not known."""
    before, now = _request(stored), _request(render)
    return () if before is None or now is None else changes(sound_of(before), sound_of(now), first)


def streams_agree(blessed: Blessed, stored: Any) -> tuple[Streams, Streams] | None:
    """Return the streams of a render and the blessed ones if they differ, else None."""
    result, reference = streams_of(stored.audio, stored.taps, stored.plan.info), blessed.streams
    if result.rows == reference.rows and result.columns == reference.columns:
        return None
    return result, reference
