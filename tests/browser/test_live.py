"""Live sound in JupyterLab, recorded by a worklet of the tests: pitch, level, silence, edits, stalls, end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from browser import ear
from browser.lab import Book
from browser.test_editor import until
from browser.test_panel import slide

TONE = """import amp_lab as amp
g = amp.Graph(sample_rate=48_000, name="tone")
g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=0.5, name="level"))
"""
OPEN = [TONE, "w = amp.live(g)\nw"]
Notebook = Callable[..., Book]
SPIN = "import time\nend = time.time() + {seconds}\nwhile time.time() < end: pass"
VOLUME = 10 ** (-12 / 20)
STEP = 2 * np.pi * 440 / 48_000 * 0.5 * VOLUME
"""Largest difference of two samples of the tone."""
MOVE = """async ([seconds, label]) => {
  const slider = document.querySelector(`.amp-panel input[type=range][aria-label='${label}']`);
  const live = document.querySelector('.amp-live');
  const end = performance.now() + 1000 * seconds;
  const latencies = [];
  let moves = 0;
  for (; performance.now() < end; moves += 1) {
    slider.value = 450 + 100 * Math.sin(moves / 9);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    if (moves % 2 === 0) latencies.push(Number(live.dataset.latency));
    await new Promise((done) => setTimeout(done, 50));
  }
  slider.dispatchEvent(new Event('change'));
  return {moves, latencies};
}"""

UNCLICKED = """() => {
  window.AudioContext = class extends window.AudioContext {
    get state() { return window.clicked ? super.state : 'suspended'; }
  };
}"""


def start(book: Book) -> None:
    """Press Start and wait until it sounds, past the guard's first moments."""
    book.page.wait_for_selector(".amp-live[data-ready]")
    ear.listen(book)
    book.page.click(".amp-live [aria-label=Start]")
    book.page.wait_for_selector(".amp-live[data-state=live]")
    book.page.wait_for_function("() => window.ear.node")
    book.page.wait_for_timeout(1500)


def underruns(book: Book) -> int:
    """Underruns of the ring so far; a busy machine causes some, too."""
    return int(book.page.get_attribute(".amp-live", "data-underruns") or 0)


def rms(sound: Any) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(sound))))


def test_a_tone_is_heard_as_it_is(notebook: Notebook) -> None:
    """440 Hz within 1 Hz, level within 1 %; silent when muted; the volume has its value."""
    book = notebook(OPEN)
    start(book)
    sound = ear.samples(book)
    assert abs(ear.pitch_hz(sound) - 440) < 1
    assert rms(sound) == pytest.approx(0.5 / np.sqrt(2) * VOLUME, rel=0.01)
    book.page.click(".amp-live [aria-label=Mute]")
    book.page.wait_for_timeout(1300)
    assert np.abs(ear.samples(book, silent=True)).max() < 1e-6
    book.python("w.muted = False; w.volume_db = 0.0")
    book.page.wait_for_timeout(1500)
    assert rms(ear.samples(book)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    found = book.value("w.heard.__dict__")
    assert found["rms"] == pytest.approx([0.5 / np.sqrt(2)] * 2, rel=0.02) and found["peak"][0] <= 0.5
    assert found["limited_db"] == 0 and found["frames"] > 48_000


def test_sliders_move_the_sound(notebook: Notebook) -> None:
    """The panel's slider changes the sound; so does an edit in Python, and its undo."""
    book = notebook([*OPEN, "p = amp.panel(g, seconds=0.1, height=400)\np"])
    start(book)
    book.page.wait_for_selector(".amp-panel[data-digest]")
    slide(book, "sine.frequency_hz")
    book.page.wait_for_timeout(1500)
    wanted = book.value("g['sine'].params['frequency_hz']")
    assert abs(wanted - 440) > 100 and abs(ear.pitch_hz(ear.samples(book)) - wanted) < 1
    book.python("g['sine'].set(frequency_hz=880.0)")
    book.page.wait_for_timeout(1500)
    assert abs(ear.pitch_hz(ear.samples(book)) - 880) < 1
    book.python("w.undo(); w.undo()")
    book.page.wait_for_timeout(1500)
    assert abs(ear.pitch_hz(ear.samples(book)) - 440) < 1


def test_new_nodes_are_heard_without_a_click(notebook: Notebook) -> None:
    """Another graph takes over by a blend: no silence, no step larger than those of the tone."""
    book = notebook(OPEN)
    start(book)
    dry = underruns(book)
    ear.heard(book, "clear")
    book.python(
        "with g.edit():\n"
        "    g.disconnect(next(e for e in g.edges if e.dst == 'output'))\n"
        "    g.connect(g.gain(g['level'], gain=0.5, name='half'), 'output')"
    )
    book.page.wait_for_timeout(1500)
    found = ear.heard(book)
    assert rms(ear.samples(book)) == pytest.approx(0.25 / np.sqrt(2) * VOLUME, rel=0.01)
    assert found["step"] < 1.1 * STEP and (found["silent"] == 0 or underruns(book) > dry)
    book.python("g.gain(name='loose')")
    book.page.wait_for_selector(".amp-live[data-state=waits]")
    expect(book.page.locator(".amp-live .state")).to_contain_text("loose.in: not connected")
    assert ear.heard(book)["silent"] == 0 or underruns(book) > dry
    book.python("g.remove('loose')")
    book.page.wait_for_selector(".amp-live[data-state=live]")


def test_a_stall_is_counted_and_over(notebook: Notebook) -> None:
    """While the session is stopped for half a second the sound fades out, then in; this is counted."""
    book = notebook(OPEN)
    start(book)
    before = underruns(book)
    ear.heard(book, "clear")
    book.python(
        "import os, signal, time\n"
        "pid = __import__('amp_lab.isolate').isolate.status().workers[-1]\n"
        "os.kill(pid, signal.SIGSTOP); time.sleep(0.5); os.kill(pid, signal.SIGCONT)"
    )
    book.page.wait_for_function(
        "(before) => Number(document.querySelector('.amp-live').dataset.underruns) > before", arg=before
    )
    book.page.wait_for_timeout(1200)
    found = ear.heard(book)
    counted = int(book.page.get_attribute(".amp-live", "data-silent") or 0)
    assert found["silent"] > 0.25 * 48_000 and counted > 0.25 * 48_000
    assert found["step"] < 1.1 * STEP and abs(ear.pitch_hz(ear.samples(book)) - 440) < 1
    until(book, f"w.heard.underruns > {before}", True)


HOLD_UP = """async () => {
  const { context } = document.querySelector('.amp-live').engine;
  const text = `registerProcessor('hold-up', class extends AudioWorkletProcessor {
    process() {
      this.quanta = (this.quanta ?? 0) + 1;
      for (const end = Date.now() + 80; this.quanta % 100 === 0 && Date.now() < end;);
      return true;
    }
  })`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
  new AudioWorkletNode(context, 'hold-up').connect(context.destination);
}"""
"""An audio thread that is repeatedly late."""


def test_sound_that_the_browser_loses_is_counted(notebook: Notebook) -> None:
    """Frames lost after the ring, on the way to the speaker, count as silent, too."""
    book = notebook(OPEN)
    start(book)
    book.page.evaluate(HOLD_UP)
    book.page.wait_for_function("() => document.querySelector('.amp-live').engine.lost.times > 2")
    book.page.wait_for_function("() => Number(document.querySelector('.amp-live').dataset.silent) > 0")
    book.eventually(lambda: underruns(book) > 2)
    until(book, "w.heard.silent_frames > 0", True)


@pytest.mark.long  # a time: sound 120 ms ahead needs a process that is scheduled at least that often
def test_moving_sliders_leave_no_gap(notebook: Notebook) -> None:
    """Not one silent frame in a minute while a slider moves and its renders are shown, 120 ms to the ear."""
    book = notebook([*OPEN, "p = amp.panel(g, seconds=0.5, height=400)\np"])
    book.page.wait_for_selector(".amp-panel[data-digest]")
    start(book)
    ear.heard(book, "clear")
    moved = book.page.evaluate(MOVE, [60, "level.gain"])
    found = ear.heard(book)
    counted = int(book.page.get_attribute(".amp-live", "data-silent") or 0)
    latencies = sorted(moved["latencies"])
    median, p95, most = (latencies[int(share * (len(latencies) - 1))] for share in (0.5, 0.95, 1))
    said = (
        f"{found['silent']} silent frames of {found['frames']}, {counted} counted by the page; "
        f"latency median {median:.0f} ms, p95 {p95:.0f} ms, most {most:.0f} ms"
    )
    print(said)
    assert moved["moves"] > 480 and found["frames"] > 0.9 * 48_000 * 60
    assert found["silent"] == counted == 0 and p95 <= 120, said


def test_stop_acts_while_a_cell_computes(notebook: Notebook) -> None:
    """The page is silent though the kernel is busy; the session ends, too."""
    book = notebook(OPEN)
    start(book)
    book.start(SPIN.format(seconds=9))
    book.page.locator(".amp-live [aria-label=Stop]").evaluate("(button) => button.click()")
    book.page.wait_for_function("() => ear.open() === 0")
    assert book.page.evaluate("() => window.ampBusy")
    book.page.wait_for_function("() => !window.ampBusy")
    until(book, "[w.playing, w._feed]", [False, None])


@pytest.mark.long  # times
def test_stop_is_quick_while_a_cell_computes(notebook: Notebook) -> None:
    """Most of the sound continues while a cell runs; 200 ms after the click on Stop the page is silent."""
    book = notebook(OPEN)
    start(book)
    book.start(SPIN.format(seconds=9))
    book.page.wait_for_timeout(500)
    ear.heard(book, "clear")
    book.page.wait_for_timeout(5000)
    found = ear.heard(book)
    print(f"a computing cell costs {found['silent']} of {found['frames']} frames")
    assert found["frames"] > 200_000 and found["silent"] < 0.2 * found["frames"]
    last = """() => new Promise((done) => {
      const {context, node} = ear;
      const clicked = context.currentTime - context.outputLatency - context.baseLatency;
      document.querySelector('.amp-live [aria-label=Stop]').click();
      let heard = 0;
      node.port.onmessage = ({data}) => { heard = data.last; };
      const ask = setInterval(() => node.port.postMessage(''), 10);
      setTimeout(() => { clearInterval(ask); done(1000 * (heard - clicked)); }, 400);
    })"""
    silent_ms = book.page.evaluate(last)
    print(f"silent {silent_ms:.0f} ms after the click on Stop")
    assert 0 < silent_ms <= 200
    book.page.wait_for_function("() => !window.ampBusy")


def test_loud_is_guarded(notebook: Notebook) -> None:
    """A signal far above full scale is limited to it; values that are not finite are not played."""
    book = notebook(OPEN)
    start(book)
    book.python("w.volume_db = 0.0; g['level'].set(gain=0.01)")
    book.page.wait_for_timeout(1000)
    ear.heard(book, "clear")
    book.python("g['level'].set(gain=100.0)")
    book.page.wait_for_timeout(1500)
    found = ear.heard(book)
    sound = np.abs(ear.samples(book))
    assert 0.9 < found["peak"] <= 1 and sound.max() <= 1
    assert abs(ear.pitch_hz(ear.samples(book)) - 440) < 1
    assert book.value("w.heard.limited_db") == pytest.approx(40, abs=0.5)
    page = book.page
    expect(page.locator(".amp-live .facts")).to_contain_text("guard -40 dB")
    page.evaluate(
        "() => document.querySelector('.amp-live').engine.node.port.postMessage("
        "{sound: [Float32Array.from([NaN, Infinity, -Infinity, 1e30])]})"
    )
    page.wait_for_timeout(300)
    found = ear.heard(book)
    assert found["bad"] == 0 and found["peak"] <= 1


def test_a_jump_comes_up_slowly(notebook: Notebook) -> None:
    """A sound much louder than before begins at -12 dB and rises slowly."""
    book = notebook(OPEN)
    book.page.wait_for_selector(".amp-live[data-ready]")
    book.python("w.volume_db = 0.0; g['level'].set(gain=0.001)")
    start(book)
    ear.heard(book, "clear")
    book.python("g['level'].set(gain=1.0)")
    while ear.heard(book)["peak"] < 0.1:
        book.page.wait_for_timeout(20)
    book.page.wait_for_timeout(600)
    sound = np.abs(np.array(ear.heard(book, "samples")["samples"]))
    begin = int(np.argmax(sound > 0.1))
    assert 0 < begin < 40_000
    assert sound[begin : begin + 480].max() < 0.45 and sound[begin + 24_000 :].max() > 0.95


def test_two_views_do_not_double_the_sound(notebook: Notebook) -> None:
    """Views of one widget share its sound, and it ends with the last of them."""
    book = notebook([TONE, "w = amp.live(g)\nw", "w"])
    book.page.wait_for_selector(".amp-live[data-ready] >> nth=1")
    ear.listen(book)
    book.page.locator(".amp-live [aria-label=Start]").first.click()
    book.page.wait_for_selector(".amp-live[data-state=live] >> nth=1")
    book.page.wait_for_timeout(2500)
    assert book.page.evaluate("ear.contexts") == 1
    assert rms(ear.samples(book)) == pytest.approx(0.5 / np.sqrt(2) * VOLUME, rel=0.01)
    book.page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    book.page.wait_for_function("() => ear.open() === 0")
    until(book, "w.playing", False)


def test_python_starts_and_stops(notebook: Notebook) -> None:
    """``playing`` may be set; where the browser wants a click first, the widget says so.

    Pages under test count as clicked: that one is not is played.
    """
    book = notebook(OPEN)
    page = book.page
    page.wait_for_selector(".amp-live[data-ready]")
    ear.listen(book)
    page.evaluate(UNCLICKED)
    book.python("w.playing = True")
    page.wait_for_selector(".amp-live .amp-failure:has-text('Press Start')")
    until(book, "w.playing", False)
    page.click(".amp-live [aria-label=Close]")
    page.evaluate("() => { window.clicked = true; }")
    book.python("w.playing = True")
    page.wait_for_selector(".amp-live[data-state=live]")
    book.python("w.playing = False")
    page.wait_for_selector(".amp-live[data-state=stopped]")
    page.wait_for_function("() => ear.open() === 0")
    until(book, "w._feed", None)


def test_a_dead_worker_is_told(notebook: Notebook) -> None:
    """A crash of native code ends the sound, not the kernel; the next edit starts it again."""
    book = notebook(OPEN)
    start(book)
    book.python(
        "import os, signal\n"
        "os.kill(__import__('amp_lab.isolate').isolate.status().workers[-1], signal.SIGSEGV)"
    )
    book.page.wait_for_selector(".amp-live[data-state=waits] .state:has-text('SIGSEGV')")
    book.python("g['level'].set(gain=0.25)")
    book.page.wait_for_selector(".amp-live[data-state=live]")
    time.sleep(1.5)
    assert rms(ear.samples(book)) == pytest.approx(0.25 / np.sqrt(2) * VOLUME, rel=0.01)
