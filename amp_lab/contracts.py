"""What a node type promises, as frozen records; and the choices of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Isolation: TypeAlias = Literal["auto", "process", "none"]
"""Where native code runs: in a worker process, in this one, or a worker in notebooks."""
Nonfinite: TypeAlias = Literal["raise", "allow"]
"""Whether a NaN or Inf stops a render or passes."""
Progress: TypeAlias = Callable[[int, int], object]
"""Called with frames done and frames in all."""

ParamKind = Literal["number", "enum", "integer", "text", "matrix"]
Rate = Literal["fixed", "batch", "frame"]


@dataclass(frozen=True)
class ParamContract:
    """One parameter: its key (unit in the name), range, default and rate.

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
        """Lowest and highest value at a sample rate in Hz, in the parameter's unit.

        Examples
        --------
        >>> amp.catalog["svf"].param("cutoff_hz").limits(48_000.0)
        (1.0, 23520.0)
        """
        return self.low, self.high * sample_rate if self.high_is_fs else self.high

    def allowed(self) -> str:
        """Return the allowed values in words: ``1 to 0.49 fs Hz``, ``lowpass | bandpass``.

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
    """One port: how many channels, what it reads when unconnected, and what its edges do.

    ``gather`` says how the edges of an input meet, ``scatter`` how the channels of an output leave, ``map``
    whether an output mixes batches or picks frames. An output gathers nothing, an input scatters nothing: "".

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
    """One worked case of a node: stimulus, parameters as text, and how its render is compared.

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
    """A node type: ports, parameters, latency in frames, laws it keeps and worked cases.

    ``adjoint`` is planned: nothing runs backward yet. ``io`` is ``none``, ``source`` (samples are bound to
    the node) or ``sink``. ``curve_param`` names the curve that it plays, ``channels_param`` says how many
    channels a source makes, values of ``limited_param`` may not exceed ``limit_param``, which is fixed, and
    within ``bound_param`` stays the output of a type with the law ``bounded`` (within 1 if there is none):
    keys of parameters, "" for none.

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
        """Return the parameter of that key, None if there is none.

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
        """Keys of the output ports that give each edge a channel of its own."""
        return frozenset(port.key for port in self.outputs if port.scatter == "split")
