"""Mouse, wheel and finger in JupyterLab: each belongs either to the widget or to the notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.lab import Book
from browser.test_editor import middle, until
from browser.test_input import CELLS, FIELDS, GRAPH, HOSTS, Notebook, both, line, node, opened

SIGNALS = [GRAPH, "s = amp.scope(g.render(seconds=0.5))\ns", "1 + 1"]
PANE = ".amp-editor .react-flow__pane"
FOCUS = "() => document.activeElement?.closest('.amp')?.className ?? ''"
SCROLL = "() => document.querySelector('.jp-WindowedPanel-outer').scrollTop"
ZOOM = "() => document.querySelector('.react-flow__viewport').style.transform"


def selected(book: Book) -> tuple[list[str], list[str]]:
    """Ids of the boxes and of the lines that are selected on the canvas."""
    found: list[list[str]] = book.page.evaluate(
        "() => ['node', 'edge'].map((kind) => [...document.querySelectorAll("
        "`.amp-editor .react-flow__${kind}.selected`)].map((one) => one.dataset.id).sort())"
    )
    return found[0], found[1]


def wait_selected(book: Book, boxes: list[str], lines: list[str]) -> None:
    """Wait until exactly these are selected, and Python has received it."""
    for _ in range(60):
        if selected(book) == (boxes, lines):
            break
        book.page.wait_for_timeout(50)
    book.page.wait_for_timeout(150)  # a late reply of the model would undo it now
    assert selected(book) == (boxes, lines)


def menu(book: Book) -> list[str]:
    """What the open context menu has, without the keys."""
    entries: list[str] = book.page.locator(".amp-menu [role=menuitem]").evaluate_all(
        "(all) => all.map((one) => one.firstChild.textContent)"
    )
    return entries


@both
def test_several_are_selected_and_removed_as_one_step(notebook: Notebook, host: str) -> None:
    """Shift draws a frame, Control adds or removes a box, Ctrl+A selects all; cells do not change."""
    book = opened(notebook, host)
    page = book.page
    code, cells = book.value("g.to_code()"), page.evaluate(CELLS)
    page.locator(PANE).click(position={"x": 5, "y": 5})
    page.locator(node("osc_1")).click()
    page.keyboard.down("Control")
    page.locator(node("osc_2")).click()
    page.locator(node("osc_3")).click()
    page.locator(node("osc_2")).click()
    page.keyboard.up("Control")
    wait_selected(book, ["osc_1", "osc_3"], [])
    until(book, "sorted(e.selection)", ["osc_1", "osc_3"])

    boxes = [page.locator(node(name)).bounding_box() for name in ("osc_1", "osc_2")]
    assert boxes[0] is not None and boxes[1] is not None
    page.keyboard.down("Shift")
    page.mouse.move(boxes[0]["x"] - 4, min(box["y"] for box in boxes if box) - 4)
    page.mouse.down()
    page.mouse.move(
        boxes[0]["x"] + boxes[0]["width"] / 2,
        max(box["y"] + box["height"] / 2 for box in boxes if box),
        steps=6,
    )
    page.mouse.up()
    page.keyboard.up("Shift")
    until(book, "{'osc_1', 'osc_2'} <= set(e.selection) and 'flt' not in e.selection", True)
    now = page.evaluate(CELLS)
    assert [cell[::2] for cell in now] == [cell[::2] for cell in cells] and sum(cell[1] for cell in now) == 1
    assert page.evaluate("() => String(getSelection())") == ""
    page.keyboard.press("Delete")
    until(book, "'osc_1' in g or 'osc_2' in g", False)
    page.keyboard.press("Control+z")
    until(book, "g.to_code()", code)

    page.keyboard.press("Control+a")
    until(book, "len(e.selection) == len(g.nodes)", True)
    assert sum(cell[1] for cell in page.evaluate(CELLS)) == 1


@both
def test_the_first_click_selects(notebook: Notebook, host: str) -> None:
    """A line is selected whatever was before; so is a folded box, from Python too, and acts on all in it."""
    book = opened(notebook, host)
    page = book.page
    page.locator(node("osc_1")).click()
    wait_selected(book, ["osc_1"], [])
    page.mouse.click(*line(book, "e:flt.in[0]"))
    wait_selected(book, [], ["e:flt.in[0]"])
    until(book, "e.selection", [])
    book.python("e.selection = ['osc_2']")
    wait_selected(book, ["osc_2"], [])
    page.mouse.click(*line(book, "e:flt.in[0]"))
    wait_selected(book, [], ["e:flt.in[0]"])

    book.python("e.journal.fold('voices', ('osc_1', 'osc_2', 'osc_3'))")
    page.locator(node("fold:voices")).click()
    wait_selected(book, ["fold:voices"], [])
    until(book, "sorted(e.selection)", ["osc_1", "osc_2", "osc_3"])
    book.python("e.selection = []")
    wait_selected(book, [], [])
    book.python("e.selection = ['osc_2']")
    wait_selected(book, ["fold:voices"], [])
    page.locator(node("fold:voices")).focus()
    page.keyboard.press("Delete")
    until(book, "[name for name in ('osc_1', 'osc_2', 'osc_3') if name in g]", [])
    page.keyboard.press("Control+z")
    until(book, "'osc_2' in g", True)


@both
def test_a_right_click_opens_the_menu_of_the_widget(notebook: Notebook, host: str) -> None:
    """Boxes, lines and canvas have menus of their own, also by keyboard; JupyterLab's stays closed."""
    book = opened(notebook, host)
    page = book.page
    page.locator(node("flt")).click(button="right")
    page.wait_for_selector(".amp-menu[role=menu] [role=menuitem]:focus")
    wait_selected(book, ["flt"], [])
    assert page.locator(".lm-Menu").count() == 0
    assert menu(book) == ["Copy", "Cut", "Duplicate", "Remove"]
    page.click(".amp-menu >> text=Duplicate")
    until(book, "'flt_2' in g", True)
    expect(page.locator(".amp-menu")).to_have_count(0)

    page.locator(node("flt_2")).focus()
    page.keyboard.press("Shift+F10")
    page.wait_for_selector(".amp-menu [role=menuitem]:focus")
    page.keyboard.press("End")
    assert page.evaluate("() => document.activeElement.firstChild.textContent") == "Remove"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.firstChild.textContent") == "Copy"
    page.keyboard.press("Escape")
    page.wait_for_selector(".amp-menu", state="detached")
    assert page.evaluate("() => document.activeElement.dataset.id") == "flt_2"
    page.keyboard.press("ContextMenu")
    page.wait_for_selector(".amp-menu")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    until(book, "'flt_2' in g", False)
    page.keyboard.press("Control+z")
    until(book, "'flt_2' in g", True)

    x, y = line(book, "e:flt.in[0]")
    page.mouse.click(x, y, button="right")
    page.wait_for_selector(".amp-menu")
    assert menu(book) == ["Disconnect"]
    page.keyboard.press("Escape")
    page.locator(PANE).click(button="right", position={"x": 300, "y": 20})
    page.wait_for_selector(".amp-menu")
    assert menu(book)[:3] == ["Add a node here …", "Paste here", "Select all"]
    page.click(".amp-menu >> text=Paste here")
    until(book, "'flt_3' in g", True)
    wait_selected(book, ["flt_3"], [])
    box, pane = page.locator(node("flt_3")).bounding_box(), page.locator(PANE).bounding_box()
    assert box is not None and pane is not None
    assert abs(box["x"] - pane["x"] - 300) < 3 and abs(box["y"] - pane["y"] - 20) < 3
    assert page.locator(".lm-Menu").count() == 0
    assert len(page.evaluate(CELLS)) == 3


@both
def test_shift_and_the_right_button_give_the_browsers_menu(notebook: Notebook, host: str) -> None:
    """That click has no effect, nor has a right click in a text field."""
    book = opened(notebook, host)
    page = book.page
    page.evaluate(
        """() => {
          window.taken = [];
          const note = (event) => setTimeout(() => window.taken.push(event.defaultPrevented));
          window.addEventListener('contextmenu', note, true);
        }"""
    )
    page.locator(PANE).click(button="right", position={"x": 300, "y": 20}, modifiers=["Shift"])
    page.locator(FIELDS[host]).click(button="right")
    page.wait_for_function("() => window.taken.length === 2")
    assert page.evaluate("() => window.taken") == [False, False]
    assert page.locator(".amp-menu").count() == 0 and page.locator(".lm-Menu").count() == 0
    page.locator(PANE).click(button="right", position={"x": 300, "y": 20})
    page.wait_for_function("() => window.taken.length === 3")
    assert page.evaluate("() => window.taken[2]") is True


@both
def test_the_wheel_scrolls_the_notebook_until_the_editor_is_used(notebook: Notebook, host: str) -> None:
    """Over an editor without focus the page scrolls, the canvas stays; with it, or with Control, it zooms."""
    book = notebook([*HOSTS[host], "\n".join(f"# {i}" for i in range(120))])
    page = book.page
    page.wait_for_selector(".amp-editor[data-ready]")
    if host == "workbench":
        page.wait_for_selector(".amp-scope[data-span]")
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }")
    page.wait_for_timeout(300)
    before = page.evaluate(ZOOM)
    page.mouse.move(*middle(book, PANE))
    page.mouse.wheel(0, 60)
    page.wait_for_function(f"() => ({SCROLL})() > 20")
    assert page.evaluate(ZOOM) == before
    page.mouse.move(*middle(book, PANE))
    page.keyboard.down("Control")
    page.mouse.wheel(0, 60)
    page.wait_for_function(f"(old) => ({ZOOM})() !== old", arg=before)
    page.keyboard.up("Control")
    page.locator(PANE).click(position={"x": 5, "y": 5})
    scrolled, before = page.evaluate(SCROLL), page.evaluate(ZOOM)
    page.mouse.wheel(0, -60)
    page.wait_for_function(f"(old) => ({ZOOM})() !== old", arg=before)
    assert page.evaluate(SCROLL) == scrolled


def test_a_plot_shares_the_mouse_with_the_notebook(notebook: Notebook) -> None:
    """Shift+drag zooms and selects no cells; other buttons do not move the view; each menu entry works."""
    book = notebook(SIGNALS)
    page = book.page
    page.wait_for_selector(".amp-scope[data-span]")
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    box = page.locator(".amp-scope .plot").bounding_box()
    assert box is not None
    view = "() => document.querySelector('.amp-scope').plot.view"
    cursors = "() => document.querySelector('.amp-scope').plot.cursors"
    whole = page.evaluate(view)
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 300, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 90, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    zoomed = page.evaluate(view)
    assert zoomed[0] > whole[0] and zoomed[1] < whole[1]
    assert [cell[1] for cell in page.evaluate(CELLS)] == [False, True, False]
    assert page.evaluate(FOCUS) == "amp amp-scope"

    for button in ("middle", "right"):
        page.mouse.move(box["x"] + 300, box["y"] + 80)
        page.mouse.down(button=button)  # type: ignore[arg-type]
        page.mouse.move(box["x"] + 400, box["y"] + 80, steps=4)
        page.mouse.up(button=button)  # type: ignore[arg-type]
    page.mouse.move(box["x"] + 420, box["y"] + 80, steps=3)
    assert page.evaluate(view) == zoomed and page.evaluate(cursors) == [None, None]
    page.wait_for_selector(".amp-menu")
    page.keyboard.press("Escape")
    page.wait_for_selector(".amp-menu", state="detached")
    page.mouse.click(box["x"] + 350, box["y"] + 80, button="right")
    assert menu(book) == [
        "Zoom in",
        "Zoom out",
        "Show everything",
        "Cursor A here",
        "Cursor B here",
        "Remove cursors",
    ]
    page.click(".amp-menu >> text=Cursor B here")
    wanted = page.evaluate("() => document.querySelector('.amp-scope').plot.value(350)")
    assert page.evaluate(cursors)[1] == pytest.approx(wanted, abs=1e-9)
    page.keyboard.press("ContextMenu")
    page.click(".amp-menu >> text=Show everything")
    assert page.evaluate(view) == whole
    assert page.locator(".lm-Menu").count() == 0 and len(page.evaluate(CELLS)) == 3


def test_a_finger_scrolls_the_notebook_and_a_lost_one_lets_go(notebook: Notebook) -> None:
    """Touch pans a plot sideways only; a pointer that the browser cancels ends its drag and its note."""
    book = notebook([*SIGNALS[:2], "p = amp.panel(g, seconds=0.2, height=600)\np"])
    page = book.page
    page.wait_for_selector(".amp-scope[data-span]")
    page.wait_for_selector(".amp-panel[data-digest]")
    assert page.locator(".amp-scope .plot").evaluate("(one) => getComputedStyle(one).touchAction") == "pan-y"
    lost = """([selector, kind]) => {
      const one = document.querySelector(selector);
      const box = one.getBoundingClientRect();
      const at = (type, x) => one.dispatchEvent(new PointerEvent(type, {
        bubbles: true, pointerId: 1, isPrimary: true, pointerType: 'touch', button: 0, buttons: 1,
        clientX: box.left + x, clientY: box.top + box.height / 2}));
      one.setPointerCapture = () => 0;
      at('pointerdown', 100);
      at(kind, 100);
      at('pointermove', 200);
    }"""
    page.evaluate("() => document.querySelector('.amp-scope').plot.look([0.1, 0.2])")
    page.evaluate(lost, [".amp-scope .plot", "pointercancel"])
    assert page.evaluate("() => document.querySelector('.amp-scope').plot.view") == [0.1, 0.2]
    page.evaluate(lost, [".amp-panel .key", "pointercancel"])
    assert page.locator(".amp-panel .key.down").count() == 0


def test_the_pad_is_played_by_keys(notebook: Notebook) -> None:
    """Arrow keys move the pad; a right click on pad or keyboard plays nothing and opens the panel's menu."""
    book = notebook([GRAPH, "p = amp.panel(g, seconds=0.2, height=700)\np"])
    page = book.page
    page.wait_for_selector(".amp-panel[data-digest]")
    page.locator(".amp-panel .pad").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert page.get_attribute(".amp-panel .pad", "aria-valuetext") == "52 %, 52 %"
    page.locator(".amp-panel .pad").click(button="right", position={"x": 10, "y": 10})
    assert page.get_attribute(".amp-panel .pad", "aria-valuetext") == "52 %, 52 %"
    page.keyboard.press("Escape")
    page.locator(".amp-panel .key").first.click(button="right")
    assert page.locator(".amp-panel .key.down").count() == 0
    page.keyboard.press("Escape")
    book.python("g['flt'].set(q=5.0)")
    page.locator(".amp-panel [data-place='flt.q'] label").click(button="right")
    page.click(".amp-menu >> text=Back to the default")
    default = book.value("next(p.default for p in g['flt'].contract.params if p.key == 'q')")
    until(book, f"g['flt'].params.get('q', {default})", default)
