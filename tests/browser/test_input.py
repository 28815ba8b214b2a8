"""The keyboard in JupyterLab: each key belongs to the widget or to the notebook, and the focus stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from browser.lab import Book
from browser.test_editor import until

GRAPH = "import amp_lab as amp\ng = amp.presets.three_osc()"
EDITOR = [GRAPH, "e = amp.editor(g)\ne"]
FIELDS = {
    "editor": ".amp-editor [aria-label='Search nodes']",
    "workbench": ".amp-panel [aria-label='Search parameters']",
}
HOSTS = {"editor": EDITOR, "workbench": [GRAPH, "w = amp.lab(g, seconds=0.2)\ne = w.editor\nw"]}
Notebook = Callable[..., Book]
both = pytest.mark.parametrize("host", HOSTS)
# the notebook's reaction, by its own state: number of cells, selected cells, type and source of each
CELLS = """() => {
  const book = window.jupyterapp.shell.currentWidget.content;
  const state = (one) => [one.model.type, book.isSelectedOrActive(one), one.model.sharedModel.getSource()];
  return book.widgets.map(state);
}"""
COMMANDS = [*"abmyxczvrjk1", *"ddii00", "Shift+m", "Shift+j", "Shift+ArrowDown", "ArrowDown", "Backspace"]
COMMANDS += ["Control+Backspace", "Control+z", "Control+Shift+z", "Home", "Enter"]


def opened(notebook: Notebook, host: str) -> Book:
    """A notebook with only an editor, or with a workbench, painted."""
    book = notebook([*HOSTS[host], "1 + 1"])
    book.page.wait_for_selector(".amp-editor[data-ready]")
    if host == "workbench":
        book.page.wait_for_selector(".amp-panel[data-digest]")
        book.page.wait_for_selector(".amp-scope[data-span]")
    book.page.locator(".amp-editor").scroll_into_view_if_needed()
    return book


def node(name: str) -> str:
    """Selector of a node's box."""
    return f".react-flow__node[data-id='{name}']"


def line(book: Book, name: str) -> tuple[float, float]:
    """A point of the page on the middle of a line."""
    x, y = book.page.evaluate(
        """(id) => {
          const path = document.querySelector(`.react-flow__edge[data-id="${id}"] path`);
          const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
          return [at.x, at.y];
        }""",
        name,
    )
    return float(x), float(y)


@both
def test_keys_of_jupyterlab_reach_it(notebook: Notebook, host: str) -> None:
    """From a node and a text field Ctrl+S saves and Ctrl+Shift+C opens the palette, after either mode."""
    book = opened(notebook, host)
    page = book.page
    for mode in ("command", "edit"):
        if mode == "edit":
            page.locator(".jp-Notebook .jp-Cell .cm-content").last.click()
            page.wait_for_selector(".jp-Notebook.jp-mod-editMode")
        for target in (node("flt"), FIELDS[host]):
            page.locator(target).click()
            page.evaluate(
                "() => jupyterapp.shell.currentWidget.content.model.setMetadata('touched', Math.random())"
            )
            page.wait_for_function("() => jupyterapp.shell.currentWidget.context.model.dirty")
            page.keyboard.press("Control+s")
            page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
            page.keyboard.press("Control+Shift+c")
            page.wait_for_selector(".lm-CommandPalette-input", state="visible")
            page.keyboard.press("Escape")
            page.wait_for_selector(".lm-CommandPalette-input", state="hidden")


@both
def test_keys_of_a_notebook_do_nothing_to_its_cells(notebook: Notebook, host: str) -> None:
    """Keys of command mode stay in the widget: on a node, a button, a slider, a plot, the keyboard, a tab."""
    book = opened(notebook, host)
    page = book.page
    targets = [node("flt"), ".amp-editor [aria-label='Arrange by the stages of the plan']"]
    if host == "workbench":
        targets += [
            ".amp-panel input[type=range] >> nth=0",
            ".amp-scope .plot",
            ".amp-panel .piano",
            ".amp-workbench [data-tab=scope]",
        ]
    before = page.evaluate(CELLS)
    for target in targets:
        page.locator(target).focus()
        for key in COMMANDS:
            page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert [cell[::2] for cell in page.evaluate(CELLS)] == [cell[::2] for cell in before]
    assert sum(cell[1] for cell in page.evaluate(CELLS)) == 1
    assert page.locator(".jp-Dialog").count() == 0 and book.value("len(g.nodes)") > 5


def test_jupyterlab_of_versions_that_listen_first_is_told(notebook: Notebook) -> None:
    """Lumino's attribute names the keys that JupyterLab must ignore before any other listener runs."""
    book = notebook(EDITOR)
    page = book.page
    page.wait_for_selector(".amp-editor[data-ready]")
    page.evaluate(
        """() => {
          window.heard = {};
          document.addEventListener('keydown', (event) => {
            window.heard[event.key] = event.target.closest('[data-lm-suppress-shortcuts]') !== null;
          }, true);
        }"""
    )
    page.locator(node("flt")).click()
    for key in ("d", "Control+a", "Control+s", "F9", "Delete", "Shift+Enter"):
        page.keyboard.press(key)
    heard = page.evaluate("() => window.heard")
    assert {key: heard[key] for key in ("d", "a", "s", "Enter", "F9", "Delete")} == {
        "d": True, "a": True, "s": False, "Enter": False, "F9": False, "Delete": True,
    }  # fmt: skip


@both
def test_what_was_done_is_undone_at_once(notebook: Notebook, host: str) -> None:
    """Ctrl+Z, without a click, after Delete, Fix, a button that goes or is disabled, and a number typed."""
    book = opened(notebook, host)
    page = book.page
    page.locator(node("flt")).click()
    page.keyboard.press("Delete")
    until(book, "'flt' in g", False)
    page.keyboard.press("Control+z")
    until(book, "'flt' in g", True)

    page.locator(node("flt")).click()
    page.click(".amp-editor [aria-label='Remove (Delete)']")
    until(book, "'flt' in g", False)
    page.keyboard.press("Control+z")
    until(book, "'flt' in g", True)

    page.mouse.click(*line(book, "e:flt.in[0]"))
    page.click(".amp-editor .inspector .danger")
    until(book, "len([edge for edge in g.edges if edge.dst == 'flt'])", 0)
    page.keyboard.press("Control+z")
    until(book, "len([edge for edge in g.edges if edge.dst == 'flt'])", 1)

    page.locator(node("flt")).click()
    entry = page.locator(".amp-editor input[aria-label='flt q']")
    entry.fill("3")
    entry.press("Enter")
    until(book, "g['flt'].params['q']", 3.0)
    page.keyboard.press("Control+z")
    until(book, "g['flt'].params['q']", 2.0)

    book.python("g.connect('amp', 'mix')")
    page.click(".amp-editor .problems button:has-text('Fix')")
    page.wait_for_selector(".amp-editor .status:not(.bad)")
    page.keyboard.press("Control+z")
    page.wait_for_selector(".amp-editor .status.bad")


def test_numbers_and_buttons_of_a_panel_keep_the_focus(notebook: Notebook) -> None:
    """Ctrl+Z undoes a number sent by Enter, and text of one half typed; Ctrl+Y works after the last undo."""
    book = notebook([GRAPH, "p = amp.panel(g, seconds=0.2, height=600)\np"])
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    entry = page.locator(".amp-panel input[aria-label='flt.q value']")
    entry.fill("3.5")
    entry.press("Enter")
    until(book, "g['flt'].params['q']", 3.5)
    assert entry.evaluate("(one) => one === document.activeElement")
    entry.press("Control+z")
    until(book, "g['flt'].params['q']", 2.0)
    entry.press("Control+Shift+z")
    until(book, "g['flt'].params['q']", 3.5)
    page.wait_for_function("(one) => one.value === '3.5'", arg=entry.element_handle())
    entry.press("End")
    page.keyboard.type("9")
    entry.press("Control+z")
    assert entry.input_value() == "3.5"
    page.wait_for_timeout(200)
    assert book.value("g['flt'].params['q']") == 3.5
    page.click(".amp-panel [aria-label=Undo]")
    until(book, "g['flt'].params['q']", 2.0)
    page.wait_for_selector(".amp-panel [aria-label=Undo]:disabled")
    page.keyboard.press("Control+y")
    until(book, "g['flt'].params['q']", 3.5)


@both
def test_arrow_keys_move_as_one_edit(notebook: Notebook, host: str) -> None:
    """A run of arrow keys, however fast, is one step of undo in Python; the next run is the next step."""
    book = opened(notebook, host)
    page = book.page
    place = "[round(x) for x in e.journal.state.places['flt']]"
    steps = book.value("e.journal.undo_steps")
    x, y = book.value(place)
    page.locator(node("flt")).click()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowUp")
    page.evaluate(
        """() => { for (let i = 0; i < 20; i += 1) document.activeElement.dispatchEvent(
          new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true, cancelable: true})); }"""
    )
    until(book, place, [x + 100, y - 5])
    until(book, "e.journal.undo_steps", steps + 1)
    page.locator(node("osc_1")).click()
    page.locator(node("flt")).click()
    page.keyboard.press("ArrowLeft")
    until(book, place, [x + 95, y - 5])
    page.keyboard.press("Control+z")
    until(book, place, [x + 100, y - 5])
    page.keyboard.press("Control+z")
    until(book, place, [x, y])
    page.wait_for_function(
        "([id, x, y]) => document.querySelector(id).style.transform === `translate(${x}px, ${y}px)`",
        arg=[node("flt"), x, y],
    )


def test_text_that_is_selected_can_be_copied(notebook: Notebook) -> None:
    """Ctrl+C copies marked text of the widget, else nodes; in a text field editing keys are the field's."""
    book = notebook(EDITOR)
    page = book.page
    page.wait_for_selector(".amp-editor[data-ready]")
    page.locator(node("flt")).click()
    field = page.locator(".amp-editor input[aria-label=Name]")
    field.click()
    for key in ("Control+a", "Control+x", "Control+v", "Control+v", "Backspace", "Delete", "f"):
        page.keyboard.press(key)
    assert field.input_value() == "fltflf" and book.value("'flt' in g and 'flt_2' not in g")
    page.keyboard.press("Escape")
    assert field.input_value() == "flt"
    taken = """() => {
      const event = new KeyboardEvent('keydown', {key: 'c', ctrlKey: true, bubbles: true, cancelable: true});
      document.querySelector('.amp-editor .react-flow__node.selected').dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    assert page.evaluate(taken) is True
    page.evaluate(
        "() => getSelection().selectAllChildren(document.querySelector('.amp-editor .inspector p'))"
    )
    assert page.evaluate(taken) is False
