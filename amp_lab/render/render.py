"""The result of a render: a frozen, picklable record with read-only arrays."""

# ruff: noqa: PLC0415 - plots, files and comparisons are imported when a method needs them

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from amp_lab.common import checks
from amp_lab.errors import GraphError, InternalError, quoted
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import Heat, Trace
from amp_lab.graph.records.values import ReadOnlyArrays, Samples
from amp_lab.lowlevel import NodeMetrics
from amp_lab.plan import schedule as schedules
from amp_lab.plan.plan import Plan
from amp_lab.plan.schedule import Schedule
from amp_lab.render.isolation import run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amp_lab.golden.comparators import Comparison


@dataclass(frozen=True, eq=False, repr=False)
class Render(ReadOnlyArrays):
    """The result of a render, with read-only arrays.

    Parameters
    ----------
    name
        Name of the graph.
    audio
        Samples of the output, float64 (B, C, N).
    sample_rate
        In Hz.
    taps
        Signals of tapped nodes by name of the tap, float64 (B, C, N) each.
    metrics
        `NodeMetrics` by node: seconds, frames, calls, measured delay, clamped values, heat.
    latency_frames
        Latency of the graph in frames; the audio is aligned, so that it begins with frame 0.
    trace
        Firings; None unless the render was made with ``trace=True``.
    plan
        The plan that was rendered.
    provenance
        Versions, build, instruction set and digests; equal for equal renders on one build.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine(frequency_hz=440.0, amplitude=0.5, name="tone"))
    >>> r = g.render(seconds=0.25, taps=["tone"])
    >>> r
    Render beep: 1 x 1 x 12000 frames at 48000 Hz, peak -6.02 dBFS, sha256 ...
    >>> r.frames, r.seconds, r.peak
    (12000, 0.25, 0.5)
    >>> r.audio.shape, r.taps["tone"].shape, r.audio.flags.writeable
    ((1, 1, 12000), (1, 1, 12000), False)
    >>> r.metrics["tone"].frames, r.provenance["schedule"], len(r.digest)
    (12000, 'derived', 64)
    >>> r.schedule
    Schedule: 2 stages, 0 cohorts of 2 and more with 0 of 2 nodes
    """

    name: str
    audio: Samples
    sample_rate: float
    taps: Mapping[str, Samples]
    metrics: Mapping[str, NodeMetrics]
    latency_frames: int
    trace: Trace | None
    plan: Plan
    provenance: Mapping[str, str]
    request: RenderRequest
    isolation: str
    computed_heat: Heat | None = field(default=None)

    @property
    def frames(self) -> int:
        """Length in frames."""
        return int(self.audio.shape[2])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @property
    def peak(self) -> float:
        """Largest absolute value of a sample (1.0 is full scale); 0 for an empty render."""
        return float(np.max(np.abs(self.audio), initial=0.0))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bits of the audio in (batch, channel, frame) order, 64 hexadecimal digits."""
        return digest(self.audio)

    @cached_property
    def schedule(self) -> Schedule:
        """The schedule that the render followed."""
        return schedules.followed(self.plan.descriptor_blob, self.request.schedule_blob)

    @cached_property
    def heat(self) -> Heat:
        """Heat per node; if the render was made without heat, its request is rendered again with heat.

        Raises
        ------
        InternalError
            If the bits of the second render differ from those of the first.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
        >>> g.render(seconds=0.1).heat
        Heat: 3 nodes, 75 windows, 0.0548 J given off
        """
        if self.computed_heat is not None:
            return self.computed_heat
        parts = run(replace(self.request, heat=True, trace=False, taps=()), self.isolation)
        again = digest(parts["audio"])
        if parts["heat"] is None or again != self.digest:
            raise InternalError(
                f"{self.name}.heat: the second render differs (got {again[:8]}, allowed {self.digest[:8]}). "
                "If the array given as out= was overwritten, render with heat=True; otherwise report it."
            )
        return parts["heat"]

    def waveform(self, *, ax: Axes | None = None, **options: Any) -> Figure:
        """Return a figure of the audio over time; options are those of `amp_lab.plots.waveform`.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> figure = g.render(seconds=0.01).waveform()
        >>> [axes.get_xlabel() for axes in figure.axes]
        ['time (ms)']
        """
        from amp_lab import plots

        return plots.waveform(self.audio, self.sample_rate, ax=ax, **options)

    def spectrum(self, *, ax: Axes | None = None, **options: Any) -> Figure:
        """Return a figure of the spectrum in dBFS; options are those of `amp_lab.plots.spectrum`.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> g.render(seconds=0.1).spectrum(peaks=1).axes[0].get_ylabel()
        'level (dBFS)'
        """
        from amp_lab import plots

        return plots.spectrum(self.audio, self.sample_rate, ax=ax, **options)

    def spectrogram(self, *, ax: Axes | None = None, **options: Any) -> Figure:
        """Return a figure of the spectrum over time; options are those of `amp_lab.plots.spectrogram`.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> figure = g.render(seconds=0.1).spectrogram()
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['mono (Hz)', 'level (dBFS)']
        """
        from amp_lab import plots

        return plots.spectrogram(self.audio, self.sample_rate, ax=ax, **options)

    def thermo(self, *, ax: Axes | None = None, **options: Any) -> Figure:
        """Return a figure of heat and temperature per node; options are those of `amp_lab.plots.thermo`.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
        >>> g.render(seconds=0.1).thermo().axes[0].get_ylabel()
        'own power (mW)'
        """
        from amp_lab import plots

        return plots.thermo(self.heat, ax=ax, **options)

    def timeline(self, view: str = "schedule", *, ax: Axes | None = None, **options: Any) -> Figure:
        """Return a figure of the plan, with measured times if the render was made with ``trace=True``.

        Parameters
        ----------
        view
            ``"schedule"``: nodes, edges, and firings in wall time. ``"delays"``: starts and latencies of
            nodes in virtual time, declared and measured; waits at gates; frames in edges; the path of one
            token.

        Raises
        ------
        GraphError
            If there is no such view.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.fir(g.sine()))
        >>> r = g.render(seconds=0.01, trace=True)
        >>> r.timeline("delays").axes[0].get_title(loc="right")
        'latency 32 frames (0.667 ms)  ·  measured as declared'
        >>> r.timeline("delay")
        Traceback (most recent call last):
            ...
        amp_lab.errors.GraphError: graph.timeline: no such view (got 'delay', allowed schedule | delays). Did
            you mean 'delays'?
        """
        from amp_lab import plots

        if view == "schedule":
            return plots.timeline(
                self.plan.info, self.trace, self.sample_rate, schedule=self.schedule, ax=ax, **options
            )
        checks.choice(f"{self.name}.timeline", view, ("schedule", "delays"), "view")
        return plots.delays(self.plan.info, self.trace, self.metrics, self.sample_rate, ax=ax, **options)

    def compare(self, other: Render | Samples, comparator: str = "exact", **options: Any) -> Comparison:
        """Compare the audio with a reference; options are those of `amp_lab.golden.compare`.

        Raises
        ------
        GraphError
            If the reference is neither a render nor an array.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> r = g.render(frames=480)
        >>> r.compare(r)
        PASS exact 480 frames x 1 channel
        >>> r.compare(r.audio * (1 + 1e-9), "max_abs", abs_tol=1e-6, reason="gain rounded to 9 digits")
        PASS max_abs 480 frames x 1 channel
        >>> print(r.compare(r.audio + 0.001))
        FAIL exact at block 0, frame 0, batch 0, channel 0
          expected   0.001
          actual     0.0
          difference -0.001
          tolerance  0 (every bit)
        """
        from amp_lab.golden import comparators

        if not isinstance(other, Render | np.ndarray):
            raise GraphError(
                f"{self.name}.compare: not a reference (got {quoted(other)}, allowed a Render or an array). "
                "Pass render.compare(other_render)."
            )
        return comparators.compare(self, other, comparator=comparator, **options)

    @checks.keywords
    def measure(self, *, layout: Any = None) -> Any:
        """Return peak, true peak, RMS, crest, DC and loudness (`amp_lab.measure.summary`).

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine(amplitude=0.5))
        >>> g.render(seconds=0.5).measure()
        Measurement(24000 frames, 0.500 s at 48000 Hz)
          batch 0 channel 0: peak -6.02 dBFS, true peak -6.02 dBTP, rms -9.03 dB, crest 3.01 dB, dc 0.000000
          batch 0: loudness -9.71 LUFS
        """
        from amp_lab import measure

        return measure.summary(self, layout=layout)

    def save(
        self,
        path: str | Path,
        *,
        batch: int | None = None,
        subtype: str | None = None,
        dither: bool | Literal["tpdf"] = False,
        seed: int = 0,
    ) -> Path:
        """Write one batch to a sound file, and return its path; the suffix (.wav, .flac) chooses the format.

        A file of that name is replaced by a complete new one, or is left unchanged on an error. Samples of
        integer formats are x 2^(bits - 1), rounded to the nearest integer, ties to even, and limited to the
        largest one. A WAV of more than 4 GiB is written as RF64.

        Parameters
        ----------
        batch
            Index of the batch, from 0; required if there are several.
        subtype
            Sample format of soundfile; by default 64-bit float for WAV and 24 bit for FLAC.
        dither
            True or ``"tpdf"``: for integer formats, add noise of triangular density in (-1, 1) steps before
            rounding. The error then has mean 0 and variance 1/4 step^2 (-96.3 dBFS RMS at 16 bits),
            independent of the signal, and differs between channels and batches.
        seed
            Seed of the dither; equal seeds give equal bits on every machine.

        Raises
        ------
        GraphError
            If suffix, folder, subtype, batch, dither, sample rate or channels are not allowed, samples are
            not finite or would be clipped, or the file cannot be written.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.sine(amplitude=0.5))
        >>> g.render(seconds=0.1).save("beep.flac", subtype="PCM_16", dither=True).name
        'beep.flac'
        >>> g.render(seconds=0.1).save("beep.mp3")
        Traceback (most recent call last):
            ...
        amp_lab.errors.GraphError: beep.save: no such format (got 'beep.mp3', allowed .wav | .flac). Name a
            file so.
        """
        from amp_lab.export import sound_file

        how: dict[str, Any] = {"batch": batch, "subtype": subtype, "dither": dither, "seed": seed}
        return sound_file.write(f"{self.name}.save", path, self.audio, self.sample_rate, **how)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from amp_lab.export import notebook_display

        return notebook_display.render_mimebundle(self)

    def __repr__(self) -> str:
        batches, channels, frames = self.audio.shape
        peak = f"{20 * np.log10(self.peak):.2f}" if self.peak else "-inf"
        shape = f"{batches} x {channels} x {frames} frames at {self.sample_rate:g} Hz"
        return f"Render {self.name}: {shape}, peak {peak} dBFS, sha256 {self.digest[:8]}"


def digest(audio: Samples) -> str:
    """Return the SHA-256 of the bits of an array in C order, 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(audio).view(np.uint8).reshape(-1).data).hexdigest()
