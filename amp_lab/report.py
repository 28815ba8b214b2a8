"""A render as a person sees it: rich display in a notebook, and one self-contained HTML file."""

from __future__ import annotations

import base64
import html
import io
import math
import wave
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from amp_lab import plots
from amp_lab.analysis import FloatArray, Measurement, measure_levels
from amp_lab.analysis.signals import SILENCE_DB, decibels
from amp_lab.plots import style
from amp_lab.plots.heat import HeatLike
from amp_lab.plots.schedule import ScheduleLike, TraceLike

EXCERPT_S = 60.0
"""Longest sound embedded in a page."""
MAX_NODES = 200
"""Rows of the table of nodes: those that took most time, and one for all others."""
_PLAYERS = 4
_PCM_PEAK = 32_767


class NodeMetricsLike(Protocol):
    """What one node did in a render."""

    @property
    def seconds(self) -> float:
        """Time spent in the node."""

    @property
    def frames(self) -> int:
        """Frames fired."""

    @property
    def calls(self) -> int:
        """Firings."""

    @property
    def measured_delay_frames(self) -> int:
        """Frames its newest output token lags its newest input token."""

    @property
    def heat_j(self) -> float:
        """Accumulated heat."""


class PlanLike(Protocol):
    """A compiled plan."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Nodes in execution order, components and edges."""


class RenderLike(Protocol):
    """The public part of a render that is shown."""

    @property
    def name(self) -> str:
        """Name of the graph."""

    @property
    def audio(self) -> FloatArray:
        """Samples (batch, channel, frame)."""

    @property
    def sample_rate(self) -> float:
        """Frames per second."""

    @property
    def metrics(self) -> Mapping[str, NodeMetricsLike]:
        """Per node, by name."""

    @property
    def heat(self) -> HeatLike | None:
        """Heat per node, or None if it was not recorded."""

    @property
    def trace(self) -> TraceLike | None:
        """Firings, or None if they were not recorded."""

    @property
    def plan(self) -> PlanLike:
        """The plan that ran."""

    @property
    def schedule(self) -> ScheduleLike | None:
        """The order it fired in, or None for the plan's own."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, build, ISA, digests."""

    @property
    def digest(self) -> str:
        """SHA-256 of the audio bits."""


@dataclass(frozen=True)
class _Picture:
    heading: str
    alt: str
    png: bytes
    keeps_colours: bool = False


def render_mimebundle(render: RenderLike) -> dict[str, str]:
    """Rich display: stable text, HTML with player and figures, one PNG (base64) where HTML is stripped."""
    if not render.audio.size:
        return {"text/plain": repr(render)}
    pictures = _pictures(render, dpi=style.DPI)
    figures = "".join(f"<section>{_figure(p)}</section>" for p in pictures)
    body = (
        f'<div class="amp inline"><style>{_css()}</style><section>{_players(render, 1)}'
        f'<p class="muted"><code>{html.escape(repr(render))}</code></p></section>'
        f'<div class="grid">{figures}</div></div>'
    )
    return {"text/plain": repr(render), "text/html": body, "image/png": _base64(_poster(render))}


def html_report(
    render: RenderLike,
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
    """
    title = render.name if title is None else title
    levels = measure_levels(render.audio, render.sample_rate)
    figures = "".join(
        f'<section><h2 class="unseen">{html.escape(p.heading)}</h2>{_figure(p)}</section>'
        for p in _pictures(render, dpi=150, everything=True)
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_css()}</style></head>"
        f'<body class="amp"><main>{_header(render, title, verdict_lines)}'
        f"<section><h2>Listen</h2>{_players(render, _PLAYERS)}</section>"
        f"{_levels(levels)}{figures}{_nodes(render)}{_provenance(render)}</main></body></html>\n"
    )
    target = Path(path)
    target.write_text(page, encoding="utf-8")
    return target


def wav_bytes(audio: FloatArray, sample_rate: float) -> bytes:
    """Encode (channel, frame) within ±1 as 16-bit WAV."""
    pcm = np.round(audio * _PCM_PEAK).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(audio.shape[0])
        file.setsampwidth(2)
        file.setframerate(round(sample_rate))
        file.writeframes(np.ascontiguousarray(pcm.T).tobytes())
    return buffer.getvalue()


def _pictures(render: RenderLike, *, dpi: int, everything: bool = False) -> list[_Picture]:
    audio, rate = render.audio, render.sample_rate
    seconds = f"{audio.shape[-1] / rate:.3g} s"
    shown = [
        _Picture(
            "Waveform", f"Amplitude over {seconds}, a row per channel", _png(plots.waveform(audio, rate), dpi)
        )
    ]
    spectrum = plots.spectrum(audio, rate)
    shown.append(_Picture("Spectrum", "Level in dBFS over frequency", _png(spectrum, dpi)))
    if everything:
        gram = plots.spectrogram(audio, rate)
        shown.append(_Picture("Spectrogram", "Level in dBFS over time and frequency", _png(gram, dpi), True))
    if render.heat is not None and (everything or np.any(render.heat.total_j)):
        thermo = plots.thermo(render.heat)
        shown.append(_Picture("Heat", "Power, accumulated heat and temperature per node", _png(thermo, dpi)))
    schedule = plots.timeline(render.plan.info, render.trace, rate, schedule=render.schedule)
    what = "Nodes and edges of the plan" + ("" if render.trace is None else ", and firings in wall time")
    shown.append(_Picture("Timeline", what, _png(schedule, dpi)))
    if any(node["latency_frames"] for node in render.plan.info["nodes"]):
        late = plots.delays(render.plan.info, render.trace, render.metrics, rate)
        shown.append(
            _Picture("Delays", "Starts, latency and what edges hold, on virtual time", _png(late, dpi))
        )
    return shown


def _png(figure: Any, dpi: int) -> bytes:
    return plots.png(figure, dpi=dpi)


def _poster(render: RenderLike) -> bytes:
    """Waveform and spectrum in one picture."""
    figure = style.new_figure(6.4)
    upper, lower = figure.subplots(2, 1)
    plots.waveform(render.audio, render.sample_rate, ax=upper)
    plots.spectrum(render.audio, render.sample_rate, ax=lower)
    return plots.png(figure)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _figure(picture: _Picture) -> str:
    data = _base64(picture.png)
    kind = ' class="colour"' if picture.keeps_colours else ""
    alt = html.escape(f"{picture.heading}: {picture.alt}")
    return f'<figure><img{kind} alt="{alt}" src="data:image/png;base64,{data}"></figure>'


def _players(render: RenderLike, count: int) -> str:
    batches = render.audio.shape[0]
    players = [_player(render, b) for b in range(min(count, batches))]
    if batches > count:
        players.append(f'<p class="muted">Batch 0 to {count - 1} of {batches} can be heard here.</p>')
    return "".join(players)


def _player(render: RenderLike, batch: int) -> str:
    _, channels, frames = render.audio.shape
    kept = min(frames, round(EXCERPT_S * render.sample_rate))
    sound = np.nan_to_num(render.audio[batch, :2, :kept], nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(sound).max())
    gain = 1.0 if peak <= 1.0 else 1.0 / peak
    notes = [f"Batch {batch}." if render.audio.shape[0] > 1 else "", _gain_note(peak)]
    if channels > 2:
        notes.append(f"Channels 0 and 1 of {channels}.")
    if kept < frames:
        notes.append(f"The first {EXCERPT_S:g} s of {frames / render.sample_rate:.0f} s.")
    if not np.isfinite(render.audio[batch, :2, :kept]).all():
        notes.append("Non-finite samples are played as silence.")
    data = _base64(wav_bytes(sound * gain, render.sample_rate))
    caption = " ".join(note for note in notes if note)
    return (
        f'<figure><audio controls preload="metadata" src="data:audio/wav;base64,{data}"></audio>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _gain_note(peak: float) -> str:
    level = max(float(decibels(peak)), SILENCE_DB)
    if peak <= 1.0:
        return f"Gain 0 dB, not normalised; peak {level:.1f} dBFS." if peak else "Gain 0 dB; silent."
    return f"Peak {level:+.1f} dBFS clips: played with gain {-level:.1f} dB."


def _header(render: RenderLike, title: str, verdict_lines: Iterable[str]) -> str:
    lines = "".join(
        f'<li class="{_outcome(line)}"><code>{html.escape(line)}</code></li>' for line in verdict_lines
    )
    verdicts = f'<ul class="verdicts" aria-label="Golden verdicts">{lines}</ul>' if lines else ""
    return (
        f"<header><h1>{html.escape(title)}</h1>"
        f'<p class="muted"><code>{html.escape(repr(render))}</code></p>{verdicts}</header>'
    )


def _outcome(line: str) -> str:
    words = line.replace(":", " ").split()
    return "pass" if "PASS" in words else "fail" if "FAIL" in words else "note"


def _levels(levels: Measurement) -> str:
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
    return f'<section><h2>Levels</h2><dl class="tiles">{cells}</dl>{note}{_table(head, rows)}</section>'


def _db(value: Any, unit: str = "") -> str:
    if math.isnan(value):
        return "n/a"
    return f"{value + 0.0:.2f} {unit}".strip() if math.isfinite(value) else "-∞" if value < 0 else "∞"


def _nodes(render: RenderLike) -> str:
    total = sum(m.seconds for m in render.metrics.values())
    heat = _heat_by_node(render)
    rows = []
    slowest = sorted(render.metrics.items(), key=lambda item: (-item[1].seconds, item[0]))
    for name, m in slowest[:MAX_NODES]:
        share = m.seconds / total if total > 0.0 else 0.0
        rows.append(
            (
                html.escape(name),
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
    return f"<section><h2>Nodes</h2>{_table(head, rows)}</section>"


def _heat_by_node(render: RenderLike) -> dict[str, float]:
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


def _provenance(render: RenderLike) -> str:
    facts = {"audio SHA-256": render.digest, **render.provenance}
    items = "".join(
        f"<dt>{html.escape(str(key).replace('_', ' '))}</dt><dd><code>{html.escape(str(value))}</code></dd>"
        for key, value in facts.items()
    )
    return f'<section><h2>Provenance</h2><dl class="facts">{items}</dl></section>'


def _css() -> str:
    return resources.files("amp_lab").joinpath("report.css").read_text(encoding="utf-8")
