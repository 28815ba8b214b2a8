"""A picture of each node type's worked cases: what goes in and what comes out, as SVG text.

It is text so that a check compares every character: all levels and compilers give the same samples.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

import numpy as np

from amp_lab import catalog
from amp_lab.golden import node_cases
from amp_lab.golden.node_cases import NodeCase, Samples

PICTURES = Path(__file__).resolve().parent / "pictures" / "cases"
WIDE, HIGH = 240, 80
"""Units of a plot: columns of samples, and from the highest value to the lowest."""
FRAMES = 2 * WIDE
"""Most frames that are shown, the first of a case."""
CELL_WIDE, CELL_HIGH, ABREAST, LETTERS = WIDE + 40, HIGH + 56, 3, 50
INPUT, OUTPUTS = "#9aa4ae", ("#1f6fb2", "#d55e00")


def pictures() -> dict[Path, str]:
    """The picture of every type, by its path."""
    return {PICTURES / f"{type_id}.svg": picture(type_id) for type_id in catalog.types()}


@cache
def picture(type_id: str) -> str:
    """Return the cases of a type side by side."""
    cases = node_cases.of(type_id)
    abreast = min(ABREAST, len(cases))
    width, height = CELL_WIDE * abreast, CELL_HIGH * -(-len(cases) // abreast)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="worked cases of {type_id}">',
        "<style>text{font:11px sans-serif;fill:#1d232a}.p{font-size:8.5px;fill:#66707b}"
        "path{fill:none;stroke-width:1;stroke-opacity:.85}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, case in enumerate(cases):
        row, column = divmod(place, abreast)
        parts += [f'<g transform="translate({CELL_WIDE * column + 34} {CELL_HIGH * row + 40})">']
        parts += [*_panel(case), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def caption(type_id: str) -> str:
    """Return what the picture shows."""
    return (
        f"The worked cases of {type_id}: grey what goes in, blue and orange the first channels of what "
        "comes out."
    )


def _panel(case: NodeCase) -> Iterator[str]:
    graph, controls = case.graph()
    audio = graph.render(frames=case.case.frames, controls=controls, isolation="none").audio[0]
    rows = [(colour, audio[c, :FRAMES]) for c, colour in enumerate(OUTPUTS) if c < audio.shape[0]]
    if case.case.stimulus != "none":
        shown = node_cases.stimulus(case.case.stimulus, 1, case.case.frames)[0, 0, :FRAMES]
        rows.insert(0, (INPUT, shown))
    of = "" if case.case.frames <= FRAMES else f"the first {FRAMES} of "
    frames = f"{of}{case.case.frames} frames"
    limit = max(float(np.abs(row).max()) for _, row in rows) or 1.0
    yield f'<text x="0" y="-27">{escape(case.case.key)}</text>'
    said = f"{case.case.stimulus}; {case.case.params}".removeprefix("none; ").removesuffix("; ")
    for line, words in enumerate(textwrap.wrap(said, LETTERS)):
        yield f'<text class="p" x="0" y="{10 * line - 16}">{escape(words)}</text>'
    for y, value in ((0, limit), (HIGH // 2, 0.0), (HIGH, -limit)):
        yield f'<path stroke="#d9dee4" d="M0 {y}H{WIDE}"/>'
        yield f'<text class="p" x="-3" y="{y + 3}" text-anchor="end">{value:.3g}</text>'
    for colour, row in rows:
        yield f'<path stroke="{colour}" d="{_line(row, limit)}"/>'
    yield f'<text class="p" x="{WIDE}" y="{HIGH + 11}" text-anchor="end">{frames}</text>'


def _line(row: Samples, limit: float) -> str:
    """Return a path: a step per sample, or the range of the samples of each column."""
    ys = np.round(HIGH / 2 * (1.0 - row / limit), 1)  # whole units would make steps of a ramp
    if row.size <= WIDE:
        edges = np.round(np.arange(row.size + 1) * WIDE / row.size).astype(int)
        steps = (f"V{y:g}H{x}" for y, x in zip(ys, edges[1:], strict=True))
        return f"M0 {ys[0]:g}" + "".join(steps)
    edges = np.arange(WIDE + 1) * row.size // WIDE
    path = f"M0 {ys[0]:g}"
    for column in range(WIDE):
        inside = ys[max(0, edges[column] - 1) : edges[column + 1]]
        low, high = inside.min(), inside.max()
        path += f"V{low:g}V{high:g}" if low < high else f"V{low:g}"
        path += "h1"
    return path
