"""Docs, docstrings, errors and views use words of the field: some others do not come back."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = {
    r"(some|no|any|every)body": "name who: the user, a thread, another program, the caller",
    r"wish(es|ed)?": "request",
    r"hires?|hired|dismiss(es|ed)?": "lease, release",
    r"bury|buries|buried": "reap",
    r"abandon(s|ed)?": "detach, or give up",
    r"dreams?": "target",
    r"runs? wild|ran wild": "corrupts memory",
    r"takes the worker": "ends only the worker",
    r"spared": "an optimisation leaves it out",
    r"(machine|process) was away": "the process was not scheduled",
    r"blessed it": "approved it",
    r"alone till": "do not modify it until then",
    r"as far as the data reach(es)?": "until input runs out",
    r"owed": "measured lag",
    r"calm": "fast path",
    r"carry_out": "run",
    r"teams?": "lane group",
}
"""What is not written, and what is written instead."""
BOUNDS = r"(?<![a-zA-Z0-9])({})(?![a-zA-Z0-9])"  # parts of identifiers too


def texts() -> list[Path]:
    """Every page, module, view and notebook that is written by hand."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for folder, endings in (
        ("docs", ("*.md",)),
        ("amp_lab", ("*.py", "*.pyi", "*.md", "*.js", "*.jsx", "*.css")),
        ("native", ("*.c", "*.h", "*.cpp", "*.hpp")),
        ("notebooks", ("*.ipynb",)),
    ):
        found += [path for ending in endings for path in sorted((ROOT / folder).rglob(ending))]
    others = {"node_modules", "static", "labextension", "site", "tests", "fuzz"}
    return [path for path in found if not others & set(path.relative_to(ROOT).parts)]


def faults(text: str) -> list[str]:
    """Return the words of the table that a text has, with what to write instead."""
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{hit.group(0)!r}: {instead} (…{flat[max(hit.start() - 40, 0) : hit.end() + 20]}…)"
        for words, instead in WORDS.items()
        for hit in re.finditer(BOUNDS.format(words), flat, re.IGNORECASE)
    ]


def test_texts_use_plain_words() -> None:
    """None of the table is in a page, a docstring, an error, a notebook or a view."""
    read = texts()
    assert len(read) > 250
    found = {
        str(path.relative_to(ROOT)): wrong for path in read if (wrong := faults(path.read_text("utf-8")))
    }
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)


@pytest.mark.parametrize("text", ["Nobody\n    waits", "self._wish", "a dream", "it runs\nwild"])
def test_a_word_of_the_table_is_found(text: str) -> None:
    """Across lines, inside identifiers, in any case."""
    assert len(faults(text)) == 1


@pytest.mark.parametrize("text", ["hierarchy", "polishes", "followed", "showed"])
def test_other_words_are_left_alone(text: str) -> None:
    """Only whole words and whole parts of identifiers count."""
    assert not faults(text)


SHARED = {
    "Latest": "the newest request counts, in a thread and in a view",
    "Spectrum": "a spectrum, and the view that shows it",
    "Thermo": "constants of heat, and the view that shows temperatures",
}
"""Names of two classes that are about one thing."""


def test_a_class_name_means_one_thing() -> None:
    """No two rooms, nor a room and a view, give one name to different things."""
    places: dict[str, list[str]] = {}
    for path in texts():
        where = str(path.relative_to(ROOT))
        if path.suffix == ".py":
            body = ast.parse(path.read_text("utf-8")).body
            names = [one.name for one in body if isinstance(one, ast.ClassDef)]
        elif path.suffix in (".js", ".jsx"):
            names = re.findall(r"^\s*(?:export )?class (\w+)", path.read_text("utf-8"), re.MULTILINE)
        else:
            continue
        for name in names:
            if not name.startswith("_"):
                places.setdefault(name, []).append(where)
    assert len(places) > 150
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert set(twice) == set(SHARED), twice
