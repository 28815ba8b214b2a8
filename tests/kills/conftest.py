"""Tests that kill writers at their system calls: skipped, with a message, if strace is missing."""

import os

import killing
import pytest

_REASON = killing.missing()


def pytest_runtest_setup() -> None:
    """Skip, or fail on a machine that must have strace."""
    if _REASON and os.environ.get("AMP_REQUIRE_STRACE") == "1":
        pytest.fail(f"{_REASON} (AMP_REQUIRE_STRACE=1)", pytrace=False)
    if _REASON:
        pytest.skip(_REASON)
