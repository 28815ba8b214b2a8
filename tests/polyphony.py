"""Graphs of many equal voices: a random graph copied, its numbers varied, its outputs mixed."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from random_graphs import RANGES
from rigs import Scene

import amp_lab as amp


def varied(params: dict[str, Any], voice: int) -> dict[str, Any]:
    """Numbers of one voice: a little nearer to zero, so that all ranges still hold."""
    return {
        key: value * (1.0 - 0.01 * voice) if key in RANGES and isinstance(value, float) else value
        for key, value in params.items()
    }


def polyphony(scene: Scene, voices: int, seed: int) -> Scene:
    """Return a scene of copies of its graph: some sources shared, some edges crossing from voice to voice."""
    rng = np.random.default_rng(seed)
    document = scene.graph.to_dict()
    nodes = document["nodes"]
    fed = {e["to"].partition(".")[0] for e in document["edges"] + document["modulations"]}
    shared = {n for n in nodes if nodes[n]["type"] == "input" or (n not in fed and rng.random() < 0.3)}
    crossed = {i for i in range(len(document["edges"])) if rng.random() < 0.1}
    turn = rng.permutation(voices)

    def named(end: str, voice: int) -> str:
        node, _, port = end.partition(".")
        return end if node in shared else f"{node}_{voice}.{port}"

    new: dict[str, Any] = {k: v for k, v in document.items() if k not in ("nodes", "edges", "modulations")}
    new["nodes"] = {n: copy.deepcopy(nodes[n]) for n in shared}
    new["nodes"] |= {"mix": {"type": "mix", "params": {"gain": 1.0 / voices}}, "out": {"type": "output"}}
    new["edges"], new["modulations"] = [{"from": "mix.out", "to": "out.in", "slot": 0}], []
    slots = 0
    for voice in range(voices):
        for name, node in nodes.items():
            if name not in shared and name != "out":
                new["nodes"][f"{name}_{voice}"] = node | {"params": varied(node.get("params", {}), voice)}
        for i, edge in enumerate(document["edges"]):
            if edge["from"].startswith("out."):
                continue
            source = int(turn[voice]) if i in crossed else voice
            changed = edge | {"from": named(edge["from"], source)}
            if edge["to"] == "out.in":
                new["edges"].append(changed | {"to": "mix.in", "slot": slots})
                slots += 1
            elif edge["to"].partition(".")[0] not in shared:
                new["edges"].append(changed | {"to": named(edge["to"], voice)})
        for move in document["modulations"]:
            if not move["from"].startswith("out."):
                ends = {"from": named(move["from"], voice), "to": named(move["to"], voice)}
                new["modulations"].append(move | ends)
    graph = amp.Graph.from_dict(new)
    return replace(scene, graph=graph, taps=())
