"""Saved notebooks opened again: live if the kernel still has the widget, otherwise a picture."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser.lab import Book, Lab, notebook_bytes

Notebook = Callable[..., Book]
Reopen = Callable[..., Book]
SHOWN = {
    "render": "r",
    "editor": "e = amp.editor(g); e",
    "panel": "p = amp.panel(g, seconds=0.1); p",
    "scope": "s = amp.scope(r); s",
    "workbench": "w = amp.lab(g, seconds=0.1); w",
}
LIVE = {
    "editor": ".amp-editor[data-ready]",
    "panel": ".amp-panel[data-digest]",
    "scope": ".amp-scope[data-span]",
    "workbench": ".amp-workbench[data-ready]",
}
SETUP = "import amp_lab as amp\nimport ipywidgets\ng = amp.presets.three_osc()\nr = g.render(seconds=0.1)"
FOREIGN = "slider = ipywidgets.IntSlider(); slider"
CELLS = [SETUP, *SHOWN.values(), FOREIGN]
STORED = "Picture stored with the notebook. Run the cell to make it live."
CLOSED = "The widget was closed. Run the cell to open it again."
TALL = {"width": 1280, "height": 5000}
WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"
VIEW_TYPE = "application/vnd.amp-lab.view+json"
DIRTY = "() => jupyterapp.shell.currentWidget.context.model.dirty"
SAVE = """async () => {
  const {context} = jupyterapp.shell.currentWidget;
  const states = [];
  context.saveState.connect((_, state) => states.push(state));
  await jupyterapp.commands.execute('docmanager:save');
  window.ampSaves = states;
}"""
ALL_TRUSTED = """async () => {
  const panel = jupyterapp.shell.currentWidget;
  await panel.context.ready;
  return panel.content.widgets.every((cell) => cell.model.trusted);
}"""
SECOND_VIEW = """(index) => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  return jupyterapp.commands.execute('notebook:create-output-view');
}"""
CLOSE_SECOND_VIEWS = """() => {
  for (const widget of [...jupyterapp.shell.widgets('main')]) {
    if (widget.id.startsWith('LinkedOutputView')) widget.close();
    else jupyterapp.shell.activateById(widget.id);
  }
}"""
RUN = """([index, source]) => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  if (source) panel.content.activeCell.model.sharedModel.setSource(source);
  return jupyterapp.commands.execute('notebook:run-cell');
}"""
HIDE_MANAGER = """async () => {
  const {rendermime} = jupyterapp.shell.currentWidget.content;
  const factory = rendermime.getFactory('application/vnd.jupyter.widget-view+json');
  const make = factory.createRenderer;
  let asked = 0;
  factory.createRenderer = (options) => {
    const renderer = make(options);
    if ((asked += 1) === 1) renderer._manager = undefined;
    return renderer;
  };
}"""


def outputs(page: Page, kind: str) -> Locator:
    """The output of the cell that shows this."""
    return (
        page.locator(".jp-Notebook .jp-Cell")
        .nth(1 + list(SHOWN).index(kind))
        .locator(".jp-OutputArea-output")
    )


def live(page: Page, *kinds: str) -> None:
    """Wait until these are live, without a picture."""
    for kind in kinds or LIVE:
        outputs(page, kind).locator(LIVE[kind]).first.wait_for(timeout=60_000)
        expect(outputs(page, kind).locator(".amp-stored-note")).to_have_count(0)


def drawn(image: Locator) -> None:
    """Wait until a picture is decoded and visible, wider than the icon of a broken one."""
    expect(image).to_be_visible()
    image.page.wait_for_function(
        "(image) => image.complete && image.naturalWidth > 300 && image.offsetWidth > 300",
        arg=image.element_handle(),
    )


def pictured(page: Page, kind: str, line: str = STORED) -> None:
    """Wait until the stored picture is shown, with the line below it, and nothing else."""
    output = outputs(page, kind)
    image = output.locator(".amp-stored-picture img")
    drawn(image)
    output.get_by_text(line, exact=True).wait_for()
    expect(output.locator(".amp")).to_have_count(0)
    assert "model not found" not in output.inner_text()


@contextlib.contextmanager
def second_view(book: Book, kind: str) -> Iterator[Locator]:
    """Open "New View for Output" of a cell."""
    book.page.evaluate(SECOND_VIEW, 1 + list(SHOWN).index(kind))
    yield book.page.locator(".jp-LinkedOutputView")
    book.page.evaluate(CLOSE_SECOND_VIEWS)


def rendered(page: Page) -> None:
    """Wait until the HTML of a render is visible, with its figures."""
    drawn(outputs(page, "render").locator("img").first)


def stored_pictures(path: Path) -> dict[str, str]:
    """Pictures in a notebook's file, by what they show."""
    cells = json.loads(notebook_bytes(path))["cells"]
    return {
        kind: "".join(output["data"].get("image/png", "")).strip()
        for kind, cell in zip(SHOWN, cells[1:], strict=False)
        for output in cell["outputs"]
    }


def save(book: Book) -> None:
    """Save the notebook as Control+S does, and wait until nothing more is written."""
    book.page.evaluate(SAVE)
    book.eventually(lambda: book.page.evaluate("() => ampSaves.at(-1)") == "completed")


def opened(lab: Lab, browser: Browser, name: str) -> Book:
    """Open a notebook in a page that is tall enough to paint all of it."""
    book = lab.open(browser, name)
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    book.page.wait_for_selector(".jp-Notebook .jp-Cell")
    return book


def reload(book: Book) -> None:
    """Load the page again; its errors while it unloads are ignored."""
    book.page.reload()
    book.errors.clear()
    book.page.wait_for_selector(".jp-Notebook .jp-Cell")


def only_the_foreign_widget_is_missing(book: Book) -> None:
    """The errors on the console are those of ipywidgets, about the slider."""
    assert len(book.errors) <= 1 and all("widget model not found" in error for error in book.errors)
    book.errors.clear()


@pytest.fixture(scope="module")
def stored(lab: Lab, browser: Browser) -> Path:
    """A notebook that was run and saved, and is not open any more."""
    lab.write("stored", CELLS)
    book = opened(lab, browser, "stored")
    book.run_all()
    live(book.page)
    save(book)
    assert book.errors == []
    book.close()
    return lab.books / "stored.ipynb"


@pytest.fixture(scope="module")
def bare_lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on a machine that has no kernels."""
    none = (
        "--KernelSpecManager.ensure_native_kernel=False",
        "--KernelSpecManager.allowed_kernelspecs={'none'}",
    )
    with Lab(tmp_path_factory.mktemp("bare"), *none) as running:
        yield running


@pytest.fixture
def reopen(browser: Browser, stored: Path) -> Iterator[Callable[..., Book]]:
    """Open a copy of the stored notebook, trusted or not."""
    books: list[Book] = []

    def show(lab: Lab, name: str, *, trusted: bool) -> Book:
        path = lab.books / f"{name}.ipynb"
        book = json.loads(notebook_bytes(stored))
        book["metadata"]["title"] = name  # another text than any that is trusted
        path.write_text(json.dumps(book), encoding="utf-8")
        if trusted:
            environment = os.environ | {"JUPYTER_DATA_DIR": str(lab.folder / "data")}
            trust = Path(sys.executable).with_name("jupyter-trust")
            subprocess.run([trust, path], env=environment, check=True, capture_output=True)
        page = opened(lab, browser, name)
        books.append(page)
        assert page.page.evaluate(ALL_TRUSTED) is trusted
        return page

    yield show
    assert [error for book in books for error in book.errors] == []


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_with_a_new_kernel_there_is_the_picture(reopen: Reopen, lab: Lab, trusted: bool) -> None:
    """A kernel without the widgets, in a trusted notebook or not: pictures, until the cells run again."""
    book = reopen(lab, f"again_{trusted}", trusted=trusted)
    rendered(book.page)
    for kind in LIVE:
        pictured(book.page, kind)
    assert book.page.evaluate(DIRTY) is False
    book.run_all()
    live(book.page)
    book.page.locator(".widget-slider").wait_for()
    only_the_foreign_widget_is_missing(book)
    book.close()


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_without_a_kernel_there_is_the_picture(reopen: Reopen, bare_lab: Lab, trusted: bool) -> None:
    """On a machine that has no kernel at all."""
    book = reopen(bare_lab, f"bare_{trusted}", trusted=trusted)
    rendered(book.page)
    for kind in LIVE:
        pictured(book.page, kind)
    assert not book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel")
    book.page.close()


def test_a_page_that_is_loaded_again_is_live_again(notebook: Notebook) -> None:
    """The kernel still has the models: all are live, and so is a second view of an output."""
    book = notebook(CELLS)
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    live(book.page)
    save(book)
    reload(book)
    live(book.page)
    rendered(book.page)
    book.page.locator(".widget-slider").wait_for()
    with second_view(book, "scope") as second:
        second.locator(LIVE["scope"]).wait_for()
        expect(second.locator(".amp-stored-note")).to_have_count(0)


def test_saving_stores_what_is_seen(notebook: Notebook, lab: Lab) -> None:
    """A graph edited by hand is saved with its new picture, and its views stay the elements they were."""
    book = notebook(CELLS[:-1], name="edited")
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    path = lab.books / "edited.ipynb"
    live(book.page)
    save(book)
    before = stored_pictures(path)
    book.page.evaluate("() => document.querySelectorAll('.amp').forEach((view) => { view.kept = true; })")
    views = book.page.locator(".amp").count()
    book.python("g.remove('lfo'); g['mix'].set(gain=0.05); p.wait(); w.panel.wait()")
    assert book.page.evaluate(DIRTY) is False
    save(book)
    edited = ("editor", "panel", "workbench")
    book.eventually(lambda: all(stored_pictures(path)[kind] != before[kind] for kind in edited))
    after = stored_pictures(path)
    assert after["scope"] == before["scope"] and after["render"] == before["render"]
    assert after["editor"] == book.value("e._picture()") and after["panel"] == book.value("p._picture()")
    book.eventually(lambda: book.page.evaluate(DIRTY) is False)
    book.start("g['mix'].set(gain=0.2)\nimport time\ntime.sleep(2.0)")
    book.page.wait_for_timeout(300)
    save(book)  # while the cell runs; the picture is drawn after it
    book.eventually(lambda: stored_pictures(path)["panel"] not in (before["panel"], after["panel"]))
    kept = "() => [...document.querySelectorAll('.amp')].filter((view) => view.kept).length"
    assert book.page.evaluate(kept) == views


def test_a_notebook_without_edits_stays_as_it_is(notebook: Notebook, lab: Lab) -> None:
    """Opened again with its kernel it is unchanged; saving writes the bytes of before, once."""
    book = notebook(CELLS[:-1], name="untouched")
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    path = lab.books / "untouched.ipynb"
    live(book.page)
    save(book)
    before = notebook_bytes(path)
    reload(book)
    live(book.page)
    assert book.page.evaluate(DIRTY) is False
    save(book)
    book.value("[view._picture() and 1 for view in (e, p, s, w)]")  # as long as drawing them takes
    assert notebook_bytes(path) == before
    assert book.page.evaluate("() => ampSaves") == ["started", "completed"]


def test_a_widget_that_is_closed_leaves_its_picture(notebook: Notebook) -> None:
    """Closed in Python, its outputs show the picture and a notice; they are not empty."""
    book = notebook(CELLS)
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    live(book.page)
    book.python("e.close(); p.close(); s.close(); w.close()")
    for kind in LIVE:
        pictured(book.page, kind, CLOSED)
    book.page.locator(".widget-slider").wait_for()


def test_after_a_restart_new_views_are_pictures_until_the_cell_runs(notebook: Notebook) -> None:
    """A model of a killed kernel gets no new view; running the cell again makes one."""
    book = notebook(CELLS)
    book.page.set_viewport_size(TALL)  # type: ignore[arg-type]
    live(book.page)
    book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    with second_view(book, "scope") as second:
        second.locator(".amp-stored-picture img").wait_for()
        second.get_by_text(STORED, exact=True).wait_for()
        expect(second.locator(".amp")).to_have_count(0)
    book.run_all()
    live(book.page)
    with second_view(book, "scope") as second:
        second.locator(LIVE["scope"]).wait_for()


def test_where_ipywidgets_hides_its_manager_it_renders(notebook: Notebook) -> None:
    """An ipywidgets that keeps its manager elsewhere renders the output, as without the extension."""
    book = notebook([SETUP, "1"])
    book.page.evaluate(HIDE_MANAGER)
    book.page.evaluate(RUN, [1, SHOWN["scope"]])
    book.page.locator(LIVE["scope"]).wait_for()
    expect(book.page.locator(".amp-stored-note")).to_have_count(0)


@pytest.mark.parametrize("host", ["nbconvert", "stripped"])
def test_other_hosts_show_the_picture(host: str, stored: Path, browser: Browser, tmp_path: Path) -> None:
    """A page made by nbconvert, and a host that removes HTML, scripts and unknown types."""
    shutil.copy(stored, tmp_path / "book.ipynb")
    options = [] if host == "nbconvert" else [
        '--NbConvertBase.display_data_priority=["image/png", "text/plain"]'
    ]  # fmt: skip
    convert = Path(sys.executable).with_name("jupyter-nbconvert")
    subprocess.run(
        [convert, "--to", "html", *options, "book.ipynb"], cwd=tmp_path, check=True, capture_output=True
    )
    page = browser.new_page(viewport=TALL)  # type: ignore[arg-type]
    page.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    page.goto(f"file://{tmp_path}/book.html")
    for kind in SHOWN:
        cell = page.locator(".jp-Notebook .jp-Cell").nth(1 + list(SHOWN).index(kind))
        drawn(cell.locator("img").first)
    page.close()
