"""Windows by name, with the figures that calibrate a reading."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
from scipy import signal as sps

from amp_lab.analysis import arguments
from amp_lab.analysis.records import Record
from amp_lab.analysis.signals import FloatArray
from amp_lab.common import checks
from amp_lab.errors import InvalidArgument

Window: TypeAlias = Literal["blackmanharris", "flattop", "hann", "hamming", "blackman", "rectangular"]
NAMES: tuple[str, ...] = get_args(Window)
_HALF_LOBES = {"flattop": 5, "blackmanharris": 4, "blackman": 3, "hann": 2, "hamming": 2, "rectangular": 1}


@dataclass(frozen=True, eq=False, repr=False)
class WindowFacts(Record):
    """Figures of a window that calibrate a reading.

    Attributes
    ----------
    name : its name
    frames : its length
    coherent_gain : its mean: what a line's amplitude is multiplied by, and readings are divided by
    noise_bandwidth_bins : equivalent noise bandwidth, in bins of sample_rate / frames
    scalloping_db : how much a line half-way between two bins reads low, without zero-padding
    half_lobe_bins : from the middle of a line to the first zero

    Examples
    --------
    >>> facts = amp.analysis.window_facts("hann", 4096)
    >>> facts.coherent_gain, facts.noise_bandwidth_bins, facts.half_lobe_bins
    (0.5, 1.5, 2)
    """

    _units: ClassVar = {"noise_bandwidth_bins": "bin", "scalloping_db": "dB", "half_lobe_bins": "bin"}
    name: str
    frames: int
    coherent_gain: float
    noise_bandwidth_bins: float
    scalloping_db: float
    half_lobe_bins: int

    def __repr__(self) -> str:
        """One line."""
        return (
            f"WindowFacts({self.name}, {self.frames} frames, coherent gain {self.coherent_gain:.4f}, "
            f"noise bandwidth {self.noise_bandwidth_bins:.4f} bins, scalloping {self.scalloping_db:.2f} dB)"
        )


def check(where: str, name: Any) -> str:
    """Return the name of a window; another is refused with the list and the nearest name."""
    return checks.choice(where, name, NAMES, "window", InvalidArgument)


def taper(name: str, frames: int) -> FloatArray:
    """Return the periodic window (DFT-even: it continues with the period `frames`)."""
    if frames == 1 or name == "rectangular":
        return np.ones(frames)
    return np.asarray(sps.get_window(name, frames, fftbins=True), dtype=np.float64)


def window_facts(name: Window, frames: int = 1 << 15) -> WindowFacts:
    """Coherent gain, equivalent noise bandwidth and scalloping of a window of so many frames.

    Source: F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier
    transform", Proc. IEEE 66, 1978.

    Raises
    ------
    InvalidArgument
        If there is no such window, or `frames` is no whole number from 1 to 2^26.

    Examples
    --------
    >>> amp.analysis.window_facts("flattop", 4096)
    WindowFacts(flattop, 4096 frames, coherent gain 0.2156, noise bandwidth 3.7702 bins, scalloping 0.01 dB)
    >>> amp.analysis.window_facts("hanning")
    Traceback (most recent call last):
        ...
    amp_lab.errors.InvalidArgument: window_facts.window: no such window (got 'hanning', allowed blackmanharris
        | flattop | hann | hamming | blackman | rectangular). Did you mean 'hann'?
    """
    check("window_facts.window", name)
    arguments.whole("window_facts.frames", frames, 1, 1 << 26, "Give the length of the segment.")
    w = taper(name, frames)
    half_bin = abs(np.sum(w * np.exp(-1j * np.pi * np.arange(frames) / frames))) / w.sum()
    return WindowFacts(
        name=name,
        frames=frames,
        coherent_gain=float(w.mean()),
        noise_bandwidth_bins=float(frames * np.sum(w**2) / w.sum() ** 2),
        scalloping_db=-20.0 * math.log10(half_bin),
        half_lobe_bins=_HALF_LOBES[name],
    )
