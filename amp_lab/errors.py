"""Every failure as an exception class; native status codes map one to one.

Messages read ``where: what (got X, allowed Y). What to do.`` Names and values that a user or a file gave are
shown by `quoted` or `plain`: nothing in them can move a cursor, turn the direction of writing or fill a page.
"""

# ruff: noqa: N818 - the names say what happened; `except amp.Pending` reads as it should

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

QUOTED = 80
"""Characters of a name or value that texts show at most."""
LISTED = 400
"""Violations that the text of an error lists at most: of more the middle is left out, and counted."""
_ENDS = 100
"""How many of them stand behind the middle."""
_LONG_WORD = re.compile(rf"[\w\-]{{{QUOTED + 1},}}")


def shortened(text: str, most: int = QUOTED) -> str:
    """Leave out the middle of a text of more than ``most`` characters."""
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"


def visible(text: str, keep: str = "") -> str:
    """Show what cannot be printed as Python escapes: controls, ESC, NUL, marks of direction, lone surrogates.

    Characters in ``keep`` stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def plain(name: object, most: int = QUOTED) -> str:
    """Return a name as tables show it: on one line, printable, at most ``most`` of its characters."""
    return visible(shortened(str(name), most))


def quoted(value: object, most: int = QUOTED) -> str:
    """Return a value as an error shows it: its `repr` on one line, printable, at most ``most`` characters."""
    if isinstance(value, str):
        return repr(shortened(str(value), most))
    try:
        text = repr(value)
    except Exception:  # its own `repr` fails, or an int has more digits than Python writes
        text = f"<{type(value).__name__}>"
    return visible(shortened(" ".join(text.split()), most))


def readable(text: str) -> str:
    """Return lines that can be printed; of a word of more than `QUOTED` characters the middle is left out."""
    return visible(_LONG_WORD.sub(lambda word: shortened(word[0]), text), keep="\n")


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong, as a record: programs read its fields, `str` gives its line.

    Names and sentences stand as they were given, whole; the line shows what cannot be printed as escapes.

    Parameters
    ----------
    kind
        Class of the error that this one alone would be.
    node, port
        Name of the node and key of its port or parameter, or name of a curve in ``port``; ``""`` if unknown.
    sentence
        Where, what, the value and what is allowed.
    cure
        What to do; ``""`` where the sentence ends with it.
    src
        Of a link that is at fault, which leads to ``node``: the node it comes from, else ``""``.
    frames
        Frames of delay that the link lacks, else 0.
    """

    kind: type[AmpError]
    node: str = ""
    port: str = ""
    sentence: str = ""
    cure: str = ""
    src: str = ""
    frames: int = 0

    def __str__(self) -> str:
        text = f"{self.sentence} {self.cure}" if self.cure else self.sentence
        return visible(_LONG_WORD.sub(lambda word: shortened(word[0]), text))


def listed(violations: Sequence[Violation], found: int = 0) -> str:
    """Return one line per violation; of more than `LISTED` the middle is left out.

    Parameters
    ----------
    violations
        What was found.
    found
        How many there were, if not all were kept.
    """
    more = max(found - len(violations), 0)
    tail = [f"... and {more} more that were not kept."] if more else []
    if len(violations) <= LISTED:
        return "\n".join([*map(str, violations), *tail])
    left_out = f"... {len(violations) - LISTED} more: `violations` of this error has them ..."
    head = map(str, violations[: LISTED - _ENDS])
    return "\n".join([*head, left_out, *map(str, violations[-_ENDS:]), *tail])


class AmpError(Exception):
    """A failure of the runtime or the model, with the place where it happened.

    Parameters
    ----------
    message
        One sentence: where, what, cure. What cannot be printed is kept as escapes, and of a word of more than
        `QUOTED` characters the middle is left out; lines stay lines.
    code
        Native status (0 if the failure is not native).
    stage
        ``load``, ``plan``, ``configure``, ``set_param``, ``execute``, ... or ``""``.
    node, port
        Name of the node and key of its port or parameter, ``""`` if unknown.
    batch, channel, frame
        Logical position, -1 if unknown.
    violations
        Everything that was found wrong; by default the failure itself is the only one.
    """

    status: ClassVar[int] = 0

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        stage: str = "",
        node: str = "",
        port: str = "",
        batch: int = -1,
        channel: int = -1,
        frame: int = -1,
        violations: Iterable[Violation] = (),
    ) -> None:
        super().__init__(readable(message))
        self._violations = tuple(violations)
        self.code = self.status if code is None else code
        self.stage = stage
        self.node = node
        self.port = port
        self.batch = batch
        self.channel = channel
        self.frame = frame

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything that was found wrong, at least one; the fields of the error are those of the first."""
        own = Violation(type(self), self.node, self.port, str(self.args[0] if self.args else ""))
        return self._violations or (own,)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by message and fields, so that a worker process can send its failure."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class InvalidArgument(AmpError):
    """A value, name or phase that is not allowed."""

    status = -1


class ShapeError(AmpError):
    """A tensor whose shape does not fit."""

    status = -2


class OutOfMemory(AmpError):
    """The native side could not allocate."""

    status = -3


class Unsupported(AmpError):
    """A feature this node or build does not have."""

    status = -4


class Pending(AmpError):
    """An input has not arrived, or the run was cancelled."""

    status = -5


class BlobError(AmpError):
    """A malformed blob: where and what."""

    status = -6


class DriftError(AmpError):
    """Plan, descriptors and contracts do not belong together."""

    status = -7


class CycleError(AmpError):
    """A feedback cycle without enough edge delay."""

    status = -8


class NonFiniteError(AmpError):
    """A NaN or Inf appeared in a signal."""

    status = -9


class ThermalError(AmpError):
    """The heat budget was exceeded."""

    status = -10


class InternalError(AmpError):
    """A broken promise of the runtime itself; please report it."""

    status = -11


class RingFull(AmpError):
    """A ring is at its limit."""

    status = -12


class GraphError(AmpError, ValueError):
    """A mistake in the model, found before anything native runs."""


class FileError(GraphError):
    """A file that is not acceptable or cannot be written; says which file, and the place inside it."""

    def __init__(self, message: str, *, stage: str = "load", violations: Iterable[Violation] = ()) -> None:
        super().__init__(message, stage=stage, violations=violations)


class NativeCrash(AmpError):
    """The rendering worker died by a signal; the calling process lives.

    Parameters
    ----------
    signal
        Name of the signal, ``SIGSEGV``, or ``""`` if it was killed for not answering.
    node
        Node that was firing, ``""`` if none was.
    first_frame, frames
        The window of logical frames being fired.
    """

    def __init__(
        self, message: str, *, signal: str = "", node: str = "", first_frame: int = -1, frames: int = 0
    ) -> None:
        super().__init__(message, stage="execute", node=node, frame=first_frame)
        self.signal = signal
        self.first_frame = first_frame
        self.frames = frames


class WorkerUnavailable(AmpError):
    """No worker process can be started: a limit of the system, named in the message, forbids it."""


class IsolationWarning(UserWarning):
    """A notebook renders in its own process, as no worker can be started: said once."""


class NativeLibraryMissing(ImportError):
    """The native library is not built."""


class NativeLibraryStale(ImportError):
    """The native library does not belong to these sources."""


BY_STATUS: dict[int, type[AmpError]] = {
    cls.status: cls
    for cls in (
        InvalidArgument,
        ShapeError,
        OutOfMemory,
        Unsupported,
        Pending,
        BlobError,
        DriftError,
        CycleError,
        NonFiniteError,
        ThermalError,
        InternalError,
        RingFull,
    )
}
