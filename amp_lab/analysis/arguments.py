"""Checks of what a measurement is asked: rates, frequencies, bands; errors give the range and a cure."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any, TypeAlias

from amp_lab.errors import InvalidArgument, quoted

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1.0, 1e7
Band: TypeAlias = tuple[float, float]
"""Lowest and highest frequency in Hz."""


def real(where: str, value: Any, allowed: str, cure: str) -> float:
    """Return a finite real number; bool, text, complex and arrays are none.

    Raises
    ------
    InvalidArgument
        If it is something else.
    """
    number = math.nan
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not math.isfinite(number):
        raise InvalidArgument(f"{where}: not a number (got {quoted(value)}, allowed {allowed}). {cure}")
    return number


def within(where: str, value: Any, low: float, high: float, unit: str, cure: str) -> float:
    """Return a number from `low` to `high`.

    Raises
    ------
    InvalidArgument
        If it is outside, or no finite real number.
    """
    allowed = f"{low:.9g} to {high:.9g} {unit}".rstrip()
    number = real(where, value, allowed, cure)
    if not low <= number <= high:
        got = f"{number:.9g} {unit}".rstrip()
        raise InvalidArgument(f"{where}: out of range (got {got}, allowed {allowed}). {cure}")
    return number


def sample_rate(where: str, value: Any) -> float:
    """Return a sample rate of 1 Hz to 10 MHz."""
    cure = "Give the rate at which the signal was sampled."
    return within(f"{where}.sample_rate", value, LOWEST_RATE_HZ, HIGHEST_RATE_HZ, "Hz", cure)


def frequency(where: str, value: Any, rate: float, low: float = 0.0) -> float:
    """Return a frequency from `low` to half the sample rate."""
    cure = f"Half the sample rate of {rate:g} Hz is the highest there is."
    return within(where, value, low, rate / 2, "Hz", cure)


def band(where: str, value: Any, rate: float) -> Band:
    """Return the edges of a band in Hz, the upper one at most half the sample rate; None is all of it.

    Raises
    ------
    InvalidArgument
        Unless there are two of them, from 0 up and rising.
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
    """Return a whole number from `low` to `high`; bool is none.

    Raises
    ------
    InvalidArgument
        If it is something else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        allowed = f"whole numbers from {low} to {high}"
        raise InvalidArgument(f"{where}: not allowed (got {quoted(value)}, allowed {allowed}). {cure}")
    return number


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
