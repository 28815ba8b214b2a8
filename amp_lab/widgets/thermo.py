"""Heat and temperature of every node over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel import Pyramid
from amp_lab.widgets.base import STATIC
from amp_lab.widgets.renders import RenderView
from amp_lab.widgets.signals import BUFFER_BYTES

if TYPE_CHECKING:
    from amp_lab.render.render import Render
    from amp_lab.widgets.panel import Panel

ROWS = 64
"""Number of nodes that are shown at most, the hottest ones."""


class Thermo(RenderView):
    """Heat of every node of a render: ``amp.thermo(r)``.

    Parameters
    ----------
    source
        A render, or a panel whose newest render is followed. Heat that was not computed with the sound is
        computed when the widget first shows it.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
    >>> w = amp.thermo(g.render(frames=4800, heat=True))
    >>> w.figure().axes[0].get_ylabel()
    'own power (mW)'
    """

    _esm = STATIC / "thermo.js"
    _css = STATIC / "thermo.css"
    height = traitlets.Int(380, min=120, max=4000).tag(sync=True)

    def figure(self) -> Figure:
        """Draw heat and temperature."""
        return self.rendered().thermo()

    def _on_heat(self, request: Mapping[str, Any]) -> None:
        if self.render is None:
            self.send_message("heat", id=request.get("id"), version=self.version, empty=True)
            return
        heat = self.render.heat
        window_s = float(heat.times_s[0]) if heat.times_s.size else 1.0
        given_j = heat.own_j.sum(axis=1)
        order = [i for i in np.argsort(-given_j, kind="stable")[:ROWS] if given_j[i] > 0]
        count = heat.times_s.size
        first, last = max(0, int(request["first"])), min(count, int(request["last"]))
        rows = [heat.own_j[i] / window_s for i in order] + [heat.graph_power_w]
        warm = [i for i in order if np.isfinite(heat.temperature_k[i]).any()]
        rows += [heat.temperature_k[i] for i in warm]
        columns = max(1, min(int(request["columns"]), BUFFER_BYTES // (4 * len(rows)), last - first))
        self.send_message(
            "heat",
            [_highest(row, first, last, columns) for row in rows] if last > first else [],
            id=request.get("id"),
            version=self.version,
            nodes=[heat.nodes[i] for i in order],
            warm=[heat.nodes[i] for i in warm],
            total_j=[float(given_j[i]) for i in order],
            cold=len(heat.nodes) - len(order),
            window_s=window_s,
            windows=count,
            first=first,
            last=last,
            columns=columns,
            budget_w=heat.budget_w,
        )


def _highest(row: Samples, first: int, last: int, columns: int) -> bytes:
    """Highest value in each column, as float32: a node that is hot for one window is seen."""
    return Pyramid.build(row).query(first, last, columns)[1].astype("<f4").tobytes()


def thermo(source: Render | Panel, **traits: Any) -> Thermo:
    """Show the heat of a render (see `Thermo`).

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> amp.thermo(g.render(frames=480))
    Thermo of Render beep: 1 x 1 x 480 frames at 48000 Hz, peak 0.00 dBFS, sha256 ...
    >>> amp.thermo(g)
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: thermo: nothing to look at (got Graph beep: 2 nodes, 1 edges, 0 modulations at
        48000 Hz, allowed a render or a panel).
    """
    return Thermo(source, **traits)
