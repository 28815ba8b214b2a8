"""The rich display and the HTML report: complete, self-contained, with the applied gain stated."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import tinycss2
from PIL import Image

import amp_lab as amp
from amp_lab import options, plots
from amp_lab.analysis.clipping import clipping
from amp_lab.export import html_report, notebook_display, player

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
    path = html_report.html_report(render, folder / "report.html", **options)
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


def sound(page: str) -> tuple[int, npt.NDArray[np.int16]]:
    """Rate and samples (frame, channel) of the first player of a page."""
    found = re.search(r"data:audio/\w+;base64,([^\"]+)", page)
    assert found
    pcm, rate = soundfile.read(io.BytesIO(base64.b64decode(found[1])), dtype="int16", always_2d=True)
    return rate, pcm


def images(page: str) -> list[Image.Image]:
    """All pictures of a page."""
    found = re.findall(r"data:image/png;base64,([^\"]+)", page)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def stored(bundle: dict[str, str]) -> int:
    """Bytes of a display in a notebook's file."""
    return len(json.dumps(bundle, ensure_ascii=False).encode())


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    """Every test begins and ends with the default options."""
    options.display.reset()
    yield
    options.display.reset()


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
    """A quiet sound stays quiet, to the last 16-bit step, and the page notes it."""
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
    assert "Peak +6.0 dBFS: played with gain -6.0 dB." in page
    scaled = render.audio[0].T / np.abs(render.audio).max()
    assert np.abs(pcm / 32_767 - scaled).max() < 1.6e-5


def test_a_long_render_embeds_an_excerpt(tmp_path: Path) -> None:
    """60 s of 70 s, and the page notes it."""
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
    assert "1 non-finite sample is played as silence." in page
    assert all(f'alt="{name}: ' in page for name in ("Waveform", "Spectrum", "Spectrogram"))
    assert sound(page)[1][100, 0] == 0


def test_the_display_is_text_html_and_png() -> None:
    """Stable text, a player with pictures, and one PNG for hosts that strip HTML."""
    render = FakeRender()
    bundle = notebook_display.render_mimebundle(render)
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
    bundle = notebook_display.render_mimebundle(replace(FakeRender(), heat=cold))
    assert 'alt="Heat' not in bundle["text/html"]


@pytest.mark.parametrize("shape", [(1, 2, 0), (0, 1, 10)])
def test_an_empty_render_displays_as_text(shape: tuple[int, int, int]) -> None:
    """There is nothing to draw or play."""
    render = FakeRender(audio=np.zeros(shape))
    assert notebook_display.render_mimebundle(render) == {"text/plain": repr(render)}


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
    assert "<audio" in notebook_display.render_mimebundle(render)["text/html"]


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


def selectors(css: str) -> Iterator[str]:
    """Every selector of a style sheet, in any at-rule that holds rules; other at-rules fail."""
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule":
            assert rule.lower_at_keyword == "media", rule.at_keyword
            yield from selectors(tinycss2.serialize(rule.content))
            continue
        assert rule.type == "qualified-rule", rule
        one: list[Any] = []
        for token in [*rule.prelude, None]:
            if token is None or token == ",":
                yield tinycss2.serialize(one).strip()
                one = []
            else:
                one.append(token)


def test_every_rule_of_every_page_begins_with_its_own_class(tmp_path: Path) -> None:
    """A style sheet in an output applies to the whole notebook: none may match elements of others."""
    loud = FakeRender(audio=sine(2.0))
    pages = [notebook_display.render_mimebundle(loud)["text/html"], write(loud, tmp_path)]
    for page in pages:
        sheets = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        found = [selector for sheet in sheets for selector in selectors(sheet)]
        assert len(found) > 10
        assert [s for s in found if not re.match(r"\.amp-report(?![\w-])", s)] == []
        outside = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        assert not re.search(r'class="[^"]*\bamp(?![\w-])', outside)


def test_a_display_of_three_osc_costs_at_most_450_kb() -> None:
    """Two seconds: poster at most 60 kB, figures 150 kB, the whole sound, and 450 kB in all."""
    render = amp.presets.three_osc().render(seconds=2.0, isolation="none")
    bundle = notebook_display.render_mimebundle(render)
    assert stored(bundle) <= 450_000
    assert 0 < len(bundle["image/png"]) <= 60_000
    figures = re.findall(r"data:image/png[^\"]+", bundle["text/html"])
    assert len(figures) == 4 and sum(map(len, figures)) <= 150_000
    rate, pcm = sound(bundle["text/html"])
    assert (rate, pcm.shape) == (48_000, (96_000, 2))
    assert np.array_equal(pcm, np.round(render.audio[0].T * 32_767))
    assert "FLAC, 16 bits, rounded without dither." in bundle["text/html"]


@pytest.mark.parametrize("seconds", [0.1, 30.0])
def test_noise_of_any_length_stays_within_the_budget(seconds: float) -> None:
    """A sound that cannot be compressed is cut to an excerpt, and the caption has its length."""
    noise = np.random.default_rng(1).uniform(-1.0, 1.0, (1, 2, round(seconds * RATE)))
    bundle = notebook_display.render_mimebundle(FakeRender(audio=noise))
    assert stored(bundle) <= 450_000
    _, pcm = sound(bundle["text/html"])
    assert np.array_equal(pcm, np.round(noise[0, :, : len(pcm)].T * 32_767))
    told = re.search(r"The first ([\d.]+) s of 30 s\.", bundle["text/html"])
    if seconds < 1.0:
        assert not told and len(pcm) == 4_800
    else:
        assert told and float(told[1]) == float(f"{len(pcm) / RATE:.3g}")
        assert stored(bundle) > 400_000, "the budget is used"


def test_a_thousand_batches_and_many_channels_stay_within_the_budget() -> None:
    """One player, first two channels; the caption has both facts."""
    many = np.random.default_rng(2).uniform(-0.9, 0.9, (1_000, 9, 480))
    bundle = notebook_display.render_mimebundle(FakeRender(audio=many))
    assert stored(bundle) <= 450_000
    assert bundle["text/html"].count("<audio") == 1
    assert "Batch 0 of 1,000." in bundle["text/html"]
    assert "Channels 0 and 1 of 9." in bundle["text/html"]


@pytest.mark.parametrize(
    ("rate", "kind", "told"),
    [
        (44_100.4, "flac", "Played at 44,100 Hz: sound files hold whole rates."),
        (65_537.0, "wav", "This sample rate does not go into FLAC."),
        (655_350.0, "flac", "FLAC, 16 bits"),
        (768_000.0, "wav", "This sample rate does not go into FLAC."),
        (1_000.0, None, "No player: browsers play 3,000 to 768,000 Hz (got 1,000 Hz)."),
        (0.3, None, "No player: browsers play 3,000 to 768,000 Hz (got 0.3 Hz)."),
        (1e6, None, "No player: browsers play 3,000 to 768,000 Hz"),
    ],
)
def test_every_sample_rate_is_played_or_refused_in_words(rate: float, kind: str | None, told: str) -> None:
    """FLAC where it holds the rate, else WAV; rates that no browser plays give a sentence."""
    page = player.player(FakeRender(sample_rate=rate), 0, codec="flac")
    assert told in page
    assert re.findall(r"data:audio/(\w+)", page) == ([kind] if kind else [])
    if kind:
        assert sound(page)[0] == round(rate)


def test_a_lossy_codec_is_chosen_by_the_user_and_labelled() -> None:
    """MP3 only if options request it; rates it does not have are FLAC again."""
    options.display.codec = "mp3"
    page = notebook_display.render_mimebundle(FakeRender())["text/html"]
    assert "data:audio/mpeg" in page and "MP3, lossy: not the samples of the render." in page
    odd = player.player(FakeRender(sample_rate=44_101.0), 0, codec="mp3")
    assert "data:audio/flac" in odd and "This sample rate does not go into MP3." in odd


def test_clipping_is_told_with_count_peak_and_place() -> None:
    """Samples of all batches and channels beyond ±1; those that are not finite are counted apart."""
    audio = np.zeros((2, 2, 100))
    audio[1, 0, 7], audio[0, 1, 9], audio[0, 0, 3] = -2.0, 1.5, np.inf
    assert clipping(audio).text == "clips: 2 samples beyond ±1 (peak +6.0 dBFS)"
    assert clipping(audio).nonfinite == 1
    page = notebook_display.render_mimebundle(FakeRender(audio=audio))["text/html"]
    note = "clips: 2 samples beyond ±1 (peak +6.0 dBFS); the first is frame 7 of batch 1, channel 0."
    assert f'<p class="fault">{note}</p>' in page
    audio[0, 1, 9] = 1.0
    assert clipping(audio).text == "clips: 1 sample beyond ±1 (peak +6.0 dBFS)"
    assert clipping(np.clip(audio, -1.0, 1.0)).text == ""


def test_silence_and_nothing_finite_are_displayed() -> None:
    """Both have a player and a picture, and captions that name them."""
    silent = notebook_display.render_mimebundle(FakeRender(audio=np.zeros((1, 1, 4_800))))
    assert "Gain 0 dB; silent." in silent["text/html"]
    nothing = notebook_display.render_mimebundle(FakeRender(audio=np.full((1, 2, 4_800), np.nan)))
    assert "9,600 non-finite samples are played as silence." in nothing["text/html"]
    assert not sound(nothing["text/html"])[1].any()
    assert list(nothing) == ["text/plain", "text/html", "image/png"]


def test_a_figure_that_fails_leaves_everything_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A sentence replaces it, in the display and in the report; the poster shows the other parts."""

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("no such <b>font</b>")

    monkeypatch.setattr(plots, "waveform", fail)
    monkeypatch.setattr(html_report, "measure_levels", fail)
    bundle = notebook_display.render_mimebundle(FakeRender())
    page = write(FakeRender(), tmp_path)
    said = "Waveform is not shown. ValueError: no such &lt;b&gt;font&lt;/b&gt;"
    for text, others in ((bundle["text/html"], 3), (page, 4)):
        assert f'<p class="fault">{said}</p>' in text
        assert len(images(text)) == others and "<audio" in text
    assert "Levels is not shown. ValueError" in page and "<h2>Provenance</h2>" in page
    assert images(f'"data:image/png;base64,{bundle["image/png"]}"')[0].width > 800


def test_a_player_that_fails_leaves_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every part fails there is still a display that reports it."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no libsndfile")

    monkeypatch.setattr(player, "encode", fail)
    page = notebook_display.render_mimebundle(FakeRender())["text/html"]
    assert "The player is not shown. OSError: no libsndfile" in page and len(images(page)) == 4
    for name in ("waveform", "spectrum", "thermo", "timeline"):
        monkeypatch.setattr(plots, name, fail)
    bundle = notebook_display.render_mimebundle(FakeRender())
    assert list(bundle) == ["text/plain", "text/html"]
    assert bundle["text/html"].count("is not shown") == 5


def test_budgets_are_kept_whatever_they_are() -> None:
    """Figures lose colours and resolution, then become text; a player that does not fit is reported."""
    options.display.figures_bytes = 40_000
    small = notebook_display.render_mimebundle(FakeRender())["text/html"]
    assert sum(len(part) for part in re.findall(r"<figure><img.*?</figure>", small)) <= 40_000
    assert {image.width for image in images(small)} < {648, 900}
    options.display.figures_bytes = 12_000
    options.display.total_bytes = 20_000
    options.display.poster_bytes = 0
    least = notebook_display.render_mimebundle(
        FakeRender(audio=np.random.default_rng(3).normal(0, 0.1, (1, 1, 9_600)))
    )
    assert "image/png" not in least and stored(least) <= 20_000
    assert "does not fit into options.display.figures_bytes" in least["text/html"]
    assert "do not fit into what is left" in least["text/html"]


def test_figures_keep_their_colours_with_few_of_them() -> None:
    """The curves of different nodes, ink and paper have their own colour, not a mean of two."""
    render = amp.presets.three_osc().render(seconds=0.5, isolation="none")
    page = notebook_display.render_mimebundle(render)["text/html"]
    heat = images(page)[2]
    assert heat.mode == "P"
    drawn = {colour for _, colour in heat.convert("RGB").getcolors()}
    for wanted in ("#1f6fb2", "#d55e00", "#009e73", "#22272e", "#ffffff"):
        rgb = tuple(int(wanted[i : i + 2], 16) for i in (1, 3, 5))
        assert min(max(abs(a - b) for a, b in zip(rgb, one, strict=True)) for one in drawn) <= 24, wanted


def test_the_figures_of_a_display_are_chosen() -> None:
    """In the order of the display, for any order of names; an empty list is allowed."""
    options.display.figures = ("spectrogram", "waveform")
    page = notebook_display.render_mimebundle(FakeRender())["text/html"]
    assert [alt.split(":")[0] for alt in Outline(page).alts] == ["Waveform", "Spectrogram"]
    options.display.figures = ()
    bundle = notebook_display.render_mimebundle(FakeRender())
    assert "<img" not in bundle["text/html"] and "<audio" in bundle["text/html"] and bundle["image/png"]


def test_an_option_that_does_not_exist_is_an_error_with_the_list() -> None:
    """Names and values, written and read; nothing is kept of it."""
    assert amp.options.display is options.display
    with pytest.raises(
        AttributeError, match=r"no such option \(got 'codek', allowed codec \| figures.*'codec'"
    ):
        amp.options.display.codek = "wav"
    with pytest.raises(AttributeError, match="no such option"):
        _ = amp.options.display.size
    with pytest.raises(AttributeError, match="Set its fields"):
        amp.options.display = None
    with pytest.raises(AttributeError, match="no such option"):
        amp.options.displays = None
    for name, value, allowed in (
        ("codec", "ogg", "flac | wav | mp3"),
        ("codec", ["flac"], "flac | wav | mp3"),
        ("figures", ["wave"], "waveform | spectrum"),
        ("figures", "waveform", "a list of names"),
        ("total_bytes", -1, "whole numbers >= 0"),
        ("poster_bytes", 1.5, "whole numbers"),
        ("figures_bytes", True, "whole numbers"),
    ):
        with pytest.raises(amp.GraphError, match=re.escape(allowed)):
            setattr(amp.options.display, name, value)
    assert "codec='flac'" in repr(amp.options.display)
    amp.options.display.codec = "wav"
    del amp.options.display.codec
    assert amp.options.display.codec == "flac"


def test_names_that_are_markup_or_control_characters_are_text(tmp_path: Path) -> None:
    """In labels, titles and sentences, of the display and of the report."""
    hostile = FakeRender(name='<img src=x onerror="a">{data}\x1b[2J\u202e"')
    for page in (notebook_display.render_mimebundle(hostile)["text/html"], write(hostile, tmp_path)):
        assert "<img src=x" not in page and "\x1b" not in page and "\u202e" not in page
        Outline(page)
