"""Texts and pictures of the documentation that are made: ``--write`` makes them, ``--check`` compares.

Plans and their pictures come from the graphs below, pages of the nodes from contracts and ``nodes/examples``
(``node_pages.py``), pictures of their worked cases from those (``case_figures.py``), the table of C functions
from the headers (``abi_page.py``), the page of all pictures from these (``gallery_page.py``), those of the
meters from signals of their standards (``meter_cases.py``) and from closed forms (``distortion_cases.py``),
the page of what the engine costs from ``perf/engine.json``, which ``amp-lab bench --report`` measures.

Texts have to be equal. Pictures may differ where letters are smoothed, as fonts are drawn by the machine.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import image

import amp_lab as amp
from amp_lab import plots
from amp_lab.bench import page as measured_page
from amp_lab.bench import pictures as measured_pictures
from amp_lab.bench import report

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import abi_page  # noqa: E402
import case_figures  # noqa: E402
import distortion_cases  # noqa: E402
import gallery_page  # noqa: E402
import imports_page  # noqa: E402
import meter_cases  # noqa: E402
import node_pages  # noqa: E402
from generated import filled  # noqa: E402

PAGE, PERF = DOCS / "timeline.md", DOCS / "perf"
TILE, LIKENESS, STRAYS = 8, 0.08, 0.001
"""Pictures are compared by means of square tiles: difference that smoothing may make, and share beyond it."""


def echo_guard() -> amp.Graph:
    """Return a graph with two latencies, a loop and a gate: an echo into a limiter, beside the dry sound."""
    g = amp.Graph(sample_rate=48_000, name="echo_guard")
    saw = g.oscillator(waveform="saw", frequency_hz=110.0, name="saw")
    echo = g.mix(g.fir(saw, half_length=32, name="eq"), name="echo")
    damp = g.one_pole(echo, cutoff_hz=3000.0, name="damp")
    g.connect(g.gain(damp, gain=0.5, name="back"), echo, delay_frames=60)
    limit = g.lookahead_limiter(echo, lookahead_s=0.001, name="limit")
    dry = g.gain(saw, gain=0.2, name="dry")
    total, meter = g.mix(name="sum"), g.one_pole(cutoff_hz=10.0, name="meter")
    g.connect(limit, total, gates=["exit"])
    g.connect(dry, total)
    g.connect(dry, meter, gates=["exit"])
    g.output(total, name="out")
    return g


def routed() -> amp.Graph:
    """Return a graph where channels part, are mixed by a matrix and meet again, and one edge is not read."""
    g = amp.Graph(sample_rate=48_000, name="routed")
    hiss = g.noise(channels=2, seed=3, name="hiss")
    bleed = g.matrix_mix(hiss, matrix=[[1.0, 0.5], [0.25, -1.0], [0.0, 1.0]], name="bleed")
    parts, back = g.split(bleed, name="parts"), g.stack(name="back")
    for channel in (2, 0):
        g.connect(parts, back, channel=channel)
    choice = g.first(back, name="choice")
    g.connect(hiss, choice)
    g.output(g.batch_mix(choice, name="blend"), name="out")
    return g


def late_loop() -> amp.Graph:
    """Return a loop through a latency with the least delay it can have, and a modulated gain."""
    g = amp.Graph(sample_rate=48_000, name="late_loop")
    total = g.mix(g.noise(name="hiss"), name="total")
    eq = g.fir(total, half_length=16, name="eq")
    back = g.gain(eq, gain=0.5, name="back")
    g.modulate(
        g.lfo(rate_hz=2.0, name="lfo"), back.gain, mode="multiply", offset=1.0, scale=0.5, delay_frames=8
    )
    g.connect(back, total, delay_frames=17)
    g.output(total, name="out")
    return g


GRAPHS: dict[str, Callable[[], amp.Graph]] = {
    "three_osc": amp.presets.three_osc,
    "echo_guard": echo_guard,
    "late_loop": late_loop,
    "routed": routed,
}


def plan_text(name: str) -> str:
    """Text of a plan without its digest, which every change of a contract moves."""
    return GRAPHS[name]().compile().to_text().rpartition("\ndigest ")[0]


def texts() -> dict[Path, str]:
    """Every text that is generated, by its path: the plans, the page that quotes one, nodes, C functions."""
    made = {DOCS / "plans" / f"{name}.txt": plan_text(name) for name in GRAPHS}
    made[PAGE] = filled(PAGE, "plan", f"```text\n{plan_text('echo_guard')}```")
    made[PERF / report.PAGE] = measured_page.text(report.load(PERF))
    made |= imports_page.texts() | case_figures.pictures() | gallery_page.texts()
    return made | node_pages.texts() | abi_page.texts() | meter_cases.texts() | distortion_cases.texts()


def pictures() -> dict[Path, bytes]:
    """Every picture that is generated, by its path; none shows wall time."""
    render = echo_guard().render(frames=2000, trace=True, isolation="none")
    delays = render.timeline("delays", name="echo_guard")
    schedule = plots.timeline(render.plan.info, None, render.sample_rate, name="echo_guard")
    made = {"delays": delays, "schedule": schedule}
    own = {DOCS / "pictures" / f"{name}.png": plots.png(figure, dpi=133) for name, figure in made.items()}
    measured = {PERF / name: picture for name, picture in measured_pictures.files(report.load(PERF)).items()}
    return own | measured | node_pages.pictures()


def alike(picture: bytes, path: Path) -> bool:
    """Whether a picture is the one in a file."""
    if not path.is_file():
        return False
    new, old = image.imread(io.BytesIO(picture)), image.imread(path)
    if new.shape != old.shape:
        return False
    rows, columns = (new.shape[0] // TILE, new.shape[1] // TILE)
    apart = (new - old)[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, -1)
    return float((np.abs(apart.mean(axis=(1, 3))).max(axis=-1) > LIKENESS).mean()) <= STRAYS


def stale() -> list[str]:
    """Names of the files that are not what would be made now."""
    wrong = [p for p, text in texts().items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
    wrong += [p for p, picture in pictures().items() if not alike(picture, p)]
    wrong += node_pages.orphans()
    return [str(p.relative_to(DOCS.parent)) for p in wrong]


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write what differs")
    action.add_argument("--check", action="store_true", help="fail if a file differs from what would be made")
    options = parser.parse_args(arguments)
    if options.check:
        names = stale()
        for name in names:
            print(
                f"{name}: is not what the library says now. Run python docs/figures.py --write.",
                file=sys.stderr,
            )
        return int(bool(names))
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    for path, picture in pictures().items():
        path.parent.mkdir(exist_ok=True, parents=True)
        if not alike(picture, path):
            path.write_bytes(picture)
    for path in node_pages.orphans():
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
