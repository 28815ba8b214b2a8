"""The model: building, editing, naming, JSON, code, events, and errors that name the place and the cure."""

from __future__ import annotations

import inspect
import pickle
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import amp_lab as amp
from amp_lab import catalog
from amp_lab.catalog import stubs
from amp_lab.catalog.__main__ import STUB
from amp_lab.catalog.__main__ import main as catalog_main
from amp_lab.graph.edits.events import (
    EdgeAdded,
    EdgeRemoved,
    NodeAdded,
    NodeChanged,
    NodeRemoved,
    NodeRenamed,
)


def workbench() -> amp.Graph:
    """Build the three-oscillator graph of the first page of the manual."""
    g = amp.Graph(sample_rate=48_000, name="three_osc")
    lfo = g.lfo(rate_hz=5.0)
    voices = [g.oscillator(waveform="saw", frequency_hz=f) for f in (109.6, 110.0, 110.5)]
    for voice in voices:
        g.modulate(lfo, voice.frequency_hz, mode="add", scale=1.5)
    flt = g.svf(g.mix(*voices), mode="lowpass", cutoff_hz=900.0, q=2.0, name="flt")
    g.modulate(lfo, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.4)
    g.output(g.pan(g.gain(flt, gain=0.3)))
    return g


def everything() -> amp.Graph:
    """Build a graph that uses every feature of the file format."""
    rng = np.random.default_rng(1)
    g = amp.Graph(sample_rate=44_100.0, name="all-of-it", heat_budget_w=1.5, heat_policy="halt")
    src = g.input(samples=rng.normal(size=(2, 3, 100)), name="src")
    small = g.input(samples=[[0.1, -0.0], [1e-300, 1.0]])
    flt = g.svf(
        src, cutoff_hz=amp.curve("cut"), q=rng.uniform(0.5, 2, (1, 1, 100)), thermo={"capacity_j_per_k": 2.0}
    )
    env = g.envelope(gate=[g.controller(curve="gate"), g.constant(value=0.1 + 0.2)], velocity=small)
    g.connect(
        flt, flt, slot=5, delay_frames=3, gates=["a", "b"], kappa=0.0, tokens=rng.normal(size=(1, 3, 3))
    )
    g.connect(env.output("reset"), env, port="trigger", delay_frames=1)
    g.modulate("envelope.reset", flt.q, mode="multiply", scale=0.1, offset=0.9, delay_frames=4)
    g.modulate(env, flt.cutoff_hz, mode="add", scale=-10, channel=0, slot=7)
    g.output(flt, name="out")
    return g


class TestBuilders:
    """``g.svf(...)``."""

    def test_every_type_has_a_builder_that_does_not_hide_a_method(self) -> None:
        """Each node type is a method of Graph, and no type is named like a method of the graph itself."""
        for type_id in catalog.types():
            method = getattr(amp.Graph, type_id)
            assert method.__qualname__ == f"Graph.{type_id}"
            assert catalog[type_id].summary in (method.__doc__ or "")

    def test_signatures_are_keyword_only_with_the_contracts_defaults(self) -> None:
        """Every parameter of the contract is a keyword with its default."""
        for type_id in catalog.types():
            given = inspect.signature(getattr(amp.Graph, type_id)).parameters
            for param in catalog[type_id].params:
                assert given[param.key].kind is inspect.Parameter.KEYWORD_ONLY
                assert given[param.key].default == param.default
                assert param.allowed() in getattr(amp.Graph, type_id).__doc__

    def test_no_contract_uses_one_key_twice(self) -> None:
        """Ports and parameters of a type share one space of keywords."""
        for type_id in catalog.types():
            contract = catalog[type_id]
            keys = [*contract.input_keys, *(param.key for param in contract.params)]
            assert len(set(keys)) == len(keys)

    def test_the_stub_is_what_the_contracts_give(self) -> None:
        """The committed typing stub does not drift from the native tables."""
        text = stubs.render(catalog[type_id] for type_id in catalog.types())
        assert STUB.read_text(encoding="utf-8") == text
        assert catalog_main(["--check"]) == 0

    def test_positional_sources_all_go_to_a_single_port(self) -> None:
        """``g.mix(a, b, c)`` connects slots 0, 1, 2."""
        g = amp.Graph()
        mix = g.mix(g.sine(), g.sine(), g.sine())
        assert [(e.src, e.dst, e.slot) for e in g.edges] == [
            ("sine", mix.name, 0),
            ("sine_2", mix.name, 1),
            ("sine_3", mix.name, 2),
        ]

    def test_positional_sources_go_to_several_ports_in_order(self) -> None:
        """The first source goes to the first port; a keyword reaches any port, also with a list."""
        g = amp.Graph()
        a, b = g.constant(), g.constant()
        g.envelope(a, velocity=[a, b])
        assert [e.id for e in g.edges] == ["envelope.gate[0]", "envelope.velocity[0]", "envelope.velocity[1]"]

    @pytest.mark.parametrize(
        ("build", "error", "message"),
        [
            (
                lambda g, n: g.svf(cutof_hz=1),
                TypeError,
                r"svf: no such parameter .*Did you mean 'cutoff_hz'\?",
            ),
            (lambda g, n: g.svf(n, q=n), amp.GraphError, r"svf\.q: not a number.*g\.modulate"),
            (
                lambda g, n: g.svf(q=[1, 2]),
                amp.ShapeError,
                r"svf\.q: wrong shape \(got \(2,\).*a\[None, None, :\].*amp\.batch",
            ),
            (
                lambda g, n: g.svf(mode="low"),
                amp.GraphError,
                r"svf\.mode: no such choice \(got 'low', allowed lowpass",
            ),
            (lambda g, n: g.svf(mode=1), amp.GraphError, r"svf\.mode: not a text"),
            (lambda g, n: g.svf(q=float("inf")), amp.GraphError, r"svf\.q: not finite"),
            (lambda g, n: g.noise(seed=1.5), amp.GraphError, r"noise\.seed: not a whole number \(got 1\.5"),
            (
                lambda g, n: g.noise(channels=0),
                amp.GraphError,
                r"noise\.channels: out of range \(got 0, allowed 1",
            ),
            (lambda g, n: g.sine(n), TypeError, r"sine: has no input port \(got 1 sources"),
            (
                lambda g, n: g.envelope(n, n, n, n),
                TypeError,
                r"envelope: too many sources \(got 4, allowed 3",
            ),
            (
                lambda g, n: g.mix(0.5),
                TypeError,
                r"mix\.in: not a source \(got float, allowed a node .*g\.constant",
            ),
            (lambda g, n: g.gain(n, name="n"), amp.GraphError, r"n: name is taken .*'n_2'"),
            (lambda g, n: g.gain(n, name="a.b"), amp.GraphError, r"name: not allowed \(got 'a\.b'"),
            (
                lambda g, n: g.gain(n, thermo={"heat": 1}),
                TypeError,
                r"gain\.thermo: no such constant \(got 'heat'",
            ),
            (
                lambda g, n: g.gain(n, oversample_ratio=1),  # until nodes run at other rates
                TypeError,
                r"gain: no such parameter or input port \(got 'oversample_ratio'",
            ),
            (
                lambda g, n: g.add("svff"),
                amp.GraphError,
                r"no such node type \(got 'svff'.*Did you mean 'svf'",
            ),
            (lambda g, n: g.gain(amp.Graph().sine()), amp.GraphError, r"sine: belongs to another graph"),
        ],
    )
    def test_a_wrong_argument_is_named_and_leaves_the_graph_unchanged(
        self, build: Callable[[amp.Graph, Any], object], error: type[Exception], message: str
    ) -> None:
        """The error reports where, what and the cure; the failed edit changes nothing."""
        g = amp.Graph()
        node = g.noise(name="n")
        before, events = g.to_dict(), []
        g.observe(events.append)
        with pytest.raises(error, match=message):
            build(g, node)
        assert g.to_dict() == before
        assert [n.name for n in g] == ["n"]
        assert events == []

    def test_a_second_output_is_refused(self) -> None:
        """A graph has one output."""
        g = workbench()
        with pytest.raises(amp.GraphError, match="has an output already"):
            g.output(g["flt"])


class TestNames:
    """Automatic names and renaming."""

    def test_unnamed_nodes_count_and_keep_their_names(self) -> None:
        """``type``, ``type_2``, ... in order of creation; a removed name is free again."""
        g = amp.Graph()
        nodes = [g.sine() for _ in range(3)]
        g.remove(nodes[1])
        assert [n.name for n in g] == ["sine", "sine_3"]
        assert g.sine().name == "sine_2"

    def test_rename_moves_edges_and_handle(self) -> None:
        """Edges and modulations follow a renamed node, and the handle stays valid."""
        g = workbench()
        flt, count = g["flt"], len(g.edges) + len(g.modulations)
        g.rename("flt", "tone")
        assert g["tone"] is flt and "flt" not in g
        assert {e.id for e in g.edges} >= {"tone.in[0]", "gain.in[0]"}
        assert g.modulations[-1].id == "tone.cutoff_hz[0]"
        assert len(g.edges) + len(g.modulations) == count
        flt.set(q=3.0)
        assert flt.params["q"] == 3.0

    def test_rename_to_a_taken_name_changes_nothing(self) -> None:
        """A taken name is refused."""
        g = workbench()
        before = g.to_dict()
        with pytest.raises(amp.GraphError, match="name is taken"):
            g.rename("flt", "mix")
        assert g.to_dict() == before


class TestEditing:
    """Connections, modulations, replacing, removing."""

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (
                lambda g: g.connect("flt", "gain", port="side"),
                r"no such input port \(got 'side', allowed in\)",
            ),
            (lambda g: g.connect("flt.side", "gain"), r"no such output port \(got 'side', allowed out\)"),
            (lambda g: g.connect("fltr", "gain"), r"no such node \(got 'fltr'.* Did you mean 'flt'\?"),
            (
                lambda g: g.connect("flt", "gain", slot=0),
                r"gain\.in\[0\]: slot is taken by Edge flt\.out -> gain",
            ),
            (
                lambda g: g.connect("flt", "gain", delay_frames=-1),
                r"gain\.in\[1\]\.delay_frames: not allowed \(got -1",
            ),
            (
                lambda g: g.connect("flt", "gain", kappa=2.0),
                r"kappa is out of range \(got 2\.0, allowed 0 to 1\)",
            ),
            (
                lambda g: g.connect("flt", "gain", delay_frames=2, tokens=np.zeros((1, 1, 3))),
                r"initial tokens have the wrong shape \(got \(1, 1, 3\), allowed \(B\|1, C\|1, 2\)\)",
            ),
            (
                lambda g: g.connect("lfo", g.envelope()),
                r"port= is needed \(allowed gate \| trigger \| velocity\)",
            ),
            (
                lambda g: g.modulate("lfo", g["flt"].param("mode"), mode="add"),
                r"svf\.mode cannot be modulated",
            ),
            (lambda g: g.modulate("lfo", g["flt"].q, mode="times"), r"no such mode \(got 'times'"),
            (
                lambda g: g.modulate("lfo", g["flt"].q, mode="add", offset=1),
                r"offset has no effect with mode add",
            ),
            (lambda g: g.modulate("lfo", "flt.q", mode="add"), r"not a parameter"),
            (
                lambda g: g["flt"].output("side"),
                r"flt \(svf\): no such output port \(got 'side', allowed out\)",
            ),
            (lambda g: g.disconnect("nothing[0]"), r"nothing\[0\]: no such link"),
        ],
    )
    def test_a_wrong_connection_is_named(self, edit: Callable[[amp.Graph], object], message: str) -> None:
        """The error lists what exists; the graph keeps its edges."""
        g = workbench()
        edges, modulations = g.edges, g.modulations
        with pytest.raises(amp.GraphError, match=message):
            edit(g)
        assert (g.edges, g.modulations) == (edges, modulations)

    def test_the_next_free_slot_is_the_lowest(self) -> None:
        """A gap left by a removed edge is used again."""
        g = amp.Graph()
        mix = g.mix(g.sine(), g.sine(), g.sine())
        g.disconnect("mix.in[1]")
        assert g.connect("sine_2", mix).id == "mix.in[1]"
        assert g.connect("sine_2", mix).id == "mix.in[3]"

    def test_change_replaces_fields_of_an_edge(self) -> None:
        """Delay, gates and slot of an edge can be edited; unknown fields are refused with a hint."""
        g = workbench()
        edge = g.change("gain.in[0]", delay_frames=5, gates=["a"])
        assert edge in g.edges and repr(edge) == "Edge flt.out -> gain.in[0], delay 5 frames"
        assert g.change(g.modulations[0], scale=2.0).scale == 2.0
        with pytest.raises(TypeError, match="Did you mean 'delay_frames'"):
            g.change(edge, delay_frame=1)
        with pytest.raises(amp.GraphError, match="slot is taken"):
            g.change("mix.in[0]", slot=1)
        assert len(g.edges) == len(workbench().edges)

    def test_remove_takes_edges_and_modulations_along(self) -> None:
        """Nothing refers to a removed node, and using its handle is an error."""
        g = workbench()
        lfo = g["lfo"]
        g.remove(lfo)
        assert g.modulations == () and repr(lfo) == "Node lfo: removed"
        with pytest.raises(amp.GraphError, match="lfo: belongs to another graph or was removed"):
            lfo.set(rate_hz=1.0)

    def test_replace_keeps_what_fits_and_reports_the_rest(self) -> None:
        """Edges are kept if the new type has their ports; undo restores dropped ones."""
        g = workbench()
        flt = g["flt"]
        dropped = g.replace(flt, "gain", gain=0.5)
        assert [link.id for link in dropped] == ["flt.cutoff_hz[0]"]
        assert g["flt"] is flt and flt.type == "gain" and flt.params["gain"] == 0.5
        assert {"flt.in[0]", "gain.in[0]"} <= {e.id for e in g.edges}

    def test_a_value_set_to_its_default_leaves_no_trace(self) -> None:
        """Only values that differ from their default are kept."""
        g = workbench()
        default = catalog["svf"].param("q").default  # type: ignore[union-attr]
        g["flt"].set(q=default)
        assert "q" not in g["flt"].record.values
        assert g["flt"].params["q"] == default

    def test_several_values_are_set_all_or_none(self) -> None:
        """If one value is wrong none is set."""
        g = workbench()
        with pytest.raises(amp.GraphError):
            g["flt"].set(q=5.0, mode="none")
        assert g["flt"].params["q"] == 2.0

    def test_arrays_are_copied_and_read_only(self) -> None:
        """Changing the array of a tensor parameter does not change the graph."""
        g = amp.Graph()
        values = amp.batch([0.1, 0.2])
        node = g.gain(g.noise(), gain=values)
        values[0] = 9.0
        held = node.params["gain"]
        assert isinstance(held, np.ndarray) and held.shape == (2, 1, 1) and held[0, 0, 0] == 0.1
        with pytest.raises(ValueError, match="read-only"):
            held[0] = 1.0

    def test_a_grouped_edit_is_all_or_nothing(self) -> None:
        """An exception inside ``g.edit()`` undoes everything, also names and properties."""
        g = workbench()
        before, names = g.to_dict(), [n.name for n in g]
        with pytest.raises(RuntimeError, match="stop"), g.edit():
            g.rename("flt", "tone")
            g.remove("lfo")
            g.name = "other"
            g.sine()
            raise RuntimeError("stop")
        assert g.to_dict() == before and {n.name for n in g} == set(names)
        assert g["flt"].name == "flt" and g["lfo"].type == "lfo"

    def test_copy_is_independent(self) -> None:
        """Edits of a copy do not change the original."""
        g = everything()
        before, other = g.to_dict(), g.copy()
        assert other.to_dict() == before
        other.remove("svf")
        assert g.to_dict() == before

    def test_threads_may_edit_at_once(self) -> None:
        """Eight threads add and connect; every edge and name is there."""
        g = amp.Graph()
        mix = g.mix()
        threads = [
            threading.Thread(target=lambda: [g.connect(g.sine(), mix) for _ in range(25)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(g) == 201
        assert sorted(e.slot for e in g.edges) == list(range(200))
        assert len({e.src for e in g.edges}) == 200


class TestEvents:
    """Listeners receive every edit after it was made."""

    def test_events_tell_the_edit_in_order(self) -> None:
        """Adding, changing, renaming and removing are reported after the fact."""
        g, heard = amp.Graph(), []
        source = g.noise()
        g.observe(heard.append)
        flt = g.svf(source, q=2.0)
        g.rename(flt, "tone")
        g.remove("tone")
        edges = [e.edge for e in heard if isinstance(e, EdgeAdded | EdgeRemoved)]
        assert [type(e) for e in heard] == [
            NodeAdded,
            NodeChanged,
            EdgeAdded,
            NodeRenamed,
            EdgeRemoved,
            NodeRemoved,
        ]
        assert heard[1] == NodeChanged("svf", ("q",))
        assert [e.id for e in edges] == ["svf.in[0]", "tone.in[0]"]

    def test_a_failing_listener_does_not_break_the_edit(self) -> None:
        """Its error becomes a warning; other listeners are still called."""
        g, heard = amp.Graph(), []

        def broken(event: object) -> None:
            raise RuntimeError("view is gone")

        g.observe(broken)
        g.observe(heard.append)
        with pytest.warns(RuntimeWarning, match="view is gone"):
            g.noise()
        assert [n.name for n in g] == ["noise"] and heard
        g.unobserve(broken)
        g.noise()

    def test_a_listener_may_edit(self) -> None:
        """Listeners run outside the edit, so they can edit in turn."""
        g = amp.Graph()

        def follow(event: object) -> None:
            if isinstance(event, NodeAdded) and event.name == "noise":
                g.sine()

        g.observe(follow)
        g.noise()
        assert [n.name for n in g] == ["noise", "sine"]


class TestTexts:
    """JSON and generated code keep every bit."""

    @pytest.mark.parametrize("make", [workbench, everything, amp.presets.three_osc])
    def test_json_round_trip_is_exact(self, make: Callable[[], amp.Graph]) -> None:
        """Text to graph to text is the identity, and the plan is the same plan."""
        g = make()
        again = amp.Graph.from_json(g.to_json())
        assert again.to_json() == g.to_json()
        assert again.compile().digest == g.compile().digest
        for node in g:
            if node.type == "input":
                assert again.inputs()[node.name].tobytes() == g.inputs()[node.name].tobytes()

    @pytest.mark.parametrize("make", [workbench, everything, amp.presets.three_osc])
    def test_code_rebuilds_the_graph(self, make: Callable[[], amp.Graph]) -> None:
        """Running the generated Python gives the same JSON."""
        g, names = make(), {}
        exec(g.to_code(), names)
        assert names["g"].to_json() == g.to_json()

    def test_code_reads_like_code_a_person_writes(self) -> None:
        """Sources are arguments, automatic names are left out, parameters are attributes."""
        code = workbench().to_code()
        assert "mix = g.mix(oscillator, oscillator_2, oscillator_3)\n" in code
        assert 'flt = g.svf(mix, cutoff_hz=900.0, q=2.0, name="flt")\n' in code
        assert 'g.modulate(lfo, flt.cutoff_hz, mode="multiply", scale=0.4, offset=1.0)\n' in code

    def test_order_of_creation_means_nothing_to_json(self) -> None:
        """Two graphs with the same content have the same text."""
        a, b = amp.Graph(), amp.Graph()
        a.mix(a.noise(), name="m"), a.sine()
        b.sine(), b.mix(name="m")
        b.connect(b.noise(), "m")
        assert a.to_json() == b.to_json()

    @settings(max_examples=50)
    @given(st.floats(-1000.0, 1000.0), st.floats(0.1, 1000.0))
    def test_any_number_keeps_its_bits(self, gain: float, q: float) -> None:
        """Floats survive JSON and code exactly."""
        g = amp.Graph()
        g.svf(g.gain(gain=gain), q=q)
        names: dict[str, Any] = {}
        exec(g.to_code(), names)
        for again in (amp.Graph.from_json(g.to_json()), names["g"]):
            assert np.float64(again["gain"].params["gain"]).tobytes() == np.float64(gain).tobytes()
            assert again["svf"].params["q"] == q

    def test_every_violation_is_listed_with_its_path(self) -> None:
        """One error names all that is wrong in a file."""
        data = workbench().to_dict()
        data["nodes"]["flt"]["params"] |= {"q": "high", "cutof_hz": 1.0}
        data["nodes"]["flt"]["oversample_ratio"] = 2
        data["nodes"]["mix"]["type"] = "mixer"
        data["nodes"]["pan"]["revision"] = 99
        data["edges"].append({"from": "lfo.out", "to": "gain.in", "delay": 3})
        data["modulations"].append({"from": "lfo.out", "mode": "add", "slot": 3})
        data["extra"] = 1
        with pytest.raises(amp.GraphError) as caught:
            amp.Graph.from_dict(data)
        text = str(caught.value)
        for path in (
            "$.extra: no such key",
            "$.nodes.flt.params.q: flt.q: not a number",
            "$.nodes.flt: flt.oversample_ratio: not allowed (got 2, allowed whole numbers from 1 to 1)",
            "$.nodes.flt.params.cutof_hz: svf: no such parameter",
            "$.nodes.mix: type: no such node type (got 'mixer'",
            "$.nodes.pan.revision: the node's sound changed since (got 99, allowed",
            "$.edges[7].delay: no such key",
            "$.modulations[4]: lacks 'to'",
        ):
            assert path in text

    @pytest.mark.parametrize("data", [{}, {"schema": "amp_lab.graph/2"}])
    def test_another_schema_is_refused(self, data: dict[str, Any]) -> None:
        """Only the tagged schema is read."""
        with pytest.raises(amp.GraphError, match=r"\$\.schema: not a graph"):
            amp.Graph.from_dict(data)

    def test_save_load_and_pickle(self, tmp_path: Path) -> None:
        """Files and pickles keep the graph; a pickle keeps its controls too."""
        g = amp.presets.three_osc()
        assert amp.load(g.save(tmp_path / "g.json")).to_dict() == g.to_dict()
        again = pickle.loads(pickle.dumps(g))
        assert again.to_dict() == g.to_dict() and again.controls == g.controls

    def test_reprs_are_one_stable_line(self) -> None:
        """Graph, node, edge, modulation and references print as one line."""
        g = workbench()
        assert repr(g) == "Graph three_osc: 9 nodes, 7 edges, 4 modulations at 48000 Hz"
        assert repr(g["flt"]) == "Node flt: svf(cutoff_hz=900.0, q=2.0)"
        assert repr(g["flt"].cutoff_hz) == "flt.cutoff_hz"
        assert repr(g.modulations[-1]) == "Modulation lfo.out -> flt.cutoff_hz[0]: multiply 1 + 0.4 m"


class TestInput:
    """Samples of ``input`` nodes."""

    @pytest.mark.parametrize("shape", [(5,), (2, 5), (3, 2, 5)])
    def test_samples_of_one_to_three_dimensions(self, shape: tuple[int, ...]) -> None:
        """Missing dimensions are put in front, and channels follow the samples."""
        g = amp.Graph()
        node = g.input(samples=np.ones(shape))
        expected = (1,) * (3 - len(shape)) + shape
        assert g.inputs()["input"].shape == expected
        assert node.params["channels"] == expected[1]

    def test_a_file_is_read_and_remembered_by_its_path(self, tmp_path: Path) -> None:
        """The JSON holds the path, not the samples; a loaded graph reads the file again."""
        path = tmp_path / "a.wav"
        data = np.random.default_rng(0).uniform(-1, 1, (50, 2))
        soundfile.write(path, data, 48_000, subtype="DOUBLE")
        g = amp.Graph()
        g.input(samples=path)
        assert np.array_equal(g.inputs()["input"][0], data.T)
        assert "samples" not in g.to_dict()["nodes"]["input"]
        again = amp.Graph.from_json(g.to_json(), allow_samples_from=tmp_path)
        assert np.array_equal(again.inputs()["input"][0], data.T)

    def test_a_file_of_another_rate_is_refused_with_both_rates(self, tmp_path: Path) -> None:
        """Nothing is resampled silently."""
        path = tmp_path / "a.wav"
        soundfile.write(path, np.zeros(10), 44_100)
        with pytest.raises(amp.GraphError, match=r"got 44100 Hz in .*the graph has 48000 Hz"):
            amp.Graph().input(samples=path)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"samples": "nowhere.wav"}, "cannot read 'nowhere.wav'"),
            (
                {"samples": np.ones((2, 5)), "channels": 3},
                r"differs from the samples \(got 3, the samples have 2\)",
            ),
            ({"samples": np.ones((1, 1, 1, 1))}, "wrong shape"),
            ({"samples": []}, r"samples: empty \(got shape \(1, 1, 0\)"),
        ],
    )
    def test_samples_that_do_not_fit_are_refused(self, arguments: dict[str, Any], message: str) -> None:
        """Missing files, other channel counts and odd shapes are named."""
        with pytest.raises(amp.AmpError, match=message):
            amp.Graph().input(**arguments)

    def test_an_input_without_samples_cannot_be_rendered(self) -> None:
        """The error names the node and the cure."""
        g = amp.Graph()
        g.output(g.input(name="mic"))
        with pytest.raises(amp.GraphError, match=r"mic: has no samples.*set\(samples="):
            g.render(frames=10)


class TestPlan:
    """Compiling."""

    def test_the_plan_is_kept_until_the_next_edit(self) -> None:
        """Compiling twice gives one object; an edit makes a new one."""
        g = workbench()
        plan = g.compile()
        assert g.compile() is plan
        g["flt"].set(q=1.0)
        assert g.compile() is not plan and g.compile().digest != plan.digest

    def test_order_text_and_curves(self) -> None:
        """The plan lists nodes in execution order, prints as stable text and names its curves."""
        plan = amp.presets.three_osc().compile()
        assert plan.curves == ("cutoff_hz", "gate", "pitch_hz", "velocity")
        assert set(plan.order) == {n.name for n in amp.presets.three_osc()}
        assert plan.order.index("mix") < plan.order.index("flt") < plan.order.index("output")
        assert plan.to_text() == amp.presets.three_osc().compile().to_text()
        assert "flt.in[0]" in plan.to_text() and plan.output_channels == 2

    def test_a_plan_can_be_pickled(self) -> None:
        """A worker gets the same plan."""
        plan = workbench().compile()
        again = pickle.loads(pickle.dumps(plan))
        assert again == plan and again.info == plan.info

    def test_a_loop_without_delay_is_refused(self) -> None:
        """The plan compiler names the nodes of the cycle."""
        g = workbench()
        g.connect("gain", "flt")
        with pytest.raises(amp.CycleError, match=r"flt.*gain"):
            g.compile()
        g.change("flt.in[1]", delay_frames=1)
        assert any(edge["feedback"] for edge in g.compile().info["edges"])

    def test_a_value_out_of_range_is_refused_with_its_place(self) -> None:
        """The builder, `set` and the plan compiler report the same for a value outside its range."""
        g = workbench()
        message = "flt.cutoff_hz: out of range (got -5 Hz, allowed 1 to 0.49 fs). Choose a value inside."
        for value in (-5.0, np.full((1, 1, 4), -5.0)):
            with pytest.raises(amp.GraphError, match=re.escape(message)):
                g["flt"].set(cutoff_hz=value)
        record = replace(g["flt"].record, values={"cutoff_hz": -5.0})
        g._store.nodes["flt"] = record
        with pytest.raises(amp.InvalidArgument, match=re.escape(message)):
            g.compile()


def test_a_derived_class_reads_and_copies_itself() -> None:
    """And a handle gives its graph."""

    class Patch(amp.Graph):
        """A graph of a user."""

    g = Patch(name="own")
    node = g.constant(value=2.0)
    assert node.graph is g
    assert type(g.copy()) is type(Patch.from_dict(g.to_dict())) is Patch
    assert g.copy().to_dict() == g.to_dict()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_generated_code_uses_public_names_only() -> None:
    """Long arrays too; code of 0.1.0, which imported from inside, still runs."""
    g = amp.Graph(name="long")
    g.output(g.gain(g.constant(), gain=np.linspace(0.0, 1.0, 200).reshape(1, 1, 200), name="array"))
    code = g.to_code()
    assert code.count("import") == 1 and code.startswith("import amp_lab as amp\n")
    assert "array = g.gain(" in code and "gain=amp.array(" in code
    old = code.replace("amp.array(", "array(").replace("array = g", "a = g").replace("(array)", "(a)")
    for source in (code, old.replace("\n", "\nfrom amp_lab.graph_json import array\n", 1)):
        names: dict[str, Any] = {}
        exec(source, names)
        assert names["g"].to_dict() == g.to_dict()
    with pytest.raises(amp.GraphError, match="float64: damaged"):
        amp.array("@", (1,))
