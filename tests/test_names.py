"""Names: which are allowed, and that files and code restore every graph with them."""

# ruff: noqa: RUF001 - letters that look alike are the subject of these tests

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab.graph.edits.node_edits import check_name

FOLDED = ("x²", "x2", "ﬁ", "fi", "Ａ", "A", "ſ", "s", "K", "K", "µ", "μ", "ª", "ǆ", "dž", "½", "１", "ℝ", "R")
"""Letters and digits that Python's identifiers fold onto others (NFKC), together with those."""
CODE = (
    "g",
    "amp",
    "array",
    "None",
    "class",
    "match",
    "type",
    "_",
    "__debug__",
    "__builtins__",
    "print",
    "g_2",
    "1",
)
CODE += ("a-b", "a_b", "n_a", "n__debug__", "import", "n_import", "lambda", "self", "gain_2", "gain")
"""Names with a meaning in Python, or in generated code."""


def rebuilt(g: amp.Graph) -> amp.Graph:
    """The graph that its generated code makes."""
    names: dict[str, Any] = {}
    exec(compile(g.to_code().encode(), "code", "exec"), names)
    made: amp.Graph = names["g"]
    return made


def held(g: amp.Graph) -> dict[str, Any]:
    """The graph as JSON values, after it went through code, JSON text and values: all the same."""
    data = g.to_dict()
    assert rebuilt(g).to_dict() == data
    assert amp.Graph.from_json(g.to_json()).to_dict() == data
    assert amp.Graph.from_dict(data).to_dict() == data
    return data


letters = st.characters(categories=("L", "N"))
node_names = st.one_of(
    st.sampled_from(FOLDED + CODE),
    st.text(letters | st.sampled_from("_-"), min_size=1, max_size=12).filter(lambda n: n[0] != "-"),
)
labels = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" \"\\{}'#"), min_size=1, max_size=12
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
samples = st.lists(st.floats(), min_size=1, max_size=70)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(node_names, unique=True, min_size=1, max_size=9),
    node_names,
    st.lists(labels, unique=True, min_size=1, max_size=3),
    samples,
    st.lists(numbers, min_size=4, max_size=4),
)
def test_code_and_files_give_back_every_graph(
    names: list[str], title: str, curves: list[str], bound: list[float], values: list[float]
) -> None:
    """For any names, numbers and samples: NFKC folds, keywords, quotes, denormals, NaN."""
    g = amp.Graph(name=title, sample_rate=44_100.5, heat_budget_w=abs(values[0]) or 1.0)
    last = g.input(samples=bound)
    for i, name in enumerate(names):
        node = g.gain(
            gain=amp.curve(curves[i % len(curves)]) if i % 2 else min(max(values[1], -1e6), 1e6), name=name
        )
        tokens = [[values[2:4]]] if i % 3 == 0 else None
        g.connect(last, node, delay_frames=2, tokens=tokens, gates=curves[:i], kappa=0.5)
        g.modulate(last, node.gain, mode="multiply", scale=values[2], offset=values[3], slot=i)
        last = node
    last.set_thermo(heat_j_per_frame=abs(values[0]))
    g.output(last)
    g.controls = amp.ControlHistory(amp.Curve(name, [0, 5e-324], values[:2]) for name in curves)
    data = held(g)
    assert data["nodes"].keys() >= set(names)


def test_every_letter_that_python_folds_survives_code() -> None:
    """All characters of Unicode that a name may hold and an identifier would change, in one graph."""
    characters = map(chr, range(sys.maxunicode + 1))
    folded = [c for c in characters if c.isalnum() and unicodedata.normalize("NFKC", c) != c]
    g = amp.Graph()
    for c in folded:
        g.constant(name=f"a{c}")
    assert len(folded) > 3000
    assert rebuilt(g).to_dict() == g.to_dict()


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    """Any name that is allowed can be written to files and code."""
    g = amp.Graph()
    try:
        g.constant(name=text)
    except amp.GraphError:
        with pytest.raises(amp.GraphError):
            check_name(text)
    try:
        g.controls = amp.ControlHistory([amp.Curve(text, [0], [1])])
    except amp.GraphError:
        with pytest.raises(amp.GraphError):
            amp.curve(text)
    held(g)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a.b",
        "a\nb",
        "a\u2028b",
        "a\x85b",
        "a\0b",
        "\ud800",
        "a\u202eb",
        "-a",
        "x" * 96,
        "é" * 48,
        5,
    ],
    ids=ascii,
)
def test_names_of_nodes_and_graphs_that_are_refused(name: Any) -> None:
    """Allowed are letters and digits of any script, _ and, not first, -; up to 95 bytes of UTF-8."""
    with pytest.raises(amp.GraphError, match=r"name: not allowed \(got .*, allowed letters and digits"):
        amp.Graph(name=name)
    with pytest.raises(amp.GraphError, match="name: not allowed"):
        amp.Graph().constant(name=name)


@pytest.mark.parametrize(
    "name", ["", "a\nb", "a\u2028b", "a\x85b", "a\0b", "\udfff", "a\u202eb", "x" * 96, 5], ids=ascii
)
def test_names_of_curves_and_gates_that_are_refused(name: Any) -> None:
    """Allowed is printable text of 1 to 95 bytes of UTF-8, for every kind of name."""
    g = amp.Graph()
    a, b = g.constant(), g.gain()
    refused = r"not a name \(got .*, allowed printable text of 1 to 95 bytes"
    says = [lambda: amp.curve(name), lambda: amp.Curve(name, [0], [1])]
    says += [lambda: g.connect(a, b, gates=[name])] * isinstance(name, str)
    says += [lambda: g.controller(curve=name)] * (isinstance(name, str) and bool(name))
    for say in says:
        with pytest.raises(amp.GraphError, match=refused):
            say()
    assert not g.edges and len(g) == 2


@pytest.mark.parametrize("path", ["a\0b", "\ud800.wav", "x" * 5000], ids=ascii)
def test_text_that_no_file_can_hold_is_refused(path: str) -> None:
    """Half characters, NUL and more than 4096 bytes are refused when given, not when saved."""
    with pytest.raises(amp.GraphError):
        amp.Graph().input(samples=path)
    with pytest.raises(amp.FileError, match=r"\$\.nodes\.input\.params\.source: .*not such a text"):
        data = {"schema": "amp_lab.graph/1", "sample_rate": 48000.0}
        amp.Graph.from_dict(data | {"nodes": {"input": {"type": "input", "params": {"source": path}}}})


def test_code_shows_what_cannot_be_seen() -> None:
    """A path may hold marks that turn the direction of writing; code writes them as escapes."""
    g = amp.Graph.from_dict(
        {
            "schema": "amp_lab.graph/1",
            "sample_rate": 48000.0,
            "nodes": {"input": {"type": "input", "params": {"source": "a\u202eb\n.wav"}}},
        }
    )
    assert r"a\u202eb\n.wav" in g.to_code()


def test_constants_of_any_number_type_are_floats() -> None:
    """Numbers of numpy and integers are restored from code and JSON as the same floats."""
    g = amp.Graph(sample_rate=np.float32(48_000), heat_budget_w=np.float32(0.5))
    a = g.gain(
        g.constant(), gain=np.int64(2), thermo={"heat_j_per_frame": 1, "capacity_j_per_k": np.float32(2)}
    )
    g.connect(a, a, delay_frames=np.int64(3), kappa=np.float32(0.5))
    held(g)


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5000], ids=["large", "negative", "very large"])
def test_whole_numbers_that_no_float_holds(number: int) -> None:
    """They are refused like any other number that is out of range, wherever one is given."""
    g = amp.Graph()
    node = g.gain(g.constant())
    for give in (
        lambda: amp.Graph(sample_rate=number),
        lambda: node.set(gain=number),
        lambda: node.set(gain=[[[number]]]),
        lambda: g.constant(channels=number),
        lambda: g.connect(node, node, delay_frames=number),
        lambda: g.connect(node, node, delay_frames=1, tokens=[[[number]]]),
        lambda: g.modulate(node, node.gain, mode="add", scale=number),
        lambda: node.set_thermo(capacity_j_per_k=number),
        lambda: g.input(samples=[number]),
        lambda: g.set_heat_budget(number),
        lambda: amp.Curve("x", [0], [number]),
    ):
        with pytest.raises(amp.GraphError):
            give()
