"""What every test may rely on: `rigs` can be imported, and Ctrl-C interrupts."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
