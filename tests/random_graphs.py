"""Generated valid graphs, over the whole catalogue, and what laws about them share.

A graph is built from recipes, one per node: small records that know nothing of each other, so that any of
them can be left out when a failure is made smaller. ``python tests/random_graphs.py`` renders graphs that
come as lines of JSON and answers with their digests, for comparison between processes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import rigs
from hypothesis import strategies as st
from rigs import RATE, Cut, Samples, Scene, digest, sound

import amp_lab as amp
from amp_lab import catalog, lowlevel
from amp_lab.contracts import ParamContract
from amp_lab.graph.records.values import CurveRef

RANGES = {
    "gain": (-1.0, 1.0),
    "b0": (-0.5, 0.5),
    "b1": (-0.5, 0.5),
    "b2": (-0.5, 0.5),
    "a1": (-0.5, 0.5),
    "a2": (-0.3, 0.3),
    "cutoff_hz": (100.0, 8000.0),
    "q": (0.5, 8.0),
    "gain_db": (-12.0, 12.0),
    "value": (-1.0, 1.0),
    "delay_s": (0.0, 0.004),
    "attack_s": (0.0, 0.002),
    "hold_s": (0.0, 0.001),
    "decay_s": (0.0, 0.002),
    "sustain": (0.0, 0.6),
    "release_s": (2e-4, 5e-3),
    "rate_hz": (0.0, 5000.0),
    "phase_cycles": (-2.0, 2.0),
    "slew_s": (0.0, 1e-3),
    "depth": (-1.0, 1.0),
    "offset": (-1.0, 1.0),
    "ceiling": (0.2, 1.0),
    "frequency_hz": (20.0, 6000.0),
    "pulse_width": (0.2, 0.6),
    "amplitude": (0.1, 1.0),
    "position": (-0.5, 0.5),
    "dc_block_hz": (1.0, 50.0),
}
"""Of numbers that may change per frame, where a contract's own range would be silent, unstable or slow."""
ANYTHING_GOES = {"gain", "b0", "b1", "b2", "value", "phase_cycles", "depth", "offset"}
"""Numbers that may also be moved by addition."""


def drawn_from(param: ParamContract) -> tuple[float, float]:
    """Range to draw a number from: narrow enough that modulations by a tenth stay in the declared range.

    Without one in `RANGES` it lies around the default, half way to either end but at most half of the default
    (or of 1, if that is more).
    """
    if param.key in RANGES:
        return RANGES[param.key]
    (low, high), middle = param.limits(RATE), float(param.default)
    most = max(abs(middle), 1.0)
    least = middle - 0.5 * min(middle - low, most)
    most = middle + 0.5 * min(high - middle, most)
    shrunk = [low / 1.1 if low < 0.0 else low / 0.9, high / 1.1 if high > 0.0 else high / 0.9]
    return max(least, shrunk[0]), min(most, shrunk[1])


SOURCES = tuple(t for t in catalog.types() if not any(not p.optional for p in catalog[t].inputs))
INNER = tuple(t for t in catalog.types() if catalog[t].inputs)
MOST_CHANNELS = 6


@dataclass(frozen=True)
class Feed:
    """An edge or modulation: from the node this number of places before, or to it if it goes back."""

    steps: int
    delay: int = 0
    tokens: bool = False


@dataclass(frozen=True)
class Recipe:
    """The recipe of one node; its numbers and choices follow from the seed."""

    type: str
    seed: int = 0
    feeds: tuple[Feed, ...] = ()
    moved_by: tuple[Feed, ...] = ()
    back: Feed | None = None
    gate: str = ""


@dataclass
class Builder:
    """Makes a graph out of recipes; whatever does not fit is left out."""

    frames: int
    batches: int
    graph: amp.Graph = field(default_factory=lambda: amp.Graph(sample_rate=RATE, name="random"))
    nodes: list[amp.Node] = field(default_factory=list)
    channels: dict[str, int] = field(default_factory=dict)  # of a node
    leaving: dict[str, int] = field(default_factory=dict)  # of its outputs
    ahead: dict[str, int] = field(default_factory=dict)  # longest sum of latencies down to a node
    latency: dict[str, int] = field(default_factory=dict)
    bounded: list[amp.Node] = field(default_factory=list)  # stay near 1: fit to modulate
    curves: list[amp.Curve] = field(default_factory=list)

    def number(self, rng: np.random.Generator, param: ParamContract, channels: int) -> Any:
        """Return a value of a parameter: number, tensor or curve."""
        low, high = drawn_from(param)
        kind = rng.integers(0, 8)
        if kind < 4:
            return float(rng.uniform(low, high))
        if kind == 7:
            name = f"curve{len(self.curves)}"
            times = np.sort(rng.choice(self.frames, 4, replace=False)) / RATE
            shape = str(rng.choice(["hold", "linear", "smooth"]))
            self.curves.append(amp.Curve(name, times, rng.uniform(low, high, 4), interpolation=shape))
            return amp.curve(name)
        shape = [(self.batches, 1, 1), (1, channels, 12), (self.batches, channels, 1)][kind - 4]
        return rng.uniform(low, high, shape)

    def params(self, rng: np.random.Generator, type_id: str, channels: int, stacked: int) -> dict[str, Any]:
        """Return some parameters of a node; the others keep their defaults."""
        chosen: dict[str, Any] = {}
        for p in catalog[type_id].params:
            if p.kind == "number" and p.rate == "frame":
                if p.key in ("delay_s", "cutoff_hz") or rng.integers(0, 2):
                    chosen[p.key] = self.number(rng, p, channels)
            elif p.kind == "enum":
                chosen[p.key] = str(rng.choice(p.choices))
        fixed: dict[str, Callable[[], Any]] = {
            "cutoff_hz": lambda: float(rng.uniform(500, 4000)),
            "upper_hz": lambda: float(rng.uniform(5000, 9000)),
            "half_length": lambda: int(rng.choice([1, 4, 9, 20])),
            "lookahead_s": lambda: float(rng.choice([0, 1, 5, 24])) / RATE,
            "max_delay_s": lambda: 0.01,
            "hop_frames": lambda: int(rng.integers(1, 9)),
            "phase_frames": lambda: int(rng.integers(0, 9)),
            "seed": lambda: int(rng.integers(0, 100)),
            "matrix": lambda: self.matrix(rng, stacked),
        }
        for p in catalog[type_id].params:
            if p.key in fixed and (p.rate == "fixed" or p.kind == "matrix"):
                chosen[p.key] = fixed[p.key]()
        return chosen

    def matrix(self, rng: np.random.Generator, columns: int) -> Samples:
        shape = (int(rng.integers(1, 4)), columns)
        return rng.uniform(-1, 1, (self.batches, *shape) if rng.integers(0, 2) else shape)

    def source(self, recipe: Recipe) -> None:
        """Add a node that needs no input."""
        rng = np.random.default_rng(recipe.seed)
        channels = int(rng.integers(1, 4))
        more: dict[str, Any] = {"channels": channels}
        if recipe.type == "input":
            shape = (int(rng.choice([1, self.batches])), channels, int(rng.choice([self.frames, 50])))
            more = {"samples": rng.uniform(-1, 1, shape)}
        elif recipe.type == "controller":
            values = rng.uniform(-1, 1, 3)
            self.curves.append(amp.Curve(f"curve{len(self.curves)}", np.array([0.0, 1e-3, 3e-3]), values))
            more["curve"] = self.curves[-1].name
        elif recipe.type == "envelope":  # nothing plays it
            channels, more = 1, {}
        node = self.put(recipe, self.params(rng, recipe.type, channels, 0) | more, channels)
        self.modulate(recipe, node)
        if recipe.type in ("sine", "noise"):
            self.bounded.append(node)

    def put(self, recipe: Recipe, params: dict[str, Any], channels: int) -> amp.Node:
        """Add a node and record its outputs."""
        heat = recipe.seed % 3 == 0
        thermo = {"heat_j_per_frame": 1e-6, "capacity_j_per_k": 0.5, "conductance_w_per_k": 2.0}
        name = "out" if recipe.type == "output" else f"n{len(self.nodes)}"  # which may have readers too
        node = self.graph.add(recipe.type, name=name, thermo=thermo if heat else None, **params)
        self.nodes.append(node)
        self.channels[node.name] = channels
        rows = np.shape(params["matrix"])[-2] if "matrix" in params else channels
        self.leaving[node.name] = 2 if recipe.type == "pan" else rows
        self.latency[node.name] = {
            "fir": params.get("half_length", 0),
            "lookahead_limiter": round(params.get("lookahead_s", 0) * RATE),
            "oscillator": 2 * (params.get("quality") == "blep4"),
        }.get(recipe.type, 0)
        return node

    def inner(self, recipe: Recipe) -> None:
        """Add a node and the edges that feed it."""
        rng = np.random.default_rng(recipe.seed)
        origins = [self.nodes[-1 - feed.steps % len(self.nodes)] for feed in recipe.feeds]
        pairs = list(zip(origins, recipe.feeds, strict=True))
        once = {o.name: (o, f) for o, f in pairs}
        feeds = [(o, f) for o, f in pairs if self.left(o) and (o.type != "split" or once[o.name][1] is f)]
        if not feeds or (recipe.type == "output" and "out" in self.graph):
            return
        carried = [1 if o.type == "split" else self.leaving[o.name] for o, _ in feeds]
        gather = catalog[recipe.type].inputs[0].gather
        stacks = gather in ("concat", "matrix")
        if stacks and sum(carried) > MOST_CHANNELS:
            feeds, carried = feeds[:1], carried[:1]
        channels = sum(carried) if stacks else carried[0] if gather == "first" else max(carried)
        if recipe.type == "pan":
            channels = max(c if c <= 2 else 1 for c in carried)
        if recipe.type == "oscillator":
            channels = int(rng.integers(1, 3))
        params = self.params(rng, recipe.type, channels, sum(carried))
        if catalog[recipe.type].has_channels:
            params["channels"] = channels
        node = self.put(recipe, params, channels)
        ports = catalog[recipe.type].input_keys
        for i, (origin, feed) in enumerate(feeds):
            self.edge(rng, origin, node, ports[i % len(ports)], feed, None if stacks else channels)
        self.ahead[node.name] = max(self.down(o) for o, _ in feeds)
        self.modulate(recipe, node)
        within = recipe.type in ("output", "hold", "first") and all(o in self.bounded for o, _ in feeds)
        if recipe.type in ("safety", "lookahead_limiter") or (within and len(feeds) == 1):
            self.bounded.append(node)

    def down(self, node: amp.Node) -> int:
        """Longest sum of latencies down to what reads a node."""
        return self.ahead.get(node.name, 0) + self.latency[node.name]

    def left(self, node: amp.Node) -> bool:
        """Whether an edge may still leave a node: a split gives each of its channels once."""
        edges = [e for e in self.graph.edges if e.src == node.name]
        return node.type != "split" or len(edges) < self.leaving[node.name]

    def edge(
        self,
        rng: np.random.Generator,
        src: amp.Node,
        dst: amp.Node,
        port: str,
        feed: Feed,
        fits: int | None,
    ) -> None:
        """Connect; a signal of more channels than fit gives one of them."""
        carried, channel = self.leaving[src.name], None
        if src.type == "split":
            carried = 1
        elif fits is not None and carried not in (1, fits):
            carried, channel = 1, int(rng.integers(0, carried))
        tokens = None
        if feed.tokens and feed.delay:
            tokens = rng.uniform(-1, 1, (int(rng.choice([1, self.batches])), carried, feed.delay))
        output = src.contract.output_keys[int(rng.integers(0, len(src.contract.output_keys)))]
        self.graph.connect(
            src.output(output), dst, port=port, delay_frames=feed.delay, tokens=tokens, channel=channel
        )

    def modulate(self, recipe: Recipe, node: amp.Node) -> None:
        """Let earlier nodes with values near 1 modulate parameters."""
        for i, feed in enumerate(recipe.moved_by if self.bounded else ()):
            src = self.bounded[-1 - feed.steps % len(self.bounded)]
            if self.move(recipe.seed + i, src, node, feed.delay):
                self.ahead[node.name] = max(self.ahead.get(node.name, 0), self.down(src))

    def move(self, seed: int, src: amp.Node, node: amp.Node, delay: int) -> bool:
        """Let a signal modulate some parameter of a node; False if it has none."""
        keys = [p.key for p in node.contract.params if (p.kind, p.rate) == ("number", "frame")]
        if not keys:
            return False
        key = keys[seed % len(keys)]
        one = 0 if self.leaving[src.name] > self.channels[node.name] else None
        how: dict[str, Any] = {"delay_frames": delay, "channel": one}
        if key in ANYTHING_GOES and seed // 7 % 2:
            how |= {"mode": "add", "scale": 0.3}
        else:
            how |= {"mode": "multiply", "scale": 0.1, "offset": 1.0}
        self.graph.modulate(src, node.param(key), **how)
        return True

    def back(self, recipe: Recipe, node: amp.Node) -> None:
        """Close a loop, long enough for any cycle, through a node that keeps its signal bounded."""
        if recipe.back is None or not self.left(node):
            return
        target = self.nodes[-1 - recipe.back.steps % len(self.nodes)]
        if self.nodes.index(target) > self.nodes.index(node):
            return
        rng = np.random.default_rng(recipe.seed + 2)
        meets = target.contract.inputs and target.contract.inputs[0].gather in ("sum", "mean", "first")
        width = 1 if node.type == "split" else self.leaving[node.name]
        clip = self.graph.safety(node, ceiling=0.5, dc_block_hz=0.0, name=f"back_{node.name}")
        self.channels[clip.name] = self.leaving[clip.name] = width
        self.latency[clip.name] = 0
        self.ahead[clip.name] = self.down(node)
        delay = recipe.back.delay + max(1, self.down(clip) - self.ahead.get(target.name, 0) + 1)
        if meets and recipe.seed % 3:
            late = replace(recipe.back, delay=delay)
            self.edge(rng, clip, target, target.contract.input_keys[0], late, self.channels[target.name])
        else:
            self.move(recipe.seed, clip, target, delay)

    def attempt(self, change: Callable[[], Any], undo: Callable[[], Any]) -> None:
        """Keep a change that the plan accepts."""
        change()
        try:
            self.graph.compile()
        except amp.AmpError:
            undo()

    def gates_and_shares(self, recipes: list[Recipe]) -> None:
        """Put edges behind gates and set heat shares of some, where that is possible."""
        places = {node.name: recipe for node, recipe in zip(self.nodes, recipes, strict=False)}
        for edge in self.graph.edges:
            recipe = places.get(edge.dst)
            if recipe is None:
                continue
            for change, undo in (
                ({"gates": (recipe.gate,)}, {"gates": ()}),
                ({"kappa": 0.05}, {"kappa": None}),
            ):
                if recipe.gate and (recipe.seed % 2 or "gates" in change):
                    now = edge.id
                    self.attempt(
                        lambda now=now, change=change: self.graph.change(now, **change),
                        lambda now=now, undo=undo: self.graph.change(now, **undo),
                    )


def build(recipes: list[Recipe], frames: int, batches: int, budget: tuple[float, str] | None) -> Scene:
    """Return the graph of recipes with all ports tapped."""
    b = Builder(frames, batches)
    made = []
    for recipe in recipes:
        count = len(b.nodes)
        if recipe.type in SOURCES and not (catalog[recipe.type].inputs and b.nodes):
            b.source(recipe)
        elif b.nodes:
            b.inner(recipe)
        made += [recipe] * (len(b.nodes) - count)
    if not b.nodes:
        made = [Recipe("noise")]
        b.source(made[0])
    for recipe, node in zip(made, list(b.nodes), strict=True):
        b.back(recipe, node)
    if "out" not in b.graph:
        b.graph.output(next(n for n in reversed(b.nodes) if n.type != "split"), name="out")
    b.gates_and_shares(made)
    if budget:
        b.graph.set_heat_budget(*budget)
    if b.curves:
        b.graph.controls = amp.ControlHistory(b.curves)
    return Scene(b.graph, frames, None, batches, every_port(b.graph))


def every_port(graph: amp.Graph) -> tuple[str, ...]:
    """Every output of a graph as a tap."""
    return tuple(f"{n.name}.{port}" for n in graph.nodes for port in n.contract.output_keys)


FEEDS = st.builds(Feed, st.integers(0, 12), st.sampled_from([0, 0, 0, 1, 2, 7, 16, 40]), st.booleans())
RECIPES = st.builds(
    Recipe,
    st.sampled_from((*SOURCES, *INNER * 2)),
    st.integers(0, 999),
    st.lists(FEEDS, min_size=1, max_size=3).map(tuple),
    st.lists(FEEDS, max_size=2).map(tuple),
    st.none() | FEEDS,
    st.sampled_from(["", "", "", "a", "b"]),
)
BUDGETS = st.sampled_from([None, None, (1e-3, "report"), (1e12, "halt")])


@st.composite
def scenes(
    draw: st.DrawFn, most: int = 25, batches: tuple[int, ...] = (1, 1, 2, 5, 9), frames: int = 560
) -> Scene:
    """Graphs of three to forty nodes, 1 to 9 batches of them."""
    least = draw(st.sampled_from([n for n in (2, 5, 10, 17, 25) if n <= most]))
    recipes = draw(st.lists(RECIPES, min_size=least, max_size=least + 5))
    return build(recipes, frames, draw(st.sampled_from(batches)), draw(BUDGETS))


# ---- one batch of many ----


def only(scene: Scene, batch: int) -> Scene:
    """Return the scene with one of its batches, to be rendered at that batch offset."""

    def part(value: Any) -> Any:
        return value[batch : batch + 1] if np.ndim(value) == 3 and len(value) > 1 else value

    g = scene.graph.copy()
    for node in g.nodes:
        record = node.record
        moved = {key: part(v) for key, v in record.values.items() if not isinstance(v, CurveRef)}
        node.set(**{key: v for key, v in moved.items() if v is not record.values[key]})
        if record.samples is not None:
            node.set(samples=part(record.samples))
    for edge in g.edges:
        if edge.tokens is not None:
            g.change(edge.id, tokens=part(edge.tokens))
    return replace(scene, graph=g, batches=1)


# ---- digests in other processes ----


def main() -> None:
    """Print level and flavour, then reply to lines ``[graph, frames, batches, taps]`` with digests."""
    print(json.dumps([lowlevel.isa(), lowlevel.build_info()]), flush=True)
    for line in sys.stdin:
        data, frames, batches, taps = json.loads(line)
        scene = Scene(amp.Graph.from_dict(data), frames, None, batches, tuple(taps))
        print(digest(sound(scene, Cut(100, rigs.random_calls(frames, frames)))), flush=True)


if __name__ == "__main__":
    main()
