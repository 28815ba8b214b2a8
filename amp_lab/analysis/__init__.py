"""Pure functions from signals to numbers. Signals have frames on the last axis."""

from amp_lab.analysis.distortion import alias_energy, exact_frequency, snr, thd_n
from amp_lab.analysis.level import Measurement, measure_levels, true_peak
from amp_lab.analysis.r128 import Loudness, ebu_r128, loudness
from amp_lab.analysis.response import FrequencyResponse, deconvolve, group_delay, transfer
from amp_lab.analysis.signals import FloatArray, to_bcn
from amp_lab.analysis.spectral import (
    Peak,
    Spectrogram,
    Spectrum,
    find_peaks,
    power_spectrum,
    spectrogram,
)
from amp_lab.analysis.stimuli import impulse, noise, silence, sweep, tone, two_tone
from amp_lab.analysis.windows import WindowFacts, window_facts

__all__ = [
    "FloatArray",
    "FrequencyResponse",
    "Loudness",
    "Measurement",
    "Peak",
    "Spectrogram",
    "Spectrum",
    "WindowFacts",
    "alias_energy",
    "deconvolve",
    "ebu_r128",
    "exact_frequency",
    "find_peaks",
    "group_delay",
    "impulse",
    "loudness",
    "measure_levels",
    "noise",
    "power_spectrum",
    "silence",
    "snr",
    "spectrogram",
    "sweep",
    "thd_n",
    "to_bcn",
    "tone",
    "transfer",
    "true_peak",
    "two_tone",
    "window_facts",
]
