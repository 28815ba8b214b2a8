"""Schedules: derived, written, followed exactly or refused with the two nodes named; same sound."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matrix import choir, edges, reordered
from random_graphs import scenes
from rigs import Scene, digest, sound

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.bench.workloads import VOICES, voices_mixed
from amp_lab.errors import AmpError, BlobError, InvalidArgument
from amp_lab.plan.schedule import Schedule

TEAMS = VOICES // lowlevel.LANES


@pytest.fixture(scope="module")
def mixed() -> amp.Graph:
    return voices_mixed()


@pytest.fixture(scope="module")
def derived(mixed: amp.Graph) -> Schedule:
    return mixed.ipls()


def pair() -> amp.Graph:
    """Two voices, sine a -> gain c and sine b -> gain d, summed."""
    g = amp.Graph(name="pair")
    a, b = (g.sine(frequency_hz=f, name=n) for n, f in (("a", 100.0), ("b", 200.0)))
    c, d = g.gain(a, gain=0.5, name="c"), g.gain(b, gain=0.25, name="d")
    g.output(g.mix(c, d, name="m"), name="out")
    return g


def loops() -> amp.Graph:
    """Two loops of a mix and a one-pole over one frame, fed by one noise."""
    g = amp.Graph(name="loops")
    hiss = g.noise(name="hiss")
    ends = []
    for k in (1, 2):
        total = g.mix(hiss, name=f"sum{k}")
        pole = g.one_pole(total, cutoff_hz=500.0 * k, name=f"pole{k}")
        g.connect(g.gain(pole, gain=0.3, name=f"back{k}"), total, delay_frames=1)
        ends.append(pole)
    g.output(g.mix(*ends, name="m"), name="out")
    return g


LOOPS = [
    [["hiss"]],
    [["sum1", "sum2"], ["pole1", "pole2"], ["back1", "back2"]],
    [["m"]],
    [["out"]],
]


class TestDerived:
    def test_sixty_four_voices_are_eight_teams(self, mixed: amp.Graph, derived: Schedule) -> None:
        assert {len(cohort) for cohort in derived.cohorts} == {lowlevel.LANES}
        assert len(derived.cohorts) == TEAMS * (len(mixed) - 2) // VOICES
        assert sum(map(len, derived.cohorts)) == len(mixed) - 2  # all but the mix and the output
        assert sorted(derived.order) == sorted(node.name for node in mixed)

    def test_edges_between_cohorts_go_lane_to_lane(self, mixed: amp.Graph, derived: Schedule) -> None:
        lane = {name: i for cohort in derived.cohorts for i, name in enumerate(cohort)}
        inner = [(src, dst) for src, dst in edges(mixed) if src in lane and dst in lane]
        assert len(inner) == 12 * VOICES
        assert all(lane[src] == lane[dst] for src, dst in inner)

    def test_a_team_runs_from_end_to_end(self, derived: Schedule) -> None:
        """The cohorts of a lane group are consecutive, so that its slices stay in L1."""
        runs = [frozenset(name.rpartition("_")[2] for name in cohort) for cohort in derived.cohorts]
        pans = [i for i, cohort in enumerate(derived.cohorts) if cohort[0].startswith("pan")]
        assert pans == [len(runs) // TEAMS * k - 1 for k in range(1, TEAMS + 1)]

    def test_parameters_may_differ_and_fixed_ones_not(self) -> None:
        g = amp.Graph()
        saws = [g.oscillator(frequency_hz=100.0 + i, waveform="saw") for i in range(5)]
        squares = [g.oscillator(frequency_hz=100.0 + i, waveform="square") for i in range(4)]
        g.output(g.mix(*saws, *squares, g.oscillator(waveform="sine")))
        assert sorted(map(len, g.ipls().cohorts)) == [4, 5]

    def test_few_voices_run_in_the_order_of_the_plan(self) -> None:
        g = pair()
        assert g.ipls().cohorts == () and g.ipls().order == g.compile().order
        assert "schedule:" not in g.compile().to_text()

    def test_what_must_be_alone_is_alone(self) -> None:
        g = amp.Graph()
        g.output(g.mix(*(g.gain(g.noise(), gain=0.1 * i) for i in range(8))))
        assert [cohort[0][:4] for cohort in g.ipls().cohorts] == ["gain"]

    def test_the_plan_says_it(self, mixed: amp.Graph, derived: Schedule) -> None:
        text = mixed.compile().to_text()
        assert derived.to_text() in text
        assert f"{len(derived.cohorts)} cohorts of 2 and more" in text


class TestAsData:
    def test_json_and_pickle_go_round(self, derived: Schedule, tmp_path: Path) -> None:
        assert Schedule.from_json(derived.to_json()) == derived == pickle.loads(pickle.dumps(derived))
        path = tmp_path / "schedule.json"
        path.write_text(derived.to_json())
        assert Schedule.from_json(path).digest == derived.digest

    def test_texts(self) -> None:
        s = Schedule([[["a", "b"], ["c"]], [["<d>"]]])
        assert repr(s) == "Schedule: 2 stages, 1 cohorts of 2 and more with 2 of 4 nodes"
        assert s.to_text().splitlines()[2:] == [
            "      1        2  a, b",
            "               1  c",
            "      2        1  <d>",
        ]
        assert "&lt;d&gt;" in s._repr_html_()
        assert s.stages == ((("a", "b"), ("c",)), (("<d>",),))

    @pytest.mark.parametrize(
        ("stages", "words"),
        [
            ("abc", r"schedule\.stages: not a list \(got 'abc'"),
            ([["ab"]], r"schedule\.stages\[0\]\[0\]: not a list \(got 'ab', allowed a list of names"),
            ([[["a"], [7]]], r"schedule\.stages\[0\]\[1\]\[0\]: not a name \(got 7"),
        ],
    )
    def test_what_is_none_is_refused(self, stages: Any, words: str) -> None:
        with pytest.raises(InvalidArgument, match=words):
            Schedule(stages)

    def test_other_json_is_refused(self) -> None:
        with pytest.raises(InvalidArgument, match=r"not a schedule \(got \{'stage': \[\]\}"):
            Schedule.from_json('{"stage": []}')

    def test_malformed_bytes(self) -> None:
        plan = pair().compile()
        blob = plan.schedule.blob
        for wrong in (blob[:-1], blob[:20], b"AMPP" + blob[4:], blob + b"\0"):
            with pytest.raises(BlobError):
                lowlevel.schedule_describe(plan.descriptor_blob, wrong)


class TestFollowed:
    @pytest.mark.parametrize("isolation", ["none", "process"])
    def test_a_legal_but_unusual_one_is_followed(self, isolation: Any) -> None:
        g = pair()
        odd = Schedule([[["b"]], [["d"], ["a"]], [["c"]], [["m"]], [["out"]]])
        usual = g.render(frames=100, isolation=isolation, trace=True, schedule="plain")
        unusual = g.render(frames=100, isolation=isolation, trace=True, schedule=odd)
        assert fired(usual) == usual.plan.order != odd.order
        assert fired(unusual) == odd.order
        assert unusual.digest == usual.digest
        assert (unusual.schedule, usual.schedule.order) == (odd, usual.plan.order)
        chosen = [usual.provenance["schedule"], unusual.provenance["schedule"]]
        assert chosen == ["plain", odd.digest]
        assert g.render(frames=1, isolation=isolation).provenance["schedule"] == "derived"

    def test_cohorts_by_hand(self) -> None:
        g = pair()
        by_hand = Schedule([[["b", "a"]], [["d", "c"]], [["m"]], [["out"]]])
        assert g.render(frames=99, schedule=by_hand).digest == g.render(frames=99).digest
        plain = loops().render(frames=500, schedule="plain", taps="all")
        fused = loops().render(frames=500, schedule=Schedule(LOOPS), taps="all")
        assert fused.digest == plain.digest
        assert all(np.array_equal(fused.taps[n], plain.taps[n]) for n in plain.taps)

    def test_the_sound_of_voices_does_not_depend_on_it(self, mixed: amp.Graph) -> None:
        plain = mixed.render(frames=700, schedule="plain")
        assert mixed.render(frames=700).digest == plain.digest
        assert (
            mixed.render(frames=700, batches=5).digest
            == mixed.render(frames=700, batches=5, schedule="plain").digest
        )

    def test_heat_and_faults_are_told_alike(self) -> None:
        g = loops()
        plain = g.render(frames=640, heat=True, schedule="plain").heat
        fused = g.render(frames=640, heat=True, schedule=Schedule(LOOPS)).heat
        assert plain.nodes == fused.nodes and np.array_equal(plain.total_j, fused.total_j)
        g["sum1"].set(gain=1e6), g["sum2"].set(gain=1e6)
        said = []
        for schedule in ("plain", Schedule(LOOPS)):
            with pytest.raises(AmpError) as caught:
                g.render(frames=200, schedule=schedule)  # type: ignore[arg-type]
            said.append(str(caught.value))
        assert said[0] == said[1]

    def test_the_timeline_shows_cohorts_and_stages(self) -> None:
        g = loops()
        fused = g.render(frames=64, trace=True, schedule=Schedule(LOOPS))
        assert drawn(fused.timeline(), "cohort") == 6 and drawn(fused.timeline(), "stage") == 8
        plain = g.render(frames=64, trace=True, schedule="plain")
        assert drawn(plain.timeline(), "cohort") == drawn(plain.timeline(), "stage") == 0

    def test_what_is_none(self) -> None:
        for wrong in ("Plain", 7, [["a"]]):
            with pytest.raises(InvalidArgument, match=r"pair\.render\.schedule: no schedule \(got "):
                pair().render(frames=1, schedule=wrong)  # type: ignore[arg-type]


def fired(render: amp.Render) -> tuple[str, ...]:
    """Nodes in the order of their first firing."""
    assert render.trace is not None
    return tuple(dict.fromkeys(render.trace.nodes[event["node"]] for event in render.trace.events))


def drawn(figure: Figure, gid: str) -> int:
    return len(figure.findobj(lambda artist: artist.get_gid() == gid))


def with_constant() -> amp.Graph:
    g = pair()
    g.constant(name="s")
    return g


def two_saws() -> amp.Graph:
    g = amp.Graph()
    x, y = g.oscillator(waveform="saw", name="x"), g.oscillator(waveform="square", name="y")
    g.output(g.mix(x, y, name="m"), name="out")
    return g


def delayed() -> amp.Graph:
    g = pair()
    (edge,) = (e for e in g.edges if e.dst == "d")
    g.change(edge.id, delay_frames=3)
    return g


def gated() -> amp.Graph:
    g = pair()
    (edge,) = (e for e in g.edges if e.dst == "d")
    g.change(edge.id, gates=("beat",))
    return g


def hisses() -> amp.Graph:
    g = amp.Graph()
    g.output(g.mix(g.noise(name="x"), g.noise(name="y"), name="m"), name="out")
    return g


BROKEN = {
    "reader in the same stage": (
        pair,
        [[["a"], ["c"]], [["b"]], [["d"]], [["m"]], [["out"]]],
        "c a dependency",
    ),
    "reader before its source": (
        pair,
        [[["c"], ["b"]], [["a"], ["d"]], [["m"]], [["out"]]],
        "c a dependency",
    ),
    "reader beside its source": (pair, [[["a"], ["b"]], [["c"]], [["d", "m"]], [["out"]]], "m d dependency"),
    "types": (with_constant, [[["a", "s"], ["b"]], [["c"], ["d"]], [["m"]], [["out"]]], "s a type"),
    "fixed parameters": (
        two_saws,
        [[["x", "y"]], [["m"]], [["out"]]],
        "y x type waveform",
    ),
    "delay": (
        delayed,
        [[["a"], ["b"]], [["c", "d"]], [["m"]], [["out"]]],
        "d c delay 3",
    ),
    "gate": (gated, [[["a"], ["b"]], [["c", "d"]], [["m"]], [["out"]]], "d c gate"),
    "alone": (hisses, [[["x", "y"]], [["m"]], [["out"]]], "x y alone"),
    "a loop in two stages": (
        loops,
        [LOOPS[0], LOOPS[1][:1], LOOPS[1][1:], *LOOPS[2:]],
        "pole sum loop",
    ),
    "a loop in half": (
        loops,
        [LOOPS[0], [["sum1", "sum2"], ["pole1"], ["pole2"], ["back1", "back2"]], *LOOPS[2:]],
        "pole1 sum1 loop",
    ),
    "loops across lanes": (
        loops,
        [LOOPS[0], [["sum1", "sum2"], ["pole2", "pole1"], ["back1", "back2"]], *LOOPS[2:]],
        "pole2 sum1 lane",
    ),
    "order in a loop": (
        loops,
        [LOOPS[0], [["pole1", "pole2"], ["sum1", "sum2"], ["back1", "back2"]], *LOOPS[2:]],
        "pole1 sum1 dependency",
    ),
    "missing": (pair, [[["a"], ["b"]], [["c"], ["d"]], [["m"]]], "out not in the schedule"),
    "twice": (pair, [[["a"], ["b"]], [["a"]]], "a twice"),
    "unknown": (pair, [[["who"]]], "who no such node"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_rule_is_told_with_both_nodes(how: str) -> None:
    make, stages, words = BROKEN[how]
    with pytest.raises(InvalidArgument) as caught:
        make().render(frames=1, isolation="none", schedule=Schedule(stages))
    assert caught.value.stage == "schedule"
    assert all(word in str(caught.value) for word in words.split(" ")), str(caught.value)


# ---- generated graphs ----


@settings(max_examples=25, deadline=None)
@given(scenes(), st.integers(0, 99))
def test_the_order_of_random_graphs_changes_no_bit(scene: Scene, seed: int) -> None:
    plan = scene.graph.compile()
    for schedule in (reordered(scene.graph, seed), plan.schedule):
        lowlevel.schedule_describe(plan.descriptor_blob, schedule.blob)  # it is legal
        assert digest(sound(scene, schedule=schedule.blob)) == digest(sound(scene, schedule=b""))


@pytest.mark.parametrize("seed", range(20))
def test_random_voices_are_fused_and_sound_the_same(seed: int) -> None:
    g = choir(seed)
    voices = sum(node.type == "oscillator" for node in g)
    fused = voices - voices % lowlevel.LANES * (voices % lowlevel.LANES < 4)
    schedule = g.ipls()
    assert sum(len(c) for c in schedule.cohorts if c[0].startswith("oscillator")) == fused
    scene = Scene(g, 300)
    assert digest(sound(scene)) == digest(sound(scene, schedule=b""))
    assert digest(sound(scene, schedule=reordered(g, seed).blob)) == digest(sound(scene, schedule=b""))
