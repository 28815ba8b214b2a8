"""pytest plugin: the fixture `golden`, and goldens that nothing checked as a failure.

With `--golden-unused=fail` the session fails if a case of the goldens folder was checked neither by a test
nor by a notebook kernel or worker started from it. The default is `ignore`, so that one test can run alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import folders, usage
from .cases import list_cases
from .verdict import GoldenMismatch, Verdict
from .verify import check

_OWNS_FILE = pytest.StashKey[Path]()
_UNUSED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--golden-unused`."""
    parser.getgroup("golden").addoption(
        "--golden-unused",
        choices=("fail", "ignore"),
        default="ignore",
        help="what to do with goldens that nothing checked (default: ignore)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start collecting the checked cases, unless a session around this one already does."""
    if usage.ENVIRONMENT not in os.environ:
        handle, name = tempfile.mkstemp(prefix="amp_golden_", suffix=".txt")
        os.close(handle)
        os.environ[usage.ENVIRONMENT] = name
        config.stash[_OWNS_FILE] = Path(name)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the collection again."""
    file = config.stash.get(_OWNS_FILE, None)
    if file is not None:
        del os.environ[usage.ENVIRONMENT]
        file.unlink(missing_ok=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session for unused cases, if asked to."""
    config = session.config
    if config.getoption("--golden-unused") == "ignore" or _OWNS_FILE not in config.stash:
        return
    used = usage.recorded()
    root = folders.find(start=config.rootpath)
    config.stash[_UNUSED] = [case.name for case in list_cases(root) if case.folder not in used]
    if config.stash[_UNUSED]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """List the unused cases."""
    for name in config.stash.get(_UNUSED, []):
        terminalreporter.write_line(
            f"golden {name}: unused (got no check, allowed 1 and more). Check it or delete it."
        )


@pytest.fixture
def golden() -> Iterator[Callable[..., Verdict]]:
    """Give `golden(name, render)`: the verdict if it passes, else `GoldenMismatch`."""

    def checked(name: str, render: Any, *, goldens: str | Path | None = None) -> Verdict:
        __tracebackhide__ = True
        verdict = check(name, render, goldens=goldens)
        if not verdict:
            raise GoldenMismatch([verdict])
        return verdict

    yield checked
