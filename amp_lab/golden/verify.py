"""Holding renders against their goldens, and stored cases against the engine at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from amp_lab import checks
from amp_lab.errors import AmpError, quoted

from . import folders, replay, usage
from .cases import Blessed, Case, list_cases
from .comparators import compare
from .divergence import Streams, changed_nodes, locate, order_of, owner, streams_of
from .verdict import Comparison, GoldenError, GoldenMismatch, Mismatch, Verdict

Matrix = Literal["quick", "full"]


def _unanswered(name: str, what: str, expected: str, actual: str, note: str) -> Verdict:
    """Return the failure of a case that could not be compared at all."""
    mismatch = Mismatch(what, expected, actual, "nothing was compared", "none", note=note)
    return Verdict(name, Comparison("exact", 0, 0, 0, mismatch))


def _missing(case: Case) -> Verdict | None:
    """Return a failure if the case has no complete reference."""
    if case.folder.is_dir():
        absent = case.missing_files()
        note = "Restore the files, or bless the case again with golden.store."
        return _unanswered(case.name, "missing", ", ".join(absent), "no such file", note) if absent else None
    near = checks.hint(case.name, [c.name for c in list_cases(case.folder.parent)])
    note = near.strip() or "Bless it with golden.store."
    return _unanswered(case.name, "missing", f"a case {quoted(case.name)}", "no such folder", note)


def _compare(blessed: Blessed, render: Any) -> Comparison:
    rule = blessed.manifest["comparator"]
    return compare(
        render,
        blessed.samples,
        comparator=rule["name"],
        reason=rule["reason"],
        reference_sample_rate=float(blessed.manifest["render"]["sample_rate"]),
        **rule["limits"],
    )


def _replay(blessed: Blessed, **options: Any) -> Any:
    batches, _, frames = blessed.samples.shape
    return replay.render(blessed.stored, frames=frames, batches=batches, **options)


def _tapped(render: Any) -> bool:
    nodes = order_of(render.plan.info)
    return {owner(name, nodes) for name in render.taps} >= set(nodes) - {render.plan.info["output"]}


def _with_origin(verdict: Verdict, result: Streams, reference: Streams, info: Mapping[str, Any]) -> Verdict:
    """Add to a failure the node it starts in."""
    note = changed_nodes(result, reference, info)
    origin = locate(result, reference, info)
    if origin is None:
        return verdict.located("", note or "every node stream agrees")
    at = f"frame {origin.first_frame}"
    if origin.last_frame != origin.first_frame:
        at = f"frames {origin.first_frame} to {origin.last_frame}"
    return verdict.located(
        origin.node, f"{origin.node} first differs in {at}" + (f"; {note}" if note else "")
    )


def _explain(blessed: Blessed, verdict: Verdict, render: Any) -> Verdict:
    """Find the node in which a failed check starts; without taps the stored graph is rendered again."""
    if verdict.comparison.mismatch is None or verdict.comparison.mismatch.what != "value":
        return verdict
    if not _tapped(render):
        render = _replay(blessed, taps=True)
        if _compare(blessed, render).passed:
            why = "the render came from another graph or controls"
            return verdict.located("", f"the stored graph still renders to the reference: {why}")
    info = render.plan.info
    return _with_origin(verdict, streams_of(render.audio, render.taps, info), blessed.streams, info)


@checks.keywords
def check(name: str, render: Any, *, goldens: str | Path | None = None) -> Verdict:
    """Hold a render against a stored case.

    Parameters
    ----------
    name : str
        Folder below `goldens/`.
    render : Render
        With every node tapped, a failure names the node from this very render; else the stored graph is
        rendered.
    goldens : path, optional
        See `folders.find`.

    Returns
    -------
    Verdict
        A case without a reference fails, and so does one with a file changed after it was blessed.
    """
    case = Case(folders.find(goldens) / name)
    missing = _missing(case)
    if missing is not None:
        return missing
    usage.record(case.folder)
    try:
        blessed = case.load()
        verdict = Verdict(name, _compare(blessed, render))
    except (AmpError, MemoryError) as error:
        return _damaged(name, error)
    try:
        return _explain(blessed, verdict, render)
    except (AmpError, MemoryError) as error:
        return verdict.located("", f"the stored graph does not render: {error}")


def _damaged(name: str, error: Exception) -> Verdict:
    return _unanswered(name, "damaged", "a readable case that renders", type(error).__name__, str(error))


def _streams_agree(blessed: Blessed, verdict: Verdict, render: Any) -> Verdict:
    """Under `exact`, require every node stream to be the blessed one, even where the output hides it."""
    if not verdict.passed or verdict.comparison.comparator != "exact":
        return verdict
    result, reference = streams_of(render.audio, render.taps, render.plan.info), blessed.streams
    if result.rows == reference.rows and result.columns == reference.columns:
        return verdict
    origin = locate(result, reference, render.plan.info)
    frame, node = (origin.first_frame, origin.node) if origin else (None, "")
    note = changed_nodes(result, reference, render.plan.info) or "the output hides the change"
    facts = ("the blessed node streams", "others", "digests in sums.txt differ", "0 (every bit)")
    mismatch = Mismatch("node stream", *facts, frame, node=node, note=note)
    size = verdict.comparison
    return Verdict(verdict.name, Comparison("exact", size.frames, size.channels, size.batches, mismatch))


def _layouts(blessed: Blessed, matrix: Matrix) -> Iterable[tuple[str, Callable[[Any], Comparison]]]:
    """Yield each further layout with the comparison of its render against the default one."""
    batches, _, frames = blessed.samples.shape
    sizes = (64,) if matrix == "quick" else (64, 1000, frames)

    def in_blocks(size: int) -> Callable[[Any], Comparison]:
        return lambda render: compare(_replay(blessed, block_frames=size).audio, render.audio)

    for size in sizes:
        yield f"block_frames {size}", in_blocks(size)
    if matrix == "full" and batches > 1:

        def alone(batch: int) -> Callable[[Any], Comparison]:
            return lambda render: compare(
                replay.audio_of_batch(blessed.stored, frames=frames, batch=batch),
                render.audio[batch : batch + 1],
            )

        for batch in range(batches):
            yield f"batch {batch} alone", alone(batch)


def _verdicts_of(case: Case, matrix: Matrix) -> list[Verdict]:
    missing = _missing(case)
    if missing is not None:
        return [missing]
    usage.record(case.folder)
    try:
        blessed = case.load()
        if strange := blessed.strange_files:
            note = "Move it elsewhere: a case holds what was blessed and nothing else."
            return [_unanswered(case.name, "damaged", "no other file", ", ".join(strange), note)]
        render = _replay(blessed, taps=True)
        verdict = Verdict(case.name, _compare(blessed, render))
        verdict = _streams_agree(blessed, _explain(blessed, verdict, render), render)
        return [verdict] + [Verdict(case.name, run(render), name) for name, run in _layouts(blessed, matrix)]
    except Exception as error:  # any failure of one case is its verdict, and the other cases still run
        return [_damaged(case.name, error)]


@checks.keywords
def verdicts(
    names: str | Iterable[str] = "all", *, matrix: Matrix = "quick", goldens: str | Path | None = None
) -> list[Verdict]:
    """Render stored cases natively and hold them against their references.

    The first verdict of a case is its default layout against the reference, every node stream included if the
    comparator is `exact`. The further layouts must give the bits of the first, whatever the comparator.

    Parameters
    ----------
    names : "all", str or iterable of str
    matrix : {"quick", "full"}
        `quick` adds blocks of 64 frames; `full` adds 64, 1000 and all frames at once, and each batch alone.
    goldens : path, optional
        See `folders.find`.

    Raises
    ------
    GoldenError
        Unknown matrix, or no case at all.
    """
    checks.choice("matrix", matrix, get_args(Matrix), "matrix", GoldenError)
    root = folders.find(goldens)
    chosen = [names] if isinstance(names, str) else list(names)
    cases = list_cases(root) if chosen == ["all"] else [Case(root / name) for name in chosen]
    if not cases:
        raise GoldenError(
            f"{root}: no case to verify (got 0, allowed 1 and more). Bless one with golden.store."
        )
    return [verdict for case in cases for verdict in _verdicts_of(case, matrix)]


@checks.keywords
def verify(
    names: str | Iterable[str] = "all", *, matrix: Matrix = "quick", goldens: str | Path | None = None
) -> list[Verdict]:
    """Return the passed verdicts of `verdicts`, or raise.

    Raises
    ------
    GoldenMismatch
        At least one verdict failed; it holds all of them.
    """
    found = verdicts(names, matrix=matrix, goldens=goldens)
    if not all(found):
        raise GoldenMismatch(found)
    return found
