"""Measurements of signals and of graphs: the façade `amp.measure`.

A *system* is a graph with an `input` node, or any callable from a stimulus
(batch, channel, frame) to a response of as many frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

from amp_lab import checks
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
from amp_lab.analysis.layouts import Layout
from amp_lab.analysis.signals import to_signal
from amp_lab.errors import InvalidArgument, quoted

__all__ = [
    "Distortion",
    "FoundFrequency",
    "FrequencyResponse",
    "Intermodulation",
    "Loudness",
    "Measurement",
    "NoiseLevel",
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
    "thd_n",
    "tone",
    "true_peak",
    "two_tone",
]


class Rendered(Protocol):
    """The part of a render that is measured."""

    @property
    def audio(self) -> FloatArray: ...
    @property
    def sample_rate(self) -> float: ...


@runtime_checkable
class Renderable(Protocol):
    """The part of a graph that a measurement needs."""

    @property
    def sample_rate(self) -> float: ...
    def copy(self) -> Any: ...
    def compile(self) -> Any: ...
    def render(self, *, frames: int, isolation: Any) -> Any: ...


System: TypeAlias = Renderable | Callable[[FloatArray], npt.ArrayLike]


def __dir__() -> list[str]:
    return sorted(__all__)


@checks.keywords
def response(
    system: System, stimulus: npt.ArrayLike, *, node: str | None = None, isolation: str = "auto"
) -> FloatArray:
    """Response (batch, channel, frame) of `system` to `stimulus` fed into its input `node`.

    A graph is copied and rendered natively; it is not changed. `node` may be left out if the graph has
    one node of type ``input``.

    Raises
    ------
    InvalidArgument
        If the graph has no such node or several and none is named.
    """
    x = to_signal(stimulus, "response.stimulus")
    if callable(system):
        return to_signal(system(x), "response.system(stimulus)")
    graph = system.copy()
    graph[_input(graph, node)].set(samples=x)
    render: Rendered = graph.render(frames=x.shape[-1], isolation=isolation)
    return render.audio


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
        f"{graph.name}.node: where the stimulus goes in is not clear "
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
    isolation: str = "auto",
) -> FloatArray:
    """Impulse response, of shape (batch, channel, frame) or that of a recorded array.

    Parameters
    ----------
    system
        A graph or callable, measured here; or the recorded response to `stimulus`.
    stimulus
        Deconvolved from the response; a unit impulse of `frames` and `channels` if not given.
        A sweep needs trailing silence as long as the response.
    before
        Frames of the result ahead of the impulse. A graph that looks ahead, such as a linear-phase
        filter, answers up to ``graph.compile().latency_frames`` before it is struck.

    Raises
    ------
    InvalidArgument
        If a recorded response comes without its stimulus, or the stimulus is silent.
    """
    _check_sizes("impulse_response", frames=frames, channels=channels)
    before = arguments.whole("impulse_response.before", before, 0, checks.LARGEST, "Give an int.")
    if not (callable(system) or isinstance(system, Renderable)):
        if stimulus is None:
            raise InvalidArgument(
                "impulse_response.stimulus: missing for a recorded response (got None, allowed an "
                "array). Pass what was fed in, or call frequency_response on an impulse response."
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
    isolation: str = "auto",
) -> FrequencyResponse:
    """Frequency response of a graph, a callable, or an impulse response given as an array.

    A graph that looks ahead is measured whole: its output is in time with its input, so the phase of a
    linear-phase filter is zero.

    Raises
    ------
    InvalidArgument
        If `sample_rate` (Hz) is missing for anything but a graph.
    """
    _check_sizes("frequency_response", frames=frames, channels=channels)
    rate = sample_rate if sample_rate is not None else getattr(system, "sample_rate", None)
    if rate is None:
        raise InvalidArgument(
            "frequency_response.sample_rate: missing (got None, allowed above 0 Hz). "
            "Pass sample_rate= with an array or a callable."
        )
    rate = arguments.sample_rate("frequency_response", rate)
    before = system.compile().latency_frames if isinstance(system, Renderable) else 0
    if callable(system) or isinstance(system, Renderable):
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


@checks.keywords
def summary(render: Rendered, *, layout: Layout | None = None) -> Measurement:
    """Peak, true peak, RMS, crest, DC and loudness of a render; its repr is stable text.

    `layout` says where more than two channels come from, which their loudness depends on (`loudness`).
    """
    return measure_levels(render.audio, render.sample_rate, layout=layout)
