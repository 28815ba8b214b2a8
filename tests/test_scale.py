"""Large graphs: work grows with their nodes, samples stay exact, and texts stay short."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab.bench import scale
from amp_lab.export import html_report
from amp_lab.graph.files import descriptors


def tree(voices: int, gains: int) -> tuple[amp.Graph, float]:
    """Constants 1, 2, 3, ... each through gains of 2 and 1/2, summed eight by eight; and what they sum to."""
    g = amp.Graph(name="tree")
    level = []
    for number in range(1, voices + 1):
        node = g.constant(value=float(number))
        for i in range(gains):
            node = g.gain(node, gain=(2.0, 0.5)[i % 2])
        level.append(node)
    while len(level) > 1:
        level = [g.mix(*level[i : i + 8]) for i in range(0, len(level), 8)]
    g.output(level[0])
    return g, voices * (voices + 1) / 2 * 2.0 ** (gains % 2)


def chain(gains: int) -> tuple[amp.Graph, float]:
    """A constant through gains that nearly cancel; and what is left, rounded gain by gain."""
    g = amp.Graph(name="chain")
    node, left = g.constant(value=1.0), 1.0
    for i in range(gains):
        factor = (1.1, 0.9)[i % 2] if i % 7 else 1.005
        node, left = g.gain(node, gain=factor), left * factor
    g.output(node)
    return g, left


def is_right(graph: amp.Graph, value: float) -> amp.Render:
    """The graph renders to one value, and its texts are short."""
    render = graph.render(frames=300, isolation="none")
    assert np.array_equal(render.audio, np.full((1, 1, 300), value))
    assert tuple(render.metrics) == render.plan.order and len(render.metrics) == len(graph)
    assert {entry.frames for entry in render.metrics.values()} == {300}
    text = render.plan.to_text()
    assert f"{len(graph) - 200} more nodes" in text and text.count("\n") < 500
    assert all(len(repr(thing)) < 200 for thing in (graph, render, render.plan, render.metrics))
    return render


def has_report(render: amp.Render, folder: Path) -> None:
    """Its report names the slowest nodes and counts the others."""
    page = html_report.html_report(render, folder / "report.html").read_text(encoding="utf-8")
    assert f"{len(render.metrics) - html_report.MAX_NODES:,} others" in page and len(page) < 5_000_000


def test_twenty_thousand_nodes_are_right(tmp_path: Path) -> None:
    """Graphs of 20,000 nodes plan, render and report, and give the exact samples."""
    is_right(*chain(20_000))
    has_report(is_right(*tree(2_000, 9)), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("make", [lambda: chain(100_000), lambda: tree(10_000, 9)], ids=["chain", "tree"])
def test_a_hundred_thousand_nodes_are_right(
    make: Callable[[], tuple[amp.Graph, float]], tmp_path: Path
) -> None:
    """Graphs of 100,000 nodes plan, render and report, and give the exact samples."""
    has_report(is_right(*make()), tmp_path)


def opcodes_of(work: Callable[[], object]) -> int:
    """Count the bytecodes Python runs for some work: the same count on every machine."""
    count = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def fan(nodes: int) -> amp.Graph:
    """Constants that meet in one mix."""
    g = amp.Graph(name="fan")
    total = g.mix()
    for _ in range(nodes):
        g.connect(g.constant(), total)
    g.output(total)
    return g


@pytest.mark.parametrize("shape", [scale.chain, scale.voices, fan], ids=["chain", "voices", "fan"])
@pytest.mark.parametrize(
    "work",
    [
        lambda graph: None,
        lambda graph: descriptors.encode(graph._descriptors()),
        amp.Graph.to_code,
        amp.Graph.to_json,
    ],
    ids=["build", "emit", "code", "json"],
)
def test_the_work_in_python_is_linear(
    shape: Callable[[int], amp.Graph], work: Callable[[amp.Graph], object]
) -> None:
    """Four times the nodes run four times the bytecodes, a tenth more at most."""
    work(shape(16))  # what is made once

    def build_and_work(nodes: int) -> int:
        graph = shape(nodes)
        count = opcodes_of(lambda: work(graph))
        return count if count > 100 else opcodes_of(lambda: shape(nodes))

    small, large = build_and_work(64), build_and_work(256)
    assert large < 4.4 * small, f"{small} bytecodes for 64 nodes, {large} for 256"


class TestNames:
    """The next free name and slot are the first that are free, however nodes and edges come and go."""

    def test_gaps_are_filled(self) -> None:
        """A name that was removed, renamed or undone is the next one given."""
        g = amp.Graph()
        assert [g.gain().name for _ in range(4)] == ["gain", "gain_2", "gain_3", "gain_4"]
        g.remove("gain_2")
        assert [g.gain().name for _ in range(2)] == ["gain_2", "gain_5"]
        g.rename("gain_3", "other")
        assert [g.gain().name for _ in range(2)] == ["gain_3", "gain_6"]
        g.remove("gain")
        assert [g.gain().name for _ in range(2)] == ["gain", "gain_7"]
        with pytest.raises(amp.GraphError), g.edit():
            g.gain()
            g.gain(gain=math.nan)
        assert g.gain().name == "gain_8"
        g.gain(name="gain_9")
        assert g.gain().name == "gain_10"

    def test_slots_are_filled(self) -> None:
        """The slot of a removed edge is the next one used, in narrow and wide ports."""
        g = amp.Graph()
        total, source = g.mix(), g.constant()
        edges = [g.connect(source, total) for _ in range(40)]
        assert [edge.slot for edge in edges] == list(range(40))
        for gone in (37, 3):
            g.disconnect(edges[gone])
        assert [g.connect(source, total).slot for _ in range(3)] == [3, 37, 40]
        with pytest.raises(amp.GraphError, match=r"no such link"):
            g.disconnect(edges[3])
        g.disconnect(f"{total.name}.in[5]")
        assert g.connect(source, total).slot == 5

    @pytest.mark.parametrize(
        "link", ["", "mix", "mix.in", "mix.in[", "mix.in[x]", "mix.in[1]x", "mix.in[-1]", "a.in[0]"]
    )
    def test_what_is_no_id_is_refused(self, link: str) -> None:
        """Only the id of an edge or modulation names one."""
        g = amp.Graph()
        g.connect(g.constant(), g.mix())
        with pytest.raises(amp.GraphError, match=r"no such link"):
            g.disconnect(link)


def test_facts_are_those_of_the_text() -> None:
    """The facts of a plan equal its JSON."""
    for graph in (amp.presets.three_osc(), scale.voices(40), amp.Graph()):
        plan, info = graph.compile(), graph.compile().info
        assert list(plan.order) == [node["name"] for node in info["nodes"]]
        assert list(plan.curves) == info["curves"] and plan.digest == info["digest"]
        assert plan.latency_frames == info["latency_frames"]
        channels = [node["channels"] for node in info["nodes"] if node["name"] == info["output"]]
        assert [plan.output_channels] == (channels or [0])
        assert (plan.facts.edges, plan.facts.components) == (len(info["edges"]), len(info["components"]))


def test_loops_and_gates_are_counted_too() -> None:
    """A text names 200 of many loops and gates, and counts the others."""
    g = amp.Graph(name="loops")
    source = g.constant()
    for i in range(250):
        loop = g.mix()
        g.connect(source, loop, gates=[f"gate_{i}"])
        g.connect(loop, loop, delay_frames=1 + i)
    text = g.compile().to_text()
    assert "  ... 50 more loops\n" in text and "  ... 50 more gates\n" in text
    assert "  ... 300 more edges\n" in text and text.count("loop ") < 500
    assert all((f"loop {number}: " in text) == (not 100 < number <= 150) for number in range(1, 251))


def test_metrics_are_a_mapping() -> None:
    """All nodes' metrics in one call equal those of single calls, with their names."""
    render = scale.voices(40).render(frames=64, isolation="none")
    assert set(render.metrics) == {node.name for node in scale.voices(40)}
    assert all(entry.frames == 64 and math.isnan(entry.heat_j) for entry in render.metrics.values())
    with pytest.raises(KeyError):
        render.metrics["nobody"]


class TestBench:
    """``amp-lab bench`` measures scale."""

    def test_plan_has_every_stage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stages add up to plan and configure, and none takes no time."""
        stages = scale._stages(lambda: scale.voices(200), 1)
        parts = [stages[f"{name}_ms"] for name in ("emit", "compile", "load", "configure")]
        assert min(parts) > 0 and sum(parts) == pytest.approx(stages["plan_and_configure_ms"])

    def test_costs_are_per_node(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A figure names its graph and block."""
        monkeypatch.setattr(scale, "TIMED_S", 0.001)
        monkeypatch.setattr(scale, "SIZES", (10,))
        found = scale.nodes(quick=False)
        assert [(p["graph"], p["nodes"]) for p in found["points"]] == [("chain", 12), ("voices", 9)]
        assert all(p["cost"] > 0 and p["block_frames"] > 0 for p in found["points"])

    @pytest.mark.skipif(not scale.STATM.exists(), reason="reads /proc")
    def test_memory_is_counted_by_stage(self) -> None:
        """A fresh process prints how much each stage added."""
        found = scale._apart("chain", 2_000)
        assert found.pop("nodes") == 2_002
        assert set(found) == {"graph", "plan", "loaded_plan", "configured", "first_block"}
        assert 100 < sum(found.values()) / 2_002 < 20_000
