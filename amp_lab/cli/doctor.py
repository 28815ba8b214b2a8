"""Checks of an installation, as stable lines ``name: value``; a value that begins with FAILED is a fault."""

# ruff: noqa: PLC0415 - each check imports what it checks, so that a missing part fails its own line only

from __future__ import annotations

import io
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata

from amp_lab.common.version import __version__
from amp_lab.errors import visible

_ISA_PROGRAM = "from amp_lab import lowlevel; print(lowlevel.isa())"
FAILED = "FAILED"


def report() -> list[str]:
    """Run every check; returns its lines."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("amp_lab", lambda: __version__),
        ("python", lambda: f"{platform.python_version()} ({sys.executable})"),
        ("platform", platform.platform),
        ("native library", _library),
        ("build", _build),
        ("flavour", _flavour),
        ("instruction set", _isa),
        ("instruction sets available", _isa_levels),
        ("source digest", _sources),
        ("render", _render),
        ("worker", _worker),
        ("sound files", _sound_files),
        ("goldens", _goldens),
        *((name, lambda name=name: metadata.version(name)) for name in dependencies()),
    ]
    return [f"{name}: {visible(_outcome(check))}" for name, check in checks]


def dependencies() -> list[str]:
    """Return the names of the required packages, from the metadata of amp_lab."""
    stated = metadata.requires("amp-lab") or []
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in stated if "extra ==" not in line]


def healthy(lines: list[str]) -> bool:
    """Whether no check failed."""
    return not any(line.partition(": ")[2].startswith(FAILED) for line in lines)


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # whatever breaks a part is what its line has to say
        text = visible(" ".join(str(error).split()))
        return f"{FAILED} ({type(error).__name__}: {text})"


def _library() -> str:
    from amp_lab import _native, lowlevel

    major, minor = lowlevel.abi_version()
    return f"ABI {major}.{minor} ({_native.FOLDER})"


def _build() -> str:
    from amp_lab import lowlevel

    return lowlevel.build_info()


def _flavour() -> str:
    from amp_lab import lowlevel

    name = lowlevel.build_info().rpartition("flavour ")[2]
    return f"{name}, fault hooks {'built in' if lowlevel.test_hooks() else 'absent'}"


def _isa() -> str:
    from amp_lab import lowlevel

    forced = os.environ.get("AMP_ISA")
    lowlevel.require_isa()
    return lowlevel.isa() + (f" (AMP_ISA={forced})" if forced else "")


def _isa_levels() -> str:
    from amp_lab.golden.isa import LEVELS

    found = [level for level in LEVELS if _level_runs(level)]
    return ", ".join(found) or "base"


def _level_runs(level: str) -> bool:
    command = [sys.executable, "-P", "-c", _ISA_PROGRAM]
    environment = os.environ | {"AMP_ISA": level}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip() == level


def _sources() -> str:
    from amp_lab import lowlevel  # importing it compares the library with the package

    return f"{lowlevel.source_digest()[:16]}, library and package match"


def _digest(isolation: str) -> str:
    from amp_lab.graph.graph import Graph

    graph = Graph(name="doctor")
    graph.output(graph.oscillator(frequency_hz=440.0, name="tone"), name="out")
    return graph.render(frames=4800, isolation=isolation).digest  # type: ignore[arg-type]


def _render() -> str:
    return f"4800 frames, sha256 {_digest('none')[:16]}"


def _worker() -> str:
    from amp_lab import isolate

    if not isolate.supported():
        return "not on this system"
    apart, here = _digest("process"), _digest("none")
    if apart != here:
        raise RuntimeError(f"other bits than in process (got {apart[:16]}, allowed {here[:16]})")
    return "starts and gives the same bits"


def _sound_files() -> str:
    import numpy as np
    import soundfile

    sound = np.linspace(-0.5, 0.5, 64)
    for suffix, subtype in (("WAV", "DOUBLE"), ("FLAC", "PCM_24")):
        file = io.BytesIO()
        soundfile.write(file, sound, 48_000, format=suffix, subtype=subtype)
        file.seek(0)
        if not np.allclose(soundfile.read(file)[0], sound, rtol=0, atol=2**-23):
            raise RuntimeError(f"{suffix} does not read back what was written")
    return f"WAV and FLAC through {soundfile.__libsndfile_version__}"


def _goldens() -> str:
    from amp_lab import golden

    try:
        root = golden.find()
    except golden.GoldenError:
        return "no folder here (set AMP_GOLDENS to name one)"
    return f"{len(golden.list_cases(root))} cases ({root})"
