"""The tests that `make check` runs: all but those that ``slow.json`` lists, each with what it costs.

``pytest --quick`` leaves the listed tests out; whole ``files`` that render, fork or plot in nearly every test
are not even read. ``pytest --measure-costs FILE ...`` writes the list anew for the tests it runs: a test
function with all its parameters is listed if it costs more than ``allowed_s``. A new test is quick until it
was measured, and ``--quick`` names at its end what costs more than is allowed.

The cost is the time from set-up to tear-down, less the time in which the process was ready but waited for a
processor, so that other work on the machine counts little. It is a list for choosing, not a limit: no test
fails for its time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("slow.json")
SCHEDULER = Path("/proc/self/schedstat")
"""Of Linux: the time that the main thread ran, and the time it waited for a processor, in ns."""
PROPERTY = "cost_s"
BEGUN = pytest.StashKey[float]()
_costs: Counter[str] = Counter()  # where reports come together: the one process, or the controller of several


def listed() -> tuple[float, dict[str, float]]:
    """Return the cost that is allowed and the tests above it with theirs, in seconds."""
    found = json.loads(LIST.read_text(encoding="utf-8"))
    return float(found["allowed_s"]), dict(found["slow"])


def files() -> list[str]:
    """Return the test files of which ``make check`` runs something, from the root of the repository."""
    left_out = set(json.loads(LIST.read_text(encoding="utf-8"))["files"])
    found = (f"tests/{path.name}" for path in sorted(LIST.parent.glob("test_*.py")))
    return [name for name in found if name not in left_out]


def function(nodeid: str) -> str:
    """Return the test function of a test, without parameters: ``tests/test_x.py::test_y``."""
    return nodeid.partition("[")[0]


def rewritten(before: Mapping[str, float], costs: Mapping[str, float], allowed_s: float) -> dict[str, float]:
    """Return the list after a run that measured `costs`; tests that did not run keep their entry."""
    kept = {name: cost for name, cost in before.items() if name not in costs}
    found = {name: round(cost, 1) for name, cost in costs.items() if cost > allowed_s}
    return dict(sorted((kept | found).items()))


def clock() -> float:
    """Return a time in seconds that stands still while the process waits for a processor."""
    waited = int(SCHEDULER.read_text(encoding="ascii").split()[1]) / 1e9 if SCHEDULER.exists() else 0.0
    return time.perf_counter() - waited


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("quick", "the tests of make check")
    group.addoption("--quick", action="store_true", help="leave out what tests/slow.json lists")
    group.addoption("--measure-costs", action="store_true", help="write tests/slow.json for what runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the listed tests."""
    if config.getoption("quick"):
        slow = listed()[1]
        config.hook.pytest_deselected(items=[item for item in items if function(item.nodeid) in slow])
        items[:] = [item for item in items if function(item.nodeid) not in slow]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Start the clock of a test."""
    item.stash[BEGUN] = clock()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send the cost along with the last report of a test, from wherever it ran."""
    report = yield
    if call.when == "teardown":
        report.user_properties = [*report.user_properties, (PROPERTY, clock() - item.stash[BEGUN])]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the costs of a function; parameters count together."""
    for key, cost in report.user_properties:
        if key == PROPERTY:
            _costs[function(report.nodeid)] += float(cost)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the list, or name what should be on it."""
    if not (config.getoption("measure_costs") or config.getoption("quick")):
        return
    allowed_s, before = listed()
    after = rewritten(before, _costs, allowed_s)
    if config.getoption("measure_costs"):
        stored = json.loads(LIST.read_text(encoding="utf-8"))
        text = json.dumps({**stored, "slow": after}, indent=2)
        LIST.write_text(text + "\n", encoding="utf-8")
    new = {name: cost for name, cost in after.items() if name not in before}
    if new:
        terminalreporter.section(f"cost more than {allowed_s} s: run them with --measure-costs")
        for name, cost in new.items():
            terminalreporter.line(f"{cost:6.1f} s  {name}")
