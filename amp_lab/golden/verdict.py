"""Results of comparisons as frozen records: `repr` is one stable line, `str` explains a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from amp_lab.errors import AmpError, FileError, NativeCrash, NonFiniteError, plain, quoted, visible

BLOCK_FRAMES = 4096
"""Frames per row of `sums.txt` and per block named in a failure."""
Status = Literal["passed", "failed", "error"]
DIFFERENCES = ("value", "shape", "sample rate", "non-finite", "node stream")
"""Kinds of failure of a result that was compared; after any other nothing was compared."""


class GoldenError(AmpError, ValueError):
    """A call about goldens is not possible: wrong argument, no such case or folder, nothing to update.

    Examples
    --------
    >>> amp.golden.compare([0.0], [0.0], comparator="max_abs", abs_tol=1e-9)
    Traceback (most recent call last):
        ...
    amp_lab.golden.verdict.GoldenError: max_abs: no reason for the tolerance (got ''). Say why: reason='...'.
    """


class GoldenMismatch(AmpError, AssertionError):  # noqa: N818 - the name is the field's
    """At least one case differs from its reference.

    Attributes
    ----------
    verdicts : tuple of Verdict
        Every verdict of the run, passed ones included.

    Examples
    --------
    >>> try:
    ...     amp.golden.verify("beep")
    ... except amp.golden.GoldenMismatch as error:
    ...     print(error.verdicts)
    ...
    (beep: ERROR missing,)
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = tuple(verdicts)
        super().__init__("\n".join(str(v) for v in self.verdicts if not v.passed))


CAUSES = {
    "graph": "the graph in the code: the stored one still renders to the reference",
    "runtime": "the engine: the stored graph no longer renders to the reference",
}
"""Text of a failure for each cause."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where and by how much a result differs from its reference.

    Attributes
    ----------
    what : str
        Kind of failure: `value`, `shape`, `sample rate`, `non-finite` or `node stream` of a result that was
        compared; `missing`, `damaged`, `crash` or `error` if none was.
    expected, actual, difference, tolerance : str
        One line each, with units.
    frame, batch, channel : int or None
        First place that differs, if the kind of failure has one.
    node : str
        First node in data order whose inputs agree and whose output does not; empty if unknown.
    note : str
        Further information, such as nodes that were added or removed.
    cause : str
        `graph` if the stored graph still renders to the reference, so the graph in the code has changed;
        `runtime` if it does not; empty if unknown.
    changes : tuple of str
        How the graph in the code differs from the stored one: `flt.q: 6.0 -> 6.001`.

    Examples
    --------
    >>> mismatch = amp.golden.compare([0.0, 0.5], [0.0, 0.25]).mismatch
    >>> mismatch.what, mismatch.difference, mismatch.block
    ('value', '0.25', 0)
    >>> mismatch.where
    'block 0, frame 1, batch 0, channel 0'
    """

    what: str
    expected: str
    actual: str
    difference: str
    tolerance: str
    frame: int | None = None
    batch: int | None = None
    channel: int | None = None
    node: str = ""
    note: str = ""
    cause: str = ""
    changes: tuple[str, ...] = ()

    @property
    def block(self) -> int | None:
        """Row of `sums.txt` that holds `frame`."""
        return None if self.frame is None else self.frame // BLOCK_FRAMES

    @property
    def where(self) -> str:
        """`block 2, frame 9000, batch 0, channel 1, node flt`, as far as known; else the kind of failure."""
        places = [
            f"{label} {value}"
            for label, value in (
                ("block", self.block),
                ("frame", self.frame),
                ("batch", self.batch),
                ("channel", self.channel),
                ("node", plain(self.node) or None),
            )
            if value is not None
        ]
        compared = self.what in DIFFERENCES and self.frame is not None
        return ", ".join(places if compared else [self.what, *places])


def _of_node(mismatch: Mismatch) -> str:
    node = plain(mismatch.node)
    if not node or mismatch.what not in DIFFERENCES:
        return node
    return f"{node}: its inputs agree, its output does not"


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """The comparison of one result with one reference.

    Attributes
    ----------
    comparator : str
        Name in `comparators.COMPARATORS`.
    frames, channels, batches : int
        Size of the reference.
    mismatch : Mismatch or None
        None if the result passes.
    measured : float
        Worst value of the comparator's measure over batches and channels, in its unit.
    reason : str
        Why a tolerance other than every bit is right.

    Examples
    --------
    >>> same = amp.golden.compare([0.0, 0.25], [0.0, 0.25])
    >>> same, bool(same), same.passed, same.status
    (PASS exact 2 frames x 1 channel, True, True, 'passed')
    >>> other = amp.golden.compare([0.0, 0.5], [0.0, 0.25])
    >>> print(other.text())
    FAIL exact at block 0, frame 1, batch 0, channel 0
      expected   0.25
      actual     0.5
      difference 0.25
      tolerance  0 (every bit)
    >>> other.to_dict()["mismatch"]["frame"]
    1
    """

    comparator: str
    frames: int
    channels: int
    batches: int = 1
    mismatch: Mismatch | None = None
    measured: float = 0.0
    reason: str = ""

    @property
    def passed(self) -> bool:
        """True if the result agrees within the tolerance."""
        return self.mismatch is None

    @property
    def status(self) -> Status:
        """`passed`; `failed` if a result was compared and differs; `error` if nothing could be compared."""
        if self.mismatch is None:
            return "passed"
        return "failed" if self.mismatch.what in DIFFERENCES else "error"

    def __bool__(self) -> bool:
        """Whether it passed."""
        return self.passed

    def __repr__(self) -> str:
        """Return one stable line."""
        if self.mismatch is not None:
            head = "ERROR" if self.status == "error" else f"FAIL {plain(self.comparator)} at"
            return f"{head} {visible(self.mismatch.where)}"
        sizes = ((self.frames, "frame"), (self.channels, "channel"))
        size = " x ".join(f"{number} {what}{'s' * (number != 1)}" for number, what in sizes)
        return f"PASS {plain(self.comparator)} {size}" + (
            f" x {self.batches} batches" if self.batches != 1 else ""
        )

    def __str__(self) -> str:
        """Return the line and, for a failure, its facts."""
        return self.text()

    def text(self, head: str | None = None) -> str:
        """Return `head` (default: the `repr`) and, for a failure, its facts, each on its own line."""
        lines = [repr(self) if head is None else head]
        if self.mismatch is not None:
            m = self.mismatch
            facts = {
                "expected": m.expected,
                "actual": m.actual,
                "difference": m.difference,
                "tolerance": m.tolerance,
                "reason": self.reason,
                "node": _of_node(m),
                "cause": CAUSES.get(m.cause, ""),
            }
            told = [*facts.items(), *(("changed", change) for change in m.changes), ("note", m.note)]
            lines += [f"  {key:<10} {visible(' '.join(value.split()))}" for key, value in told if value]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values; a measure that is not finite is text."""
        values: dict[str, Any] = {key: getattr(self, key) for key in self.__slots__}
        finite = math.isfinite(self.measured)
        values |= {"status": self.status, "measured": self.measured if finite else str(self.measured)}
        m = self.mismatch
        values["mismatch"] = m and {key: getattr(m, key) for key in m.__slots__} | {
            "block": m.block,
            "changes": list(m.changes),
        }
        return values

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """The result of checking one case in one layout.

    Attributes
    ----------
    name : str
        Case, a folder of `goldens/`.
    comparison : Comparison
        The facts.
    layout : str
        How it was rendered if not by default, for example `block_frames 64`.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> tone = g["sine"].set(amplitude=0.5)
    >>> verdict = amp.golden.check("beep", g.render(frames=480))
    >>> print(verdict)
    beep: FAIL exact at block 0, frame 1, batch 0, channel 0, node sine
      expected   0.057564026959567215
      actual     0.028782013479783607
      difference -0.028782013479783607
      tolerance  0 (every bit)
      reason     deterministic engine: every bit
      node       sine: its inputs agree, its output does not
      cause      the graph in the code: the stored one still renders to the reference
      changed    sine.amplitude: 1.0 -> 0.5
      note       sine first differs in frame 1, batch 0, channel 0
    >>> verdict.passed, verdict.status, verdict.crashed, verdict.reason
    (False, 'failed', False, 'sine.amplitude: 1.0 -> 0.5; sine first differs in frame 1, batch 0, channel 0')
    >>> amp.golden.Verdict.from_dict(verdict.to_dict()) == verdict
    True
    >>> verdict.explained(note="heard, too").comparison.mismatch.note
    'heard, too'
    """

    name: str
    comparison: Comparison
    layout: str = field(default="")

    @property
    def passed(self) -> bool:
        """True if the comparison passed."""
        return self.comparison.passed

    @property
    def status(self) -> Status:
        """`passed`, `failed`, or `error` if nothing could be compared."""
        return self.comparison.status

    @property
    def crashed(self) -> bool:
        """True if a process died or hung while it rendered for this verdict."""
        mismatch = self.comparison.mismatch
        return mismatch is not None and mismatch.what == "crash"

    @property
    def reason(self) -> str:
        """Why it did not pass, in one line; empty if it passed."""
        m = self.comparison.mismatch
        if m is None:
            return ""
        told = m.note if self.status == "error" else "; ".join(filter(None, (*m.changes, m.note)))
        return visible(" ".join((told or m.difference).split()))

    def __bool__(self) -> bool:
        """Whether it passed."""
        return self.passed

    def __repr__(self) -> str:
        """Return one stable line."""
        layout = f" ({plain(self.layout)})" if self.layout else ""
        return f"{plain(self.name)}: {self.comparison!r}{layout}"

    def __str__(self) -> str:
        """Return the line and, for a failure, its facts."""
        return self.comparison.text(repr(self))

    def to_dict(self) -> dict[str, Any]:
        """Return name, layout and the facts as JSON values."""
        return {"name": self.name, "layout": self.layout, **self.comparison.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Read what `to_dict` gave."""
        m: Any = data["mismatch"]
        mismatch = None
        if m is not None:
            where: dict[str, Any] = {key: m[key] for key in Mismatch.__slots__}
            mismatch = Mismatch(**where | {"changes": tuple(m["changes"])})
        facts: dict[str, Any] = {key: data[key] for key in Comparison.__slots__}
        facts |= {"mismatch": mismatch, "measured": float(data["measured"])}
        return cls(data["name"], Comparison(**facts), data["layout"])

    def explained(self, **facts: Any) -> Verdict:
        """Return this failure with further facts of its mismatch: node, note, cause, changes."""
        if self.comparison.mismatch is None:
            return self
        mismatch = replace(self.comparison.mismatch, **facts)
        return replace(self, comparison=replace(self.comparison, mismatch=mismatch))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def nothing_compared(name: object, what: str, expected: str, actual: str, note: str, **place: Any) -> Verdict:
    """Return the verdict of a case that could not be compared at all."""
    mismatch = Mismatch(what, expected, actual, "nothing was compared", "none", note=note, **place)
    return Verdict(str(name), Comparison("none", 0, 0, 0, mismatch))


def of_error(name: object, error: BaseException) -> Verdict:
    """Return the verdict of a case whose reading, rendering or comparing ended with an error."""
    kinds = ((NativeCrash, "crash"), (NonFiniteError, "non-finite"), (FileError, "damaged"))
    what = next((what for kind, what in kinds if isinstance(error, kind)), "error")
    try:
        text = str(error)
    except Exception:  # an error whose own text cannot be made
        text = ""
    place: dict[str, Any] = {}
    if isinstance(error, AmpError):
        place = {"node": error.node, "frame": error.frame if error.frame >= 0 else None}
    else:
        text = f"{type(error).__name__}: {text}"
    expectations = {"non-finite": "finite samples", "error": ""}
    expected = expectations.get(what, "a readable case that renders")
    shown = name if isinstance(name, str) else quoted(name)
    return nothing_compared(shown, what, expected, type(error).__name__, text, **place)
