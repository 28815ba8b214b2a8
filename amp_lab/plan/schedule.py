"""Schedules: the order in which nodes fire, as stages of cohorts, derived by default or written by hand."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from amp_lab import lowlevel
from amp_lab.common import json_text
from amp_lab.errors import InvalidArgument, plain, quoted
from amp_lab.lowlevel.blobs import counted, seal, text

Cohort: TypeAlias = tuple[str, ...]
SCHEDULE = b"AMPI"
Stages: TypeAlias = tuple[tuple[Cohort, ...], ...]
_NAMES = 4
"""Most members of a cohort in a text; of a larger cohort the middle is left out and counted."""


_ROWS = 80
"""Most cohorts in a text."""


@dataclass(frozen=True, repr=False)
class Schedule:
    """An order of firing for one graph; it changes the speed of a render, never its bits.

    Stages run one after the other, and the cohorts of a stage too; the members of a cohort fire together in
    the lanes of one kernel. `Graph.ipls` derives a schedule, ``Graph.render(schedule=...)`` follows one. A
    schedule that a graph does not allow is refused with the two nodes and the rule that they break.

    Parameters
    ----------
    stages
        Names of nodes by stage and cohort, each node of the graph once; a single node is a cohort of one. Any
        nested sequences; stored as tuples.

    Raises
    ------
    InvalidArgument
        If ``stages`` has another structure; with the place in it.

    Examples
    --------
    >>> schedule = amp.Schedule([[["a", "b"]], [["mix"], ["output"]]])
    >>> schedule
    Schedule: 2 stages, 1 cohorts of 2 and more with 2 of 4 nodes
    >>> schedule.cohorts
    (('a', 'b'),)
    >>> schedule.order
    ('a', 'b', 'mix', 'output')
    >>> len(schedule.blob), len(schedule.digest)
    (67, 64)
    """

    stages: Stages

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", _checked(self.stages))

    @classmethod
    def from_json(cls, text: str | Path) -> Schedule:
        """Return the schedule that `to_json` wrote, from its text or from a file (`Path`).

        Raises
        ------
        GraphError
            If it is not JSON.
        InvalidArgument
            If it is not a schedule; with the place.

        Examples
        --------
        >>> schedule = amp.Schedule([[["a", "b"]], [["output"]]])
        >>> amp.Schedule.from_json(schedule.to_json()) == schedule
        True
        >>> amp.Schedule.from_json('{"stages": 3}')
        Traceback (most recent call last):
            ...
        amp_lab.errors.InvalidArgument: schedule.stages: not a list (got 3, allowed a list of stages). Give
            one.
        """
        data = json_text.read_json(text)
        file = f"{plain(text, 200)}: " if isinstance(text, Path) else ""
        if not isinstance(data, dict) or data.keys() != {"stages"}:
            raise InvalidArgument(
                f'{file}schedule: not a schedule (got {quoted(data)}, allowed {{"stages": [...]}}). '
                "Write it with Schedule.to_json()."
            )
        try:
            return cls(data["stages"])
        except InvalidArgument as error:
            raise InvalidArgument(f"{file}{error}") from None

    def to_json(self) -> str:
        """Return the schedule as JSON text.

        Examples
        --------
        >>> print(amp.Schedule([[["a", "b"]], [["output"]]]).to_json())
        {"stages": [[["a", "b"]], [["output"]]]}
        """
        return json_text.dumps({"stages": [[list(cohort) for cohort in stage] for stage in self.stages]})

    @property
    def cohorts(self) -> tuple[Cohort, ...]:
        """Cohorts of two or more members, in firing order."""
        return tuple(cohort for stage in self.stages for cohort in stage if len(cohort) > 1)

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the nodes in firing order."""
        return tuple(name for stage in self.stages for cohort in stage for name in cohort)

    @cached_property
    def blob(self) -> bytes:
        """The schedule as a sealed blob (``graph.h``), which the runtime reads."""
        cohorts = [[counted([text(name) for name in cohort]) for cohort in stage] for stage in self.stages]
        return seal(SCHEDULE, counted([counted(stage) for stage in cohorts]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the blob, 64 hexadecimal digits."""
        return hashlib.sha256(self.blob).hexdigest()

    def to_text(self) -> str:
        """Return the schedule as a readable text, a line per cohort; long lines and texts are shortened.

        Examples
        --------
        >>> print(amp.Schedule([[["a", "b"]], [["output"]]]).to_text())
        schedule: 2 stages, 1 cohorts of 2 and more with 2 of 3 nodes, 8 lanes
          stage  members  nodes
              1        2  a, b
              2        1  output
        """
        head = [f"{self._summary()}, {lowlevel.LANES} lanes", "  stage  members  nodes"]
        rows = [
            f"  {'' if k else number:>5}  {len(cohort):>7}  {_short(cohort)}"
            for number, stage in enumerate(self.stages, 1)
            for k, cohort in enumerate(stage)
        ]
        more = [f"  and {len(rows) - _ROWS} more lines"] if len(rows) > _ROWS else []
        return "\n".join([*head, *rows[:_ROWS], *more]) + "\n"

    def _summary(self) -> str:
        fused = sum(map(len, self.cohorts))
        return (
            f"schedule: {len(self.stages)} stages, {len(self.cohorts)} cohorts of 2 and more "
            f"with {fused} of {len(self.order)} nodes"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.to_text())}</pre>"

    def __repr__(self) -> str:
        return f"Schedule{self._summary().removeprefix('schedule')}"


Choice: TypeAlias = Schedule | Literal["plain"] | None
"""Argument ``schedule`` of a render: a schedule, ``"plain"`` (the plan's own order), or None (derived)."""


def choose(where: str, schedule: Choice) -> bytes | None:
    """Return the schedule blob for a runtime: empty for the plan's own order, None for the derived schedule.

    Raises
    ------
    InvalidArgument
        If the argument is neither a schedule nor ``"plain"`` nor None.
    """
    if schedule is None or isinstance(schedule, Schedule):
        return None if schedule is None else schedule.blob
    if schedule != "plain":
        raise InvalidArgument(
            f"{where}.schedule: no schedule (got {quoted(schedule)}, allowed a Schedule, 'plain' or None). "
            "Take g.ipls(), or write amp.Schedule(stages)."
        )
    return b""


def followed(descriptor_blob: bytes, chosen: bytes | None) -> Schedule:
    """Return the schedule that a runtime of these descriptors follows; ``chosen`` is from `choose`."""
    if chosen is None:
        chosen = lowlevel.schedule_derive(descriptor_blob)
    return Schedule(json.loads(lowlevel.schedule_describe(descriptor_blob, chosen))["stages"])


def name_of(chosen: bytes | None) -> str:
    """Return the name of a result of `choose`: ``derived``, ``plain``, or the digest of a schedule."""
    if chosen is None:
        return "derived"
    return hashlib.sha256(chosen).hexdigest() if chosen else "plain"


def _short(cohort: Cohort) -> str:
    if len(cohort) <= _NAMES:
        return ", ".join(cohort)
    half = _NAMES // 2
    return ", ".join([*cohort[:half], f"({len(cohort) - 2 * half} more)", *cohort[-half:]])


def _checked(stages: Any) -> Stages:
    return tuple(
        tuple(
            tuple(_name(f"schedule.stages[{i}][{k}][{m}]", name) for m, name in _items(cohort, i, k))
            for k, cohort in _items(stage, i)
        )
        for i, stage in _items(stages)
    )


def _items(value: Any, *place: int) -> list[tuple[int, Any]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        where = "schedule.stages" + "".join(f"[{i}]" for i in place)
        what = ("stages", "cohorts", "names of nodes")[len(place)]
        raise InvalidArgument(
            f"{where}: not a list (got {quoted(value)}, allowed a list of {what}). Give one."
        )
    return list(enumerate(value))


def _name(where: str, name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidArgument(f"{where}: not a name (got {quoted(name)}, allowed a str). Name a node.")
    return name
