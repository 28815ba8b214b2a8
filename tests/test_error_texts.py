"""Errors in the words of the caller: the cure apart, no macro of C, no unit "1", lists of what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import amp_lab as amp
from amp_lab import lowlevel

ROOT = Path(__file__).parents[1]
CALLS = {"Failure": 2, "need": 2, "write_error": 2}
"""What native code raises by: which argument is the sentence; the cure comes behind it."""
MACROS = {
    macro
    for header in (ROOT / "native" / "include" / "amp").glob("*.h")
    for macro in re.findall(r"\bAMP_[A-Z0-9_]+", header.read_text(encoding="utf-8"))
} - {"AMP_ISA", "AMP_NATIVE_LOG"}
"""Names of the C headers; the two that are left out are variables of the environment."""
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
TWO = re.compile(r"[a-z)\]\d][.] (?!Stalled|At )[A-Z]")
"""A second sentence, but for those that say where."""


def arguments(text: str, start: int) -> list[str]:
    """Split the arguments of a call whose bracket opens at ``start``."""
    depth, found, begin, i = 0, [], start + 1, start
    while True:
        if literal := LITERAL.match(text, i):
            i = literal.end()
            continue
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0 or (depth == 1 and text[i] == ","):
            found.append(text[begin:i])
            begin = i + 1
        if depth == 0:
            return found
        i += 1


def native_errors() -> Iterator[tuple[str, str, str]]:
    """Yield place, sentence and cure of every error that native code writes as such."""
    for path in sorted((ROOT / "native").rglob("*.[ch]pp")):
        if {"tests", "fuzz", "bench"} & set(path.relative_to(ROOT).parts) or path.name == "failure.hpp":
            continue
        text = path.read_text(encoding="utf-8")
        for call in re.finditer(r"\b(Failure|need|write_error)(?: \w+)?\(", text):
            given = arguments(text, call.end() - 1)
            at = CALLS[call[1]]
            if len(given) > at and LITERAL.search(given[at]):
                cure = given[at + 1] if len(given) > at + 1 else ""
                place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, call.start()) + 1}"
                yield (
                    place,
                    "".join(LITERAL.findall(given[at])),
                    "".join(LITERAL.findall(cure) or [cure.strip()]),
                )


def test_native_errors_have_their_cure_apart() -> None:
    """Where it is what `amp_violation` shows as such; the walk finds them, also those of later files."""
    found = list(native_errors())
    assert len(found) > 100
    assert [one for one in found if not one[2] or TWO.search(one[1])] == []


def raised() -> Iterator[tuple[str, str]]:
    """Yield place and text of every exception and warning that Python code makes."""
    for path in sorted((ROOT / "amp_lab").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in dir(amp) or name.endswith(("Error", "Warning")) or name == "warn":
                    inside = [part for given in node.args for part in ast.walk(given)]
                    parts = [str(part.value) for part in inside if isinstance(part, ast.Constant)]
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", "".join(parts)


def test_no_error_names_a_macro_of_c() -> None:
    """Python users have arguments, not flags; C users know a flag by its word, too."""
    texts = [(place, f"{sentence} {cure}") for place, sentence, cure in native_errors()] + list(raised())
    assert len(texts) > 300
    assert [one for one in texts if MACROS & set(re.findall(r"\bAMP_[A-Z0-9_]+", one[1]))] == []


PLAIN = [
    (name, param.key)
    for name in amp.catalog.types()
    for param in amp.catalog[name].params
    if param.unit == "1" and param.kind == "number" and param.rate == "frame"
]


@pytest.mark.parametrize(("kind", "key"), PLAIN)
def test_a_number_without_a_unit_is_shown_without_one(kind: str, key: str) -> None:
    """Not as 2000001 1."""
    wrong = amp.catalog[kind].param(key).high * 2.0 + 1.0
    with pytest.raises(amp.GraphError, match=re.escape(f"(got {wrong:g}, allowed ")):
        amp.Graph().add(kind, **{key: wrong})


def test_the_library_shows_no_unit_1() -> None:
    """A value that Python has not seen is checked there, with its cure apart."""
    g = amp.Graph()
    g.output(g.gain(g.sine(frequency_hz=1.0), name="level"))
    text = r"level\.gain: out of range \(got 1e\+09, allowed "
    with lowlevel.Runtime(g.compile().descriptor_blob) as runtime:
        runtime.configure(batches=1)
        with pytest.raises(amp.InvalidArgument, match=text) as caught:
            runtime.set_param("level", "gain", np.full((1, 1, 1), 1e9))
    found = [(one.node, one.port, one.cure) for one in caught.value.violations]
    assert found == [("level", "gain", "Choose a value inside.")]


NOTHING = np.zeros((1, 1, 1))
UNKNOWN: list[tuple[Callable[[lowlevel.Runtime], object], str, str]] = [
    (lambda r: r.bind_input("flt", NOTHING), "flt: there is no such node (allowed mic, low, ", "flt"),
    (lambda r: r.set_param("low", "freq", 1.0), "low.freq: there is no such parameter (allowed ", "low"),
    (lambda r: r.execute(1, None, {("low", "wet"): NOTHING}), 'low: has no output "wet" to tap (all', "low"),
]


@pytest.mark.parametrize(("call", "says", "node"), UNKNOWN)
def test_the_library_lists_what_there_is(
    call: Callable[[lowlevel.Runtime], object], says: str, node: str
) -> None:
    """A name that it does not know is answered with those that it knows."""
    g = amp.Graph()
    g.output(g.svf(g.input(name="mic"), name="low"))
    with lowlevel.Runtime(g.compile().descriptor_blob) as runtime:
        runtime.configure(batches=1)
        with pytest.raises(amp.InvalidArgument, match=re.escape(says)) as caught:
            call(runtime)
    assert [(one.node, one.cure) for one in caught.value.violations] == [(node, "Name one of these.")]
