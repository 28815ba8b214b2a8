"""Checks of plain arguments; errors give place, value, allowed values and cure."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import numbers
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from amp_lab.errors import QUOTED, AmpError, GraphError, plain, quoted

P = ParamSpec("P")
R = TypeVar("R")

LARGEST = 2**31 - 1
"""Largest whole number of most arguments."""
LONGEST = 2**63 - 1
"""Largest number of frames."""
LOWEST_RATE_HZ = 1.0
HIGHEST_RATE_HZ = 1e7
NAME_BYTES = 95
"""Most bytes of a name in UTF-8: the size of a name in an error record of the runtime."""
TEXT_BYTES = 4096
"""Most bytes of a text parameter, such as a path."""
NEAR = 0.7
"""Least similarity (0 to 1) of a suggested name."""
NO_SYNONYMS: Mapping[str, str] = {}
COMPARED = 1000
"""Most names among which a similar one is searched; more would take seconds."""
LISTED = 40
"""Most allowed names in an error; further ones are counted."""


# ---- a name out of a list ----


def hint(word: object, allowed: Iterable[str], synonyms: Mapping[str, str] = NO_SYNONYMS) -> str:
    """`` Did you mean 'cutoff_hz'?``: the nearest name, whatever its case; "" if none is near.

    ``synonyms``: what others call a name, with the name here.
    """
    if not isinstance(word, str) or not 0 < len(word) <= QUOTED:
        return ""
    names = {name.casefold(): name for name in allowed}
    if len(names) > COMPARED:
        return ""
    other = synonyms.get(word.casefold(), "")
    near = [other] if other in names else difflib.get_close_matches(word.casefold(), names, 1, NEAR)
    begun = [name for name in names if name.startswith(word.casefold())] if len(word) > 2 else []
    found = near or (begun if len(begun) == 1 else [])
    return f" Did you mean {quoted(names[found[0]])}?" if found else ""


def listed(allowed: Iterable[str]) -> str:
    """``lowpass | bandpass``, ``none`` if there are none; many are cut short."""
    names = list(allowed)
    more = [f"{len(names) - LISTED} more"] if len(names) > LISTED else []
    return " | ".join([*(plain(name) for name in names[:LISTED]), *more]) or "none"


def unknown(
    where: str, value: object, allowed: Iterable[str], what: str, synonyms: Mapping[str, str] = NO_SYNONYMS
) -> str:
    """Return the sentence about a name that is not in a list: with the list and the nearest name."""
    names = list(allowed)
    cure = hint(value, names, synonyms) or (" Use one of these." if names else "")
    return f"{where}: no such {what} (got {quoted(value)}, allowed {listed(names)}).{cure}"


def choice(
    where: str, value: object, allowed: Iterable[str], what: str, error: type[AmpError] = GraphError
) -> str:
    """Return a text that is one of those allowed.

    Raises
    ------
    GraphError, or the given class
        If it is another, with the list and the nearest name.
    """
    names = list(allowed)
    if not isinstance(value, str) or value not in names:
        raise error(unknown(where, value, names, what))
    return value


def no_attribute(where: str, key: str, allowed: Iterable[str], what: str) -> AttributeError:
    """Return the error for an attribute that is none; Python adds no suggestion of its own to it."""
    return AttributeError(unknown(where, key, allowed, what), name=key, obj=None)


# ---- calls ----


def keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function: wrong arguments raise `TypeError` with the allowed and the nearest name."""

    @functools.wraps(function)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        __tracebackhide__ = True  # IPython and pytest leave the frame out
        try:
            return function(*args, **options)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # it came from inside
            raise TypeError(_wrong_call(function, args, options) or str(error)) from None

    return checked


def _wrong_call(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> str:
    """Return what is wrong with a call; "" if that is not known."""
    parameters = inspect.signature(function).parameters.values()
    ordered = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    by_name = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    named = [name for name in ordered if name != "self"] + by_name
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    where = function.__name__
    if ordered[:1] == ["self"] and args:
        where = f"{type(args[0]).__name__}.{where}".removesuffix(".__init__")
    strange = [] if takes_any else [key for key in options if key not in named]
    if strange:
        return unknown(where, strange[0], named, "argument")
    if len(args) > len(ordered):
        extra = args[len(ordered)]
        return (
            f"{where}: too many arguments by position (got {quoted(extra)}, allowed {listed(named)}). "
            f"Write {where}({by_name[0]}={quoted(extra, 30)})."
            if by_name
            else f"{where}: too many arguments (got {quoted(extra)}, allowed {listed(named)}). Leave it out."
        )
    given = {*ordered[: len(args)], *options}
    needed = [p.name for p in parameters if p.default is p.empty and p.name in (*ordered, *by_name)]
    if missing := [name for name in needed if name not in given]:
        return f"{where}: an argument is missing (got none for {', '.join(missing)}). Give it."
    return ""


# ---- numbers, flags, lists ----


def whole(
    where: str,
    value: Any,
    low: int = 0,
    high: int = LARGEST,
    error: type[AmpError] = GraphError,
    *,
    cure: str = "Give an int.",
) -> int:
    """Return a whole number from ``low`` to ``high``; bool is none.

    Raises
    ------
    GraphError, or the given class
        If it is something else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        is_far = number < low and high >= LARGEST  # from the upper limit
        allowed = f"whole numbers >= {low}" if is_far else f"whole numbers from {low} to {high}"
        raise error(f"{where}: not allowed (got {quoted(value)}, allowed {allowed}). {cure}")
    return number


def real(
    where: str,
    value: Any,
    allowed: str = "a finite number",
    error: type[AmpError] = GraphError,
    *,
    cure: str = "Give a float.",
) -> float:
    """Return a finite number; bool and text are none.

    Raises
    ------
    GraphError, or the given class
        If it is something else.
    """
    number = math.nan
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        try:
            number = float(value)
        except OverflowError:  # a whole number or fraction that no float holds
            number = math.inf
        except TypeError:  # a span of time, which NumPy counts among the whole numbers
            number = math.nan
    if not math.isfinite(number):
        raise error(f"{where}: not a number (got {quoted(value)}, allowed {allowed}). {cure}")
    return number


def between(
    where: str,
    value: Any,
    low: float,
    high: float,
    unit: str = "",
    *,
    cure: str = "Use a value inside.",
    error: type[AmpError] = GraphError,
) -> float:
    """Return a number from ``low`` to ``high``, both included.

    Raises
    ------
    GraphError, or the given class
        If it is something else.
    """
    allowed = f"{low:.9g} to {high:.9g}" + (f" {unit}" if unit else "")
    number = real(where, value, allowed, cure=cure, error=error)
    if not low <= number <= high:
        got = quoted(value) + (f" {unit}" if unit else "")
        raise error(f"{where}: out of range (got {got}, allowed {allowed}). {cure}")
    return number


def sample_rate(
    where: str,
    value: Any,
    low: float = LOWEST_RATE_HZ,
    high: float = HIGHEST_RATE_HZ,
    error: type[AmpError] = GraphError,
) -> float:
    """Return a sample rate in Hz.

    Raises
    ------
    GraphError, or the given class
        If it is none from ``low`` to ``high``.
    """
    return between(where, value, low, high, "Hz", cure="Give it in Hz: 48000.", error=error)


def frequency(
    where: str,
    value: Any,
    rate: float,
    low: float = 0.0,
    high: float = math.inf,
    error: type[AmpError] = GraphError,
) -> float:
    """Return a frequency in Hz from ``low`` to ``high``, and to half the sample rate.

    Raises
    ------
    GraphError, or the given class
        If it is none.
    """
    cure = f"Frequencies end at half the sample rate of {rate:.9g} Hz."
    return between(where, value, low, min(high, rate / 2), "Hz", cure=cure, error=error)


def flag(where: str, value: Any) -> bool:
    """Return True or False.

    Raises
    ------
    GraphError
        If it is something else.
    """
    if not isinstance(value, bool):
        raise GraphError(
            f"{where}: not allowed (got {quoted(value)}, allowed True | False). Give one of them."
        )
    return value


def names(where: str, value: Any) -> tuple[str, ...]:
    """Return texts given as a list or tuple.

    Raises
    ------
    GraphError
        If it is something else; one text alone is.
    """
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(n, str) for n in value)
    ):
        raise GraphError(
            f"{where}: not allowed (got {quoted(value)}, allowed a list of names). Write ['name', ...]."
        )
    return tuple(value)


def label(where: str, value: Any) -> str:
    """Return the name of a curve or gate: printable text of 1 to 95 bytes of UTF-8.

    Raises
    ------
    GraphError
        If it is something else.
    """
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value.encode()) <= NAME_BYTES:
        allowed = f"printable text of 1 to {NAME_BYTES} bytes"
        raise GraphError(f"{where}: not a name (got {quoted(value)}, allowed {allowed}). Rename it.")
    return str(value)


def text(where: str, value: str) -> str:
    """Return the text if UTF-8 and C can hold it: no half characters, no NUL, at most `TEXT_BYTES` bytes.

    Raises
    ------
    GraphError
        If they cannot.
    """
    size = len(value.encode("utf-8", "surrogatepass"))
    is_whole = not any("\ud800" <= character <= "\udfff" for character in value)
    if size > TEXT_BYTES or "\0" in value or not is_whole:
        allowed = f"up to {TEXT_BYTES} bytes of UTF-8 without NUL"
        raise GraphError(f"{where}: not such a text (got {quoted(value)}, allowed {allowed}). Shorten it.")
    return str(value)
