"""One graph in one file: edits in a view are saved, and changes by other programs are not overwritten."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from amp_lab.common import atomic_files
from amp_lab.common.alive import Alive
from amp_lab.errors import FileError, GraphError, plain, quoted
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.edits.states import Patch
from amp_lab.widgets import disk, patch_text
from amp_lab.widgets.base import by_hand
from amp_lab.widgets.disk import DiskFile, digest
from amp_lab.widgets.later import Later
from amp_lab.widgets.patch_text import PatchText

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

DELAY_S = 0.4
"""Seconds from an edit in a view to the file, at most; edits in between are written together."""
Status: TypeAlias = Literal[
    "none", "new", "saved", "unsaved", "code", "disk", "damaged", "unwritable", "taken", "off"
]
NO_FILE = "not kept in a file"
ASKS = ("code", "disk", "damaged", "taken")
"""States in which nothing is written until the user has chosen."""
IN_USE: Alive[PatchFile] = Alive()


class PatchFile:
    """Keeps a graph in a file, for all widgets of that graph (`open_files.of`).

    Attributes
    ----------
    status : str
        ``none`` (no file), ``new`` (the first edit creates it), ``saved``, ``unsaved`` (an edit is not yet
        written), or why edits are not written: ``code`` (the file was edited from another code graph),
        ``disk`` (another program has written it), ``damaged`` (it cannot be read), ``unwritable``, ``taken``
        (another graph of this kernel is saved to it), ``off`` (in tests and CI).
    text : str
        The same as a sentence.

    Examples
    --------
    >>> w = amp.lab("voice.amp.json")
    >>> w.file.path.name, w.file.status
    ('voice.amp.json', 'new')
    >>> tone = w.graph.sine()
    >>> w.file.save()
    >>> w.file.look()
    >>> w.file.text, w.file.choices
    ('voice.amp.json: saved', {})
    >>> w.file.choose("file")
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: choose: no such choice (got 'file', allowed none: nothing is asked).
    >>> w.file.open("other.amp.json")
    Traceback (most recent call last):
        ...
    amp_lab.errors.FileError: other.amp.json: no such file. Look at the list.
    >>> w.file.flush()
    >>> w.close()
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.journal = Journal.of(graph)
        IN_USE.add(self)
        self.status: Status = "none"
        self.text = NO_FILE
        self._code = graph.copy()
        self._files: dict[str, DiskFile] = {}
        self._theirs: PatchText | None = None
        self._seen: bytes = b""
        self._later = Later(self.flush, "amp_lab patch file")
        self._edited = False
        self._written = -1  # version of the newest write that was begun
        self._adopting = False
        self._told: DiskFile | None = None  # the file that status and text describe
        self._loud = False
        self._left = -1
        self._listeners: list[Callable[[], object]] = []

    # ---- who shows it ----

    @property
    def is_shown(self) -> bool:
        """Whether an open widget shows it."""
        return bool(self._listeners)

    def use(self, listener: Callable[[], object]) -> None:
        """Call ``listener()`` when the status changes; the first call also starts to follow the graph."""
        with self.journal.lock():
            self._listeners.append(listener)
            if len(self._listeners) == 1:
                self.journal.subscribe(self._patched)
                file, changed = self._file, self.journal.version != self._left >= 0
                if file is not None and changed and self.status == "saved":
                    self._to("saved", f"{file.name}: saved, without what changed since")

    def release(self, listener: Callable[[], object]) -> None:
        """Stop calling a listener; after the last one, write unsaved edits and stop following the graph."""
        self.flush()
        with self.journal.lock():
            self._listeners = [known for known in self._listeners if known != listener]
            if not self._listeners:
                self.journal.unsubscribe(self._patched)
                self._left = self.journal.version

    # ---- what a person or a cell asks for ----

    @property
    def path(self) -> Path | None:
        """The file; None if there is none."""
        file = self._file
        return None if file is None else file.path

    @property
    def choices(self) -> dict[str, str]:
        """Choices that `choose` accepts now, with their labels."""
        here = "the code's graph" if self.status == "code" else "this graph"
        if self.status in ("code", "disk"):
            aside = f"Use {here}, keep the file under another name"
            return {"file": "Use the file", "graph": f"Use {here}", "both": aside}
        if self.status == "damaged":
            return {"both": "Keep the damaged file under another name and write this graph"}
        return {"take": "Keep this graph in it"} if self.status == "taken" else {}

    def hold(self, path: Path, data: bytes, text: PatchText) -> None:
        """Save the graph, which was read from a file, to that file from now on."""
        with self.journal.lock():
            self.journal.settle(text.places, text.folds)
            file = self._enter(DiskFile(path, digest(data), text.grew_from))
            self._to("saved", f"{plain(path.name)}: saved")
            try:
                atomic_files.check(path)
            except FileError as error:
                self._unwritable(file, error)

    def keep(self, path: Path) -> None:
        """Save the graph to a file from now on, as ``amp.lab(g, save=path)`` does.

        A file that grew from the graph's code wins, as one step of undo; one that grew from other code is
        asked about.
        """
        if self.path == path and self.status != "taken":
            self.look()
            return
        self.flush()
        _take(path, self)
        with self.journal.lock():
            self._begin(self._enter(DiskFile(path, grew_from=self._code_for(path))), asked="code")

    def open(self, path: str | os.PathLike[str]) -> None:
        """Replace the graph by that of a file, as one step of undo, and save to that file from now on.

        Raises
        ------
        GraphError
            If there is no such file, it is damaged, or has another sample rate.
        """
        path = disk.place("open", path)
        data = disk.existing(path)
        text = patch_text.load(path, data)
        self.flush()
        _take(path, self)
        with self.journal.lock():
            self._adopt(text, path)
            self._files[str(path)] = DiskFile(path, digest(data), text.grew_from)
            self._to("saved", f"{plain(path.name)}: opened")

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the graph now, with edits by code; to another file if a path is given.

        Raises
        ------
        GraphError
            If there is no file, something has to be chosen first, or the other file exists.
        """
        file = self._file
        path = None if path is None else disk.writable_place("save", path)
        if path is not None and path != self.path:
            if os.path.lexists(path):
                raise GraphError(f"{plain(path.name)}: exists already. Open it, or choose another name.")
            self.flush()
            _take(path, self)
            with self.journal.lock():
                grew_from = self._code_for(path) if file is None else file.grew_from
                file = self._enter(DiskFile(path, grew_from=grew_from))
                self._to("new", f"{file.name}: saving")
        if file is None:
            raise GraphError("save: there is no file yet (got no path). Give one, such as voice.amp.json.")
        if self.status in ASKS:
            raise GraphError(f"{self.text}. Choose first.")
        self._write(file)

    def choose(self, choice: str) -> None:
        """Resolve a conflict by one of `choices`.

        Raises
        ------
        GraphError
            If there is no such choice, or the file changed meanwhile.
        """
        file = self._file
        if file is None or choice not in self.choices:
            allowed = ", ".join(self.choices) or "none: nothing is asked"
            raise GraphError(f"choose: no such choice (got {quoted(choice)}, allowed {allowed}).")
        if choice == "take":
            _take(file.path, self)
            with self.journal.lock():
                self._begin(file, asked="disk")
            return
        with self.journal.lock():
            note = self._apply_choice(choice, file)
        self._write(file, note)

    def _begin(self, file: DiskFile, asked: Literal["code", "disk"]) -> None:
        """Read a file for the first time."""
        try:
            data = disk.read(file.path)
        except FileError as error:
            self._unwritable(file, error)
            return
        if data is None:
            self._to("new", f"{file.name}: written with the first edit")
        else:
            self._compare(file, data, asked)

    def _apply_choice(self, choice: str, file: DiskFile) -> str:
        theirs, by_code, note = self._theirs, self.status == "code", ""
        try:
            data = disk.read(file.path)
            if data is not None and data != self._seen:
                self._compare(file, data, asked="disk")
                raise GraphError(f"{file.name}: changed while it was asked about. Look again.")
            if choice == "both" and data is not None:
                note = f", what it held is in {plain(atomic_files.keep_beside(file.path).name)}"
        except OSError as error:
            raise GraphError(
                f"{file.name}: cannot be kept under another name ({disk.reason(error)})."
            ) from None
        if choice == "file" and theirs is not None:
            self._adopt(theirs, file.path)
        file.known = None if data is None else digest(data)
        file.grew_from = self._code_for(file.path) if by_code or theirs is None else theirs.grew_from
        self._to("unsaved", f"{file.name}: saving")
        return note

    def look(self) -> None:
        """Check whether another program has written the file; unsaved edits are written first."""
        self.flush()
        with self.journal.lock(), contextlib.suppress(FileError):
            file = self._file
            if file is None or self.status not in ("new", "saved"):
                return
            data = disk.read(file.path)
            if data is not None and digest(data) != file.known:
                self._compare(file, data, asked="disk")
            elif data is None and file.known is not None:
                file.known = None
                self._to("new", f"{file.name} was deleted: written with the next edit")

    def flush(self) -> None:
        """Write unsaved edits now."""
        file = self._file
        if file is not None and self.status in ("unsaved", "unwritable"):
            self._write(file)

    @property
    def asked(self) -> tuple[PatchText, Graph] | None:
        """Contents of the file in conflict and the graph; None without a conflict."""
        return None if self._theirs is None else (self._theirs, self.graph)

    def shown(self) -> dict[str, Any]:
        """Return its state for the views, as JSON values."""
        with self.journal.lock():
            theirs, path = self._theirs, self.path
            return {
                "status": self.status,
                "path": "" if path is None else str(path),
                "name": "" if path is None else path.name,
                "text": self.text,
                "loud": self._loud,
                "choices": self.choices,
                "differences": [] if theirs is None else patch_text.differences(theirs.graph, self.graph),
            }

    # ---- how it works ----

    def _code_for(self, path: Path) -> str:
        """Digest of the graph as it was when it was first shown, for a file in a folder."""
        return patch_text.digest(self._code, path.parent)

    @property
    def _file(self) -> DiskFile | None:
        return self._files.get(self.journal.file)

    def _enter(self, file: DiskFile) -> DiskFile:
        self._files[str(file.path)] = file
        self.journal.belongs(str(file.path))
        return file

    def _to(
        self,
        status: Status,
        text: str,
        theirs: PatchText | None = None,
        seen: bytes = b"",
        *,
        loud: bool = False,
    ) -> None:
        file, why = self._file, disk.switched_off()
        if file is not None and why and status in ("new", "saved", "unsaved", "unwritable"):
            status, text = "off", f"{file.name}: edits are not saved here ({why} is set)"
        self.status, self.text, self._theirs, self._seen = status, text, theirs, seen
        self._told, self._loud = file, loud or status in (*ASKS, "unwritable", "off")
        for listener in tuple(self._listeners):
            listener()

    def _unwritable(self, file: DiskFile, error: Exception) -> None:
        what = f"{file.name}: not saved ({disk.reason(error)})"
        self._to("unwritable", f"{what}. What is here is only in this kernel: save it elsewhere")

    def _compare(self, file: DiskFile, data: bytes, asked: Literal["code", "disk"]) -> None:
        """Read the file if it equals the graph or was edited from the same code; otherwise ask the user."""
        try:
            theirs = patch_text.load(file.path, data, self._code)
        except GraphError as error:
            self._to("damaged", f"{error.violations[0]} It is left as it is, nothing is saved", seen=data)
            return
        same = patch_text.same(theirs.graph, self.graph, file.path.parent)
        mine = theirs.grew_from == file.grew_from and theirs.graph.sample_rate == self.graph.sample_rate
        if same or (mine and asked == "code"):
            file.known = digest(data)
            file.grew_from = file.grew_from if asked == "code" else theirs.grew_from
            since = f", with the edits of {disk.date(file.path)}. Undo goes back to the code's graph"
            note = "" if same else since
            if same and not self.journal.state.places:
                self.journal.settle(theirs.places, theirs.folds)
            elif not same or not theirs.lies_as(self.journal.state):
                self._adopt(theirs, file.path)
            self._to("saved", f"{file.name}: saved{note}", loud=bool(note))
            return
        grown = "grew from other code" if theirs.grew_from else "does not say from which code it grew"
        why = grown if asked == "code" else "was changed elsewhere"
        self._to(asked, f"{file.name} {why}. Neither is written until you choose", theirs, data)

    def _adopt(self, text: PatchText, path: Path) -> None:
        self._adopting = True
        try:
            self.journal.adopt(text.graph, text.places, text.folds, str(path))
        finally:
            self._adopting = False

    def _write(self, file: DiskFile, note: str = "") -> None:
        """Write the present graph, unless another program has written the file."""
        with self.journal.lock():
            self._later.cancel()
            if disk.switched_off():
                self._to("unsaved", file.name)
                return
            state, self._edited = self.journal.state, False
            text = PatchText(self.graph.copy(), state.places, state.folds, file.grew_from)
            version = self._written = self.journal.version
        try:
            foreign, was_deleted = file.replace(text.dump(file.path.parent), version)
        except (OSError, ValueError, GraphError) as error:
            self._unwritable(file, error)
            return
        with self.journal.lock():
            if file is not self._file:
                return
            if foreign is not None:
                self._compare(file, foreign, asked="disk")
            elif self._edited:
                self._wait(file)
            elif version == self._written:  # otherwise a newer write is pending and reports
                note += ", was deleted and is written again" if was_deleted else ""
                self._to("saved", f"{file.name}: saved{note}", loud=bool(note))

    def _patched(self, _: Patch) -> None:
        """Note after an edit, under the graph's lock, that there is something to write."""
        file = self._file
        if self._adopting or (self._told is file and self.status in (*ASKS, "off")):
            return
        if file is None:
            if self.status != "none":
                self._to("none", NO_FILE)
        elif by_hand():
            self._wait(file)
        elif self.status == "saved":
            self._to("saved", f"{file.name}: saved, without what code changed since")

    def _wait(self, file: DiskFile) -> None:
        """Write after the delay."""
        self._edited = True
        if self.status != "unsaved" or self._told is not file:
            self._to("unsaved", f"{file.name}: saving")
        if self.status == "unsaved":
            self._later.ask(DELAY_S)

    def _lose(self) -> None:
        """Stop saving: another graph is saved to the file from now on."""
        self.flush()
        with self.journal.lock():
            if self.path is not None:
                what = f"{plain(self.path.name)} keeps another graph of this kernel now"
                self._to("taken", f"{what}: edits here are not saved")


def _take(path: Path, taker: PatchFile) -> None:
    for known in IN_USE:
        if known is not taker and known.path == path and known.status != "taken":
            known._lose()
