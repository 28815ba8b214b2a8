"""What displays and reports read of a render."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from amp_lab.analysis import FloatArray
from amp_lab.plots.heat import HeatLike
from amp_lab.plots.schedule import ScheduleLike, TraceLike


class NodeMetricsLike(Protocol):
    """What one node did in a render."""

    @property
    def seconds(self) -> float:
        """Time spent in the node."""

    @property
    def frames(self) -> int:
        """Frames fired."""

    @property
    def calls(self) -> int:
        """Firings."""

    @property
    def measured_delay_frames(self) -> int:
        """Frames its newest output token lags its newest input token."""

    @property
    def heat_j(self) -> float:
        """Accumulated heat."""


class PlanLike(Protocol):
    """A compiled plan."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Nodes in execution order, components and edges."""


class RenderLike(Protocol):
    """The public part of a render that is shown."""

    @property
    def name(self) -> str:
        """Name of the graph."""

    @property
    def audio(self) -> FloatArray:
        """Samples (batch, channel, frame)."""

    @property
    def sample_rate(self) -> float:
        """Frames per second."""

    @property
    def metrics(self) -> Mapping[str, NodeMetricsLike]:
        """Per node, by name."""

    @property
    def heat(self) -> HeatLike | None:
        """Heat per node, or None if it was not recorded."""

    @property
    def trace(self) -> TraceLike | None:
        """Firings, or None if they were not recorded."""

    @property
    def plan(self) -> PlanLike:
        """The plan that ran."""

    @property
    def schedule(self) -> ScheduleLike | None:
        """The order it fired in, or None for the plan's own."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, build, ISA, digests."""

    @property
    def digest(self) -> str:
        """SHA-256 of the audio bits."""
