"""What the pytest fixtures `amp_golden` and `golden` give to a test, and what all tests checked."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from amp_lab.errors import AmpError, plain

from . import folders, node_names
from .verdict import GoldenError, GoldenMismatch, Verdict
from .verify import check

KEY = "amp_golden_checks"
"""Of the output of a worker of pytest-xdist, and name of the plug-in `Checks`."""


@dataclass(frozen=True)
class Check:
    """One call of the fixture.

    Attributes
    ----------
    case : str
    folder : str
        Of the case; empty if there are no goldens.
    test : str
        Node id.
    graph : str
        Digest of graph and curves; empty if unknown.
    passed : bool
    updated : str
        What was stored, if that was asked for.
    """

    case: str
    folder: str
    test: str
    graph: str
    passed: bool
    updated: str = ""


class Checks:
    """What the tests of a session checked; registered when the first one does."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.done: list[Check] = []

    @classmethod
    def of(cls, config: pytest.Config) -> Checks:
        """Return that of a session."""
        found = config.pluginmanager.get_plugin(KEY)
        if isinstance(found, cls):
            return found
        checks = cls(config)
        config.pluginmanager.register(checks, KEY)
        return checks

    def pytest_sessionfinish(self) -> None:
        """Send from a worker of pytest-xdist to the session that started it."""
        if hasattr(self.config, "workerinput"):
            self.config.workeroutput[KEY] = [asdict(one) for one in self.done]  # type: ignore[attr-defined]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was stored, and which tests share a case by mistake."""
        for line in (*(one.updated for one in self.done if one.updated), *self.shared()):
            terminalreporter.write_line(line)

    def shared(self) -> list[str]:
        """Return a line for each case that failed and that two tests check with different graphs."""
        lines = []
        for folder in dict.fromkeys(one.folder for one in self.done if not one.passed):
            checks = [one for one in self.done if one.folder == folder and one.graph]
            first = {one.graph: one for one in reversed(checks)}
            if len(first) > 1:
                tests = " and ".join(sorted(one.test for one in first.values()))
                lines.append(
                    f"golden {plain(checks[0].case)}: {tests} check it with different graphs. "
                    "Give each a case of its own."
                )
        return lines


class Checker:
    """Holds renders against stored cases for one test."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._checks = Checks.of(item.config)

    def __call__(self, *given: Any, goldens: str | Path | None = None) -> Verdict:
        """Return the verdict if the case passes: `golden("wind", render)`, or `golden(render)`.

        Parameters
        ----------
        name : str, optional
            Folder below `goldens/`; default: a name made of the test's module, classes, function and
            parameters, which no other test has.
        render : Render or array
        goldens : path, optional
            See `folders.find`.

        Raises
        ------
        GoldenMismatch
            The render differs from the case, or the case cannot be read; its text is the verdict's.
        GoldenError
            With `--golden-update`: the render cannot be stored.
        """
        __tracebackhide__ = True
        if len(given) not in (1, 2):
            raise TypeError(f"golden: takes (render) or (name, render) (got {len(given)} arguments).")
        name = given[0] if len(given) == 2 else node_names.of_node(self._item.nodeid)
        render = given[-1]
        verdict = check(name, render, goldens=goldens)
        updated = ""
        reason = self._item.config.getoption("--golden-update")
        if not verdict and reason is not None:
            updated = self._update(name, render, verdict, reason, goldens)
            verdict = check(name, render, goldens=goldens)
        self._note(name, render, verdict, updated, goldens)
        if not verdict:
            raise GoldenMismatch([verdict])
        return verdict

    def _update(
        self, name: str, render: Any, verdict: Verdict, reason: str, goldens: str | Path | None
    ) -> str:
        """Store the render and return what to say of it."""
        from .of_render import store_render  # noqa: PLC0415 - only where it is asked for

        __tracebackhide__ = True
        folder = _folder(name, goldens)
        for other in self._checks.done:
            if other.updated and other.folder == folder:
                raise GoldenError(
                    f"golden {plain(name)}: stored a moment ago for {other.test}, and this render differs. "
                    "Give each test a case of its own."
                )
        mismatch = verdict.comparison.mismatch
        changes = "" if mismatch is None else "; ".join(mismatch.changes)
        try:
            case = store_render(name, render, reason=reason, goldens=goldens)
        except AmpError as error:
            raise GoldenError(str(error)) from None  # the sentence, without the code that says it
        return f"golden {plain(name)}: stored in {case.folder}" + (f" ({changes})" if changes else "")

    def _note(
        self, name: str, render: Any, verdict: Verdict, updated: str, goldens: str | Path | None
    ) -> None:
        self._checks.done.append(
            Check(
                str(name),
                _folder(name, goldens),
                self._item.nodeid,
                _graph(render),
                bool(verdict),
                updated,
            )
        )


def _folder(name: str, goldens: str | Path | None) -> str:
    try:
        return str(folders.find(goldens) / name)
    except Exception:  # the verdict has said what is wrong with folder or name
        return ""


def _graph(render: Any) -> str:
    """Return a digest of what was rendered."""
    request = getattr(render, "request", None)
    if request is None:
        return ""
    return hashlib.sha256(request.descriptor_blob + (request.history_blob or b"")).hexdigest()
