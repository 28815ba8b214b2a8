"""A storm on one folder of goldens: processes bless one case and check it; prints what it counted as JSON.

``python -P tests/golden_storm.py SECONDS [STEPS [PROCESSES]]``. Each process stores the case anew, updates
it, checks a render against it and verifies it, in its own order; folders are swapped in one step or in two.
To update something a process blesses with an engine that is 1.5 times as loud and updates with the real one.
So a reader finds the case as it is for one engine or the other; "damaged", "missing", or an error is false,
and so is a case that is neither.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import amp_lab as amp
from amp_lab import golden
from amp_lab.common import atomic_files
from amp_lab.golden import replay
from amp_lab.golden.cases import Case, digest_of

FRAMES = 500
LEVELS = (0.5, 0.25)
LOUD = 1.5
TRUE = "value", "node stream"
"""Allowed results of a check: the sound of another level or engine."""


def tone(level: float) -> amp.Graph:
    """Return a graph of two nodes."""
    g = amp.Graph(name="tone")
    g.output(g.gain(g.sine(frequency_hz=440.0, name="sine"), gain=level, name="level"))
    return g


def louder(render: Any) -> Any:
    """Return a render of another engine."""
    audio = render.audio * LOUD
    taps = {name: samples * LOUD for name, samples in render.taps.items()}
    fields = {key: getattr(render, key) for key in ("plan", "provenance", "sample_rate")}
    return SimpleNamespace(audio=audio, taps=taps, digest=digest_of(audio), **fields)


class Process:
    """One of the processes that approve and check."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.graphs = {level: tone(level) for level in LEVELS}
        self.renders = {level: g.render(frames=FRAMES, isolation="none") for level, g in self.graphs.items()}
        sounds = self.renders.values()
        self.known = {render.digest for render in sounds} | {louder(render).digest for render in sounds}
        self.counts: Counter[str] = Counter()
        self.false: list[str] = []

    def run(self, seconds: float) -> None:
        """Run until the time is over."""
        until = time.monotonic() + seconds
        acts = (self.store, self.store_louder, self.update, self.check, self.verify, self.load)
        while time.monotonic() < until:
            act = self.random.choice(acts)
            try:
                act()
                self.counts[act.__name__] += 1
            except golden.GoldenError as error:
                if "same" not in str(error) and "nothing" not in str(error):
                    self.false.append(f"{act.__name__}: {error}")
                self.counts[f"{act.__name__} refused"] += 1
            except Exception as error:
                self.false.append(f"{act.__name__}: {error!r}")

    def store(self, change: Any = lambda render: render) -> None:
        level = self.random.choice(LEVELS)
        render, graph = change(self.renders[level]), self.graphs[level]
        golden.store("tone", render, reason="storm", graph=graph, goldens=self.root, overwrite=True)

    def store_louder(self) -> None:
        real = replay.render
        replay.render = lambda stored, **options: louder(real(stored, **options))
        try:
            self.store(louder)
        finally:
            replay.render = real

    def update(self) -> None:
        golden.update("tone", reason="storm", goldens=self.root)

    def check(self) -> None:
        self.judge(golden.check("tone", self.renders[self.random.choice(LEVELS)], goldens=self.root))

    def verify(self) -> None:
        for verdict in golden.verdicts("tone", goldens=self.root):
            self.judge(verdict)

    def judge(self, verdict: golden.Verdict) -> None:
        mismatch = verdict.comparison.mismatch
        self.counts["passed" if mismatch is None else mismatch.what] += 1
        if mismatch is not None and mismatch.what not in TRUE:
            self.false.append(str(verdict))

    def load(self) -> None:
        blessed = Case(self.root / "tone").load()
        if digest_of(blessed.samples) not in self.known:
            self.false.append("load: neither of the sounds")


def act(root: str, seed: int, seconds: float) -> tuple[Counter[str], list[str]]:
    """Code of one process; returns its counts."""
    process = Process(Path(root), seed)
    if seconds == 0.0:
        process.store()
    process.run(seconds)
    return process.counts, process.false


def storm(seconds: float, steps: int = 1, processes: int = 8) -> dict[str, Any]:
    """Run the processes and add up what they counted."""
    os.environ["AMP_ISOLATION"] = "none"
    if steps == 2:
        atomic_files.exchange = lambda one, other: False
    with tempfile.TemporaryDirectory() as root, multiprocessing.get_context("fork").Pool(processes) as pool:
        pool.apply(act, (root, 0, 0.0))
        found = pool.starmap(act, [(root, seed, seconds) for seed in range(processes)], 1)
        counts = sum((each for each, _ in found), Counter())
        false = [text for _, each in found for text in each]
        left = sorted(set(os.listdir(root)) - {"tone", ".gitattributes"})
    return {"counts": dict(sorted(counts.items())), "false": false, "left": left}


if __name__ == "__main__":
    print(json.dumps(storm(float(sys.argv[1]), *map(int, sys.argv[2:]))))
