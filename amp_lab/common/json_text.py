"""JSON that is easy to read and diff: sorted keys, short parts on one line, floats with all their bits.

Files that are read are not trusted: length, count and depth are checked before anything is parsed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from amp_lab.common import regular_files
from amp_lab.errors import FileError, GraphError, Violation, plain, quoted

WIDTH = 100
MOST_BYTES = 128 * regular_files.MIB
"""Of a text."""
MOST_VALUES = 4_000_000
"""Of a text: elements of lists and entries of objects."""
MOST_DEPTH = 64
"""Lists and objects inside each other."""
MOST_PROBLEMS = 20
"""Listed of one file."""
_WHOLE_DIGITS, _DIGITS = 20, 1000
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PLAIN_KEY = re.compile(r"[\w\-]{1,80}")
_CURE = "Correct it there, or save it again."


def dumps(value: Any) -> str:
    """Format a JSON value, ending with a newline; NaN and Inf are refused with `ValueError`.

    Raises
    ------
    GraphError
        If the text would be larger than `read_json` reads.
    """
    text = _format(value, "") + "\n"
    problem = _size_problem(text)
    if problem:
        raise GraphError(f"JSON text: {problem} Keep long samples in a sound file, and its path here.")
    return text


def read_json(source: Any, most_bytes: int = MOST_BYTES, where: str = "JSON text") -> Any:
    """Parse a JSON file, given as a `Path`, or JSON text, given as a `str` that errors call ``where``.

    Stricter than `json`: no key twice, no NaN or Infinity, whole numbers of 64 bits, numbers that float64
    holds, text that UTF-8 holds; length, count and depth of the values are limited.

    Raises
    ------
    FileError
        If there is no such regular file, it is too large, not text, or not such JSON: with its path, and line
        and column or the place inside (``$.nodes.flt``).
    """
    if isinstance(source, Path):
        where = plain(source, 200)
        text = regular_files.read_text(source, most_bytes, "Give the path of a JSON file.")
    else:
        text = source
        if not isinstance(text, str):
            got = type(text).__name__
            raise FileError(f"{where}: cannot be read as JSON (got {got}). Give text.")
        if not is_unicode(text):
            raise FileError(f"{where}: holds half a character (a lone surrogate). {_CURE}")
    problem = _size_problem(text, most_bytes) or _depth_problem(text)
    if problem:
        raise FileError(f"{where}: {problem} {_CURE}")
    return _parsed(where, text)


def place(path: str, key: str | int) -> str:
    """Return the JSON path of an entry: ``$.nodes.flt``, ``$.edges[3]``, ``$.curves["a b"]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{quoted(key)}]"


def refuse(where: str, problems: Iterable[str | Violation]) -> None:
    """Raise what was found wrong with a file, if anything; ``where`` is its name and may be empty."""
    head = f"{where}: " if where else ""
    found = [Violation(FileError, sentence=p) if isinstance(p, str) else p for p in problems]
    found = [replace(violation, sentence=f"{head}{violation.sentence}") for violation in found]
    if found:
        raise FileError("\n".join(map(str, found)), violations=found)


class _Refused:
    """A value of a parsed tree that is not allowed, with the reason."""

    def __init__(self, why: str) -> None:
        self.why = why


def _parsed(where: str, text: str) -> Any:
    refused: list[_Refused] = []

    def refusing(why: str) -> _Refused:
        refused.append(_Refused(why))
        return refused[-1]

    def entries(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return refusing(f"a key is given twice (got {quoted(twice)}). Keep one.")

    def whole(digits: str) -> Any:
        if len(digits) <= _WHOLE_DIGITS and -(2**63) <= (number := int(digits)) < 2**64:
            return number
        return refusing(f"a whole number of more than 64 bits (got {quoted(digits, 40)}). Write it as 1e20.")

    def real(digits: str) -> Any:
        number = float(digits) if len(digits) <= _DIGITS else math.inf
        if math.isfinite(number):
            return number
        return refusing(
            f"a number that float64 does not hold (got {quoted(digits, 40)}). Write a finite one."
        )

    def constant(name: str) -> Any:
        return refusing(f"not a number (got {name}, allowed finite numbers). Write a finite one.")

    try:
        tree = json.loads(
            text, object_pairs_hook=entries, parse_int=whole, parse_float=real, parse_constant=constant
        )
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        what = f"{where}: not JSON ({error.msg} at {at}). {_CURE}"
        raise FileError(what) from None
    except RecursionError:
        raise FileError(f"{where}: nested too deep to be read. {_CURE}") from None
    if refused or _SURROGATE.search(text):
        refuse(where, _first(_refusals("$", tree)))
    return tree


def _refusals(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, _Refused):
        yield f"{path}: {value.why}"
    elif isinstance(value, str):
        if not is_unicode(value):
            yield f"{path}: not text that UTF-8 holds (got {quoted(value)}). Write whole characters."
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _refusals(place(path, i), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _refusals(f"{path}: key", key)
            yield from _refusals(place(path, key), item)


def _first(problems: Iterator[str]) -> list[str]:
    """Return the first few problems; a file may hold millions."""
    found = [problem for problem, _ in zip(problems, range(MOST_PROBLEMS + 1), strict=False)]
    return found[:MOST_PROBLEMS] + ["and more."] * (len(found) > MOST_PROBLEMS)


def is_unicode(text: str) -> bool:
    """Whether a text holds no lone surrogate, so that UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size_problem(text: str, most_bytes: int = MOST_BYTES) -> str:
    """Return what is too large, before anything is parsed; commas and brackets in strings count too."""
    if len(text) > most_bytes:
        return f"too long (got {len(text)} characters, allowed {most_bytes})."
    values = text.count(",") + text.count("[") + text.count("{")
    return f"too many values (got {values}, allowed {MOST_VALUES})." if values > MOST_VALUES else ""


def _depth_problem(text: str) -> str:
    if text.startswith("\ufeff"):
        return "begins with a byte order mark (allowed plain UTF-8)."
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return ""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > MOST_DEPTH:
            at = f"at character {match.start()}"
            return f"nested too deep (got more than {MOST_DEPTH} lists and objects, {at})."
    return ""


def _format(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    is_leaf = not isinstance(value, dict | list) or not value
    if is_leaf or (len(line) <= WIDTH and "{" not in line[1:]):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(k, ensure_ascii=False)}: {_format(v, inner)}" for k, v in sorted(value.items())
        )
        return "{\n" + ",\n".join(inner + pair for pair in pairs) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _format(item, inner) for item in value) + f"\n{indent}]"
