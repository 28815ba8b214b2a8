"""A render in a notebook: text, HTML with player and figures, one picture, within `options.display`."""

from __future__ import annotations

import html

from amp_lab import options
from amp_lab.errors import visible
from amp_lab.export import pictures, player
from amp_lab.export.html_parts import attempt, stored_bytes, style_sheet
from amp_lab.render.render import Render

_POSTER = ("waveform", "spectrum")
_REST_BYTES = 2_000
"""Keys, indentation and line ends of the notebook's file."""


def render_mimebundle(render: Render) -> dict[str, str]:
    """Rich display: stable text, HTML with player and figures, one PNG (base64) where HTML is stripped.

    A part that fails is replaced by a sentence, so that there is always a display.
    """
    bundle = {"text/plain": repr(render)}
    if not render.audio.size:
        return bundle
    chosen = options.display
    drawn = pictures.drawings(render, {*chosen.figures, *(_POSTER if chosen.poster_bytes else ())})
    image = pictures.poster([drawn[name] for name in _POSTER if name in drawn], chosen.poster_bytes)
    shown = pictures.within([drawn[name] for name in chosen.figures], chosen.figures_bytes)
    figures = "".join(f'<section aria-label="{heading}">{text}</section>' for heading, text in shown)
    notes = attempt("Clipping", lambda: player.clipping_note(render))
    used = stored_bytes(_page(render, notes, figures)) + len(image) + 2 * len(bundle["text/plain"])
    left = max(0, chosen.total_bytes - used - _REST_BYTES)
    sound = attempt("The player", lambda: player.player(render, 0, codec=chosen.codec, budget=left))
    bundle["text/html"] = _page(render, notes + sound, figures)
    return bundle | ({"image/png": image} if image else {})


def _page(render: Render, sound: str, figures: str) -> str:
    grid = f'<div class="grid">{figures}</div>' if figures else ""
    return (
        f'<div class="amp-report inline"><style>{style_sheet("display")}</style>'
        f'<section aria-label="Sound">{sound}'
        f'<p class="muted"><code>{html.escape(visible(repr(render)))}</code></p></section>{grid}</div>'
    )
