"""The page of all pictures: each card leads to the code that makes its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import node_pages
import screenshots

from amp_lab import catalog

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "gallery.md"
WIDGETS = {
    "workbench": "The workbench: editor, parameters, scope, spectra, heat and timeline in one.",
    "editor": "The graph editor, with time, heat and latency of a render on the nodes.",
    "panel": "Parameters, curves and keyboard; every move is rendered.",
    "live": "Live sound: levels, latency and underruns.",
    "scope": "Two renders over time, each column with both of its extremes.",
    "spectrum": "Two renders over frequency.",
    "spectrogram": "A render over time and frequency.",
    "thermo": "Heat and temperature of every node.",
    "timeline": "Starts, latencies and waits of a plan.",
    "render": "A render at the end of a cell.",
}
"""What a picture of a widget shows."""
DRAWN = {
    "pictures/delays.png": ("Starts, latencies and what edges hold, against the plan.", "timeline.md"),
    "pictures/schedule.png": ("Nodes in firing order with their edges.", "timeline.md"),
    "perf/engine_cost.png": ("What the workloads cost.", "perf/engine.md"),
    "perf/engine_graphs.png": ("Loops beside their bare ticks, cohorts beside nodes.", "perf/engine.md"),
    "perf/engine_profile.png": ("Where the time goes.", "perf/engine.md"),
}
"""Other pictures: what each shows, and the page that says how it is made."""


@dataclass(frozen=True)
class Card:
    """A picture with its title, the place it leads to, and a sentence."""

    picture: str
    title: str
    link: str
    text: str

    def __str__(self) -> str:
        lines = (
            f":::{{grid-item-card}} {self.title}",
            f":img-top: {self.picture}",
            f":img-alt: {self.text}",
            f":link: {self.link}",
            f":link-type: {'url' if '.' in self.link else 'ref'}",
            self.text,
            ":::",
        )
        return "\n".join(lines)


def texts() -> dict[Path, str]:
    """Return the page, by its path."""
    return {PAGE: "\n\n".join(_parts()) + "\n"}


def pictures() -> set[str]:
    """Return every picture that stands on the page, as a path from `docs`."""
    return {card.picture for cards in _cards().values() for card in cards}


def _cards() -> dict[str, list[Card]]:
    types = catalog.types()
    page = "nodes/{}.html#{}"
    return {
        "Widgets": [
            Card(f"pictures/{name}_light.png", name, f"code-{name}", text) for name, text in WIDGETS.items()
        ],
        "Nodes": [
            Card(f"pictures/nodes/{t}.png", t, page.format(t, "example"), node_pages.example(t)[2])
            for t in types
        ],
        "Plans and what they cost": [
            Card(path, Path(path).stem.replace("_", " "), link.replace(".md", ".html"), text)
            for path, (text, link) in DRAWN.items()
        ],
        "Worked cases": [
            Card(f"pictures/cases/{t}.svg", t, page.format(t, "worked-cases"), f"The worked cases of {t}.")
            for t in types
        ],
    }


def _parts() -> list[str]:
    parts = [
        node_pages.NOTE.replace("the native contracts and docs/nodes/examples", "docs/gallery_page.py"),
        "# Gallery",
        "Every picture of these pages. A card leads to the code that makes its picture: those of the widgets "
        "to the end of this page, those of the nodes to their examples. [figures.py](figures.py) draws "
        "all but the widgets, which [screenshots.py](screenshots.py) takes in a browser, in both themes.",
    ]
    for title, cards in _cards().items():
        columns = "1 2 2 2" if title != "Worked cases" else "2 3 4 4"
        grid = "\n\n".join(map(str, cards))
        parts.append(
            f"## {title}\n\n::::{{grid}} {columns}\n:gutter: 2\n:class-container: gallery\n\n{grid}\n::::"
        )
    parts.append("## Code of the widgets")
    for scene in screenshots.SCENES:
        code = scene.code.strip().replace("import amp_lab as amp\ng", "import amp_lab as amp\n\ng")
        shown = scene.show.replace("'", '"')
        parts.append(f"(code-{scene.name})=\n### {scene.name}\n\n```python\n{code}\n{shown}\n```")
    return parts
