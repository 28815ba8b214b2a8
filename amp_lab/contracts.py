"""Contracts of node types as frozen records: ports, parameters, cases; and types of arguments of a render."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Isolation: TypeAlias = Literal["auto", "process", "none"]
"""Where native code runs: ``process`` (worker), ``none`` (this process), ``auto`` (worker in notebooks)."""
Nonfinite: TypeAlias = Literal["raise", "allow"]
"""Whether a NaN or Inf raises `NonFiniteError` or is passed on."""
Progress: TypeAlias = Callable[[int, int], object]
"""A function that is called with frames done and frames in total."""

ParamKind = Literal["number", "enum", "integer", "text", "matrix"]
Rate = Literal["fixed", "batch", "frame"]


@dataclass(frozen=True)
class ParamContract:
    """Contract of one parameter: key (with the unit in its name), range, default and rate.

    Examples
    --------
    >>> amp.catalog["svf"].param("cutoff_hz")
    ParamContract(key='cutoff_hz', unit='Hz', doc='Corner or centre frequency (prewarped, exact at the
        corner).', kind='number', scale='log', rate='frame', range='error', low=1.0, high=0.49,
        high_is_fs=True, default=1000.0, choices=())
    """

    key: str
    unit: str
    doc: str
    kind: ParamKind
    scale: str
    rate: Rate
    range: str
    low: float
    high: float
    high_is_fs: bool
    default: float | int | str
    choices: tuple[str, ...]

    def limits(self, sample_rate: float) -> tuple[float, float]:
        """Return the lowest and highest value at a sample rate in Hz, in the parameter's unit.

        Examples
        --------
        >>> amp.catalog["svf"].param("cutoff_hz").limits(48_000.0)
        (1.0, 23520.0)
        """
        return self.low, self.high * sample_rate if self.high_is_fs else self.high

    def allowed(self) -> str:
        """Return the allowed values as text: ``1 to 0.49 fs Hz``, ``lowpass | bandpass``.

        Examples
        --------
        >>> amp.catalog["svf"].param("cutoff_hz").allowed()
        '1 to 0.49 fs Hz'
        >>> amp.catalog["svf"].param("mode").allowed()
        'lowpass | bandpass | highpass | notch'
        """
        if self.kind == "enum":
            return " | ".join(self.choices)
        if self.kind == "text":
            return "text"
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        return f"{self.low:g} to {self.high:g}{' fs' if self.high_is_fs else ''}{unit}"


@dataclass(frozen=True)
class PortContract:
    """Contract of one port: channels, value when unconnected, and how its edges are combined.

    ``gather`` is how an input combines its edges (``sum``, ``mean``, ...), ``scatter`` how an output gives
    its channels to its edges, each "" on the other side. ``map`` is ``batch`` or ``frame`` where an output
    mixes batches or picks frames, else ``none``.

    Examples
    --------
    >>> amp.catalog["average"].inputs[0].gather
    'mean'
    >>> amp.catalog["split"].outputs[0].scatter
    'split'
    """

    key: str
    doc: str
    channels: str
    gather: str
    scatter: str
    map: str
    optional: bool
    neutral: float


@dataclass(frozen=True)
class CaseContract:
    """One worked case of a node type: stimulus, parameters as text, and how its render is compared.

    Examples
    --------
    >>> amp.catalog["svf"].cases[0]
    CaseContract(key='lowpass', stimulus='impulse', params='mode=lowpass cutoff_hz=1000 q=2', channels=1,
        frames=2048, comparator='exact', tolerance=0.0, reason='every operation is defined down to the last
        bit, so equality is exact')
    """

    key: str
    stimulus: str
    params: str
    channels: int
    frames: int
    comparator: str
    tolerance: float
    reason: str


@dataclass(frozen=True)
class NodeContract:
    """Contract of a node type: ports, parameters, latency in frames, laws and worked cases.

    ``io`` is ``none``, ``source`` (the node plays samples bound to it) or ``sink``. ``adjoint`` is how the
    node will be differentiated; no gradient is computed yet. These fields are keys of parameters, or "":
    ``curve_param`` is the name of the curve that the node follows, ``channels_param`` the channels that a
    source makes; values of ``limited_param`` may not exceed the fixed value of ``limit_param``; the output of
    a type with the law ``bounded`` stays within +-``bound_param`` (+-1 if "").

    Examples
    --------
    >>> svf = amp.catalog["svf"]
    >>> svf.input_keys, svf.output_keys, svf.latency_frames
    (('in',), ('out',), 0)
    >>> sorted(svf.laws)
    ['block_invariant', 'linear', 'silence', 'time_invariant']
    >>> amp.catalog["split"].split_keys
    frozenset({'out'})
    """

    id: str
    revision: int
    group: str
    summary: str
    doc: str
    inputs: tuple[PortContract, ...]
    outputs: tuple[PortContract, ...]
    params: tuple[ParamContract, ...]
    cases: tuple[CaseContract, ...]
    latency_frames: int
    adjoint: str
    heat: str
    laws: frozenset[str]
    has_channels: bool
    io: str
    curve_param: str
    channels_param: str
    limited_param: str
    limit_param: str
    bound_param: str
    digest: int

    def param(self, key: str) -> ParamContract | None:
        """Return the parameter with a key, or None.

        Examples
        --------
        >>> amp.catalog["svf"].param("q").default
        0.7071067811865476
        >>> amp.catalog["svf"].param("drive") is None
        True
        """
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[str, ParamContract]:
        return {param.key: param for param in self.params}

    @cached_property
    def input_keys(self) -> tuple[str, ...]:
        """Keys of the input ports, in order."""
        return tuple(port.key for port in self.inputs)

    @cached_property
    def output_keys(self) -> tuple[str, ...]:
        """Keys of the output ports, in order; the first is the default one."""
        return tuple(port.key for port in self.outputs)

    @cached_property
    def split_keys(self) -> frozenset[str]:
        """Keys of the output ports that give each edge one channel."""
        return frozenset(port.key for port in self.outputs if port.scatter == "split")
