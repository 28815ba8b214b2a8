"""Everything that a page names exists: files, functions, arguments, variables, commands."""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import inspect
import json
import re
import shlex
import subprocess
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from doc_pages import ROOT, name, pages, spans

import amp_lab as amp
from amp_lab import analysis, golden, isolate, measure, plots
from amp_lab.cli import commands

ROOTS: dict[str, Any] = {
    "amp": amp,
    "amp_lab": amp,
    "analysis": analysis,
    "golden": golden,
    "isolate": isolate,
    "measure": measure,
    "plots": plots,
    "g": amp.Graph,
    "graph": amp.Graph,
    "Graph": amp.Graph,
    "r": amp.Render,
    "Render": amp.Render,
    "session": amp.Session,
    "Session": amp.Session,
    "Plan": amp.Plan,
}
"""What the first word of a dotted name means, on every page."""
FOLDERS = (
    *("", "native", "native/include", "docs", "docs/design"),
    *("amp_lab", "amp_lab/isolate", "amp_lab/widgets", "amp_lab/widgets/js"),
)
"""Where a path of a page may begin."""
FILE = re.compile(r"[\w./*-]+\.(?:cpp|hpp|h|c|py|pyi|js|mjs|inc|md|cmake|ipynb)|[\w-]+(?:/[\w.-]+)*/")
OWN = {
    "wind.py",
    "wind.ipynb",
    "sounds.py",
    "conftest.py",
    "first.py",
    "tests/test_wind.py",
    "tests/",
    "goldens/",
}
"""Files of a reader's own project."""
PLANNED = {"docs/design/next.md", "docs/design/imports.md"}
"""Pages about what is not there: what is planned, and old paths (which `tests/test_moved.py` tries)."""
OTHERS = {"node_modules", "static", "notebooks"}
VARIABLE = re.compile(r"(?<![.\w])(?:AMP_[A-Z0-9_]+|amp_[a-z0-9_]+)\b")


@cache
def sources() -> frozenset[str]:
    """Every C name and environment variable in the sources."""
    folders = ("native", "amp_lab", "tests", "docs", "goldens")
    endings = {".py", ".c", ".h", ".cpp", ".hpp", ".inc", ".cmake", ".txt", ".in", ".js", ".mjs", ".toml"}
    found = [ROOT / "pyproject.toml", ROOT / "CMakePresets.json", ROOT / "Makefile", ROOT / "CMakeLists.txt"]
    for folder in folders:
        found += [path for path in (ROOT / folder).rglob("*") if path.suffix in endings and path.is_file()]
    read = (
        path.read_text(encoding="utf-8", errors="replace") for path in found if not OTHERS & {*path.parts}
    )
    return frozenset(word for text in read for word in VARIABLE.findall(text))


def resolve(dotted: str) -> Any:
    """Return the object that a dotted name means; raises AttributeError with the missing name."""
    first, *rest = dotted.split(".")
    value, path = ROOTS[first], ROOTS[first].__name__
    for part in rest:
        path = f"{path}.{part}"
        if part in getattr(value, "__annotations__", {}) or part in getattr(
            value, "__dataclass_fields__", {}
        ):
            return None  # a field: its value is not checked
        if not hasattr(value, part) and inspect.ismodule(value):
            try:
                importlib.import_module(path)
            except ImportError as error:
                raise AttributeError(path) from error
        value = getattr(value, part)
        if isinstance(value, property | cached_property):
            return None
    return value


def faults_of_name(span: str) -> list[str]:
    """Return what is wrong with a span that is Python: names and keyword arguments that are not there."""
    if not re.match(rf"(?:{'|'.join(ROOTS)})\.[a-zA-Z_]", span) or re.fullmatch(
        r"[\w/]+\.(?:h|py|json)", span
    ):
        return []
    if re.fullmatch(r"[\w.]+\.\w+\?", span):
        span = span[:-1]
    try:
        tree = ast.parse(span, mode="eval").body
    except SyntaxError:
        return []
    wrong = []
    for node in ast.walk(tree):
        dotted = ast.unparse(node.func) if isinstance(node, ast.Call) else ast.unparse(node)
        if not re.fullmatch(rf"(?:{'|'.join(ROOTS)})(?:\.\w+)+", dotted):
            continue
        try:
            value = resolve(dotted)
        except AttributeError:
            wrong.append(f"{dotted} is not there")
            continue
        if isinstance(node, ast.Call) and value is not None:
            wrong += unknown_arguments(value, node, dotted)
    return list(dict.fromkeys(wrong))


def unknown_arguments(function: Any, call: ast.Call, dotted: str) -> list[str]:
    """Return keyword arguments that a function does not take."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return []
    return [
        f"{dotted} takes no {word.arg}" for word in call.keywords if word.arg and word.arg not in parameters
    ]


def test_functions_and_arguments_are_there() -> None:
    """`amp.x`, `g.x(...)`, `golden.x(...)` and their like exist and take the arguments that are named."""
    seen, wrong = 0, []
    for page in pages():
        if name(page) in PLANNED:
            continue
        for span in spans(page):
            found = faults_of_name(span)
            seen += bool(re.match(rf"(?:{'|'.join(ROOTS)})\.", span))
            wrong += [f"{name(page)}: `{span}`: {fault}" for fault in found]
    assert seen > 100
    assert not wrong, "\n".join(wrong)


def vars_of(thing: type) -> list[tuple[str, Any]]:
    """Return what a class and those above it define."""
    return [
        pair for one in thing.__mro__ if one.__module__.startswith("amp_lab") for pair in vars(one).items()
    ]


@cache
def argument_names() -> frozenset[str]:
    """Every name that an argument of a public function, class or method has."""
    modules = (amp, analysis, golden, measure, plots, amp.widgets)
    found, words = [], set()
    for module in modules:
        found += [getattr(module, public) for public in module.__all__]
    for thing in [one for one in found if inspect.isclass(one)] + [type(amp.Graph().gain())]:
        found += [value for key, value in vars_of(thing) if not key.startswith("_")]
    for thing in found:
        if callable(thing):
            with contextlib.suppress(TypeError, ValueError):
                words |= set(inspect.signature(thing).parameters)
        words |= set(thing.class_traits()) if hasattr(thing, "class_traits") else set()
    params = {param.key for type_id in amp.catalog.types() for param in amp.catalog.contract(type_id).params}
    return frozenset(words | params)


def test_arguments_are_taken_somewhere() -> None:
    """`argument=` of a sentence is an argument of a public function or a parameter of a node."""
    seen, wrong = 0, []
    for page in pages():
        for span in spans(page):
            for word in re.findall(r"^(?!role=)([a-z]\w*)=", span):
                seen += 1
                wrong += [] if word in argument_names() else [f"{name(page)}: `{span}`"]
    assert seen > 60
    assert not wrong, "\n".join(wrong)


def there(path: str) -> bool:
    """Whether a path leads to a file or folder of the repository, from one of FOLDERS or anywhere."""
    if path in OWN or path.startswith(("build/", "out/", "../")):
        return True
    if any(list((ROOT / folder).glob(path)) for folder in FOLDERS):
        return True
    return "/" not in path.rstrip("/") and any(
        path in line for line in tracked() if Path(line).name == path or f"/{path}" in f"/{line}"
    )


@cache
def tracked() -> list[str]:
    """Every file that Git has, or would take."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True).stdout.splitlines()


def test_files_are_there() -> None:
    """Every file and folder that a sentence names is in the repository."""
    seen, wrong = 0, []
    for page in pages():
        if name(page) in PLANNED:
            continue
        for span in spans(page):
            if FILE.fullmatch(span) and "..." not in span:
                seen += 1
                wrong += [] if there(span) else [f"{name(page)}: `{span}`"]
    assert seen > 150
    assert not wrong, "\n".join(wrong)


def test_names_of_c_and_of_the_environment_are_there() -> None:
    """Every `amp_...` and `AMP_...` in a sentence is in a source."""
    words = {
        (word, name(page))
        for page in pages()
        if name(page) not in PLANNED
        for span in spans(page)
        for word in VARIABLE.findall(span)
    }
    assert len(words) > 100
    families = {word[: word.rindex("_", 0, -1) + 1] for word in sources()}  # amp_write_*
    wrong = [f"{page}: `{word}`" for word, page in sorted(words) if word not in sources() | families]
    assert not wrong, "\n".join(wrong)


# ---- commands ----


def parser_of(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """Return the parser of the innermost command of `amp-lab` that words name, and what follows it."""
    parser = commands.parser()
    while words:
        choices = [a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not choices or words[0] not in choices[0]:
            break
        parser, words = choices[0][words[0]], words[1:]
    return parser, words


@cache
def help_of_pytest() -> str:
    """Output of pytest --help, with the options of the plug-ins that pages use."""
    command = ("pytest", "-p", "amp_lab.golden.nbguard", "--help")
    told = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True).stdout
    return told.replace("--junit-xml", "--junitxml")  # two names of one option; it shows the one


def presets() -> set[str]:
    """Names of the presets of CMake."""
    told = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
    return {preset["name"] for preset in told["configurePresets"]}


def faults_of_command(line: str) -> list[str]:
    """Return what is wrong with a command of a page: its program, command, options, or files."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    if not words:
        return []
    program, rest = words[0].rpartition("/")[2], words[1:]
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    if program == "make":
        text = (ROOT / "Makefile").read_text(encoding="utf-8")
        return [
            f"no target {t}" for t in rest if "=" not in t and not re.search(rf"^{t}:", text, re.MULTILINE)
        ]
    if program == "amp-lab":
        parser, left = parser_of(rest)
        known = {option for action in parser._actions for option in action.option_strings}
        nested = any(isinstance(a, argparse._SubParsersAction) for a in parser._actions)
        unknown = [f"no option {option}" for option in options if option not in known]
        return unknown + (
            [f"no command {left[0]}" for _ in [0] if nested and left and not left[0].startswith("-")]
        )
    if program == "pytest":
        return [f"no option {option}" for option in options if option not in help_of_pytest()]
    if program in ("cmake", "ctest"):
        named = [rest[i + 1] for i, word in enumerate(rest[:-1]) if word == "--preset"]
        return [f"no preset {preset}" for preset in named if preset not in presets()]
    if program in ("python", "python3") and rest and rest[0].endswith(".py"):
        return [] if (ROOT / rest[0]).is_file() else [f"no file {rest[0]}"]
    return []


PROGRAMS = ("make", "amp-lab", "pytest", "cmake", "ctest", "python", "python3")


def test_commands_within_sentences_can_be_given() -> None:
    """Targets, commands, options, presets and scripts that a sentence names exist."""
    seen, wrong = 0, []
    for page in pages():
        for span in spans(page):
            if not re.match(rf"(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)}) ", span):
                continue
            seen += 1
            for command in re.split(r"&&|;", span):
                wrong += [f"{name(page)}: `{span}`: {fault}" for fault in faults_of_command(command)]
    assert seen > 60
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "line",
    ["make nothing", "amp-lab nothing", "amp-lab render --nothing", "pytest --nothing", "cmake --preset no"],
)
def test_a_command_that_cannot_be_given_is_found(line: str) -> None:
    """Each kind of fault is one."""
    assert len(faults_of_command(line)) == 1


@pytest.mark.parametrize(
    "span", ["amp.nothing", "g.render(secs=1.0)", "golden.nothing(1)", "amp_lab.export.nothing"]
)
def test_a_name_that_is_not_there_is_found(span: str) -> None:
    """A module, a function and an argument."""
    assert len(faults_of_name(span)) == 1


def test_a_file_that_is_not_there_is_found() -> None:
    """Neither from a folder of the list nor anywhere."""
    assert not there("native/nothing.cpp") and not there("nothing.py")
    assert there("plan/compile.cpp") and there("journal.py")
