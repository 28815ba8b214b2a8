"""A storm of interrupts over sessions and renders in four threads; prints what it counted as JSON.

``python tests/storm.py INTERRUPTS``. SIGINT from another process hits the main thread, `KeyboardInterrupt`
thrown by the interpreter the three others: anywhere, also in ``with``, ``finally`` and handshakes. Whatever
comes back is compared with a whole render, sample by sample, and so is what is kept for a while.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

import amp_lab as amp
from amp_lab import isolate
from amp_lab.common import threads
from amp_lab.common.threads import Background

RATE = 48_000
FRAMES = 20_000
SENDER = """
import os, random, sys, time
pid, pause = int(sys.argv[1]), float(sys.argv[2])
while True:
    time.sleep(random.uniform(0.02, 1.98) * pause)
    os.kill(pid, 2)
"""
PAUSE_S = 0.003


class Storm:
    """What is counted."""

    def __init__(self) -> None:
        self.caught = [0, 0, 0, 0]
        self.armed = [False] * 4
        self.frames = [0, 0, 0, 0]
        self.renders = self.sessions = self.wrong = 0
        self.over = False
        self.errors: list[str] = []


def tone() -> amp.Graph:
    """Return a saw through a filter, two channels."""
    g = amp.Graph(sample_rate=RATE, name="tone")
    g.output(g.pan(g.svf(g.oscillator(frequency_hz=110.0), cutoff_hz=900.0)))
    return g


def echo() -> amp.Graph:
    """Return an input through a delay."""
    g = amp.Graph(sample_rate=RATE, name="echo")
    g.output(g.delay_line(g.input(name="mic"), delay_s=0.001, max_delay_s=0.01))
    return g


def wrong_bytes(pieces: list[np.ndarray], whole: np.ndarray) -> int:
    """Count bytes of the result that differ from those of the render, one piece after the other."""
    came = np.concatenate([np.empty((*whole.shape[:2], 0)), *pieces], axis=2)
    there = whole[:, :, : came.shape[2]]
    if came.shape != there.shape:
        return abs(came.size - there.size) * 8
    return int((came.view(np.uint8) != np.ascontiguousarray(there).view(np.uint8)).sum())


class Renders:
    """Renders one length after the other and keeps some of them."""

    def __init__(self, storm: Storm, thread: int) -> None:
        self.storm, self.thread = storm, thread
        self.graph = tone()
        self.whole = self.graph.render(frames=FRAMES, isolation="none").audio
        self.kept: list[np.ndarray] = []

    def step(self) -> None:
        """Render, and check what is kept."""
        frames = random.choice((10, 500, 4000, FRAMES))
        self.kept.append(self.graph.render(frames=frames, isolation="process").audio)
        self.storm.renders += 1
        self.storm.frames[self.thread] += frames
        if len(self.kept) > 8:
            self.check()

    def check(self) -> None:
        """Compare all that is kept, and drop it."""
        wrong = sum(wrong_bytes([audio], self.whole) for audio in self.kept)
        self.kept, self.storm.wrong = [], self.storm.wrong + wrong


class Pulls:
    """Opens a session, pulls it in pieces of all sizes to its end, and begins again."""

    def __init__(self, storm: Storm, thread: int, isolation: str) -> None:
        self.storm, self.thread, self.isolation = storm, thread, isolation
        self.graph = tone()
        self.whole = self.graph.render(frames=FRAMES, isolation="none").audio
        self.session: amp.Session | None = None
        self.pieces: list[np.ndarray] = []

    def step(self) -> None:
        """Pull once; at the end, compare and close."""
        if self.session is None:
            self.pieces = []
            self.storm.armed[self.thread] = random.random() < 0.2  # it takes longer than most pauses
            self.session = self.graph.session(isolation=self.isolation)  # type: ignore[arg-type]
        self.storm.armed[self.thread] = True
        done = sum(piece.shape[2] for piece in self.pieces)
        if done < FRAMES:
            self.feed(min(random.choice((1, 64, 700, 3000)), FRAMES - done))
        else:
            self.check()

    def feed(self, frames: int) -> None:
        """Pull this number of frames."""
        assert self.session is not None
        self.pieces.append(self.session.pull(frames))

    def check(self) -> None:
        """Compare all that came, and close."""
        if self.session is None:
            return
        self.session.close()
        wrong, frames = wrong_bytes(self.pieces, self.whole), sum(p.shape[2] for p in self.pieces)
        self.session, self.pieces, self.storm.wrong = None, [], self.storm.wrong + wrong
        self.storm.sessions += 1
        self.storm.frames[self.thread] += frames


class Echoes(Pulls):
    """The same with pushed samples; an interrupted push counts if the counters include it."""

    def __init__(self, storm: Storm, thread: int, isolation: str) -> None:
        super().__init__(storm, thread, isolation)
        self.graph = echo()
        self.samples = np.random.default_rng(3).uniform(-1.0, 1.0, 2 * FRAMES)
        given = echo()
        given["mic"].set(samples=self.samples)
        self.whole = given.render(frames=FRAMES, isolation="none").audio

    def feed(self, frames: int) -> None:
        """Push this number of frames, and pull them."""
        assert self.session is not None
        at = self.session.counters.frames["mic"]
        if at < FRAMES:
            self.session.push("mic", self.samples[at : at + frames])
        self.pieces.append(self.session.pull(frames))


def ride(storm: Storm, thread: int, step: Callable[[], None]) -> None:
    """Repeat a step until the interrupts end, whatever is interrupted."""
    while not storm.over:
        try:
            while not storm.over:
                try:
                    while not storm.over:
                        try:
                            storm.armed[thread] = True
                            while not storm.over:
                                step()
                        except KeyboardInterrupt:
                            storm.armed[thread] = False
                            storm.caught[thread] += 1
                except KeyboardInterrupt:
                    storm.armed[thread] = False
                    storm.caught[thread] += 1
        except KeyboardInterrupt:
            storm.armed[thread] = False
            storm.caught[thread] += 1
        except Exception as error:
            storm.errors.append("".join(traceback.format_exception(error)))
            storm.over = True


STARTING = threading.Lock()
"""Held while a thread starts: until it runs, CPython delivers an exception for its parent to the new thread.
"""


def start_alone(
    thread: threading.Thread, start: Callable[[threading.Thread], None] = threading.Thread.start
) -> None:
    """Start a thread while no exception is thrown."""
    with STARTING:
        start(thread)


def begin_alone(thread: Background, start: Callable[[Background], None] = Background.start) -> None:
    """Do the same for a thread of the package, whose start does not wait until it runs."""
    with STARTING:
        start(thread)
        while id(thread) not in threads._running and not thread._ended:
            time.sleep(1e-4)


def throw(storm: Storm, threads: list[threading.Thread], most: int) -> None:
    """Throw interrupts into the threads that are armed."""
    while not storm.over:
        for i, thread in enumerate(threads, 1):
            with STARTING:
                if storm.armed[i] and thread.is_alive() and thread.ident is not None:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
                    )
            time.sleep(random.uniform(0.02, 1.98) * PAUSE_S / 3)
        if sum(storm.caught) >= most:
            storm.over = True


def descriptors() -> int:
    """Count open files of this process."""
    return len(os.listdir("/proc/self/fd"))


def main(most: int) -> dict[str, object]:
    """Run until this number of interrupts was delivered."""
    storm = Storm()
    jobs = [
        Renders(storm, 0),
        Pulls(storm, 1, "process"),
        Echoes(storm, 2, "process"),
        Pulls(storm, 3, "none"),
    ]
    more = [Echoes(storm, 0, "process"), Pulls(storm, 0, "process"), Renders(storm, 3)]
    for job in (*jobs, *more):  # which also imports all there is: an import that is interrupted stays locked
        job.step()
        job.check()
    isolate.shutdown()
    gc.collect()
    storm.__init__()  # type: ignore[misc]
    before, begun = descriptors(), time.monotonic()

    def handler(number: int, frame: object) -> None:
        if storm.armed[0]:
            raise KeyboardInterrupt

    def main_step() -> None:
        for job in (jobs[0], more[0], more[1], jobs[0]):
            job.step()
        if random.random() < 0.002:
            isolate.shutdown()

    def third_step() -> None:
        jobs[3].step()
        more[2].step()

    steps = [jobs[1].step, jobs[2].step, third_step]
    threads = [threading.Thread(target=ride, args=(storm, i, step)) for i, step in enumerate(steps, 1)]
    threading.Thread.start = start_alone  # type: ignore[method-assign]
    Background.start = begin_alone  # type: ignore[method-assign]
    signal.signal(signal.SIGINT, handler)
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(os.getpid()), str(PAUSE_S)])
    thrower = threading.Thread(target=throw, args=(storm, threads, most))
    for thread in (*threads, thrower):
        thread.start()
    ride(storm, 0, main_step)
    storm.armed[:] = [False] * 4
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sender.kill()
    sender.wait()
    for thread in (*threads, thrower):
        thread.join()
    seconds = time.monotonic() - begun
    for job in (*jobs, *more):
        job.check()
    held = isolate.status()
    isolate.shutdown()
    jobs.clear()
    more.clear()
    gc.collect()
    end = time.monotonic() + 10.0
    while (psutil.Process().children() or descriptors() != before) and time.monotonic() < end:
        time.sleep(0.01)
    return {
        "interrupts": storm.caught,
        "renders": storm.renders,
        "sessions": storm.sessions,
        "frames": storm.frames,
        "wrong_bytes": storm.wrong,
        "leaked_descriptors": descriptors() - before,
        "leaked_processes": len(psutil.Process().children()),
        "arrays_held": held.arrays,
        "mapped_left": Path("/proc/self/maps").read_text(encoding="utf-8").count("memfd:amp-lab"),
        "errors": storm.errors,
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
