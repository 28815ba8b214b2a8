"""A render as one self-contained HTML file."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import options
from amp_lab.analysis import measure_levels
from amp_lab.common import atomic_files
from amp_lab.errors import plain, visible
from amp_lab.export import pictures, player
from amp_lab.export.html_parts import attempt, style_sheet
from amp_lab.plots import style
from amp_lab.render.render import Render

MAX_NODES = 200
"""Rows of the table of nodes: those that took most time, and one for all others."""
_PLAYERS = 4


def html_report(
    render: Render,
    path: str | Path,
    *,
    title: str | None = None,
    verdict_lines: Iterable[str] = (),
) -> Path:
    """Write one self-contained HTML file about `render` and return its path.

    It holds player, waveform, spectrum, spectrogram, heat, timeline, levels, metrics per node and
    provenance, and needs no network.

    Parameters
    ----------
    path : where to write
    title : heading; the name of the render by default
    verdict_lines : text of golden verdicts, shown under the heading

    Raises
    ------
    InvalidArgument
        If the render has no frames.
    FileError
        If the file cannot be written; an old file is then unchanged.

    Examples
    --------
    >>> from amp_lab.export.html_report import html_report
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> path = html_report(g.render(frames=480), "beep.html", title="A beep")
    >>> path.read_text()[:15]
    '<!doctype html>'
    """
    where = f"{plain(render.name)}.report"
    atomic_files.check(path, where)
    title = plain(render.name) if title is None else visible(title)
    drawn = pictures.drawings(render, options.FIGURES, cold=True).values()
    figures = "".join(
        f'<section><h2 class="unseen">{html.escape(one.picture.heading)}</h2>{shown}</section>'
        for one in drawn
        if (shown := one.page_html())
    )
    parts = (
        _header(render, title, verdict_lines),
        section("Listen", lambda: _sounds(render)),
        section("Levels", lambda: _levels(render)),
        figures,
        section("Nodes", lambda: _nodes(render)),
        section("Provenance", lambda: _provenance(render)),
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title></head>"
        f'<body style="margin:0"><div class="amp-report page"><style>{style_sheet("display")}'
        f"{style_sheet('report')}</style><main>{''.join(parts)}</main></div></body></html>\n"
    )
    return atomic_files.write(path, page.encode(errors="backslashreplace"), where)


def section(heading: str, content: Callable[[], str]) -> str:
    """Return a section of the page; if its content fails, a sentence in its place."""
    return f"<section><h2>{heading}</h2>{attempt(heading, content)}</section>"


def _sounds(render: Render) -> str:
    batches = render.audio.shape[0]
    codec = options.display.codec
    players = [player.player(render, batch, codec=codec) for batch in range(min(_PLAYERS, batches))]
    if batches > _PLAYERS:
        players.append(f'<p class="muted">Batch 0 to {_PLAYERS - 1} of {batches:,} can be heard here.</p>')
    return player.clipping_note(render) + "".join(players)


def _header(render: Render, title: str, verdict_lines: Iterable[str]) -> str:
    lines = "".join(
        f'<li class="{_outcome(line)}"><code>{html.escape(visible(line))}</code></li>'
        for line in verdict_lines
    )
    verdicts = f'<ul class="verdicts" aria-label="Golden verdicts">{lines}</ul>' if lines else ""
    return (
        f"<header><h1>{html.escape(title)}</h1>"
        f'<p class="muted"><code>{html.escape(visible(repr(render)))}</code></p>{verdicts}</header>'
    )


def _outcome(line: str) -> str:
    words = line.replace(":", " ").split()
    return "pass" if "PASS" in words else "fail" if "FAIL" in words else "note"


def _levels(render: Render) -> str:
    levels = measure_levels(render.audio, render.sample_rate)
    tiles = {
        "duration": f"{levels.frames / levels.sample_rate:.3f} s",
        "sample rate": f"{levels.sample_rate:g} Hz",
        "peak": _db(np.fmax.reduce(levels.peak_db, axis=None), "dBFS"),
        "true peak": _db(levels.true_peak_db.max(), "dBTP"),
        "loudness": _db(np.max(levels.loudness_lufs), "LUFS"),
    }
    cells = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in tiles.items())
    rows = [
        (
            f"batch {b} channel {c}",
            _db(levels.peak_db[b, c]),
            _db(levels.true_peak_db[b, c]),
            _db(levels.rms_db[b, c]),
            _db(levels.crest_db[b, c]),
            f"{levels.dc[b, c]:.2e}",
        )
        for b, c in list(np.ndindex(levels.peak_db.shape))[:16]
    ]
    head = ("signal", "peak (dBFS)", "true peak (dBTP)", "RMS (dB)", "crest (dB)", "DC")
    bad = int(levels.nonfinite.sum())
    note = f'<p class="muted">{style.count(bad, "non-finite sample")} left out.</p>' if bad else ""
    return f'<dl class="tiles">{cells}</dl>{note}{_table(head, rows)}'


def _db(value: Any, unit: str = "") -> str:
    if math.isnan(value):
        return "n/a"
    return f"{value + 0.0:.2f} {unit}".strip() if math.isfinite(value) else "-∞" if value < 0 else "∞"


def _nodes(render: Render) -> str:
    total = sum(m.seconds for m in render.metrics.values())
    heat = _heat_by_node(render)
    rows = []
    slowest = sorted(render.metrics.items(), key=lambda item: (-item[1].seconds, item[0]))
    for name, m in slowest[:MAX_NODES]:
        share = m.seconds / total if total > 0.0 else 0.0
        rows.append(
            (
                html.escape(plain(name)),
                f"{1e3 * m.seconds:.3f}",
                f'<span class="bar" style="--share:{share:.1%}"></span>{share:.1%}',
                f"{m.calls:,}",
                f"{m.frames:,}",
                f"{1e9 * m.seconds / m.frames:.2f}" if m.frames else "n/a",
                _joules(heat[name]),
            )
        )
    if others := [m for _, m in slowest[MAX_NODES:]]:
        seconds = sum(m.seconds for m in others)
        share = seconds / total if total > 0.0 else 0.0
        rows.append((f"{len(others):,} others", f"{1e3 * seconds:.3f}", f"{share:.1%}", "", "", "", ""))
    head = ("node", "time (ms)", "share", "calls", "frames", "ns / frame", "heat")
    return _table(head, rows)


def _heat_by_node(render: Render) -> dict[str, float]:
    """Accumulated heat in joules; from the metrics, else up to the last full window of the heat record."""
    recorded: dict[str, float] = {}
    if render.heat is not None and np.size(render.heat.total_j):
        recorded = {n: float(h[-1]) for n, h in zip(render.heat.nodes, render.heat.total_j, strict=True)}
    return {
        name: recorded.get(name, math.nan) if math.isnan(m.heat_j) else m.heat_j
        for name, m in render.metrics.items()
    }


def _joules(heat: float) -> str:
    if math.isnan(heat):
        return "n/a"
    factor, prefix = style.si(heat)
    return f"{heat * factor:.3g} {prefix}J" if heat else "0"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Build a table whose first column names the row; cells are HTML."""
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    return f'<div class="scroll"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>'


def _provenance(render: Render) -> str:
    facts = {"audio SHA-256": render.digest, **render.provenance}
    items = "".join(
        f"<dt>{html.escape(str(key).replace('_', ' '))}</dt>"
        f"<dd><code>{html.escape(visible(str(value)))}</code></dd>"
        for key, value in facts.items()
    )
    return f'<dl class="facts">{items}</dl>'
