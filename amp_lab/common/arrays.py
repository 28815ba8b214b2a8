"""Arrays of callers: which are accepted as samples or as numbers, and how they are converted to float64.

All public functions with array arguments use `samples` (signals: floating point, or integers with a
``scale``) or `numbers` (parameters, curves, tables: integers too). Both accept NumPy arrays, numbers, lists
and tuples of them, ``range``, ``array.array`` and ``memoryview``. Imaginary parts, masks, labels and units
are never dropped: such values are refused, with the expression to write instead.
"""

from __future__ import annotations

import array as buffers
import itertools
import math
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from amp_lab.errors import AmpError, GraphError, ShapeError, quoted

FloatArray: TypeAlias = npt.NDArray[np.float64]
Scale: TypeAlias = float | Literal["full"] | None
"""Factor on integer samples; ``"full"`` scales the full scale of their type to 1."""

NUMBERS: Final = "real numbers"
SAMPLES: Final = "floating point with full scale 1"
TYPICAL_CHANNELS: Final = 64
"""An array with more channels than this, and fewer frames than channels, is probably (frame, channel)."""
TRANSPOSED: Final = "It looks like (frame, channel): use x.T, with batches np.swapaxes(x, -1, -2)."


class Problem(NamedTuple):
    """Why an argument is not a number: what it is, and what to write instead."""

    what: str
    cure: str


_FLOAT64: Final = np.dtype(np.float64)
_QUICK: Final = (_FLOAT64, np.dtype(np.float32))
"""Types of most blocks of samples, which need no further check."""
_SEQUENCES: Final = (list, tuple, range)
_MOST_DEPTH: Final = 8
"""Of nested lists."""
_LAST_PCM_BYTES: Final = 4
"""Wider integers are no sample format, and what lists of Python's integers become."""
_CURES: Final = {
    "complex": "Take the part you mean: np.real(x) or np.abs(x).",
    "text": "Convert it: np.asarray(x, dtype=float).",
    "bytes": "Say how they are coded: np.frombuffer(x, dtype='<i2') with scale='full', for example.",
    "datetime": "Give seconds as numbers: (x - x[0]) / np.timedelta64(1, 's').",
    "timedelta": "Give seconds as numbers: x / np.timedelta64(1, 's').",
    "bool": "Convert it: x.astype(float), or float(x).",
    "object": "Convert it: x.astype(float).",
    "structured": "Take one field: x['name'].",
}
_KINDS: Final = {
    "b": "bool",
    "c": "complex",
    "m": "timedelta",
    "M": "datetime",
    "S": "bytes",
    "T": "text",
    "U": "text",
    "V": "structured",
}
"""Of `numpy.dtype.kind`; any other is ``object``."""


def numbers(
    where: str,
    given: Any,
    *,
    what: str = "numbers",
    allowed: str = NUMBERS,
    error: type[AmpError] = GraphError,
) -> FloatArray:
    """Return numbers as a float64 array of the same shape; an array that is float64 already is not copied.

    Raises
    ------
    GraphError, or the given class
        If they are something else.
    """
    if type(given) is np.ndarray and given.dtype in _QUICK:
        return given.astype(_FLOAT64, copy=False)
    return _float64(where, _taken(where, given, what, allowed, error), error)


def samples(
    where: str,
    given: Any,
    scale: Scale = None,
    *,
    takes_scale: bool = True,
    allowed: str = SAMPLES,
    error: type[AmpError] = GraphError,
) -> FloatArray:
    """Return samples as a float64 array of the same shape; an array that is float64 already is not copied.

    Parameters
    ----------
    where
        ``node.samples``, for messages; ``scale`` is named beside it.
    scale
        Factor on the samples, required for integers; ``"full"`` is 1/32768 for int16 and 1 for floating
        point.
    takes_scale
        Whether the caller has an argument ``scale``; if not, errors about integers name `amp_lab.samples`.

    Raises
    ------
    GraphError, or the given class
        If they are something else, or integers without ``scale``.
    """
    if scale is None and type(given) is np.ndarray and given.dtype in _QUICK:
        return given.astype(_FLOAT64, copy=False)
    taken = _taken(where, given, "numbers", allowed, error)
    if scale is None:
        if taken.dtype.kind in "iu":
            raise error(
                f"{where}: integers without a scale (got {described(taken)}, allowed {allowed}). "
                + _scale_cure(taken.dtype, takes_scale)
            )
        return _float64(where, taken, error)
    zero, factor = _law(f"{where.rpartition('.')[0] or where}.scale", scale, taken.dtype, error)
    return (_float64(where, taken, error) - zero) * factor


def _scale_cure(dtype: np.dtype[Any], takes_scale: bool) -> str:
    given = "'full'" if dtype.itemsize <= _LAST_PCM_BYTES else "1/32768"
    if takes_scale:
        return f"Say it: scale={given} for PCM, scale=1 for the values as they are."
    return f"Convert them: amp.samples(x, scale={given}) for PCM, scale=1 for the values as they are."


def described(given: npt.NDArray[Any]) -> str:
    """Describe an array: ``int16 of shape (2, 480)``."""
    kind = "structured array" if given.dtype.names else str(given.dtype)
    return f"{kind} of shape {given.shape}" if given.ndim else f"{kind} {quoted(given.item())}"


def looks_transposed(shape: tuple[int, ...]) -> bool:
    """Return whether a shape (..., channels, frames) is more likely (..., frames, channels)."""
    return len(shape) > 1 and shape[-2] > TYPICAL_CHANNELS and shape[-2] > shape[-1]


def check_not_transposed(
    where: str, shape: tuple[int, ...], cure: str, error: type[AmpError] = ShapeError
) -> None:
    """Raise an error for samples whose shape looks like (frame, channel).

    Parameters
    ----------
    cure
        What to write if the array does have so many channels.

    Raises
    ------
    ShapeError, or the given class
        If the shape looks transposed.
    """
    if looks_transposed(shape):
        raise error(
            f"{where}: {shape[-2]} channels of {shape[-1]} frames (got shape {shape}, allowed "
            f"(channel, frame)). {TRANSPOSED} {cure}".rstrip()
        )


def _law(where: str, scale: Any, dtype: np.dtype[Any], error: type[AmpError]) -> tuple[float, float]:
    """Return the value that is silence and the factor."""
    allowed = "a finite number other than 0, or 'full'"
    if isinstance(scale, str) and scale == "full":
        if dtype.kind == "f":
            return 0.0, 1.0
        if dtype.itemsize > _LAST_PCM_BYTES:
            raise error(
                f"{where}: 'full' is not defined for {dtype} (got 'full', allowed a number). "
                "Give 1 / full scale: scale=1/32768 for 16 bits."
            )
        half = 2.0 ** (8 * dtype.itemsize - 1)
        return (half if dtype.kind == "u" else 0.0), 1.0 / half
    is_number = isinstance(scale, int | float | np.floating | np.integer) and not isinstance(
        scale, bool | np.timedelta64
    )
    if not is_number or not math.isfinite(scale) or not scale:
        raise error(f"{where}: no scale (got {quoted(scale)}, allowed {allowed}). Write scale='full'.")
    return 0.0, float(scale)


def _taken(where: str, given: Any, noun: str, allowed: str, error: type[AmpError]) -> npt.NDArray[Any]:
    """Return an array of integers or floating point, of any width."""
    problem = _container_problem(given)
    if problem is None:
        try:
            found = np.asarray(given)
        except (TypeError, ValueError, OverflowError):
            problem = Problem("rows of unequal length", "Give rows of one length.")
        else:
            problem = _array_problem(found)
            if problem is None:
                return found
    is_value = (
        not isinstance(given, np.ndarray) and "." not in problem.what and not hasattr(given, "__next__")
    )
    shown = f"{quoted(given)}, {problem.what}" if is_value else problem.what
    raise error(f"{where}: not {noun} (got {shown}, allowed {allowed}). {problem.cure}")


def _container_problem(given: Any) -> Problem | None:
    """Return why an argument does not hold plain numbers; None if it does."""
    if isinstance(given, np.ndarray):
        return _array_problem(given)
    if isinstance(given, _SEQUENCES):
        return _list_problem(given)
    if isinstance(given, buffers.array | memoryview):
        return None
    return _type_problem(type(given))


def _array_problem(given: npt.NDArray[Any]) -> Problem | None:
    if isinstance(given, np.ma.MaskedArray):
        return Problem("masked array", "Fill what is masked: x.filled(0.0).")
    if given.dtype.kind in "iuf":
        return None
    kind = _KINDS.get(given.dtype.kind, "object")
    return Problem(described(given), _CURES[kind])


def _list_problem(given: Iterable[Any]) -> Problem | None:
    """Return why an item of nested lists is not a number; checked level by level, which is fast."""
    level = given
    for _ in range(_MOST_DEPTH):
        kinds = set(map(type, level))
        nested = {kind for kind in kinds if issubclass(kind, _SEQUENCES)}
        for kind in sorted(kinds - nested, key=lambda kind: kind.__qualname__):
            if issubclass(kind, np.ndarray):
                arrays = (item for item in level if isinstance(item, np.ndarray))
                problem = next(filter(None, map(_array_problem, arrays)), None)
            else:
                problem = _type_problem(kind, "[float(v) for v in x]")
            if problem is not None:
                return Problem(f"{problem.what} among them", problem.cure)
        if not nested:
            return None
        level = list(itertools.chain.from_iterable(item for item in level if isinstance(item, _SEQUENCES)))
    return Problem(f"lists nested deeper than {_MOST_DEPTH}", "Give (batch, channel, frame) at most.")


_FOREIGN: Final = (
    ("to_numpy", "Convert it: x.to_numpy()."),
    ("toarray", "Convert it: x.toarray()."),
    ("numpy", "Convert it: x.numpy()."),
    ("waveform", "Give its samples: x.audio."),
    ("set_thermo", "To drive it by a node use g.modulate(node, parameter, mode=...)."),
    ("splits", "To drive it by a node use g.modulate(node, parameter, mode=...)."),
    ("__array__", "Convert it: np.asarray(x)."),
    ("total_seconds", "Give seconds: x.total_seconds()."),
    ("__iter__", "Give a list: list(x)."),
)
"""Attributes of types that are not numbers, with the cure; the first that fits is used."""
_NAMED: Final = (
    ((bool, np.bool_), "bool"),
    ((complex, np.complexfloating), "complex"),
    ((str,), "text"),
    ((bytes, bytearray), "bytes"),
    ((np.timedelta64,), "timedelta"),
    ((np.datetime64,), "datetime"),
)


def _type_problem(kind: type, convert: str = "float(x)") -> Problem | None:
    """Return why a type is not a real number, with the cure."""
    for types, name in _NAMED:
        if issubclass(kind, types):
            return Problem(name, f"Convert it: {convert}." if name == "bool" else _CURES[name])
    if issubclass(kind, int | float | np.integer | np.floating):
        return None
    name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}".removeprefix("builtins.")
    for attribute, cure in _FOREIGN:
        if hasattr(kind, attribute):
            return Problem(name, cure)
    is_number = hasattr(kind, "__float__")
    return Problem(name, f"Convert it: {convert}." if is_number else "Give a number or an array of numbers.")


def _float64(where: str, taken: npt.NDArray[Any], error: type[AmpError]) -> FloatArray:
    """Convert; extended precision is rounded to the nearest, and refused beyond the largest float64."""
    with np.errstate(over="ignore"):
        found = taken.astype(np.float64, copy=False)
    if taken.dtype.itemsize > _FLOAT64.itemsize and (np.isinf(found) & np.isfinite(taken)).any():
        largest = np.finfo(np.float64).max
        raise error(
            f"{where}: too large for float64 (got {described(taken)}, allowed up to {largest:.3g}). "
            "Scale it down first."
        )
    return found
