"""Renders, reports and widgets in one notebook: none changes the look of another, and all can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import amp_lab as amp
from amp_lab.export import html_report, notebook_display
from browser.lab import Book, Lab

Notebook = Callable[..., Book]
ROOT = Path(__file__).resolve().parents[2]
THEMES = ("JupyterLab Light", "JupyterLab Dark")
README = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("\n```")[0]
SETUP = """
import amp_lab as amp, numpy as np
from IPython.display import HTML, display
from amp_lab.export import html_report
g = amp.presets.three_osc()
r = g.render(seconds=0.5, heat=True, trace=True)
loud = amp.Graph(name="loud")
loud.output(loud.sine(frequency_hz=440.0, amplitude=2.0))
loud = loud.render(seconds=0.2)
page = html_report.html_report(r, "report.html", verdict_lines=["a: PASS exact", "b: FAIL exact"]).read_text()
"""
SHOWN = {
    "editor": "amp.editor(g)",
    "panel": "amp.panel(g, seconds=0.5)",
    "scope": "amp.scope(r)",
    "spectrum": "amp.spectrum(r)",
    "spectrogram": "amp.spectrogram(r)",
    "thermo": "amp.thermo(r)",
    "timeline": "amp.timeline(r)",
    "live": "amp.live(g)",
    "workbench": "amp.lab(g, seconds=0.5)",
}
WIDGETS = f"{SETUP}\nfor w in ({', '.join(SHOWN.values())}): display(w)"
STILL = "* { transition: none !important; animation: none !important; }"
INTRUDE = """() => {
  const style = document.createElement('style');
  style.textContent = '.amp { color: #22272e; font: 15px/1.5 system-ui; }';
  document.querySelector('.jp-OutputArea-output').append(style);
}"""
HEARD = "() => [...document.querySelectorAll('audio')].map((a) => [a.ariaLabel, a.duration])"
WIDE = "() => [...document.querySelectorAll('.jp-OutputArea-output img')].map((i) => i.naturalWidth)"
STYLES = """(roots) => {
  const names = [
    'color', 'backgroundColor', 'backgroundImage', 'fontFamily', 'fontSize', 'fontWeight', 'lineHeight',
    'padding', 'margin', 'border', 'borderRadius', 'width', 'height', 'display', 'position', 'filter',
    'boxSizing', 'textAlign', 'overflow', 'gridTemplateColumns', 'gap', 'whiteSpace', 'listStyle', 'opacity',
  ];
  const sheets = [...document.querySelectorAll('.jp-OutputArea-output style')];
  const below = (root) => [root, ...root.querySelectorAll('*')];
  const found = [...document.querySelectorAll(roots)].flatMap(below);
  const look = (disabled) => {
    for (const { sheet } of sheets) sheet.disabled = disabled;
    return found.map((element) => {
      const style = getComputedStyle(element);
      const values = names.map((name) => `${name}: ${style[name]}`);
      return `${element.tagName}.${element.getAttribute('class')} ${values.join('; ')}`;
    });
  };
  const [hidden, shown] = [look(true), look(false)];
  return { sheets: sheets.length, shown, hidden };
}"""
"""How everything below the roots looks, with the style sheets of displays and without.

Both in one task of the page: the state of a button may change between two tasks."""
FAINT = """(roots) => {
  const parts = (colour) => {
    const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * below[i]);
  const light = (rgb) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const above = [];
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      above.push(colour);
      if (colour[3] === 1) break;
    }
    return above.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const texts = [];
  for (const root of document.querySelectorAll(roots)) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || element.closest('style, script, svg, option, :disabled')) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const style = getComputedStyle(element);
      const below = ground(element);
      let opacity = 1;
      for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
      const ink = parts(style.color);
      const [one, other] = [light(over([...ink.slice(0, 3), ink[3] * opacity], below)), light(below)];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const what = `${element.tagName}.${element.className} ${node.data.trim().slice(0, 40)}`;
      texts.push([Math.round(100 * ratio) / 100, `${what} ${style.color} on ${below.map(Math.round)}`]);
    }
  }
  return { texts: texts.length, faint: texts.filter(([ratio]) => ratio < 4.5) };
}"""
"""Texts below the roots with a contrast to their background under 4.5, the limit of WCAG 2.1 AA."""


def readable(page: Page, roots: str) -> None:
    """Every text has the contrast of WCAG 2.1 AA."""
    found = page.evaluate(FAINT, roots)
    assert found["texts"] > 1
    assert found["faint"] == []


def changed(page: Page, roots: str) -> list[tuple[str, str]]:
    """What the style sheets of displays change below the roots: how it looks with them and without."""
    look = page.evaluate(STYLES, roots)
    assert look["sheets"] > 0 and len(look["shown"]) > 20
    return [(a, b) for a, b in zip(look["shown"], look["hidden"], strict=True) if a != b]


def test_displays_change_no_widget_and_all_can_be_read(notebook: Notebook) -> None:
    """Two renders, a report and every widget in one notebook: the same with and without, in both themes."""
    book = notebook([WIDGETS, "display(r, loud, HTML(page))"])
    page = book.page
    for name in SHOWN:
        page.wait_for_selector(f".amp-{name}", state="attached")
    page.wait_for_selector(".amp-workbench .amp-scope[data-span]", state="attached")
    page.wait_for_selector(".amp-report.page", state="attached")
    assert page.locator(".amp-report.inline").count() == 2
    page.add_style_tag(content=STILL)
    for theme in THEMES:
        book.theme(theme)
        assert changed(page, ".amp") == []
        assert changed(page, ".jp-Toolbar, .jp-InputArea") == []
        readable(page, ".amp-report")
        readable(page, ".amp")
    page.evaluate(INTRUDE)
    assert len(changed(page, ".amp")) > 100, "a rule for the class of the widgets is seen"


def test_the_code_of_the_readme_shows_well_in_a_dark_theme(notebook: Notebook) -> None:
    """The render of the front page and the workbench below it, both readable."""
    shown, hidden = README.split("amp.lab(g)")
    book = notebook([shown, f"amp.lab(g){hidden}".split("\n\n")[0]])
    page = book.page
    page.wait_for_selector(".amp-workbench .amp-scope[data-span]", state="attached")
    book.theme("JupyterLab Dark")
    assert page.locator(".amp-report.inline").count() == 1
    page.add_style_tag(content=STILL)
    assert changed(page, ".amp") == []
    readable(page, ".amp-report, .amp")


def test_the_sound_plays_and_what_clips_is_said(notebook: Notebook) -> None:
    """The player is labelled and has the whole sound; clipping and gain are shown as text, not by colour
    alone.
    """
    book = notebook([SETUP, "display(r, loud)"])
    page = book.page
    page.wait_for_selector(".amp-report audio >> nth=1", state="attached")
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].every((audio) => audio.readyState > 0)"
    )
    heard = page.evaluate(
        "() => [...document.querySelectorAll('audio')].map((a) => [a.ariaLabel, a.duration])"
    )
    assert heard == [["Sound of three_osc", 0.5], ["Sound of loud", 0.2]]
    text = page.locator(".amp-report >> nth=1").inner_text()
    assert "samples beyond ±1 (peak +6.0 dBFS)" in text
    assert "played with gain -6.0 dB" in text


def test_a_displayed_render_costs_at_most_450_kb_in_the_saved_notebook(notebook: Notebook, lab: Lab) -> None:
    """Two seconds of three_osc, as JupyterLab writes the file."""
    book = notebook(
        ["import amp_lab as amp\nr = amp.presets.three_osc().render(seconds=2.0)\nr"], name="cost"
    )
    book.page.wait_for_selector(".amp-report audio", state="attached")
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    stored = (lab.books / "cost.ipynb").stat().st_size
    assert 50_000 < stored <= 450_000


@pytest.fixture
def stored(lab: Lab, browser: Browser) -> Iterator[Callable[[str, dict[str, Any]], Book]]:
    """Open a notebook that another user has saved, with one output in it."""
    books: list[Book] = []

    def show(name: str, bundle: dict[str, Any]) -> Book:
        lab.write(name, ["r"])
        path = lab.books / f"{name}.ipynb"
        book = json.loads(path.read_text())
        book["cells"][0]["outputs"] = [
            {"output_type": "execute_result", "execution_count": 1, "data": bundle, "metadata": {}}
        ]
        path.write_text(json.dumps(book))
        books.append(lab.open(browser, name))
        return books[-1]

    yield show
    for book in books:
        book.page.close()
        assert book.errors == []


def test_a_copy_that_is_not_trusted_is_readable(stored: Callable[[str, dict[str, Any]], Book]) -> None:
    """JupyterLab takes the style sheet out: pictures, caption and verdict on clipping are still there."""
    render = amp.presets.three_osc().render(seconds=0.5)
    book = stored("untrusted", notebook_display.render_mimebundle(render))
    page = book.page
    page.wait_for_selector(".jp-OutputArea-output img", state="attached")
    assert page.locator(".jp-OutputArea-output style").count() == 0
    wide = page.evaluate(WIDE)
    assert len(wide) == 4 and min(wide) > 700
    for theme in THEMES:
        book.theme(theme)
        assert "Gain 0 dB" in page.locator(".jp-OutputArea-output").inner_text()
        readable(page, ".jp-OutputArea-output")


@pytest.mark.parametrize(
    ("host", "scheme", "dark_display", "dark_report"),
    [
        ("", "light", False, False),
        ("", "dark", False, True),
        ('data-jp-theme-light="false"', "light", True, True),
        ('data-jp-theme-light="true"', "dark", False, False),
        ('class="vscode-dark"', "light", True, True),
        ('class="vscode-light"', "dark", False, False),
    ],
)
def test_the_theme_of_the_host_is_followed(
    host: str, scheme: Any, dark_display: bool, dark_report: bool, browser: Browser, tmp_path: Path
) -> None:
    """JupyterLab's and VS Code's; a report in its own page uses the browser's. Readable on any background."""
    render = amp.presets.three_osc().render(seconds=0.1, isolation="none")
    html_report.html_report(render, tmp_path / "report.html")
    inside = (tmp_path / "report.html").read_text().split("<body", 1)[1].split(">", 1)[1]
    page = browser.new_page(color_scheme=scheme)
    for html, dark in (
        (notebook_display.render_mimebundle(render)["text/html"], dark_display),
        (inside, dark_report),
    ):
        for ground in ("#ffffff", "#000000"):
            page.set_content(f'<body {host} style="background: {ground}">{html}</body>')
            readable(page, ".amp-report")
            card = page.evaluate("() => getComputedStyle(document.querySelector('section')).backgroundColor")
            assert card == ("rgb(24, 24, 24)" if dark else "rgb(255, 255, 255)")
    page.close()
