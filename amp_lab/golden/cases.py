"""Read cases: one folder each, complete, small, and readable in a diff."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.common import checks
from amp_lab.errors import FileError, plain, quoted

from . import codec, contents, folders, manifests
from .divergence import Streams
from .replay import StoredGraph
from .verdict import GoldenError

NEEDED = tuple(file for file in contents.FILES if file != contents.CONTROLS)
"""Files without which a case cannot be checked."""


@dataclass(frozen=True, slots=True)
class Case:
    """One golden.

    Attributes
    ----------
    folder : Path
        Holds `graph.json`, `controls.json` (if the graph names a curve), `reference.npz`, `sums.txt` and
        `manifest.json`.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> case.name, case.exists(), case.missing_files(), case.strange_files()
    ('beep', True, [], [])
    >>> case.manifest()["render"]
    {'frames': 480, 'batches': 1, 'channels': 1, 'sample_rate': 48000.0}
    """

    folder: Path

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def exists(self) -> bool:
        """Return whether the case has a folder; True also while the folder is being replaced."""
        return self.folder.is_dir() or contents.kept(self.folder).is_dir() or self.folder.is_dir()

    def missing_files(self) -> list[str]:
        """Return the names of required files that are missing."""
        try:
            contents.read(self.folder, lambda case: case.require(*NEEDED))
        except contents.MissingFiles as error:
            return list(error.files)
        return []

    def manifest(self) -> dict[str, Any]:
        """Return the parsed manifest.

        Raises
        ------
        FileError
            If it cannot be read, or has a schema that this version cannot read.
        """
        return contents.read(self.folder, manifests.read)

    def load(self) -> Blessed:
        """Return the whole case, with every file checked against the digest stored with it.

        No lock is taken: a case that is replaced meanwhile is read again.

        Raises
        ------
        FileError
            If a file was changed after it was blessed, or cannot be read.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine())
        >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
        >>> case.load().samples.shape
        (1, 1, 480)
        >>> size = (case.folder / "graph.json").write_text("{}")
        >>> case.load()
        Traceback (most recent call last):
            ...
        amp_lab.errors.FileError: beep: file graph.json was changed after it was blessed (got digest
            ..., allowed ...). Restore it from version control, or bless the change with a
            reason.
        """
        return contents.read(self.folder, self._load)

    def _load(self, case: contents.OpenCase) -> Blessed:
        case.require(*NEEDED)
        manifest = manifests.read(case)
        names = case.names()
        files = {file: case.data(file) for file in _held(case.name, manifest, names)}
        _check_seals(case.name, files, manifest["files"])
        where = {file: f"{plain(case.name)}/{file}" for file in contents.FILES}
        samples, loops = codec.decode(where[contents.REFERENCE], files.pop(contents.REFERENCE))
        _check_samples(where[contents.MANIFEST], samples, manifest)
        texts = {file: contents.text_of(where[file], data) for file, data in files.items()}
        streams = Streams.from_text(texts[contents.SUMS], loops, where[contents.SUMS])
        stored = StoredGraph(case.name, texts[contents.GRAPH], texts.get(contents.CONTROLS))
        strange = tuple(name for name in names if name not in (*NEEDED, *files))
        return Blessed(self, manifest, samples, streams, stored, strange)

    def strange_files(self) -> list[str]:
        """Return the files in the folder that do not belong to the case, except files of editors, systems."""

        def strange(case: contents.OpenCase) -> list[str]:
            names = case.names()
            return [
                name
                for name in names
                if name not in (*NEEDED, *_held(case.name, manifests.read(case), names))
            ]

        return contents.read(self.folder, strange)


@dataclass(frozen=True, slots=True)
class Blessed:
    """A case as it was blessed, read as one consistent version.

    Attributes
    ----------
    case : Case
    manifest : dict
    samples : ndarray (B, C, N)
        The reference.
    streams : Streams
        Digests of the outputs of all nodes.
    stored : StoredGraph
        Graph and controls, which can be rendered again.
    strange_files : tuple of str
        Files in the folder that do not belong to the case.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> stored = case.load()
    >>> stored.samples.shape, stored.streams.columns, stored.manifest["comparator"]["name"]
    ((1, 1, 480), ('sine', 'output'), 'exact')
    """

    case: Case
    manifest: Mapping[str, Any]
    samples: npt.NDArray[np.float64]
    streams: Streams
    stored: StoredGraph
    strange_files: tuple[str, ...] = ()


_CURE = "Restore it from version control, or bless the change with a reason."


def _held(case: str, manifest: Mapping[str, Any], names: list[str]) -> list[str]:
    """Return the files that belong to a case beside its manifest."""
    if manifest["schema"] == manifests.OLD_SCHEMA:
        return [file for file in manifests.SEALED if file in names]
    for file in manifest["files"]:
        if file not in names:
            raise FileError(f"{plain(case)}: file {file} was removed after it was blessed. {_CURE}")
    return list(manifest["files"])


def _check_seals(case: str, files: Mapping[str, bytes], seals: Mapping[str, str]) -> None:
    for file, digest in seals.items():
        if not contents.fits(file, files[file], digest):
            got = f"got digest {contents.seal(file, files[file])[:12]}, allowed {digest[:12]}"
            raise FileError(f"{plain(case)}: file {file} was changed after it was blessed ({got}). {_CURE}")


def _check_samples(where: str, samples: npt.NDArray[np.float64], manifest: Mapping[str, Any]) -> None:
    said = manifest["render"]
    sizes = (said["batches"], said["channels"], said["frames"])
    if digest_of(samples) != manifest["digest"] or samples.shape != sizes:
        got = f"got digest {manifest['digest'][:12]} and shape {sizes}"
        allowed = f"allowed {digest_of(samples)[:12]} and {samples.shape} of {contents.REFERENCE}"
        raise FileError(f"{where}: damaged ({got}, {allowed}). {contents.CURE}")


def case_of(root: Path, name: Any) -> Case:
    """Return the case of a name, which is that of a folder directly below the root.

    Raises
    ------
    GoldenError
        It is something else.
    """
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        raise GoldenError(
            f"golden name: no name of a folder (got {quoted(name)}, allowed e.g. 'osc_saw'). Name a case."
        )
    return Case(root / name)


def no_such_case(case: Case) -> str:
    """Return the sentence about a missing case, with the nearest name."""
    near = checks.hint(case.name, [other.name for other in list_cases(case.folder.parent)])
    what = (
        f"{plain(case.name)}: no such case (got no folder of that name in {plain(case.folder.parent, 200)})."
    )
    return f"{what}{near or ' See golden.list_cases().'}"


def digest_of(samples: npt.NDArray[np.float64]) -> str:
    """Return the SHA-256 of the samples' bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<f8").tobytes()).hexdigest()


def list_cases(goldens: str | Path | None = None) -> list[Case]:
    """Return all cases of a folder in alphabetical order, without folders of editors and systems.

    A folder without a manifest counts as a case, so that incomplete cases are reported.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> [case.name for case in amp.golden.list_cases()]
    ['beep']
    """
    root = folders.find(goldens)
    found = set()
    try:
        for path in root.iterdir():
            name = path.name.removeprefix(contents.REPLACED)
            if path.is_dir() and name[:1] not in "._" and not contents.is_junk(name):
                found.add(name)
    except OSError as error:
        cure = "Name a folder that you may read."
        raise FileError(f"{plain(root, 200)}: {error.strerror or error}. {cure}") from None
    return [Case(root / name) for name in sorted(found)]
