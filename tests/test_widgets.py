"""Widgets without a browser: traits, texts, pictures, what they ask of a graph, and that they end."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Widget

import amp_lab as amp
from amp_lab import widgets
from amp_lab.widgets.base import STATIC, View
from amp_lab.widgets.editor import problems
from amp_lab.widgets.latest import Latest, Stale

LIMITS = {"editor.js": 450_000}
LIMIT = 60_000
TINY = (("editor", {}), ("panel", {"seconds": 0.01}))


def make(name: str, graph: amp.Graph, **traits: Any) -> Any:
    """One widget of a graph."""
    return getattr(amp, name)(graph, **traits)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Messages that widgets send."""
    messages: list[dict[str, Any]] = []

    def keep(self: Any, content: Any, buffers: Any = None) -> None:
        messages.append(content | {"buffers": list(buffers or [])})

    monkeypatch.setattr(View, "send", keep)
    yield messages


def ask(widget: Any, **content: Any) -> None:
    """Let a widget receive a message as from a view."""
    widget._receive(widget, content, [])


@pytest.mark.parametrize(("name", "traits"), TINY)
def test_a_widget_is_text_and_picture_and_ends(name: str, traits: dict[str, Any]) -> None:
    """One stable line, a PNG beside the live view, and nothing left after close, which may come twice."""
    before = len(Widget._instances) if hasattr(Widget, "_instances") else 0
    graph = amp.presets.three_osc()
    widget = make(name, graph, **traits)
    line = f"{name.capitalize()} of Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz"
    data, _ = widget._repr_mimebundle_()
    assert repr(widget) == data["text/plain"] == line and "text/html" not in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    widget.close()
    widget.close()
    assert widget.closed and widget.comm is None
    assert (len(Widget._instances) if hasattr(Widget, "_instances") else 0) == before
    assert graph._journal is not None and graph._journal._subscribers == []
    graph["flt"].set(q=3.0)


@pytest.mark.parametrize(("name", "traits"), TINY)
def test_a_wrong_argument_is_named(name: str, traits: dict[str, Any]) -> None:
    """No graph, or a trait that does not exist."""
    with pytest.raises(amp.GraphError, match=rf"{name}: not a graph \(got 3, allowed a Graph\)"):
        make(name, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"no trait 'colour' \(allowed .*height"):
        make(name, amp.Graph(), colour="red")


def test_bundles_are_small_and_need_no_internet() -> None:
    """The installed bundles keep their limits and load nothing from elsewhere."""
    bundles = sorted(STATIC.glob("*.js"))
    assert {path.name for path in bundles} >= {"editor.js", "panel.js"}
    for path in bundles:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) <= LIMITS.get(path.name, LIMIT), path.name
        assert "export{" in text and "import(" not in text and "fetch(" not in text
    assert "MIT License" in (STATIC / "LICENSES.txt").read_text(encoding="utf-8")
    assert not (Path(widgets.__file__).parent / "js").exists()


def test_what_fails_is_told_to_the_view(sent: list[dict[str, Any]]) -> None:
    """Mistakes of the model by their sentence, mistakes of the program with their stack."""
    editor = amp.editor(amp.presets.three_osc())
    ask(editor, kind="edit", id="a", ops=[{"op": "set", "node": "flt", "params": {"q": -1}}])
    ask(editor, kind="nonsense", id="b")
    ask(editor, kind="edit", id="c")
    failed = {m["id"]: m for m in sent if m["kind"] == "failed"}
    assert failed["a"]["message"].startswith("flt.q: out of range") and failed["a"]["stack"] == ""
    assert "no such message" in failed["b"]["message"]
    assert failed["c"]["message"].startswith("KeyError") and "graphview.py" in failed["c"]["stack"]
    editor.close()


def test_problems_name_the_node_and_their_cure_cures() -> None:
    """What keeps a graph from being rendered, until the cures that are offered are applied."""
    loop = amp.Graph()
    mix = loop.mix(loop.noise(name="hiss"), name="mix")
    loop.connect(loop.gain(mix, gain=0.5, name="back"), mix)
    (found,) = problems(loop)
    assert found["node"] in ("mix", "back") and "feedback" in found["message"]
    editor = amp.editor(loop)
    ask(editor, kind="edit", id="1", ops=found["cure"])
    (found,) = problems(loop)
    assert "has no output" in found["message"]
    loop.connect("mix", loop.add("output"))
    assert problems(loop) == [] and loop.render(frames=32, isolation="none").peak > 0
    editor.close()


def test_values_of_a_panel_are_the_graphs(sent: list[dict[str, Any]]) -> None:
    """They follow edits, can be set, refuse what the graph refuses, and every edit is rendered."""
    graph = amp.presets.three_osc()
    panel = amp.panel(graph, seconds=0.01)
    first = panel.wait(20)
    graph["flt"].set(q=5.0)
    assert panel.values["flt.q"] == 5.0
    second = panel.wait(20)
    panel.values = {**panel.values, "flt.q": 7.0}
    assert graph["flt"].params["q"] == 7.0
    with pytest.raises(amp.GraphError, match=r"flt\.q: out of range"):
        panel.values = {**panel.values, "flt.q": -7.0}
    assert panel.values["flt.q"] == 7.0
    third = panel.wait(20)
    assert None not in (first, second, third)
    assert len({first.digest, second.digest, third.digest}) == 3  # type: ignore[union-attr]
    rendered = [m for m in sent if m["kind"] == "rendered"]
    assert rendered[-1]["digest"] == graph.render(seconds=0.01).digest
    assert all(len(b) <= 8 * 600 for b in rendered[-1]["buffers"]) and len(rendered[-1]["buffers"]) == 2
    panel.close()


def test_a_broken_graph_is_told_and_the_panel_goes_on(sent: list[dict[str, Any]]) -> None:
    """The reason stands where the digest was; the cure brings the next render."""
    graph = amp.presets.three_osc()
    panel = amp.panel(graph, seconds=0.01)
    panel.wait(20)
    graph.disconnect("pan.in[0]")
    panel.wait(20)
    assert [m["message"] for m in sent if m["kind"] == "unrendered"] == [
        "pan.in: not connected. Connect a signal to it."
    ]
    graph.connect("amp", "pan")
    panel.wait(20)
    assert sent[-1]["kind"] == "rendered"
    panel.close()


def test_the_newest_wish_wins() -> None:
    """A hundred wishes while one is carried out make one more, and nothing runs after close."""
    done: list[float] = []
    begun = threading.Event()

    def work(stale: Stale) -> None:
        begun.set()
        time.sleep(0.05)
        done.append(time.monotonic())

    latest = Latest(work)
    latest.ask()
    assert begun.wait(5)
    for _ in range(100):
        latest.ask()
    assert latest.wait(5) and len(done) == 2
    latest.close()
    latest.ask()
    assert latest.wait(0.2) and len(done) == 2


def test_stale_work_is_told_but_not_twice_in_a_row() -> None:
    """Wishes that come faster than the work goes still let every second one finish."""
    outcomes: list[bool] = []
    running = threading.Event()

    def work(stale: Stale) -> None:
        running.set()
        for _ in range(40):
            if stale():
                outcomes.append(False)
                return
            time.sleep(0.005)
        outcomes.append(True)

    latest = Latest(work)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        latest.ask()
        time.sleep(0.01)
    latest.close()
    finished = outcomes[:-1]
    assert finished.count(True) >= 3
    assert not any(a is b is False for a, b in itertools.pairwise(finished))
