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
    *("status", "violation", "buffer", "node", "graph", "run", "history", "metrics"),
    *("stream", "meter", "diag", "quantize", "writer", "write_graph", "write_history", "amp"),
)
"""Headers in the order in which they build on one another."""
TAG = re.compile(r"\[(any\+rt|any|owner|stream)\]")
COMMENT = re.compile(r"^/\*((?:(?!\*/).)*)\*/", re.MULTILINE | re.DOTALL)
FAILURE = re.compile(r"\A/\*(?:(?!\*/).)*?^ \* Failure: ((?:(?!\*/).)*)\*/", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(
    r"^(?:AMP_API|AMP_INLINE)\b[^;{]*?\b(?P<name>amp_\w+)\s*\((?P<arguments>[^;{]*)\)(?:;| \{)"
    r"[ \t]*(?:/\*(?P<beside>.*?)\*/)?",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Function:
    """One function of a header: its thread tag, where a failure is told, and what its comment says first."""

    name: str
    header: str
    tag: str
    reason: str
    says: str


def functions(header: str) -> list[Function]:
    """Return the functions of a header in order.

    Raises
    ------
    ValueError
        If a function has no thread tag, or the header's line "Failure:" does not tell where its failures are.
    """
    text = (HEADERS / f"{header}.h").read_text(encoding="utf-8")
    rule = FAILURE.search(text)
    if not rule and FUNCTION.search(text):
        raise ValueError(f'{header}.h: its first comment has no line "Failure:". Write how its calls report.')
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
        reason = _reason(header, match, rule[1] if rule else "")
        found.append(Function(match["name"], header, tag, reason, _first_sentence(comment)))
    return found


def _reason(header: str, match: re.Match[str], rule: str) -> str:
    """Return where a failed call leaves its reason, "" if it cannot fail."""
    if not re.match(r"(AMP_API|AMP_INLINE)\s+amp_status\s", match[0]):
        return ""
    arguments = " ".join(match["arguments"].split())
    if arguments.endswith("amp_error *error"):
        reason, needs = "`error`", "record in `error`"
    elif arguments.startswith("amp_graph_runtime *runtime"):
        reason, needs = "runtime", "in the runtime"
    else:
        reason, needs = "violations", "violations only"
    if needs not in rule:
        what = f'{match["name"]} leaves its reason with {reason}, and its line "Failure:" does not say so'
        raise ValueError(f'{header}.h: {what}. Write "{needs}".')
    return reason


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
        "| function | header | threads | failure | its comment begins |",
        "|---|---|---|---|---|",
    ]
    for header in ORDER:
        for one in functions(header):
            says = "`".join(t if i % 2 else plain(t) for i, t in enumerate(one.says.split("`")))
            lines.append(
                f"| `{one.name}` | [`{header}.h`](#{header}-h) | `[{one.tag}]` | {one.reason} | {says} |"
            )
    return "\n".join(lines) + "\n"


def _headers() -> str:
    shown = []
    for header in ORDER:
        path = f"../native/include/amp/{header}.h"
        shown.append(f"({header}-h)=\n## amp/{header}.h\n\n```{{literalinclude}} {path}\n:language: c\n```\n")
    return "\n".join(shown).rstrip()
