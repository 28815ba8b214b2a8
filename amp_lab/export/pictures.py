"""Figures of a render as PNG: one that fails becomes a sentence, and all together fit a budget."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from amp_lab import plots
from amp_lab.export.html_parts import attempt
from amp_lab.render.render import Render

Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A figure that is not drawn yet: heading, alternative text, and the function that draws it."""

    heading: str
    alt: str
    draw: Callable[[], Figure | None]
    keeps_colours: bool = False


@dataclass(frozen=True)
class Palette:
    """Most colours of a PNG, and how far apart two have to be (0 to 255) to count as two."""

    colours: int
    distance: int


PAGE_DPI = 150
"""Dots per inch in a report, which has every colour."""
QUALITIES: tuple[tuple[int, tuple[Palette, ...]], ...] = (
    (120, (Palette(48, 16), Palette(32, 24), Palette(16, 40))),
    (100, (Palette(24, 32),)),
    (72, (Palette(16, 32),)),
)
"""Dots per inch and palettes that a display tries, best first."""


def drawings(render: Render, names: Collection[str], *, cold: bool = False) -> dict[str, Drawing]:
    """Draw the figures of these names, in the order of `options.FIGURES`; `cold` draws heat of 0 J, too."""
    audio, rate = render.audio, render.sample_rate
    seconds = f"{audio.shape[-1] / rate:.3g} s"
    firings = "" if render.trace is None else ", and firings in wall time"
    every = {
        "waveform": Picture(
            "Waveform", f"Amplitude over {seconds}, a row per channel", lambda: plots.waveform(audio, rate)
        ),
        "spectrum": Picture("Spectrum", "Level in dBFS over frequency", lambda: plots.spectrum(audio, rate)),
        "spectrogram": Picture(
            "Spectrogram",
            "Level in dBFS over time and frequency",
            lambda: plots.spectrogram(audio, rate),
            keeps_colours=True,
        ),
        "heat": Picture(
            "Heat", "Power, accumulated heat and temperature per node", lambda: _heat(render, cold)
        ),
        "timeline": Picture(
            "Timeline",
            f"Nodes and edges of the plan{firings}",
            lambda: plots.timeline(render.plan.info, render.trace, rate, schedule=render.schedule),
        ),
        "delays": Picture(
            "Delays", "Starts, latency and what edges hold, on virtual time", lambda: _delays(render)
        ),
    }
    return {name: Drawing(picture) for name, picture in every.items() if name in names}


class Drawing:
    """A picture that is drawn once, and once per resolution; what fails is the sentence to show instead."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.figure = attempt(picture.heading, picture.draw)
        self._dots: dict[int, Pixels | str] = {}

    def dots(self, dpi: int) -> Pixels | str:
        """Return its pixels (row, column, 3), or the sentence in their place; empty if it shows nothing."""
        figure = self.figure
        if not isinstance(figure, Figure):
            return figure or ""
        if dpi not in self._dots:
            self._dots[dpi] = attempt(self.picture.heading, lambda: _raster(figure, dpi))
        return self._dots[dpi]

    def html(self, dpi: int, palette: Palette) -> str:
        """Return it with few colours."""
        dots = self.dots(dpi)
        return dots if isinstance(dots, str) else _figure(self.picture, encoded(dots, palette))

    def page_html(self) -> str:
        """Return it with every colour, for a report."""
        figure = self.figure
        if not isinstance(figure, Figure):
            return figure or ""
        png = attempt(self.picture.heading, lambda: plots.png(figure, dpi=PAGE_DPI))
        return png if isinstance(png, str) else _figure(self.picture, png)


def within(drawings: Sequence[Drawing], most: int) -> list[tuple[str, str]]:
    """Return heading and HTML of each, drawn as well as `most` bytes allow.

    If the worst quality is too large too, figures that do not fit are replaced by a sentence.
    """
    shown: list[tuple[str, str]] = []
    for dpi, palettes in QUALITIES:
        for palette in palettes:
            every = [(drawing.picture.heading, drawing.html(dpi, palette)) for drawing in drawings]
            shown = [(heading, text) for heading, text in every if text]
            if sum(len(text) for _, text in shown) <= most:
                return shown
    return _those_that_fit(shown, most)


def poster(drawings: Sequence[Drawing], most: int) -> str:
    """Return one PNG of all in base64, of at most `most` bytes; empty if that cannot be."""
    for dpi, palettes in QUALITIES:
        rows = [dots for drawing in drawings if not isinstance(dots := drawing.dots(dpi), str)]
        for palette in palettes if rows else ():
            data = base64.b64encode(encoded(np.concatenate(rows), palette)).decode("ascii")
            if len(data) <= most:
                return data
    return ""


def encoded(dots: Pixels, palette: Palette) -> bytes:
    """Encode pixels as PNG with few colours."""
    table = Image.new("P", (1, 1))
    table.putpalette(_chosen_colours(dots, palette).tobytes())
    buffer = io.BytesIO()
    Image.fromarray(dots).quantize(palette=table, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _raster(figure: Figure, dpi: int) -> Pixels:
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _figure(picture: Picture, png: bytes) -> str:
    kind = ' class="colour"' if picture.keeps_colours else ""
    alt = html.escape(f"{picture.heading}: {picture.alt}")
    data = base64.b64encode(png).decode("ascii")
    return f'<figure><img{kind} alt="{alt}" src="data:image/png;base64,{data}"></figure>'


def _those_that_fit(shown: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    kept: list[tuple[str, str]] = []
    for heading, text in shown:
        spent = sum(len(other) for _, other in kept)
        why = f"{heading} is left out: it does not fit into options.display.figures_bytes."
        kept.append((heading, text if spent + len(text) <= most else f'<p class="muted">{why}</p>'))
    return kept


def _chosen_colours(pixels: Pixels, palette: Palette) -> Pixels:
    """Return 256 colours: the most frequent ones, each `distance` from all before, then the first again.

    Lines and letters keep their exact colours this way; a palette of means would mix two curves into one.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    values, counts = np.unique(red << 16 | green << 8 | blue, return_counts=True)
    values = values[np.argsort(-counts.astype(np.int64), kind="stable")]
    colours = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.int64)
    chosen: list[npt.NDArray[np.int64]] = []
    free = np.ones(len(colours), dtype=bool)
    while free.any() and len(chosen) < palette.colours:
        chosen.append(colours[int(np.argmax(free))])
        free &= np.abs(colours - chosen[-1]).max(axis=1) > palette.distance
    return np.array(chosen + [chosen[0]] * (256 - len(chosen)), dtype=np.uint8)


def _heat(render: Render, cold: bool) -> Figure | None:
    if render.heat is None or not (cold or np.any(render.heat.total_j)):
        return None
    return plots.thermo(render.heat)


def _delays(render: Render) -> Figure | None:
    if not any(node["latency_frames"] for node in render.plan.info["nodes"]):
        return None
    return plots.delays(render.plan.info, render.trace, render.metrics, render.sample_rate)
