"""Loudspeaker layouts, and the weights that Rec. ITU-R BS.1770-4 gives their channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from amp_lab.analysis.signals import FloatArray
from amp_lab.common import checks
from amp_lab.errors import InvalidArgument, quoted

Layout: TypeAlias = str | Sequence[str]

POSITIONS: Mapping[str, tuple[float, float] | None] = MappingProxyType(
    {
        "M": (0, 0),
        "L": (30, 0),
        "R": (-30, 0),
        "C": (0, 0),
        "LFE": None,
        "LFE2": None,
        "Ls": (110, 0),
        "Rs": (-110, 0),
        "Lss": (90, 0),
        "Rss": (-90, 0),
        "Lrs": (135, 0),
        "Rrs": (-135, 0),
        "Cs": (180, 0),
        "Ltf": (45, 45),
        "Rtf": (-45, 45),
        "Ltr": (135, 45),
        "Rtr": (-135, 45),
    }
)
"""Azimuth and elevation in degrees of a loudspeaker; None for low-frequency effects, which do not count."""

LAYOUTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mono": ("M",),
        "stereo": ("L", "R"),
        "3.0": ("L", "R", "C"),
        "4.0": ("L", "R", "Ls", "Rs"),
        "5.0": ("L", "R", "C", "Ls", "Rs"),
        "5.1": ("L", "R", "C", "LFE", "Ls", "Rs"),
        "7.0": ("L", "R", "C", "Lss", "Rss", "Lrs", "Rrs"),
        "7.1": ("L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs"),
        "5.1.4": ("L", "R", "C", "LFE", "Ls", "Rs", "Ltf", "Rtf", "Ltr", "Rtr"),
        "7.1.4": ("L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs", "Ltf", "Rtf", "Ltr", "Rtr"),
    }
)
"""Channels of each layout in the order of Rec. ITU-R BS.2051."""

SURROUND = 1.41
"""Weight of a loudspeaker at the side, 60 to 120 degrees from the front and below 30 degrees of elevation."""


def channels_of(where: str, layout: Layout | None, channels: int) -> tuple[str, ...]:
    """Return the names of the channels; without a layout one is mono and two are stereo.

    Raises
    ------
    InvalidArgument
        If there is no such layout or loudspeaker, it has another number of channels, or there are more than
        two channels and no layout.
    """
    if layout is None:
        if channels > 2:
            fitting = [name for name, names in LAYOUTS.items() if len(names) == channels]
            hint = f"layout={quoted(fitting[0])}" if fitting else 'layout=["L", "R", ...]'
            raise InvalidArgument(
                f"{where}.layout: missing for more than two channels (got {channels}, allowed 1 or 2 without "
                f"it). Say where they come from, for example {hint}; frames are the last axis."
            )
        return LAYOUTS["mono" if channels == 1 else "stereo"]
    if isinstance(layout, str):
        checks.choice(f"{where}.layout", layout, LAYOUTS, "layout", InvalidArgument)
        names = LAYOUTS[layout]
    else:
        names = checks.names(f"{where}.layout", layout)
        for name in names:
            checks.choice(f"{where}.layout", name, POSITIONS, "loudspeaker", InvalidArgument)
    if len(names) != channels:
        raise InvalidArgument(
            f"{where}.layout: has another number of channels than the signal (got {len(names)} for "
            f"{', '.join(names)}, allowed {channels}). Give that of the signal; frames are the last axis."
        )
    return names


def weights(names: Sequence[str]) -> FloatArray:
    """Return the weight of each channel's power: 1, at the side 1.41, low-frequency effects 0."""
    return np.array([_weight(POSITIONS[name]) for name in names])


def _weight(position: tuple[float, float] | None) -> float:
    if position is None:
        return 0.0
    azimuth, elevation = position
    return SURROUND if 60 <= abs(azimuth) <= 120 and abs(elevation) < 30 else 1.0
