"""Responses over frequency and time, and the harmonics of a tone."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from amp_lab.analysis import Distortion, FrequencyResponse
from amp_lab.analysis.signals import FloatArray
from amp_lab.analysis.system_response import SystemResponse
from amp_lab.plots import style
from amp_lab.plots.spectra import TICKS_HZ, hertz

_DEEPEST_DB = 120.0
_MOST = 8
"""Curves drawn at most."""


@style.drawing
def response(
    found: FrequencyResponse,
    *,
    low_hz: float = 20.0,
    name: str = "Frequency response",
    ax: Axes | None = None,
) -> Figure:
    """Magnitude in dB and group delay in ms over log frequency.

    Parameters
    ----------
    found : what `amp.measure.frequency_response` returns
    low_hz : left end of the axis
    ax : draws inside the area of these axes

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.svf(g.input([0.0])))
    >>> figure = amp.plots.response(amp.measure.frequency_response(g, frames=4096))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['magnitude (dB)', 'group delay (ms)']
    """
    figure, (top, bottom) = style.panels(ax, [2.4, 1.6])
    seen = (found.freq_hz >= low_hz) & (found.freq_hz > 0.0)
    rows = [(found.magnitude_db, top), (found.group_delay_s * 1e3, bottom)]
    for values, axes in rows:
        curves = values.reshape(-1, values.shape[-1])[:_MOST]
        for index, curve in enumerate(curves):
            axes.plot(found.freq_hz[seen], curve[seen], color=style.colour(index), linewidth=1.0)
        _log_frequency(axes, max(low_hz, float(found.freq_hz[seen][0])), float(found.freq_hz[-1]))
    _floor(top, found.magnitude_db[..., seen])
    style.label(top, y="magnitude (dB)")
    style.label(bottom, x="frequency (Hz)", y="group delay (ms)")
    style.title(top, name, _count(found.magnitude_db.shape))
    return figure


@style.drawing
def system_response(
    found: SystemResponse, *, name: str = "System response", ax: Axes | None = None
) -> Figure:
    """Impulse response over time, and its magnitude over log frequency within the band of the stimulus.

    Parameters
    ----------
    found : what `amp.measure.system_response` returns
    ax : draws inside the area of these axes

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.svf(g.input([0.0])))
    >>> figure = amp.plots.system_response(amp.measure.system_response(g, frames=4096))
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['time after the impulse (ms)', 'frequency (Hz)']
    """
    figure, (top, bottom) = style.panels(ax, [1.8, 2.2], share_x=False)
    time = (np.arange(found.impulse.shape[-1]) - found.before) / found.sample_rate * 1e3
    spectrum = found.frequency_response()
    low, high = max(found.band_hz[0], found.resolution_hz), found.band_hz[1]
    seen = (spectrum.freq_hz >= low) & (spectrum.freq_hz <= high)
    for index, (h, level) in enumerate(zip(_rows(found.impulse), _rows(spectrum.magnitude_db), strict=True)):
        top.plot(time, h, color=style.colour(index), linewidth=1.0)
        bottom.plot(spectrum.freq_hz[seen], level[seen], color=style.colour(index), linewidth=1.0)
    _log_frequency(bottom, low, high)
    _floor(bottom, spectrum.magnitude_db[..., seen])
    style.label(top, x="time after the impulse (ms)", y="impulse response")
    style.label(bottom, x="frequency (Hz)", y="magnitude (dB)")
    end = "decayed" if found.decayed else "cut off or noisy"
    style.title(top, name, style.joined(_count(found.impulse.shape), f"{found.method}, {end}"))
    return figure


@style.drawing
def harmonics(found: Distortion, *, name: str = "Harmonics", ax: Axes | None = None) -> Figure:
    """Levels of the harmonics over the tone, by order.

    Parameters
    ----------
    found : what `amp.measure.harmonic_distortion` returns
    ax : draws into these axes

    Examples
    --------
    >>> x = amp.measure.tone(9600, 48_000.0, 1000.0)
    >>> figure = amp.plots.harmonics(amp.measure.harmonic_distortion(x + 0.01 * x**3, 48_000.0))
    >>> figure.axes[0].get_ylabel()
    'level over the tone (dB)'
    """
    figure, (axes,) = style.panels(ax, [2.6])
    levels = _rows(np.asarray(found.harmonics_db))
    finite = np.concatenate(levels)[np.isfinite(np.concatenate(levels))]
    lowest = max(finite.min(initial=-60.0), finite.max(initial=-300.0) - _DEEPEST_DB)
    bottom = 20.0 * np.floor(lowest / 20.0 - 0.5)
    width = 0.8 / len(levels)
    for index, level in enumerate(levels):
        place = np.array(found.orders) + (index - (len(levels) - 1) / 2) * width
        height = np.nan_to_num(level, nan=bottom, neginf=bottom) - bottom
        axes.bar(place, np.maximum(height, 0.0), width, bottom, color=style.colour(index))
    axes.set_xticks(found.orders)
    axes.set_ylim(bottom, 0.0)
    style.label(axes, x="order", y="level over the tone (dB)")
    style.title(axes, name, repr(found).partition(": ")[2].rpartition(", ")[0].partition(" Hz")[0] + " Hz")
    return figure


def _rows(values: FloatArray) -> list[FloatArray]:
    return list(values.reshape(-1, values.shape[-1])[:_MOST])


def _count(shape: tuple[int, ...]) -> str:
    count = int(np.prod(shape[:-1]))
    return f"first {_MOST} of {count} signals" if count > _MOST else ""


def _floor(axes: Axes, level: FloatArray) -> None:
    top = style.finite_max(level, 0.0)
    low = float(np.min(level, where=np.isfinite(level), initial=top))
    bottom = max(low, top - _DEEPEST_DB)
    margin = max(0.08 * (top - bottom), 1.0)
    axes.set_ylim(bottom - margin, top + margin)


def _log_frequency(axes: Axes, low: float, high: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(TICKS_HZ))
    axes.xaxis.set_major_formatter(FuncFormatter(hertz))
    axes.xaxis.set_minor_formatter(NullFormatter())
