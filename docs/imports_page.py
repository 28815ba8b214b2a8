"""The page of the rooms of the package: who imports whom, what may import upward, where old paths lead."""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp
from generated import filled

from amp_lab import moved

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "design" / "imports.md"


def texts() -> dict[Path, str]:
    """Return the page as it should be."""
    settings = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    upward = [tuple(line.split(" -> ")) for line in contract["ignore_imports"]]
    rooms = [room.strip() for line in contract["layers"] for room in line.split("|")]
    text = filled(PAGE, "rooms", _rooms(rooms, set(upward)))
    text = _part(text, "upward", "\n".join(f"* `{above}` from `{below}`" for below, above in upward))
    rows = "\n".join(f"| `amp_lab.{old}` | `amp_lab.{new}` |" for old, new in sorted(moved.PATHS.items()))
    return {PAGE: _part(text, "paths", f"| Old path | New path |\n| --- | --- |\n{rows}")}


def _part(text: str, name: str, made: str) -> str:
    """Fill another part of a text that is not in its file yet."""
    head, begin, rest = text.partition(f"<!-- {name}: generated -->")
    _, end, tail = rest.partition("<!-- end -->")
    return f"{head}{begin}\n{made}\n{end}{tail}"


def _rooms(rooms: list[str], upward: set[tuple[str, ...]]) -> str:
    """Table of the rooms, highest first, and which rooms each imports (counts would change too often)."""
    graph = grimp.build_graph("amp_lab", cache_dir=None)
    arrows: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules - {"amp_lab"}:
        here = module.split(".")[1]
        for other in graph.find_modules_directly_imported_by(module) - {"amp_lab"}:
            there = other.split(".")[1]
            if there != here and (module, other) not in upward:
                arrows[here].add(there)
    lines = ["| Room | Imports |", "| --- | --- |"]
    for room in rooms:
        below = ", ".join(f"`{there}`" for there in rooms if there in arrows[room])
        lines.append(f"| `{room}` | {below or '-'} |")
    return "\n".join(lines)
