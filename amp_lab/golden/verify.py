"""Compare renders with their goldens, and stored cases with the present engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from amp_lab.common import checks
from amp_lab.errors import quoted

from . import folders, replay, usage
from .cases import Blessed, Case, case_of, list_cases
from .code import Code, render_of
from .comparators import compare
from .divergence import changed_nodes, locate
from .explain import compared, explain, replayed, runtime_fault, streams_agree
from .verdict import Comparison, GoldenError, GoldenMismatch, Mismatch, Verdict, nothing_compared, of_error

Matrix = Literal["quick", "full"]


def _missing(case: Case) -> Verdict | None:
    """Return a failure if the case has no complete reference."""
    if case.exists():
        absent = case.missing_files()
        note = "Restore the files, or bless the case again with golden.store."
        what = ", ".join(absent)
        return nothing_compared(case.name, "missing", what, "no such file", note) if absent else None
    near = checks.hint(case.name, [c.name for c in list_cases(case.folder.parent)])
    note = near.strip() or "Bless it with golden.store, or with pytest --golden-update=REASON."
    return nothing_compared(case.name, "missing", f"a case {quoted(case.name)}", "no such folder", note)


@checks.keywords
def check(name: str, render: Any, *, goldens: str | Path | None = None) -> Verdict:
    """Compare a render with a stored case. It never raises: failures to compare are verdicts, too.

    Parameters
    ----------
    name : str
        Folder below `goldens/`.
    render : Render or array
        If a Render differs, the verdict gives node, frame, channel and changed parameter. For that the stored
        graph and the graph of the render are rendered again, up to the block in which they differ.
    goldens : path, optional
        See `folders.find`.

    Returns
    -------
    Verdict
        `status` is `error` if the reference cannot be read, a file was changed after it was blessed, or
        `render` is neither a render nor an array; `reason` gives the cause.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> r = g.render(frames=480)
    >>> amp.golden.check("beep", r).reason
    'Bless it with golden.store, or with pytest --golden-update=REASON.'
    >>> case = amp.golden.store("beep", r, reason="first", graph=g)
    >>> amp.golden.check("beep", r)
    beep: PASS exact 480 frames x 1 channel
    """
    try:
        case = case_of(folders.find(goldens), name)
        missing = _missing(case)
        if missing is not None:
            return missing
        usage.record(case.folder)
        blessed = case.load()
        return explain(blessed, Verdict(name, compared(blessed, render)), render)
    except Exception as error:  # whatever stands in the folder or was handed in is an answer
        return of_error(name, error)


def _streams_verdict(blessed: Blessed, verdict: Verdict, render: Any) -> Verdict:
    """Under `exact`, require every node stream to be the blessed one, even where the output hides it."""
    if not verdict.passed or verdict.comparison.comparator != "exact":
        return verdict
    differing = streams_agree(blessed, render)
    if differing is None:
        return verdict
    result, reference = differing
    info = render.plan.info
    origin = locate(result, reference, info)
    frame, node = (origin.first_frame, origin.node) if origin else (None, "")
    note = changed_nodes(result, reference, info) or "the output hides the change"
    facts = ("the blessed node streams", "others", "digests in sums.txt differ", "0 (every bit)")
    mismatch = Mismatch("node stream", *facts, frame, node=node, note=note, cause="runtime")
    size = verdict.comparison
    return Verdict(verdict.name, Comparison("exact", size.frames, size.channels, size.batches, mismatch))


def _layouts(blessed: Blessed, matrix: Matrix) -> Iterable[tuple[str, Callable[[Any], Comparison]]]:
    """Yield each further layout with the comparison of its render against the default one."""
    batches, _, frames = blessed.samples.shape
    sizes = (64,) if matrix == "quick" else (64, 1000, frames)

    def in_blocks(size: int) -> Callable[[Any], Comparison]:
        return lambda render: compare(replayed(blessed, block_frames=size).audio, render.audio)

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


def _of_engine(blessed: Blessed, matrix: Matrix) -> Iterable[Verdict]:
    """Yield the verdicts of the stored graph rendered by the engine at hand."""
    render = replayed(blessed, taps=True)
    verdict = Verdict(blessed.case.name, compared(blessed, render))
    if not verdict.passed:
        verdict = runtime_fault(blessed, verdict, render).explained(cause="runtime")
    yield _streams_verdict(blessed, verdict, render)
    for layout, run in _layouts(blessed, matrix):
        try:
            yield Verdict(blessed.case.name, run(render), layout)
        except Exception as error:  # a failure of one layout is its verdict
            yield replace(of_error(blessed.case.name, error), layout=layout)


def _of_code(blessed: Blessed, code: Code) -> Verdict:
    """Return the verdict of the graph in the code."""
    name = blessed.case.name
    try:
        render = render_of(blessed, code)
        return explain(blessed, Verdict(name, compared(blessed, render), "code"), render)
    except Exception as error:  # code of the user may raise anything
        return replace(of_error(name, error), layout="code")


def _verdicts_of(case: Case, matrix: Matrix, code: Code | None) -> Iterable[Verdict]:
    missing = _missing(case)
    if missing is not None:
        yield missing
        return
    usage.record(case.folder)
    blessed = case.load()
    if strange := blessed.strange_files:
        note = "Move it elsewhere: a case holds what was blessed and nothing else."
        yield nothing_compared(case.name, "damaged", "no other file", ", ".join(strange), note)
        return
    yield from _of_engine(blessed, matrix)
    if code is not None:
        yield _of_code(blessed, code)


def chosen_cases(names: str | Iterable[str] = "all", goldens: str | Path | None = None) -> list[Case]:
    """Return the cases of these names.

    Raises
    ------
    GoldenError
        There is no folder of goldens, a name is none, or there is no case at all.
    """
    root = folders.find(goldens)
    chosen = [names] if isinstance(names, str) else list(names)
    found = list_cases(root) if chosen == ["all"] else [case_of(root, name) for name in chosen]
    if not found:
        raise GoldenError(
            f"{root}: no case to verify (got 0, allowed 1 and more). Bless one with golden.store."
        )
    return found


@checks.keywords
def verdicts(
    names: str | Iterable[str] = "all",
    *,
    matrix: Matrix = "quick",
    goldens: str | Path | None = None,
    code: Mapping[str, Any] | Callable[[str], Any] | None = None,
) -> list[Verdict]:
    """Render stored cases and compare them with their references. It never raises.

    The first verdict of a case compares the default layout with the reference, and all node streams too if
    the comparator is `exact`. The other layouts must give the bits of the first one, with any comparator.

    Parameters
    ----------
    names : "all", str or iterable of str
    matrix : {"quick", "full"}
        `quick` adds blocks of 64 frames; `full` adds 64, 1000 and all frames at once, and each batch alone.
    goldens : path, optional
        See `folders.find`.
    code : mapping or function, optional
        The graph in the code, a Graph or a Render, by name of the case. It is compared with the reference
        too, in a verdict with the layout `code`.

    Returns
    -------
    list of Verdict
        Never empty: a call that fails as a whole gives one verdict with the status `error`.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> amp.golden.verdicts()
    [beep: PASS exact 480 frames x 1 channel, beep: PASS exact 480 frames x 1 channel (block_frames 64)]
    """
    found: list[Verdict] = []
    try:
        checks.choice("matrix", matrix, get_args(Matrix), "matrix", GoldenError)
        chosen = chosen_cases(names, goldens)
    except Exception as error:  # no folder, no name, no case
        return [of_error("golden.verify", error)]
    for case in chosen:
        try:
            found.extend(_verdicts_of(case, matrix, None if code is None else Code(code)))
        except Exception as error:  # any failure of one case is its verdict, and the other cases still run
            found.append(of_error(case.name, error))
    return found


@checks.keywords
def verify(
    names: str | Iterable[str] = "all",
    *,
    matrix: Matrix = "quick",
    goldens: str | Path | None = None,
    code: Mapping[str, Any] | Callable[[str], Any] | None = None,
) -> list[Verdict]:
    """Return the passed verdicts of `verdicts`, or raise.

    Raises
    ------
    GoldenMismatch
        At least one verdict failed; it holds all of them. Nothing else is raised.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> amp.golden.verify("beep")
    [beep: PASS exact 480 frames x 1 channel, beep: PASS exact 480 frames x 1 channel (block_frames 64)]
    """
    __tracebackhide__ = True  # IPython and pytest leave the frame out
    found = verdicts(names, matrix=matrix, goldens=goldens, code=code)
    if not all(found):
        raise GoldenMismatch(found)
    return found
