"""The boxes and lines of a graph."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from amp_lab import catalog
from amp_lab.errors import plain
from amp_lab.graph.edits.journal import present
from amp_lab.plots import graph_layout, style

if TYPE_CHECKING:
    from amp_lab.graph.edits.states import State
    from amp_lab.graph.graph import Graph
    from amp_lab.graph.records.model import Link

PIXELS_PER_INCH = 150.0
MAX_WIDTH_IN, MAX_HEIGHT_IN = 14.0, 9.0
PICTURED = 100
"""Nodes of the largest graph that a notebook shows as a picture: more take seconds, and cannot be read."""
PICTURE_DPI = 72


@style.drawing
def graph(state: State, *, name: str = "graph", ax: Axes | None = None) -> Figure:
    """Draw nodes in the columns of their stages, audio as full and modulation as broken lines.

    Parameters
    ----------
    state
        Of a journal; nodes without a place get one.

    Examples
    --------
    >>> from amp_lab.graph.edits.journal import Journal
    >>> figure = amp.plots.graph(Journal.of(amp.presets.three_osc()).state, name="three_osc")
    >>> figure.axes[0].get_title(loc="right")
    '16 nodes  ·  10 edges  ·  8 modulations'
    """
    contracts = {record.type: catalog.contract(record.type) for record in state.nodes.values()}
    places = {**graph_layout.settle(state, contracts), **state.places} if state.nodes else {}
    boxes = {n: (*places[n], graph_layout.height(contracts[r.type])) for n, r in state.nodes.items()}
    right = max((x + graph_layout.WIDTH for x, _, _ in boxes.values()), default=1.0)
    bottom = max((y + h for _, y, h in boxes.values()), default=1.0)
    left, top = (min((box[i] for box in boxes.values()), default=0.0) for i in (0, 1))
    width, height = (right - left + 60) / PIXELS_PER_INCH, (bottom - top + 60) / PIXELS_PER_INCH
    shrink = min(1.0, MAX_WIDTH_IN / width, MAX_HEIGHT_IN / height)
    figure, (canvas,) = style.panels(ax, [max(height * shrink, 0.6)], width_in=max(width * shrink, 4.0))
    canvas.set_axis_off()
    canvas.set_xlim(left - 30, right + 30)
    canvas.set_ylim(bottom + 30, top - 30)
    canvas.set_aspect("equal")
    for edge in state.edges.values():
        _line(canvas, boxes[edge.src], boxes[edge.dst], "audio", shrink, edge)
    for modulation in state.modulations.values():
        _line(canvas, boxes[modulation.src], boxes[modulation.dst], "modulation", shrink, modulation)
    groups = sorted({contract.group for contract in contracts.values()})
    for node, record in state.nodes.items():
        group = contracts[record.type].group
        _box(canvas, node, record.type, boxes[node], style.colour(groups.index(group)), shrink)
    counts = (style.count(len(state.nodes), "node"), style.count(len(state.edges), "edge"),
              style.count(len(state.modulations), "modulation"))  # fmt: skip
    style.title(canvas, name, style.joined(*counts))
    return figure


def mimebundle(of: Graph) -> dict[str, str]:
    """Return what a notebook shows of a graph: its line, and a small PNG unless it is empty or large."""
    shown, state = {"text/plain": repr(of)}, present(of)
    if 0 < len(state.nodes) <= PICTURED:
        try:
            png = style.png(graph(state, name=of.name), dpi=PICTURE_DPI)
            shown["image/png"] = base64.b64encode(png).decode()
        except Exception as error:  # whatever a font or a style does, the line is shown
            shown["text/plain"] += f"\nno picture: {type(error).__name__}: {plain(error, 400)}"
    return shown


def _box(ax: Axes, name: str, kind: str, box: tuple[float, float, float], colour: str, shrink: float) -> None:
    x, y, height = box
    for width, face, edge, order in ((graph_layout.WIDTH, "white", "#aab1b8", 3), (7.0, colour, "none", 4)):
        patch = FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=7",
            linewidth=0.9 * shrink,
            facecolor=face,
            edgecolor=edge,
            zorder=order,
        )
        ax.add_patch(patch)
    middle = y + height / 2
    for text, offset, size, ink, weight in (
        (style.short(name, 20), -9, 8.5, style.INK, "bold"),
        (style.short(kind, 22), 11, 7.5, style.MUTED, "normal"),
    ):
        ax.text(
            x + 18, middle + offset, text, size=size * shrink, color=ink, weight=weight, va="center", zorder=5
        )


def _line(
    ax: Axes,
    src: tuple[float, float, float],
    dst: tuple[float, float, float],
    kind: str,
    shrink: float,
    link: Link,
) -> None:
    x0, y0 = src[0] + graph_layout.WIDTH, src[1] + src[2] / 2
    x1, y1 = dst[0], dst[1] + dst[2] / 2
    bend = max(40.0, abs(x1 - x0) / 2)
    points = [(x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3]
    label = (x0 + x1) / 2, (y0 + y1) / 2
    if x1 < x0:  # back over the boxes it passes, not behind them
        top = min(src[1], dst[1]) - 24
        points = [(x0, y0), (x0 + 48, y0), (x0 + 48, top), (x0, top), (x1, top)]
        points += [(x1 - 48, top), (x1 - 48, y1), (x1, y1)]
        codes = [*codes, Path.LINETO, *[Path.CURVE4] * 3]
        label = (x0 + x1) / 2, top - 3
    path = Path(points, codes)
    colour, dash = ("#5b6570", "-") if kind == "audio" else ("#b6609a", "--")
    ax.add_patch(
        PathPatch(path, facecolor="none", edgecolor=colour, linestyle=dash, linewidth=1.2 * shrink, zorder=2)
    )
    if link.delay_frames:
        text = style.power(link.delay_frames)
        ax.text(*label, text, size=7.5 * shrink, color=style.MUTED, ha="center", va="bottom", zorder=6)
