"""Two renders of one thing: overlay and difference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amp_lab.analysis.signals import SILENCE_DB, FloatArray, decibels, to_bcn
from amp_lab.errors import ShapeError
from amp_lab.plots import style
from amp_lab.plots.wave import extremes


@style.drawing
def difference(
    result: npt.ArrayLike,
    reference: npt.ArrayLike,
    sample_rate: float,
    *,
    name: str = "Difference",
    ax: Axes | None = None,
) -> Figure:
    """Overlay of the channel that differs most, and the level of the difference in dBFS.

    Frames both have are compared; a difference in length is noted.

    Parameters
    ----------
    result, reference : (batch, channel, frame), or fewer axes
    sample_rate : Hz
    ax : draws inside the area of these axes

    Raises
    ------
    ShapeError
        If batches or channels differ.

    Examples
    --------
    >>> x = amp.measure.tone(4800, 48_000.0, 440.0)
    >>> figure = amp.plots.difference(x * 1.001, x, 48_000.0)
    >>> figure.axes[0].get_title(loc="right")
    'first at frame 1, peak -60.0 dBFS (0.001)'
    """
    got, wanted = to_bcn(result, "difference.result"), to_bcn(reference, "difference.reference")
    if got.shape[:2] != wanted.shape[:2]:
        raise ShapeError(
            f"difference.result: wrong shape (got {got.shape[:2]} batches and channels, allowed "
            f"{wanted.shape[:2]}). Render what the reference holds."
        )
    frames = min(got.shape[-1], wanted.shape[-1])
    lengths = "" if got.shape == wanted.shape else f"{got.shape[-1]:,} against {wanted.shape[-1]:,} frames"
    with np.errstate(invalid="ignore"):
        error = got[..., :frames] - wanted[..., :frames]
    worst = np.nan_to_num(np.abs(error), nan=np.inf).max(axis=-1)
    b, c = (int(i) for i in np.unravel_index(int(np.argmax(worst)), worst.shape))
    figure, (over, below) = style.panels(ax, [2.0, 1.7])
    scale, unit = style.time_unit(frames / sample_rate)
    _overlay(over, got[b, c, :frames], wanted[b, c, :frames], scale / sample_rate)
    _level(below, error[b, c], scale / sample_rate)
    below.set_xlim(0.0, frames * scale / sample_rate)
    style.label(over, y=style.signal_name(got.shape, b, c))
    style.label(below, x=f"time ({unit})", y="|difference| (dBFS)")
    style.title(over, name, style.joined(lengths, _verdict(error[b, c])))
    return figure


def _overlay(ax: Axes, got: FloatArray, wanted: FloatArray, per_frame: float) -> None:
    for signal, colour, label, alpha in (
        (wanted, style.MUTED, "reference", 0.9),
        (got, style.PALETTE[0], "result", 0.65),
    ):
        at, low, high = extremes(signal, 0, signal.size)
        if low is high:
            ax.plot(at * per_frame, low, color=colour, linewidth=1.2, alpha=alpha, label=label)
        else:
            ax.fill_between(at * per_frame, low, high, color=colour, linewidth=0.6, alpha=alpha, label=label)
    low_y, high_y = ax.get_ylim()
    ax.set_ylim(low_y, high_y + 0.2 * (high_y - low_y))
    style.legend(ax, loc="upper right", ncols=2)


def _level(ax: Axes, error: FloatArray, per_frame: float) -> None:
    if not error.any():
        ax.text(
            0.5, 0.5, "bit-identical", transform=ax.transAxes, ha="center", va="center",
            fontsize=13, color=style.PALETTE[2],
        )  # fmt: skip
        ax.set_yticks([])
        return
    at, low, high = extremes(error, 0, error.size)
    level = np.maximum(decibels(np.maximum(np.abs(low), np.abs(high))), SILENCE_DB)
    top = style.finite_max(level, 0.0)
    bottom = max(float(np.nanmin(level)), top - 120.0) - 6.0
    ax.fill_between(at * per_frame, bottom, level, color=style.PALETTE[1], alpha=0.8, linewidth=0.6)
    ax.set_ylim(bottom, top + 8.0)
    start = int(np.argmax(error != 0.0)) * per_frame
    ax.axvline(start, color=style.INK, linewidth=0.9, linestyle=(0, (4, 3)), gid="first difference")


def _verdict(error: FloatArray) -> str:
    if not error.any():
        return "no difference in any channel"
    first = int(np.argmax(error != 0.0))
    peak = float(np.abs(error).max())
    size = f"peak {float(decibels(peak)):.1f} dBFS ({peak:.3g})" if np.isfinite(peak) else "not finite"
    return f"first at frame {first:,}, {size}"
