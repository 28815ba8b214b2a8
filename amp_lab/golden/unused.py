"""Report stored cases that a complete test run did not check, as tests: in the terminal and in JUnit files.

Only a run of all tests shows that a case is unused. A run counts as incomplete if paths on the command line,
`--ignore`, `--lf` or a deselection leave tests out, if a test failed, if a test with the fixture was skipped,
or if the run was stopped. A selection in the project's configuration (`testpaths`, `-m` or `--ignore` in
`addopts`) counts as complete, unless it leaves out a test with the fixture.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from amp_lab.errors import AmpError, plain

from . import folders, list_cases, usage

FIXTURES = frozenset(("amp_golden", "golden"))
_KEY = "amp_golden_left_out"
_CURE = "Run pytest without a selection; testpaths says what is all."


def watch(config: pytest.Config) -> None:
    """Watch this session; workers of pytest-xdist report to the session that started them."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(XdistWorker(config), "amp_lab_golden_unused")
        return
    stack = ExitStack()
    file = stack.enter_context(usage.collected())
    config.add_cleanup(stack.close)
    config.pluginmanager.register(Reporter(config, file), "amp_lab_golden_unused")


def _may_check(item: pytest.Item) -> bool:
    """Return whether a test takes the fixture, or is a notebook cell that names goldens."""
    source = getattr(getattr(item, "cell", None), "source", "")
    return "golden" in source or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


class Watch:
    """Collects why this process did not run all tests to their end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.left_out: list[str] = []
        self._deselections = 0

    def configured(self, value: str) -> bool:
        """Return whether the value of an option stands in `addopts` of the project."""
        return any(word.endswith(value) for word in self.config.getini("addopts"))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note tests that are left out, unless the project's own `-m` leaves them out."""
        takers = sum(map(_may_check, items))
        self._deselections += bool(items)
        marks = self.config.getoption("markexpr")
        if takers:
            self.left_out.append(f"{takers} deselected that check goldens")
        elif self._deselections > bool(marks and self.configured(marks)):
            self.left_out.append(f"{len(items)} deselected")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note a test that takes the fixture and ends before it may have used it."""
        report = yield
        if report.skipped and _may_check(item):
            self.left_out.append(f"{item.nodeid} was skipped")
        return report


class XdistWorker(Watch):
    """The part of a process of pytest-xdist."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send to the session that started the worker what was left out."""
        self.config.workeroutput[_KEY] = self.left_out  # type: ignore[attr-defined]


class Reporter(Watch):
    """Reports unused cases at the end of a session."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        super().__init__(config)
        self.policy: str = config.getoption("--golden-unused")
        self.file = file

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker left out; all workers collect the same tests."""
        for reason in getattr(node, "workeroutput", {}).get(_KEY, ["a worker ended early"]):
            if reason not in self.left_out:
                self.left_out.append(reason)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Report every unused case after the last test."""
        try:
            done = yield
        except BaseException:
            self.left_out.insert(0, "the run was stopped")
            raise
        self.left_out[:0] = self._narrowed(session)
        if not self.left_out:
            entries = self._unused()
            session.testscollected += len(entries)
            for nodeid, text in entries:
                self._report(nodeid, text)
        return done

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write why unused cases were not looked for."""
        if self.left_out:
            more = "; ..." if len(self.left_out) > 3 else ""
            got = f"got a part of the tests: {'; '.join(self.left_out[:3])}{more}, allowed all of them"
            terminalreporter.write_line(f"goldens: unused cases not looked for ({got}). {_CURE}")

    def _narrowed(self, session: pytest.Session) -> list[str]:
        """Return what the command line leaves out, and what did not run to its end."""
        option = self.config.option
        ignored = [*(option.ignore or ()), *(option.ignore_glob or ())]
        found = [f"--ignore={name}" for name in ignored if not self.configured(str(name))]
        if option.collectonly or getattr(option, "setuponly", False):
            found.append("no test was called")
        if getattr(option, "lf", False):
            found.append("--lf")
        if session.testsfailed:
            found.append(f"{session.testsfailed} failed")
        folder = self.config.invocation_params.dir
        asked = [(folder / argument).resolve() for argument in self.config.args if "::" not in argument]
        for whole in _whole(self.config):
            if not any(path == whole or path in whole.parents for path in asked):
                found.append(f"not all of {whole}")
        return found

    def _unused(self) -> list[tuple[str, str]]:
        """Return the name and the text of each entry."""
        used = usage.read(self.file)
        try:
            root = folders.find(start=self.config.rootpath)
            cases = [case for case in list_cases(root) if case.folder.resolve() not in used]
        except AmpError as error:
            return [("goldens::unused", str(error))]
        what = "unused (got no check, allowed 1 and more). Check it in a test, or delete its folder."
        names = [plain(case.name) for case in cases]
        return [(f"{root.name}/{name}::unused", f"golden {name}: {what}") for name in names]

    def _report(self, nodeid: str, text: str) -> None:
        """Report a test that never ran to everything but the memory of `--lf`, which could not run it."""
        path = nodeid.partition("::")[0]
        failed, now = self.policy == "fail", time.time()
        report = pytest.TestReport(
            nodeid,
            (path, None, nodeid),
            {},
            outcome="failed" if failed else "skipped",
            longrepr=text if failed else (path, None, f"Skipped: {text}"),  # type: ignore[arg-type]
            when="call",
            start=now,
            stop=now,
        )
        manager = self.config.pluginmanager
        memory = manager.get_plugin("lfplugin")
        hook = manager.subset_hook_caller("pytest_runtest_logreport", [memory] if memory else [])
        self.config.hook.pytest_runtest_logstart(nodeid=nodeid, location=report.location)
        hook(report=report)
        self.config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=report.location)


def _whole(config: pytest.Config) -> list[Path]:
    """Return the folders that hold all tests of the project: `testpaths`, or where pytest found its root."""
    paths = [path for name in config.getini("testpaths") for path in config.rootpath.glob(name)]
    return [path.resolve() for path in paths] or [config.rootpath.resolve()]
