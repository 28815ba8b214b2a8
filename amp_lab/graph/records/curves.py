"""Control histories: named curves over time (s) that parameters and ``controller`` nodes follow."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from amp_lab import lowlevel
from amp_lab.common import atomic_files, checks, json_text
from amp_lab.errors import AmpError, FileError, GraphError, Violation, plain, quoted, shortened
from amp_lab.graph.records.values import CurveRef, Samples, numbers
from amp_lab.lowlevel.blobs import counted, seal, text

Interpolation = Literal["hold", "linear", "smooth", "exponential"]
HISTORY = b"AMPH"
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
SCHEMA = "amp_lab.controls/1"


@dataclass(frozen=True, eq=False)
class Curve(CurveRef):
    """A named curve through points (time in s, value).

    Before its first point a curve has the first value, after its last point the last one. Where two points
    have the same time, the curve jumps to the later one. A curve given as a parameter binds it by the curve's
    name.

    Parameters
    ----------
    name
        Name by which parameters and ``controller`` nodes refer to the curve.
    times_s, values
        Shape (points,), finite; the times do not decrease.
    interpolation
        ``hold`` (the value of the last point), ``linear``, ``smooth`` (cubic smoothstep) or ``exponential``
        (values of one sign, none of them 0).

    Raises
    ------
    GraphError
        If a point is not allowed; with the curve and the first such point.

    Examples
    --------
    >>> c = amp.Curve("cutoff_hz", [0.0, 1.0], [200.0, 2000.0], "exponential")
    >>> c
    Curve cutoff_hz: 2 points, 0 to 1 s, exponential
    >>> amp.Curve("cutoff_hz", [0.0, 1.0], [0.0, 2000.0], "exponential")
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: curve 'cutoff_hz': exponential through zero between points 0 and 1 (got 0 to
        2000, allowed one sign). Use linear, or end just above zero.
    """

    times_s: Samples
    values: Samples
    interpolation: Interpolation = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("times_s", "values"):
            array = numbers(f"curve {quoted(self.name)}.{field}", getattr(self, field))
            object.__setattr__(self, field, array)
        problem = self._problem()
        if problem:
            raise GraphError(f"curve {quoted(self.name)}: {problem}", stage="history")

    def _problem(self) -> str:
        t, v = self.times_s, self.values
        if self.interpolation not in (ways := get_args(Interpolation)):
            return checks.unknown("interpolation", self.interpolation, ways, "interpolation")
        if t.ndim != 1 or t.shape != v.shape or not t.size:
            shapes = f"got times {t.shape} and values {v.shape}"
            return f"wrong shape ({shapes}, allowed one length >= 1). Give one value per time."
        bad = np.flatnonzero(~(np.isfinite(t) & np.isfinite(v)))
        if bad.size:
            return f"point {bad[0]} is not finite (got {_point(t, v, bad[0])}). Use finite numbers."
        late = np.flatnonzero(t[1:] < t[:-1])
        if late.size:
            i = late[0] + 1
            times = f"got {t[i]:g} s after {t[i - 1]:g} s"
            return f"times decrease at point {i} ({times}). Sort them, or use Curve.drawn."
        return self._exponential_problem()

    def _exponential_problem(self) -> str:
        v = self.values
        zero = np.flatnonzero(np.sign(v[:-1]) * np.sign(v[1:]) <= 0)
        if self.interpolation != "exponential" or v.size == 1 or not zero.size:
            return ""
        i = zero[0]
        return (
            f"exponential through zero between points {i} and {i + 1} "
            f"(got {v[i]:g} to {v[i + 1]:g}, allowed one sign). Use linear, or end just above zero."
        )

    @classmethod
    def drawn(
        cls, name: str, points: Iterable[tuple[float, float]], interpolation: Interpolation = "linear"
    ) -> Self:
        """Return a curve through (time_s, value) points in any order; points of one time stay in order.

        Examples
        --------
        >>> amp.Curve.drawn("level", [(1.0, 0.0), (0.0, 1.0)]).values
        array([1., 0.])
        """
        array = pairs(f"curve {quoted(name)}.points", points)
        array = array[np.argsort(array[:, 0], kind="stable")]
        return cls(name, array[:, 0], array[:, 1], interpolation)

    @classmethod
    def sampled(
        cls, name: str, samples: npt.ArrayLike, rate_hz: float, interpolation: Interpolation = "linear"
    ) -> Self:
        """Return a curve through samples of shape (points,) at 0 s, 1 / rate_hz, 2 / rate_hz, ...

        Examples
        --------
        >>> amp.Curve.sampled("level", [0.0, 0.5, 1.0], rate_hz=10.0)
        Curve level: 3 points, 0 to 0.2 s, linear
        """
        where = f"curve {quoted(name)}.rate_hz"
        if checks.real(where, rate_hz, "above 0 Hz") <= 0:
            raise GraphError(f"{where}: out of range (got {quoted(rate_hz)} Hz, allowed above 0 Hz).")
        values = numbers(f"curve {quoted(name)}.samples", samples)
        return cls(name, np.arange(values.size) / rate_hz, values, interpolation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curve) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str, bytes, bytes]:
        return self.name, self.interpolation, self.times_s.tobytes(), self.values.tobytes()

    def __repr__(self) -> str:
        span = f"{self.times_s[0]:g} to {self.times_s[-1]:g} s"
        return f"Curve {self.name}: {self.times_s.size} points, {span}, {self.interpolation}"


def pairs(where: str, points: Any) -> Samples:
    """Return points (time_s, value) as an array (points, 2).

    Raises
    ------
    GraphError
        If they have another shape or are not numbers.
    """
    is_bare = isinstance(points, Iterable) and not hasattr(points, "__array__")
    array = numbers(where, list(points) if is_bare else points)
    if array.ndim != 2 or array.shape[1] != 2:
        raise GraphError(
            f"{where}: have the wrong shape (got {array.shape}, allowed (points, 2)). "
            "Give pairs: [(time_s, value), ...].",
            stage="history",
        )
    return array


def _point(times: Samples, values: Samples, index: int) -> str:
    return f"({times[index]:g} s, {values[index]:g})"


class ControlHistory(Mapping[str, Curve]):
    """An immutable mapping of curves by name.

    Parameters
    ----------
    curves
        Curves with unique names.

    Examples
    --------
    >>> gate = amp.Curve("gate", [0.0, 0.5], [1.0, 0.0], "hold")
    >>> controls = amp.ControlHistory([gate])
    >>> controls.to_dict()["curves"]
    {'gate': {'interpolation': 'hold', 'points': [[0.0, 1.0], [0.5, 0.0]]}}
    >>> controls.sample("gate", sample_rate=4.0, frames=4)
    array([1., 1., 0., 0.])
    >>> path = controls.merge(amp.performance()).save("all.json")
    >>> amp.ControlHistory.load(path)
    ControlHistory: cutoff_hz, gate, pitch_hz, velocity
    >>> amp.ControlHistory.from_json(controls.to_json())["gate"] == gate
    True
    >>> len(controls.blob), controls.digest == amp.ControlHistory.from_dict(controls.to_dict()).digest
    (71, True)
    >>> controls.select(["gait"])
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: controls: missing gait (got gate). Add them.
    """

    def __init__(self, curves: Iterable[Curve] = ()) -> None:
        self._curves: dict[str, Curve] = {}
        for curve in _checked(curves):
            if curve.name in self._curves:
                raise GraphError(
                    f"ControlHistory: curve {quoted(curve.name)} is given twice. Rename or drop one.",
                    stage="history",
                )
            self._curves[curve.name] = curve

    def __getitem__(self, name: str) -> Curve:
        return self._curves[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._curves))

    def __len__(self) -> int:
        return len(self._curves)

    def __repr__(self) -> str:
        return f"ControlHistory: {', '.join(map(plain, self)) or 'no curves'}"

    def merge(self, other: Mapping[str, Curve]) -> ControlHistory:
        """Return the curves of both; if both have a name, that of ``other``."""
        return ControlHistory({**self, **other}.values())

    def select(self, names: Iterable[str]) -> ControlHistory:
        """Return a history of the curves with these names.

        Raises
        ------
        GraphError
            If curves are missing; the message names all of them.
        """
        wanted = sorted({names} if isinstance(names, str) else set(names))
        missing = [name for name in wanted if name not in self]
        if missing:
            raise GraphError(
                f"controls: missing {', '.join(map(plain, missing))} (got {checks.listed(self)}). Add them.",
                stage="history",
            )
        return ControlHistory(self[name] for name in wanted)

    @cached_property
    def blob(self) -> bytes:
        """The history as a sealed blob, which the native side reads."""
        return _encode(self.values())

    @property
    def digest(self) -> str:
        """SHA-256 of the blob, in hex."""
        return hashlib.sha256(self.blob).hexdigest()

    def sample(self, name: str, sample_rate: float, frames: int, first_frame: int = 0) -> Samples:
        """Return a curve at t = n / sample_rate, shape (frames,), with the bits that a render uses."""
        rate = checks.sample_rate("sample.sample_rate", sample_rate)
        checks.whole("sample.frames", frames)
        checks.whole("sample.first_frame", first_frame, -checks.LONGEST, checks.LONGEST)
        return lowlevel.history_sample(self.blob, name, rate, first_frame, frames)

    def to_dict(self) -> dict[str, Any]:
        """Return the curves as JSON values; `from_dict` restores the same bits."""
        curves = {
            name: {
                "interpolation": c.interpolation,
                "points": np.column_stack((c.times_s, c.values)).tolist(),
            }
            for name, c in self.items()
        }
        return {"schema": SCHEMA, "curves": curves}

    @classmethod
    def from_dict(cls, data: Any, path: str = "$", *, where: str = "") -> ControlHistory:
        """Return the history that `to_dict` wrote.

        Parameters
        ----------
        data
            JSON values.
        path
            JSON path of the history in its file, for messages.
        where
            Name of the file, for messages.

        Raises
        ------
        FileError
            If a value is not allowed; the error lists all violations with their JSON paths.
        """
        if (
            not isinstance(data, dict)
            or data.get("schema") != SCHEMA
            or not isinstance(data.get("curves"), dict)
        ):
            got = data.get("schema") if isinstance(data, dict) else type(data).__name__
            what = f"got {quoted(got)}, allowed {SCHEMA!r} with curves by name"
            json_text.refuse(where, [f"{path}.schema: not a control history ({what})."])
        curves: list[Curve] = []
        problems: list[Violation] = []
        for name, item in data["curves"].items():
            try:
                curves.append(_read_curve(name, item))
            except (GraphError, KeyError, TypeError, ValueError) as error:
                place = json_text.place(f"{path}.curves", name)
                what = f"{place}: {shortened(str(error), 800)}"
                problems.append(
                    Violation(type(error) if isinstance(error, AmpError) else FileError, "", name, what)
                )
            if len(problems) == json_text.MOST_PROBLEMS:
                break
        json_text.refuse(where, problems)
        return cls(curves)

    def to_json(self) -> str:
        """Return the curves as JSON text; `from_json` restores the same bits."""
        return json_text.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ControlHistory:
        """Return the history of a JSON text; raises as `from_dict`."""
        return cls.from_dict(json_text.read_json(text))

    def save(self, path: str | Path) -> Path:
        """Write the JSON text to a file; on `FileError` an old file is unchanged."""
        return atomic_files.write(path, self.to_json(), "ControlHistory.save")

    @classmethod
    def load(cls, path: str | Path) -> ControlHistory:
        """Return the history of a JSON file; raises as `from_dict`."""
        return cls.from_dict(json_text.read_json(Path(path)), where=plain(path, 200))


def _checked(curves: Any) -> Iterable[Curve]:
    """Return a list of curves, checked."""
    items = list(curves) if isinstance(curves, Iterable) and not isinstance(curves, Mapping) else [curves]
    for item in items:
        if not isinstance(item, Curve):
            cure = "Write ControlHistory([amp.Curve(name, times_s, values), ...])."
            raise GraphError(
                f"ControlHistory: not a curve (got {quoted(item)}, allowed Curve). {cure}", stage="history"
            )
    return items


def check_history(where: str, value: Any) -> ControlHistory | None:
    """Return a control history or None.

    Raises
    ------
    GraphError
        If it is something else.
    """
    if value is None or isinstance(value, ControlHistory):
        return value
    raise GraphError(
        f"{where}: not a control history (got {type(value).__name__}, allowed ControlHistory or None). "
        "Write amp.ControlHistory([amp.Curve(name, times_s, values), ...])."
    )


def _read_curve(name: str, item: Any) -> Curve:
    if not isinstance(item, dict) or set(item) != {"interpolation", "points"}:
        allowed = "an object with interpolation and points"
        raise GraphError(f"not a curve (got {quoted(item)}, allowed {allowed}).")
    points = pairs(f"curve {quoted(name)}.points", item["points"])
    return Curve(name, points[:, 0], points[:, 1], item["interpolation"])


def performance() -> ControlHistory:
    """Return the ten-second performance of the package: ``gate``, ``velocity``, ``pitch_hz``, ``cutoff_hz``.

    Examples
    --------
    >>> amp.performance()["gate"]
    Curve gate: 54 points, 0 to 9.75 s, hold
    """
    return ControlHistory.from_json(
        files("amp_lab").joinpath("data/performance.json").read_text(encoding="utf-8")
    )


def _encode(curves: Iterable[Curve]) -> bytes:
    """Return the sealed control history blob (magic ``AMPH``) of some curves, in name order."""
    parts = []
    for curve in sorted(curves, key=lambda c: c.name):
        points = np.column_stack((curve.times_s, curve.values)).astype("<f8")
        parts.append(
            text(curve.name)
            + struct.pack("<BI", INTERPOLATIONS.index(curve.interpolation), len(points))
            + points.tobytes()
        )
    return seal(HISTORY, counted(parts))
