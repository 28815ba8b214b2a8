"""Forks beside threads that render, with files of a stranger open; prints what it counted as JSON.

``python tests/fork_storm.py FORKS``. A descriptor that is closed twice hits whoever got its number meanwhile:
a thread opens and closes files all the time and looks whether each is still the file it was.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import threading
import time

import numpy as np
import psutil

import amp_lab as amp
from amp_lab import isolate

FRAMES = 4000
WELL = 0


def print_nothing(done: int, total: int) -> None:
    """Replaces the progress bar, which opens files of its own."""


def stranger(counts: dict[str, int], over: threading.Event) -> None:
    """Open files, look again a moment later whether they are the same, close them."""
    while not over.is_set():
        files = [tempfile.TemporaryFile() for _ in range(20)]  # noqa: SIM115 - closed below
        known = [os.fstat(file.fileno()).st_ino for file in files]
        time.sleep(0.002)
        for file, inode in zip(files, known, strict=True):
            try:
                counts["foreign_closed"] += os.fstat(file.fileno()).st_ino != inode
                file.close()
            except OSError:
                counts["foreign_closed"] += 1
            counts["foreign_files"] += 1


def render(counts: dict[str, int], over: threading.Event, graph: amp.Graph, whole: np.ndarray) -> None:
    """Render again and again in workers."""
    while not over.is_set():
        audio = graph.render(frames=FRAMES, isolation="process", progress=print_nothing).audio
        counts["wrong"] += not np.array_equal(audio, whole)
        counts["renders"] += 1


def pull(counts: dict[str, int], over: threading.Event, graph: amp.Graph, whole: np.ndarray) -> None:
    """Open a session, pull it in pieces, close it, again and again."""
    while not over.is_set():
        with graph.session(isolation="process") as session:
            parts = [session.pull(FRAMES // 8) for _ in range(8)]
        counts["wrong"] += not np.array_equal(np.concatenate(parts, axis=2), whole)
        counts["sessions"] += 1


def child(session: amp.Session, kept: np.ndarray, graph: amp.Graph, whole: np.ndarray, apart: bool) -> int:
    """Code of a forked process; returns one bit per fault."""
    wrong = 0
    try:
        session.pull(10)
        wrong |= 1
    except amp.InvalidArgument as error:
        wrong |= 0 if "fork" in str(error) else 2
    session.close()
    wrong |= 0 if np.array_equal(kept, whole) else 4
    isolation = "process" if apart else "none"
    audio = graph.render(frames=FRAMES, isolation=isolation, threads=1, progress=print_nothing).audio  # type: ignore[arg-type]
    wrong |= 0 if np.array_equal(audio, whole) else 8
    isolate.shutdown()
    return wrong


def main(forks: int) -> dict[str, object]:
    """Fork so often."""
    graph = amp.presets.three_osc()
    whole = graph.render(frames=FRAMES, isolation="none").audio
    isolate.shutdown()
    before = len(os.listdir("/proc/self/fd"))
    counts = dict.fromkeys(("foreign_closed", "foreign_files", "renders", "sessions", "wrong"), 0)
    over = threading.Event()
    jobs = [(stranger, ()), (render, (graph, whole)), (render, (graph, whole)), (pull, (graph, whole))]
    threads = [threading.Thread(target=job, args=(counts, over, *more)) for job, more in jobs]
    for thread in threads:
        thread.start()
    codes: list[int] = []
    with graph.session(isolation="process") as session:
        got = session.pull(10)
        for i in range(forks):
            kept = graph.render(frames=FRAMES, isolation="process", progress=print_nothing).audio
            pid = os.fork()
            if pid == 0:
                code = 64
                try:
                    code = child(session, kept, graph, whole, i % 10 == 0)
                finally:
                    os._exit(code)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            counts["wrong"] += not np.array_equal(kept, whole)
        got = np.concatenate((got, session.pull(FRAMES - 10)), axis=2)
    over.set()
    for thread in threads:
        thread.join()
    counts["wrong"] += not np.array_equal(got, whole)
    del kept
    isolate.shutdown()
    gc.collect()
    end = time.monotonic() + 10.0
    while (
        psutil.Process().children() or len(os.listdir("/proc/self/fd")) != before
    ) and time.monotonic() < end:
        time.sleep(0.01)
    return {
        "forks": len(codes),
        "children_that_were_wrong": sum(code != WELL for code in codes),
        "codes": sorted(set(codes)),
        **counts,
        "leaked_descriptors": len(os.listdir("/proc/self/fd")) - before,
        "leaked_processes": len(psutil.Process().children()),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
