"""The page of measurements: everything is measured and drawn, and the page follows from the data alone."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab.bench import drawn, page, pictures, probes, report, runner, scale, targets
from amp_lab.cli import commands as cli

PERF = Path(__file__).resolve().parents[1] / "docs" / "perf"
OTHERS = [["W4", "a peer", "f32", "block 64; fused", [sys.executable, "-c", "print('{}')"], 2]]


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    """Return the measurements that the documentation shows."""
    return report.load(PERF)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Run what the report runs in this process, in the least time; returns the commands as they come."""
    commands: list[list[str]] = []

    def run_here(_: str, command: Sequence[str]) -> dict[str, Any]:
        commands.append(list(command))
        if command[0] == OTHERS[0][4][0] and "-c" in command:
            return {"render_s": 0.5, "frames": 1_000_000}
        assert tuple(command[: len(runner.BENCH)]) == runner.BENCH
        assert cli.main(command[len(runner.BENCH) - 1 :]) == cli.OK
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    def grown(_: str, nodes: int) -> dict[str, int]:
        parts = ("graph", "plan", "loaded_plan", "configured", "first_block")
        return {"nodes": nodes} | dict.fromkeys(parts, 500 * nodes)

    monkeypatch.setattr(scale, "_apart", grown)
    monkeypatch.setattr(scale, "TIMED_S", 0.001)
    monkeypatch.setattr(probes, "TURNS", 1)
    monkeypatch.setattr(runner, "run_apart", run_here)
    monkeypatch.setattr(report, "QUICK_S", 0.002)
    return commands


def test_everything_is_measured_in_every_round(quick: list[list[str]], tmp_path: Path) -> None:
    """A quick report writes data, page and pictures; each figure has one value per round."""
    others = tmp_path / "others.json"
    others.write_text(json.dumps(OTHERS), encoding="utf-8")
    folder = tmp_path / "perf"
    options = ("--report", folder, "--quick", "--rounds", 2, "--beside", others)
    assert cli.main(["bench", *map(str, options)]) == cli.OK
    data = report.load(folder)
    assert {row["workload"] for row in data["workloads"]} == set(report.NAMES)
    assert all(len(row["costs"]) == 2 and min(row["costs"]) > 0 for row in data["workloads"])
    assert data["beside"][0]["costs"] == [250.0, 250.0] and data["beside"][0]["block"] == 64
    half = len(quick) // 2
    assert quick[:half] == quick[half:] and len(data["nodes"]["points"][0]["cost"]) == 2
    assert set(probes.PROBES) <= {word for command in quick for word in command}
    text = (folder / report.PAGE).read_text(encoding="utf-8")
    assert "A quick run" in text and "a peer, f32, block 64; fused" in text and str(tmp_path) not in text
    for name in re.findall(r"\]\((\w+\.(?:png|json))\)", text):
        assert (folder / name).stat().st_size > 1000


def test_what_the_documentation_shows_follows_from_its_data(committed: dict[str, Any]) -> None:
    """The committed page is generated from its data, word by word, and names its pictures."""
    text = (PERF / report.PAGE).read_text(encoding="utf-8")
    assert page.text(committed) == text
    assert not committed["about"]["quick"]
    for name in pictures.files(committed):
        assert f"({name})" in text


def test_page_and_data_are_written_in_one_order(committed: dict[str, Any], tmp_path: Path) -> None:
    """Data in another order than the stored one gives the same page."""
    about = committed["about"]
    turned = about | {"versions": dict(reversed(about["versions"].items()))}
    report.write(tmp_path, committed | {"about": turned})
    assert (tmp_path / report.PAGE).read_text() == page.text(report.load(tmp_path)) == page.text(committed)


def test_a_figure_that_moves_moves_the_page(committed: dict[str, Any]) -> None:
    """A row that misses its requirement is named, one that meets it is not."""
    data = copy.deepcopy(committed)
    row = next(w for w in data["workloads"] if w["workload"] == "W1")
    row["costs"] = [99.0, 98.0, 100.0]
    assert "* W1, a voice: 99.0 of at most 16.0 ns/sample" in page.text(data)
    assert (
        "| W1: a voice | 99.0 | 98.0 .. 100 | ns/sample | 16 | 12 | no: 6.19 times required |"
        in page.text(data)
    )
    row["costs"] = [15.0, 14.0, 16.0]
    assert "* W1, a voice" not in page.text(data) and "| ns/sample | 16 | 12 | required |" in page.text(data)
    row["costs"] = [11.0]
    assert "| ns/sample | 16 | 12 | target |" in page.text(data)


def test_a_must_here_follows_the_program_by_hand(committed: dict[str, Any]) -> None:
    """If that program takes twice as long, so may the engine; if it was not run, there is no limit."""
    data = copy.deepcopy(committed)
    for workload, took, must in (("W1", 2 * 25.4, 32.0), ("W6", 0.072 / targets.W6_S, 0.1)):
        target = next(t for t in targets.TARGETS if t.workload == workload)
        rows = [r for r in data["beside"] if (r["workload"], r["system"]) == (workload, target.by)]
        rows[0]["costs"] = [took, 0.9 * took, 1.1 * took]
        assert targets.here(data, target) == pytest.approx(must)
        next(w for w in data["workloads"] if w["workload"] == workload)["costs"] = [0.99 * took]
        assert f"| {targets.number(must)}, " in page.text(data)
        data["beside"].remove(rows[0])
        assert targets.here(data, target) is None


def test_a_page_without_native_programs_says_so(committed: dict[str, Any]) -> None:
    """Without limits, loops or other engines the page is complete and lists what is missing."""
    data = copy.deepcopy(committed)
    data["limits"]["limits"], data["loops"]["loops"], data["beside"] = {}, [], []
    text = page.text(data)
    assert text.count(page.NOT_BUILT) == 2 and "--beside FILE`, jobs" in text
    assert len(targets.checks(data)) == len(targets.checks(committed)) - 1
    assert set(pictures.files(data)) == set(pictures.files(committed))


def test_jobs_that_are_none_are_refused(tmp_path: Path) -> None:
    """A file of others with anything else in it is named."""
    path = tmp_path / "others.json"
    path.write_text('[["W1", "a peer"]]', encoding="utf-8")
    with pytest.raises(amp.AmpError, match=r"bench --beside: others\.json holds no jobs"):
        report.Beside.read(path)


def test_growth_is_the_power_of_the_nodes() -> None:
    """A frame that takes nodes^1.5 grows with 1.5, one that takes the same per node with 1."""
    for power in (1.0, 1.5):
        points = [{"nodes": n, "cost": [3.0 * n ** (power - 1.0)]} for n in (10, 1_000, 10_000, 100_000)]
        assert page.growth(points) == pytest.approx(power)


def test_numbers_have_three_digits() -> None:
    """Figures have no exponents, and no more digits than were measured."""
    found = [targets.number(x) for x in (0.0, 0.04321, 0.5, 1.234, 15.04, 99.96, 920.3, 1234.5)]
    assert found == ["0", "0.0432", "0.500", "1.23", "15.0", "100.0", "920", "1,234"]


class TestDrawn:
    """Graphs of the bench that are drawn."""

    def test_a_seed_is_a_graph(self) -> None:
        """The same seed gives the same graph, others give others, in cohorts of unequal size."""
        assert drawn.polyphony(3).to_dict() == drawn.polyphony(3).to_dict() != drawn.polyphony(4).to_dict()
        sizes = {len(cohort) for seed in range(4) for cohort in drawn.polyphony(seed).ipls().cohorts}
        assert len(sizes) > 2

    def test_schedules_give_one_sound(self) -> None:
        """Cohorts change no bit of drawn voices."""
        graph = drawn.polyphony(1)
        plain = graph.render(frames=700, schedule="plain")
        assert graph.render(frames=700).digest == plain.digest and plain.peak > 0

    def test_a_loop_is_a_loop(self) -> None:
        """A mix and a gain in a ring are y[n] = g (x[n] + h y[n - 1])."""
        x = drawn.excitation(50)
        got = drawn.loop([("mix", {"gain": 0.5}), ("gain", {"gain": 0.75})], x).render(frames=50).audio[0, 0]
        wanted, back = np.empty(50), 0.0
        for n in range(50):
            wanted[n] = 0.5 * (x[0, 0, n] + back)
            back = 0.75 * wanted[n]
        assert np.array_equal(got, wanted)
