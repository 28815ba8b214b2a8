"""Loudness: ITU-R BS.1770-4, EBU R 128, EBU Tech 3341 (time scales) and EBU Tech 3342 (range)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, layouts
from amp_lab.analysis.level import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from amp_lab.analysis.meters import metered
from amp_lab.analysis.records import Record, span
from amp_lab.analysis.signals import FloatArray, require_finite, to_bcn, to_signal
from amp_lab.common.provided import provided
from amp_lab.errors import InvalidArgument
from amp_lab.lowlevel import meter as native_meter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK_S = 0.4
"""Length of a gating block, and of the window of momentary loudness."""
SHORT_TERM_S = 3.0
HOP_S = 0.01
"""Time from one value of momentary or short-term loudness to the next."""
_LARGEST = 2.0**400


@dataclass(frozen=True, eq=False)
class Loudness(Record):
    """Loudness of a signal: arrays of shape (batch,), and over time (batch, window).

    Attributes
    ----------
    integrated_lufs : gated loudness of the whole, -inf for silence
    range_lu : loudness range, NaN below 3 s and where nothing is above -70 LUFS
    range_low_lufs, range_high_lufs : its ends, the 10th and 95th percentile of short-term loudness
    momentary_max_lufs, short_term_max_lufs : greatest loudness of any 0.4 s and of any 3 s (NaN below 3 s)
    gate_lufs : the relative gate, 10 LU below the mean of the blocks above -70 LUFS
    blocks, blocks_above : whole gating blocks, and those above both gates
    momentary_lufs, short_term_lufs : one window of 0.4 s or 3 s every 10 ms; those that are whole
    channels : where the channels come from

    Examples
    --------
    >>> found = amp.measure.ebu_r128(amp.measure.tone(192_000, 48_000.0, 997.0), 48_000.0)
    >>> found
    Loudness(M, 192000 frames at 48000 Hz: integrated -3.01 LUFS, range 0.00 LU, momentary at most -3.01 LUFS,
        short-term at most -3.01 LUFS)
    >>> found.momentary_lufs.shape, found.momentary_times_s[:2].round(2), found.short_term_times_s[:2]
    ((1, 361), array([0.4 , 0.41]), array([3.  , 3.01]))
    >>> found.plot().axes[0].get_ylabel()
    'loudness (LUFS)'
    """

    integrated_lufs: FloatArray
    range_lu: FloatArray
    range_low_lufs: FloatArray
    range_high_lufs: FloatArray
    momentary_max_lufs: FloatArray
    short_term_max_lufs: FloatArray
    gate_lufs: FloatArray
    blocks: npt.NDArray[np.int64]
    blocks_above: npt.NDArray[np.int64]
    momentary_lufs: FloatArray
    short_term_lufs: FloatArray
    channels: tuple[str, ...]
    frames: int
    sample_rate: float

    _units: ClassVar[Mapping[str, str]] = {
        "integrated_lufs": "LUFS",
        "range_lu": "LU",
        "range_low_lufs": "LUFS",
        "range_high_lufs": "LUFS",
        "momentary_max_lufs": "LUFS",
        "short_term_max_lufs": "LUFS",
        "gate_lufs": "LUFS",
        "momentary_lufs": "LUFS",
        "short_term_lufs": "LUFS",
        "sample_rate": "Hz",
    }

    @property
    def momentary_times_s(self) -> FloatArray:
        """End of each window of `momentary_lufs` in seconds."""
        return BLOCK_S + HOP_S * np.arange(self.momentary_lufs.shape[-1], dtype=np.float64)

    @property
    def short_term_times_s(self) -> FloatArray:
        """End of each window of `short_term_lufs` in seconds."""
        return SHORT_TERM_S + HOP_S * np.arange(self.short_term_lufs.shape[-1], dtype=np.float64)

    def __repr__(self) -> str:
        """One line; equal readings print equal text."""
        batches = self.integrated_lufs.size
        many = "" if batches == 1 else f"{batches} batches of "
        size = f"{many}{' '.join(self.channels)}, {self.frames} frames at {self.sample_rate:.9g} Hz"
        return (
            f"Loudness({size}: integrated {span(self.integrated_lufs, 'LUFS')}, "
            f"range {span(self.range_lu, 'LU')}, momentary at most {span(self.momentary_max_lufs, 'LUFS')}, "
            f"short-term at most {span(self.short_term_max_lufs, 'LUFS')})"
        )

    def plot(self, **options: Any) -> Figure:
        """Draw momentary and short-term loudness over time (`amp_lab.plots.loudness`)."""
        figure: Figure = provided("Loudness.plot")(self, **options)
        return figure


def loudness(x: npt.ArrayLike, sample_rate: float, *, layout: layouts.Layout | None = None) -> FloatArray:
    """Integrated loudness in LUFS per batch (EBU R 128, ITU-R BS.1770-4), -inf for silence.

    Parameters
    ----------
    x
        Of shape (frame), (channel, frame) or (batch, channel, frame); at least 0.4 s, one gating block.
    sample_rate
        In Hz, 8000 to 384000.
    layout
        Where the channels come from: "mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.0", "7.1", "5.1.4" or
        "7.1.4" in the order of ITU-R BS.2051, or the names of the loudspeakers as in `analysis.layouts`.
        Not needed for one or two channels.

    Raises
    ------
    InvalidArgument
        If the signal is too short, a sample is not finite, the rate is out of range, or there are more than
        two channels and no layout.

    Examples
    --------
    >>> x = amp.measure.tone(48_000, 48_000.0, 997.0, channels=2, amplitude=0.1)
    >>> amp.measure.loudness(x, 48_000.0).round(2)
    array([-20.])
    >>> amp.measure.loudness(np.zeros((1, 6, 48_000)), 48_000.0)
    Traceback (most recent call last):
        ...
    amp_lab.errors.InvalidArgument: loudness.layout: missing for more than two channels (got 6, allowed 1 or 2
        without it). Say where they come from, for example layout='5.1'; frames are the last axis.
    """
    signal = to_signal(x, "loudness")
    integrated = _measured(signal, sample_rate, layout, "loudness", series=False).integrated_lufs
    return integrated[0] if signal.ndim < 3 else integrated


def ebu_r128(x: npt.ArrayLike, sample_rate: float, *, layout: layouts.Layout | None = None) -> Loudness:
    """Return integrated, momentary and short-term loudness, their maxima, and the loudness range.

    Arguments and errors are those of `loudness`.

    Examples
    --------
    >>> amp.measure.ebu_r128(amp.measure.noise(192_000, channels=2), 48_000.0)
    Loudness(L R, 192000 frames at 48000 Hz: integrated -13.85 LUFS, range 0.01 LU, momentary at most -13.76
        LUFS, short-term at most -13.84 LUFS)
    """
    return _measured(to_signal(x, "ebu_r128"), sample_rate, layout, "ebu_r128", series=True)


def _checked(
    given: FloatArray, sample_rate: float, layout: layouts.Layout | None, where: str
) -> tuple[FloatArray, float, tuple[str, ...]]:
    """Return the signal (batch, channel, frame), its rate and the names of its channels."""
    signal, cure = to_bcn(given, where), "Resample the signal."
    rate = arguments.within(f"{where}.sample_rate", sample_rate, LOWEST_RATE_HZ, HIGHEST_RATE_HZ, "Hz", cure)
    names = layouts.channels_of(where, layout, signal.shape[1])
    if signal.shape[-1] < int(BLOCK_S * rate + 0.5):
        raise InvalidArgument(
            f"{where}: too short (got {signal.shape[-1] / rate:.4f} s, allowed {BLOCK_S:g} s "
            "and more). Render longer; for short sounds read the RMS level."
        )
    require_finite(given, where)
    peak = float(np.abs(signal).max())
    if peak > _LARGEST:
        raise InvalidArgument(
            f"{where}: sample too large (got {peak:.3g}, allowed up to {_LARGEST:.3g}). Scale the signal."
        )
    return signal, rate, names


def _measured(
    given: FloatArray, sample_rate: float, layout: layouts.Layout | None, where: str, *, series: bool
) -> Loudness:
    signal, rate, names = _checked(given, sample_rate, layout, where)
    weights = layouts.weights(names)
    with metered(signal, flags=native_meter.LOUDNESS, sample_rate=rate, weights=weights) as meter:
        found = meter.loudness()
        batches = range(signal.shape[0]) if series else range(0)
        momentary = np.array([meter.series(b, native_meter.MOMENTARY) for b in batches])
        short_term = np.array([meter.series(b, native_meter.SHORT_TERM) for b in batches])
    fields = {name: found[name].copy() for name in native_meter.LOUDNESS_DTYPE.names or ()}
    return Loudness(
        integrated_lufs=fields["integrated"],
        range_lu=fields["range_high"] - fields["range_low"],
        range_low_lufs=fields["range_low"],
        range_high_lufs=fields["range_high"],
        momentary_max_lufs=fields["momentary_max"],
        short_term_max_lufs=fields["short_term_max"],
        gate_lufs=fields["gate"],
        blocks=fields["blocks"],
        blocks_above=fields["blocks_above"],
        momentary_lufs=momentary,
        short_term_lufs=short_term,
        channels=names,
        frames=signal.shape[-1],
        sample_rate=rate,
    )
