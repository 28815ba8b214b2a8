"""Live sound without a browser: the test acts as the page, reports its position and stores the sound."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab.graph.edits.nodes import Node
from amp_lab.widgets import feed
from amp_lab.widgets.base import View

RATE = 48_000
TARGET = 4800
BLOCK = round(feed.BLOCK_S * RATE)
PATIENCE_S = 10.0


class Page:
    """A page whose clock the test sets."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.played = 0

    def frames(self) -> int:
        """Frames that came."""
        return sum(self.of("sound", key=lambda m: m["buffers"][0].size // m["channels"]))

    def of(self, kind: str, key: Callable[[dict[str, Any]], Any] = lambda m: m) -> list[Any]:
        """Messages of a kind."""
        return [key(message) for message in list(self.messages) if message["kind"] == kind]

    def sound(self) -> Any:
        """All that came, (channels, frames)."""
        return np.concatenate(
            self.of("sound", key=lambda m: m["buffers"][0].reshape(m["channels"], -1)), axis=1
        )

    def start(self, live: amp.widgets.Live) -> None:
        """Press Start."""
        live._receive(live, {"kind": "start", "run": "a", "target": TARGET}, [])

    def say(self, live: amp.widgets.Live, frames: int = 480, *, running: bool = False) -> None:
        """Play some frames and report it; while it is running its clock continues."""
        self.played += frames
        report: dict[str, Any] = {"kind": "played", "run": "a", "frames": self.played, "target": TARGET}
        report |= {"running": running, "peak": [0.5], "rms": [0.3], "latency_s": 0.1, "ring_s": 0.05}
        live._receive(live, report | {"underruns": 0, "silent_frames": 0, "limited_db": 0.0}, [])

    def play(self, live: amp.widgets.Live, frames: int) -> None:
        """Play this number of frames, and receive those to keep ahead of them."""
        for _ in range(-(-frames // 480)):
            self.say(live)
            until(lambda: self.frames() > self.played + TARGET - BLOCK)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.002)


def take_over(graph: amp.Graph, node: Node) -> None:
    """Select another node to play."""
    graph.disconnect(next(edge for edge in graph.edges if edge.dst == "output"))
    graph.connect(node, "output")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """What widgets send goes here; the page's clock is not that of the world."""
    page = Page()
    monkeypatch.setattr(feed, "PAUSE_S", 0.0)

    def keep(self: Any, content: Any, buffers: Any = None) -> None:
        arrays = [np.frombuffer(buffer, dtype="<f4") for buffer in buffers or []]
        page.messages.append(content | {"buffers": arrays})

    monkeypatch.setattr(View, "send", keep)
    return page


@pytest.fixture
def tone() -> amp.Graph:
    """A sine through a gain."""
    g = amp.Graph(sample_rate=RATE, name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=0.5, name="level"))
    return g


@pytest.fixture
def hear() -> Iterator[Callable[..., amp.widgets.Live]]:
    """Make widgets; they are closed at the end, and nothing of them is left then."""
    made: list[amp.widgets.Live] = []

    def make(graph: amp.Graph, **traits: Any) -> amp.widgets.Live:
        made.append(amp.live(graph, **traits))
        return made[-1]

    yield make
    for widget in made:
        widget.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "amp_lab live"]


@pytest.fixture
def live(tone: amp.Graph, hear: Callable[..., amp.widgets.Live]) -> amp.widgets.Live:
    """The widget of the tone."""
    return hear(tone)


def test_the_page_gets_the_bits_of_a_render(tone: amp.Graph, live: amp.widgets.Live, page: Page) -> None:
    """As float32, and no more than the page requests ahead of what it has played."""
    page.start(live)
    page.play(live, 4800)
    assert live.playing and page.frames() <= page.played + TARGET
    wanted = tone.render(frames=page.frames()).audio[0].astype(np.float32)
    np.testing.assert_array_equal(page.sound(), wanted)
    assert live.heard is not None and live.heard.frames == page.played and live.heard.peak == (0.5,)


def test_a_word_that_comes_late_does_not_slow_the_clock(
    live: amp.widgets.Live, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that is 0.1 s old: the page has played on, and receives what it requests after that."""
    now = [100.0]
    monkeypatch.setattr(feed, "time", SimpleNamespace(monotonic=lambda: now[0]))
    page.start(live)
    page.say(live, 0, running=True)
    until(lambda: page.frames() > TARGET - BLOCK)
    now[0] += 0.2
    page.say(live, RATE // 10, running=True)
    until(lambda: page.frames() > RATE // 5 + TARGET - BLOCK)
    page.say(live, 0)  # it has stopped: its position is the reported one
    assert page.frames() <= RATE // 5 + TARGET


def test_values_move_while_it_sounds(tone: amp.Graph, live: amp.widgets.Live, page: Page) -> None:
    """An edit, and its undo, take effect from the next frame on, in the running session, with its phases."""
    page.start(live)
    page.play(live, 960)
    session = live._feed.session if live._feed else None
    at = page.frames()
    tone["level"].set(gain=0.25)
    page.play(live, 960)
    live.undo()
    now = page.frames()
    page.play(live, 960)
    assert live._feed is not None and live._feed.session is session is not None
    plain = tone.render(frames=page.frames()).audio[0].astype(np.float32)
    np.testing.assert_array_equal(page.sound()[:, :at], plain[:, :at])
    np.testing.assert_array_equal(page.sound()[:, at:now], plain[:, at:now] / 2)
    np.testing.assert_array_equal(page.sound()[:, now:], plain[:, now:])


def test_other_edits_are_blended_in(tone: amp.Graph, live: amp.widgets.Live, page: Page) -> None:
    """A new node begins a session; its first frames come with those to fade over from."""
    page.start(live)
    page.play(live, 9600)
    with tone.edit():
        take_over(tone, tone.gain(tone["level"], gain=0.1, name="quiet"))
    page.play(live, 48_000)
    blends = [m for m in page.messages if len(m["buffers"]) == 2]
    assert blends and all(m["buffers"][0].size == m["buffers"][1].size for m in blends)
    np.testing.assert_array_equal(
        blends[-1]["buffers"][0], tone.render(frames=round(feed.BLEND_S * RATE)).audio[0, 0].astype("f4")
    )
    assert np.abs(page.sound()[0, -960:]).max() == pytest.approx(0.05, rel=1e-3)


def test_a_graph_that_cannot_be_played_waits(tone: amp.Graph, live: amp.widgets.Live, page: Page) -> None:
    """The last sound continues with a message, which disappears when the graph is valid again."""
    page.start(live)
    page.play(live, 9600)
    tone.gain(name="loose")
    page.play(live, 9600)
    until(lambda: len(page.of("waits")) == 1)
    message = page.of("waits")[0]
    assert message["message"].startswith("loose.in: not connected") and not message["silent"]
    assert np.abs(page.sound()[0, -960:]).max() == pytest.approx(0.5, rel=1e-3)
    tone.remove("loose")
    until(lambda: len(page.of("waits")) == 2)
    assert "message" not in page.of("waits")[1]


def test_nothing_to_play_is_said(page: Page, hear: Callable[..., amp.widgets.Live]) -> None:
    """An empty graph is silent, reports it, and plays as soon as it can."""
    graph = amp.Graph(sample_rate=RATE)
    live = hear(graph)
    page.start(live)
    until(lambda: bool(page.of("waits")))
    assert page.of("waits")[0]["silent"] and "output" in page.of("waits")[0]["message"]
    graph.output(graph.sine(frequency_hz=440.0))
    until(lambda: page.frames() > 0)


def test_a_fault_stops_until_it_is_cured(tone: amp.Graph, live: amp.widgets.Live, page: Page) -> None:
    """A value that is not finite ends the session with its message; the next edit starts it again."""
    mix = tone.mix(tone["level"], name="mix")
    tone.connect(tone.gain(mix, gain=0.0, name="loop"), mix, delay_frames=1)
    take_over(tone, mix)
    page.start(live)
    page.play(live, 4800)
    tone["loop"].set(gain=1e6)
    until(lambda: page.say(live) or bool(page.of("waits")))
    fault = page.of("waits")[0]
    assert fault["silent"] and "Inf at batch 0" in fault["message"] and fault["node"] in ("loop", "mix")
    live.undo()
    page.play(live, 4800)
    assert live.playing and "message" not in page.of("waits")[-1]


@pytest.mark.parametrize("repeat", [True, False])
def test_curves_begin_again(repeat: bool, page: Page, hear: Callable[..., amp.widgets.Live]) -> None:
    """With ``repeat`` they start over after the last point and a tail, otherwise the last value stays."""
    g = amp.Graph(sample_rate=RATE)
    g.output(g.constant(value=amp.curve("ramp")))
    g.controls = amp.ControlHistory([amp.Curve("ramp", [0.0, 0.1], [0.25, 0.5], "linear")])
    live = hear(g, repeat=repeat)
    page.start(live)
    page.play(live, RATE)
    assert bool([m for m in page.messages if len(m["buffers"]) == 2]) is repeat
    assert bool((page.sound()[0, 9600:] < 0.4).any()) is repeat


def test_a_page_that_is_gone_ends_it(
    live: amp.widgets.Live, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without reports from the page the session ends, and reports it."""
    monkeypatch.setattr(feed, "LOST_S", 0.1)
    page.start(live)
    until(lambda: not live.playing)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "amp_lab live"])


def test_it_stops_from_both_sides(live: amp.widgets.Live, page: Page) -> None:
    """By a message, by the trait, by `stop`; messages of another run change nothing."""
    for stop in (
        lambda: live._receive(live, {"kind": "stop", "run": "a"}, []),
        lambda: setattr(live, "playing", False),
        live.stop,
    ):
        page.start(live)
        live._receive(live, {"kind": "stop", "run": "older"}, [])
        assert live.playing and live._feed is not None
        stop()
        assert not live.playing and live._feed is None


def test_threads_take_quick_turns_only_while_it_sounds(
    live: amp.widgets.Live, page: Page, hear: Callable[..., amp.widgets.Live]
) -> None:
    """The interpreter's interval is set for as long as any sound runs, and is then what it was."""
    before = sys.getswitchinterval()
    other = hear(amp.presets.three_osc())
    page.start(live)
    page.start(other)
    until(lambda: sys.getswitchinterval() == pytest.approx(feed.SWITCH_S))
    live.stop()
    assert sys.getswitchinterval() == pytest.approx(feed.SWITCH_S)
    other.close()
    assert sys.getswitchinterval() == pytest.approx(before)
