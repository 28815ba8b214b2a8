"""Checks of arguments of measurements: rates, frequencies, bands; errors give range and cure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from amp_lab.common import checks
from amp_lab.errors import InvalidArgument, quoted

Band: TypeAlias = tuple[float, float]
"""Lowest and highest frequency in Hz."""


def real(where: str, value: Any, allowed: str, cure: str) -> float:
    """Return a finite real number; `InvalidArgument` for anything else."""
    return checks.real(where, value, allowed, cure=cure, error=InvalidArgument)


def within(where: str, value: Any, low: float, high: float, unit: str, cure: str) -> float:
    """Return a number from `low` to `high`; `InvalidArgument` for anything else."""
    return checks.between(where, value, low, high, unit, cure=cure, error=InvalidArgument)


def sample_rate(where: str, value: Any) -> float:
    """Return a sample rate of 1 Hz to 10 MHz; `InvalidArgument` for anything else."""
    return checks.sample_rate(f"{where}.sample_rate", value, error=InvalidArgument)


def frequency(where: str, value: Any, rate: float, low: float = 0.0) -> float:
    """Return a frequency from `low` to half the sample rate; `InvalidArgument` for anything else."""
    return checks.frequency(where, value, rate, low, error=InvalidArgument)


def band(where: str, value: Any, rate: float) -> Band:
    """Return the edges of a band in Hz, limited to half the sample rate; None is the whole range from 0 Hz.

    Raises
    ------
    InvalidArgument
        Unless the edges are two numbers, 0 or more, the second above the first.
    """
    if value is None:
        return 0.0, rate / 2
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    cure = "Give (lowest, highest) in Hz, or None for 0 Hz to half the sample rate."
    if len(pair) != 2:
        raise InvalidArgument(f"{where}: not a band (got {quoted(value)}, allowed two frequencies). {cure}")
    low, high = (real(where, edge, "two frequencies", cure) for edge in pair)
    if not 0.0 <= low < min(high, rate / 2):
        allowed = f"rising frequencies from 0 Hz, the lower one below {rate / 2:.9g} Hz"
        raise InvalidArgument(
            f"{where}: out of range (got {low:.9g} to {high:.9g} Hz, allowed {allowed}). {cure}"
        )
    return low, min(high, rate / 2)


def whole(where: str, value: Any, low: int, high: int, cure: str) -> int:
    """Return a whole number from `low` to `high`; `InvalidArgument` for anything else."""
    return checks.whole(where, value, low, high, cure=cure, error=InvalidArgument)


def long_enough(where: str, frames: int, needed: int, why: str) -> None:
    """Refuse a signal that is too short.

    Raises
    ------
    InvalidArgument
        If it has fewer frames than needed.
    """
    if frames < needed:
        raise InvalidArgument(
            f"{where}: too short (got {frames} frames, allowed {needed} and more {why}). Render longer."
        )


def annotated(function: Callable[..., Any]) -> Callable[..., None]:
    """Return a function that checks the numbers of a call by the annotations of the called function.

    ``float`` is a finite number (``sample_rate`` a rate), ``int`` a whole number of 0 or more; None is
    allowed where it is the default. `checks.keywords` answers calls that do not fit the signature.
    """
    signature, where = inspect.signature(function), function.__name__
    kinds = {name: str(p.annotation).partition(" |")[0] for name, p in signature.parameters.items()}
    numbers = {name: kind for name, kind in kinds.items() if kind in ("float", "int")}

    def check(*args: Any, **options: Any) -> None:
        try:
            given = signature.bind(*args, **options).arguments
        except TypeError:
            return
        for name in numbers.keys() & given.keys():
            value, place = given[name], f"{where}.{name}"
            if value is None and signature.parameters[name].default is None:
                continue
            if name == "sample_rate":
                sample_rate(where, value)
            elif numbers[name] == "float":
                real(place, value, "a finite number", "Give a float.")
            else:
                whole(place, value, 0, checks.LARGEST, "Give an int.")

    return check
