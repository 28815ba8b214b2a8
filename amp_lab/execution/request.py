"""The request of a render, as one record that can be sent to a worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from amp_lab import lowlevel
from amp_lab.graph.records.values import Samples


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """Everything that a render depends on, as a picklable record.

    ``nodes`` are the plan's nodes in execution order, ``output_channels`` the channels of its output (0 for
    none). ``block_frames`` 0 lets the runtime choose, ``threads`` 0 uses all that the process may. ``taps``
    are ``"node"`` or ``"node.port"``. ``schedule_blob`` is None for the derived schedule, empty for the
    plan's own order.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.sine())
    >>> request = g.render(frames=480, taps=["sine"]).request
    >>> request.frames, request.taps, request.nodes, request.stop_nonfinite
    (480, ('sine',), ('sine', 'output'), True)
    >>> request.flags > 0
    True
    """

    descriptor_blob: bytes
    plan_blob: bytes
    history_blob: bytes | None
    nodes: tuple[str, ...]
    output_channels: int
    sample_rate: float
    frames: int
    batches: int = 1
    batch_offset: int = 0
    inputs: Mapping[str, Samples] = field(default_factory=dict)
    taps: tuple[str, ...] = ()
    block_frames: int = 0
    stop_nonfinite: bool = True
    heat: bool = False
    trace: bool = False
    heat_budget_w: float | None = None
    schedule_blob: bytes | None = None
    threads: int = 0

    @property
    def flags(self) -> int:
        """Flags of the C API for this request (``AMP_RUN_*``, combined by or)."""
        chosen = (
            (self.stop_nonfinite, lowlevel.STOP_NONFINITE),
            (self.heat, lowlevel.HEAT),
            (self.trace, lowlevel.TRACE),
        )
        return sum(flag for wanted, flag in chosen if wanted)
