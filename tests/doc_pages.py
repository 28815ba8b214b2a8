"""The pages of the documentation as tests read them: blocks of code, and code within sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(
    r"^(?P<mark>`{3,}|:{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=mark)\s*$", re.MULTILINE | re.DOTALL
)
OPTION = re.compile(r"^:([\w-]+):[ ]?(.*)\n", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, what it is marked as, its caption, and its lines."""

    page: Path
    line: int
    directive: str  # code-block, code-cell, toctree, ...; empty for a plain fence
    language: str
    caption: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page that is written or generated here, not the notebooks that a build copies in."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if ROOT / "docs" / "notebooks" not in page.parents]


def name(page: Path) -> str:
    """Return a page's path from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Return the fenced blocks of a page, in order; those of ``:::`` are looked into, not returned."""
    return tuple(_blocks(page, page.read_text(encoding="utf-8"), 1))


def _blocks(page: Path, text: str, first_line: int) -> Iterator[Block]:
    for fence in FENCE.finditer(text):
        line = first_line + text.count("\n", 0, fence.start())
        if fence["mark"].startswith(":"):
            yield from _blocks(page, fence["body"], line + 1)
            continue
        directive, language = re.fullmatch(r"\s*(?:\{([\w-]+)\})?\s*(.*?)\s*", fence["info"]).groups()  # type: ignore[union-attr]
        options, body = {}, fence["body"]
        while directive and (option := OPTION.match(body)):
            options[option[1]], body = option[2], body[option.end() :]
        yield Block(page, line, directive or "", language, options.get("caption", ""), body)


@cache
def prose(page: Path) -> str:
    """Return a page without its blocks and comments; a directive in ``:::`` leaves its lines."""
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"^(`{3,})[^\n`]*\n.*?^\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)


def spans(page: Path) -> list[str]:
    """Return the code within the sentences of a page, each on one line."""
    return [" ".join(span.split()) for span in SPAN.findall(prose(page))]


def says(page: str, sentence: str) -> bool:
    """Whether a page has a sentence, however its lines are broken."""
    return " ".join(sentence.split()) in " ".join((ROOT / page).read_text(encoding="utf-8").split())
