"""Renders as sound files; everything is checked before the file is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from amp_lab import checks
from amp_lab.errors import GraphError, quoted
from amp_lab.values import Samples

if TYPE_CHECKING:
    from amp_lab.render import Render

FORMATS = {".wav": ("WAV", "DOUBLE"), ".flac": ("FLAC", "PCM_24")}
"""By suffix: the format of soundfile and its default sample format."""


def write(render: Render, path: str | Path, batch: int | None, subtype: str | None) -> Path:
    """Do what `Render.save` says."""
    where = f"{render.name}.save"
    target = checks.target(where, path)
    if target.suffix.lower() not in FORMATS:
        raise GraphError(
            f"{where}: no such format (got {quoted(target.name)}, allowed {' | '.join(FORMATS)}). "
            "Name a file so."
        )
    form, default = FORMATS[target.suffix.lower()]
    chosen = _subtype(where, form, default if subtype is None else subtype)
    if render.sample_rate != int(render.sample_rate):
        raise GraphError(
            f"{where}: sound files hold whole rates (got {render.sample_rate} Hz). Render at one."
        )
    data = render.audio[_batch(where, render.audio.shape[0], batch)]
    if not data.shape[0]:
        raise GraphError(f"{where}: has no audio (got 0 channels). End the graph with g.output(node).")
    _check_samples(where, target, chosen, data)
    soundfile.write(str(target), data.T, int(render.sample_rate), format=form, subtype=chosen)
    return target


def _subtype(where: str, form: str, given: str) -> str:
    allowed = soundfile.available_subtypes(form)
    if given not in allowed:
        raise GraphError(checks.unknown(f"{where}.subtype", given, sorted(allowed), f"subtype of {form}"))
    return given


def _batch(where: str, batches: int, given: int | None) -> int:
    if given is None:
        if batches != 1:
            raise GraphError(f"{where}: has {batches} batches. Choose one with batch=.")
        return 0
    if checks.whole(f"{where}.batch", given) >= batches:
        raise GraphError(
            f"{where}.batch: no such batch (got {given}, allowed 0 to {batches - 1}). Use one of these."
        )
    return given


def _check_samples(where: str, target: Path, subtype: str, data: Samples) -> None:
    bad = np.argwhere(~np.isfinite(data))
    if bad.size:
        channel, frame = bad[0]
        raise GraphError(
            f"{where}: not finite (got {data[channel, frame]} in channel {channel} at frame {frame}). "
            "Render with nonfinite='raise' to find its node."
        )
    peak = float(np.max(np.abs(data), initial=0.0))
    if peak > 1.0 and subtype not in ("DOUBLE", "FLOAT"):
        raise GraphError(
            f"{target.name}: {subtype} would clip (got a peak of {peak:g}, allowed 1). "
            "Lower the gain or save a WAV."
        )
