"""Levels: peak, RMS, true peak, crest, DC and loudness of a signal at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from amp_lab.analysis import arguments, layouts
from amp_lab.analysis.meters import metered
from amp_lab.analysis.records import Record, number
from amp_lab.analysis.signals import FloatArray, decibels, require_finite, to_bcn, to_signal
from amp_lab.lowlevel import meter as native_meter

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000.0, 384_000.0
"""Sample rates at which loudness is defined here."""


@dataclass(frozen=True, eq=False)
class Measurement(Record):
    """Levels of a render: arrays of shape (batch, channel), loudness of shape (batch,).

    Attributes
    ----------
    peak_db, rms_db : dB relative to 1.0; a full-scale sine has peak 0 and RMS -3.01
    true_peak_db : dBTP, greatest magnitude of and between samples (`true_peak`)
    crest_db : peak_db - rms_db, NaN for silence
    dc : mean, in signal units
    loudness_lufs : integrated loudness (`amp_lab.measure.loudness`), NaN where it does not apply: below
        0.4 s, outside 8 to 384 kHz, over two channels without a layout
    nonfinite : number of samples that are NaN or infinite, left out of all of the above

    Examples
    --------
    >>> levels = amp.measure.summary(amp.presets.three_osc().render(seconds=0.5))
    >>> levels
    Measurement(24000 frames, 0.500 s at 48000 Hz)
      batch 0 channel 0: peak -9.15 dBFS, true peak -9.14 dBTP, rms -21.08 dB, crest 11.93 dB, dc -0.000029
      batch 0 channel 1: peak -9.15 dBFS, true peak -9.14 dBTP, rms -21.08 dB, crest 11.93 dB, dc -0.000029
      batch 0: loudness -19.23 LUFS
    >>> levels.units["true_peak_db"], levels.to_dict()["frames"]
    ('dBTP', 24000)
    """

    peak_db: FloatArray
    rms_db: FloatArray
    true_peak_db: FloatArray
    crest_db: FloatArray
    dc: FloatArray
    loudness_lufs: FloatArray
    frames: int
    sample_rate: float
    nonfinite: npt.NDArray[np.int64]

    _units: ClassVar[Mapping[str, str]] = {
        "peak_db": "dBFS",
        "rms_db": "dB",
        "true_peak_db": "dBTP",
        "crest_db": "dB",
        "loudness_lufs": "LUFS",
        "sample_rate": "Hz",
    }

    def __repr__(self) -> str:
        """One line per channel and batch; equal measurements print equal text."""
        seconds = self.frames / self.sample_rate
        size = f"{self.frames} frame{'s' * (self.frames != 1)}"
        lines = [f"Measurement({size}, {seconds:.3f} s at {self.sample_rate:g} Hz)"]
        for b, c in np.ndindex(self.peak_db.shape):
            lines.append(
                f"  batch {b} channel {c}: peak {number(self.peak_db[b, c])} dBFS, "
                f"true peak {number(self.true_peak_db[b, c])} dBTP, "
                f"rms {number(self.rms_db[b, c])} dB, crest {number(self.crest_db[b, c])} dB, "
                f"dc {number(self.dc[b, c], 6)}"
                + (f", {bad} non-finite left out" if (bad := int(self.nonfinite[b, c])) else "")
            )
        for b, value in enumerate(self.loudness_lufs):
            lines.append(f"  batch {b}: loudness {number(value)} LUFS")
        return "\n".join(lines)


def true_peak(x: npt.ArrayLike) -> FloatArray:
    """Return the true peak in dBTP per (batch, channel), after ITU-R BS.1770-4 annex 2: 8 times oversampled.

    Between two samples the signal is a sum over the 32 samples on either side, by a sinc of the sampling rate
    under a Kaiser window of 80 dB; before its first and behind its last sample it is zero. A sine below 0.46
    of the sample rate reads at most 0.15 dB low and 0.002 dB high. Time reversal, zeros at either end and a
    change of sign leave every bit.

    Raises
    ------
    InvalidArgument
        If a sample is not finite, or there are none.

    Examples
    --------
    >>> x = amp.measure.tone(960, 48_000.0, 12_000.0, phase_rad=np.pi / 4)
    >>> x.max().round(3).item(), amp.measure.true_peak(x).round(2)
    (0.707, array([[0.09]]))
    """
    signal = to_signal(x, "true_peak")
    require_finite(signal, "true_peak")
    with metered(to_bcn(signal, "true_peak"), flags=native_meter.TRUE_PEAK) as meter:
        peak = meter.levels()["true_peak"]
    return decibels(peak.reshape(signal.shape[:-1]))[()]


def measure_levels(
    audio: npt.ArrayLike, sample_rate: float, *, layout: layouts.Layout | None = None
) -> Measurement:
    """Return peak, true peak, RMS, crest, DC and loudness of `audio` (batch, channel, frame).

    Samples that are not finite are counted and left out; true peak and loudness are then NaN. The loudness of
    more than two channels needs a `layout` (`amp_lab.measure.loudness`).

    Examples
    --------
    >>> amp.analysis.measure_levels(amp.measure.tone(24_000, 48_000.0, 997.0), 48_000.0)
    Measurement(24000 frames, 0.500 s at 48000 Hz)
      batch 0 channel 0: peak 0.00 dBFS, true peak 0.00 dBTP, rms -3.01 dB, crest 3.01 dB, dc 0.000638
      batch 0: loudness -3.01 LUFS
    """
    signal = to_bcn(audio, "measure_levels")
    rate = arguments.sample_rate("measure_levels", sample_rate)
    batches, channels, frames = signal.shape
    loud = LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ and (layout is not None or channels <= 2)
    options: dict[str, Any] = {"flags": native_meter.TRUE_PEAK}
    if loud:
        names = layouts.channels_of("measure_levels", layout, channels)
        options = {
            "flags": native_meter.TRUE_PEAK | native_meter.LOUDNESS,
            "sample_rate": rate,
            "weights": layouts.weights(names),
        }
    with metered(signal, **options) as meter:
        levels = meter.levels()
        integrated = meter.loudness()["integrated"] if loud else np.full(batches, np.nan)
    peak, rms = decibels(levels["peak"]), decibels(levels["rms"])
    with np.errstate(invalid="ignore"):
        crest = peak - rms
    return Measurement(
        peak_db=peak,
        rms_db=rms,
        true_peak_db=decibels(levels["true_peak"]),
        crest_db=crest,
        dc=levels["mean"].copy(),
        loudness_lufs=integrated.copy(),
        frames=frames,
        sample_rate=rate,
        nonfinite=levels["left_out"].copy(),
    )
