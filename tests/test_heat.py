"""Heat compared with its law, written in plain Python, over the signals that were rendered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import rigs
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp
from amp_lab import lowlevel
from amp_lab.execution.results import Excess
from amp_lab.lowlevel import HEAT, HEAT_WINDOW

FRAMES = 4 * HEAT_WINDOW
INPUT = np.random.default_rng(4).uniform(-1, 1, FRAMES)


@dataclass
class Pipe:
    """An edge that carries sound and heat; ``kappa`` None is the default share."""

    src: str
    dst: str
    delay: int = 0
    kappa: float | None = None


@dataclass
class Plant:
    """Gains by name, each with its heat constants, joined by pipes; ``source`` plays the input."""

    gains: dict[str, float]
    pipes: list[Pipe]
    thermo: dict[str, dict[str, float]] = field(default_factory=dict)

    def build(self, **options: Any) -> amp.Graph:
        """Return it as a graph whose output is the last gain."""
        g = amp.Graph(sample_rate=RATE, name="plant", **options)
        source = g.input(samples=INPUT, name="source", thermo=self.thermo.get("source"))
        for name, gain in self.gains.items():
            node = g.add("gain", gain=gain, name=name, thermo=self.thermo.get(name))
            if not any(p.dst == name and p.delay == 0 for p in self.pipes):
                g.connect(source, node, kappa=0.0)
        for p in self.pipes:
            g.connect(p.src, p.dst, delay_frames=p.delay, kappa=p.kappa)
        g.output(g[list(self.gains)[-1]], name="out")
        return g


@dataclass
class Account:
    """Heat of one node frame by frame."""

    own: Samples
    flow: Samples

    @property
    def windows(self) -> Samples:
        """Own heat per window, (W,)."""
        return self.own.reshape(-1, HEAT_WINDOW).sum(axis=1)

    @property
    def total(self) -> Samples:
        """Accumulated heat at the end of each window, (W,)."""
        return np.cumsum(self.flow)[HEAT_WINDOW - 1 :: HEAT_WINDOW]


def books(graph: amp.Graph, taps: dict[str, Samples], frames: int = FRAMES) -> dict[str, Account]:
    """Compute the law: own heat, then q_v[n] = h_v[n] + sum kappa_e q_u[n - d], frame by frame."""
    info = graph.compile().info
    order = [node["name"] for node in info["nodes"]]
    edges = [e for e in info["edges"] if e["kind"] == "audio"]
    loop = {name: i for i, c in enumerate(info["components"]) for name in c["nodes"]}
    given = {(e.src, e.dst, e.slot): e.kappa for e in graph.edges}

    def recurs(e: dict[str, Any]) -> bool:
        return bool(e["delay_frames"]) and loop.get(e["src"], -1) == loop.get(e["dst"], -2)

    forward = {name: sum(e["src"] == name and not recurs(e) for e in edges) for name in order}

    def share(e: dict[str, Any]) -> float:
        explicit = given[e["src"], e["dst"], e["slot"]]
        if explicit is not None:
            return float(explicit)
        return 0.0 if recurs(e) else 1.0 / forward[e["src"]]

    def late(x: Samples, d: int) -> Samples:
        return np.concatenate([np.zeros(d), x])[:frames]

    def own(name: str) -> Samples:
        node = graph[name]
        heat = np.full(frames, node.thermo.heat_j_per_frame or 0.0)
        if node.type in ("gain", "output"):
            x = sum(late(taps[e["src"]], e["delay_frames"]) for e in edges if e["dst"] == name)
            g = float(node.record.values.get("gain", 1.0))  # type: ignore[arg-type]
            kept = max(0.0, 1 - g**2) if node.type == "gain" else 1.0
            heat = heat + kept * x**2 / RATE
        return heat

    accounts = {name: Account(own(name), np.zeros(frames)) for name in order}
    for n in range(frames):
        for name in order:
            q = accounts[name].own[n]
            for e in edges:
                if e["dst"] == name and n >= e["delay_frames"]:
                    q += share(e) * accounts[e["src"]].flow[n - e["delay_frames"]]
            accounts[name].flow[n] = q
    return accounts


def measured(graph: amp.Graph, cut: Cut | None = None, batches: int = 1) -> dict[str, tuple[Samples, ...]]:
    """Own, total and temperature of every node, as the engine reports them."""
    scene = Scene(graph, FRAMES, None, batches)
    with rigs.started(scene, cut, flags=HEAT) as runtime:
        rigs.proceed(runtime, scene, (cut or Cut()).calls or [FRAMES])
        return {name: runtime.heat(name) for name in graph.compile().order}


def signals(graph: amp.Graph) -> dict[str, Samples]:
    """Every node's first output, (N,), by name."""
    names = [node.name for node in graph.nodes]
    heard = sound(Scene(graph, FRAMES, taps=tuple(names)))
    return dict(zip(names, heard[0, 1:], strict=True))


def check(graph: amp.Graph) -> None:
    """Assert that every node's heat obeys the law."""
    got, want = measured(graph), books(graph, signals(graph))
    assert got.keys() == want.keys()
    for name, account in want.items():
        own, total, _ = got[name]
        np.testing.assert_allclose(
            own, account.windows, rtol=1e-12, atol=1e-30, err_msg=f"own heat of {name}"
        )
        np.testing.assert_allclose(total, account.total, rtol=1e-12, atol=1e-30, err_msg=f"heat of {name}")


def chain() -> Plant:
    """Build source -> a -> (b, c) -> d, with a delay and a loop over b."""
    pipes = [
        Pipe("source", "a"),
        Pipe("a", "b"),
        Pipe("a", "c", 5),
        Pipe("b", "d"),
        Pipe("c", "d"),
        Pipe("b", "b", 3),
    ]
    thermo = {"source": {"heat_j_per_frame": 1e-6}, "c": {"heat_j_per_frame": 3e-7}}
    return Plant({"a": 0.5, "b": -0.9, "c": 1.5, "d": 0.1}, pipes, thermo)


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    """Random plants; a node's pipes all have the default share, or all one of their own."""
    count = draw(st.integers(1, 4))
    names = [f"g{i}" for i in range(count)]
    gains = {name: draw(st.sampled_from([0.3, -0.5, 0.8, 1.0, 1.2])) / 2 for name in names}
    pipes = []
    for _ in range(draw(st.integers(1, 7))):
        i, j = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        pipes.append(Pipe(names[i], names[j], draw(st.integers(0 if i < j else 1, 40))))
    for name in names[:-1]:
        mine = [p for p in pipes if p.src == name]
        if draw(st.booleans()):
            for p in mine:
                p.kappa = draw(st.floats(0, 0.99)) / len(mine)
    constants = st.sampled_from([None, {"heat_j_per_frame": 1e-6}])
    return Plant(gains, pipes, {n: t for n in names if (t := draw(constants))})


class TestLaw:
    """q_v[n] = h_v[n] + sum of kappa_e q_u[n - d]."""

    def test_a_small_graph(self) -> None:
        """Attenuators, a constant, a delay, a fork and a loop that carries no heat."""
        check(chain().build())

    @settings(max_examples=30, deadline=None)
    @given(plant=plants())
    def test_random_graphs(self, plant: Plant) -> None:
        """Default and explicit shares, delays, loops that carry heat."""
        check(plant.build())

    def test_a_loop_that_carries_heat(self) -> None:
        """An explicit share on the closing edge sends heat round and round."""
        pipes = [Pipe("source", "a"), Pipe("a", "b", 0, 0.5), Pipe("b", "a", 7, 0.6), Pipe("a", "c", 0, 0.25)]
        graph = Plant({"a": 0.5, "b": 0.4, "c": 0.3}, pipes, {"b": {"heat_j_per_frame": 1e-5}}).build()
        check(graph)
        without = [Pipe(p.src, p.dst, p.delay, 0.0 if p.delay else p.kappa) for p in pipes]
        cooler = measured(
            Plant({"a": 0.5, "b": 0.4, "c": 0.3}, without, {"b": {"heat_j_per_frame": 1e-5}}).build()
        )
        assert measured(graph)["a"][1][-1] > cooler["a"][1][-1]

    def test_the_limiter_gives_off_what_it_takes_away(self) -> None:
        """Own heat of safety is max(0, x^2 - y^2) / fs; the output's is x^2 / fs, an input's nothing."""
        g = amp.Graph(sample_rate=RATE)
        source = g.input(samples=INPUT, name="source")
        g.output(g.safety(source, ceiling=0.4, name="safety"), name="out")
        y = signals(g)["safety"]
        want = np.maximum(0, INPUT**2 - y**2).reshape(-1, HEAT_WINDOW).sum(axis=1) / RATE
        got = measured(g)
        np.testing.assert_allclose(got["safety"][0], want, rtol=1e-12)
        assert not np.any(got["source"][0])
        load = np.cumsum(y**2)[HEAT_WINDOW - 1 :: HEAT_WINDOW] / RATE
        np.testing.assert_allclose(got["out"][1], np.cumsum(want) + load, rtol=1e-12)

    def test_heat_is_summed_over_channels_and_batches(self) -> None:
        """Two channels and three batches of one signal give six times its heat."""
        g = amp.Graph(sample_rate=RATE)
        g.output(g.gain(g.input(samples=np.stack([INPUT, INPUT])[None]), gain=0.5, name="level"))
        want = 6 * 0.75 * np.sum(INPUT.reshape(-1, HEAT_WINDOW) ** 2, axis=1) / RATE
        np.testing.assert_allclose(measured(g, batches=3)["level"][0], want, rtol=1e-12)

    def test_metrics_agree_with_the_last_window(self) -> None:
        """heat_j of a render of whole windows is the last accumulated heat."""
        graph = chain().build()
        scene = Scene(graph, FRAMES)
        with rigs.started(scene, flags=HEAT) as runtime:
            rigs.proceed(runtime, scene, [FRAMES])
            for name in graph.compile().order:
                assert runtime.metrics(name).heat_j == pytest.approx(runtime.heat(name)[1][-1], rel=1e-12)

    @pytest.mark.parametrize("kappa, message", [(0.7, r"a: .*more heat than it has.*sum of kappa 1\.4")])
    def test_no_node_gives_away_more_than_it_has(self, kappa: float, message: str) -> None:
        """The sum of the shares that leave a node is at most 1."""
        pipes = [Pipe("source", "a"), Pipe("a", "b", 0, kappa), Pipe("a", "c", 0, kappa)]
        with pytest.raises(amp.InvalidArgument, match=message):
            Plant({"a": 0.5, "b": 0.5, "c": 0.5}, pipes).build().compile()

    def test_no_cycle_keeps_all_its_heat(self) -> None:
        """The product of the shares round a cycle is below 1."""
        pipes = [Pipe("source", "a"), Pipe("a", "b", 0, 1.0), Pipe("b", "a", 1, 1.0)]
        plant = Plant({"a": 0.5, "b": 0.5, "c": 0.5}, pipes)
        with pytest.raises(amp.InvalidArgument, match=r"heat goes round a cycle undiminished"):
            plant.build().compile()


class TestTemperature:
    """T[n] = T[n-1] + (q[n] - G T[n-1] / fs) / C."""

    @pytest.mark.parametrize("conductance", [None, 0.0, 4e-3, 2.0])
    def test_the_recursion(self, conductance: float | None) -> None:
        """Warms with the heat that arrives, cools to ambient; NaN without constants."""
        constants = {"capacity_j_per_k": 2e-3} | (
            {} if conductance is None else {"conductance_w_per_k": conductance}
        )
        plant = chain()
        plant.thermo["d"] = constants
        graph = plant.build()
        flow, t, want = books(graph, signals(graph))["d"].flow, 0.0, []
        for q in flow:
            t += (q - (conductance or 0.0) * t / RATE) / 2e-3
            want.append(t)
        got = measured(graph)
        np.testing.assert_allclose(got["d"][2], want[HEAT_WINDOW - 1 :: HEAT_WINDOW], rtol=1e-12)
        assert got["d"][2][-1] > 0
        assert np.isnan(got["a"][2]).all()

    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("order", [1, -1, 5])
    def test_of_many_batches_the_hottest_is_told(self, order: int, threads: int) -> None:
        """Nineteen batches of different loudness, the loudest anywhere: each window has its maximum."""
        loud = np.roll(np.linspace(0.1, 1.0, 19)[:: np.sign(order)], order)
        x = loud[:, None, None] * np.roll(INPUT, 40)[None, None]
        x[3, 0] = np.where(np.arange(FRAMES) < HEAT_WINDOW, 1.05, 0.0)  # the hottest in the beginning

        def kelvin(samples: Samples, **how: int) -> Samples:
            g = amp.Graph(sample_rate=RATE)
            g.output(g.input(samples=samples), name="out", thermo={"capacity_j_per_k": 1e-3})
            batches = samples.shape[0]
            heat = g.render(frames=FRAMES, batches=batches, heat=True, isolation="none", **how).heat
            return heat.temperature_k[heat.nodes.index("out")]

        alone = np.stack([kelvin(one[None]) for one in x])
        assert len(set(alone.argmax(axis=0))) > 1
        np.testing.assert_array_equal(kelvin(x, threads=threads), alone.max(axis=0))

    @pytest.mark.parametrize("ratio", [2.0, 2.5, 1e6])
    def test_constants_that_diverge_are_refused(self, ratio: float) -> None:
        """At G / (C fs) = 2 the recursion alternates for ever, above it diverges: the plan refuses it."""
        plant = chain()
        plant.thermo["d"] = {"capacity_j_per_k": 1e-3, "conductance_w_per_k": ratio * 1e-3 * RATE}
        with pytest.raises(amp.InvalidArgument, match=r"d: thermo .* unstable .* allowed below 2") as e:
            plant.build().compile()
        assert e.value.node == "d"
        plant.thermo["d"]["conductance_w_per_k"] = 1.99e-3 * RATE
        assert np.isfinite(measured(plant.build())["d"][2]).all()

    def test_nan_is_not_hidden(self) -> None:
        """If the heat is not a number, neither is the temperature, and the budget counts as exceeded."""
        x = np.zeros((3, 1, 4 * HEAT_WINDOW))
        x[1, 0, 2 * HEAT_WINDOW] = np.nan

        def render(policy: Any) -> amp.Render:
            g = amp.Graph(sample_rate=RATE, heat_budget_w=1e9, heat_policy=policy)
            g.output(g.input(samples=x), name="out", thermo={"capacity_j_per_k": 1.0})
            frames = 4 * HEAT_WINDOW
            return g.render(frames=frames, batches=3, heat=True, nonfinite="allow", isolation="none")

        heat = render("report").heat
        assert np.isnan(heat.temperature_k[heat.nodes.index("out")]).tolist() == [False, False, True, True]
        assert heat.over_budget.tolist() == [False, False, True, False]
        with pytest.raises(amp.ThermalError, match="got nan W"):
            render("halt")


class TestBudget:
    """A budget in watts."""

    @staticmethod
    def loud(budget: float, policy: Any) -> amp.Graph:
        """Return a graph that is silent for two windows, then gives off 0.75 W in ``hot``, 1 W in all."""
        x = np.repeat([0.0, 1.0], [2 * HEAT_WINDOW, 2 * HEAT_WINDOW])
        g = amp.Graph(sample_rate=RATE, heat_budget_w=budget, heat_policy=policy)
        g.output(g.gain(g.input(samples=x), gain=0.5, name="hot"), name="out")
        return g

    @pytest.mark.parametrize("block", [0, 1, 7, 64, 100, 1000])
    def test_halt_names_node_and_frame(self, block: int) -> None:
        """ThermalError at the end of the first window over the budget, the same for every block."""
        scene = Scene(self.loud(0.5, "halt"), FRAMES)
        with pytest.raises(
            amp.ThermalError, match=r"over its heat budget \(got 1 W, allowed 0\.5 W\)"
        ) as caught:
            sound(scene, Cut(block), flags=HEAT)
        assert (caught.value.node, caught.value.frame) == ("hot", 3 * HEAT_WINDOW - 1)

    def test_report_goes_on(self) -> None:
        """With policy report the render is complete and has the same sound as without a budget."""
        want = sound(Scene(self.loud(1e9, "halt"), FRAMES), flags=HEAT)
        assert same_bits(sound(Scene(self.loud(0.5, "report"), FRAMES), flags=HEAT), want)

    def test_report_says_where(self) -> None:
        """Node and frame of every window over the budget; the first is where policy halt stops."""
        heat = self.loud(0.5, "report").render(frames=FRAMES, isolation="none").heat
        assert heat.excesses == (
            Excess("hot", 3 * HEAT_WINDOW - 1, pytest.approx(1.0)),
            Excess("hot", 4 * HEAT_WINDOW - 1, pytest.approx(1.0)),
        )
        assert repr(heat).endswith("over its budget in 2 of them, first at frame 191 (hot gives most)")
        calm = self.loud(1.1, "report").render(frames=FRAMES, isolation="none").heat
        assert calm.excesses == ()
        assert "budget" not in repr(calm)

    def test_a_budget_that_holds(self) -> None:
        """Just above what is given off nothing stops."""
        sound(Scene(self.loud(1.000001, "halt"), FRAMES), flags=HEAT)

    def test_halt_watches_although_heat_is_not_read(self) -> None:
        """The policy belongs to the graph: a render without heat is stopped, too."""
        with pytest.raises(amp.ThermalError):
            self.loud(0.5, "halt").render(frames=FRAMES, isolation="none")


def test_the_window_is_that_of_the_header() -> None:
    """64 frames per record."""
    assert lowlevel.HEAT_WINDOW == 64


def test_a_budget_with_policy_report_flags_the_windows_that_exceed_it() -> None:
    """The render continues; heat reports where the budget was exceeded, and the figure shows the limit."""
    g = amp.Graph(name="warm", heat_budget_w=0.25)
    g.output(g.constant(value=1.0), name="load")
    g["constant"].set(value=0.4)
    cool = g.render(frames=640, isolation="none", heat=True)
    g["constant"].set(value=0.6)
    warm = g.render(frames=640, isolation="none", heat=True)
    assert not cool.heat.over_budget.any()
    assert warm.heat.over_budget.all()
    assert warm.heat.graph_power_w == pytest.approx(np.full(10, 0.36))
    assert any(line.get_label() == "budget" for line in warm.thermo().axes[0].lines)
