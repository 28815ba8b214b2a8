"""Text in a figure is shown as it was given, readable in every style; no text breaks a figure."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import amp_lab as amp
from amp_lab import plots
from amp_lab.graph.edits.journal import Journal
from amp_lab.plots import style

NAMES = {
    "mathtext": "$x^2$",
    "broken mathtext": r"$\frac{1$ $y",
    "hidden": "_hidden",
    "child": "_child0",
    "index": "a_b^c",
    "percent": "100%",
    "TeX": r"\frac{a}{b}#&~{}",
    "escaped": r"\$5",
    "long": "n" * 4000,
    "emoji": "🎛 gain 🎚",
    "script": "שלום नमस्ते 音",
    "control": "a\x1b[2J\x00\u202eb\nc\ud800",
}
STYLES: dict[str, dict[str, Any]] = {
    "TeX": {"text.usetex": True},
    "no mathtext": {"text.parse_math": False},
    "minus": {"axes.unicode_minus": False, "axes.formatter.use_mathtext": True},
    "font": {"font.family": "no such font", "mathtext.fontset": "cm"},
    "marks": {
        "lines.marker": "*",
        "xtick.direction": "in",
        "xtick.minor.visible": True,
        "savefig.bbox": "tight",
    },
    "broken": {},
}
SHEETS = ("dark_background", "ggplot", "Solarize_Light2", "grayscale", "classic", "seaborn-v0_8-dark")


@cache
def rendered() -> amp.Render:
    """A loop, an audible delay, latency, a gate, heat and a trace."""
    g = amp.Graph(name="figures")
    tone = g.oscillator(frequency_hz=220.0, name="tone", thermo={"heat_j_per_frame": 1e-6})
    loop = g.mix(tone, name="mid", thermo={"heat_j_per_frame": 2e-6, "capacity_j_per_k": 1.0})
    g.connect(g.gain(loop, gain=0.4, name="back"), loop, delay_frames=32)
    late = g.fir(loop, name="late")
    out = g.output(g.pan(late, name="pan"), name="out")
    g.modulate(g.lfo(rate_hz=3.0), g["pan"].position, mode="add", scale=0.1, delay_frames=8)
    assert out.name == "out"
    return g.render(frames=4096, batches=6, isolation="none", trace=True, heat=True)


def plan(name: str) -> dict[str, Any]:
    """The plan, with a node called so."""
    info: dict[str, Any] = json.loads(json.dumps(rendered().plan.info).replace('"mid"', json.dumps(name)))
    return info


def figures(name: str, **more: Any) -> dict[str, Callable[[], Figure]]:
    """Every figure, with a node, or what has a title, called so."""
    r = rendered()
    heat = replace(r.heat, nodes=tuple(name if n == "mid" else n for n in r.heat.nodes))
    metrics = {name if n == "mid" else n: m for n, m in r.metrics.items()}
    rate = r.sample_rate
    return {
        "waveform": lambda: plots.waveform(r.audio[:2], rate, name=name, **more),
        "spectrum": lambda: plots.spectrum(r.audio, rate, name=name, **more),
        "spectrogram": lambda: plots.spectrogram(r.audio[:1], rate, name=name, **more),
        "thermo": lambda: plots.thermo(heat, name="Heat", **more),
        "timeline": lambda: plots.timeline(plan(name), r.trace, rate, **more),
        "structure": lambda: plots.timeline(plan(name), None, rate, **more),
        "delays": lambda: plots.delays(plan(name), r.trace, metrics, rate, **more),
        "difference": lambda: plots.difference(r.audio[:2], 0.5 * r.audio[:2], rate, name=name, **more),
        "graph": lambda: plots.graph(Journal.of(amp.presets.three_osc()).state, name=name, **more),
    }


FIGURES = tuple(figures("x"))
NODES = ("thermo", "timeline", "delays")
"""Those that write the names of nodes."""
BROKEN = ("broken", "font")
"""What the user's own drawing cannot do either, or warns of."""
UNDER_STYLES = [
    (which, which_style)
    for which in FIGURES
    for which_style in (*STYLES, *SHEETS)
    if which == "thermo" or which_style in ("TeX", "dark_background")
]


def texts(part: Any) -> list[Text]:
    """All that is written in a figure or in axes, drawn or not."""
    return [text for text in part.findobj(Text) if text.get_text()]


@pytest.fixture
def strange(request: pytest.FixtureRequest) -> Iterator[None]:
    """The style of a user, in force while a test runs."""
    with mpl.rc_context():
        if request.param in SHEETS:
            mpl.style.use(request.param)
        elif request.param == "broken":
            dict.__setitem__(mpl.rcParams, "figure.facecolor", "no colour")
            dict.__setitem__(mpl.rcParams, "legend.fontsize", object())
        else:
            mpl.rcParams.update(STYLES[request.param])
        yield


@pytest.mark.parametrize(
    ("which", "kind"),
    [(which, kind) for which in FIGURES for kind in (NAMES if which in NODES else ("mathtext", "control"))],
)
def test_a_name_stands_in_a_figure_as_it_is(which: str, kind: str) -> None:
    """No mathtext, no TeX, nothing unprintable, nothing left out but the middle, and no warning."""
    figure = figures(NAMES[kind])[which]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.png(figure).startswith(b"\x89PNG")
    written = texts(figure)
    assert not any(text.get_usetex() or text.get_parse_math() for text in written)
    assert all(line.isprintable() for text in written for line in text.get_text().split("\n"))
    head = style.short(NAMES[kind])[:9]
    assert any(text.get_text().startswith(head) for text in written)


@pytest.mark.parametrize("kind", ["hidden", "child", "mathtext"])
def test_every_node_is_in_the_legend_of_its_heat(kind: str) -> None:
    """Matplotlib leaves labels out that begin with an underscore; a node may be called so."""
    figure = figures(NAMES[kind])["thermo"]()
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    assert len(legends) >= 2
    assert all(NAMES[kind] in [text.get_text() for text in legend.get_texts()] for legend in legends)


@pytest.mark.parametrize(("which", "strange"), UNDER_STYLES, indirect=["strange"])
def test_a_figure_is_the_same_under_every_style(which: str, strange: None) -> None:
    """Not one pixel is the user's, and the user's style is untouched afterwards."""
    before = dict(mpl.rcParams)
    assert plots.png(figures("mid")[which]()) == plain_png(which)
    assert dict(mpl.rcParams) == before


@cache
def plain_png(which: str) -> bytes:
    """Encode a figure made under Matplotlib's defaults, made by a thread with nothing else set."""
    with mpl.style.context("default"):
        return plots.png(figures("mid")[which]())


@pytest.mark.parametrize(
    ("which", "strange"), [pair for pair in UNDER_STYLES if pair[1] not in BROKEN], indirect=["strange"]
)
def test_a_figure_in_given_axes_is_drawn_by_the_users_own_hand(which: str, strange: None) -> None:
    """Their figure is encoded by them, in their style: it needs no TeX, and what is written can be read."""
    figure = Figure(figsize=(10, 6))
    FigureCanvasAgg(figure)
    figures("$x^2$", ax=figure.subplots())[which]()
    figure.canvas.draw()
    figure.draw_without_rendering()
    for ax in every_axes(figure):
        legend = ax.get_legend()
        for text in legend.get_texts() if legend else ():
            page = to_rgb(
                legend.get_frame().get_facecolor() if legend.get_frame_on() else figure.get_facecolor()
            )
            assert contrast(to_rgb(text.get_color()), page) > 4.5
        assert (
            contrast(to_rgb(ax.title.get_color()), to_rgb(figure.get_facecolor())) > 4.5 or not ax.get_title()
        )


def every_axes(figure: Figure) -> list[Axes]:
    """Axes, insets included."""
    return list(figure.findobj(Axes))


def contrast(ink: tuple[float, float, float], page: tuple[float, float, float]) -> float:
    """Ratio of luminances (WCAG 2.1)."""
    low, high = sorted(0.05 + float(np.dot((0.2126, 0.7152, 0.0722), np.power(c, 2.2))) for c in (ink, page))
    return high / low


def test_a_figure_of_the_user_keeps_the_users_style() -> None:
    """The notebook's formatter encodes figures that are not ours as they are."""
    with mpl.rc_context({"savefig.facecolor": "red"}):
        figure = Figure(figsize=(1, 1))
        FigureCanvasAgg(figure)
        theirs, ours = plots.png(figure), plots.png(figures("mid")["waveform"]())
    assert plots.png(figure) != theirs
    assert ours == plain_png("waveform")


def test_threads_that_draw_leave_the_users_style() -> None:
    """Matplotlib's settings are global: drawing must restore them."""
    with mpl.rc_context({"lines.linewidth": 7.5}):
        threads = [threading.Thread(target=figures("mid")["difference"]) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert mpl.rcParams["lines.linewidth"] == 7.5


class TestWidget:
    """A widget whose picture cannot be drawn."""

    @pytest.mark.parametrize("error", [ValueError("no\x1b[2J colour"), RuntimeError("x"), MemoryError()])
    def test_the_live_view_stays(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        """View and text are shown, with one line why there is no picture."""
        widget = amp.widgets.Thermo(rendered())

        def fail() -> Figure:
            raise error

        monkeypatch.setattr(widget, "figure", fail)
        data, _ = widget._repr_mimebundle_()
        widget.close()
        assert "application/vnd.jupyter.widget-view+json" in data
        assert "image/png" not in data
        assert f"no picture: {type(error).__name__}" in data["text/plain"]
        assert data["text/plain"].replace("\n", "").isprintable()

    def test_a_picture_comes_under_any_style(self) -> None:
        """A broken setting of the user costs nothing."""
        widget = amp.widgets.Scope(rendered())
        with mpl.rc_context({"text.usetex": True}):
            dict.__setitem__(mpl.rcParams, "figure.facecolor", "no colour")
            data, _ = widget._repr_mimebundle_()
        widget.close()
        assert "image/png" in data
