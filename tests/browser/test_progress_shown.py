"""Progress of a render in a cell: at the foot of the page while it runs, nowhere afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable

from browser.lab import Book, Lab, notebook_bytes

SLOW = """
import time
import amp_lab as amp
from amp_lab.render import progress
progress.AFTER_S = 0.05
g = amp.Graph(name="slow")
g.output(g.sine(frequency_hz=440.0))
r = g.render(seconds=4.0)
"""
WAITS = """
bar = progress.Progress("slow")
with bar:
    time.sleep(0.1)
    for done in range(1, 10**6):
        bar(done, 10**6)
        time.sleep(0.05)
"""


def test_a_long_render_shows_a_bar_outside_of_the_cells(notebook: Callable[..., Book], lab: Lab) -> None:
    """It shows name, share and how to stop; an interrupt removes it; nothing of it is stored."""
    book = notebook([SLOW], name="slow_render")
    book.expected = (
        *book.expected,
        "Failed to initialize model",
    )  # of a bar that ends before the page has it
    book.start(WAITS)
    line = book.page.locator("body > .amp-progress")
    line.wait_for()
    assert "Rendering slow: 0 %. Interrupt the kernel to stop it." in line.inner_text()
    assert line.locator("progress").get_attribute("aria-label")
    book.page.evaluate("() => jupyterapp.commands.execute('notebook:interrupt-kernel')")
    line.wait_for(state="detached")
    book.page.wait_for_function("() => !window.ampBusy")
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    book.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    stored = json.loads(notebook_bytes(lab.books / "slow_render.ipynb"))
    assert [cell["outputs"] for cell in stored["cells"]] == [[]]
    assert "widgets" not in stored["metadata"]


def test_a_restart_removes_the_bar(notebook: Callable[..., Book]) -> None:
    """A kernel that ends in the middle leaves nothing in the page."""
    book = notebook([SLOW], name="slow_restart")
    # what the page says of the cell that will not end, of messages that come too late, and on a slow machine
    book.expected = (*book.expected, "Canceled future", "Comm not found", "Failed to initialize model")
    book.start(WAITS)
    line = book.page.locator("body > .amp-progress")
    line.wait_for()
    book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    line.wait_for(state="detached")
    book.python("")  # the kernel is there again
