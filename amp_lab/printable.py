"""Texts that a terminal and a page can show: one line, printable characters, a limited length."""

from __future__ import annotations

import re
from collections.abc import Sequence

QUOTED = 80
"""Characters of a name or value that texts show at most."""
LISTED = 400
"""Violations that the text of an error lists at most: of more the middle is left out, and counted."""
_ENDS = 100
"""How many of them stand behind the middle."""
_LONG_WORD = re.compile(rf"[\w\-]{{{QUOTED + 1},}}")


def shortened(text: str, most: int = QUOTED) -> str:
    """Leave out the middle of a text of more than ``most`` characters."""
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"


def visible(text: str, keep: str = "") -> str:
    """Show what cannot be printed as Python escapes: controls, ESC, NUL, marks of direction, lone surrogates.

    Characters in ``keep`` stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def plain(name: object, most: int = QUOTED) -> str:
    """Return a name as tables show it: on one line, printable, at most ``most`` of its characters."""
    return visible(shortened(str(name), most))


def quoted(value: object, most: int = QUOTED) -> str:
    """Return a value as an error shows it: its `repr` on one line, printable, at most ``most`` characters."""
    if isinstance(value, str):
        return repr(shortened(str(value), most))
    try:
        text = repr(value)
    except Exception:  # its own `repr` fails, or an int has more digits than Python writes
        text = f"<{type(value).__name__}>"
    return visible(shortened(" ".join(text.split()), most))


def readable(text: str) -> str:
    """Return lines that can be printed; of a word of more than `QUOTED` characters the middle is left out."""
    return visible(_LONG_WORD.sub(lambda word: shortened(word[0]), text), keep="\n")


def listed(violations: Sequence[object], found: int = 0) -> str:
    """Return one line per violation; of more than `LISTED` the middle is left out.

    Parameters
    ----------
    violations
        What was found.
    found
        How many there were, if not all were kept.
    """
    more = max(found - len(violations), 0)
    tail = [f"... and {more} more that were not kept."] if more else []
    if len(violations) <= LISTED:
        return "\n".join([*map(str, violations), *tail])
    left_out = f"... {len(violations) - LISTED} more: `violations` of this error has them ..."
    head = map(str, violations[: LISTED - _ENDS])
    return "\n".join([*head, left_out, *map(str, violations[-_ENDS:]), *tail])
