"""Heat, timeline and the whole workbench in JupyterLab; kernel restarts; nothing is leaked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser import ear
from browser.lab import Book
from browser.test_editor import until

BENCH = ["import amp_lab as amp\ng = amp.presets.three_osc()", "w = amp.lab(g, seconds=0.5)\nw"]
Notebook = Callable[..., Book]
COUNT = """
import comm, gc, threading, time, psutil
from IPython.display import display
from ipywidgets.widgets import widget as ipywidget
from amp_lab import isolate
def count():
    gc.collect()
    return [
        len(comm.get_comm_manager().comms), len(ipywidget._instances),
        len([thread for thread in threading.enumerate() if thread.name.startswith("amp_lab")]),
        len(psutil.Process().children(recursive=True)),
        isolate.status().arrays, len(isolate.status().workers),
        len(g._store._listeners), len(g._journal._subscribers),
    ]
"""
COME_AND_GO = """
sounded = 0
before = count()
for _ in range(20):
    x = amp.lab(g, seconds=0.01)
    display(x)
    x.live.playing = True
    end = time.monotonic() + 10.0
    while x.live.heard is None and time.monotonic() < end:
        time.sleep(0.05)
    sounded += x.live.heard is not None
    x.close()
del x
"""


def opened(book: Book) -> None:
    """Wait until the workbench is painted with everything in it."""
    book.page.wait_for_selector(".amp-workbench[data-ready]")
    book.page.wait_for_selector(".amp-workbench .amp-editor[data-ready]")
    book.page.wait_for_selector(".amp-workbench .amp-panel[data-digest]")
    book.page.wait_for_selector(".amp-workbench .amp-scope[data-span]")
    book.page.wait_for_selector(".amp-workbench .amp-live[data-ready]")


def test_the_workbench_is_one_application(notebook: Notebook) -> None:
    """Sound, parameters, editor and views change together; every tab opens; badges show the costs."""
    book = notebook(BENCH)
    opened(book)
    page = book.page
    page.click(".amp-workbench .amp-live [aria-label=Start]")
    page.wait_for_selector(".amp-workbench .amp-live[data-state=live]")
    session = book.value("id(w.live._feed.session)")
    digest = page.get_attribute(".amp-panel", "data-digest")
    entry = page.locator(".amp-panel input[aria-label='flt.q value']")
    entry.fill("7")
    entry.press("Enter")
    page.wait_for_function("(old) => document.querySelector('.amp-panel').dataset.digest !== old", arg=digest)
    own = ".amp-editor .react-flow__node[data-id=flt] .own"
    assert "7" in page.locator(own).all_text_contents() and book.value("g['flt'].params['q']") == 7.0
    assert book.value("id(w.live._feed.session)") == session
    page.click(".amp-workbench .amp-live [aria-label=Stop]")
    page.wait_for_selector(".amp-workbench .amp-live[data-state=stopped]")
    for tab in ("spectrum", "spectrogram", "thermo", "timeline"):
        page.click(f".amp-workbench [data-tab={tab}]")
        page.wait_for_selector(f".amp-workbench .amp-{tab}[data-ready]")
    page.wait_for_selector(".amp-timeline[data-firings]")
    assert int(page.get_attribute(".amp-timeline", "data-firings") or 0) > 100
    assert book.value("sorted(w.editor.badges) == sorted(node.name for node in g.nodes)")
    page.locator(".amp-workbench [data-tab=timeline]").focus()
    page.keyboard.press("Control+z")
    until(book, "g['flt'].params['q']", 2.0)


def test_tabs_and_splitters_work_by_keyboard(notebook: Notebook) -> None:
    """Arrow keys change the tab and the size of the panes."""
    book = notebook(BENCH)
    opened(book)
    page = book.page
    page.locator(".amp-workbench [data-tab=scope]").focus()
    page.keyboard.press("ArrowRight")
    until(book, "w.tab", "spectrum")
    before = page.locator(".amp-workbench .amp-editor").bounding_box()
    page.locator(".amp-workbench .split.vertical").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    after = page.locator(".amp-workbench .amp-editor").bounding_box()
    assert before is not None and after is not None and after["width"] < before["width"] - 40


def test_the_pointer_on_a_row_lights_the_node(notebook: Notebook) -> None:
    """A hovered node of the timeline is highlighted in the editor; a clicked one is selected there."""
    book = notebook(BENCH)
    opened(book)
    page = book.page
    page.click(".amp-workbench [data-tab=timeline]")
    page.wait_for_selector(".amp-timeline[data-firings]")
    box = page.locator(".amp-timeline .plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.wait_for_selector(".amp-editor .box.lit")
    page.mouse.click(box["x"] + 60, box["y"] + 20)
    first = book.value("w.timeline.render.plan.order[0]")
    until(book, "w.editor.selection", [first])


def test_a_trace_is_saved_from_the_page(notebook: Notebook, tmp_path: Path) -> None:
    """The button gives a file that Perfetto opens."""
    book = notebook(
        [
            "import amp_lab as amp\nr = amp.presets.three_osc().render(seconds=0.2, trace=True)",
            "amp.timeline(r)",
        ]
    )
    book.page.wait_for_selector(".amp-timeline[data-firings]")
    with book.page.expect_download() as wait:
        book.page.click(".amp-timeline button:has-text('Save trace')")
    wait.value.save_as(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert wait.value.suggested_filename == "three_osc.trace.json"
    assert sum(event["ph"] == "X" for event in events) == book.value("int(r.trace.events.size)")


def test_workbenches_come_and_go(notebook: Notebook) -> None:
    """After twenty were shown, played and closed, comms, threads, processes, memory, sound and views are as
    before.
    """
    book = notebook([*BENCH, COUNT])
    opened(book)
    ear.listen(book)
    book.python(COME_AND_GO)
    assert book.value("sounded") == 20
    book.eventually(lambda: book.page.evaluate("[ear.contexts, ear.open()]") == [20, 0])
    book.eventually(lambda: book.value("count() == before"))
    expect(book.page.locator(".amp-workbench")).to_have_count(1)


def test_kernels_restart(notebook: Notebook) -> None:
    """Three restarts: each time the cells run again and edits are rendered; old kernels leave no process,
    and no sound.
    """
    book = notebook([BENCH[0], "import os\np = amp.panel(g, seconds=0.1)\np", "amp.live(g)"])
    page = book.page
    ear.listen(book)
    seen = []
    for _ in range(3):
        page.wait_for_selector(".amp-panel[data-digest]")
        page.click(".amp-live [aria-label=Start]")
        page.wait_for_selector(".amp-live[data-state=live]")
        seen.append(book.value("[os.getpid(), *__import__('amp_lab.isolate').isolate.status().workers]"))
        page.evaluate(
            "async () => { const s = jupyterapp.shell.currentWidget.sessionContext;"
            " await s.restartKernel(); await s.session.kernel.info; }"
        )
        page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        page.wait_for_function("() => !document.querySelector('.amp-panel')")
        book.run_all()
    page.wait_for_selector(".amp-panel[data-digest]")
    book.python("g['flt'].set(q=4.0); p.wait()")
    alive = (
        f"[pid for pids in {seen!r} for pid in pids[1:]"
        " if __import__('psutil').pid_exists(pid) and __import__('psutil').Process(pid).status() != 'zombie']"
    )
    book.eventually(lambda: book.value(alive) == [])
    book.eventually(lambda: page.evaluate("[ear.contexts, ear.open()]") == [3, 0])


@pytest.mark.parametrize("theme", ["JupyterLab Dark"])
def test_everything_is_readable_in_the_dark(notebook: Notebook, theme: str) -> None:
    """Text has a contrast of at least 3 to its background."""
    book = notebook(BENCH)
    opened(book)
    book.theme(theme)
    book.page.wait_for_timeout(400)
    found = book.page.evaluate(CONTRAST)
    assert found == []


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (v) => (v / 255 <= 0.04 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map(part);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const back = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return [0, 0, 0, 255];
  };
  const bad = [];
  const words = '.amp-workbench :is(button, b, span, label, h4, summary, output)';
  for (const element of document.querySelectorAll(words)) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.offsetParent || element.disabled) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(back(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 3) bad.push(`${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""
