"""Common style of all figures, independent of the user's Matplotlib style: colours, type, grid, units."""

from __future__ import annotations

import functools
import io
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, cast
from weakref import WeakSet

import numpy as np
from matplotlib import style as styles
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.text import Text

from amp_lab.analysis import arguments
from amp_lab.analysis.signals import FloatArray
from amp_lab.common import checks
from amp_lab.errors import visible

P = ParamSpec("P")

PALETTE = ("#1f6fb2", "#d55e00", "#009e73", "#b6609a", "#e0a100", "#56b4e9", "#6b4c9a", "#7f7f7f")
"""After Okabe and Ito, "Color Universal Design", 2008; distinguishable with any colour vision."""
MOST_DPI = 2400
INK = "#22272e"
MUTED = "#6a737d"
GRID = "#e3e6ea"
FAULT = "#d0021b"
TINT = "#f6e8d8"
SEQUENTIAL = "magma"
ORDINAL = "viridis"

WIDTH_IN = 9.0
DPI = 100
NAME_CHARACTERS = 24
"""Longest name of a node in a figure; the middle of a longer one is left out."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SEPARATOR = "  ·  "
_TITLE_IN, _NOTE_IN = 0.102, 0.062
"""Mean width of a character of a title (11 points, bold) and of a note (8.5 points)."""
MAX_ROWS = 8
"""Signals drawn in one figure; more are counted in its title."""

_LOOK = threading.RLock()
_OURS: WeakSet[Figure] = WeakSet()
"""Figures made here; those of the user keep the user's style."""


# ---- what holds for all of a figure ----


@contextmanager
def look() -> Iterator[None]:
    """Matplotlib's own defaults, for one thread at a time, while a figure is made or encoded.

    They are global to the process, as `matplotlib.rc_context` is: what a user's own thread draws meanwhile
    gets them too.
    """
    with _LOOK, styles.context("default"):
        yield


def drawing(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a function draw in the common look, and all texts that it writes literal.

    ``ax=`` is the user's: only what is inside it changes. A wrong call is answered as by `checks.keywords`,
    and numbers are checked by `arguments.annotated`.
    """
    called, check_numbers = checks.keywords(function), arguments.annotated(function)

    @functools.wraps(function)
    def drawn(*args: P.args, **options: P.kwargs) -> Figure:
        __tracebackhide__ = True  # IPython and pytest leave the frame out
        check_numbers(*args, **options)
        with look():
            figure = called(*args, **options)
            literal(cast("Axes | None", options.get("ax")) or figure)
        return figure

    return drawn


def literal(part: Artist) -> None:
    """Show every text of a figure or of axes as it is: no mathtext, no TeX, nothing unprintable."""
    for text in cast("list[Text]", part.findobj(Text)):
        text.set_usetex(False)
        text.set_parse_math(False)
        shown = visible(text.get_text(), keep="\n")
        if shown != text.get_text():
            text.set_text(shown)


# ---- parts ----


def colour(index: int) -> str:
    """Colour of the signal or node at `index`."""
    return PALETTE[index % len(PALETTE)]


def new_figure(height_in: float, *, width_in: float = WIDTH_IN) -> Figure:
    """Return an empty figure on the Agg canvas, laid out by constraints."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    _OURS.add(figure)
    return figure


def panels(
    ax: Axes | None, heights: list[float], *, share_x: bool = True, width_in: float = WIDTH_IN
) -> tuple[Figure, list[Axes]]:
    """One axes per entry of `heights` (inches), in a new figure or inside the area of `ax`."""
    if ax is None:
        figure = new_figure(sum(heights) + 0.5, width_in=width_in)
        grid = figure.subplots(
            len(heights), 1, sharex=share_x, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        return figure, [dress(a) for a in grid[:, 0]]
    figure = page(ax)
    if len(heights) == 1:
        return figure, [dress(ax)]
    ax.set_axis_off()
    return figure, _inset_rows(ax, heights, share_x)


def page(ax: Axes) -> Figure:
    """Return the figure of `ax`, made light: on the page of a dark style labels would be ink on black."""
    figure = cast(Figure, ax.get_figure(root=True))
    figure.set_facecolor("white")
    return figure


def _inset_rows(ax: Axes, heights: list[float], share_x: bool) -> list[Axes]:
    gap = 0.06 if share_x else 0.16
    scale = (1.0 - gap * (len(heights) - 1)) / sum(heights)
    axes: list[Axes] = []
    top = 1.0
    for height in heights:
        shared: dict[str, Any] = {"sharex": axes[0]} if share_x and axes else {}
        axes.append(dress(ax.inset_axes((0.0, top - height * scale, 1.0, height * scale), **shared)))
        top -= height * scale + gap
    for upper in axes[:-1] if share_x else ():
        upper.tick_params(labelbottom=False)
    return axes


def dress(ax: Axes) -> Axes:
    """Give `ax` the common look."""
    ax.set_facecolor("white")
    ax.grid(True, color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9, colors=MUTED, labelcolor=INK, length=3, width=0.7)
    for name, spine in ax.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color("#aab1b8")
        spine.set_linewidth(0.8)
    return ax


def title(ax: Axes, text: str, note: str = "") -> None:
    """Set what is shown in bold, and how it was obtained in a lighter line beside it, or below if long."""
    width = width_of(ax)
    text, note = short(text, max(NAME_CHARACTERS, int(width / _TITLE_IN))), visible(note)
    beside = len(text) * _TITLE_IN + len(note) * _NOTE_IN < width
    lines = wrapped(note, width).count("\n") + 1 if note and text and not beside else 0
    ax.set_title(text + "\n" * lines, loc="left", fontsize=11, fontweight="bold", color=INK, pad=8)
    if note:
        ax.set_title(wrapped(note, width), loc="right", fontsize=8.5, color=MUTED, pad=8)


def width_of(ax: Axes) -> float:
    """Width of `ax` in inches before its layout, which leaves it somewhat more."""
    return ax.get_position().width * cast(Figure, ax.get_figure(root=True)).get_figwidth()


def wrapped(note: str, width_in: float) -> str:
    """Break a note into lines of at most `width_in` inches, between its parts where possible."""
    characters = max(NAME_CHARACTERS, int(width_in / _NOTE_IN))
    lines = [""]
    for part in note.split(_SEPARATOR):
        longer = joined(lines[-1], part)
        if len(longer) <= characters:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(textwrap.fill(line, characters) for line in lines if line)


def short(name: str, characters: int = NAME_CHARACTERS) -> str:
    """Return a name on one printable line; the middle of a long one is left out."""
    name = visible(name)
    if len(name) <= characters:
        return name
    tail = (characters - 1) // 2
    return f"{name[: characters - 1 - tail]}…{name[-tail:]}"


def power(delay_frames: int) -> str:
    """``z⁻⁴⁸⁰``, an edge delay of so many frames."""
    return "z" + f"-{delay_frames}".translate(_SUPERSCRIPT)


def count(number: int, what: str) -> str:
    """Write a number with its noun: `1 frame`, `1,000 frames`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def label(ax: Axes, *, x: str = "", y: str = "") -> None:
    """Name the axes, with units."""
    if x:
        ax.set_xlabel(x, fontsize=9.5, color=INK)
    if y:
        ax.set_ylabel(y, fontsize=9.5, color=INK)


def entry(name: str) -> str:
    """Return the ``label=`` of what a legend is to show: Matplotlib leaves out what begins with ``_``."""
    name = short(name)
    return f" {name}" if name.startswith("_") else name


def legend(ax: Axes, *given: Any, **where: Any) -> None:
    """Draw a light legend of the labels made by `entry`, or of the handles and labels given."""
    colours: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "labelcolor": INK}
    drawn = ax.legend(*given, **({"fontsize": 8.5, "frameon": True, "framealpha": 0.85} | colours | where))
    for text in drawn.get_texts():
        text.set_text(text.get_text().removeprefix(" "))


def colourbar(mappable: ScalarMappable, axes: list[Axes], name: str, *, pad: float = 0.012) -> None:
    """Draw the scale of `mappable` to the right of `axes`; of the last only, if they are insets."""
    figure = cast(Figure, axes[-1].get_figure(root=True))
    if axes[-1].get_subplotspec() is None:
        bar = figure.colorbar(mappable, cax=axes[-1].inset_axes((1.0 + 1.5 * pad, 0.0, 0.025, 1.0)))
    else:
        bar = figure.colorbar(mappable, ax=axes, pad=pad, aspect=22 * len(axes), fraction=0.05)
    bar.set_label(name, fontsize=9.5, color=INK)
    bar.ax.tick_params(labelsize=9, colors=MUTED, labelcolor=INK, length=3)
    bar.outline.set_visible(False)


def time_unit(seconds: float) -> tuple[float, str]:
    """Scale and name of the unit in which `seconds` is easy to read."""
    for limit, scale, name in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return scale, name
    return 1.0, "s"


def si(value: float) -> tuple[float, str]:
    """Scale and SI prefix for values up to `value`."""
    for limit, scale, prefix in ((1e-6, 1e9, "n"), (1e-3, 1e6, "µ"), (1.0, 1e3, "m"), (1e3, 1.0, "")):
        if abs(value) < limit:
            return scale, prefix
    return 1e-3, "k"


def rows_of(audio: FloatArray) -> tuple[list[tuple[int, int]], str]:
    """(batch, channel) of the signals to draw, and a note if some are left out."""
    every = [(b, c) for b in range(audio.shape[0]) for c in range(audio.shape[1])]
    note = f"first {MAX_ROWS} of {len(every)} signals" if len(every) > MAX_ROWS else ""
    return every[:MAX_ROWS], note


def signal_name(shape: tuple[int, ...], batch: int, channel: int) -> str:
    """Name of one signal of a (batch, channel, frame) array of `shape`; left and right if stereo."""
    channels = {1: ("mono",), 2: ("left", "right")}.get(shape[1])
    name = channels[channel] if channels else f"ch {channel}"
    return name if shape[0] == 1 else f"batch {batch} {name}"


def joined(*notes: str) -> str:
    """Join the notes that are not empty into one line."""
    return _SEPARATOR.join(note for note in notes if note)


def png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """Encode `figure` as PNG; one that was not made here in the style of its maker.

    Examples
    --------
    >>> figure = amp.plots.waveform(amp.measure.tone(480, 48_000.0, 440.0), 48_000.0)
    >>> amp.plots.png(figure, dpi=50)[1:4]
    b'PNG'
    """
    arguments.whole("png.dpi", dpi, 1, MOST_DPI, "Give dots per inch, such as 100.")
    buffer = io.BytesIO()
    if figure not in _OURS:
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()
    with look(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # shown as a box
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def register_in_notebook() -> None:
    """Let a notebook show figures as PNG, as they were made with no help of pyplot."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["image/png"].for_type(Figure, png)


def finite_max(values: FloatArray, default: float) -> float:
    """Largest finite value, or `default` if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else default
