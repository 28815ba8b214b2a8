"""The data of the delay view: plan, trace and clocks; a changed value changes the picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import matplotlib.colors
import matplotlib.style
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_latency import Web, starts, webs
from test_plan_text import compiled, figures
from test_plots import by_gid, texts

import amp_lab as amp
from amp_lab import plots
from amp_lab.errors import GraphError, InvalidArgument
from amp_lab.export import notebook_display
from amp_lab.plots import delay_view as view
from amp_lab.plots import style

RATE = 48_000.0


@pytest.fixture(scope="module")
def render() -> amp.Render:
    """Two latencies, a loop and a gate."""
    graph: amp.Graph = figures.echo_guard()
    return graph.render(frames=700, trace=True, isolation="none")


def luminance(colour: Any) -> float:
    """Relative luminance of a colour (WCAG 2)."""
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def drawn(render: amp.Render, **changed: Any) -> Any:
    """Return the figure of a render, something of it replaced."""
    given = {"trace": render.trace, "metrics": render.metrics, **changed}
    return plots.delays(render.plan.info, given["trace"], given["metrics"], RATE)


class TestRandomGraphs:
    """Data of generated webs."""

    @settings(max_examples=25, deadline=None)
    @given(web=webs())
    def test_rows_and_rings(self, web: Web) -> None:
        """Declared is the plan, measured is an independent clock; both views draw."""
        compiled(web)
        render = web.build().render(frames=40, trace=True, isolation="none")
        info, arrivals = render.plan.info, web.arrivals()
        assert arrivals is not None
        rows = view.rows_of(info, render.trace, render.metrics)
        assert [row.names for row in rows] == [(name,) for name in render.plan.order]
        by_name = {row.names[0]: row for row in rows}
        clock = starts(web)
        for name, latency in web.latency.items():
            row = by_name[name]
            assert (row.start, row.latency) == (arrivals[name], latency)
            assert (row.measured_start, row.measured_latency) == (clock[name], latency)
            assert row.agrees and row.ready <= row.start
            assert row.ready == row.start or render.plan.info["nodes"][rows.index(row)]["gates"]
        rings = {(r.src, r.dst, r.delay, r.held) for r in view.rings_of(info)}
        assert rings == {
            (e["src"], e["dst"], e["delay_frames"], e["lag_frames"]) for e in info["edges"] if e["lag_frames"]
        }
        for ring in view.rings_of(info):
            assert ring.enters == by_name[ring.src].start + by_name[ring.src].latency
            assert ring.read == by_name[ring.dst].start + ring.delay
        self.check_path(info, by_name)
        for figure in (render.timeline(), render.timeline("delays")):
            assert plots.png(figure, dpi=40).startswith(b"\x89PNG")

    @staticmethod
    def check_path(info: dict[str, Any], rows: dict[str, view.Row]) -> None:
        """A walk over edges from a node without inputs to the output; the token's time never decreases."""
        path = view.path_of(info)
        assert path[-1][0] == info["output"]
        frame = 0
        for (a, _, leaves), (b, fired, _) in pairwise(path):
            (delay,) = {
                e["delay_frames"]
                for e in info["edges"]
                if (e["src"], e["dst"]) == (a, b) and fired == rows[b].start + frame + e["delay_frames"]
            }
            frame += delay
            assert fired >= leaves
        for name, fired, leaves in path:
            assert leaves - fired == rows[name].latency
        assert not [
            e for e in info["edges"] if e["dst"] == path[0][0] and e["kind"] == "audio" and not e["feedback"]
        ]


class TestPicture:
    """What is drawn is the data."""

    def test_bars_marks_and_waits(self, render: amp.Render) -> None:
        """Latencies from A to A + L, measured marks on their ends, one wait at the gate."""
        figure = drawn(render)
        spans = sorted((b.get_x(), b.get_width()) for b in by_gid(figure, "latency"))
        assert spans == [(0, 32), (32, 48)]
        at = {line.get_ydata()[0]: line.get_xdata()[0] for line in by_gid(figure, "measured start")}
        assert [at[y] for y in range(10)] == list(render.plan.arrivals.values())
        assert sorted(m.get_xdata()[0] for m in by_gid(figure, "measured visible")) == [32, 80]
        (wait,) = by_gid(figure, "wait")
        assert (wait.get_x(), wait.get_width()) == (0, 80)
        assert render.plan.order[round(wait.get_y() + wait.get_height() / 2)] == "meter"
        held = sorted((b.get_x(), b.get_width()) for b in by_gid(figure, "ring"))
        assert held == [(0, 80), (0, 80), (32, 60)]
        (path,) = by_gid(figure, "path")
        assert list(path.get_xdata())[-1] == 80 and list(path.get_ydata())[-1] == 9
        assert "latency 80 frames (1.67 ms)  ·  measured as declared" in texts(figure)
        assert len(by_gid(figure, "loop")) == 3

    def test_another_latency_is_red(self, render: amp.Render) -> None:
        """A node whose clock counts 40 instead of 32: only its mark and numbers change."""
        metrics = {**render.metrics, "eq": replace(render.metrics["eq"], measured_delay_frames=40)}
        figure = drawn(render, metrics=metrics)
        assert self.red(figure, "measured visible") == [40]
        assert self.red(figure, "measured start") == []
        assert "A 0  L 32, measured L 40" in texts(figure) and "1 of 10 differ" in texts(figure)

    def test_another_start_is_red(self, render: amp.Render) -> None:
        """A node fired nine frames late."""
        assert render.trace is not None
        events = render.trace.events.copy()
        events["visible_from"][events["node"] == render.plan.order.index("damp")] += 9
        figure = drawn(render, trace=SimpleNamespace(events=events, dropped=0))
        assert self.red(figure, "measured start") == [41]
        assert "A 32  L 0, measured A 41" in texts(figure)

    @staticmethod
    def red(figure: Any, gid: str) -> list[float]:
        red = matplotlib.colors.to_rgba(style.FAULT)
        marks = by_gid(figure, gid)
        assert marks
        colours = (matplotlib.colors.to_rgba(mark.get_markeredgecolor()) for mark in marks)
        return [float(m.get_xdata()[0]) for m, c in zip(marks, colours, strict=True) if c == red]

    def test_nothing_is_measured_by_a_trace_that_lost_its_beginning(self, render: amp.Render) -> None:
        """No mark rather than a wrong one."""
        assert render.trace is not None
        lost = SimpleNamespace(events=render.trace.events[9:], dropped=9)
        assert by_gid(drawn(render, trace=lost), "measured start") == []
        assert "nothing measured" in texts(drawn(render, trace=None, metrics=None))

    def test_a_graph_without_latency_says_so(self) -> None:
        """One sentence instead of empty rows."""
        figure = plots.delays(amp.presets.three_osc().compile().info, None, None, RATE)
        assert "every node starts at virtual time 0" in texts(figure)
        assert by_gid(figure, "start") == []

    def test_delay_less_latency(self) -> None:
        """A loop whose latency takes most of its delay holds what is left of it."""
        figure = plots.delays(figures.late_loop().compile().info, None, None, RATE)
        assert "feedback: 1 left of 17 delay" in texts(figure)
        assert "8 delay + 16 aligning" in texts(figure)

    def test_many_nodes_are_folded_and_long_delays_cut(self) -> None:
        """Equal neighbours share a row; nodes that are not shown are counted; a bar that continues has an
        arrow.
        """
        g = amp.Graph(name="many")
        source = here = g.noise(name="source")
        with g.edit():
            for i in range(90):
                here = g.add("fir" if i % 30 == 7 else "gain", here, name=f"n{i}")
            total = g.mix(here, name="total")
            for i in range(30):
                g.connect(g.gain(source, name=f"side{i}"), total)
            g.connect(g.gain(total, gain=0.1, name="back"), total, delay_frames=24_000)
        info = g.compile().info
        rows = view.rows_of(info, None, None)
        fewer = view.folded(rows)
        assert [name for row in fewer for name in row.names] == [row.names[0] for row in rows]
        assert len(fewer) < 12 and sum(row.latency > 0 for row in fewer) == 3
        figure = plots.delays(info, None, None, RATE)
        words = texts(figure)
        assert "n8 … n36 (29)" in words and "fullest 24 of 31 edges" in words
        assert len(by_gid(figure, "goes on")) == 1
        assert max(b.get_x() + b.get_width() for b in by_gid(figure, "ring")) < 400

    def test_chosen_nodes_and_given_axes(self, render: amp.Render) -> None:
        """Rows of the chosen nodes; the host's other axes stay empty; unknown names and views are refused."""
        figure = render.timeline("delays", nodes=["eq", "limit"])
        assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["eq", "limit"]
        assert "2 of 10 nodes" in texts(figure)
        host = style.new_figure(8.0)
        upper, lower = host.subplots(2, 1)
        assert render.timeline("delays", ax=lower) is host
        host.draw_without_rendering()
        assert not upper.has_data() and len(by_gid(host, "latency")) == 2
        with pytest.raises(InvalidArgument, match=r"timeline\.nodes: no such node \(got 'nose'"):
            render.timeline("delays", nodes=["nose"])
        with pytest.raises(GraphError, match=r"no such view \(got 'late', allowed schedule \| delays"):
            render.timeline("late")

    @pytest.mark.parametrize("how", ["delays", "schedule"])
    @pytest.mark.parametrize("own", [False, True])
    def test_a_dark_page_can_be_read(self, render: amp.Render, how: str, own: bool) -> None:
        """With a dark style every text is on a light card, also in a figure given by the user."""
        with matplotlib.style.context("dark_background"):
            ax = Figure().subplots() if own else None
            figure = render.timeline(how, ax=ax)
        shown = [t for t in figure.findobj(Text) if t.axes is None or t.axes.axison]
        words = [t for t in shown if t.get_text().strip() and t.get_visible()]
        assert words
        page = luminance(figure.get_facecolor())
        assert all((page + 0.05) / (luminance(t.get_color()) + 0.05) > 3.0 for t in words)

    def test_the_schedule_is_still_the_first_view(self, render: amp.Render) -> None:
        """Without a view: arcs and firings."""
        figure = render.timeline()
        assert render.trace is not None
        assert len(by_gid(figure, "edge")) == len(render.plan.info["edges"])
        (bars,) = by_gid(figure, "firings")
        assert len(bars.get_paths()) == np.size(render.trace.events)

    def test_a_report_has_it_where_something_is_late(self, render: amp.Render) -> None:
        """Drawn next to the schedule, and not for a graph without latency."""
        assert (
            "Starts, latency and what edges hold" in notebook_display.render_mimebundle(render)["text/html"]
        )
        short = figures.routed().render(frames=64, isolation="none")
        assert (
            "Starts, latency and what edges hold"
            not in notebook_display.render_mimebundle(short)["text/html"]
        )
