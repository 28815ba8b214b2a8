"""Run the threaded tests on the library of the ``tsan`` preset; the exit code says if it saw a race.

Python itself is not instrumented: the sanitizer is loaded before it and sees the library's memory and all
locks. A run with a race in it must be found, so that silence means something.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RACE = """
import threading
import rigs
scene = rigs.variants(1, frames=20_000)
with rigs.started(scene) as runtime:
    jobs = [threading.Thread(target=rigs.proceed, args=(runtime, scene, [1000] * 10)) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
"""
"""Two threads inside one runtime at once, which its contract forbids."""
FOUND = 66


def main() -> int:
    """Run both."""
    preload = subprocess.run(
        ["g++", "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    env = os.environ | {
        "LD_PRELOAD": preload,
        "LD_LIBRARY_PATH": str(ROOT / "build" / "tsan"),
        "TSAN_OPTIONS": f"exitcode={FOUND}",
        "PYTHONPATH": str(ROOT / "tests"),
    }
    race = subprocess.run([sys.executable, "-P", "-c", RACE], env=env, capture_output=True, check=False)
    if race.returncode != FOUND or b"data race" not in race.stderr:
        print(f"the sanitizer does not see a race (exit code {race.returncode})\n{race.stderr.decode()}")
        return 1
    return subprocess.run(
        ["pytest", "-q", "tests/test_threads.py"], cwd=ROOT, env=env, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
