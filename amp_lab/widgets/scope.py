"""Scope: signals over time, from the whole render to single samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from amp_lab import plots
from amp_lab.graph.records.values import Samples
from amp_lab.plots import style
from amp_lab.widgets.base import STATIC
from amp_lab.widgets.signals import BUFFER_BYTES, Signal, SignalView

if TYPE_CHECKING:
    from amp_lab.widgets.signals import Source

_PAIR_BYTES = 8


class Scope(SignalView):
    """Scope over signals: ``amp.scope(r)``.

    Parameters
    ----------
    *sources, sample_rate
        See `SignalView`.

    Attributes
    ----------
    view : list of float
        First and last second that is seen; empty for all. May be set and linked.
    signals : list of str
        Names of the signals that are shown, of ``available``.

    Examples
    --------
    >>> w = amp.scope(amp.presets.three_osc().render(frames=480))
    >>> w
    Scope of three_osc: 2 signals, 480 frames at 48000 Hz
    >>> w.view = [0.0, 0.005]
    >>> w.figure().axes[-1].get_xlabel()
    'time (ms)'
    """

    _esm = STATIC / "scope.js"
    _css = STATIC / "scope.css"

    @style.drawing
    def figure(self) -> Figure:
        """Draw the view as it is now."""
        shown = self.shown()
        figure, axes = style.panels(None, [1.7] * max(len(shown), 1))
        for ax, signal in zip(axes, shown, strict=False):
            start, stop = self.view if len(self.view) == 2 else (0.0, None)
            plots.waveform(
                signal.samples, signal.sample_rate, start_s=start, stop_s=stop, ax=ax, name=signal.name
            )
        return figure

    def _on_span(self, request: Mapping[str, Any]) -> None:
        chosen = self._chosen(request)
        first, last = int(request["first"]), int(request["last"])
        most = max(1, BUFFER_BYTES // (_PAIR_BYTES * max(len(chosen), 1)))
        columns = max(1, min(int(request["columns"]), most, last - first))
        self.send_message(
            "span",
            [_extremes(signal, first, last, columns) for signal in chosen],
            id=request.get("id"),
            signals=[signal.name for signal in chosen],
            first=first,
            last=last,
            columns=columns,
            version=request.get("version"),
        )

    def _on_values(self, request: Mapping[str, Any]) -> None:
        frame = int(request["frame"])
        values = [
            repr(float(signal.samples[frame])) if 0 <= frame < signal.samples.size else ""
            for signal in self._chosen(request)
        ]
        self.send_message("values", id=request.get("id"), frame=frame, values=values)


def _extremes(signal: Signal, first: int, last: int, columns: int) -> bytes:
    """Return pairs (lowest, highest) per column as float32; NaN behind the end of a signal."""
    pairs: Samples = np.full((columns, 2), np.nan)
    end = min(last, signal.samples.size)
    if first < end:
        have = columns if end == last else max(1, round(columns * (end - first) / (last - first)))
        low, high = signal.pyramid.query(first, end, have)
        pairs[:have, 0], pairs[:have, 1] = low, high
        faulty = ~(np.isfinite(low) & np.isfinite(high))
        pairs[:have][faulty] = np.inf
    with np.errstate(over="ignore"):  # values beyond single precision are drawn as faults too
        return pairs.astype("<f4").tobytes()


def scope(*sources: Source, **traits: Any) -> Scope:
    """Show signals over time (see `Scope`).

    Examples
    --------
    >>> amp.scope(np.zeros(480), sample_rate=48_000.0)
    Scope of signal: 1 signal, 480 frames at 48000 Hz
    >>> amp.scope(480)
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: scope: nothing to look at (got 480, allowed renders, panels that have rendered,
        or arrays (batches, channels, frames)).
    """
    return Scope(*sources, **traits)
