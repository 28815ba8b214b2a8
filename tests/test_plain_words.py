"""Docs, docstrings, errors, views and native comments use words of the field."""

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
COMMENTS = WORDS | {
    r"worked out": "computed",
    r"works? out": "computes",
    r"made up for": "compensated",
    r"look(s|ed)? at": "check, read",
    r"side by side": "contiguous, in parallel, or in lanes",
    r"beside": "next to, in addition to",
    r"(go|goes|gone|went) on": "continue",
    r"as far as .{0,12}(reach|carry|can go)": "until ... runs out",
    r"hand(s|ed)? on": "pass",
    r"ask(s|ed)?": "request, need",
    r"hears?|heard": "receive, be delivered",
    r"wants?": "need, require",
    r"said": "declared, reported",
    r"so many": "this number of",
    r"whoever": "name who",
    r"stands?|stood": "is, is stored",
    r"lay|lies? (in|at|on|behind|beyond|beside|below|there)": "is, is stored",
    r"behind(?! (a|one|the) gate)": "after",
    r"tak(es?|ing) turns": "alternate",
    r"held against": "compared with",
    r"anew": "again",
    r"trusts?": "check",
    r"things?": "name it",
    r"dislikes?": "reject",
    r"no one": "name who",
}
"""What comments of the native sources do not have, tests, fuzzers and benchmarks included."""
PACKAGE = WORDS | {
    r"believed?": "assume, check",
    r"promis(e|es|ed)": "guarantee",
    r"whoever": "name who",
    r"unawares": "without notice",
    r"mend(s|ed)?": "correct",
    r"(say|says) nothing": "is not defined, is not known",
    r"let go of": "remove, free",
    r"goes wrong": "fails",
}
"""What docstrings, comments and errors of the Python package do not have."""
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


def comments(source: str) -> str:
    """Return the comments of C or C++ source, joined lines without their comment signs."""
    token = r'"(?:\\.|[^"\\\n])*"|(?<![0-9a-f])\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/'
    found = [hit for hit in re.findall(token, source, re.DOTALL | re.IGNORECASE) if hit[0] == "/"]
    return " ".join(re.sub(r"^\s*(//|/\*|\*/?)|\*/$", "", line) for hit in found for line in hit.split("\n"))


def faults(text: str, table: dict[str, str] = WORDS) -> list[str]:
    """Return the words of a table that a text has, with what to write instead."""
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{hit.group(0)!r}: {instead} (…{flat[max(hit.start() - 40, 0) : hit.end() + 20]}…)"
        for words, instead in table.items()
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


def test_the_package_uses_plain_words() -> None:
    """None of the package's table is in a module of the Python package."""
    modules = sorted((ROOT / "amp_lab").rglob("*.py"))
    assert len(modules) > 150
    found = {path: wrong for path in modules if (wrong := faults(path.read_text("utf-8"), PACKAGE))}
    assert not found, "\n".join(
        f"{path.relative_to(ROOT)}: {line}" for path, wrong in found.items() for line in wrong
    )


def test_native_comments_use_plain_words() -> None:
    """None of the longer table is in a comment of the native sources."""
    native = [
        path for kind in ("c", "h", "cpp", "hpp") for path in sorted((ROOT / "native").rglob(f"*.{kind}"))
    ]
    assert len(native) > 200
    found = {path: wrong for path in native if (wrong := faults(comments(path.read_text("utf-8")), COMMENTS))}
    assert not found, "\n".join(
        f"{path.relative_to(ROOT)}: {line}" for path, wrong in found.items() for line in wrong
    )


@pytest.mark.parametrize(
    "source",
    [
        "int a;  // worked out once\n",
        "// is so\n// many\n",
        "/* goes\n * on */",
        "char q = '\"';  // nobody\n",
        "constexpr int n = 1'000;  // stands first\n",
    ],
)
def test_a_word_in_a_comment_is_found(source: str) -> None:
    """In each kind of comment, also across lines."""
    assert len(faults(comments(source), COMMENTS)) == 1


@pytest.mark.parametrize(
    "source", ['text("asks // nobody");', "int asked;", "// behind the gate", "// 'x' is an id"]
)
def test_code_is_no_comment(source: str) -> None:
    """Strings and names in code do not count, nor phrases that the table excepts."""
    assert not faults(comments(source), COMMENTS)


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
