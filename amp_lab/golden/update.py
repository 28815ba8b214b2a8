"""Update the reference of a stored case with a new render of the stored graph or of the graph in the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab.common import checks
from amp_lab.errors import AmpError, FileError, quoted
from amp_lab.graph.records.curves import ControlHistory

from . import ci, code, contents, folders, manifests, replay, transaction
from .cases import Blessed, Case, case_of, no_such_case
from .graph_changes import changes, sound_of
from .of_render import graph_of
from .operands import bits
from .store import files_of, manifest_of, require_reason, require_usable, rule_of
from .verdict import GoldenError

NOTHING = (
    "nothing to update (got the samples, sums, comparator, tolerance and schema that are stored, allowed a "
    "change of one). If the graph in the code changed, name it: graph=..., on the command line "
    "--code MODULE:NAME; or bless what the tests render: pytest --golden-update=REASON."
)
OTHER = "the graph is not the one that was blessed (stored -> in the code):"
ACCEPT = (
    "That changes the sound, not the engine. Take it back, or bless it: accept_graph=True, on the command "
    "line --accept-graph."
)


@checks.keywords
def update(
    name: str,
    *,
    reason: str,
    graph: Any = None,
    accept_graph: bool = False,
    comparator: str | None = None,
    comparator_reason: str = "",
    blessed_by: str | None = None,
    goldens: str | Path | None = None,
    allow_ci: bool = False,
    **limits: float,
) -> Case:
    """Render a stored case again with the present engine, and store that as its reference.

    Graph, length, comparator and tolerance are kept unless an argument changes them. A case of an older
    schema is written in the present schema.

    Parameters
    ----------
    name : str
        Folder below `goldens/`.
    reason : str
        What changed and why it is right; stored in the manifest.
    graph : Graph or Render, optional
        The graph in the code. If it differs from the stored one, `accept_graph` is required.
    accept_graph : bool
        Store `graph`, or a `graph.json` that was edited by hand, in place of the stored graph.
    comparator, comparator_reason, **limits
        Changes of the comparator; see `comparators.compare`.
    blessed_by : str, optional
        Default: the user's login name.
    goldens : path, optional
        See `folders.find`.
    allow_ci : bool
        Under CI, write to a folder that was found by search too.

    Raises
    ------
    GoldenError
        If the reason or the case is missing, nothing would change, or the graph differs without
        `accept_graph` (with node, parameter, old and new value); for a folder as in `store`. The case is then
        unchanged.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> tone = g["sine"].set(amplitude=0.5)
    >>> amp.golden.update("beep", reason="half as loud", graph=g)
    Traceback (most recent call last):
        ...
    amp_lab.golden.verdict.GoldenError: golden.update('beep'): the graph is not the one that was blessed
        (stored -> in the code):
      sine.amplitude: 1.0 -> 0.5
      That changes the sound, not the engine. Take it back, or bless it: accept_graph=True, on the command
        line --accept-graph.
    >>> amp.golden.update("beep", reason="half as loud", graph=g, accept_graph=True).name
    'beep'
    """
    wanted = Wanted(graph, accept_graph, comparator, comparator_reason, limits)
    return updated(name, reason, wanted, blessed_by=blessed_by, goldens=goldens, allow_ci=allow_ci)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Requested changes of a case; see `update`."""

    graph: Any = None
    accept_graph: bool = False
    comparator: str | None = None
    comparator_reason: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)


def updated(
    name: str,
    reason: str,
    wanted: Wanted,
    *,
    blessed_by: str | None,
    goldens: str | Path | None,
    allow_ci: bool,
) -> tuple[Case, tuple[str, ...]]:
    """Update a case as `update` does, and return it with the changes of its graph."""
    where = f"golden.update({quoted(name)})"
    require_reason(where, reason)
    root = folders.find(goldens)
    ci.require_allowed(where, root, goldens, allow_ci)
    case = case_of(root, name)
    if not case.exists():
        raise GoldenError(f"{where}: {no_such_case(case)}")
    with transaction.writing(root):
        manifest, stored, edited = contents.read(case.folder, _what_is_stored)
        rule = rule_of(manifest["comparator"], wanted.comparator, wanted.comparator_reason, wanted.limits)
        size, told = (manifest["render"]["frames"], manifest["render"]["batches"]), edited
        if wanted.graph is not None:
            stored, size, told = _of_code(name, stored, size, wanted.graph)
        if told and not wanted.accept_graph:
            raise GoldenError("\n  ".join((f"{where}: {OTHER}", *told, ACCEPT)))
        render = replay.render(stored, frames=size[0], batches=size[1], taps=True)
        require_usable(name, render)
        new = manifest_of(name, render, reason, blessed_by, rule)
        files = files_of(name, stored, render, new)
        if not told and _is_stored(_previous(case), render.audio, files, new):
            raise GoldenError(f"{where}: {NOTHING}")
        transaction.replace(root, name, files)
    return case, told


def _what_is_stored(
    case: contents.OpenCase,
) -> tuple[dict[str, Any], replay.StoredGraph, tuple[str, ...]]:
    """Return manifest, graph and controls, and the files that were changed after they were blessed."""
    try:
        case.require(contents.GRAPH, contents.MANIFEST)
    except contents.MissingFiles as error:
        raise GoldenError(f"{error} Or use golden.store for a new case.") from None
    manifest = manifests.read(case)
    names, seals = case.names(), manifest["files"]
    edited = []
    for file in (contents.GRAPH, contents.CONTROLS):
        if file in seals and file not in names:
            edited.append(f"{file} was removed after it was blessed")
        elif file in seals and not contents.fits(file, case.data(file), seals[file]):
            edited.append(f"{file} was changed after it was blessed")
        elif file in names and file not in seals and manifest["schema"] != manifests.OLD_SCHEMA:
            edited.append(f"{file} was added after the case was blessed")
    return manifest, replay.StoredGraph.of(case), tuple(edited)


def _of_code(
    name: str, stored: replay.StoredGraph, size: tuple[int, int], graph: Any
) -> tuple[replay.StoredGraph, tuple[int, int], tuple[str, ...]]:
    """Return the graph in the code as it would be stored, its size, and the changes of the stored one."""
    render = code.rendered(name, graph, frames=size[0], batches=size[1])
    batches, _, frames = render.audio.shape
    sizes = zip(("frames", "batches"), size, (frames, batches), strict=True)
    told = [f"render.{key}: {old} -> {new}" for key, old, new in sizes if old != new]
    sound = sound_of(render.request)
    try:
        before = replay.render(stored, frames=0, batches=size[1])
        told += changes(sound_of(before.request), sound)
    except AmpError as error:
        told.append(f"the stored graph cannot be read: {error}")
    if not told:
        return stored, size, ()
    curves = ControlHistory(sound.curves.values()).to_json() if sound.curves else None
    text = graph_of(sound).to_json()
    return replay.StoredGraph(name, text, curves), (frames, batches), tuple(told)


def _previous(case: Case) -> Blessed | None:
    """Return the case as it is, or None if it is damaged."""
    try:
        return case.load()
    except FileError:
        return None


def _is_stored(
    previous: Blessed | None, audio: Any, files: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> bool:
    """Return whether only who approved the case, when and why would change."""
    if previous is None or previous.samples.shape != audio.shape:
        return False
    same = all(previous.manifest[key] == manifest[key] for key in ("schema", "render", "comparator"))
    sums = previous.streams.to_text().encode() == files[contents.SUMS]
    return same and sums and bool(np.array_equal(bits(previous.samples), bits(audio)))
