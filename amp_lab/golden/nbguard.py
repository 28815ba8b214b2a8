"""pytest plugin for `--nbval` runs: `pytest --nbval -p amp_lab.golden.nbguard notebooks`.

It lints notebooks (every code cell executed in order, with its output, and compared), reports a dead kernel
at once with its signal, leaves HTML and pictures out of the comparison, and at the end proves that every code
cell ran, in whichever worker of pytest-xdist. With `--nbval-lax` a cell need not be compared, only executed.
It guards the runs that ask for it by `-p`; without, nbval is as it was.
"""

from __future__ import annotations

import ast
import signal
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from amp_lab.errors import plain

POLL_S = 0.1
"""Seconds between two checks whether the kernel is running."""

NOT_COMPARED = (
    "text/html",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.amp-lab.view+json",
)

_GUARD = "amp_lab_nbguard"
_TRANSFORM = TransformerManager().transform_cell  # type: ignore[no-untyped-call]


class KernelDeathError(Exception):
    """The kernel's process ended while a cell was waited for."""


def _death(kernel: Any) -> str:
    """Return how the kernel's process ended: `killed by SIGSEGV (-11)` or `exit code 1`."""
    code = kernel.km.provisioner.process.returncode
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name} ({code})"
    return f"exit code {code}"


def _watched(get_message: Any) -> Any:
    """Wrap `RunningKernel.get_message`: the same answer, but a dead kernel ends the wait."""

    def get(self: Any, stream: str, timeout: float | None = None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = POLL_S if deadline is None else min(POLL_S, deadline - time.monotonic())
            alive = self.is_alive()
            try:
                return get_message(self, stream, timeout=max(left, 0.001))
            except Empty:
                if not alive:
                    raise KernelDeathError(_death(self)) from None
                if deadline is not None and time.monotonic() >= deadline:
                    raise

    return get


def _shows(source: str) -> bool:
    """Return whether a cell must leave output: it prints or displays, or its last line is a value."""
    try:
        body = ast.parse(_TRANSFORM(source)).body
    except SyntaxError:
        return True
    values = [statement.value for statement in body if isinstance(statement, ast.Expr)]
    called = [v.func.id for v in values if isinstance(v, ast.Call) and isinstance(v.func, ast.Name)]
    if {"print", "display"} & set(called):
        return True
    last = body[-1] if body else None
    return isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call | ast.Await)


def lint(items: Iterable[Any]) -> list[str]:
    """Return what is wrong with the code cells of one notebook, a line each.

    Parameters
    ----------
    items : iterable of nbval cells
        In the order of the notebook.
    """
    problems: list[str] = []
    before = 0
    for item in items:
        cell, where = item.cell, f"{item.parent.nodeid} {item.name}"
        count = cell.execution_count
        if not cell.source.strip():
            problems.append(f"{where}: empty code cell (got no source). Delete it.")
        elif count is None:
            problems.append(f"{where}: not executed (got no execution count). Run all cells and save.")
        elif count <= before:
            problems.append(
                f"{where}: executed out of order (got {count} after {before}). Run all cells and save."
            )
        elif not cell.outputs and _shows(cell.source):
            problems.append(f"{where}: no output stored (got 0, allowed 1 and more). Run all cells and save.")
        if item.options["skip"]:
            problems.append(f"{where}: not executed (got a marker that skips it). Take the marker out.")
        elif item.parent.compare_outputs and not item.options["check"]:
            problems.append(
                f"{where}: not compared (got a marker that switches it off). Print stable text instead."
            )
        before = max(before, count or 0)
    return problems


class NotebookLint(pytest.Item):
    """One test per notebook: its cells as they are stored."""

    cells: list[Any]

    def runtest(self) -> None:
        """Fail with every problem at once."""
        problems = lint(self.cells)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the notebook."""
        return self.path, None, self.name


@dataclass
class Book:
    """What is known of one notebook.

    Attributes
    ----------
    cells : int
        Code cells it holds, whatever is deselected later.
    executed, compared : int
    """

    cells: int = 0
    executed: int = 0
    compared: int = 0


class Guard:
    """What the guard remembers during one session, in the process that reports and in each worker."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.books: dict[str, Book] = {}
        self.deaths: dict[str, str] = {}
        self.problems: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self) -> Generator[None, Any, Any]:
        """Leave out of the comparison what differs between machines."""
        collectors = yield
        for collector in collectors:
            if isinstance(collector, IPyNbFile):
                collector.skip_compare = (*collector.skip_compare, *NOT_COMPARED)
        return collectors

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Expect every cell of each notebook seen, whatever is deselected later."""
        report = yield
        if isinstance(collector, IPyNbFile):
            self.books[collector.nodeid] = Book(sum(isinstance(i, IPyNbCell) for i in report.result))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Put the lint of each notebook before its first cell."""
        books: dict[Any, list[Any]] = {}
        for item in items:
            if isinstance(item, IPyNbCell):
                books.setdefault(item.parent, []).append(item)
        for book, cells in books.items():
            test = NotebookLint.from_parent(book.parent, name=f"{book.path.name}::lint")
            test.cells = cells
            items.insert(items.index(cells[0]), test)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the cells of a notebook in one worker: they share a kernel."""
        if config.getoption("dist") not in ("load", "worksteal"):
            return None
        from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # noqa: PLC0415

        return LoadFileScheduling(config, log)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Turn the death of a kernel into a failure of the cell that killed it, and of those after it."""
        if not isinstance(item, IPyNbCell):
            return (yield)
        name = item.parent.nodeid
        if name in self.deaths:
            item.raise_cell_error(f"Not executed: {self.deaths[name]}")
        book, executes = self.books[name], item.parent.kernel.is_alive() and not item.options["skip"]
        book.executed += executes
        book.compared += executes and item.options["check"]
        try:
            return (yield)
        except KernelDeathError as death:
            self.deaths[name] = f"the kernel died in {item.name}, {death}"
            raise NbCellError(item.cell_num, f"The kernel died: {death}", item.cell.source) from None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker counted: each notebook ran in one of them."""
        counts: Mapping[str, Mapping[str, int]] = getattr(node, "workeroutput", {}).get(_GUARD, {})
        for name, there in counts.items():
            here = self.books.setdefault(name, Book())
            for key, count in there.items():
                setattr(here, key, max(getattr(here, key), count))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session unless every code cell of every notebook was executed and compared."""
        if hasattr(self.config, "workerinput"):
            counts = {name: asdict(book) for name, book in self.books.items()}
            self.config.workeroutput[_GUARD] = counts  # type: ignore[attr-defined]
            return
        if self.config.option.collectonly:
            return
        self.problems = [
            f"{name}: executed {book.executed} of {book.cells} code cells. Run the whole notebook."
            for name, book in sorted(self.books.items())
            if book.executed != book.cells
        ]
        if not any(book.cells for book in self.books.values()):
            where = ", ".join(plain(argument) for argument in self.config.args)
            what = f"{len(self.books)} notebooks without one" if self.books else "no notebook"
            self.problems.append(
                f"no code cell was run (got {what} in {where}, allowed 1 cell and more). Name the notebooks."
            )
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write how many cells ran, or which did not."""
        for problem in self.problems:
            terminalreporter.write_line(f"nbguard: {problem}")
        if not self.problems and not self.config.option.collectonly:
            executed = sum(book.executed for book in self.books.values())
            compared = sum(book.compared for book in self.books.values())
            did = " and compared" if compared == executed else f", {compared} of them compared"
            terminalreporter.write_line(
                f"nbguard: {executed} code cells of {len(self.books)} notebooks executed{did}"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Take effect in `--nbval` runs only."""
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        if config.getoption("dist", "no") == "loadgroup":
            cells = "got one that runs the cells of a notebook in several kernels, allowed loadfile"
            raise pytest.UsageError(f"--dist loadgroup: not usable with nbguard ({cells}). Choose that.")
        config.pluginmanager.register(Guard(config), _GUARD)
        patch = pytest.MonkeyPatch()
        patch.setattr(RunningKernel, "get_message", _watched(RunningKernel.get_message))
        config.add_cleanup(patch.undo)
