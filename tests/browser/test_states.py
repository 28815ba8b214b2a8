"""Messages of widgets about lost kernels, native crashes, long renders, and renders that clip."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

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
ANOTHER_VIEW = """async () => {
  const book = jupyterapp.shell.currentWidget;
  await jupyterapp.commands.execute('notebook:create-output-view');
  jupyterapp.shell.activateById(book.id);
}"""
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


HOOKS = Path(__file__).resolve().parents[2] / "build" / "hooks"
"""The library with fault hooks, for workers only: `make hooks`."""
CRASHING = f"""import os
os.environ["LD_LIBRARY_PATH"] = {str(HOOKS)!r}
import amp_lab as amp
g = amp.presets.three_osc()
def fault(text):
    os.environ["AMP_TEST_FAULT"] = text
"""
SLOW = """import amp_lab as amp
g = amp.Graph(sample_rate=48_000, name="slow")
g.output(g.mix(*(g.oscillator(waveform="saw", quality="blep4", frequency_hz=100.0 + i) for i in range(120)),
               gain=0.005))
p = amp.panel(g, seconds=0.1)
p.wait()
p
"""
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
    """Wait until every widget is shown."""
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
    """Every widget reports it, visibly and once; no control accepts input and no sound is played."""
    for name in NAMES:
        if not book.page.locator(outer(name)).count():
            continue
        book.page.wait_for_selector(f"{outer(name)}[data-lost={kind}]", state="attached")
        note = book.page.locator(f"{outer(name)} .amp-lost")
        book.eventually(lambda note=note: len(note.evaluate_all(SEEN)) == 1)
        (seen,) = note.evaluate_all(SEEN)
        assert words in seen and "run the cells up to this one again" in seen.lower(), name
    book.eventually(lambda: book.page.evaluate(ALIVE) == [])
    book.page.wait_for_function("() => ear.open() === 0")
    expect(book.page.locator(outer("live"))).to_have_attribute("data-state", "stopped")


def test_a_restart_is_said_at_once(notebook: Notebook) -> None:
    """After Restart every widget says that it is no longer live and what to do, once for the whole workbench;
    live sound stops, no control takes input; running the cells again makes all of them live.
    """
    book = notebook(EVERY)
    book.expected = (*book.expected, "Canceled future")  # JupyterLab's own questions to the kernel
    shown(book)
    sounding(book)
    book.page.evaluate(RESTART)
    lost(book, "restarted", "The kernel was restarted")
    parts = book.page.locator(".amp-workbench .amp")
    assert parts.count() >= 4
    book.eventually(lambda: parts.evaluate_all("(all) => all.every((part) => part.dataset.lost)"))
    book.run_all()
    shown(book)
    expect(book.page.locator("[data-lost]")).to_have_count(0)
    book.page.fill(f"{outer('panel')} input[aria-label='flt.q value']", "3.5")
    book.page.press(f"{outer('panel')} input[aria-label='flt.q value']", "Enter")
    until(book, "g['flt'].params['q']", 3.5)


def test_a_kernel_that_dies_is_told(notebook: Notebook) -> None:
    """A kernel killed by the system is reported as died, even if Jupyter starts another."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.expected = (*book.expected, "Canceled future")  # JupyterLab's own questions to the kernel
    os.kill(book.value("os.getpid()"), signal.SIGKILL)
    lost(book, "died", "The kernel died")


def test_a_kernel_that_is_shut_down_is_told(notebook: Notebook) -> None:
    """After Shut Down no widget looks live."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.page.evaluate(SHUTDOWN)
    lost(book, "ended", "The kernel was shut down")


def test_a_kernel_that_does_not_answer_is_told(notebook: Notebook) -> None:
    """A view that gets no reply reports it, and continues when the kernel replies."""
    book = notebook([EVERY[0], EVERY[2]])
    book.page.wait_for_selector(".amp-panel[data-digest]")
    pid = book.value("os.getpid()")
    os.kill(pid, signal.SIGSTOP)
    try:
        book.page.evaluate(ANOTHER_VIEW)
        view = ".jp-LinkedOutputView .amp-panel"
        book.page.wait_for_selector(f"{view}[data-lost=unanswered] > .amp-lost")
    finally:
        os.kill(pid, signal.SIGCONT)
    book.page.wait_for_selector(f"{view}[data-ready]:not([data-lost])")
    expect(book.page.locator(".amp [inert]")).to_have_count(0)


def test_an_interrupt_leaves_widgets_alive(notebook: Notebook, lab: Lab) -> None:
    """Interrupting a cell is no loss: the panel continues."""
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
    """Without a connection widgets accept no input and report it; when the kernel replies again they
    continue.
    """
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.expected = (*book.expected, "CLOSING or CLOSED")  # JupyterLab's own messages meanwhile
    book.page.evaluate(CUT)
    lost(book, "disconnected", "No connection to the kernel")
    book.page.evaluate(MEND)
    book.page.wait_for_function("() => !document.querySelector('[data-lost], .amp [inert]')")
    expect(book.page.locator(".amp-lost")).to_have_count(0)
    book.page.fill(f"{outer('panel')} input[aria-label='flt.q value']", "3.5")
    book.page.press(f"{outer('panel')} input[aria-label='flt.q value']", "Enter")
    until(book, "g['flt'].params['q']", 3.5)


def test_a_connection_that_finds_another_kernel_is_no_connection(notebook: Notebook, lab: Lab) -> None:
    """If the kernel was restarted while the connection was lost, widgets do not become live again."""
    book = notebook(SOME)
    shown(book)
    sounding(book)
    book.expected = (*book.expected, "CLOSING or CLOSED")  # JupyterLab's own messages meanwhile
    book.page.evaluate(CUT)
    lost(book, "disconnected", "No connection to the kernel")
    kernel = book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    book.expected = (*book.expected, "Canceled future")  # JupyterLab's own questions to the kernel
    request = urllib.request.Request(lab.url(f"api/kernels/{kernel}/restart"), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["id"] == kernel
    book.page.evaluate(MEND)
    assert book.value("'g' in globals()") is False
    book.page.wait_for_selector(f"{outer('panel')} .amp-lost")
    book.eventually(lambda: book.page.evaluate(ALIVE) == [])


def test_a_crash_is_told_in_full(notebook: Notebook) -> None:
    """Panel and editor name signal, node and frames and say what to do; the node is lit; the next good render
    clears it.
    """
    assert (HOOKS / "libamp_native.so").exists(), "the library with fault hooks is missing: run `make hooks`"
    book = notebook([CRASHING, "p = amp.panel(g, seconds=0.5)\np", "e = amp.editor(g)\ne"])
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    page.wait_for_selector(".amp-editor[data-ready]")
    book.python("fault('flt:4096:segv'); g['flt'].set(q=3.0); _ = p.wait()")
    for name in ("panel", "editor"):
        card = page.locator(f".amp-{name} .amp-crash")
        card.wait_for()
        text = card.inner_text()
        window = re.search(r"While frames (\d+) to (\d+) were rendered", text)
        assert window and int(window[1]) <= 4096 <= int(window[2])
        assert "Native crash SIGSEGV in flt" in text
        assert "undo the last edit, and render again" in text and "unharmed" in text
        expect(page.locator(f".amp-{name}")).to_have_attribute("data-crash", "SIGSEGV")
    lit = page.locator(".amp-editor .react-flow__node:has(.box.crashed)")
    expect(lit).to_have_attribute("data-id", "flt")
    expect(lit).to_contain_text("crashed here")
    page.click(".amp-editor .amp-crash button:has-text('Go to flt')")
    until(book, "e.selection", ["flt"])
    book.python("fault(''); g['flt'].set(q=2.0); _ = p.wait()")
    page.wait_for_function("() => !document.querySelector('.amp-crash, .box.crashed, [data-crash]')")


def test_a_crash_in_a_cell_and_in_live_sound_is_told(notebook: Notebook) -> None:
    """A crash of a cell's render marks the node in the workbench, once; so does live sound."""
    book = notebook([CRASHING, "w = amp.lab(g, seconds=0.5)\nw"])
    page = book.page
    page.wait_for_selector(".amp-workbench .amp-panel[data-digest]")
    page.wait_for_selector(".amp-workbench .amp-editor[data-ready]")
    book.python("fault('mix:100:abort')\ntry: g.render(seconds=0.1)\nexcept amp.NativeCrash: pass")
    page.wait_for_selector(".amp-editor .box.crashed")
    cards = page.locator(".amp-crash")
    book.eventually(lambda: any(cards.evaluate_all(SEEN)))
    seen = [text for text in cards.evaluate_all(SEEN) if text]
    assert len(seen) == 1 and "Native crash SIGABRT in mix" in seen[0]
    book.python("fault('')\n_ = g.render(seconds=0.1)")
    page.wait_for_function("() => !document.querySelector('.amp-crash, .box.crashed')")
    book.python("fault('flt:9600:fpe')")
    page.click(".amp-live .start")
    page.wait_for_selector(".amp-editor .react-flow__node[data-id=flt] .box.crashed")
    page.wait_for_selector(".amp-live[data-state=waits]")
    expect(page.locator(".amp-live .state")).to_contain_text("native crash SIGFPE")


def test_a_long_render_shows_how_far_it_is_and_stops(notebook: Notebook) -> None:
    """Percents move, Stop ends the render and keeps the one before, and later renders are as ever."""
    book = notebook([SLOW])
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    before = page.get_attribute(".amp-panel", "data-digest")
    book.python("p.seconds = 600.0")
    page.wait_for_selector(".amp-panel[data-rendering]")
    page.wait_for_function("() => parseInt(document.querySelector('.amp-panel .part').textContent) >= 1")
    first = page.evaluate("() => document.querySelector('.amp-panel progress').value")
    page.wait_for_function(
        "(first) => document.querySelector('.amp-panel progress').value > first", arg=first
    )
    page.click(".amp-panel button:has-text('Stop render')")
    page.wait_for_selector(".amp-panel .state.halted")
    expect(page.locator(".amp-panel[data-rendering]")).to_have_count(0)
    assert page.get_attribute(".amp-panel", "data-digest") == before
    assert book.value("p.wait(30).digest") == before
    book.python("p.seconds = 0.2")
    page.wait_for_function("(old) => document.querySelector('.amp-panel').dataset.digest !== old", arg=before)
    assert book.value("p.wait().digest == g.render(seconds=0.2).digest")
    expect(page.locator(".amp-panel .state.halted")).to_have_count(0)


def test_a_render_that_stands_still_is_stopped(notebook: Notebook) -> None:
    """Native code that hangs is ended by Stop, too; the panel continues with a new worker."""
    assert (HOOKS / "libamp_native.so").exists(), "the library with fault hooks is missing: run `make hooks`"
    book = notebook([CRASHING, "p = amp.panel(g, seconds=0.5)\np"])
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    before = page.get_attribute(".amp-panel", "data-digest")
    book.python("fault('flt:4096:hang'); g['flt'].set(q=3.0)")
    page.wait_for_selector(".amp-panel[data-rendering]")
    page.click(".amp-panel button:has-text('Stop render')")
    page.wait_for_selector(".amp-panel .state.halted")
    assert page.get_attribute(".amp-panel", "data-digest") == before
    book.python("fault(''); g['flt'].set(q=4.0)")
    page.wait_for_function("(old) => document.querySelector('.amp-panel').dataset.digest !== old", arg=before)


def test_a_render_that_clips_says_so(notebook: Notebook) -> None:
    """Number of samples beyond full scale, the peak, and the gain of the playback; nothing if it fits."""
    book = notebook(
        [
            'import amp_lab as amp\ng = amp.Graph(sample_rate=48_000, name="loud")\n'
            'g.output(g.gain(g.sine(frequency_hz=1000.0), gain=2.0, name="level"))',
            "p = amp.panel(g, seconds=0.1)\np",
        ]
    )
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    count = book.value("int((abs(p.wait().audio) > 1).sum())")
    clips = f"clips: {count:,} samples beyond ±1 (peak +6.0 dBFS)"
    expect(page.locator(".amp-panel .clips")).to_have_text(clips)
    expect(page.locator(".amp-panel .gain")).to_contain_text("gain -6.0 dB")
    expect(page.locator(".amp-panel .state.clipped")).to_contain_text("+6.0 dBFS")
    ear.listen(book)
    page.click(".amp-panel .play:has-text('Play render')")
    page.wait_for_selector(".amp-panel .play:has-text('Play render')")
    book.python("g['level'].set(gain=0.5)")
    page.wait_for_function("() => document.querySelector('.amp-panel .clips').textContent === ''")
    expect(page.locator(".amp-panel .gain")).to_contain_text("gain 0 dB")
    for place in (".clips", ".state.clipped"):
        expect(page.locator(f".amp-panel {place}")).to_be_hidden()
