"""The rich display and the HTML report: complete, self-contained, and honest about gain."""

from __future__ import annotations

import base64
import io
import re
import wave
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from amp_lab import report

RATE = 48_000.0
VOID = {"meta", "img", "br", "link", "input"}


def sine(amplitude: float, seconds: float = 0.5, channels: int = 2) -> npt.NDArray[np.float64]:
    frames = int(seconds * RATE)
    mono = amplitude * np.sin(2 * np.pi * 440.0 / RATE * np.arange(frames))
    return np.tile(mono, (1, channels, 1))


def plan() -> SimpleNamespace:
    nodes = [
        {"name": n, "type": t, "component": i, "latency_frames": 0, "advance_frames": 0, "channels": 2}
        for i, (n, t) in enumerate((("osc", "oscillator"), ("flt <1>", "svf"), ("out", "output")))
    ]
    links = [
        {
            "src": s,
            "src_port": "out",
            "dst": d,
            "dst_port": "in",
            "slot": 0,
            "delay_frames": 0,
            "feedback": False,
            "gates": (),
            "kind": "audio",
            "capacity_frames": 512,
        }
        for s, d in (("osc", "flt <1>"), ("flt <1>", "out"))
    ]
    components = [{"nodes": [n["name"]], "sub_block": 512, "driver": "frames"} for n in nodes]
    return SimpleNamespace(info={"nodes": nodes, "components": components, "edges": links})


def heat() -> SimpleNamespace:
    own = np.stack([np.zeros(300), np.full(300, 1e-5), np.zeros(300)])
    return SimpleNamespace(
        nodes=("osc", "flt <1>", "out"),
        times_s=np.arange(1, 301) * 64 / RATE,
        own_j=own,
        total_j=np.cumsum(own, axis=1),
        temperature_k=np.full((3, 300), np.nan),
    )


def metrics(seconds: float, heat_j: float) -> SimpleNamespace:
    return SimpleNamespace(seconds=seconds, frames=24_000, calls=47, heat_j=heat_j)


@dataclass(frozen=True, eq=False)
class FakeRender:
    """The public fields of a render."""

    audio: npt.NDArray[np.float64] = field(default_factory=lambda: sine(0.5))
    name: str = "three_osc"
    sample_rate: float = RATE
    metrics: dict[str, Any] = field(
        default_factory=lambda: {
            "osc": metrics(3e-3, 0.0),
            "flt <1>": metrics(1e-3, 3e-3),
            "out": metrics(0.0, np.nan),
        }
    )
    heat: Any = field(default_factory=heat)
    trace: Any = None
    plan: Any = field(default_factory=plan)
    schedule: Any = None
    provenance: dict[str, str] = field(default_factory=lambda: {"isa": "v3", "build": "gcc <12.2> & co"})
    digest: str = "ab" * 32

    def __repr__(self) -> str:
        return "Render three_osc: <1 x 2 x 24000 frames>"


class Outline(HTMLParser):
    """Checks nesting, and collects images, headings and every src or href."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key in ("src", "href"):
                self.links.append(value or "")
            if key == "alt":
                self.alts.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def write(render: FakeRender, folder: Path, **options: Any) -> str:
    path = report.html_report(render, folder / "report.html", **options)
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


def sound(page: str) -> tuple[int, npt.NDArray[np.int16]]:
    """Rate and samples (frame, channel) of the first player of a page."""
    found = re.search(r"data:audio/wav;base64,([^\"]+)", page)
    assert found
    with wave.open(io.BytesIO(base64.b64decode(found[1]))) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), pcm.reshape(-1, file.getnchannels())


def test_the_report_needs_nothing_from_outside(tmp_path: Path) -> None:
    """Every link is a data URI, the markup is well nested, every image has a text."""
    page = write(FakeRender(), tmp_path)
    outline = Outline(page)
    assert outline.links
    assert all(link.startswith("data:") for link in outline.links)
    assert not re.search(r"https?://|@import|url\(", page)
    assert len(outline.alts) == outline.tags.count("img") == 5
    assert all(len(alt) > 20 for alt in outline.alts)
    assert "prefers-color-scheme: dark" in page


def test_the_report_has_every_part(tmp_path: Path) -> None:
    """Five pictures by name, levels, nodes, provenance, digest and verdicts."""
    verdicts = ["three_osc: PASS exact 24000 frames x 2 channels", "svf: FAIL exact first differs"]
    page = write(FakeRender(), tmp_path, title="A & B", verdict_lines=verdicts)
    for heading in ("Listen", "Levels", "Nodes", "Provenance"):
        assert f"<h2>{heading}</h2>" in page
    for picture in ("Waveform", "Spectrum", "Spectrogram", "Heat", "Timeline"):
        assert f'alt="{picture}: ' in page
    assert "<h1>A &amp; B</h1>" in page
    assert f'<li class="pass"><code>{verdicts[0]}</code>' in page
    assert f'<li class="fail"><code>{verdicts[1]}</code>' in page
    assert "ab" * 32 in page
    assert "<dd><code>gcc &lt;12.2&gt; &amp; co</code></dd>" in page


def test_the_node_table_gives_share_calls_and_heat(tmp_path: Path) -> None:
    """Slowest first; heat that was not measured comes from the heat record."""
    page = write(FakeRender(), tmp_path)
    body = page.split("<h2>Nodes</h2>")[1].split("</section>")[0]
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>(.*?)</tr>", body)[1:]]
    cells = [[cell for cell in row.split("|") if cell] for row in rows]
    assert cells[0] == ["osc", "3.000", "75.0%", "47", "24,000", "125.00", "0"]
    assert cells[1] == ["flt &lt;1&gt;", "1.000", "25.0%", "47", "24,000", "41.67", "3 mJ"]
    assert cells[2][0] == "out"
    assert cells[2][-1] == "0"


def test_the_player_is_not_normalised(tmp_path: Path) -> None:
    """A quiet sound stays quiet, to the last 16-bit step, and the page says so."""
    render = FakeRender(audio=sine(0.01))
    page = write(render, tmp_path)
    rate, pcm = sound(page)
    assert rate == 48_000
    assert np.array_equal(pcm, np.round(render.audio[0].T * 32_767))
    assert "Gain 0 dB, not normalised; peak -40.0 dBFS." in page


def test_a_sound_beyond_full_scale_is_played_lower_by_a_stated_gain(tmp_path: Path) -> None:
    """Twice full scale plays 6 dB down, without clipping."""
    render = FakeRender(audio=sine(2.0))
    page = write(render, tmp_path)
    _, pcm = sound(page)
    assert "Peak +6.0 dBFS clips: played with gain -6.0 dB." in page
    scaled = render.audio[0].T / np.abs(render.audio).max()
    assert np.abs(pcm / 32_767 - scaled).max() < 1.6e-5


def test_a_long_render_embeds_an_excerpt(tmp_path: Path) -> None:
    """60 s of 70 s, and the page says so."""
    page = write(FakeRender(audio=sine(0.5, 70.0, channels=1)), tmp_path)
    assert len(sound(page)[1]) == 60 * 48_000
    assert "The first 60 s of 70 s." in page


def test_many_channels_and_batches_are_named(tmp_path: Path) -> None:
    """Two channels of four and four players of six."""
    page = write(FakeRender(audio=np.tile(sine(0.1, channels=4), (6, 1, 1))), tmp_path)
    assert page.count("<audio") == 4
    assert "Channels 0 and 1 of 4." in page
    assert "Batch 0 to 3 of 6 can be heard here." in page
    assert sound(page)[1].shape[1] == 2


def test_non_finite_audio_still_has_a_report(tmp_path: Path) -> None:
    """Pictures and levels are those of the finite samples, and the others are counted."""
    audio = sine(0.5)
    audio[0, 0, 100] = np.nan
    page = write(FakeRender(audio=audio), tmp_path)
    assert "1 non-finite sample left out." in page
    assert "Non-finite samples are played as silence." in page
    assert all(f'alt="{name}: ' in page for name in ("Waveform", "Spectrum", "Spectrogram"))
    assert sound(page)[1][100, 0] == 0


def test_the_display_is_text_html_and_png() -> None:
    """Stable text, a player with pictures, and one PNG for hosts that strip HTML."""
    render = FakeRender()
    bundle = report.render_mimebundle(render)
    assert list(bundle) == ["text/plain", "text/html", "image/png"]
    assert bundle["text/plain"] == repr(render)
    outline = Outline(bundle["text/html"])
    assert outline.tags.count("audio") == 1
    assert [alt.split(":")[0] for alt in outline.alts] == ["Waveform", "Spectrum", "Heat", "Timeline"]
    assert all(link.startswith("data:") for link in outline.links)
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "&lt;1 x 2 x 24000 frames&gt;" in bundle["text/html"]


def test_the_display_of_a_cold_graph_has_no_heat() -> None:
    """No empty picture."""
    cold = heat()
    cold.total_j = np.zeros_like(cold.total_j)
    bundle = report.render_mimebundle(replace(FakeRender(), heat=cold))
    assert 'alt="Heat' not in bundle["text/html"]


@pytest.mark.parametrize("shape", [(1, 2, 0), (0, 1, 10)])
def test_an_empty_render_displays_as_text(shape: tuple[int, int, int]) -> None:
    """There is nothing to draw or play."""
    render = FakeRender(audio=np.zeros(shape))
    assert report.render_mimebundle(render) == {"text/plain": repr(render)}


@pytest.mark.parametrize("frames", [1, 2, 63])
def test_the_shortest_renders_display(frames: int) -> None:
    """One frame is enough for every picture, with a heat record of no full window."""
    empty = SimpleNamespace(
        nodes=("osc", "flt <1>", "out"),
        times_s=np.zeros(0),
        own_j=np.zeros((3, 0)),
        total_j=np.zeros((3, 0)),
        temperature_k=np.zeros((3, 0)),
    )
    render = FakeRender(audio=sine(0.5)[..., 1 : 1 + frames], heat=empty)
    assert "<audio" in report.render_mimebundle(render)["text/html"]


def test_the_shortest_render_has_a_report(tmp_path: Path) -> None:
    """Every picture of one frame."""
    empty = SimpleNamespace(
        nodes=("osc",),
        times_s=np.zeros(0),
        own_j=np.zeros((1, 0)),
        total_j=np.zeros((1, 0)),
        temperature_k=np.zeros((1, 0)),
    )
    page = write(FakeRender(audio=np.full((1, 1, 1), 0.5), heat=empty), tmp_path)
    assert Outline(page).tags.count("img") == 5
