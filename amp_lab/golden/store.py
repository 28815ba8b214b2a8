"""Cases on disk: one folder each, complete by itself, small, and readable in a diff."""

from __future__ import annotations

import datetime
import getpass
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab import checks, npz, regular_files
from amp_lab.errors import FileError, quoted

from . import codec, folders, manifests, replay
from .comparators import check_limits
from .divergence import Streams, streams_of
from .verdict import GoldenError

FILES = ("graph.json", "reference.npz", "sums.txt", "manifest.json")
MOST_SUMS = 64 * regular_files.MIB
"""Bytes of `sums.txt`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One golden.

    Attributes
    ----------
    folder : Path
        Holds `graph.json`, `controls.json` (if the graph names a curve), `reference.npz`, `sums.txt` and
        `manifest.json`.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def missing_files(self) -> list[str]:
        """Return the files without which the case cannot be checked."""
        return [name for name in FILES if not (self.folder / name).is_file()]

    def manifest(self) -> dict[str, Any]:
        """Return the parsed manifest.

        Raises
        ------
        FileError
            It cannot be read, or the schema is not the one this version writes.
        """
        return manifests.read(self.folder / "manifest.json")

    def load(self) -> Blessed:
        """Return the whole case, after holding every file against the digest it was blessed with.

        Raises
        ------
        FileError
            A file was changed after it was blessed, or cannot be read.
        """
        manifest = self.manifest()
        seals = digests_of_files(self.folder)
        for file, digest in manifest["files"].items():
            if seals.get(file) != digest:
                what = "was changed" if file in seals else "was removed"
                raise FileError(
                    f"{self.name}: file {file} {what} after it was blessed (got digest "
                    f"{seals.get(file, 'none')[:12]}, allowed {digest[:12]}). "
                    "Restore it from version control, or bless the change with a reason."
                )
        samples, loops = codec.load(self.folder / "reference.npz")
        if digest_of(samples) != manifest["digest"]:
            raise FileError(
                f"{self.name}/manifest.json: damaged (got digest {quoted(manifest['digest'])}, allowed "
                f"{digest_of(samples)} of reference.npz). Restore the file from version control."
            )
        text = regular_files.read_text(self.folder / "sums.txt", MOST_SUMS, manifests.CURE)
        return Blessed(self, manifest, samples, Streams.from_text(text, loops))

    def strange_files(self) -> list[str]:
        """Return what lies in the folder and was never blessed."""
        known = {*self.manifest()["files"], "manifest.json"}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in known)


@dataclass(frozen=True, slots=True)
class Blessed:
    """A case as it was blessed.

    Attributes
    ----------
    case : Case
    manifest : dict
    samples : ndarray (B, C, N)
        The reference.
    streams : Streams
        What is kept of every node.
    """

    case: Case
    manifest: Mapping[str, Any]
    samples: npt.NDArray[np.float64]
    streams: Streams


def digests_of_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a case that the manifest vouches for."""
    files = [folder / name for name in manifests.SEALED if (folder / name).is_file()]
    return {file.name: _seal(file) for file in files}


def _seal(file: Path) -> str:
    with regular_files.opened(file, npz.MOST_BYTES, manifests.CURE) as stream:
        digest = hashlib.sha256()
        while piece := stream.read(regular_files.MIB):
            digest.update(piece)
    return digest.hexdigest()


def digest_of(samples: npt.NDArray[np.float64]) -> str:
    """Return the SHA-256 of the samples' bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<f8").tobytes()).hexdigest()


def list_cases(goldens: str | Path | None = None) -> list[Case]:
    """Return every case of the folder, in alphabetical order.

    A folder without a manifest counts as a case, so that a half-written one is noticed.
    """
    root = folders.find(goldens)
    return [Case(path) for path in sorted(root.iterdir()) if path.is_dir() and path.name[0] not in "._"]


def _manifest(
    name: str, render: Any, reason: str, blessed_by: str | None, comparator: Mapping[str, Any]
) -> dict[str, Any]:
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
        },
        "engine": {
            "version": render.provenance["amp_lab"],
            "compiler": render.provenance["build"],
            "isa": render.provenance["isa"],
        },
    }


def _write(folder: Path, render: Any, manifest: Mapping[str, Any]) -> None:
    streams = streams_of(render.audio, render.taps, render.plan.info)
    codec.save(folder / "reference.npz", render.audio, dict(streams.loops))
    (folder / "sums.txt").write_text(streams.to_text(), encoding="utf-8", newline="\n")
    sealed = {**manifest, "files": digests_of_files(folder)}
    text = json.dumps(sealed, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8", newline="\n")


def _require_reason(where: str, reason: str) -> None:
    if not reason.strip():
        raise GoldenError(f"{where}: no reason given (got {reason!r}). Say what changed and why it is right.")


def _require_usable(name: str, render: Any) -> None:
    if not name or Path(name).name != name or name[0] in "._":
        raise GoldenError(
            f"golden name: not usable as a folder (got {name!r}, allowed e.g. 'osc_saw'). Rename it."
        )
    if render.audio.size == 0:
        raise GoldenError(f"{name}: nothing to bless (got 0 samples). Render at least one frame.")
    if not np.isfinite(render.audio).all():
        raise GoldenError(
            f"{name}: not finite (got NaN or Inf in the audio). Mend the graph before blessing it."
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
    comparator: str = "exact",
    comparator_reason: str = "",
    blessed_by: str | None = None,
    goldens: str | Path | None = None,
    overwrite: bool = False,
    **limits: float,
) -> Case:
    """Bless a render as the reference of a new case.

    The graph and controls are written, loaded back and rendered again with every node tapped; only if that
    gives the same digest is the case kept. So a stored case is always complete by itself.

    Parameters
    ----------
    name : str
        Folder below `goldens/`.
    render : Render
    reason : str
        Why this is the truth; kept in the manifest.
    graph : Graph
        That the render came from.
    controls : ControlHistory, optional
        That the render used; default those of the graph.
    comparator, comparator_reason, **limits
        How results are compared from now on; see `comparators.compare`.
    blessed_by : str, optional
        Default: the user's login name.
    goldens : path, optional
        See `folders.find`.
    overwrite : bool
        Replace a case of that name, graph and all.

    Raises
    ------
    GoldenError
        No reason, a case of that name, a render that is empty or not finite, or one that the graph and
        controls do not reproduce.
    """
    _require_reason(f"golden.store({name!r})", reason)
    _require_usable(name, render)
    rule = {"name": comparator, "limits": check_limits(comparator, comparator_reason, limits)}
    rule["reason"] = comparator_reason or "deterministic engine: every bit"
    root = folders.find(goldens)
    if (root / name).exists() and not overwrite:
        raise GoldenError(
            f"golden.store({name!r}): the case exists (got overwrite=False, allowed a new name). Use "
            "golden.update(name, reason=...) after a change of the engine, overwrite=True for another graph."
        )
    with tempfile.TemporaryDirectory(dir=root, prefix=".new_") as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        _complete(graph).save(folder / "graph.json")
        curves = graph.controls if controls is None else controls
        if curves is not None:
            curves.save(folder / "controls.json")
        batches, _, frames = render.audio.shape
        again = replay.render(folder, frames=frames, batches=batches, taps=True)
        if again.digest != render.digest:
            raise GoldenError(
                f"{name}: graph and controls do not reproduce the render (got digest {again.digest[:12]}, "
                f"allowed {render.digest[:12]}). Give the graph as it was rendered, and its controls."
            )
        _write(folder, again, _manifest(name, again, reason, blessed_by, rule))
        _replace(root / name, folder)
    return Case(root / name)


def _complete(graph: Any) -> Any:
    """Return the graph with samples in place of paths of sound files: a case needs no other file."""
    names = [node.name for node in graph if node.record.values.get("source")]
    if not names:
        return graph
    complete = graph.copy()
    for name, samples in graph.inputs(names).items():
        complete[name].set(samples=samples)
    return complete


def _replace(target: Path, folder: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    shutil.move(folder, target)


@checks.keywords
def update(
    name: str, *, reason: str, blessed_by: str | None = None, goldens: str | Path | None = None
) -> Case:
    """Render a stored case again with the engine at hand and make that its reference.

    Raises
    ------
    GoldenError
        No reason, or no such case.
    """
    _require_reason(f"golden.update({name!r})", reason)
    case = Case(folders.find(goldens) / name)
    missing = [file for file in case.missing_files() if file in ("graph.json", "manifest.json")]
    if missing:
        raise GoldenError(
            f"{name}: cannot be rendered (got no {', '.join(missing)}). Use golden.store for a new case."
        )
    manifest = case.manifest()
    settings = manifest["render"]
    render = replay.render(case.folder, frames=settings["frames"], batches=settings["batches"], taps=True)
    _require_usable(name, render)
    _write(case.folder, render, _manifest(name, render, reason, blessed_by, manifest["comparator"]))
    return case
