"""What every test may rely on: `rigs` can be imported, and Ctrl-C interrupts."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

# A shell that starts its jobs in the background lets them ignore SIGINT, and their children with them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests import functions of this plug-in, too.
pytest.register_assert_rewrite("golden_tone")
