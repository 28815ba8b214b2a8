"""Settings of a Python process: ``amp.options.display`` chooses how renders are displayed in notebooks.

An unknown name or value raises an error that lists the known ones. ``del amp.options.display.codec`` restores
the default of one option, ``amp.options.display.reset()`` those of all.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Literal, NoReturn, get_args

from amp_lab.common import checks
from amp_lab.errors import quoted

__all__ = ["Display", "display"]

Codec = Literal["flac", "wav", "mp3"]
FIGURES = ("waveform", "spectrum", "spectrogram", "heat", "timeline", "delays")
"""Figures that a display can have, in the order in which they are shown."""


class Display:
    """How a `Render` is displayed in a notebook; budgets are in bytes of the notebook's file.

    Attributes
    ----------
    codec
        Format of the player's sound. ``"flac"`` and ``"wav"`` hold the same 16-bit samples. ``"mp3"`` is
        lossy, which the caption of the player states; a longer excerpt fits.
    figures
        Names of the figures to show: waveform, spectrum, spectrogram, heat, timeline, delays; empty for none.
        Heat is shown if a node gives off heat, delays if a node has latency.
    total_bytes
        Most bytes of the whole display. The sound is cut to an excerpt that fits into what the rest leaves.
    figures_bytes
        Most bytes of all figures. To fit they are drawn with fewer colours and pixels, then left out.
    poster_bytes
        Most bytes of the PNG for viewers that do not show HTML; 0 for no PNG.

    Examples
    --------
    >>> amp.options.display.codec
    'flac'
    >>> amp.options.display.figures = ["spectrum", "waveform"]
    >>> amp.options.display.figures
    ('waveform', 'spectrum')
    >>> amp.options.display.codec = "ogg"
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: options.display.codec: no such codec (got 'ogg', allowed flac | wav | mp3). Use
        one of these.
    >>> amp.options.display.reset()
    """

    codec: Codec = "flac"
    figures: tuple[str, ...] = ("waveform", "spectrum", "heat", "timeline", "delays")
    total_bytes: int = 450_000
    figures_bytes: int = 150_000
    poster_bytes: int = 60_000

    def reset(self) -> None:
        """Set every option to its default.

        Examples
        --------
        >>> amp.options.display.total_bytes = 100_000
        >>> amp.options.display.reset()
        >>> amp.options.display.total_bytes
        450000
        """
        vars(self).clear()

    def __setattr__(self, name: str, value: Any) -> None:
        where = f"options.display.{name}"
        if name not in Display.__annotations__:
            raise checks.no_attribute("options.display", name, Display.__annotations__, "option")
        if name == "codec":
            value = checks.choice(where, value, get_args(Codec), "codec")
        elif name == "figures":
            chosen = {
                checks.choice(where, figure, FIGURES, "figure") for figure in checks.names(where, value)
            }
            value = tuple(figure for figure in FIGURES if figure in chosen)
        else:
            value = checks.whole(where, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> NoReturn:
        raise checks.no_attribute("options.display", name, Display.__annotations__, "option")

    def __repr__(self) -> str:
        return f"display({', '.join(f'{name}={getattr(self, name)!r}' for name in Display.__annotations__)})"


class _Options(ModuleType):
    """The module; setting an attribute that is not an option raises `AttributeError`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__"):
            cure = " Set its fields, as in options.display.codec." if name == "display" else ""
            raise AttributeError(f"options: no such option (got {quoted(name)}, allowed display).{cure}")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> NoReturn:
        raise checks.no_attribute("options", name, ("display",), "option")


display = Display()
"""How renders are displayed in this session."""

sys.modules[__name__].__class__ = _Options
