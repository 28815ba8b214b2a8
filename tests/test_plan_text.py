"""Plans as text: golden texts, compared with the plan and the graph."""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import assume, given, settings
from test_latency import Web, webs

import amp_lab as amp
from amp_lab.plan import text as plan_text

DOCS = Path(__file__).resolve().parents[1] / "docs"


def load() -> ModuleType:
    """Return the script that makes the texts and pictures of the documentation."""
    spec = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


figures = load()


def compiled(web: Web) -> amp.Plan:
    """Return the plan of a web that is possible; others are skipped."""
    slack = web.slack()
    assume(web.arrivals() is not None and (slack is None or slack > 0))
    return web.build().compile()


def section(text: str, heading: str) -> list[str]:
    """Lines of the part of a text that begins with a word, without its heading."""
    parts = [part.splitlines() for part in text.split("\n\n")]
    return next((part[1:] for part in parts if part[0].startswith(heading)), [])


class TestGoldenTexts:
    """The texts in docs/plans; `python docs/figures.py --write` writes them."""

    @pytest.mark.parametrize("name", figures.GRAPHS)
    def test_a_plan_reads_as_blessed(self, name: str) -> None:
        """Character for character, but for the digest."""
        assert figures.plan_text(name) == (DOCS / "plans" / f"{name}.txt").read_text(encoding="utf-8")

    def test_every_text_belongs_to_a_graph(self) -> None:
        """Every text belongs to a graph, and the page quotes one of them."""
        assert {path.stem for path in (DOCS / "plans").iterdir()} == set(figures.GRAPHS)
        page = (DOCS / "timeline.md").read_text(encoding="utf-8")
        assert f"```text\n{figures.plan_text('echo_guard')}```" in page

    def test_drift_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A text that was changed, is missing or too many, a wrong picture or none: each by name."""
        monkeypatch.setattr(figures, "DOCS", tmp_path)
        monkeypatch.setattr(figures, "PAGE", tmp_path / "timeline.md")
        (tmp_path / "timeline.md").write_text("<!-- plan: generated -->\n<!-- end -->\n")
        monkeypatch.setattr(figures.node_pages, "PAGES", tmp_path / "nodes")
        monkeypatch.setattr(figures.node_pages, "PICTURES", tmp_path / "pictures" / "nodes")
        monkeypatch.setattr(figures.case_figures, "PICTURES", tmp_path / "pictures" / "cases")
        monkeypatch.setattr(figures.abi_page, "PAGE", tmp_path / "abi.md")
        (tmp_path / "abi.md").write_text("<!-- headers: generated -->\n<!-- end -->\n")
        for cases in (figures.meter_cases, figures.distortion_cases):  # long texts, in a folder of their own
            monkeypatch.setattr(cases, "texts", dict)
        for make in ("texts", "pictures"):  # once; the drift phase of run_all.py makes all of them anew
            made = {p: what for p, what in getattr(figures, make)().items() if p.is_relative_to(tmp_path)}
            monkeypatch.setattr(figures, make, functools.partial(dict, made))
        assert figures.main(["--write"]) == 0
        assert figures.stale() == []
        (tmp_path / "plans" / "routed.txt").write_text("plan routed\n")
        (tmp_path / "plans" / "late_loop.txt").unlink()
        (tmp_path / "pictures" / "delays.png").write_bytes(
            (tmp_path / "pictures" / "schedule.png").read_bytes()
        )
        (tmp_path / "pictures" / "schedule.png").unlink()
        (tmp_path / "nodes" / "svf.md").write_text("# svf\n")
        (tmp_path / "nodes" / "bygone.md").write_text("# bygone\n")
        (tmp_path / "pictures" / "nodes" / "svf.png").unlink()
        (tmp_path / "pictures" / "cases" / "fir.svg").write_text("<svg/>\n")
        (tmp_path / "abi.md").write_text("<!-- headers: generated -->\n<!-- end -->\n")
        assert {Path(name).name for name in figures.stale()} == {
            "routed.txt", "late_loop.txt", "delays.png", "schedule.png",
            "svf.md", "bygone.md", "svf.png", "fir.svg", "abi.md",
        }  # fmt: skip
        assert figures.main(["--check"]) == 1


class TestWhatItSays:
    """The text against the plan."""

    def test_initial_tokens_are_shown(self) -> None:
        """Their shape and first values are in the plan, and in the line of their edge."""
        g = amp.Graph(name="begun")
        loop = g.mix(g.noise(channels=2), name="loop")
        g.connect(loop, loop, delay_frames=3, tokens=[[[0.5, -1.0, 0.25]]])
        g.connect(loop, g.gain(name="late"), delay_frames=40, tokens=np.full((3, 2, 40), 1 / 3))
        g.output(g["late"])
        plan = g.compile()
        tokens = {(e["src"], e["dst"]): e["tokens"] for e in plan.info["edges"]}
        assert tokens["loop", "loop"] == {
            "batches": 1, "channels": 1, "frames": 3, "values": [0.5, -1.0, 0.25],
        }  # fmt: skip
        assert tokens["loop", "late"] == {
            "batches": 3, "channels": 2, "frames": 40, "values": [1 / 3] * 4,
        }  # fmt: skip
        assert tokens["noise", "loop"] is None
        lines = "\n".join(section(plan.to_text(), "edges"))
        assert "feedback, begins with 0.5 -1 0.25\n" in lines
        assert "begins with 0.3333 0.3333 0.3333 0.3333 ... in 3 batches x 2 channels\n" in lines
        assert lines.count("begins with") == 2

    @settings(max_examples=40, deadline=None)
    @given(web=webs())
    def test_nodes_and_edges_of_random_graphs(self, web: Web) -> None:
        """Every node once, in order, with A, L and its gates; every edge with its delay and what it holds."""
        plan = compiled(web)
        text, arrivals = plan.to_text(), web.arrivals()
        assert arrivals is not None
        rows = [line.split() for line in section(text, "nodes in firing order")[3:]]
        assert [row[4] for row in rows] == list(plan.order)
        said = {row[4]: (int(row[0]), int(row[1])) for row in rows}
        assert {v: said[v] for v in web.latency} == {v: (arrivals[v], web.latency[v]) for v in web.latency}
        lines = section(text, "edges") + section(text, "modulations")
        told = []
        for line in lines:
            if found := re.match(
                r"  (\S+)\.out +-> +(\w+)\.\w+\[\d+\](?: +delay (\d+))?(?: +holds (\d+))?", line
            ):
                told.append((found[1], found[2], int(found[3] or 0), int(found[4] or 0)))
        want = [
            (w.src, w.dst, w.delay, w.delay + arrivals[w.dst] - arrivals[w.src] - web.latency[w.src])
            for w in web.wires
        ]
        assert sorted(t for t in told if t[0] in web.latency and t[1] in web.latency) == sorted(want)
        assert len(told) == len(plan.info["edges"])
        gates = {gate: set(names) for gate, names in plan.gates.items()}
        for line in section(text, "gates"):
            gate, names = re.match(r"  (\w+): (.*) starts? ", line).groups()  # type: ignore[union-attr]
            assert set(names.removesuffix(" together").split(", ")) == gates.pop(gate)
        assert not gates

    @settings(max_examples=60, deadline=None)
    @given(web=webs())
    def test_loops_are_spelled_out_along_the_tightest_way(self, web: Web) -> None:
        """A closed walk over edges of the loop that holds as many frames as a sub-block."""
        plan = compiled(web)
        for i, component in enumerate(plan.info["components"]):
            cycle = plan_text.tightest_loop(plan.info, i)
            assert [e["dst"] for e in cycle] == [e["src"] for e in cycle[1:] + cycle[:1]]
            assert {e["src"] for e in cycle} <= set(component["nodes"])
            assert sum(e["lag_frames"] for e in cycle) == component["sub_block"]
            names = [e["src"] for e in cycle]
            if len(names) <= 8:
                assert f"loop {i + 1}: {' -> '.join([*names, names[0]])}: " in plan.to_text()

    def test_a_loop_of_thousands_is_abbreviated(self) -> None:
        """Both ends and how many are left out, on one line."""
        g = amp.Graph(name="long")
        here = entry = g.mix(g.noise(), name="entry")
        with g.edit():
            for i in range(2000):
                here = g.gain(here, gain=0.9, name=f"n{i}")
            g.connect(here, entry, delay_frames=16)
        (line,) = section(g.compile().to_text(), "feedback loops")
        assert (
            "(1993 more)" in line
            and "entry -> n0 -> n1" in line
            and "n1999 -> entry: sub-blocks of 16" in line
        )

    def test_other_ways_round_are_counted(self) -> None:
        """Two loops through one mix are one component; the tighter is spelled."""
        g = amp.Graph(name="two_ways")
        total = g.mix(g.noise(), name="total")
        for name, delay in (("short", 20), ("long", 300)):
            g.connect(g.gain(total, gain=0.3, name=name), total, delay_frames=delay)
        (line,) = section(g.compile().to_text(), "feedback loops")
        assert (
            "total -> short -> total: sub-blocks of 20 frames, each node as far as its inputs reach" in line
        )
        assert line.endswith("1 more node in other ways round")

    def test_the_digest_comes_last(self) -> None:
        """Text that changes with every contract is on the last line only."""
        plan = amp.presets.three_osc().compile()
        lines = plan.to_text().splitlines()
        assert lines[-1] == f"digest {plan.digest}"
        assert plan.digest[:8] not in "\n".join(lines[:-1])
