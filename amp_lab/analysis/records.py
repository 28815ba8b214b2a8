"""Base of the results of measurements: read-only fields with units, one line of text, JSON values."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from amp_lab.graph.records.values import ReadOnlyArrays


class Record(ReadOnlyArrays):
    """Base of the results of measurements: frozen dataclasses whose arrays cannot be written to."""

    _units: ClassVar[Mapping[str, str]] = {}

    @property
    def units(self) -> dict[str, str]:
        """Unit of each field that has one."""
        return dict(self._units)

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON values, and ``units``.

        Arrays become nested lists; numbers that JSON does not have become the texts ``"nan"``, ``"inf"``
        and ``"-inf"``, which `float` reads.
        """
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # of subclasses, which are dataclasses
        return {f.name: _plain(getattr(self, f.name)) for f in fields} | {"units": self.units}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def number(value: Any, digits: int = 2) -> str:
    """Return a number with so many decimals; ``n/a`` for NaN, never ``-0.00``."""
    if np.isnan(value):
        return "n/a"
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def span(values: npt.ArrayLike, unit: str = "dB", digits: int = 2) -> str:
    """Return ``-80.00 dB``, or ``-80.00 to -60.00 dB`` for several values that differ."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    known = flat[~np.isnan(flat)]
    if not known.size:
        return f"n/a {unit}".rstrip()
    ends = [number(known.min(), digits), number(known.max(), digits)]
    return f"{' to '.join(dict.fromkeys(ends))} {unit}".rstrip()


def size(shape: tuple[int, ...], frames: int, sample_rate: float) -> str:
    """Return ``2x1 signals of 48000 frames at 48000 Hz``; one signal is not counted."""
    plural = "s" if frames != 1 else ""
    count = "" if math.prod(shape) == 1 else f"{'x'.join(map(str, shape))} signals of "
    return f"{count}{frames} frame{plural} at {sample_rate:.9g} Hz"
