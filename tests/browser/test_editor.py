"""The editor in JupyterLab: user actions, and that all views and Python stay one model."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.lab import Book

OPEN = ["import amp_lab as amp\ng = amp.presets.three_osc()", "e = amp.editor(g)\ne"]
DIGEST = "g.render(frames=4800, isolation='none').digest"
DOCUMENTS = """() => [...document.querySelectorAll('.amp-editor')].map((root) => {
  const {nodes, edges, modulations} = root.replica.document;
  return {nodes, edges: Object.values(edges), modulations: Object.values(modulations)};
})"""
FRAMES = """() => {
  window.frames_ms = []; window.counting = true;
  let last = performance.now();
  const step = () => {
    const now = performance.now();
    window.frames_ms.push(now - last);
    last = now;
    if (window.counting) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""
MANY = """
import amp_lab as amp
g = amp.Graph(name="many")
rows = [[g.noise(seed=i, name=f"noise_{i}") for i in range(20)]]
for column in range(1, 10):
    rows.append([g.svf(rows[-1][i], cutoff_hz=500.0 + i, name=f"svf_{column}_{i}") for i in range(20)])
for i in range(19):
    g.modulate(rows[3][i], rows[6][i].cutoff_hz, mode="add", scale=10.0)
"""
Notebook = Callable[..., Book]


def shown(book: Book, count: int = 1) -> None:
    """Wait until this number of editors is painted."""
    book.page.wait_for_function(
        "(n) => document.querySelectorAll('.amp-editor[data-ready]').length === n", arg=count
    )


def middle(book: Book, selector: str) -> tuple[float, float]:
    """Centre of an element on the page."""
    box = book.page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def until(book: Book, expression: str, wanted: Any) -> None:
    """Wait until an expression in the kernel has a value."""
    got = None
    for _ in range(60):
        got = book.value(expression)
        if got == wanted:
            return
        book.page.wait_for_timeout(50)
    assert got == wanted


def canonical(document: dict[str, Any]) -> dict[str, Any]:
    """One value for one graph."""
    links = {
        kind: sorted(document[kind], key=lambda link: (link["to"], link["slot"]))
        for kind in ("edges", "modulations")
    }
    return {"nodes": document["nodes"], **links}


def test_a_node_is_dragged_in_connected_and_heard_then_undone(notebook: Notebook) -> None:
    """From the catalogue onto the canvas, a line drawn by mouse, a new digest; undo restores the old one."""
    book = notebook(OPEN)
    shown(book)
    page, before, code = book.page, book.value(DIGEST), book.value("g.to_code()")
    page.locator(".amp-editor .entry", has_text="one_pole").first.drag_to(
        page.locator(".amp-editor .react-flow__pane"), target_position={"x": 620, "y": 60}
    )
    until(book, "'one_pole' in g", True)
    page.wait_for_selector(".react-flow__node[data-id=one_pole].selected")
    page.keyboard.press("f")
    page.wait_for_timeout(400)
    for source, target in (("pan", "one_pole"),):
        page.mouse.move(*middle(book, f".react-flow__node[data-id={source}] .source"))
        page.mouse.down()
        page.mouse.move(*middle(book, f".react-flow__node[data-id={target}] .target"), steps=8)
        page.mouse.up()
    until(book, "[e.src for e in g.edges if e.dst == 'one_pole']", ["pan"])
    book.python("g.disconnect('safety.in[0]'); g.connect('one_pole', 'safety')")
    page.wait_for_function(
        "() => 'safety.in[0]' in document.querySelector('.amp-editor').replica.document.edges"
    )
    assert book.value(DIGEST) != before
    page.locator(".amp-editor .react-flow__pane").click(position={"x": 5, "y": 5})
    for _ in range(4):
        page.keyboard.press("Control+z")
    until(book, "g.to_code()", code)
    assert book.value(DIGEST) == before
    page.keyboard.press("Control+Shift+z")
    until(book, "'one_pole' in g", True)


def test_a_broken_graph_says_where_and_is_cured(notebook: Notebook) -> None:
    """A cycle without delay is named with its cure; the jump lands on the node, the cure makes it ready."""
    book = notebook(OPEN)
    shown(book)
    page = book.page
    book.python("g.connect('amp', 'mix')")
    page.wait_for_selector(".amp-editor .status.bad")
    expect(page.locator(".amp-editor .problems")).to_contain_text("feedback")
    page.click(".amp-editor .problems .amp-link")
    page.wait_for_selector(".react-flow__node.selected .box.faulty")
    assert book.value("e.selection") == [book.value("e.problems[0]['node']")]
    page.click(".amp-editor .problems button:has-text('Fix')")
    page.wait_for_selector(".amp-editor .status:not(.bad)")
    assert book.value("g.compile().info['components'] != []")


def test_a_failed_edit_is_shown_where_it_was_made(notebook: Notebook) -> None:
    """A value out of range is reported in the widget as text, and the graph keeps its own."""
    book = notebook(OPEN)
    shown(book)
    page = book.page
    page.locator(".react-flow__node[data-id=flt]").click()
    page.fill(".amp-editor input[aria-label='flt q']", "-3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".amp-editor .amp-failure")
    expect(page.locator(".amp-failure")).to_contain_text("flt.q: out of range (got -3")
    assert book.value("g['flt'].params['q']") == 2.0
    page.fill(".amp-editor input[aria-label='flt q']", "4")
    page.keyboard.press("Enter")
    until(book, "g['flt'].params['q']", 4.0)
    expect(page.locator(".amp-failure")).to_have_count(0)


def test_a_failure_of_the_page_is_shown(notebook: Notebook) -> None:
    """A failure in the browser is shown in the widget, its stack in a fold; the graph can still be edited."""
    book = notebook(OPEN)
    shown(book)
    page = book.page
    page.evaluate(
        "() => { const {link, replica} = document.querySelector('.amp-editor');"
        " link.receive({kind: 'patch', base: replica.version, version: replica.version + 1}); }"
    )
    page.wait_for_selector(".amp-editor .amp-failure summary:has-text('Browser')")
    page.click(".amp-editor .amp-failure [aria-label=Close]")
    expect(page.locator(".amp-failure")).to_have_count(0)
    book.python("g['flt'].set(q=3.0)")
    own = ".amp-editor .react-flow__node[data-id=flt] .own"
    page.wait_for_selector(f"{own}:text-is('3')", state="attached")


def test_what_is_selected_can_be_renamed_moved_copied_and_folded(notebook: Notebook) -> None:
    """Selection is a trait both ways; name, place, copies and folds reach Python."""
    book = notebook(OPEN)
    shown(book)
    page = book.page
    book.python("e.selection = ['osc_1']")
    page.wait_for_selector(".react-flow__node[data-id=osc_1].selected")
    page.fill(".amp-editor input[aria-label=Name]", "voice")
    page.keyboard.press("Enter")
    until(book, "'voice' in g", True)
    book.python("e.selection = ['voice', 'osc_2']")
    page.locator(".amp-editor button:has-text('Fold')").click()
    page.wait_for_selector(".react-flow__node-fold")
    expect(page.locator(".react-flow__node[data-id=voice]")).to_have_count(0)
    page.locator(".react-flow__node-fold").dblclick()
    page.wait_for_selector(".react-flow__node[data-id=voice]")
    place = "[round(x) for x in e.journal.state.places['voice']]"
    old = book.value(place)
    x, y = middle(book, ".react-flow__node[data-id=voice]")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 40, steps=6)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert book.value(place)[1] < old[1]
    page.locator(".react-flow__node[data-id=voice]").click()
    page.keyboard.press("Control+d")
    until(book, "'voice_2' in g and g['voice_2'].params == g['voice'].params", True)
    assert book.value("amp.Graph is not None and len(g.to_code())") > 100
    page.click("[aria-label^='Copy code']")
    page.wait_for_selector(".amp-editor .code textarea")
    assert page.input_value(".amp-editor .code textarea").strip() == book.value("g.to_code()").strip()


def test_keys_stay_inside(notebook: Notebook) -> None:
    """Keys that are notebook commands do not act on its cells while the editor has the focus."""
    book = notebook(OPEN)
    shown(book)
    page = book.page
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.locator(".react-flow__node[data-id=flt]").click()
    for key in ("a", "b", "d", "d", "x"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells and book.value("'flt' in g")


def both_hold(book: Book) -> bool:
    """Whether both views equal the graph."""
    wanted = canonical(book.value("g.to_dict()"))
    return [canonical(document) for document in book.page.evaluate(DOCUMENTS)] == [wanted, wanted]


@pytest.mark.parametrize("seed", [1])
def test_200_edits_from_two_views_and_python_leave_one_model(notebook: Notebook, seed: int) -> None:
    """Both views and the graph have the same JSON; undo, step by step, restores the graph."""
    book = notebook([*OPEN, "other = amp.editor(g)\nother"])
    shown(book, 2)
    start = book.value("g.to_json()")
    dice = random.Random(seed)
    for _ in range(20):
        names = book.value("[node.name for node in g.nodes]")
        jobs = [job(dice, names) for _ in range(10)]
        for where, ops in jobs:
            if where == 2:
                book.python(
                    f"from amp_lab.widgets import edits\ntry: edits.apply(g, {ops!r})\nexcept Exception: pass"
                )
            else:
                book.page.evaluate(
                    "([i, ops]) => { const all = document.querySelectorAll('.amp-editor');"
                    " all[i].link.ask('edit', {ops}).catch(() => 0); }",
                    [where, ops],
                )
    book.eventually(lambda: both_hold(book))
    assert book.value("e.journal.version") > 60
    book.python("while e.undo(): pass")
    assert book.value("g.to_json()") == start
    book.eventually(lambda: both_hold(book))


def job(dice: random.Random, names: list[str]) -> tuple[int, list[dict[str, Any]]]:
    """One random edit and where it is made: view 0, view 1 or Python."""
    a, b = dice.choice(names), dice.choice(names)
    ops: list[dict[str, Any]] = [
        {"op": "add", "type": dice.choice(["gain", "svf", "lfo", "noise"]), "at": [dice.randrange(900), 9]},
        {"op": "connect", "src": f"{a}.out", "dst": b, "port": "in", "delay_frames": dice.randrange(4)},
        {"op": "modulate", "src": f"{a}.out", "dst": b, "param": "gain", "scale": dice.random()},
        {
            "op": "set",
            "node": a,
            "params": {dice.choice(["gain", "q", "rate_hz"]): round(dice.random(), 3) + 1},
        },
        {"op": "rename", "node": a, "name": f"n{dice.randrange(10**6)}"},
        {"op": "remove", "nodes": [a]},
        {"op": "replace", "node": a, "type": "one_pole"},
        {"op": "move", "places": {a: [dice.randrange(900), dice.randrange(500)]}},
    ]
    weights = [3, 3, 2, 3, 2, 1, 1, 2]
    return dice.randrange(3), [dice.choices(ops, weights)[0]]


def test_opening_and_closing_leaves_nothing(notebook: Notebook) -> None:
    """Twenty editors opened, shown and closed leave no comm, no widget and no listener behind."""
    count = (
        "(len(__import__('comm').get_comm_manager().comms), len(e.journal._subscribers),"
        " len(g._store._listeners))"
    )
    book = notebook([*OPEN, "from IPython.display import display"])
    shown(book)
    before = book.value(count)
    models = "async () => { const m = [...document.querySelectorAll('.amp-editor')]; return m.length; }"
    book.python(
        "for _ in range(20):\n    x = amp.editor(g); display(x); x.close(); x.close()\n    assert x.closed\n"
        "del x"
    )
    book.eventually(lambda: book.value(count) == before)
    book.eventually(lambda: book.page.evaluate(models) == 1)
    assert book.value("repr(e)") == "Editor of Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz"


def test_the_theme_changes_without_running_anything(notebook: Notebook) -> None:
    """Colours follow the page at once."""
    book = notebook(OPEN)
    shown(book)
    colour = "() => getComputedStyle(document.querySelector('.amp-editor .box')).color"
    light = book.page.evaluate(colour)
    book.theme("JupyterLab Dark")
    book.page.wait_for_selector(".amp-editor[data-theme=dark]")
    dark = book.page.evaluate(colour)
    assert light != dark
    book.theme("JupyterLab Light")
    book.page.wait_for_selector(".amp-editor[data-theme=light]")
    book.eventually(lambda: book.page.evaluate(colour) == light)


def test_200_nodes_stay_readable(notebook: Notebook) -> None:
    """Labels have a readable size when zoomed out."""
    book = notebook([MANY, "e = amp.editor(g)\ne"])
    shown(book)
    expect(book.page.locator(".react-flow__node")).to_have_count(200)
    size = book.page.evaluate(
        "() => { const e = document.querySelector('.far-label');"
        " return parseFloat(getComputedStyle(e).fontSize) *"
        " e.getBoundingClientRect().width / e.offsetWidth; }"
    )
    assert size >= 8.0, f"labels of {size} pixels"


@pytest.mark.long  # times
def test_200_nodes_are_quick(notebook: Notebook) -> None:
    """Painted soon after the module runs, dragged without stutter."""
    book = notebook([MANY, "e = amp.editor(g)\ne"])
    shown(book)
    page = book.page
    measured = page.evaluate("() => document.querySelector('.amp-editor').dataset.ready")
    x, y = middle(book, ".react-flow__node[data-id=svf_4_9]")
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for i in range(90):
        page.mouse.move(x + i * 1.2, y + 25 * ((i // 15) % 2))
    page.evaluate("() => { window.counting = false; }")
    page.mouse.up()
    frames = page.evaluate("() => window.frames_ms")[2:]
    p95 = statistics.quantiles(frames, n=20)[-1]
    print(f"200 nodes: mount to paint {measured} ms, drag p95 {p95:.1f} ms")
    assert float(measured) <= 600, f"mount to paint {measured} ms"
    assert len(frames) > 30 and p95 <= 25.0, f"drag p95 {p95:.1f} ms over {len(frames)} frames"
