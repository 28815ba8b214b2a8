"""Measurements of signals and of systems: `amp.measure`.

A *system* is a graph with an ``input`` node, or a callable that returns the response (batch, channel, frame)
to a stimulus (batch, channel, frame), with as many frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy.typing as npt

from amp_lab.analysis import (
    Distortion,
    FloatArray,
    FoundFrequency,
    FrequencyResponse,
    Intermodulation,
    Loudness,
    Measurement,
    NoiseLevel,
    alias_energy,
    arguments,
    deconvolve,
    dynamic_range,
    ebu_r128,
    exact_frequency,
    find_frequency,
    group_delay,
    harmonic_distortion,
    idle_noise,
    impulse,
    intermodulation,
    loudness,
    measure_levels,
    noise,
    silence,
    snr,
    sweep,
    thd_n,
    tone,
    transfer,
    true_peak,
    two_tone,
)
from amp_lab.analysis import system_response as shaped
from amp_lab.analysis.arguments import Band
from amp_lab.analysis.layouts import Layout
from amp_lab.analysis.signals import require_finite, to_bcn, to_signal
from amp_lab.analysis.system_response import SystemResponse
from amp_lab.common import checks
from amp_lab.contracts import Isolation
from amp_lab.errors import InvalidArgument, quoted
from amp_lab.graph.graph import Graph
from amp_lab.render.render import Render

__all__ = [
    "Distortion",
    "FoundFrequency",
    "FrequencyResponse",
    "Intermodulation",
    "Loudness",
    "Measurement",
    "NoiseLevel",
    "SystemResponse",
    "alias_energy",
    "dynamic_range",
    "ebu_r128",
    "exact_frequency",
    "find_frequency",
    "frequency_response",
    "group_delay",
    "harmonic_distortion",
    "idle_noise",
    "impulse",
    "impulse_response",
    "intermodulation",
    "loudness",
    "noise",
    "response",
    "silence",
    "snr",
    "summary",
    "sweep",
    "system_response",
    "thd_n",
    "tone",
    "true_peak",
    "two_tone",
]


System: TypeAlias = Graph | Callable[[FloatArray], npt.ArrayLike]


def __dir__() -> list[str]:
    return sorted(__all__)


@checks.keywords
def response(
    system: System, stimulus: npt.ArrayLike, *, node: str | None = None, isolation: Isolation = "auto"
) -> FloatArray:
    """Return the response (batch, channel, frame) of a system to a stimulus at its input `node`.

    A graph is copied and rendered; it is not changed. `node` is the name of the input; it is needed only if
    the graph has several nodes of type ``input``.

    Raises
    ------
    InvalidArgument
        If the graph has no such input, or several and `node` is not given.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.input([0.0]), gain=0.5))
    >>> amp.measure.response(g, amp.measure.impulse(4))
    array([[[0.5, 0. , 0. , 0. ]]])
    >>> amp.measure.response(lambda x: 2.0 * x, [[1.0, 2.0]])
    array([[2., 4.]])
    """
    x = to_signal(stimulus, "response.stimulus")
    if callable(system):
        return to_signal(system(x), "response.system(stimulus)")
    graph = system.copy()
    graph[_input(graph, node)].set(samples=x)
    return graph.render(frames=x.shape[-1], isolation=isolation).audio


def _input(graph: Any, node: str | None) -> str:
    names = [n.name for n in graph.nodes if n.type == "input"]
    if node in names:
        return str(node)
    if node is None and len(names) == 1:
        return str(names[0])
    if node is not None and names:
        raise InvalidArgument(checks.unknown(f"{graph.name}.node", node, names, "input node"))
    cure = f"Pass node={quoted(names[0])}." if names else "Begin the graph with x = g.input(samples=[0.0])."
    raise InvalidArgument(
        f"{graph.name}.node: the input for the stimulus is not unique "
        f"(got {quoted(node)}, allowed {' | '.join(names) or 'an input node, there is none'}). {cure}"
    )


@checks.keywords
def impulse_response(
    system: System | npt.ArrayLike,
    *,
    stimulus: npt.ArrayLike | None = None,
    frames: int = 1 << 16,
    channels: int = 1,
    before: int = 0,
    node: str | None = None,
    isolation: Isolation = "auto",
) -> FloatArray:
    """Return the impulse response of a system, (batch, channel, frame), or of a recording, in its shape.

    Parameters
    ----------
    system
        A graph or callable, which is measured; or the recorded response to `stimulus`.
    stimulus
        Stimulus, which is deconvolved from the response; by default a unit impulse of `frames` and
        `channels`. A sweep must end with as many frames of silence as the response is long.
    frames, channels
        Size of the default stimulus.
    before
        Frames of the result before the impulse. The response of a graph that looks ahead, such as a
        linear-phase filter, begins up to ``graph.compile().latency_frames`` frames before the impulse.
    node, isolation
        See `response`.

    Raises
    ------
    InvalidArgument
        If `system` is a recording and `stimulus` is missing, or the stimulus is silent.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.delay_line(g.input([0.0]), delay_s=2 / 48_000, max_delay_s=0.01))
    >>> amp.measure.impulse_response(g, frames=5).round(9)
    array([[[0., 0., 1., 0., 0.]]])
    """
    _check_sizes("impulse_response", frames=frames, channels=channels)
    before = arguments.whole("impulse_response.before", before, 0, checks.LARGEST, "Give an int.")
    if not (callable(system) or isinstance(system, Graph)):
        if stimulus is None:
            raise InvalidArgument(
                "impulse_response.stimulus: missing for a recorded response (got None, allowed an "
                "array). Pass the stimulus, or call frequency_response on an impulse response."
            )
        return deconvolve(system, stimulus, before=before)
    if stimulus is None:
        fed = impulse(frames, channels=channels, at_frame=before)
        return response(system, fed, node=node, isolation=isolation)
    return deconvolve(response(system, stimulus, node=node, isolation=isolation), stimulus, before=before)


@checks.keywords
def frequency_response(
    system: System | npt.ArrayLike,
    sample_rate: float | None = None,
    *,
    stimulus: npt.ArrayLike | None = None,
    frames: int = 1 << 16,
    channels: int = 1,
    node: str | None = None,
    isolation: Isolation = "auto",
) -> FrequencyResponse:
    """Return the frequency response of a graph, of a callable, or of an impulse response given as an array.

    The latency of a graph is compensated: the phase of a linear-phase filter is zero. `sample_rate` in Hz is
    required unless `system` is a graph; the other arguments are those of `impulse_response`.

    Raises
    ------
    InvalidArgument
        If `sample_rate` is missing or an argument is out of range.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.svf(g.input([0.0]), cutoff_hz=1000.0, q=0.7071))
    >>> response = amp.measure.frequency_response(g)
    >>> response
    FrequencyResponse(1x1x32769, 0 to 24000 Hz)
    >>> response.at(1000.0).round(2), response.at(4000.0).round(2)
    (array([[-3.01]]), array([[-24.48]]))
    """
    _check_sizes("frequency_response", frames=frames, channels=channels)
    rate = _rate("frequency_response", system, sample_rate)
    before = system.compile().latency_frames if isinstance(system, Graph) else 0
    if callable(system) or isinstance(system, Graph):
        system = impulse_response(
            system,
            stimulus=stimulus,
            frames=max(frames, 2 * before + 1),
            channels=channels,
            before=before,
            node=node,
            isolation=isolation,
        )
    return transfer(system, rate, before=before)


def _check_sizes(where: str, **sizes: int) -> None:
    for name, size in sizes.items():
        arguments.whole(f"{where}.{name}", size, 1, checks.LARGEST, "Give an int.")


def _rate(where: str, system: Any, sample_rate: float | None) -> float:
    """Return the given sample rate, by default that of a graph."""
    rate = sample_rate if sample_rate is not None else getattr(system, "sample_rate", None)
    if rate is None:
        raise InvalidArgument(
            f"{where}.sample_rate: missing (got None, allowed 1 to 10000000 Hz). "
            "Pass sample_rate= with an array or a callable."
        )
    return arguments.sample_rate(where, rate)


@checks.keywords
def system_response(
    system: System,
    sample_rate: float | None = None,
    *,
    method: shaped.Method = "impulse",
    frames: int = 1 << 14,
    channels: int = 1,
    amplitude: float = 0.5,
    band_hz: Band = (20.0, 20_000.0),
    sweep_frames: int = 1 << 18,
    node: str | None = None,
    isolation: Isolation = "auto",
) -> SystemResponse:
    """Return the impulse response of a system, measured by impulse, step or exponential sweep.

    For a linear time-invariant system the three methods agree. An impulse has little power, equal at all
    frequencies; a step has most power at low frequencies; a sweep (A. Farina, AES 108th Convention, 2000) has
    the most power, within its band only. A sweep also separates the harmonics of a system that distorts from
    its linear response, if that is shorter than 0.2 sweep_frames / ln(stop / start) frames. Harmonics above
    half the sample rate alias into all orders: to read order k, the sweep should end at sample_rate / (2 k).

    Parameters
    ----------
    system
        A graph with an input node, or a callable.
    sample_rate
        Hz; by default that of the graph.
    method
        "impulse", "step" or "sweep".
    frames
        Length of the response in frames.
    channels
        Channels of the stimulus.
    amplitude
        Peak of the stimulus; 1 is full scale.
    band_hz
        First and last frequency of a sweep in Hz; the last is at most half the sample rate.
    sweep_frames
        Length of a sweep in frames; silence of the length of the response follows it.
    node, isolation
        See `response`.

    Returns
    -------
    SystemResponse
        ``limits`` states length, decay, noise floor and band of the measurement.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or the response is not finite.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.svf(g.input([0.0]), cutoff_hz=1000.0))
    >>> found = amp.measure.system_response(g, method="step", frames=256)
    >>> found
    SystemResponse(step, 1x1x256 frames at 48000 Hz, 0 to 24000 Hz, tail -186.99 dB)
    >>> found.limits[:2]
    ('length: 256 frames, which resolve 187.5 Hz', 'end: the last tenth holds -186.99 dB of the energy: it has
        decayed')
    """
    where = "system_response"
    rate = _rate(where, system, sample_rate)
    checks.choice(f"{where}.method", method, shaped.METHODS, "method", InvalidArgument)
    before = system.compile().latency_frames if isinstance(system, Graph) else 0
    frames = arguments.whole(f"{where}.frames", frames, 2, 1 << 31, "Give the length of the response.")
    arguments.whole(f"{where}.sweep_frames", sweep_frames, 64, 1 << 31, "Give the length of the sweep.")
    low, high = arguments.band(f"{where}.band_hz", band_hz, rate)
    if method == "sweep" and low == 0.0:
        raise InvalidArgument(
            f"{where}.band_hz: out of range (got 0 Hz, allowed above 0 Hz). "
            "An exponential sweep starts above it."
        )
    cure = "Give the peak of the stimulus."
    amplitude = arguments.within(f"{where}.amplitude", amplitude, 1e-12, 1e12, "", cure)
    fed = shaped.stimulus(
        method,
        rate,
        max(frames, 2 * before + 1),
        before=before,
        channels=channels,
        amplitude=amplitude,
        band_hz=(low, high),
        sweep_frames=sweep_frames,
    )
    answer = response(system, fed.samples, node=node, isolation=isolation)
    require_finite(answer, f"{where}: the response")
    if answer.shape[-1] != fed.samples.shape[-1]:
        raise InvalidArgument(
            f"{where}: the response has another length (got {answer.shape[-1]} frames, allowed "
            f"{fed.samples.shape[-1]}). Return as many frames as were fed in."
        )
    return shaped.evaluate(fed, to_bcn(answer, where))


@checks.keywords
def summary(render: Render, *, layout: Layout | None = None) -> Measurement:
    """Return peak, true peak, RMS, crest, DC and loudness of a render; equal results have equal `repr`.

    `layout` gives the loudspeakers of more than two channels, which loudness depends on (see `loudness`).

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine(amplitude=0.5))
    >>> amp.measure.summary(g.render(seconds=0.5))
    Measurement(24000 frames, 0.500 s at 48000 Hz)
      batch 0 channel 0: peak -6.02 dBFS, true peak -6.02 dBTP, rms -9.03 dB, crest 3.01 dB, dc 0.000000
      batch 0: loudness -9.71 LUFS
    """
    return measure_levels(render.audio, render.sample_rate, layout=layout)
