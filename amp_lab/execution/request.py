"""What a render is asked for: one record that a worker process can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from amp_lab import lowlevel
from amp_lab.graph.records.values import Samples


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """Everything a render depends on; picklable.

    ``nodes`` are the plan's nodes in execution order, ``output_channels`` those of its output (0: none).
    ``block_frames`` 0 lets the runtime choose, ``threads`` 0 takes all the process may use. ``taps`` are
    ``"node"`` or ``"node.port"``. ``schedule_blob`` None follows the derived schedule, empty the plan's own
    order.

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
        """The or of ``AMP_RUN_*``."""
        chosen = (
            (self.stop_nonfinite, lowlevel.STOP_NONFINITE),
            (self.heat, lowlevel.HEAT),
            (self.trace, lowlevel.TRACE),
        )
        return sum(flag for wanted, flag in chosen if wanted)
