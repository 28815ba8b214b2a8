"""A session in a worker process gives the bits of one in this process; a crash is reported, not shared."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import rigs
from rigs import Samples, same_bits
from test_session import heard, session_of
from test_session_waits import echo, eventually
from timed import timed

import amp_lab as amp
from amp_lab import isolate
from amp_lab.graph.edits.journal import Journal

HOOKS = Path(__file__).parents[1] / "build" / "hooks"

pytestmark = pytest.mark.skipif(not isolate.supported(), reason="workers need memfd (Linux)")


@pytest.mark.parametrize("name", ["three_osc", "delay_network", "modulated_batch", "svf_sweep"])
def test_the_bits_are_those_of_this_process(name: str) -> None:
    """Pushes, bound inputs, curves, taps and pulls through shared memory."""
    scene = rigs.golden_scene(name)
    for live in (False, True):
        with session_of(scene, live, isolation="process") as session:
            assert session.isolation == "process"
            assert same_bits(heard(session, scene, 5), rigs.sound(scene))


def test_all_of_a_session_works_there() -> None:
    """Parameters, gates, counters, traces, errors with their class and place, the thread that keeps ahead."""
    x = np.random.default_rng(9).uniform(-1, 1, 1000)
    results: list[tuple[Samples, int, object, object, str]] = []
    for isolation in ("none", "process"):
        with echo(("beat",)).session(isolation=isolation, trace=True, limit_frames=3000) as s:  # type: ignore[arg-type]
            left = s.tap("left")
            s.push("a", x)
            with pytest.raises(amp.Pending, match='gate "beat"') as pending:
                left.pull(10)
            with pytest.raises(amp.RingFull):
                s.push("a", np.ones(5000))
            s.push("b", x)
            at = s.set("right", cutoff_hz=300.0, at_frame=50)
            s.start(100)
            assert s.output is not None and eventually(lambda s=s: s.output.counters.ready >= 100)
            s.stop()
            parts = np.concatenate((s.pull(600), left.pull(600)), axis=1)
            s.end()
            parts = np.concatenate((parts, s.pull(600)[:, :, :600].repeat(2, axis=1)), axis=2)
            results.append((parts, at, s.counters.frames, s.counters.taps, str(pending.value)))
    assert same_bits(results[0][0], results[1][0]) and results[0][1:] == results[1][1:]


def test_workers_of_sessions_are_their_own_and_end_with_them() -> None:
    """More sessions than renders may have workers; renders run next to them; nothing is leaked."""
    g = amp.Graph(sample_rate=rigs.RATE)
    g.output(g.sine(frequency_hz=440.0))
    whole = g.render(frames=100, isolation="process").audio
    before = set(isolate.status().workers)
    sessions = [g.session(isolation="process") for _ in range(4)]
    hired = set(isolate.status().workers) - before
    assert len(hired) == 4
    assert same_bits(g.render(frames=100, isolation="process").audio, whole)
    assert all(same_bits(s.pull(100), whole) for s in sessions)
    for s in sessions[1:]:
        s.close()
        s.close()
    del sessions[:]  # the first is only let go of
    gc.collect()
    assert eventually(lambda: not any(psutil.pid_exists(pid) for pid in hired))
    assert set(isolate.status().workers) == before


def test_a_worker_that_is_killed_is_told() -> None:
    """Its session raises the crash from then on, views of the graph get it once; another session works."""
    g = amp.presets.three_osc()
    told: list[amp.NativeCrash | None] = []
    Journal.of(g).watch(told.append)
    before = set(isolate.status().workers)
    with g.session(isolation="process") as s:
        s.pull(1000)
        (pid,) = set(isolate.status().workers) - before
        os.kill(pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(amp.NativeCrash) as crash:
                s.pull(1000)
            assert crash.value.signal == "SIGKILL"
        assert [crash and crash.signal for crash in told] == ["SIGKILL"]
        s.stop()
    with g.session(isolation="process") as s:
        assert s.pull(10).shape == (1, 2, 10)


CRASH = """
import os
import amp_lab as amp
g = amp.Graph(sample_rate=48000)
g.output(g.svf(g.oscillator(frequency_hz=110.0), cutoff_hz=900.0, name="flt"))
os.environ["AMP_TEST_FAULT"] = "flt:3000:{kind}"
os.environ["AMP_WORKER_TIMEOUT"] = "0.5"
with g.session(isolation="process") as s:
    frames = 0
    try:
        while True:
            frames += s.pull(500).shape[2]
    except amp.NativeCrash as crash:
        print(crash.signal, crash.node, crash.first_frame <= 3000 < crash.first_frame + crash.frames, frames)
"""


@pytest.mark.parametrize(("kind", "name"), [("segv", "SIGSEGV"), ("hang", "HANG")])
def test_a_crash_names_node_and_frames(kind: str, name: str) -> None:
    """Native code that crashes, or hangs, in the middle of a stream."""
    assert (HOOKS / "libamp_native.so").exists(), "the library with fault hooks is missing: run `make hooks`"
    env = {**os.environ, "LD_LIBRARY_PATH": str(HOOKS)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CRASH.format(kind=kind)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{name} flt True 3000\n", done.stderr


@timed(0.5)
def test_an_interrupted_call_leaves_no_answer_behind(within_s: float) -> None:
    """The reply to a cancelled call is not taken for that to the next."""
    g = amp.presets.three_osc()
    with g.session(isolation="process") as s:
        s.pull(10)
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            s.pull(50_000_000)
        assert time.monotonic() - begun < within_s
        assert s.pull(7).shape == (1, 2, 7) and s.counters.frames["flt"] > 10
