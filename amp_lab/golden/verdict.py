"""What a comparison says: frozen values; `repr` is one stable line, `str` explains a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from amp_lab.errors import AmpError, plain, visible

BLOCK_FRAMES = 4096
"""Frames per row of `sums.txt` and per block named in a failure."""


class GoldenError(AmpError, ValueError):
    """A golden was asked for in a way that cannot be answered."""


class GoldenMismatch(AmpError, AssertionError):  # noqa: N818 - the name is the field's
    """At least one case differs from its reference.

    Attributes
    ----------
    verdicts : tuple of Verdict
        Every verdict of the run, passed ones included.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = tuple(verdicts)
        super().__init__("\n".join(str(v) for v in self.verdicts if not v.passed))


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where and by how much a result leaves its reference.

    Attributes
    ----------
    what : str
        Kind of failure: `value`, `shape`, `sample rate`, `non-finite`, `node stream`, `missing`, `damaged`.
    expected, actual, difference, tolerance : str
        One line each, with units.
    frame, batch, channel : int or None
        First place that differs, if the kind of failure has one.
    node : str
        First node in data order whose inputs agree and whose output does not; empty if unknown.
    note : str
        What else helps, for example which node streams appeared or vanished.
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
                ("node", self.node or None),
            )
            if value is not None
        ]
        return ", ".join(places) if self.frame is not None else ", ".join([self.what, *places])


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """One result held against one reference.

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

    def __bool__(self) -> bool:
        """Whether it passed."""
        return self.passed

    def __repr__(self) -> str:
        """Return one stable line."""
        if self.mismatch is not None:
            return f"FAIL {plain(self.comparator)} at {visible(self.mismatch.where)}"
        sizes = ((self.frames, "frame"), (self.channels, "channel"))
        size = " x ".join(f"{number} {what}{'s' * (number != 1)}" for number, what in sizes)
        return f"PASS {self.comparator} {size}" + (f" x {self.batches} batches" if self.batches != 1 else "")

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
                "node": f"{m.node}: its inputs agree, its output does not" if m.node else "",
                "note": m.note,
            }
            lines += [f"  {key:<10} {visible(value)}" for key, value in facts.items() if value]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What became of one case in one layout.

    Attributes
    ----------
    name : str
        Case, a folder of `goldens/`.
    comparison : Comparison
        The facts.
    layout : str
        How it was rendered if not by default, for example `block_frames 64`.
    """

    name: str
    comparison: Comparison
    layout: str = field(default="")

    @property
    def passed(self) -> bool:
        """True if the comparison passed."""
        return self.comparison.passed

    def __bool__(self) -> bool:
        """Whether it passed."""
        return self.passed

    def __repr__(self) -> str:
        """Return one stable line."""
        return f"{plain(self.name)}: {self.comparison!r}" + (f" ({self.layout})" if self.layout else "")

    def __str__(self) -> str:
        """Return the line and, for a failure, its facts."""
        return self.comparison.text(repr(self))

    def located(self, node: str, note: str) -> Verdict:
        """Return this failure with the node it starts in and a note."""
        if self.comparison.mismatch is None:
            return self
        mismatch = replace(self.comparison.mismatch, node=node, note=note)
        return replace(self, comparison=replace(self.comparison, mismatch=mismatch))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
