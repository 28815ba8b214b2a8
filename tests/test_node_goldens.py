"""Every case of every node type is a golden, compared as the case declares, and a figure."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rigs

from amp_lab import catalog, golden
from amp_lab.golden import node_cases
from amp_lab.golden.node_cases import NodeCase

MAKE = runpy.run_path(str(rigs.GOLDENS / "make_cases.py"))
NODES: dict[str, NodeCase] = MAKE["NODES"]
STORED = {case.name: case for case in golden.list_cases(rigs.GOLDENS)}
CURE = 'Run python goldens/make_cases.py "REASON" --new, and commit goldens/.'


def test_every_case_has_its_golden_and_no_golden_is_left_over() -> None:
    """A new node type needs no list but its contract; what is missing is made by one command."""
    missing = sorted(NODES.keys() - STORED.keys())
    assert not missing, f"no golden of {', '.join(missing)}. {CURE}"
    left = [name for name in STORED if name.startswith(node_cases.PREFIX) and name not in NODES]
    assert not left, f"no case of {', '.join(left)}. Run git rm -r on these folders of goldens/."
    assert len(NODES) == sum(len(catalog[type_id].cases) for type_id in catalog.types())


@pytest.mark.parametrize("name", NODES)
def test_the_golden_is_that_of_the_case(name: str) -> None:
    """Parameters, stimulus, length and comparator in the contract are those that were stored."""
    if name not in STORED:
        pytest.fail(f"no golden of {name}. {CURE}")
    cure = f'Run python goldens/make_cases.py "REASON" {name}'
    stored = STORED[name].manifest()
    assert stored["comparator"] == NODES[name].comparator(), cure
    case = NODES[name].case
    assert (stored["render"]["frames"], stored["render"]["batches"]) == (case.frames, 1), cure
    graph, controls = NODES[name].graph()
    render = graph.render(frames=case.frames, controls=controls, isolation="none")
    verdict = golden.check(name, render, goldens=rigs.GOLDENS)
    assert verdict, f"{verdict}\n{cure}"


def within(case: NodeCase, tmp_path: Path, **more: Any) -> bool:
    """Whether the render of a changed node is within what the case allows."""
    graph, controls = case.graph()
    frames, rule = case.case.frames, case.comparator()
    render = graph.render(frames=frames, controls=controls, isolation="none")
    how = {"comparator": rule["name"], "comparator_reason": rule["reason"], **rule["limits"]}
    golden.store("c", render, reason="test", graph=graph, goldens=tmp_path, overwrite=True, **how)
    changed = case.graph(**more)[0].render(frames=frames, isolation="none")
    return bool(golden.check("c", changed, goldens=tmp_path))


@pytest.mark.parametrize(
    ("comparator", "tolerance", "near", "far"),
    [
        ("exact", 0.0, 0.5, 0.5 + 2**-53),
        ("max_abs", 1e-3, 0.5009, 0.502),
        ("snr_db", 40.0, 0.504, 0.506),
        ("rms_db", 1.0, 0.55, 0.57),
    ],
)
def test_comparator_and_tolerance_of_a_case_decide(
    comparator: str, tolerance: float, near: float, far: float, tmp_path: Path
) -> None:
    """A gain within the tolerance passes, one without fails."""
    (given,) = (case for case in node_cases.of("gain") if case.params() == {"gain": 0.5})
    case = replace(given, case=replace(given.case, comparator=comparator, tolerance=tolerance, reason="test"))
    assert within(case, tmp_path, gain=near)
    assert not within(case, tmp_path, gain=far)


@pytest.mark.parametrize(("comparator", "tolerance"), [("near", 0.0), ("exact", 1e-3)])
def test_a_case_without_a_comparator_is_refused(comparator: str, tolerance: float) -> None:
    """An unknown name, and a tolerance that no case uses."""
    (given, *_) = node_cases.of("gain")
    case = replace(given, case=replace(given.case, comparator=comparator, tolerance=tolerance))
    with pytest.raises(golden.GoldenError, match=r"case\.gain\.half: no comparator"):
        case.comparator()


def test_every_type_shows_its_cases_in_a_figure() -> None:
    """The page of a type has a picture with each of its cases; `docs/figures.py --check` compares it."""
    docs = rigs.GOLDENS.parent / "docs"
    cure = "Run python -P docs/figures.py --write, and commit docs/."
    for type_id in catalog.types():
        picture = docs / "pictures" / "cases" / f"{type_id}.svg"
        assert picture.is_file(), f"no {picture}. {cure}"
        text = picture.read_text(encoding="utf-8")
        assert [c.key for c in catalog[type_id].cases if f">{c.key}<" not in text] == [], cure
        assert f"cases/{type_id}.svg" in (docs / "nodes" / f"{type_id}.md").read_text(encoding="utf-8"), cure
