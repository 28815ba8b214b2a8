"""Pure functions that measure signals; frames are the last axis of a signal."""

from amp_lab.analysis.aliasing import alias_energy, exact_frequency
from amp_lab.analysis.distortion import Distortion, harmonic_distortion, snr, thd_n
from amp_lab.analysis.frequency_search import FoundFrequency, find_frequency
from amp_lab.analysis.imd import Intermodulation, intermodulation
from amp_lab.analysis.level import Measurement, measure_levels, true_peak
from amp_lab.analysis.noise_level import NoiseLevel, dynamic_range, idle_noise
from amp_lab.analysis.r128 import Loudness, ebu_r128, loudness
from amp_lab.analysis.response import FrequencyResponse, deconvolve, group_delay, transfer
from amp_lab.analysis.short_time import ShortTimeSpectrum, spectrogram
from amp_lab.analysis.signals import FloatArray, to_bcn
from amp_lab.analysis.spectral import Peak, Spectrum, find_peaks, power_spectrum
from amp_lab.analysis.stimuli import impulse, noise, silence, sweep, tone, two_tone
from amp_lab.analysis.windows import WindowFacts, window_facts

__all__ = [
    "Distortion",
    "FloatArray",
    "FoundFrequency",
    "FrequencyResponse",
    "Intermodulation",
    "Loudness",
    "Measurement",
    "NoiseLevel",
    "Peak",
    "ShortTimeSpectrum",
    "Spectrum",
    "WindowFacts",
    "alias_energy",
    "deconvolve",
    "dynamic_range",
    "ebu_r128",
    "exact_frequency",
    "find_frequency",
    "find_peaks",
    "group_delay",
    "harmonic_distortion",
    "idle_noise",
    "impulse",
    "intermodulation",
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
