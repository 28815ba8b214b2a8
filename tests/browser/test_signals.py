"""Scope, spectrum and spectrogram in JupyterLab: thirty million samples, one fault, exact numbers."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from browser.lab import Book
from browser.test_editor import until

Notebook = Callable[..., Book]
LONG = """
import amp_lab as amp, numpy as np
t = np.arange(30_000_000)
x = 0.25 * np.sin(t * 0.01) * np.sin(t * 1e-6)
x[17_654_321] = 0.9
x[3_000_000] = np.nan
s = amp.scope(x, sample_rate=48_000)
"""
WATCH = """() => {
  const root = document.querySelector('.amp-scope');
  window.bytes = []; window.kinds = [];
  root.link.model.on('msg:custom', (message, buffers) => {
    if (message.kind === 'span') window.bytes.push(buffers.reduce((sum, b) => sum + b.byteLength, 0));
  });
}"""
ZOOM = """async ([from, to]) => {
  const root = document.querySelector('.amp-scope');
  delete root.dataset.exactMs;
  root.plot.look([from, to]);
  const draws = [];
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  draws.push(root.plot.drawMs);
  while (root.dataset.exactMs === undefined) await new Promise((done) => setTimeout(done, 2));
  draws.push(root.plot.drawMs);
  return {exact: Number(root.dataset.exactMs), draw: Math.max(...draws), faults: Number(root.dataset.faults)};
}"""
RED = """() => {
  const root = document.querySelector('.amp-scope');
  const canvas = root.plot.element;
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let red = 0;
  for (let i = 0; i < data.length; i += 4) red += data[i] > 150 && data[i + 1] < 60 && data[i + 2] < 90;
  return red;
}"""
PEAK = """() => {
  const root = document.querySelector('.amp-scope');
  const canvas = root.plot.element;
  const scale = canvas.width / root.plot.canvas.width;
  const width = canvas.width - 80 * scale;
  const {data} = canvas.getContext('2d').getImageData(60 * scale, 0, width, canvas.height);
  let top = canvas.height;
  for (let i = 0; i < data.length; i += 4) {
    const blue = data[i + 2] - data[i];
    if (data[i + 3] > 60 && blue > 60) top = Math.min(top, Math.floor(i / 4 / width));
  }
  return top / canvas.height;
}"""


def zooms(book: Book) -> list[dict[str, float]]:
    """Zoom to the fault, then to the outlier: both show at every step. Returns the times of each."""
    page = book.page
    page.wait_for_selector(".amp-scope[data-span]")
    page.evaluate(WATCH)
    page.wait_for_timeout(300)
    assert page.evaluate(RED) > 50, "the NaN is not seen from above"
    assert page.evaluate(PEAK) < 0.2, "the outlier is not seen from above"
    fault, outlier = 3_000_000 / 48_000, 17_654_321 / 48_000
    measured = []
    for step in range(24):
        width = 600.0 / 1.8**step
        measured.append(page.evaluate(ZOOM, [max(fault - width / 3, 0), fault + width / 2]))
        assert measured[-1]["faults"] == 1
    for step in range(24):
        width = 200.0 / 1.6**step
        measured.append(page.evaluate(ZOOM, [outlier - width / 3, outlier + width / 2]))
        assert page.evaluate(PEAK) < 0.25, f"the outlier is not seen in {width} s"
    return measured


def test_one_of_thirty_million_samples_shows(notebook: Notebook) -> None:
    """A fault and an outlier are visible at every zoom, and tiles are small."""
    book = notebook([LONG, "s"])
    zooms(book)
    sizes = book.page.evaluate("() => window.bytes")
    assert len(sizes) >= 40 and max(sizes) <= 20_000


@pytest.mark.long  # times
def test_thirty_million_samples_are_zoomed_quickly(notebook: Notebook) -> None:
    """Drawing leaves time in each frame, and exact tiles arrive quickly."""
    measured = zooms(notebook([LONG, "s"]))
    exact = sorted(one["exact"] for one in measured)
    draws = sorted(one["draw"] for one in measured)
    p50, p95 = statistics.median(exact), exact[int(0.95 * len(exact))]
    print(f"exact tile p50 {p50:.1f} ms, p95 {p95:.1f} ms; draw p95 {draws[int(0.95 * len(draws))]:.2f} ms")
    assert p50 <= 30 and p95 <= 60 and draws[int(0.95 * len(draws))] <= 6


def test_the_view_is_a_trait_and_values_are_exact(notebook: Notebook) -> None:
    """Python moves the view and receives its moves; the readout under the pointer is the sample's value."""
    book = notebook(
        [
            "import amp_lab as amp\nr = amp.presets.three_osc().render(seconds=2, taps=['flt'])",
            "s = amp.scope(r)\ns",
        ]
    )
    page = book.page
    page.wait_for_selector(".amp-scope[data-span]")
    book.python("s.view = [0.5, 0.6]")
    page.wait_for_function("() => document.querySelector('.amp-scope').plot.view[0] === 0.5")
    page.locator(".amp-scope .plot").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert 0.5 < book.value("s.view[0]") < 0.52
    page.keyboard.press("Home")
    until(book, "s.view", [])
    box = page.locator(".amp-scope .plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.wait_for_function(
        "() => document.querySelector('.amp-scope .readout').textContent.includes('frame')"
    )
    words = page.inner_text(".amp-scope .readout").split()
    frame = int(words[1].replace(",", ""))
    assert words[2] == book.value(f"repr(float(r.audio[0, 0, {frame}]))")[:11]
    page.click(".amp-scope .menu summary")
    page.click(".amp-scope .list label:has-text('flt')")
    until(book, "s.signals[-1]", "three_osc: flt mono")


def test_a_scope_follows_a_panel_and_holds(notebook: Notebook) -> None:
    """A render of the panel is shown at once; the held one stays next to it."""
    book = notebook(
        ["import amp_lab as amp\ng = amp.presets.three_osc()\np = amp.panel(g)\ns = amp.scope(p)", "s"]
    )
    page = book.page
    page.wait_for_selector(".amp-scope[data-span]")
    version = book.value("s.available[0]['version']")
    page.click(".amp-scope button:has-text('Hold')")
    until(book, "len(s.signals)", 4)
    book.python("g['flt'].set(q=9.0); r = p.wait()")
    assert book.value("s.available[0]['version']") > version
    assert book.value("bool((s.shown()[0].samples == r.audio[0, 0]).all())")
    assert not book.value("bool((s.shown()[2].samples == r.audio[0, 0]).all())")
    page.click(".amp-scope button:has-text('Drop held')")
    until(book, "len(s.signals)", 2)
    page.click(".amp-scope .menu summary")
    page.select_option(".amp-scope select[aria-label='Tap a node']", "flt")
    until(book, "s.signals", ["three_osc: output left", "three_osc: output right", "three_osc: flt mono"])
    book.python("g['flt'].set(q=2.5); r = p.wait()")
    assert book.value("bool((s.shown()[2].samples == r.taps['flt'][0, 0]).all())")
    book.python("s.close(); p.close()")
    assert book.value("p._listeners") == []


def test_a_tone_reads_its_frequency_and_level(notebook: Notebook) -> None:
    """The highest peak of the spectrum is the sine's frequency and level; both scales and windows draw."""
    book = notebook(
        [
            "import amp_lab as amp\ng = amp.Graph()\ng.output(g.sine(frequency_hz=440.0, amplitude=0.5))\n"
            "r = g.render(seconds=1)",
            "f = amp.spectrum(r)\nf",
            "z = amp.spectrogram(r)\nz",
        ]
    )
    page = book.page
    page.wait_for_selector(".amp-spectrum[data-peak]")
    peak = [float(word) for word in (page.get_attribute(".amp-spectrum", "data-peak") or "").split()]
    assert abs(peak[0] - 440) <= 1 and abs(peak[1] + 6.02) < 0.1
    page.select_option(".amp-spectrum select[aria-label=Window]", "flattop")
    until(book, "f.window", "flattop")
    for button in ("log f", "dB"):
        page.click(f".amp-spectrum button:has-text('{button}')")
    book.python("f.view = [400.0, 500.0]")
    page.wait_for_function("() => document.querySelector('.amp-spectrum').plot.view[0] === 400")
    page.wait_for_selector(".amp-spectrogram[data-ready]")
    page.locator(".amp-spectrogram .plot").hover()
    page.wait_for_function(
        "() => /near 4[2-5]\\d Hz/.test(document.querySelector('.amp-spectrogram .readout').textContent)"
    )
    page.select_option(".amp-spectrogram select[aria-label='Window in frames']", "8192")
    until(book, "z.segment_frames", 8192)
