"""Spectra over time: one per windowed segment, calibrated as in `spectral`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from amp_lab.analysis import arguments, windows
from amp_lab.analysis.signals import FloatArray, bin_frequencies, power_decibels, to_signal
from amp_lab.analysis.spectral import (
    OCTAVE_DB,
    Calibrated,
    Quantity,
    Reference,
    check_options,
    excess,
    power_gain,
)
from amp_lab.analysis.windows import Window
from amp_lab.errors import ShapeError


@dataclass(frozen=True, eq=False, repr=False)
class ShortTimeSpectrum(Calibrated):
    """Level over frequency and time; also unpacks as ``time_s, freq_hz, level_db``.

    Attributes
    ----------
    time_s : (T,), centres of the segments
    freq_hz : (F,)
    level_db : (F, T), NaN where a segment holds a NaN or an infinity
    window, segment_frames : name and length of the window
    sample_rate : Hz
    quantity, reference : see `power_spectrum`
    coherent_gain, noise_bandwidth_bins : of the window

    Examples
    --------
    >>> x = amp.measure.tone(9600, 48_000.0, 1000.0)
    >>> time_s, freq_hz, level_db = amp.analysis.spectrogram(x, 48_000.0)
    >>> level_db.shape == (freq_hz.size, time_s.size)
    True
    >>> freq_hz[level_db[:, 0].argmax()].round(1).item()
    996.1
    """

    time_s: FloatArray
    freq_hz: FloatArray
    level_db: FloatArray
    window: Window
    segment_frames: int
    sample_rate: float
    quantity: Quantity
    reference: Reference
    coherent_gain: float
    noise_bandwidth_bins: float

    def __iter__(self) -> Iterator[FloatArray]:
        return iter((self.time_s, self.freq_hz, self.level_db))

    def __getitem__(self, index: int) -> FloatArray:
        return (self.time_s, self.freq_hz, self.level_db)[index]

    def __len__(self) -> int:
        return 3

    def __repr__(self) -> str:
        """One line: size, and how it is calibrated."""
        return (
            f"ShortTimeSpectrum({self.time_s.size} segments of {self.segment_frames} frames, "
            f"0 to {self.freq_hz[-1]:.9g} Hz, {self.quantity} in {self.unit}, "
            f"0 dBFS full-scale {self.reference}, {self.window})"
        )


def spectrogram(
    x: npt.ArrayLike,
    sample_rate: float,
    *,
    segment_frames: int = 4096,
    columns: int = 600,
    window: Window = "hann",
    quantity: Quantity = "amplitude",
    reference: Reference = "sine",
) -> ShortTimeSpectrum:
    """Spectra of at most `columns` segments spread evenly over one signal `x` (frame,).

    A signal shorter than `segment_frames` is taken in one. Levels are those of `power_spectrum`.

    Raises
    ------
    InvalidArgument
        If there is no such window, quantity, reference or rate.
    ShapeError
        If `x` holds several signals.

    Examples
    --------
    >>> found = amp.analysis.spectrogram(amp.measure.sweep(48_000, 48_000.0), 48_000.0, columns=3)
    >>> found
    ShortTimeSpectrum(3 segments of 4096 frames, 0 to 24000 Hz, amplitude in dBFS, 0 dBFS full-scale sine,
        hann)
    >>> found.freq_hz[found.level_db.argmax(axis=0)].round(0), found.unit, found.units["time_s"]
    (array([   23.,   633., 14766.]), 'dBFS', 's')
    """
    windows.check("spectrogram.window", window)
    rate = check_options("spectrogram", sample_rate, quantity, reference, segment_frames)
    cure = "Give how many segments to look at."
    columns = arguments.whole("spectrogram.columns", columns, 1, 1 << 20, cure)
    signal = to_signal(x, "spectrogram")
    if signal.size != signal.shape[-1]:
        raise ShapeError(
            f"spectrogram: several signals (got shape {signal.shape}, allowed one). Pass x[batch, channel]."
        )
    signal = signal.ravel()
    size = min(segment_frames, signal.size)
    last = signal.size - size
    starts = np.unique(np.linspace(0, last, min(columns, last // 16 + 1)).round().astype(np.int64))
    taper = windows.taper(window, size)
    segments = np.lib.stride_tricks.sliding_window_view(signal, size)[starts]
    whole = np.isfinite(segments).all(axis=-1)
    level = np.full((starts.size, size // 2 + 1), np.nan)
    exponent = excess(signal)
    spectra = np.abs(fft.rfft(np.ldexp(segments[whole], -exponent) * taper, axis=-1))
    gain = power_gain(taper, size, rate, quantity, reference)
    level[whole] = power_decibels(gain * spectra**2) + exponent * OCTAVE_DB
    return ShortTimeSpectrum(
        time_s=(starts.astype(np.float64) + size / 2) / rate,
        freq_hz=bin_frequencies(size, rate),
        level_db=level.T,
        window=window,
        segment_frames=size,
        sample_rate=rate,
        quantity=quantity,
        reference=reference,
        coherent_gain=float(taper.mean()),
        noise_bandwidth_bins=float(size * np.sum(taper**2) / taper.sum() ** 2),
    )
