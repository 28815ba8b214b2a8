"""Tests that need what a system lacks are skipped there, and fail on Linux."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import systems

import amp_lab as amp
from amp_lab import isolate


def error_of(call: Callable[[], object]) -> Exception:
    """Return the error that a call raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("no error")


def workers() -> None:
    """Ask for a worker."""
    raise amp.errors.Unsupported("render: workers need memfd (Linux)")


MISSING = {
    "workers (memfd: Linux)": workers,
    "os.no_such_call": lambda: os.no_such_call,  # type: ignore[attr-defined]
    "/proc/none": lambda: Path("/proc/none").read_text(),
}
OTHERS = (
    lambda: Path("none").read_text(),
    lambda: Path.no_such_call,  # type: ignore[attr-defined]
    lambda: amp.no_such_name,
    lambda: 1 / 0,
)


@pytest.mark.parametrize("what", MISSING)
def test_what_another_system_lacks_is_named(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """On Linux it is a fault like any other."""
    error = error_of(MISSING[what])
    monkeypatch.setattr(isolate, "supported", lambda: False)
    monkeypatch.setattr(systems, "LINUX", False)
    assert systems.lacks(error) == what
    monkeypatch.setattr(systems, "LINUX", True)
    assert systems.lacks(error) is None


@pytest.mark.parametrize("call", OTHERS)
def test_other_errors_fail_everywhere(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    """Also those of the package itself that look alike."""
    monkeypatch.setattr(systems, "LINUX", False)
    assert systems.lacks(error_of(call)) is None


def test_the_package_may_not_lack_what_a_test_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of the package that meets a missing name is a fault of the package."""

    def closed(*_: object) -> None:
        os.no_such_call  # type: ignore[attr-defined]  # noqa: B018

    error = error_of(lambda: amp.Graph().render(frames=closed))  # type: ignore[arg-type]
    monkeypatch.setattr(systems, "LINUX", False)
    assert systems.lacks(error) is None


def test_a_missing_module_skips_who_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not who imports the file; on Linux the import fails."""
    monkeypatch.setattr(systems, "LINUX", False)
    absent = systems.module("no_such_module")
    with pytest.raises(pytest.skip.Exception, match="no module no_such_module"):
        absent.call()
    monkeypatch.setattr(systems, "LINUX", True)
    with pytest.raises(ImportError):
        systems.module("no_such_module")
