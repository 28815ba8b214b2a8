"""The page of the C interface: a table of all functions, and the headers of ``native/include/amp`` whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from generated import filled
from node_pages import plain

DOCS = Path(__file__).resolve().parent
HEADERS = DOCS.parent / "native" / "include" / "amp"
PAGE = DOCS / "abi.md"
ORDER = (
    *("status", "buffer", "node", "graph", "run", "history", "metrics"),
    *("stream", "meter", "diag", "quantize", "amp"),
)
"""Headers in the order in which they build on one another."""
TAG = re.compile(r"\[(any\+rt|any|owner|stream)\]")
COMMENT = re.compile(r"^/\*((?:(?!\*/).)*)\*/", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(
    r"^AMP_API\b[^;]*?\b(?P<name>amp_\w+)\s*\([^;]*\);[ \t]*(?:/\*(?P<beside>.*?)\*/)?", re.MULTILINE
)


@dataclass(frozen=True)
class Function:
    """One function of a header: its thread tag and what its comment says first."""

    name: str
    header: str
    tag: str
    says: str


def functions(header: str) -> list[Function]:
    """Return the functions of a header in order.

    Raises
    ------
    ValueError
        If a function has no thread tag.
    """
    text = (HEADERS / f"{header}.h").read_text(encoding="utf-8")
    found, tag = [], ""
    for match in FUNCTION.finditer(text):
        above, gap = _above(text[: match.start()])
        beside = match["beside"] or ""
        comment = beside if TAG.search(beside) or gap or not above else above
        if tagged := TAG.search(beside) or TAG.search(above):
            tag = tagged[1]
        if not tag:
            raise ValueError(
                f"{header}.h: {match['name']} has no thread tag. Write [any] or [owner] in its comment."
            )
        found.append(Function(match["name"], header, tag, _first_sentence(comment)))
    return found


def _above(text: str) -> tuple[str, bool]:
    """Return the last comment on lines of its own, and whether something stands between it and the end."""
    comments = list(COMMENT.finditer(text))
    if not comments:
        return "", True
    return comments[-1][1], bool(text[comments[-1].end() :].strip())


def _first_sentence(comment: str) -> str:
    words = " ".join(re.sub(r"^\s*\*", "", line) for line in TAG.sub("", comment).splitlines())
    words = re.sub(r"Phase: [^.]*\.", "", " ".join(words.split())).strip()
    first = re.match(r".*?[.](?=\s[A-Z`]|$)", words)
    return first[0] if first else words


def texts() -> dict[Path, str]:
    """Return the page with its generated part made anew."""
    missing = sorted({path.stem for path in HEADERS.glob("*.h")} ^ set(ORDER))
    if missing:
        raise ValueError(
            f"native/include/amp: {', '.join(missing)} not in the order of docs/abi_page.py. Add it."
        )
    return {PAGE: filled(PAGE, "headers", f"{_tables()}\n{_headers()}")}


def _tables() -> str:
    lines = [
        "## All functions",
        "",
        "| function | header | threads | its comment begins |",
        "|---|---|---|---|",
    ]
    for header in ORDER:
        for one in functions(header):
            says = "`".join(t if i % 2 else plain(t) for i, t in enumerate(one.says.split("`")))
            lines.append(f"| `{one.name}` | [`{header}.h`](#{header}-h) | `[{one.tag}]` | {says} |")
    return "\n".join(lines) + "\n"


def _headers() -> str:
    shown = []
    for header in ORDER:
        path = f"../native/include/amp/{header}.h"
        shown.append(f"({header}-h)=\n## amp/{header}.h\n\n```{{literalinclude}} {path}\n:language: c\n```\n")
    return "\n".join(shown).rstrip()
