"""Values of parameters: one normal form, checked against the contract."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from amp_lab.common import arrays, checks
from amp_lab.contracts import NodeContract, ParamContract
from amp_lab.errors import GraphError, ShapeError, quoted

Samples: TypeAlias = npt.NDArray[np.float64]

SYNONYMS = {
    "pan": "position",
    "freq": "frequency_hz",
    "frequency": "frequency_hz",
    "resonance": "q",
    "shape": "waveform",
    "type": "mode",
}
"""Names of parameters in other programs, and their keys here."""


@dataclass(frozen=True)
class CurveRef:
    """A parameter value that stands for the control curve of this name.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.sine(frequency_hz=amp.curve("pitch_hz")).params["frequency_hz"]
    CurveRef(name='pitch_hz')
    """

    name: str

    def __post_init__(self) -> None:
        checks.label("curve", self.name)


Value: TypeAlias = float | int | str | Samples | CurveRef
"""Normal form of a parameter: number, integer, choice or text, curve, read-only tensor (B|1, C|1, N|1) or
matrix (B|1, rows, columns)."""

ValueLike: TypeAlias = float | int | str | npt.ArrayLike | CurveRef


def curve(name: str) -> CurveRef:
    """Return a parameter value that follows a control curve: ``g.svf(x, cutoff_hz=curve("cutoff_hz"))``.

    Examples
    --------
    >>> g = amp.Graph()
    >>> g.sine(frequency_hz=amp.curve("pitch_hz"))
    Node sine: sine(frequency_hz=CurveRef(name='pitch_hz'))
    >>> g.compile().curves
    ('pitch_hz',)
    """
    return CurveRef(name)


def same(a: Value, b: Value) -> bool:
    """Return whether two normal forms have the same kind and the same bits."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return (
            isinstance(a, np.ndarray)
            and isinstance(b, np.ndarray)
            and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )
    return type(a) is type(b) and a == b


def frozen(array: npt.ArrayLike) -> Samples:
    """Return a read-only, contiguous float64 copy."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


class ReadOnlyArrays:
    """Base of frozen records: their arrays, also those in mappings, are read-only, after unpickling too."""

    def __post_init__(self) -> None:
        """Make the arrays of a new record read-only."""
        self._lock_arrays()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the arrays of an unpickled record read-only."""
        self.__dict__.update(state)
        self._lock_arrays()

    def _lock_arrays(self) -> None:
        for value in vars(self).values():
            for array in value.values() if isinstance(value, dict) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False


def numbers(where: str, array: Any, allowed: str = "an array") -> Samples:
    """Return a read-only, contiguous float64 copy of numbers.

    Raises
    ------
    GraphError
        If they are something else.
    """
    return frozen(arrays.numbers(where, array, allowed=allowed))


def normal(
    where: str, param: ParamContract, value: Any, sample_rate: float, *, names_curve: bool = False
) -> Value:
    """Return a value in normal form, with kind, shape and range checked.

    The range is that of the value before modulation; the runtime checks the modulated value.

    Parameters
    ----------
    where
        ``node.key``, for messages.
    value
        Number, array (B|1, C|1, N|1), curve, choice or text, as the kind of the parameter allows.
    sample_rate
        In Hz, for limits that are fractions of it.
    names_curve
        Whether the text is the name of a control curve.

    Raises
    ------
    GraphError, ShapeError
        If kind, shape or range does not fit.
    """
    if param.kind == "number":
        return _number(where, param, value, sample_rate)
    if param.kind == "matrix":
        return _matrix(where, param, value, sample_rate)
    if param.kind == "integer":
        return _integer(where, param, value)
    if param.kind == "text" and isinstance(value, CurveRef):
        return value.name
    if not isinstance(value, str):
        raise GraphError(
            f"{where}: not a text (got {quoted(value)}, allowed {param.allowed()}). Give a string."
        )
    if param.kind == "enum":
        return checks.choice(where, value, param.choices, "choice")
    return checks.label(where, value) if names_curve and value else checks.text(where, value)


def _integer(where: str, param: ParamContract, value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise GraphError(
            f"{where}: not a whole number (got {quoted(value)}, allowed {param.allowed()}). Give an int."
        ) from None
    if not param.low <= number <= param.high:
        raise GraphError(
            f"{where}: out of range (got {quoted(number)}, allowed {param.allowed()}). Choose a value inside."
        )
    return number


def _number(where: str, param: ParamContract, value: Any, sample_rate: float) -> Value:
    if isinstance(value, CurveRef):
        if param.rate != "frame":
            raise GraphError(
                f"{where}: cannot follow a curve (got {quoted(value.name)}, allowed {param.allowed()}: its "
                f"rate is {param.rate}). Give a number."
            )
        return CurveRef(value.name)
    low, high = param.limits(sample_rate)
    if isinstance(value, float) and low <= value <= high:  # almost always, so it must be quick
        return float(value)
    array = arrays.numbers(where, value, what="a number, array or curve", allowed=param.allowed())
    if not np.isfinite(array).all():
        raise GraphError(
            f"{where}: not finite (got NaN or Inf, allowed {param.allowed()}). Use finite values."
        )
    if array.ndim:
        _check_shape(where, param, array.shape)
    if param.rate != "frame" or param.range == "error":
        _check_range(where, param, array, sample_rate)
    return frozen(array) if array.ndim else float(array)


def _matrix(where: str, param: ParamContract, value: Any, sample_rate: float) -> Samples:
    if isinstance(value, CurveRef):
        got = f"got {quoted(value.name)}, allowed numbers: its rate is {param.rate}"
        raise GraphError(f"{where}: cannot follow a curve ({got}). Give a matrix of numbers.")
    array = numbers(where, value, "(rows, columns) or (batches, rows, columns)")
    if array.ndim not in (0, 2, 3) or not array.size:
        allowed = "(rows, columns) or (batches, rows, columns)"
        raise ShapeError(
            f"{where}: not a matrix (got {array.shape}, allowed {allowed}). Write [[1, 0], [0, 1]]."
        )
    if not np.isfinite(array).all():
        raise GraphError(
            f"{where}: not finite (got NaN or Inf, allowed {param.allowed()}). Use finite values."
        )
    _check_range(where, param, array, sample_rate)
    return frozen(array.reshape((1,) * (3 - array.ndim) + array.shape))


def _check_shape(where: str, param: ParamContract, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or 0 in shape:
        cure = "Write a[None, None, :] per frame, a[None, :, None] per channel, amp.batch(a) per batch."
        raise ShapeError(
            f"{where}: wrong shape (got {shape}, allowed (batches|1, channels|1, frames|1)). {cure}"
        )
    if param.rate == "fixed" and math.prod(shape) != 1:
        raise ShapeError(
            f"{where}: is one number per node (got shape {shape}, allowed (1, 1, 1)). Give a number."
        )
    if param.rate == "batch" and shape[2] != 1:
        raise ShapeError(
            f"{where}: cannot change per frame (got shape {shape}, allowed (batches|1, channels|1, 1)). "
            "Give one value per batch or channel."
        )


def _check_range(where: str, param: ParamContract, array: Samples, sample_rate: float) -> None:
    low, high = param.limits(sample_rate)
    outside = array[(array < low) | (array > high)]
    if outside.size:
        unit = "" if param.unit in ("", "1") else f" {param.unit}"
        limit = f"{param.high:g} fs" if param.high_is_fs else f"{high:g}{unit}"
        raise GraphError(
            f"{where}: out of range (got {outside.flat[0]:g}{unit}, allowed {low:g} to {limit}). "
            "Choose a value inside."
        )


def batch(values: npt.ArrayLike) -> Samples:
    """Return one value per batch as a parameter: numbers of shape (B,) as an array (B, 1, 1).

    Examples
    --------
    >>> amp.batch([220.0, 440.0]).shape
    (2, 1, 1)
    >>> g = amp.Graph()
    >>> out = g.output(g.sine(frequency_hz=amp.batch([220.0, 440.0])))
    >>> g.render(frames=480, batches=2).audio.shape
    (2, 1, 480)
    """
    array = arrays.numbers("batch", values, allowed="one number per batch")
    if array.ndim > 1 or not array.size:
        raise ShapeError(
            f"batch: wrong shape (got {array.shape}, allowed (batches,)). Give one number per batch."
        )
    return array.reshape(-1, 1, 1).copy()


def samples(x: npt.ArrayLike, scale: arrays.Scale = "full") -> Samples:
    """Return samples as float64 with full scale 1, for functions that have no argument ``scale``.

    Parameters
    ----------
    x
        Real numbers of any shape.
    scale
        Factor. ``"full"``: integers of 8 to 32 bits are scaled to -1 to 1 (unsigned ones, as in 8-bit WAV,
        are 0 at the middle of their range); floating point is unchanged.

    Raises
    ------
    GraphError
        If they are not real numbers, or are 64-bit integers and ``scale`` is ``"full"``.

    Examples
    --------
    >>> amp.samples(np.array([-32768, 0, 16384], np.int16))
    array([-1. ,  0. ,  0.5])
    >>> amp.samples(np.array([0, 128], np.uint8))
    array([-1.,  0.])
    """
    return frozen(arrays.samples("samples.x", x, scale))


def unknown_keyword(contract: NodeContract, key: str, special: set[str] | None = None) -> TypeError:
    """Return the error for a keyword that is neither a port nor a parameter."""
    ports = contract.input_keys if special else ()
    allowed = [*ports, *(p.key for p in contract.params), *sorted(special or ())]
    what = "parameter or input port" if ports else "parameter"
    return TypeError(checks.unknown(contract.id, key, allowed, what, SYNONYMS))
