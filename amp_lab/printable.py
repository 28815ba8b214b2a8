"""Texts that a terminal and a page can show: one line, printable characters, a limited length."""

from __future__ import annotations

import re
from collections.abc import Sequence

QUOTED = 80
"""Most characters of a name or value in a text."""
LISTED = 400
"""Most violations in the text of an error; if there are more, the middle is left out and counted."""
_ENDS = 100
"""How many of them come after the middle."""
_LONG_WORD = re.compile(rf"[\w\-]{{{QUOTED + 1},}}")


def shortened(text: str, most: int = QUOTED) -> str:
    """Leave out the middle of a text of more than ``most`` characters."""
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"


def visible(text: str, keep: str = "") -> str:
    """Return a text with Python escapes for unprintable characters: controls, marks of direction, surrogates.

    Characters in ``keep`` are not replaced.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def plain(name: object, most: int = QUOTED) -> str:
    """Return a name as tables show it: one printable line of at most ``most`` characters of the name."""
    return visible(shortened(str(name), most))


def quoted(value: object, most: int = QUOTED) -> str:
    """Return a value as errors show it: its `repr` as one printable line of at most ``most`` characters."""
    if isinstance(value, str):
        return repr(shortened(str(value), most))
    try:
        text = repr(value)
    except Exception:  # its own `repr` fails, or an int has more digits than Python writes
        text = f"<{type(value).__name__}>"
    return visible(shortened(" ".join(text.split()), most))


def readable(text: str) -> str:
    """Return printable lines; words of more than `QUOTED` characters are shortened in the middle."""
    return visible(_LONG_WORD.sub(lambda word: shortened(word[0]), text), keep="\n")


def listed(violations: Sequence[object], found: int = 0) -> str:
    """Return one line per violation; if there are more than `LISTED`, the middle is left out.

    Parameters
    ----------
    violations
        The violations that were kept.
    found
        How many were found, if not all were kept.
    """
    more = max(found - len(violations), 0)
    tail = [f"... and {more} more that were not kept."] if more else []
    if len(violations) <= LISTED:
        return "\n".join([*map(str, violations), *tail])
    left_out = f"... {len(violations) - LISTED} more: `violations` of this error has them ..."
    head = map(str, violations[: LISTED - _ENDS])
    return "\n".join([*head, left_out, *map(str, violations[-_ENDS:]), *tail])
