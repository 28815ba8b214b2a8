"""Spectrum and spectrogram: signals over frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import WeakKeyDictionary

import numpy as np
import traitlets
from matplotlib.figure import Figure

from amp_lab import analysis, plots
from amp_lab.analysis import FloatArray
from amp_lab.analysis.windows import Window
from amp_lab.errors import GraphError
from amp_lab.plots import style
from amp_lab.widgets.base import STATIC, Choice
from amp_lab.widgets.signals import BUFFER_BYTES, Signal, SignalView

if TYPE_CHECKING:
    from amp_lab.widgets.signals import Source

SILENCE_DB = -300.0
PEAKS = 5
WINDOWS = ("blackmanharris", "flattop")
_POINT_BYTES = 8


class Spectrum(SignalView):
    """Spectra of signals in dBFS: ``amp.spectrum(r)``; a full-scale sine reads 0.

    Parameters
    ----------
    *sources, sample_rate
        See `SignalView`.
    window
        ``blackmanharris`` (120 dB of dynamic range) or ``flattop`` (levels to 0.003 dB).

    Attributes
    ----------
    view : list of float
        Lowest and highest frequency that is seen, in Hz; empty for all.

    Examples
    --------
    >>> w = amp.spectrum(amp.presets.three_osc().render(frames=4800), window="flattop")
    >>> w
    Spectrum of three_osc: 2 signals, 4,800 frames at 48000 Hz
    >>> w.figure().axes[0].get_ylabel()
    'level (dBFS)'
    >>> w.window = "hann"
    Traceback (most recent call last):
        ...
    traitlets.traitlets.TraitError: Spectrum.window: no such choice (got 'hann', allowed blackmanharris |
        flattop). Use one of these.
    """

    _esm = STATIC / "spectrum.js"
    _css = STATIC / "spectrum.css"
    _public: ClassVar[tuple[str, ...]] = ("window",)
    window = Choice(WINDOWS, WINDOWS[0]).tag(sync=True)

    def __init__(self, *sources: Source, **options: Any) -> None:
        super().__init__(*sources, **options)
        self._known: WeakKeyDictionary[Signal, dict[str, analysis.Spectrum]] = WeakKeyDictionary()

    @style.drawing
    def figure(self) -> Figure:
        """Draw the spectra."""
        shown = self.shown()
        figure, axes = style.panels(None, [2.4] * max(len(shown), 1))
        for ax, signal in zip(axes, shown, strict=False):
            plots.spectrum(
                signal.samples, signal.sample_rate, window=cast(Window, self.window), ax=ax, name=signal.name
            )
        return figure

    def _spectrum(self, signal: Signal) -> analysis.Spectrum:
        """Return the spectrum of a signal, cached as long as the signal exists."""
        window = cast(Window, self.window)
        known = self._known.setdefault(signal, {})
        if window not in known:
            rate = signal.sample_rate
            known[window] = analysis.power_spectrum(signal.samples[None, :], rate, window=window)
        return known[window]

    def _on_band(self, request: Mapping[str, Any]) -> None:
        chosen = self._chosen(request)
        low, high = float(request["low"]), float(request["high"])
        most = max(1, BUFFER_BYTES // (_POINT_BYTES * max(len(chosen), 1)))
        columns = min(int(request["columns"]), most)
        spectra = [self._spectrum(signal) for signal in chosen]
        self.send_message(
            "band",
            [
                _thinned(found.freq_hz, found.mean_db[0], low, high, columns, bool(request["log"]))
                for found in spectra
            ],
            id=request.get("id"),
            signals=[signal.name for signal in chosen],
            peaks=[
                [
                    [peak.freq_hz, peak.level_db]
                    for peak in analysis.find_peaks(s.freq_hz, s.mean_db[0], count=PEAKS)
                ]
                for s in spectra
            ],
            version=request.get("version"),
        )


def _thinned(freq: FloatArray, level: FloatArray, low: float, high: float, columns: int, log: bool) -> bytes:
    """Points (Hz, dBFS) as float32: every bin of a band, or of each column its highest one."""
    first = max(int(np.searchsorted(freq, low)) - 1, 0)
    last = min(int(np.searchsorted(freq, high)) + 2, freq.size)
    band, heights = freq[first:last], np.maximum(level[first:last], SILENCE_DB)
    if band.size > columns:
        place = np.log(np.maximum(band, freq[1] / 2)) if log else band
        column = np.floor((place - place[0]) * ((columns - 1) / (place[-1] - place[0])))
        starts = np.flatnonzero(np.diff(column, prepend=-1.0))
        ends = np.append(starts[1:], band.size)
        best = [start + int(np.argmax(heights[start:end])) for start, end in zip(starts, ends, strict=True)]
        band, heights = band[best], heights[best]
    return np.stack([band, heights], axis=1).astype("<f4").tobytes()


class Spectrogram(SignalView):
    """Level over time and frequency as colour: ``amp.spectrogram(r)``; one signal at a time.

    Parameters
    ----------
    *sources, sample_rate
        See `SignalView`.
    segment_frames
        Length of a Hann window: frequency against time resolution.
    range_db
        Dynamic range of the colours below the highest level.

    Attributes
    ----------
    view : list of float
        First and last second that is seen; empty for all. May be linked with a scope's.

    Examples
    --------
    >>> w = amp.spectrogram(amp.presets.three_osc().render(frames=4800), range_db=60.0)
    >>> w.segment_frames, w.range_db
    (2048, 60.0)
    >>> w.figure().axes[0].get_xlabel()
    'time (ms)'
    """

    _esm = STATIC / "spectrogram.js"
    _css = STATIC / "spectrogram.css"
    _public: ClassVar[tuple[str, ...]] = ("segment_frames", "range_db")
    segment_frames = traitlets.Int(2048, min=16, max=1 << 16).tag(sync=True)
    range_db = traitlets.Float(90.0, min=10.0, max=300.0).tag(sync=True)

    def figure(self) -> Figure:
        """Draw the first signal that is shown."""
        shown = self.shown()
        if not shown:
            raise GraphError("spectrogram: no signal is shown (got none). Choose one of available.")
        signal = shown[0]
        return plots.spectrogram(
            signal.samples,
            signal.sample_rate,
            segment_frames=self.segment_frames,
            range_db=self.range_db,
            name=signal.name,
        )

    def _on_image(self, request: Mapping[str, Any]) -> None:
        chosen = self._chosen(request)[:1]
        first, last = int(request["first"]), int(request["last"])
        columns, rows = int(request["columns"]), int(request["rows"])
        buffers, top, low, high = [], 0.0, 0.0, 0.0
        for signal in chosen:
            image, top, low, high = _image(
                signal, first, last, columns, rows, bool(request["log"]), self.segment_frames, self.range_db
            )
            columns, rows = image.shape[1], image.shape[0]
            buffers.append(image.tobytes())
        self.send_message(
            "image", buffers, id=request.get("id"), first=first, last=last, columns=columns, rows=rows,
            top_db=top, low_hz=low, high_hz=high, log=bool(request["log"]), version=request.get("version"),
        )  # fmt: skip


def _image(
    signal: Signal, first: int, last: int, columns: int, rows: int, log: bool, segment: int, range_db: float
) -> tuple[Any, float, float, float]:
    """Levels as bytes (rows, columns), lowest frequency first: 0 is the floor, 254 the top, 255 a fault."""
    half = segment // 2
    start, stop = max(first - half, 0), min(last + half, signal.samples.size)
    _, freq, level = analysis.spectrogram(
        signal.samples[start:stop], signal.sample_rate, segment_frames=segment, columns=columns
    )
    low = max(20.0, 2.0 * freq[1]) if log and freq.size > 1 else 0.0
    high = float(freq[-1])
    edges = np.geomspace(low, high, rows + 1) if log else np.linspace(low, high, rows + 1)
    begins = np.minimum(np.searchsorted(freq, edges[:-1]), freq.size - 1)
    bands = np.maximum.reduceat(level, begins, axis=0)
    top = 5.0 * np.ceil(style.finite_max(bands, -range_db) / 5.0)
    scaled = np.clip((bands - top) / range_db + 1.0, 0.0, 1.0) * 254.0
    return np.where(np.isnan(bands), 255.0, scaled).astype(np.uint8), float(top), low, high


def spectrum(*sources: Source, **traits: Any) -> Spectrum:
    """Show the spectra of signals (see `Spectrum`).

    Examples
    --------
    >>> amp.spectrum(amp.presets.three_osc().render(frames=4800))
    Spectrum of three_osc: 2 signals, 4,800 frames at 48000 Hz
    """
    return Spectrum(*sources, **traits)


def spectrogram(*sources: Source, **traits: Any) -> Spectrogram:
    """Show a signal over time and frequency (see `Spectrogram`).

    Examples
    --------
    >>> amp.spectrogram(amp.presets.three_osc().render(frames=4800))
    Spectrogram of three_osc: 2 signals, 4,800 frames at 48000 Hz
    """
    return Spectrogram(*sources, **traits)
