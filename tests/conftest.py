"""What every test may rely on: `rigs` can be imported, Ctrl-C interrupts, what the system lacks is named."""

import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import systems
from quick import (  # noqa: F401 - hooks
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_runtest_makereport,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)

# A shell that starts its jobs in the background makes them and their children ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests import functions of this plug-in, too.
pytest.register_assert_rewrite("golden_tone")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    """Skip a test whose fixtures need what the system lacks."""
    return (yield from _skipped())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Skip a test that needs what the system lacks."""
    return (yield from _skipped())


def _skipped() -> Generator[None, None, None]:
    try:
        return (yield)
    except Exception as error:
        if what := systems.lacks(error):
            pytest.skip(f"no {what} on this system")
        raise
