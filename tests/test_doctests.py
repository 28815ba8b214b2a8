"""Every public object has an example in its docstring, and every example prints what it says.

Public is what ``amp_lab.__all__`` names and what the pages of ``docs/api`` list, with the public methods and
properties of those classes. A class or function has an Examples section of its own; a method or property too,
or the Examples of its class or of another member of it use it.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amp_lab as amp

PAGES = Path(__file__).parents[1] / "docs" / "api"
DIRECTIVE = re.compile(r"^\.\. (auto\w+|currentmodule):: ([\w.]+).*\n((?:   :.*\n)*)", re.MULTILINE)
SECTION = re.compile(r"^Examples\n-{8}$", re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
EXCEPTED = {
    "amp_lab.errors.InternalError": "only a fault of the runtime raises it",
    "amp_lab.errors.OutOfMemory": "an example would take the memory of the machine",
    "amp_lab.errors.WorkerUnavailable": "needs a system that allows no further process",
    "amp_lab.errors.IsolationWarning": "needs a notebook on such a system",
    "amp_lab.errors.NativeLibraryMissing": "needs an incomplete installation",
    "amp_lab.errors.NativeLibraryStale": "needs an incomplete installation",
    "amp_lab.golden.isa.verify_isa_levels": "starts a process for each instruction set, which takes seconds",
    "amp_lab.errors.NativeCrash": "needs a process that dies; docs/howto/crash.md has an example",
}
"""Objects without an example, and why."""


def resolved(name: str) -> Any:
    """Return the object of a dotted name."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise LookupError(name)


def listed(page: str) -> Iterator[tuple[Any, frozenset[str] | None]]:
    """Yield each object that a page documents, with the members it is limited to (None: all public ones)."""
    current = ""
    for kind, name, options in DIRECTIVE.findall(page):
        if kind == "currentmodule":
            current = name
            continue
        try:
            found = resolved(name)
        except LookupError:
            found = resolved(f"{current}.{name}")
        members = re.search(r":members:(.*)", options)
        names = None if members is None else [one.strip() for one in members[1].split(",") if one.strip()]
        if kind == "automodule" and names is not None:
            public = names or getattr(found, "__all__", None) or own_names(found)
            yield from ((getattr(found, one), None) for one in public)
        elif kind not in ("automodule", "autodata"):
            yield found, frozenset(names) if names else None


def own_names(module: Any) -> list[str]:
    """Return the public classes and functions that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def members_of(kind: type, only: frozenset[str] | None) -> Iterator[Any]:
    """Yield the functions behind the public methods and properties of a class that this package wrote."""
    for name in dir(kind):
        if name.startswith("_") or (only is not None and name not in only):
            continue
        member = inspect.getattr_static(kind, name)
        for wrapper in ("fget", "__func__", "func"):
            member = getattr(member, wrapper, member)
        if inspect.isfunction(member) and member.__module__.startswith("amp_lab"):
            yield member


@cache
def public() -> dict[str, tuple[Any, tuple[type, ...]]]:
    """Return every public object by name, each method with the documented classes that have it."""
    documented: list[tuple[Any, frozenset[str] | None]] = [(getattr(amp, name), None) for name in amp.__all__]
    for page in sorted(PAGES.glob("*.md")):
        documented += listed(page.read_text("utf-8"))
    limits = {one: only for one, only in documented if inspect.isclass(one) and only is not None}
    found: dict[str, tuple[Any, tuple[type, ...]]] = {}
    for one, _ in documented:
        if inspect.isclass(one):
            found[name_of(one)] = one, ()
            for member in members_of(one, limits.get(one)):
                classes = found.get(name_of(member), (member, ()))[1]
                found[name_of(member)] = member, tuple(dict.fromkeys((*classes, one)))
        elif inspect.isroutine(one):
            plain = getattr(one, "__func__", one)
            found.setdefault(name_of(plain), (plain, ()))
    return found


def name_of(one: Any) -> str:
    """Return ``module.qualified_name``."""
    return f"{one.__module__}.{one.__qualname__}"


def examples_of(one: Any) -> list[doctest.Example]:
    """Return the examples in the Examples section of a docstring."""
    text = inspect.getdoc(one) or ""
    section = SECTION.search(text)
    return doctest.DocTestParser().get_examples(text[section.end() :]) if section else []


def is_shown(one: Any, classes: tuple[type, ...]) -> bool:
    """Whether an object has examples, or those of one of its classes or their members use it."""
    if any(example.want for example in examples_of(one)):
        return True
    used = re.compile(rf"\.{re.escape(one.__name__)}\b")
    return any(used.search(source) for kind in classes for source in sources_of(kind))


@cache
def sources_of(kind: type) -> tuple[str, ...]:
    """Return the code of the examples of a class and of its public members."""
    return tuple(example.source for one in (kind, *members_of(kind, None)) for example in examples_of(one))


def with_examples() -> list[str]:
    """Return the names of the public objects that have examples of their own."""
    return sorted(name for name, (one, _) in public().items() if examples_of(one))


def test_public_objects_have_examples() -> None:
    """All but the listed exceptions."""
    assert len(public()) > 400
    lacking = {name for name, (one, classes) in public().items() if not is_shown(one, classes)}
    without = sorted(lacking - EXCEPTED.keys())
    assert not without, "\n".join(["without an Examples section:", *without])


def test_exceptions_are_needed() -> None:
    """An exception names a public object that has no example."""
    for name in EXCEPTED:
        assert name in public(), name
        assert not is_shown(*public()[name]), f"{name} has an example"


@pytest.mark.parametrize("name", with_examples())
def test_examples_print_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder of their own with an empty one for goldens, the two usual imports and NumPy's defaults.

    The variables that tell amp_lab of a test are not set: patch files are written.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "goldens").mkdir()
    for variable in ("CI", "PYTEST_VERSION", *(key for key in os.environ if key.startswith("AMP_GOLDEN"))):
        monkeypatch.delenv(variable, raising=False)
    one = public()[name][0]
    names = {"amp": amp, "np": np, "__name__": "__main__"}
    test = doctest.DocTest(examples_of(one), names, name, inspect.getsourcefile(one), 0, None)
    with np.printoptions(precision=8, threshold=1000, linewidth=75, suppress=False, legacy=False):
        failed = doctest.DocTestRunner(optionflags=FLAGS).run(test).failed
    assert not failed, capsys.readouterr().out
    assert not any(path.suffix == ".py" for path in tmp_path.iterdir())


def f() -> None:
    """Do it.

    Examples
    --------
    >>> print("a   b")
    a b
    """


class Shown:
    """A class.

    Examples
    --------
    >>> s.used
    1
    """

    def used(self) -> None:
        """Do it."""

    def unused(self) -> None:
        """Do it."""


def test_an_example_is_found() -> None:
    """In the section of that name, of the object or of its class, where a whole word names it."""
    assert len(examples_of(f)) == 1
    assert is_shown(f, ())
    assert is_shown(Shown.used, (Shown,))
    assert not is_shown(Shown.used, ())
    assert not is_shown(Shown.unused, (Shown,))
