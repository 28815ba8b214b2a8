"""Pages with a part that is generated, between two comments."""

from __future__ import annotations

import re
from pathlib import Path


def filled(page: Path, name: str, made: str) -> str:
    """Return the text of a page with the part of that name made anew.

    Raises
    ------
    ValueError
        If the page has no such part.
    """
    begin, end = f"<!-- {name}: generated -->", "<!-- end -->"
    text, count = re.subn(
        f"{begin}.*?{end}",
        lambda _: f"{begin}\n{made}\n{end}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(
            f"{page.name}: {count} parts {begin} ... {end}, allowed 1. Add them where the part belongs."
        )
    return text
