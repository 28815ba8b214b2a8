"""The pytest plug-in: options and fixtures of goldens, loaded at every start of pytest.

Nothing else of amp_lab is imported until a test uses a fixture or an option is given, so projects without
goldens are not affected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from amp_lab.golden.fixture import Checker

SHORT_NAME = "golden"
"""Second name of the fixture `amp_golden`, if no other plug-in has a fixture of that name."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of goldens."""
    group = parser.getgroup("amp_lab", "goldens of amp_lab")
    group.addoption(
        "--golden-unused",
        choices=("ignore", "skip", "fail"),
        default="ignore",
        help="what to do with stored golden cases that no test checked: nothing (ignore, the default), "
        "report each as a skipped test (skip) or as a failed test (fail). Only runs of all tests are judged.",
    )
    group.addoption(
        "--golden-update",
        metavar="REASON",
        help="store the render of each golden check that fails or has no case yet, with this reason, as "
        "`amp-lab golden update --reason` does for stored graphs. Such a test passes, and the end of the run "
        "lists what was stored and which parameters changed.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watch which cases are checked, if asked to report the others."""
    if config.getoption("--golden-unused") != "ignore":
        from amp_lab.golden import unused  # noqa: PLC0415 - only where it is asked for

        unused.watch(config)
    reason = config.getoption("--golden-update")
    if reason is not None and not reason.strip():
        raise pytest.UsageError(
            "--golden-update: no reason given (got ''). Say what changed and why it is right."
        )
    if reason is not None and config.getoption("numprocesses", None):
        raise pytest.UsageError("--golden-update: not in several processes (got -n). Run it with -n 0.")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a worker of pytest-xdist checked."""
    found = getattr(node, "workeroutput", {}).get("amp_golden_checks")
    if found:
        from amp_lab.golden.fixture import Check, Checks  # noqa: PLC0415 - only where it is asked for

        Checks.of(node.config).done += [Check(**check) for check in found]


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Give `amp_golden` its short name, unless another plug-in has a fixture of that name.

    All plug-ins are loaded here, whatever their order; a conftest.py or a plug-in that comes later overrides.
    """
    everywhere: Any = session if pytest.version_tuple >= (8,) else session.nodeid
    if not session._fixturemanager.getfixturedefs(SHORT_NAME, everywhere):
        session.config.pluginmanager.register(ShortName(), "amp_lab_golden_short_name")


class ShortName:
    """A plug-in of one fixture."""

    @pytest.fixture
    def golden(self, amp_golden: Checker) -> Checker:
        """Hold a render against a stored case; the same as `amp_golden`."""
        return amp_golden


@pytest.fixture
def amp_golden(request: pytest.FixtureRequest) -> Checker:
    """Hold a render against a stored case: `amp_golden("wind", render)` fails the test if they differ."""
    from amp_lab.golden.fixture import Checker  # noqa: PLC0415 - only where it is asked for

    return Checker(request.node)
