"""The plan as JSON values: its edges and gates, and graphs given by such edges."""

from __future__ import annotations

import re
from typing import Any

import pytest

import amp_lab as amp

FORM = ("source", "target", "delay_frames", "synchrony_gates")


def graph() -> amp.Graph:
    """Two sources that meet, with delay and gates."""
    g = amp.Graph(name="meet")
    a, b, c = g.add("sine", name="A"), g.add("noise", name="N"), g.add("mix", name="B")
    out = g.output(c, name="output")
    g.disconnect(*[edge for edge in g.edges if edge.dst == out.name])
    g.connect(a, c, delay_frames=128, gates=["beat"])
    g.connect(b, c, gates=["bar", "beat"])
    g.connect(c, out)
    return g


def as_plan(g: amp.Graph, **more: Any) -> dict[str, Any]:
    """Return the graph as JSON values, its edges as its plan has them."""
    info = g.compile().info
    edges = [{key: edge[key] for key in (*FORM, "slot")} for edge in info["edges"] if edge["kind"] == "audio"]
    beside = {"gates": info["gates"], "descriptor_version": info["descriptor_version"]}
    return g.to_dict() | {"edges": edges} | beside | more


def edge(**more: Any) -> dict[str, Any]:
    """Return the first edge in the form of plans."""
    return {"source": "A.out", "target": "B.in", "delay_frames": 128, "synchrony_gates": [0]} | more


def test_a_plan_says_ends_delay_and_gates_of_each_edge() -> None:
    """Gates are places in the plan's list of gates."""
    info = graph().compile().info
    assert info["descriptor_version"] == 1
    assert info["gates"] == ["bar", "beat"]
    found = {e["source"]: {key: e[key] for key in FORM} for e in info["edges"]}
    assert found["A.out"] == {
        "source": "A.out",
        "target": "B.in",
        "delay_frames": 128,
        "synchrony_gates": [1],
    }
    assert found["N.out"]["synchrony_gates"] == [0, 1]
    assert found["B.out"] == {
        "source": "B.out",
        "target": "output.in",
        "delay_frames": 0,
        "synchrony_gates": [],
    }


def test_edges_of_a_plan_are_read_back() -> None:
    """The graph that comes of them has the plan of the one they came from."""
    g = graph()
    again = amp.Graph.from_dict(as_plan(g))
    assert again.compile().digest == g.compile().digest
    assert again.to_dict() == g.to_dict()


def test_gates_without_a_list_are_named_by_their_number() -> None:
    """Names are allowed there, too."""
    data = as_plan(
        graph(), edges=[edge(synchrony_gates=[0, "beat"]), {"source": "B.out", "target": "output.in"}]
    )
    del data["gates"]
    read = amp.Graph.from_dict(data)
    assert [e.gates for e in read.edges] == [("0", "beat"), ()]


def test_both_forms_may_stand_side_by_side() -> None:
    """Each edge is in one of them."""
    data = as_plan(graph(), edges=[edge(), {"from": "B.out", "to": "output.in", "slot": 0, "gates": ["own"]}])
    assert [e.gates for e in amp.Graph.from_dict(data).edges] == [("bar",), ("own",)]


@pytest.mark.parametrize(
    ("edges", "more", "said"),
    [
        (
            [edge(synchrony_gates=[5])],
            {},
            "$.edges[0].synchrony_gates[0]: no such gate (got 5, allowed 0 to 1). Add its name to $.gates.",
        ),
        (
            [edge(synchrony_gates=[0])],
            {"gates": []},
            "$.edges[0].synchrony_gates[0]: no such gate (got 0, allowed none: $.gates is empty).",
        ),
        (
            [edge(synchrony_gates=[True])],
            {},
            "$.edges[0].synchrony_gates[0]: not a gate (got True, allowed a number from 0, or a name).",
        ),
        (
            [edge(synchrony_gates=[-1])],
            {},
            "$.edges[0].synchrony_gates[0]: not a gate (got -1, allowed",
        ),
        (
            [edge(synchrony_gates=0)],
            {},
            "$.edges[0].synchrony_gates: not a list (got 0, allowed a list). Write [0] for the first gate.",
        ),
        ([{"source": "A.out", "synchrony_gates": []}], {}, "$.edges[0]: lacks 'target'."),
        ([edge(gates=["x"])], {}, "$.edges[0].gates: no such key"),
        ([edge(**{"from": "A.out"})], {}, "$.edges[0].from: no such key"),
        ([], {"gates": "beat"}, "$.gates: not a list (got 'beat', allowed a list of names)."),
        ([], {"gates": ["beat", 3]}, "$.gates[1]: not a name (got 3,"),
        ([], {"descriptor_version": 3}, "$.descriptor_version: not supported (got 3, allowed 1 or 2)."),
        ([], {"descriptor_version": True}, "$.descriptor_version: not supported (got True,"),
    ],
)
def test_errors_name_the_place_and_the_cure(
    edges: list[dict[str, Any]], more: dict[str, Any], said: str
) -> None:
    """Each with its JSON path."""
    with pytest.raises(amp.FileError, match=re.escape(said)):
        amp.Graph.from_dict(as_plan(graph(), edges=edges, **more))
