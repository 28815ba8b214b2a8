"""One native render: its request, its results, and the loop that runs it in this process."""

from amp_lab.contracts import Progress
from amp_lab.execution.in_process import Allocate, allocate_here, render_in_process
from amp_lab.execution.request import RenderRequest
from amp_lab.execution.results import Excess, Heat, Metrics, RenderParts, Trace

__all__ = [
    "Allocate",
    "Excess",
    "Heat",
    "Metrics",
    "Progress",
    "RenderParts",
    "RenderRequest",
    "Trace",
    "allocate_here",
    "render_in_process",
]
