"""Every edit is a version: patches update a replica, and undo returns to the start."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import amp_lab as amp
from amp_lab.graph.edits.journal import STEPS, Journal
from amp_lab.plots import graph_layout
from amp_lab.widgets import edits, wire

EDITS = 200


class Replica:
    """What a view does with patches, in Python."""

    def __init__(self, journal: Journal) -> None:
        self.document = wire.document(journal.state)
        self.version = journal.version
        self.journal = journal
        journal.subscribe(self.apply)

    def apply(self, patch: Any) -> None:
        """Bring the document from one version to the next."""
        message = wire.patch(patch, self.journal)
        assert message["base"] == self.version
        self.version = message["version"]
        for old, new in message["renamed"].items():
            if old in self.document["places"]:
                self.document["places"][new] = self.document["places"][old]
        for table in ("nodes", "edges", "modulations", "places"):
            for key, value in message[table].items():
                if value is None:
                    self.document[table].pop(key, None)
                else:
                    self.document[table][key] = value
        self.document |= message["attributes"]
        self.document["folds"] = message.get("folds", self.document["folds"])


def same_graph(document: dict[str, Any], graph: amp.Graph) -> None:
    """A view's document holds what the graph's own JSON holds."""
    data = graph.to_dict()
    assert document["nodes"] == data["nodes"]
    for kind in ("edges", "modulations"):
        links = sorted(document[kind].values(), key=lambda link: (link["to"], link["slot"]))
        assert links == sorted(data[kind], key=lambda link: (link["to"], link["slot"]))


def random_edit(graph: amp.Graph, dice: random.Random) -> None:
    """One edit of any kind, through Python or as a view requests it; some are refused."""
    names = [node.name for node in graph.nodes]
    name = dice.choice(names)
    links = [*(f"e:{e.id}" for e in graph.edges), *(f"m:{m.id}" for m in graph.modulations)]
    kinds: list[Callable[[], object]] = [
        lambda: graph.add(dice.choice(["gain", "svf", "lfo", "noise"])),
        lambda: edits.apply(graph, [{"op": "add", "type": "gain", "at": [dice.random(), 5]}]),
        lambda: graph.connect(name, dice.choice(names), delay_frames=dice.randrange(9)),
        lambda: graph.modulate(
            name, graph[dice.choice(names)].param("gain"), mode="add", scale=dice.random()
        ),
        lambda: edits.apply(graph, [{"op": "set", "node": name, "params": {"gain": dice.random()}}]),
        lambda: graph[name].set(cutoff_hz=dice.uniform(20, 9000)),
        lambda: graph.rename(name, f"n{dice.randrange(10**6)}"),
        lambda: graph.remove(name),
        lambda: edits.apply(graph, [{"op": "remove", "links": [dice.choice(links)]}]),
        lambda: edits.apply(
            graph, [{"op": "change", "link": dice.choice(links), "fields": {"delay_frames": 3}}]
        ),
        lambda: edits.apply(graph, [{"op": "move", "places": {name: [dice.random() * 900, 7]}}]),
        lambda: (edits.copy(graph, dice.sample(names, 2)), edits.apply(graph, [{"op": "paste"}])),
        lambda: Journal.of(graph).fold("some", (name,)),
        lambda: graph.replace(name, "one_pole"),
        lambda: setattr(graph, "name", f"g{dice.randrange(99)}"),
        lambda: Journal.of(graph).undo(),
        lambda: Journal.of(graph).redo(),
    ]
    dice.choice(kinds)()


@pytest.mark.parametrize("seed", range(4))
def test_any_edits_reach_a_replica_and_undo_returns_to_the_start(seed: int) -> None:
    """After 200 edits from Python and views a replica equals the graph; undone, all is as it was."""
    dice = random.Random(seed)
    graph = amp.presets.three_osc()
    start, handles = graph.to_json(), {node.name: node for node in graph.nodes}
    journal = Journal.of(graph)
    replica = Replica(journal)
    done = 0
    while done < EDITS:
        with contextlib.suppress(amp.AmpError, TypeError, ValueError, IndexError):
            random_edit(graph, dice)
        done += 1
        if len(graph) < 4:
            journal.undo()
        same_graph(replica.document, graph)
    assert journal.version > EDITS // 3
    while journal.redo():
        pass
    end = graph.to_json()
    steps = journal.undo_steps
    assert 0 < steps < STEPS
    while journal.undo():
        same_graph(replica.document, graph)
    assert graph.to_json() == start
    assert {node.name: node for node in graph.nodes} == handles
    assert replica.document["places"] == wire.document(journal.state)["places"]
    assert sum(iter(journal.redo, False)) == steps
    assert graph.to_json() == end
    same_graph(replica.document, graph)


def test_a_handle_is_good_again_when_its_removal_is_undone() -> None:
    """A handle in a user's variable stays valid through removal and undo, with its name."""
    graph = amp.presets.three_osc()
    journal, flt = Journal.of(graph), graph["flt"]
    graph.rename(flt, "filter")
    graph.remove(flt)
    assert journal.undo() and flt.set(q=3.0).name == "filter"
    assert journal.undo() and journal.undo() and flt.name == "flt" and graph["flt"] is flt


def test_undo_keeps_arrays_to_the_bit() -> None:
    """Values that no view receives are restored by undo as the same arrays."""
    graph = amp.Graph()
    node = graph.gain(gain=np.linspace(0, 1, 1000)[None, None, :])
    value = node.params["gain"]
    journal = Journal.of(graph)
    assert wire.document(journal.state)["nodes"]["gain"]["arrays"] == {"gain": [1, 1, 1000]}
    node.set(gain=0.5)
    journal.undo()
    assert node.params["gain"] is value


def test_listeners_hear_what_undo_changes() -> None:
    """Undo is an edit like any other for listeners of the graph's events."""
    graph = amp.presets.three_osc()
    journal = Journal.of(graph)
    graph.remove("amp")
    heard: list[str] = []
    graph.observe(lambda event: heard.append(type(event).__name__))
    journal.undo()
    assert heard == ["NodeAdded", "NodeChanged"] + ["EdgeAdded"] * 3
    assert graph.render(frames=64, isolation="none").frames == 64


def test_a_gesture_is_one_step() -> None:
    """A slider that is dragged leaves one step; another gesture the next."""
    graph = amp.presets.three_osc()
    for gesture, values in (("a", (1.0, 2.0, 3.0)), ("b", (4.0, 5.0))):
        for value in values:
            edits.apply(graph, [{"op": "set", "node": "flt", "params": {"q": value}}], gesture)
    journal = Journal.of(graph)
    assert journal.undo_steps == 2
    journal.undo()
    assert graph["flt"].params["q"] == 3.0


def test_a_refused_edit_changes_nothing() -> None:
    """Operations of one request are all done or none, and then leave no step."""
    graph = amp.presets.three_osc()
    before, journal = graph.to_json(), Journal.of(graph)
    with pytest.raises(amp.GraphError, match=r"no such node \(got 'nobody'"):
        edits.apply(graph, [{"op": "add", "type": "gain"}, {"op": "remove", "nodes": ["nobody"]}])
    with pytest.raises(amp.GraphError, match="no such operation"):
        edits.apply(graph, [{"op": "explode"}])
    assert graph.to_json() == before and journal.undo_steps == 0 and journal.version == 0


def test_edits_from_threads_make_one_history() -> None:
    """Threads that edit at once lose no version and leave a replica equal to the graph."""
    graph = amp.Graph()
    journal = Journal.of(graph)
    replica = Replica(journal)

    def work(number: int) -> None:
        for i in range(25):
            graph.add("gain", name=f"n{number}_{i}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same_graph(replica.document, graph)
    assert len(graph) == 100


def test_the_graph_names_what_a_view_adds() -> None:
    """A view requests a type, and a source to connect; two simultaneous requests get different names."""
    graph = amp.Graph()
    graph.noise()
    op = {"op": "add", "type": "gain", "src": "noise.out", "port": "in"}
    assert [edits.apply(graph, [op]) for _ in range(2)] == [["gain"], ["gain_2"]]
    assert [(edge.src, edge.id) for edge in graph.edges] == [
        ("noise", "gain.in[0]"),
        ("noise", "gain_2.in[0]"),
    ]
    assert Journal.of(graph).undo_steps == 2
    with pytest.raises(amp.GraphError, match="no such input port"):
        edits.apply(graph, [op | {"port": "side"}])
    assert len(graph) == 3


def test_a_paste_copies_nodes_with_the_edges_among_them() -> None:
    """Copies get new names, keep their values, and are joined as their originals are."""
    graph = amp.presets.three_osc()
    assert edits.copy(graph, ["osc_1", "lfo", "output"]) == 2
    added = edits.apply(graph, [{"op": "paste", "at": [10, 20]}])
    assert added == ["osc_1_2", "lfo_2"] and graph["osc_1_2"].params["phase_cycles"] == 0.0
    assert [m.id for m in graph.modulations if m.src == "lfo_2"] == ["osc_1_2.frequency_hz[1]"]


def test_no_two_boxes_overlap() -> None:
    """In a graph with a layout, and with nodes added next to it, no boxes overlap."""
    graph = amp.presets.three_osc()
    journal = Journal.of(graph)
    contracts = {r.type: amp.catalog.contract(r.type) for r in journal.state.nodes.values()}
    journal.settle(graph_layout.settle(journal.state, contracts))
    for _ in range(5):
        graph.gain(graph["mix"])
        contracts["gain"] = amp.catalog.contract("gain")
        journal.settle(graph_layout.settle(journal.state, contracts))
    boxes = [
        (x, y, graph_layout.height(contracts[journal.state.nodes[name].type]))
        for name, (x, y) in journal.state.places.items()
    ]
    assert len(boxes) == len(graph)
    for i, (x, y, high) in enumerate(boxes):
        for other_x, other_y, other_high in boxes[:i]:
            assert abs(x - other_x) >= graph_layout.WIDTH or y >= other_y + other_high or other_y >= y + high


def test_columns_follow_the_data() -> None:
    """An edge leads to the right, unless it closes a cycle."""
    names = ["a", "b", "c", "d", "e"]
    stage = graph_layout.stages(names, [("a", "b"), ("b", "c"), ("c", "b"), ("d", "c"), ("c", "e")])
    assert stage == {"a": 0, "b": 1, "c": 2, "d": 1, "e": 3}


def test_a_loop_is_laid_out_in_the_direction_of_its_sound() -> None:
    """The edge whose delay closes the loop leads back to the left; every other one to the right."""
    graph = amp.Graph()
    echo = graph.mix(graph.noise(name="hiss"), name="echo")
    damp = graph.one_pole(echo, name="damp")
    graph.connect(graph.gain(damp, gain=0.5, name="back"), echo, delay_frames=60)
    graph.output(graph.delay_line(damp, name="late"), name="out")
    state = Journal.of(graph).state
    places = graph_layout.settle(state, {r.type: amp.catalog.contract(r.type) for r in state.nodes.values()})
    x = {name: place[0] for name, place in places.items()}
    for edge in graph.edges:
        assert (x[edge.src] < x[edge.dst]) == (edge.delay_frames == 0), edge
