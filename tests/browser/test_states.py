"""What widgets say and do when the kernel goes: restarts, deaths, shutdowns, lost connections."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable

from browser import ear
from browser.lab import Book, Lab
from browser.test_editor import until

Notebook = Callable[..., Book]
EVERY = [
    "import os\nimport amp_lab as amp\ng = amp.presets.three_osc()\n"
    "r = g.render(seconds=0.2, heat=True, trace=True)",
    "live = amp.live(g)\nlive",
    "p = amp.panel(g, seconds=0.2, height=300)\np",
    "amp.editor(g, height=300)",
    *(f"amp.{name}(r, height=200)" for name in ("scope", "spectrum", "spectrogram", "thermo", "timeline")),
    "w = amp.lab(g, seconds=0.2)\nw",
]
SOME = [*EVERY[:3], EVERY[-1]]
NAMES = ["live", "panel", "editor", "scope", "spectrum", "spectrogram", "thermo", "timeline", "workbench"]
RESTART = "() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()"
SHUTDOWN = "() => jupyterapp.shell.currentWidget.sessionContext.shutdown()"
ALIVE = """() => [...document.querySelectorAll('.amp :is(button, input, select, canvas, [tabindex])')]
  .filter((element) => !element.closest('[inert], .amp-failure'))
  .map((element) => element.outerHTML.slice(0, 120))"""
SEEN = """(all) => all.filter((notice) => getComputedStyle(notice).display !== 'none')
  .map((notice) => notice.textContent)"""
CUT = """() => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const settings = kernel.serverSettings;
  window.Real ??= settings.WebSocket;
  settings.WebSocket = class extends EventTarget { close() {} };
  kernel._ws.close();
}"""
"""Closes the connection to the kernel; new ones never open."""
MEND = """() => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.serverSettings.WebSocket = window.Real;
  return kernel.reconnect();
}"""


SLEEP = """import time
try:
    open('asleep', 'w').close()
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


def outer(name: str) -> str:
    """Selector of a widget that is no part of another."""
    return f".amp-{name}:not(.amp .amp)"


def shown(book: Book) -> None:
    """Wait until every widget is there."""
    for name in NAMES:
        if book.page.locator(outer(name)).count():
            book.page.locator(outer(name)).scroll_into_view_if_needed()
            book.page.wait_for_selector(f"{outer(name)}[data-ready]")
    book.page.wait_for_selector(".amp-workbench .amp-editor[data-ready]")
    book.page.wait_for_selector(f"{outer('panel')}[data-digest]")


def sounding(book: Book) -> None:
    """Start live sound and wait for it."""
    ear.listen(book)
    book.page.click(f"{outer('live')} .start")
    book.page.wait_for_selector(f"{outer('live')}[data-state=live]")


def lost(book: Book, kind: str, words: str) -> None:
    """Every widget says so, in sight and once each; nothing takes input and nothing sounds any more."""
    for name in NAMES:
        if not book.page.locator(outer(name)).count():
            continue
        book.page.wait_for_selector(f"{outer(name)}[data-lost={kind}]", state="attached")
        seen = book.page.locator(f"{outer(name)} .amp-lost").evaluate_all(SEEN)
        assert len(seen) == 1 and words in seen[0] and "run the cells up to this one again" in seen[0].lower()
    assert book.page.evaluate(ALIVE) == []
    book.page.wait_for_function("() => ear.open() === 0")
    assert book.page.get_attribute(outer("live"), "data-state") == "stopped"


def test_a_restart_is_said_at_once(notebook: Notebook) -> None:
    """After Restart every widget says that it is no longer live and what to do, once for the whole workbench;
    live sound stops, no control takes input; running the cells again makes all of them live.
    """
    book = notebook(EVERY)
    shown(book)
    sounding(book)
    book.page.evaluate(RESTART)
    lost(book, "restarted", "The kernel was restarted")
    parts = book.page.locator(".amp-workbench .amp")
    assert parts.count() >= 4 and parts.evaluate_all("(all) => all.every((part) => part.dataset.lost)")
    book.run_all()
    shown(book)
    assert book.page.locator("[data-lost]").count() == 0
    book.page.fill(f"{outer('panel')} input[aria-label='flt.q value']", "3.5")
    book.page.press(f"{outer('panel')} input[aria-label='flt.q value']", "Enter")
    until(book, "g['flt'].params['q']", 3.5)


def test_a_kernel_that_dies_is_told(notebook: Notebook) -> None:
    """A kernel killed by the system is said to have died, also where Jupyter starts another."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.expected = (*book.expected, "Canceled future")  # JupyterLab's own questions to the kernel
    os.kill(book.value("os.getpid()"), signal.SIGKILL)
    lost(book, "died", "The kernel died")


def test_a_kernel_that_is_shut_down_is_told(notebook: Notebook) -> None:
    """Shut Down leaves no widget that looks alive."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.page.evaluate(SHUTDOWN)
    lost(book, "ended", "The kernel was shut down")


def test_an_interrupt_leaves_widgets_alive(notebook: Notebook, lab: Lab) -> None:
    """Interrupting a cell is no loss: the panel goes on."""
    book = notebook([EVERY[0], EVERY[2]])
    book.page.wait_for_selector(".amp-panel[data-digest]")
    book.start(SLEEP)
    while not (lab.books / "asleep").exists():
        book.page.wait_for_timeout(20)
    book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    book.page.wait_for_function("() => !window.ampBusy")
    book.page.fill(".amp-panel input[aria-label='flt.q value']", "3.5")
    book.page.press(".amp-panel input[aria-label='flt.q value']", "Enter")
    until(book, "g['flt'].params['q']", 3.5)
    assert book.page.locator("[data-lost]").count() == 0


def test_a_lost_connection_passes(notebook: Notebook) -> None:
    """Without a connection widgets take no input and say so; when the kernel answers again they go on."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.page.evaluate(CUT)
    lost(book, "disconnected", "No connection to the kernel")
    book.page.evaluate(MEND)
    book.page.wait_for_function("() => !document.querySelector('[data-lost], .amp [inert]')")
    assert book.page.locator(".amp-lost").count() == 0
    book.page.fill(f"{outer('panel')} input[aria-label='flt.q value']", "3.5")
    book.page.press(f"{outer('panel')} input[aria-label='flt.q value']", "Enter")
    until(book, "g['flt'].params['q']", 3.5)


def test_a_connection_that_finds_another_kernel_is_no_connection(notebook: Notebook, lab: Lab) -> None:
    """Where the kernel was restarted while the connection was lost, widgets do not come back to life."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.page.evaluate(CUT)
    lost(book, "disconnected", "No connection to the kernel")
    kernel = book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    request = urllib.request.Request(lab.url(f"api/kernels/{kernel}/restart"), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["id"] == kernel
    book.page.evaluate(MEND)
    assert book.value("'g' in globals()") is False
    book.page.wait_for_selector(f"{outer('panel')} .amp-lost")
    assert book.page.evaluate(ALIVE) == []
