"""Store cases: one folder each, complete, small, and readable in a diff."""

from __future__ import annotations

import datetime
import getpass
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab.common import checks
from amp_lab.errors import FileError, plain, quoted

from . import ci, codec, contents, folders, manifests, names, replay, transaction
from .cases import Case
from .comparators import check_limits
from .divergence import streams_of
from .verdict import GoldenError

EXACT: Mapping[str, Any] = {"name": "exact", "limits": {}, "reason": "deterministic engine: every bit"}
"""Default comparator of a case."""


def manifest_of(
    name: str, render: Any, reason: str, blessed_by: str | None, comparator: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the manifest of a render, without the seals of its files."""
    batches, channels, frames = render.audio.shape
    return {
        "schema": manifests.SCHEMA,
        "name": name,
        "digest": render.digest,
        "render": {
            "frames": frames,
            "batches": batches,
            "channels": channels,
            "sample_rate": float(render.sample_rate),
        },
        "comparator": dict(comparator),
        "blessed": {
            "by": blessed_by or _login(),
            "on": datetime.date.today().isoformat(),
            "reason": reason.strip(),
            **({"in_ci": True} if ci.is_set() else {}),
        },
        "engine": {
            "version": render.provenance["amp_lab"],
            "compiler": render.provenance["build"],
            "isa": render.provenance["isa"],
        },
    }


def files_of(
    name: str, stored: replay.StoredGraph, render: Any, manifest: Mapping[str, Any]
) -> dict[str, bytes]:
    """Return the files of a case by name, sealed."""
    streams = streams_of(render.audio, render.taps, render.plan.info)
    files = {
        contents.GRAPH: stored.graph_text.encode(),
        contents.REFERENCE: codec.encode(name, render.audio, streams.loops),
        contents.SUMS: streams.to_text().encode(),
    }
    if stored.controls_text is not None:
        files[contents.CONTROLS] = stored.controls_text.encode()
    seals = {file: contents.seal(file, files[file]) for file in manifests.SEALED if file in files}
    text = json.dumps({**manifest, "files": seals}, indent=2, ensure_ascii=False) + "\n"
    return files | {contents.MANIFEST: text.encode()}


def require_reason(where: str, reason: str) -> None:
    """Raise `GoldenError` if the reason is missing."""
    if not isinstance(reason, str) or not reason.strip():
        cure = "Say what changed and why it is right."
        raise GoldenError(f"{where}: no reason given (got {quoted(reason)}). {cure}")


def rule_of(
    stored: Mapping[str, Any] | None, name: str | None, reason: str, limits: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the comparator of a case: the stored one, with the changes of the caller.

    Parameters
    ----------
    stored : dict or None
        Comparator, limits and reason of the case as it is.
    name, reason, limits : str or None, str, dict
        Changes of the caller; None and "" for no change.

    Raises
    ------
    GoldenError, TypeError
        See `comparators.check_limits`.
    """
    held = stored if stored is not None and name in (None, stored["name"]) else EXACT
    chosen = held["name"] if name is None else name
    why = reason or (held["reason"] if held["name"] == chosen else "")
    full = check_limits(chosen, why, {**(held["limits"] if held["name"] == chosen else {}), **limits})
    return {"name": chosen, "limits": full, "reason": why}


def require_usable(name: str, render: Any) -> None:
    """Raise `GoldenError` for a render that is empty or not finite."""
    if render.audio.size == 0:
        raise GoldenError(f"{name}: nothing to bless (got 0 samples). Render at least one frame.")
    if not np.isfinite(render.audio).all():
        raise GoldenError(
            f"{name}: not finite (got NaN or Inf in the audio, allowed finite samples). Correct the graph."
        )


def _login() -> str:
    """Name of the user, or the number of one who has none."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return f"uid {os.getuid()}"


@checks.keywords
def store(
    name: str,
    render: Any,
    *,
    reason: str,
    graph: Any,
    controls: Any = None,
    comparator: str | None = None,
    comparator_reason: str = "",
    blessed_by: str | None = None,
    goldens: str | Path | None = None,
    overwrite: bool = False,
    allow_ci: bool = False,
    **limits: float,
) -> Case:
    """Store a render as the reference of a new case.

    Graph and controls are written, loaded and rendered again with every node tapped. The case is kept only if
    that render has the same digest, so a stored case is always complete.

    Parameters
    ----------
    name : str
        Folder below `goldens/`, usable on every system.
    render : Render
    reason : str
        Why this render is correct; stored in the manifest.
    graph : Graph
        Graph of the render.
    controls : ControlHistory, optional
        Controls of the render; by default those of the graph.
    comparator, comparator_reason, **limits
        Comparator of the case; see `comparators.compare`. By default `exact`; a replaced case keeps its
        comparator except for the given changes.
    blessed_by : str, optional
        Default: the user's login name.
    goldens : path, optional
        See `folders.find`.
    overwrite : bool
        Replace a case of that name, graph and all.
    allow_ci : bool
        Under CI, write to a folder that was found by search too.

    Raises
    ------
    GoldenError
        If the reason is missing, the name is taken or not portable, the render is empty, not finite or not
        reproduced by graph and controls, or the folder cannot be written, is in use by another process, or
        was found by search under CI. An old case is then unchanged.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> r = g.render(frames=480)
    >>> case = amp.golden.store("beep", r, reason="first version", graph=g)
    >>> sorted(path.name for path in case.folder.iterdir())
    ['graph.json', 'manifest.json', 'reference.npz', 'sums.txt']
    >>> amp.golden.store("beep", r, reason="again", graph=g)
    Traceback (most recent call last):
        ...
    amp_lab.golden.verdict.GoldenError: golden.store('beep'): the case exists (got overwrite=False, allowed a
        new name). Use golden.update(name, reason=...) after a change of the engine, overwrite=True for
        another graph.
    """
    require_reason(f"golden.store({quoted(name)})", reason)
    require_usable(name, render)
    root = folders.find(goldens)
    ci.require_allowed(f"golden.store({name!r})", root, goldens, allow_ci)
    _require_new(name, root, overwrite)
    rule = rule_of(_rule_there(Case(root / name), comparator), comparator, comparator_reason, limits)
    curves = graph.controls if controls is None else controls
    stored = replay.StoredGraph(
        name, _complete(graph).to_json(), None if curves is None else curves.to_json()
    )
    batches, _, frames = render.audio.shape
    again = replay.render(stored, frames=frames, batches=batches, taps=True)
    if again.digest != render.digest:
        raise GoldenError(
            f"{name}: graph and controls do not reproduce the render (got digest {again.digest[:12]}, "
            f"allowed {render.digest[:12]}). Give the graph as it was rendered, and its controls."
        )
    manifest = manifest_of(name, again, reason, blessed_by, rule)
    files = files_of(name, stored, again, manifest)
    with transaction.writing(root):
        _require_new(name, root, overwrite)
        transaction.replace(root, name, files)
    return Case(root / name)


def _require_new(name: str, root: Path, overwrite: bool) -> None:
    names.require_portable(name, root)
    if os.path.lexists(root / name) and not overwrite:
        raise GoldenError(
            f"golden.store({name!r}): the case exists (got overwrite=False, allowed a new name). Use "
            "golden.update(name, reason=...) after a change of the engine, overwrite=True for another graph."
        )


def _rule_there(case: Case, comparator: str | None) -> Mapping[str, Any] | None:
    """Return how a case that is there is compared; a damaged one is replaced only by saying how."""
    if case.folder.is_symlink() or not case.exists():  # a link is refused when it is to be replaced
        return None
    try:
        rule: Mapping[str, Any] = case.manifest()["comparator"]
    except FileError as error:
        if comparator is not None:
            return None
        cure = "Restore the case, delete its folder, or give comparator=."
        raise GoldenError(
            f"{plain(case.name)}: its comparator cannot be read, so it is not replaced ({error}). {cure}"
        ) from None
    return rule


def _complete(graph: Any) -> Any:
    """Return the graph with samples in place of paths of sound files: a case needs no other file."""
    names = [node.name for node in graph if node.record.values.get("source")]
    if not names:
        return graph
    complete = graph.copy()
    for name, samples in graph.inputs(names).items():
        complete[name].set(samples=samples)
    return complete
