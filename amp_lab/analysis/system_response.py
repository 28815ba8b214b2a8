"""Response of a system to an impulse, a step or a sweep, and the limits of the measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
from scipy import fft

from amp_lab.analysis.arguments import Band
from amp_lab.analysis.records import Record, span
from amp_lab.analysis.response import FrequencyResponse, transfer
from amp_lab.analysis.signals import FloatArray, decibels, power_decibels
from amp_lab.analysis.stimuli import impulse, sweep
from amp_lab.common import checks
from amp_lab.common.provided import provided

Method: TypeAlias = Literal["impulse", "step", "sweep"]
METHODS: tuple[str, ...] = get_args(Method)
HIGHEST_HARMONIC = 5
DECAYED_DB = -60.0
"""Share of the energy in the last tenth below which a response counts as decayed."""
_REGULARISED = 1e-12
"""Of the strongest bin of a sweep: weaker ones, outside of its band, are not divided by."""
_LEAD = 0.1
"""Share of the distance to the next lower order that is kept ahead of a harmonic's response."""


@dataclass(frozen=True, eq=False, repr=False)
class SystemResponse(Record):
    """Impulse response of a system, with the limits of the measurement.

    Attributes
    ----------
    method : "impulse", "step" or "sweep"
    impulse : (batch, channel, frame), impulse response; it begins ``before`` frames ahead of the impulse
    before : frames ahead of the impulse
    sample_rate : Hz
    band_hz : band in which the stimulus has power; the response is valid within it only
    tail_db : (batch, channel), energy of the last tenth over all: a truncated tail, or noise
    floor_db : (batch, channel), RMS of the last tenth over the highest magnitude
    harmonics_db : (batch, channel, orders), response at the second and higher harmonics over the linear one;
        empty unless the stimulus is a sweep
    amplitude : of the stimulus

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.svf(g.input([0.0]), cutoff_hz=1000.0))
    >>> found = amp.measure.system_response(g, frames=256)
    >>> found
    SystemResponse(impulse, 1x1x256 frames at 48000 Hz, 0 to 24000 Hz, tail -186.99 dB)
    >>> found.decayed, found.resolution_hz, found.impulse.shape, found.step[0, 0, -1].round(6).item()
    (True, 187.5, (1, 1, 256), 1.0)
    >>> found.limits[0]
    'length: 256 frames, which resolve 187.5 Hz'
    >>> found.frequency_response().at(1000.0).round(1)
    array([[-3.]])
    >>> found.to_dict()["method"], found.plot().axes[1].get_ylabel()
    ('impulse', 'magnitude (dB)')
    """

    _units: ClassVar = {
        "sample_rate": "Hz",
        "band_hz": "Hz",
        "resolution_hz": "Hz",
        "tail_db": "dB",
        "floor_db": "dB",
        "harmonics_db": "dB",
    }
    method: Method
    impulse: FloatArray
    before: int
    sample_rate: float
    band_hz: Band
    tail_db: FloatArray
    floor_db: FloatArray
    harmonics_db: FloatArray
    amplitude: float

    @property
    def step(self) -> FloatArray:
        """Response to a unit step at frame ``before``: the sum of the impulse response."""
        return np.asarray(np.cumsum(self.impulse, axis=-1))

    @property
    def resolution_hz(self) -> float:
        """Frequency resolution: sample rate over number of frames, in Hz."""
        return self.sample_rate / float(self.impulse.shape[-1])

    @property
    def decayed(self) -> bool:
        """Whether the last tenth of every response holds less than -60 dB of its energy."""
        return bool((self.tail_db < DECAYED_DB).all())

    @property
    def limits(self) -> tuple[str, ...]:
        """Limits of the measurement as sentences: length, end, noise floor, band, circularity."""
        frames = self.impulse.shape[-1]
        end = "it has decayed" if self.decayed else "it was cut off, or is noisy: use more frames"
        return (
            f"length: {frames} frames, which resolve {self.resolution_hz:.4g} Hz",
            f"end: the last tenth holds {span(self.tail_db)} of the energy: {end}",
            f"floor: {span(self.floor_db)} under the highest magnitude",
            f"band: {self.band_hz[0]:.6g} to {self.band_hz[1]:.6g} Hz",
            "circularity: none, the spectra are zero-padded"
            if self.method == "sweep"
            else "circularity: none, nothing is divided",
        )

    def frequency_response(self) -> FrequencyResponse:
        """Return magnitude, phase and group delay; valid within ``band_hz``."""
        return transfer(self.impulse, self.sample_rate, before=self.before)

    def plot(self, **options: Any) -> Any:
        """Draw impulse response and magnitude (`amp_lab.plots.system_response`)."""
        return provided("SystemResponse.plot")(self, **options)

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON values, with the resolution in Hz and ``units``."""
        return super().to_dict() | {"resolution_hz": self.resolution_hz}

    def __repr__(self) -> str:
        """One line."""
        shape = "x".join(str(n) for n in self.impulse.shape)
        harmonics = f", harmonics {span(self.harmonics_db)}" if self.harmonics_db.size else ""
        return (
            f"SystemResponse({self.method}, {shape} frames at {self.sample_rate:.9g} Hz, "
            f"{self.band_hz[0]:.6g} to {self.band_hz[1]:.6g} Hz, tail {span(self.tail_db)}{harmonics})"
        )


@dataclass(frozen=True)
class Stimulus:
    """What is fed in: samples (1, channels, frame), of which `before` precede the event."""

    method: Method
    samples: FloatArray
    before: int
    frames: int
    sample_rate: float
    band_hz: Band
    amplitude: float
    sweep_frames: int = 0


def stimulus(
    method: Method,
    sample_rate: float,
    frames: int,
    *,
    before: int,
    channels: int,
    amplitude: float,
    band_hz: Band,
    sweep_frames: int,
) -> Stimulus:
    """Make an impulse, a step, or a sweep followed by silence as long as the response."""
    checks.whole("system_response.channels", channels, 1)
    nyquist = sample_rate / 2
    if method == "sweep":
        rising = sweep(sweep_frames, sample_rate, *band_hz, channels=channels, amplitude=amplitude)
        x = np.pad(rising, ((0, 0), (0, 0), (before, frames)))
        return Stimulus(method, x, before, frames, sample_rate, band_hz, amplitude, sweep_frames)
    if method == "step":  # it goes on behind the response for a system that looks ahead
        x = np.zeros((1, channels, frames + before))
        x[..., before:] = amplitude
    else:
        x = impulse(frames, channels=channels, at_frame=before, amplitude=amplitude)
    return Stimulus(method, x, before, frames, sample_rate, (0.0, nyquist), amplitude)


def evaluate(fed: Stimulus, response: FloatArray) -> SystemResponse:
    """Turn the response (batch, channel, frame) to a stimulus into an impulse response with its limits."""
    harmonics = np.zeros((*response.shape[:-1], 0))
    if fed.method == "impulse":
        h = response / fed.amplitude
    elif fed.method == "step":
        h = np.diff(response, prepend=0.0, axis=-1)[..., : fed.frames] / fed.amplitude
    else:
        h, harmonics = _deconvolved(fed, response)
    last = h[..., -max(h.shape[-1] // 10, 1) :]
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = power_decibels(np.sum(last**2, axis=-1) / np.sum(h**2, axis=-1))
        floor = decibels(np.sqrt(np.mean(last**2, axis=-1)) / np.abs(h).max(axis=-1))
    return SystemResponse(
        method=fed.method,
        impulse=h,
        before=fed.before,
        sample_rate=fed.sample_rate,
        band_hz=fed.band_hz,
        tail_db=tail,
        floor_db=floor,
        harmonics_db=harmonics,
        amplitude=fed.amplitude,
    )


def _deconvolved(fed: Stimulus, response: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Impulse response, and levels of the harmonics, which an exponential sweep sets apart in time.

    The response at order k comes ``sweep_frames ln(k) / ln(stop / start)`` frames early (A. Farina, AES 108th
    Convention, 2000). Both spectra are padded to the length of all of it, so nothing wraps round.
    """
    size = fft.next_fast_len(fed.samples.shape[-1] + fed.sweep_frames, real=True)
    x = fft.rfft(fed.samples, size)
    energy = np.abs(x) ** 2
    quotient = fft.rfft(response, size) * np.conj(x) / (energy + _REGULARISED * energy.max())
    low, high = fed.band_hz
    pace = fed.sweep_frames / math.log(high / low)
    hz = fft.rfftfreq(size, 1.0 / fed.sample_rate)
    h = fft.irfft(quotient, size)
    inner = quotient * _inside(hz, low, high, 0.5)
    banded = fft.irfft(inner, size)
    levels = []
    for order in range(2, HIGHEST_HARMONIC + 1):
        gap = pace * math.log(order / (order - 1))
        start = -round(pace * math.log(order) + _LEAD * gap)
        part = np.take(banded, np.arange(start, start + round(gap)), axis=-1, mode="wrap")
        inside = (hz >= order * low * math.sqrt(2.0)) & (hz <= high / math.sqrt(2.0))
        powers = [np.sum(np.abs(s[..., inside]) ** 2, axis=-1) for s in (fft.rfft(part, size), inner)]
        with np.errstate(divide="ignore", invalid="ignore"):
            levels.append(power_decibels(powers[0] / powers[1]) if inside.any() else powers[0] * np.nan)
    linear = np.roll(h, fed.before, axis=-1)[..., : fed.frames]
    return np.ascontiguousarray(linear), np.stack(levels, axis=-1)


def _inside(hz: FloatArray, low: float, high: float, octaves: float) -> FloatArray:
    """One within a band but for its outer octaves, zero beyond it: there a sweep has no power."""
    place = np.log2(np.maximum(hz, 1e-300))
    rise = np.clip((place - math.log2(low)) / octaves, 0.0, 1.0)
    fall = np.clip((math.log2(high) - place) / octaves, 0.0, 1.0)
    return np.asarray(np.sin(np.pi / 2 * np.minimum(rise, fall)) ** 2)
