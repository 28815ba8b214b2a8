"""What a contract declares is measured on every one of its cases; bounds come from the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import rigs
from rigs import CASES, Cut, Samples, Scene, case_params, case_scene, same_bits, sound

import amp_lab as amp
from amp_lab import catalog
from amp_lab.catalog import builder, text
from amp_lab.contracts import CaseContract
from amp_lab.golden import node_cases

ANY_CASE = pytest.mark.parametrize(("type_id", "case"), CASES, ids=rigs.case_ids())
LATE = pytest.mark.parametrize("type_id", [t for t in catalog.types() if catalog[t].latency_frames])
"""Types that read ahead."""


def keeping(law: str) -> pytest.MarkDecorator:
    """Every case of every type whose contract declares the law."""
    chosen = [(t, c) for t, c in CASES if law in catalog[t].laws]
    assert chosen, f"no contract declares {law}"
    return pytest.mark.parametrize(("type_id", "case"), chosen, ids=[f"{t}-{c.key}" for t, c in chosen])


def test_every_type_has_a_case() -> None:
    """A node type without cases would pass everything below."""
    assert [t for t in catalog.types() if not catalog[t].cases] == []
    assert {t for t, _ in CASES} == set(catalog.types())


@ANY_CASE
def test_a_case_is_not_silent(type_id: str, case: CaseContract) -> None:
    """Its render has the declared length and channels, is finite and is not all zeros."""
    scene = case_scene(type_id, case)
    audio, port = sound(scene), catalog[type_id].outputs[0]
    assert audio.shape[2] == case.frames
    if port.scatter != "matrix":  # as many as the matrix has rows
        channels = {"match": case.channels, "mono": 1, "stereo": 2}[port.channels]
        assert scene.graph.compile().output_channels == channels
    assert np.isfinite(audio).all()
    assert np.any(audio != 0.0)


@pytest.mark.parametrize("batches", [1, 6])
@keeping("block_invariant")
def test_block_invariant(type_id: str, case: CaseContract, batches: int) -> None:
    """Blocks of 1, 3, 8, 63, 64, 65 frames, one block, and random calls give the same bits."""
    scene = case_scene(type_id, case, batches=batches)
    want = sound(scene)
    for block in (1, 3, 8, 63, 64, 65, case.frames):
        assert same_bits(sound(scene, Cut(block)), want), f"block {block}"
    for seed in range(3):
        cut = Cut((0, 16, 200)[seed], rigs.random_calls(seed, case.frames))
        assert same_bits(sound(scene, cut), want), str(cut)


def test_every_type_is_block_invariant() -> None:
    """Every contract declares the first law."""
    assert [t for t in catalog.types() if "block_invariant" not in catalog[t].laws] == []


@keeping("linear")
def test_linear(type_id: str, case: CaseContract) -> None:
    """The response to 2 a - 3 b is twice that to a minus three times that to b, to 1e-12."""
    ports = catalog[type_id].input_keys
    rng = np.random.default_rng(5)
    a, b = ({port: rng.uniform(-1, 1, (1, case.channels, case.frames)) for port in ports} for _ in range(2))
    both = {port: 2.0 * a[port] - 3.0 * b[port] for port in ports}
    ya, yb, y = (sound(case_scene(type_id, case, feed=feed)) for feed in (a, b, both))
    assert np.any(y != 0.0)
    np.testing.assert_allclose(y, 2.0 * ya - 3.0 * yb, rtol=0.0, atol=1e-12 * np.abs(y).max())


@pytest.mark.parametrize("shift", [1, 13, 70])
@keeping("time_invariant")
def test_time_invariant(type_id: str, case: CaseContract, shift: int) -> None:
    """A delayed input gives the delayed output to the bit; of a node that keeps silence, after zeros."""
    signals = {
        p: rigs.stimulus(case.stimulus, case.channels, case.frames, p) for p in catalog[type_id].input_keys
    }
    later = {
        p: np.concatenate([np.zeros((1, case.channels, shift)), x], axis=2)[:, :, : case.frames]
        for p, x in signals.items()
    }
    y, delayed = (sound(case_scene(type_id, case, feed=feed)) for feed in (signals, later))
    ahead = rigs.latency(type_id, case)
    end = max(shift, case.frames - ahead)  # from there on the delayed input was cut
    assert same_bits(delayed[:, :, shift:end], y[:, :, : end - shift])
    if "silence" in catalog[type_id].laws:
        assert not np.any(delayed[:, :, : max(0, shift - ahead)])


@keeping("silence")
def test_silent(type_id: str, case: CaseContract) -> None:
    """Silence in, silence out."""
    feed = {p: np.zeros((1, case.channels, case.frames)) for p in catalog[type_id].input_keys}
    assert feed
    assert not np.any(sound(case_scene(type_id, case, feed=feed)))


@keeping("bounded")
def test_bounded(type_id: str, case: CaseContract) -> None:
    """The output stays within the declared bound, and some output comes within 6 dB of it."""
    contract = catalog[type_id]
    param = contract.param(contract.bound_param)
    bound = 1.0 if param is None else float(case_params(type_id, case).get(param.key, param.default))
    rng = np.random.default_rng(6)
    shape = (1, case.channels, case.frames)
    draws: tuple[Callable[[], Samples], ...] = (
        lambda: rng.uniform(-1, 1, shape),
        lambda: 100.0 * rng.standard_cauchy(shape),
        lambda: rng.choice([-1e300, 1e300], shape),
    )
    feeds = [{}, *({port: draw() for port in contract.input_keys} for draw in draws)]
    peaks = [np.abs(sound(case_scene(type_id, case, feed=feed))[:, : case.channels]).max() for feed in feeds]
    assert 0.5 * bound < max(peaks) <= bound


@ANY_CASE
def test_the_clocks_show_the_declared_latency(type_id: str, case: CaseContract) -> None:
    """A node with latency has fired that many frames more than it output; no other node has."""
    scene = case_scene(type_id, case)
    declared = rigs.latency(type_id, case)
    with rigs.started(scene) as runtime:
        rigs.proceed(runtime, scene, [scene.frames])
        metrics = {name: runtime.metrics(name) for name in scene.graph.compile().order}
    assert metrics["node"].measured_delay_frames == declared
    assert metrics["node"].frames == scene.frames + declared
    assert not any(m.measured_delay_frames for name, m in metrics.items() if name != "node")


@LATE
def test_the_contract_declares_the_latency_of_the_defaults(type_id: str) -> None:
    """The number in the table is that of a node with default parameters at 48 kHz."""
    g = amp.Graph(sample_rate=48_000.0)
    g.add(type_id, g.input(samples=[1.0]), name="node")
    assert g.compile().latencies["node"] == catalog[type_id].latency_frames


@LATE
def test_the_raw_output_lags_by_the_declared_latency(type_id: str) -> None:
    """A change of the input at frame k is first seen in the output at frame k - L.

    Never before it; and in one case exactly there, so that the declared number is the least.
    """
    first = []
    for case in catalog[type_id].cases:
        k, ports = case.frames // 2, catalog[type_id].input_keys
        quiet = np.full((1, case.channels, case.frames), 1e-3)
        loud = np.where(np.arange(case.frames) == k, 5.0, quiet)
        feeds = (dict.fromkeys(ports, x) for x in (quiet, loud))
        y, other = (sound(case_scene(type_id, case, feed=feed)) for feed in feeds)
        changed = np.flatnonzero((y != other).any(axis=(0, 1)))
        first.append(changed[0] - (k - rigs.latency(type_id, case)))
    assert min(first) == 0


@LATE
def test_parallel_paths_stay_in_phase(type_id: str) -> None:
    """A sum with a path through a node that reads ahead is the sum of both, frame by frame."""
    for case in catalog[type_id].cases:
        scene = case_scene(type_id, case)
        alone = sound(replace(scene, taps=()))
        direct = np.random.default_rng(9).uniform(-1, 1, alone.shape)
        scene.graph.connect(scene.graph.input(samples=direct), node_cases.OUT)
        assert scene.graph.compile().latency_frames == rigs.latency(type_id, case)
        assert same_bits(sound(replace(scene, taps=())), alone + direct)


@pytest.mark.parametrize(
    ("type_id", "transparent"),
    [
        ("fir", {"mode": "bandstop", "cutoff_hz": 9000.0, "upper_hz": 9000.0, "half_length": 37}),
        ("lookahead_limiter", {"ceiling": 1.0, "lookahead_s": 0.00123}),
    ],
)
def test_a_node_that_changes_nothing_cancels(type_id: str, transparent: dict[str, Any]) -> None:
    """A path through a node that does not change the signal, minus the direct path, is silence."""
    x = np.random.default_rng(9).uniform(-1, 1, (1, 2, 600))
    g = amp.Graph(sample_rate=rigs.RATE)
    source = g.input(samples=x)
    through = g.add(type_id, source, name="node", **transparent)
    g.output(g.mix(g.gain(source, gain=-1.0), through))
    assert g.compile().latency_frames > 0
    null = sound(Scene(g, 600, taps=("node",)))
    assert not np.any(null[:, :2])
    assert same_bits(null[:, 2:], x)


@pytest.mark.parametrize("type_id", [t for t in catalog.types() if catalog[t].inputs])
def test_causal(type_id: str) -> None:
    """A change of the input from frame k + L on changes no output frame before k, L being its latency.

    And in one case it does change a frame from there on: a long memory may not show the others in time.
    """
    seen = []
    for case in catalog[type_id].cases:
        k = case.frames // 2
        at = k + rigs.latency(type_id, case)
        signals = {
            p: rigs.stimulus("noise", case.channels, case.frames, p)
            for p in catalog[type_id].input_keys
            if case.stimulus != "none"
        }
        changed = {p: np.where(np.arange(case.frames) < at, x, -x + 0.3) for p, x in signals.items()}
        y, other = (sound(case_scene(type_id, case, feed=feed)) for feed in (signals, changed))
        assert same_bits(y[:, :, :k], other[:, :, :k])
        seen.append(not same_bits(y, other))
    assert any(seen)


@pytest.mark.parametrize("type_id", catalog.types())
def test_what_does_not_run_yet_is_planned_or_not_offered(type_id: str) -> None:
    """No gradient is computed, and no node runs at another rate than its graph."""
    contract = catalog[type_id]
    word = "not differentiable" if contract.adjoint == "not_differentiable" else "planned: "
    assert f"gradient {word}" in re.sub(" +", " ", text.node_page(contract))
    assert "oversampl" not in text.node_page(contract) + builder.docstring(contract)
    assert "oversample_ratio" not in builder.signature(contract).parameters


def test_roles_are_keys_of_parameters_of_their_kind() -> None:
    """Roles in a contract name a parameter of the required kind and rate."""
    kinds = {
        "curve_param": ("text", "fixed"),
        "channels_param": ("integer", "fixed"),
        "limit_param": ("number", "fixed"),
        "limited_param": ("number", "frame"),
    }
    found = dict.fromkeys(kinds, 0)
    for type_id in catalog.types():
        contract = catalog[type_id]
        assert (contract.limited_param == "") == (contract.limit_param == ""), type_id
        assert contract.has_channels == bool(contract.channels_param), type_id
        for role, expected in kinds.items():
            if key := getattr(contract, role):
                param = contract.param(key)
                assert param is not None and (param.kind, param.rate) == expected, f"{type_id}.{role}"
                found[role] += 1
    assert all(found.values()), found


def test_a_graph_has_one_sink_and_its_samples_say_the_channels() -> None:
    """Python finds the output of a graph and the channels of an input by what contracts declare."""
    sinks = [t for t in catalog.types() if catalog[t].io == "sink"]
    sources = [t for t in catalog.types() if catalog[t].io == "source"]
    assert sinks and sources and not set(sinks) & set(sources)
    graph = amp.Graph(sample_rate=48_000.0)
    source = graph.add(sources[0], np.zeros((3, 8)))
    assert source.record.values[catalog[sources[0]].channels_param] == 3
    end = graph.add(sinks[0], source)
    assert graph.output_node is end
    for type_id in sinks:
        with pytest.raises(amp.GraphError, match="has an output already"):
            graph.add(type_id)
