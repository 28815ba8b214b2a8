"""Widgets without a browser: traits, texts, pictures, their requests to a graph, and that they end."""

from __future__ import annotations

import base64
import gc
import itertools
import json
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import numpy as np
import pytest
from ipywidgets.widgets import widget as ipywidget

import amp_lab as amp
from amp_lab import widgets
from amp_lab.export import trace_file
from amp_lab.widgets.base import STATIC, View
from amp_lab.widgets.editor import problems
from amp_lab.widgets.latest import Latest, Stale

if TYPE_CHECKING:
    from amp_lab.render import Render

LIMITS = {"editor.js": 450_000}
LIMIT = 60_000
TINY = (("editor", {}), ("panel", {"seconds": 0.01}), ("live", {}), ("lab", {"seconds": 0.01}))
LOOKS = ("scope", "spectrum", "spectrogram", "thermo", "timeline")


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


def instances() -> dict[str, Any]:
    """All widgets that are open."""
    found: dict[str, Any] = ipywidget._instances
    return found


def ask(widget: Any, **content: Any) -> None:
    """Let a widget receive a message as from a view."""
    widget._receive(widget, content, [])


def answered(sent: list[dict[str, Any]], request: str) -> dict[str, Any]:
    """Wait for the reply to a message."""
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        for message in sent:
            if message.get("id") == request:
                return message
        time.sleep(0.01)
    raise AssertionError(f"{request}: no answer in {sent!r:.200}")


def test_a_picture_is_what_the_widget_shows_now(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that requests the picture gets that of the edited graph, drawn while messages are served."""
    editor = amp.editor(amp.presets.three_osc())
    before = editor._repr_mimebundle_()[0]["image/png"]
    editor.graph.remove("lfo")
    served = threading.Event()
    monkeypatch.setattr(editor, "_wait_for_picture", lambda: served.wait(30.0))
    ask(editor, kind="picture", id="a")
    ask(editor, kind="hello", id="b")
    kinds = [message["kind"] for message in sent]
    assert "state" in kinds and "picture" not in kinds
    served.set()
    answer = answered(sent, "a")
    assert answer["kind"] == "picture" and answer["png"] != before
    assert answer["png"] == editor._repr_mimebundle_()[0]["image/png"]
    editor.close()


def test_a_picture_that_fails_is_told(sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that cannot be drawn yet has no picture; any other failure is reported."""
    editor = amp.editor(amp.presets.three_osc())
    monkeypatch.setattr(editor, "figure", Mock(side_effect=amp.GraphError("nothing to draw")))
    ask(editor, kind="picture", id="a")
    assert answered(sent, "a") == {"kind": "picture", "id": "a", "png": None, "buffers": []}
    monkeypatch.setattr(editor, "figure", Mock(side_effect=ZeroDivisionError("no width")))
    ask(editor, kind="picture", id="b")
    failure = answered(sent, "b")
    assert failure["kind"] == "failed" and failure["message"] == "ZeroDivisionError: no width"
    editor.close()


@pytest.mark.parametrize(("name", "traits"), TINY)
def test_a_widget_is_text_and_picture_and_ends(name: str, traits: dict[str, Any]) -> None:
    """One stable line, a PNG next to the live view, nothing left after close, which may be called twice."""
    before = len(instances())
    graph = amp.presets.three_osc()
    widget = make(name, graph, **traits)
    title = type(widget).__name__
    line = f"{title} of Graph three_osc: 16 nodes, 10 edges, 8 modulations at 48000 Hz"
    data, _ = widget._repr_mimebundle_()
    assert repr(widget) == data["text/plain"] == line and "text/html" not in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    # what hosts without our extension prefer stays in front of the mark, and the mark never differs
    kinds = [kind for kind in data if kind.startswith("application/")]
    assert kinds == ["application/vnd.jupyter.widget-view+json", "application/vnd.amp-lab.view+json"]
    assert data["application/vnd.amp-lab.view+json"] == {"version": 1}
    widget.close()
    widget.close()
    assert widget.closed and widget.comm is None
    assert len(instances()) == before
    assert graph._journal is not None and graph._journal._subscribers == []
    graph["flt"].set(q=3.0)


@pytest.mark.parametrize(("name", "traits"), TINY)
def test_nothing_holds_a_closed_widget(name: str, traits: dict[str, Any]) -> None:
    """Dropping a widget frees its memory, though the graph is kept."""
    graph = amp.presets.three_osc()
    widget = make(name, graph, **traits)
    seen = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert seen() is None and "flt" in graph


@pytest.mark.parametrize(("name", "traits"), TINY)
def test_a_wrong_argument_is_named(name: str, traits: dict[str, Any]) -> None:
    """No graph, or a trait that does not exist."""
    with pytest.raises(amp.GraphError, match=r"\w+: not a graph \(got 3, allowed a Graph[,)]"):
        make(name, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"no such trait \(got 'colour', allowed .*height"):
        make(name, amp.Graph(), colour="red")


def test_bundles_are_small_and_need_no_internet() -> None:
    """The installed bundles keep their limits and load nothing from elsewhere."""
    bundles = sorted(STATIC.glob("*.js"))
    assert {path.name for path in bundles} == {
        f"{name}.js" for name in ("editor", "live", "panel", "progress", "workbench", *LOOKS)
    }
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
    """Reasons that prevent a render, until the offered cures are applied."""
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
    """The reason replaces the digest; after the cure the next render is shown."""
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


def test_the_newest_request_wins() -> None:
    """A hundred requests while one is processed cause one more, and nothing runs after close."""
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
    """Requests that come faster than the work goes still let every second one finish."""
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
    while outcomes.count(True) < 3:
        latest.ask()
        time.sleep(0.01)
    latest.close()
    finished = outcomes[:-1]
    assert not any(a is b is False for a, b in itertools.pairwise(finished))


def test_what_is_cancelled_is_stopped_and_forgotten() -> None:
    """Cancelling ends what runs and drops what waits; the next request is done as ever."""
    stopped: list[bool] = []
    running, go = threading.Event(), threading.Event()

    def work(stale: Stale) -> None:
        running.set()
        assert go.wait(5)
        stopped.append(stale() and latest.cancelled)

    latest = Latest(work)
    latest.ask()
    assert running.wait(5)
    latest.ask()
    latest.cancel()
    go.set()
    assert latest.wait(5) and stopped == [True]
    latest.ask()
    assert latest.wait(5) and stopped == [True, False]
    latest.close()


@pytest.fixture(scope="module")
def render() -> Render:
    """A tenth of a second with everything recorded."""
    return amp.presets.three_osc().render(seconds=0.1, heat=True, trace=True, taps=["flt"], isolation="none")


@pytest.mark.parametrize("name", LOOKS)
def test_a_view_of_a_render_is_text_and_picture_and_ends(name: str, render: Render) -> None:
    """As for the others; what is no render is named."""
    before = len(instances())
    widget = getattr(amp, name)(render)
    data, _ = widget._repr_mimebundle_()
    assert repr(widget).startswith(f"{name.capitalize()} of ") and "\n" not in repr(widget)
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    widget.close()
    assert widget.comm is None and len(instances()) == before
    with pytest.raises(amp.GraphError, match=rf"{name}: nothing to look at \(got 'no'"):
        getattr(amp, name)("no")


def test_a_zoom_is_small_and_keeps_every_extreme(render: Render, sent: list[dict[str, Any]]) -> None:
    """Every reply is below 20 kB, and no column hides a sample; the end of a signal is NaN."""
    long = np.zeros((4, 300_000))
    long[2, 123_456] = 1e-9
    long[3, 7] = np.nan
    scope = amp.scope(long)
    scope.signals = [entry["name"] for entry in scope.available]
    ask(scope, kind="span", id="1", signals=scope.signals, first=0, last=400_000, columns=5000, version=1)
    buffers = sent[-1]["buffers"]
    assert sum(len(buffer) for buffer in buffers) <= 20_000
    pairs = [np.frombuffer(buffer, "<f4").reshape(-1, 2) for buffer in buffers]
    assert np.nanmax(pairs[2]) == np.float32(1e-9) and np.nanmax(pairs[0]) == 0.0
    assert np.isinf(pairs[3]).any() and np.isnan(pairs[0][-1]).all() and not np.isnan(pairs[0][:440]).any()
    ask(scope, kind="span", id="2", signals=scope.signals[2:3], first=123_450, last=123_460, columns=900)
    (exact,) = (np.frombuffer(buffer, "<f4").reshape(-1, 2) for buffer in sent[-1]["buffers"])
    assert exact.shape == (10, 2) and exact[6, 0] == exact[6, 1] == np.float32(1e-9)
    ask(scope, kind="values", id="3", signals=scope.signals[2:3], frame=123_456)
    assert sent[-1]["values"] == ["1e-09"]
    scope.close()


def test_a_spectrum_keeps_its_peaks_at_every_zoom(sent: list[dict[str, Any]]) -> None:
    """A thinned band holds the highest bin of each column: the tone's level is the same near and far."""
    graph = amp.Graph()
    graph.output(graph.sine(frequency_hz=1000.0, amplitude=0.5))
    spectrum = amp.spectrum(graph.render(seconds=2, isolation="none"))
    for low, high, log in ((20, 24_000, True), (0, 24_000, False), (900, 1100, True)):
        ask(spectrum, kind="band", id="1", signals=spectrum.signals, low=low, high=high, columns=400, log=log)
        (buffer,) = sent[-1]["buffers"]
        points = np.frombuffer(buffer, "<f4").reshape(-1, 2)
        hz, db = points[points[:, 1].argmax()]
        assert len(points) <= 402 and abs(hz - 1000) < 1 and abs(db + 6.02) < 0.25
    assert abs(sent[-1]["peaks"][0][0][0] - 1000) < 0.1
    spectrum.close()


def test_a_spectrogram_shows_when_and_how_high(sent: list[dict[str, Any]]) -> None:
    """A tone that begins halfway is dark before and bright after, in the rows of its frequency."""
    time_s = np.arange(48_000) / 48_000
    tone = np.where(time_s > 0.5, np.sin(2 * np.pi * 3000 * time_s), 0.0)
    widget = amp.spectrogram(tone, segment_frames=1024)
    request = {"first": 0, "last": 48_000, "columns": 100, "rows": 60, "log": False}
    ask(widget, kind="image", id="1", signals=widget.signals, **request)
    answer = sent[-1]
    image = np.frombuffer(answer["buffers"][0], np.uint8).reshape(answer["rows"], answer["columns"])
    row = int(3000 / answer["high_hz"] * answer["rows"])
    assert image[row - 1 : row + 2, 70:].max(axis=0).min() > 230 and image[:, :40].max() == 0
    widget.close()


def test_a_view_of_a_panel_that_cannot_render_waits_for_the_cure() -> None:
    """A workbench on a graph that is not finished opens, and fills when the graph is cured."""
    graph = amp.Graph(name="rough")
    graph.gain(graph.noise(name="hiss"), gain=0.5, name="half")
    bench = amp.lab(graph, seconds=0.01)
    assert bench.panel.wait(20) is None and bench.scope.shown() == [] and len(bench.editor.problems) == 1
    assert base64.b64decode(bench._repr_mimebundle_()[0]["image/png"])
    graph.output(graph["half"])
    assert bench.panel.wait(20) is not None and len(bench.scope.shown()) == 1
    assert bench.thermo.render is bench.panel.render
    bench.tab = "timeline"
    found = bench.panel.wait(20)
    assert found is not None and found.trace is not None
    assert set(bench.editor.badges) == {"hiss", "half", "output"}
    bench.timeline.selected = "half"
    assert bench.editor.selection == ["half"]
    bench.close()
    assert bench.panel.closed and bench.scope.closed and bench.panel._listeners == []


def test_a_trace_opens_in_perfetto(render: Render, tmp_path: Path) -> None:
    """One named track per node, one slice per firing, in microseconds and in the order of the trace."""
    assert render.trace is not None
    path = trace_file.save(render, tmp_path / "t.json")
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    slices = [e for e in events if e["ph"] == "X"]
    assert list(tracks.values()) == list(render.trace.nodes) and len(slices) == render.trace.events.size
    assert all(tracks[e["tid"]] == e["name"] for e in slices)
    first = render.trace.events[0]
    assert slices[0]["ts"] == pytest.approx(1e6 * first["start_s"]) and slices[0]["dur"] >= 0
    assert sum(e["args"]["frames"] for e in slices if e["name"] == "flt") == 4800
    plain = amp.presets.three_osc().render(frames=64, isolation="none")
    with pytest.raises(amp.GraphError, match=r"has no trace \(got trace=False\)\. Render it with trace=True"):
        trace_file.save(plain, tmp_path / "u.json")


def test_firings_far_away_become_load(render: Render, sent: list[dict[str, Any]]) -> None:
    """Zoomed in every firing is sent, zoomed out the load of each node; both fit 20 kB and add up."""
    assert render.trace is not None
    widget = amp.timeline(render)
    events = render.trace.events
    wall = float(events["stop_s"].max() - events["start_s"].min())
    ask(widget, kind="firings", id="1", first=0.0, last=wall / 50, columns=800)
    near = sent[-1]
    assert near["bars"] and len(near["buffers"][0]) == 16 * near["count"] <= 20_000
    long = amp.timeline(amp.presets.three_osc().render(seconds=2, trace=True, isolation="none"))
    ask(long, kind="firings", id="2", first=0.0, last=10.0, columns=800)
    far = sent[-1]
    load = np.frombuffer(far["buffers"][0], np.uint8).reshape(16, far["columns"])
    assert not far["bars"] and load.size <= 20_000 and load.max(axis=1).min() > 0
    widget.close()
    long.close()


def test_a_long_render_is_stopped_by_the_next_edit(sent: list[dict[str, Any]]) -> None:
    """Edits while a minute is rendered stop it; the last one is rendered to its end and reported."""
    graph = amp.presets.three_osc()
    panel = amp.panel(graph, seconds=120.0)
    edits = 8
    for i in range(edits):
        time.sleep(0.03)
        graph["flt"].set(q=1.0 + i)
    panel.wait(60)
    rendered = [m for m in sent if m["kind"] == "rendered"]
    assert len(rendered) < edits and rendered[-1]["digest"] == graph.render(seconds=120.0).digest
    panel.close()


def test_a_render_is_stopped_from_the_page(sent: list[dict[str, Any]]) -> None:
    """Progress is shown while an hour is rendered; Stop ends it, and the render before stays."""
    graph = amp.presets.three_osc()
    panel = amp.panel(graph, seconds=0.1)
    before = panel.wait(60)
    panel.seconds = 3600.0
    while not any(m["kind"] == "progress" for m in sent):
        time.sleep(0.01)
    ask(panel, kind="stop")
    assert panel.wait(60) is before and sent[-1]["kind"] == "stopped"
    told = [m for m in sent if m["kind"] == "progress"]
    assert all(0 <= m["done"] < m["frames"] == 3600 * 48_000 for m in told)
    panel.seconds = 0.2
    after = panel.wait(60)
    assert after is not None and after.digest == graph.render(seconds=0.2).digest
    panel.close()


def test_a_panel_tells_what_clips_and_the_gain_of_its_player(sent: list[dict[str, Any]]) -> None:
    """The gain keeps the played sound within full scale, and is 1 if it is already."""
    graph = amp.Graph(sample_rate=48_000, name="loud")
    graph.output(graph.gain(graph.sine(frequency_hz=1000.0), gain=4.0, name="level"))
    panel = amp.panel(graph, seconds=0.1)
    loud = panel.wait(60)
    assert loud is not None
    count = int((np.abs(loud.audio) > 1.0).sum())
    assert sent[-1]["clips"] == f"clips: {count:,} samples beyond ±1 (peak +12.0 dBFS)"
    assert sent[-1]["gain"] == 1.0 / loud.peak
    graph["level"].set(gain=1.0)
    panel.wait(60)
    assert sent[-1]["clips"] == "" and sent[-1]["gain"] == 1.0
    panel.close()


def test_a_crash_is_kept_for_every_view_until_a_render_succeeds() -> None:
    """Views that are open and such that come later show it; it holds no frame of the render that crashed."""
    graph = amp.presets.three_osc()
    panel, editor = amp.panel(graph, seconds=0.01), amp.editor(graph)
    panel.wait(60)
    crash = amp.NativeCrash(
        "flt: native crash SIGSEGV.", signal="SIGSEGV", node="flt", first_frame=480, frames=96
    )
    crash.add_note("The worker's last words:\nout of \x1b[1mluck")
    panel.journal.report(crash)
    late = amp.live(graph)
    for view in (panel, editor, late):
        assert view.crash["title"] == "Native crash SIGSEGV in flt" and view.crash["node"] == "flt"
        assert view.crash["happened"] == "While frames 480 to 575 were rendered (10.0 to 12.0 ms)."
        assert view.crash["words"] == "The worker's last words:\nout of \\x1b[1mluck"
    kept = panel.journal.crash
    assert kept is not crash and kept is not None and kept.__traceback__ is None
    graph.render(frames=8, isolation="none")
    assert all(view.crash == {} for view in (panel, editor, late))
    for view in (panel, editor, late):
        view.close()
    panel.journal.report(crash)
    assert panel.crash == {}


def test_a_listener_that_fails_does_not_stop_the_panel(sent: list[dict[str, Any]]) -> None:
    """Its failure is shown with its stack; the next edit is still rendered."""
    graph = amp.presets.three_osc()
    panel = amp.panel(graph, seconds=0.01)
    panel.wait(20)

    def broken(_: object) -> None:
        raise ZeroDivisionError("broken listener")

    panel.on_render(broken)
    graph["flt"].set(q=3.0)
    panel.wait(20)
    told = [m for m in sent if m["kind"] == "unrendered"]
    assert len(told) == 1 and "broken listener" in told[0]["message"] and "test_widgets" in told[0]["stack"]
    panel.off_render(broken)
    graph["flt"].set(q=4.0)
    assert panel.wait(20) is panel.render and sent[-1]["kind"] == "rendered"
    panel.close()


def test_held_signals_stay_when_the_panel_goes_on() -> None:
    """A scope of two panels follows each under its own name, and a held one does not change."""
    one, two = amp.presets.three_osc(), amp.presets.three_osc()
    panels = amp.panel(one, seconds=0.01), amp.panel(two, seconds=0.01)
    scope = amp.scope(*panels)
    assert [entry["source"] for entry in scope.available] == ["three_osc"] * 2 + ["three_osc 2"] * 2
    scope.hold()
    before = {signal.name: signal.samples.copy() for signal in scope.shown()}
    two["flt"].set(q=9.0)
    panels[1].wait(20)
    now = {signal.name: signal.samples for signal in scope.shown()}
    changed = [name for name in before if not np.array_equal(before[name], now[name])]
    assert changed == ["three_osc 2: output left", "three_osc 2: output right"]
    scope.hold()
    scope.drop()
    assert {signal.source for signal in scope.shown()} == {"three_osc", "three_osc 2"}
    for widget in (scope, *panels):
        widget.close()


def test_a_widget_with_nothing_to_draw_is_shown_all_the_same() -> None:
    """Views of a panel that has rendered nothing are text and a live view, without a picture."""
    panel = amp.panel(amp.Graph(), seconds=0.01)
    for name in LOOKS:
        widget = getattr(amp, name)(panel)
        data, _ = widget._repr_mimebundle_()
        assert data["text/plain"] == repr(widget)
        assert name in ("scope", "spectrum") or "image/png" not in data
        widget.close()
    panel.close()
