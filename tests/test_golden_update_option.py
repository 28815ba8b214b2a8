"""Storing goldens from tests: `pytest --golden-update=REASON`, and the names of cases."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from amp_lab.golden import list_cases, node_names, verify

pytest_plugins = ["pytester", "golden_project"]

ON = ("-p", "amp_lab.pytest_plugin")


@pytest.mark.usefixtures("alone")
def test_one_command_stores_what_the_tests_render(project: pytest.Pytester) -> None:
    """`--golden-update=REASON` stores new and changed renders and lists the changes; then all pass."""
    project.makepyfile(
        """
        import numpy as np
        import amp_lab as amp
        from sound import tone

        def played():
            g = amp.Graph(name="played", heat_budget_w=1.0)
            osc = g.sine(frequency_hz=amp.curve("pitch"), name="osc")
            recording = g.input(np.ones((2, 1, 100)) * 0.25, name="recording")
            mixed = g.mix(osc, recording)
            g.modulate(g.lfo(rate_hz=5.0), osc.amplitude, mode="multiply", scale=0.1, offset=1.0)
            g.output(g.delay_line(mixed, delay_s=0.001))
            g.controls = None
            pitch = amp.Curve("pitch", [0.0, 0.001], [300.0, 400.0])
            return g.render(frames=100, batches=2, controls=amp.ControlHistory([pitch]))

        def test_tone(golden): golden("tone", tone(441.0))
        def test_new(golden): golden("played", played())
        """
    )
    assert project.runpytest_inprocess(*ON).ret == 1
    told = project.runpytest_inprocess(*ON, "--golden-update=higher")
    told.assert_outcomes(passed=2)
    told.stdout.fnmatch_lines(
        [
            "golden tone: stored in *tone (osc.frequency_hz: 440.0 -> 441.0)",
            "golden played: stored in *played",
        ]
    )
    project.runpytest_inprocess(*ON).assert_outcomes(passed=2)
    assert [case.manifest()["blessed"]["reason"] for case in list_cases("goldens")] == ["higher"] * 2
    again = project.runpytest_inprocess(*ON, "--golden-update=again")
    assert "stored in" not in again.stdout.str()
    assert len(verify(goldens="goldens")) == 4


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("reason", ["", "  "])
def test_update_wants_a_reason(pytester: pytest.Pytester, reason: str) -> None:
    """As on the command line, nothing is stored without a reason."""
    result = pytester.runpytest_inprocess(*ON, f"--golden-update={reason}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--golden-update: no reason given*"])


@pytest.mark.usefixtures("alone")
def test_update_keeps_the_comparator(project: pytest.Pytester) -> None:
    """A case keeps its comparator, limits and reason, and one that cannot be read is not replaced."""
    rule = (
        '"comparator": {"name": "max_abs", "limits": {"abs_tol": 1e-3, "rel_tol": 0.0}, "reason": "a scope"}'
    )
    manifest = Path("goldens/tone/manifest.json")
    values = json.loads(manifest.read_text()) | json.loads("{" + rule + "}")
    manifest.write_text(json.dumps(values))
    project.makepyfile("from sound import tone\ndef test_it(golden): golden('tone', tone(880.0))")
    project.runpytest_inprocess(*ON, "--golden-update=octave").assert_outcomes(passed=1)
    assert json.loads(manifest.read_text())["comparator"] == values["comparator"]
    manifest.write_text("{")
    result = project.runpytest_inprocess(*ON, "--golden-update=more")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*tone: its comparator cannot be read, so it is not replaced*"])
    assert manifest.read_text() == "{"


@pytest.mark.usefixtures("alone")
def test_update_is_refused_under_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the command line, nothing is stored under CI in a folder that was not named."""
    before = {path: path.read_bytes() for path in Path("goldens").rglob("*") if path.is_file()}
    project.makepyfile("from sound import tone\ndef test_it(golden): golden('tone', tone(880.0))")
    monkeypatch.setenv("CI", "true")
    result = project.runpytest_inprocess(*ON, "--golden-update=octave")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GoldenError: *CI*"])
    assert "amp_lab/" not in result.stdout.str(), "the sentence alone"
    assert {path: path.read_bytes() for path in Path("goldens").rglob("*") if path.is_file()} == before
    monkeypatch.setenv("AMP_GOLDENS", str(Path("goldens").resolve()))
    project.runpytest_inprocess(*ON, "--golden-update=octave").assert_outcomes(passed=1)


@pytest.mark.usefixtures("alone")
def test_two_tests_of_one_case_are_told(project: pytest.Pytester) -> None:
    """Where two tests check one case with different graphs, both are named, and no update chooses."""
    source = "from sound import tone\ndef test_it(golden): golden('tone', tone({hz}))"
    project.makepyfile(test_a=source.format(hz=440.0), test_b=source.format(hz=880.0))
    told = "golden tone: test_a.py::test_it and test_b.py::test_it check it with different graphs*"
    for options in ((), ("-p", "xdist.plugin", "-n2")):
        result = project.runpytest_subprocess(*ON, *options)
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines([told])
    project.makepyfile(test_a=source.format(hz=550.0))
    result = project.runpytest_inprocess(*ON, "--golden-update=which?")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*golden tone: stored a moment ago for test_a.py::test_it*"])


@pytest.mark.usefixtures("alone")
def test_tests_name_their_cases(project: pytest.Pytester) -> None:
    """Without a name each test has a case of its own, parametrised ones and methods too."""
    project.makepyfile(
        test_sound="""
        import pytest
        from sound import tone

        @pytest.mark.parametrize("hz", [220.0, 330.0])
        def test_it(amp_golden, hz): amp_golden(tone(hz))

        class TestHigh:
            @pytest.mark.parametrize("what", ["a/b", "a:b", "A b"])
            def test_it(self, amp_golden, what): amp_golden(tone(1000.0 + len(what)))
        """
    )
    result = project.runpytest_inprocess(*ON, "--golden-update=first")
    result.assert_outcomes(passed=5)
    names = [case.name for case in list_cases("goldens") if case.name != "tone"]
    assert [re.sub("-[0-9a-f]{8}$", "-?", name) for name in names] == [
        "test_sound.TestHigh.test_it-A_b-?",
        "test_sound.TestHigh.test_it-a_b-?",
        "test_sound.TestHigh.test_it-a_b-?",
        "test_sound.test_it-220.0",
        "test_sound.test_it-330.0",
    ]
    project.runpytest_inprocess(*ON).assert_outcomes(passed=5)


def test_names_of_tests_are_distinct() -> None:
    """No two node ids share a name, even on systems that do not distinguish letter case, dots or length."""
    nodes = [
        "tests/test_a.py::test_it",
        "test_a.py::test_it[a]",
        "test_a.py::test_it[A]",
        "test_a.py::test_it[.]",
        "test_a.py::test_it[ ]",
        "test_a.py::test_it[\\xe9]",
        f"test_a.py::test_it[{'x' * 200}]",
        f"test_a.py::test_it[{'x' * 201}]",
        "tests/a.b/test_a.py::test_it",
        "tests/a/b/test_a.py::test_it",
        "tests/a/test_a.py::test_it",
    ]
    names = [node_names.of_node(node) for node in nodes]
    assert len({name.casefold() for name in names}) == len(nodes)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,98}[A-Za-z0-9_]", name) for name in names), names
