"""A patch made in JupyterLab: kept through a restart, conflicts, opened, copied, exported."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import expect

import amp_lab as amp
from amp_lab.widgets.patch_text import PatchText, digest
from browser.lab import Book, Lab
from browser.test_editor import shown, until

Notebook = Callable[..., Book]
OPEN = "w = amp.lab(g, save={path!r}, seconds=0.05)\nw"


def voice(q: float = 2.0) -> amp.Graph:
    """A graph as a cell builds it."""
    g = amp.Graph(name="voice")
    g.output(g.svf(g.noise(seed=1), mode="lowpass", cutoff_hz=900.0, q=q, name="flt"))
    return g


VOICE = f"import amp_lab as amp\n{inspect.getsource(voice)}\ng = voice()"
Q = ".amp-panel input[aria-label='flt.q value']"


def turn(book: Book, q: str) -> None:
    """Turn a knob by hand."""
    entry = book.page.locator(Q).first
    entry.fill(q)
    entry.press("Enter")


def opened(book: Book) -> None:
    """Wait until the workbench is painted."""
    shown(book)
    book.page.wait_for_selector(".amp-workbench .amp-panel[data-digest]")


def status(book: Book, wanted: str) -> None:
    """Wait until the toolbar shows a status of the file."""
    book.page.wait_for_selector(f".amp-editor .kept[data-status={wanted}]")


def q_in(path: Path) -> float:
    """The filter's q in a file."""
    return float(json.loads(path.read_text())["nodes"]["flt"]["params"]["q"])


def test_edits_by_hand_come_back_after_a_restart_and_undo_takes_them_off(
    notebook: Notebook, lab: Lab
) -> None:
    """An edit in the view is in the file at once, and back after a kernel restart, with a notice."""
    path = lab.books / "restart.amp.json"
    book = notebook([VOICE, OPEN.format(path=path.name)])
    opened(book)
    status(book, "new")
    assert not path.exists()
    turn(book, "7")
    status(book, "saved")
    assert q_in(path) == 7.0
    book.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    book.run_all()
    opened(book)
    expect(book.page.locator(".amp-editor .fileline")).to_contain_text("Undo goes back to the code's graph")
    assert book.value("g['flt'].params['q']") == 7.0
    book.page.click(".amp-editor [aria-label='Undo (Ctrl+Z)']")
    until(book, "g['flt'].params['q']", 2.0)


@pytest.mark.parametrize("choice", ["file", "graph", "both"])
def test_other_code_is_shown_beside_the_file_and_asked_about(
    notebook: Notebook, lab: Lab, choice: str
) -> None:
    """Two pictures, what differs, three buttons; until one is pressed the file stays as it was."""
    path = lab.books / f"asked_{choice}.amp.json"
    path.write_bytes(PatchText(voice(q=3.0), grew_from=digest(voice(), path.parent)).dump(path.parent))
    book = notebook([VOICE, f"g = voice(q=7.0)\n{OPEN.format(path=path.name)}"])
    opened(book)
    before = path.read_bytes()
    page = book.page
    page.wait_for_function("() => document.querySelectorAll('.amp-editor .both img').length === 2")
    expect(page.locator(".amp-editor .both")).to_contain_text("flt.q: 3 in the file, 7 here")
    turn(book, "8")
    until(book, "g['flt'].params['q']", 8.0)
    assert path.read_bytes() == before
    page.click(f".amp-editor [data-choice={choice}]")
    status(book, "saved")
    wanted = 3.0 if choice == "file" else 8.0
    assert q_in(path) == wanted == book.value("g['flt'].params['q']")
    assert (lab.books / "asked_both.2.amp.json").exists() == (choice == "both")


def test_a_damaged_file_is_said_and_kept(notebook: Notebook, lab: Lab) -> None:
    """Edits wait, the bytes stay; the one choice keeps them under another name."""
    path = lab.books / "damaged.amp.json"
    path.write_text("{")
    book = notebook([VOICE, OPEN.format(path=path.name)])
    opened(book)
    expect(book.page.locator(".amp-editor .fileline")).to_contain_text("not JSON")
    turn(book, "7")
    until(book, "g['flt'].params['q']", 7.0)
    assert path.read_text() == "{"
    book.page.click(".amp-editor [data-choice=both]")
    status(book, "saved")
    assert q_in(path) == 7.0 and (lab.books / "damaged.2.amp.json").read_text() == "{"


def test_a_patch_from_nothing_is_built_saved_and_opened_again(notebook: Notebook, lab: Lab) -> None:
    """`amp.lab()` is an empty canvas; Save asks for a name once; Open lists files below the notebook's
    folder.
    """
    book = notebook(["import amp_lab as amp\nw = amp.lab(seconds=0.05)\nw"])
    page = book.page
    shown(book)
    status(book, "none")
    page.click(".amp-editor [aria-label='Show or hide the catalogue']")
    page.locator(".amp-editor .entry", has_text="noise").first.drag_to(
        page.locator(".amp-editor .react-flow__pane"), target_position={"x": 220, "y": 60}
    )
    until(book, "len(w.graph)", 1)
    page.click(".amp-editor [aria-label='Save the patch']")
    page.fill(".amp-editor .files input", "built.amp.json")
    page.press(".amp-editor .files input", "Enter")
    status(book, "saved")
    path = lab.books / "built.amp.json"
    assert list(json.loads(path.read_text())["nodes"]) == ["noise"]
    page.locator(".react-flow__node[data-id=noise]").click()
    page.keyboard.press("Delete")
    until(book, "len(w.graph)", 0)
    book.eventually(lambda: json.loads(path.read_text())["nodes"] == {})
    status(book, "saved")
    other = lab.books / "deep" / "other.amp.json"
    other.parent.mkdir()
    book.python(f"g = amp.Graph(); g.noise(name='hiss'); g.save({str(other)!r})")
    page.click(".amp-editor [aria-label='Open a patch']")
    page.click(".amp-editor .files .found:has-text('deep/other.amp.json')")
    page.wait_for_selector(".react-flow__node[data-id=hiss]")
    assert book.value("w.file.path.name") == "other.amp.json"
    page.click(".amp-editor [aria-label='Open a patch']")
    page.fill(".amp-editor .files input", "missing.amp.json")
    page.press(".amp-editor .files input", "Enter")
    page.wait_for_selector(".amp-editor .amp-failure:has-text('no such file')")
    assert book.value("list(node.name for node in w.graph)") == ["hiss"]


def test_code_is_copied_or_stands_selected(notebook: Notebook) -> None:
    """With a clipboard it is in it; without one Control+C copies it from the text field that opens."""
    book = notebook([VOICE, "e = amp.editor(g)\ne"])
    shown(book)
    page, button = book.page, ".amp-editor [aria-label^='Copy code']"
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.put = text; }; }")
    page.click(button)
    page.wait_for_selector(".amp-editor .code :text('copied')")
    assert page.evaluate("() => window.put").strip() == book.value("g.to_code()").strip()
    page.keyboard.press("Escape")
    page.wait_for_selector(".amp-editor .code", state="detached")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")
    page.click(button)
    page.wait_for_selector(".amp-editor .code :text('Ctrl+C')")
    selected = (
        "() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd); }"
    )
    assert page.evaluate(selected).strip() == book.value("g.to_code()").strip()


def test_exports_arrive_as_downloads(notebook: Notebook) -> None:
    """Sound is the native render, JSON is the graph, the picture is a PNG; an invalid length is reported."""
    book = notebook([VOICE, "e = amp.editor(g)\ne"])
    shown(book)
    page = book.page
    found: dict[str, bytes] = {}
    for label in ("Sound (WAV)", "Picture (PNG)", "Graph (JSON)"):
        page.click(".amp-editor [aria-label^='Export']")
        if label.startswith("Sound"):
            page.fill(".amp-editor .files input", "0.1")
        with page.expect_download() as waiting:
            page.click(f".amp-editor .files button:has-text('{label}')")
        found[waiting.value.suggested_filename] = Path(waiting.value.path()).read_bytes()
        page.wait_for_selector(".amp-editor .files", state="detached")
    sound, rate = soundfile.read(io.BytesIO(found["voice.wav"]), always_2d=True)
    wanted = book.value("g.render(seconds=0.1, isolation='none').audio[0].astype('float32').tolist()")
    assert rate == 48_000 and sound.T.tolist() == wanted
    assert found["voice.png"].startswith(b"\x89PNG")
    assert json.loads(found["voice.json"]) == book.value("g.to_dict()")
    page.click(".amp-editor [aria-label^='Export']")
    page.fill(".amp-editor .files input", "9000")
    page.click(".amp-editor .files button:has-text('Sound')")
    page.wait_for_selector(".amp-editor .amp-failure:has-text('allowed above 0 to 600 s')")
