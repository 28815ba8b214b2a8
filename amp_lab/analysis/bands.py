"""Power in third-octave bands, 0 Hz and Nyquist included."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from amp_lab.analysis.signals import FloatArray

LOWEST_EDGE_HZ = 1000.0 * 10.0**-1.75
"""17.8 Hz, the lower edge of the 20 Hz band: everything below is one band."""
_LEAST_BINS = 1.5
"""Least width of the lowest band in bins: a Hann window spreads 0 Hz over bins 0 and 1."""


def band_edges(frames: int, sample_rate: float) -> FloatArray:
    """Return edges in Hz: 0, third octaves (IEC 61260-1, base ten) that `frames` resolve, Nyquist."""
    nyquist = sample_rate / 2
    low = max(LOWEST_EDGE_HZ, _LEAST_BINS * sample_rate / frames)
    first = np.ceil(10.0 * np.log10(low / 1000.0) - 0.5 - 1e-9)
    last = np.ceil(10.0 * np.log10(nyquist / 1000.0) - 0.5 - 1e-9)
    return np.array([0.0, *(1000.0 * 10.0 ** ((np.arange(first, last) + 0.5) / 10.0)), nyquist])


def third_octaves(x: FloatArray, sample_rate: float) -> tuple[FloatArray, FloatArray]:
    """Power per band of a Hann-windowed signal: every bin from 0 Hz to Nyquist is in one band.

    Parameters
    ----------
    x : ndarray (..., N)
    sample_rate : float
        Hz.

    Returns
    -------
    edges : ndarray (bands + 1,)
        0, edges of the third octaves from 17.8 Hz up, sample_rate / 2.
    power : ndarray (..., bands)
        Mean square of the windowed signal in each band: a sine of amplitude a has a^2 / 2.

    Notes
    -----
    The window is symmetrical, so a signal and its reversal have equal bands, and the first and last
    frames count least. Bands narrower than a bin may be empty. Up to 1.5 bins all is one band.
    """
    frames = x.shape[-1]
    taper = np.sin(np.pi * (np.arange(frames) + 0.5) / frames) ** 2
    power = 2.0 / (frames * np.sum(taper**2)) * np.abs(np.fft.rfft(x * taper)) ** 2
    power[..., 0] /= 2.0
    if frames % 2 == 0:
        power[..., -1] /= 2.0
    edges = band_edges(frames, sample_rate)
    bins = np.searchsorted(np.fft.rfftfreq(frames, 1.0 / sample_rate), edges)
    bins[-1] = power.shape[-1]
    return edges, np.stack([power[..., low:high].sum(axis=-1) for low, high in pairwise(bins)], axis=-1)
