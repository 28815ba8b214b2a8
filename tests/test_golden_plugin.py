"""Goldens in pytest: fixtures, options and reports, in projects of users."""

from __future__ import annotations

import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

pytest_plugins = ["pytester", "golden_project"]

ON = ("-p", "amp_lab.pytest_plugin")


def install(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> None:
    """Install a plug-in as a wheel would: a module and its entry point."""
    folder = pytester.mkdir(f"{name}_installed")
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {name}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


# --- a project that does not use it --------------------------------------------------------------


def test_plugin_loads_nothing_and_makes_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a test uses it, a session loads plug-in and errors of amp_lab; no NumPy, no file, no variable."""
    scratch = pytester.mkdir("scratch")
    monkeypatch.setenv("TMPDIR", str(scratch))
    for name in [name for name in os.environ if name.startswith("AMP_")]:
        monkeypatch.delenv(name)
    pytester.makepyfile(
        f"""
        import os, sys
        def test_it():
            assert {{m for m in sys.modules if m.partition(".")[0] == "amp_lab"}} == {{
                "amp_lab", "amp_lab.common", "amp_lab.common.provided", "amp_lab.errors",
                "amp_lab.moved", "amp_lab.printable", "amp_lab.pytest_plugin"}}
            assert not {{"numpy", "cffi", "matplotlib"}} & set(sys.modules)
            assert os.listdir({str(scratch)!r}) == []
            assert not [name for name in os.environ if name.startswith("AMP_")]
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)


STRANGER = {
    "conftest": """
        import pytest

        @pytest.fixture
        def golden():
            return "theirs"
        """,
    "test_theirs": """
        import pytest

        @pytest.mark.parametrize("value", [1, 2], ids=["a b", "é"])
        def test_values(value, golden):
            assert golden == "theirs"

        def test_fails(golden):
            print("seen")
            assert golden == "ours"

        @pytest.mark.skip(reason="later")
        def test_skipped(golden): pass

        @pytest.mark.xfail
        def test_expected(golden): assert 0

        @pytest.fixture
        def broken():
            raise OSError("no device")

        def test_error(broken): pass
        """,
}


@pytest.mark.parametrize("options", [(), ("-k", "values"), ("--collect-only",), ("-x", "-v")])
@pytest.mark.usefixtures("alone")
def test_stranger_sees_no_difference(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Output, JUnit file, exit code and files of a project are the same with and without the plug-in."""
    pytester.makepyfile(**STRANGER)
    seen = []
    for on in (ON, ()):
        result = pytester.runpytest_inprocess(*on, *options, "--junitxml=report.xml", "-ra")
        text = re.sub(r"\d+\.\d+s|(?m:^plugins: .*$)", "", result.stdout.str())
        report = Path("report.xml").read_text(encoding="utf-8")
        files = sorted(str(path) for path in pytester.path.rglob("*"))
        seen.append((result.ret, text, re.sub(r'time(stamp)?="[^"]*"', "", report), files))
        shutil.rmtree(".pytest_cache", ignore_errors=True)
    assert seen[0] == seen[1]


# --- fixtures ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_fixture_passes_and_fails_with_the_text_of_the_verdict(project: pytest.Pytester) -> None:
    """Both names check; a failure shows the test's line and the verdict, and no line of amp_lab's code."""
    project.makepyfile(
        """
        from sound import tone
        def test_good(amp_golden): assert amp_golden("tone", tone()).passed
        def test_short(golden): golden("tone", tone())
        def test_bad(golden): golden("tone", tone(441.0))
        def test_all():
            from amp_lab import golden
            golden.verify(code={"tone": tone(441.0)})
        """
    )
    result = project.runpytest_inprocess(*ON)
    result.assert_outcomes(passed=2, failed=2)
    text = result.stdout.str()
    assert text.count("osc.frequency_hz: 440.0 -> 441.0") == 2
    assert "GoldenMismatch: tone: FAIL exact at block 0, frame 1, batch 0, channel 0" in text
    assert "E     expected   " in text and "amp_lab/golden" not in text


OTHER = """
import pytest

@pytest.fixture(scope="session", params=["theirs"])
def golden(request):
    return request.param
"""


@pytest.mark.parametrize(
    ("name", "options"), [("a_plugin", ()), ("zz_plugin", ()), ("p_plugin", ("-p", "p_plugin", *ON))]
)
def test_short_name_yields_to_another_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, options: tuple[str, ...]
) -> None:
    """For any order of plug-ins, `golden` is the other one's, scope and parameters too."""
    install(pytester, monkeypatch, name, OTHER)
    pytester.makepyfile(
        """
        def test_theirs(golden): assert golden == "theirs"
        def test_ours(amp_golden): assert type(amp_golden).__module__ == "amp_lab.golden.fixture"
        """
    )
    if options:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = pytester.runpytest_subprocess(*options, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_theirs?theirs?*"])


# --- unused cases ---------------------------------------------------------------------------------------

USER = """
import pytest
from sound import tone

def test_uses(golden): golden("tone", tone())
def test_other(): pass
"""


def entries(file: Path = Path("report.xml")) -> list[str]:
    """Entries about goldens in a JUnit file: place and outcome."""
    cases = ElementTree.parse(file).iter("testcase")
    return [
        f"{case.get('classname')} {case.get('name')} {', '.join(child.tag for child in case)}"
        for case in cases
        if str(case.get("classname")).startswith("goldens")
    ]


@pytest.mark.parametrize(
    ("policy", "code", "tag"), [("fail", 1, ["failure"]), ("skip", 0, ["skipped"]), ("ignore", 0, [])]
)
@pytest.mark.usefixtures("alone")
def test_unused_case_is_reported_as_a_test(
    project: pytest.Pytester, policy: str, code: int, tag: list[str]
) -> None:
    """A case that no test checked is an entry in JUnit and in the terminal, one that was checked is none."""
    shutil.copytree("goldens/tone", "goldens/forgotten")
    project.makepyfile(USER)
    result = project.runpytest_inprocess(*ON, f"--golden-unused={policy}", "--junitxml=report.xml", "-ra")
    assert result.ret == code
    assert entries() == [f"goldens.forgotten unused {kind}" for kind in tag]
    what = "goldens/forgotten::unused - golden forgotten: unused (got no check"
    assert (what in result.stdout.str()) == (policy == "fail")
    assert "[150%]" not in result.stdout.str()


@pytest.mark.usefixtures("alone")
def test_workers_report_together(project: pytest.Pytester) -> None:
    """Under pytest-xdist results of all workers are used, and each entry occurs once."""
    shutil.copytree("goldens/tone", "goldens/forgotten")
    project.makepyfile(test_it=USER, test_more="def test_more(): pass")
    options = (*ON, "-p", "xdist.plugin", "-n2", "--golden-unused=fail", "--junitxml=report.xml")
    result = project.runpytest_subprocess(*options)
    result.assert_outcomes(passed=3, failed=1)
    assert entries() == ["goldens.forgotten unused failure"]
    result = project.runpytest_subprocess(*options, "-k", "more")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*not looked for*1 deselected*"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-k", "other"), "1 deselected that check goldens"),
        (("-k", "uses"), "1 deselected"),
        (("--deselect", "test_it.py::test_uses"), "1 deselected that check goldens"),
        (("test_it.py",), "not all of "),
        (("test_it.py::test_other",), "not all of "),
        (("--ignore=test_it.py",), "--ignore="),
        (("--lf",), "--lf"),
        (("--setup-only",), "no test was called"),
        (("-x", "-o", "python_files=bad.py"), "the run was stopped"),
        (("-o", "python_files=bad.py"), "1 failed"),
        (("-o", "python_files=skips.py"), "skips.py::test_skips was skipped"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_part_of_the_tests_judges_nothing(
    project: pytest.Pytester, options: tuple[str, ...], reason: str
) -> None:
    """A partial run reports no case, and what it left out; its exit code is that of the tests."""
    project.makepyfile(
        test_it=USER,
        bad="def test_bad(golden): assert 0\ndef test_more(golden): pass",
        skips="import pytest\n@pytest.mark.skip\ndef test_skips(golden): pass",
    )
    codes = set()
    for policy in ("ignore", "fail"):
        result = project.runpytest_inprocess(
            *ON, f"--golden-unused={policy}", "--junitxml=report.xml", *options
        )
        codes.add(result.ret)
    assert len(codes) == 1
    assert entries() == []
    assert f"unused cases not looked for (got a part of the tests: {reason}" in result.stdout.str()


@pytest.mark.usefixtures("alone")
def test_selection_of_the_configuration_is_the_whole(project: pytest.Pytester) -> None:
    """`testpaths` and `-m` of the project do not switch the report off, unless they leave out a user."""
    shutil.copytree("goldens/tone", "goldens/forgotten")
    project.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        pythonpath = ["."]
        testpaths = ["checks"]
        markers = ["slow: takes long"]
        addopts = ["-m", "not slow", "--golden-unused=fail"]
        """
    )
    project.mkdir("checks")
    test = Path("checks/test_it.py")
    test.write_text(USER + "\n@pytest.mark.slow\ndef test_slow(): pass\n")
    result = project.runpytest_inprocess(*ON, "checks", "-ra")
    result.assert_outcomes(passed=2, failed=1, deselected=1)
    result.stdout.fnmatch_lines(["FAILED goldens/forgotten::unused*"])
    test.write_text(test.read_text().replace("test_slow()", "test_slow(golden)"))
    result = project.runpytest_inprocess(*ON)
    result.assert_outcomes(passed=2, deselected=1)
    result.stdout.fnmatch_lines(["*not looked for*1 deselected that check goldens*"])


@pytest.mark.usefixtures("alone")
def test_unused_case_does_not_stay_in_last_failed(project: pytest.Pytester) -> None:
    """`--lf` after an unused case runs as if nothing had failed: the report is no test to run again."""
    shutil.copytree("goldens/tone", "goldens/forgotten")
    project.makepyfile(USER)
    assert project.runpytest_inprocess(*ON, "--golden-unused=fail").ret == 1
    result = project.runpytest_inprocess(*ON, "--lf")
    result.assert_outcomes(passed=2)
    assert "known failure" not in result.stdout.str()


@pytest.mark.usefixtures("alone")
def test_no_goldens_folder_is_named(project: pytest.Pytester) -> None:
    """If the report is requested and there is no folder of cases, one entry reports that."""
    shutil.rmtree("goldens")
    project.makepyfile("def test_green(): pass")
    result = project.runpytest_inprocess(*ON, "--golden-unused=fail", "-ra")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*goldens: folder not found*"])


@pytest.mark.usefixtures("alone")
def test_options_are_explained(pytester: pytest.Pytester) -> None:
    """`pytest --help` has a group of its own that describes each option."""
    text = " ".join(pytester.runpytest_inprocess(*ON, "--help").stdout.str().split())
    assert (
        "goldens of amp_lab: --golden-unused={ignore,skip,fail} what to do with stored golden cases" in text
    )
