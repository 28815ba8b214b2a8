"""A changed coefficient in one kernel: `golden verify` fails and names that node, block and frame.

Builds the library from a copy of the sources, once as they are and once per change.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rigs

import amp_lab as amp
from amp_lab.golden import BLOCK_FRAMES

ROOT = Path(__file__).parents[1]
PACKAGE = Path(amp.__file__).parent
VERDICT = re.compile(
    r"^(?P<case>\w+): FAIL exact at block (?P<block>\d+), frame (?P<frame>\d+), batch \d+, "
    r"channel (?P<channel>\d+), node (?P<node>\w+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Change:
    """One coefficient of one kernel, and a golden case whose sound depends on it."""

    type_id: str
    old: str
    new: str
    case: str


CHANGES = [
    Change("svf", "c.a21 = nd * twice", "c.a21 = T(0.9999999) * (nd * twice)", "svf_sweep"),
    Change(
        "oscillator",
        "b * b - a * a",
        "b * b - T(0.999) * a * a",
        "osc_saw",
    ),
    Change("envelope", "(x * x) * (x * x)", "(x * x) * (x * x * T(0.9999))", "envelope"),
    Change("one_pole", "T(-6.283185307179586)", "T(-6.2831853)", "one_frame_feedback"),
    Change(
        "delay_line", "x0 + p.part * (x1 - x0)", "x0 + f64x8(0.9999) * p.part * (x1 - x0)", "delay_network"
    ),
    Change("pan", "f64x8(0.125)", "f64x8(0.1250001)", "svf_sweep"),
]


def run(*command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command; its output is kept."""
    done = subprocess.run(
        [str(part) for part in command], env=os.environ | more, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class Workshop:
    """A copy of the sources with its build, and a copy of the package that loads what is built."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.site, self.goldens = folder / "sources", folder / "site", folder / "goldens"
        self.build_folder = folder / "build"
        self.sources.mkdir()
        self.goldens.mkdir()
        shutil.copytree(ROOT / "native", self.sources / "native")
        for name in ("CMakeLists.txt", "CMakePresets.json", "pyproject.toml"):
            shutil.copy(ROOT / name, self.sources)
        shutil.copytree(PACKAGE, self.site / "amp_lab")
        options = ("-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DAMP_BUILD_PYTHON=OFF", "-DAMP_BUILD_TESTS=OFF")
        done = run("cmake", "-G", "Ninja", "-S", self.sources, "-B", self.build_folder, *options)
        assert done.returncode == 0, done.stderr
        self.build()

    def build(self) -> None:
        """Build the library and put it, with its digest, into the copy of the package."""
        done = run("cmake", "--build", self.build_folder, "--parallel", "2")
        assert done.returncode == 0, done.stdout
        native = self.site / "amp_lab" / "_native"
        for built in ("libamp_native.so", "generated/source_digest.txt"):
            shutil.copy(self.build_folder / built, native)

    def change(self, type_id: str, old: str, new: str) -> None:
        """Replace text that occurs once in a kernel, and rebuild."""
        path = self.sources / "native" / "nodes" / f"{type_id}.cpp"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path.name}: {old!r} stands {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.build()

    def python(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run Python with the copied package and the tests' own modules."""
        path = os.pathsep.join([str(self.site), str(ROOT / "tests")])
        return run(sys.executable, "-P", *arguments, PYTHONPATH=path)

    def verify(self, case: str) -> subprocess.CompletedProcess[str]:
        """``amp-lab golden verify CASE``."""
        return self.python("-m", "amp_lab.cli", "golden", "verify", case, "--goldens", self.goldens)

    def audio(self, case: str) -> rigs.Samples:
        """What the built library renders."""
        program = (
            "import sys, numpy, rigs; numpy.save(sys.argv[2], rigs.sound(rigs.golden_scene(sys.argv[1])))"
        )
        target = self.goldens / f"{case}.npy"
        done = self.python("-c", program, case, target)
        assert done.returncode == 0, done.stderr
        return np.load(target)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Build the sources as they are, with the cases blessed by the installed library."""
    shop = Workshop(tmp_path_factory.mktemp("drift"))
    for name in sorted({change.case for change in CHANGES}):
        scene = rigs.golden_scene(name)
        render = scene.graph.render(
            frames=scene.frames, batches=scene.batches, controls=scene.controls, isolation="none"
        )
        more = {
            "graph": scene.graph,
            "controls": scene.controls,
            "blessed_by": "test",
            "goldens": shop.goldens,
        }
        amp.golden.store(name, render, reason="before the change", **more)
    return shop


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.type_id)
def test_every_change_still_applies(change: Change) -> None:
    """Its text occurs exactly once in the kernel, so that the long tests below can replace it."""
    kernel = ROOT / "native" / "nodes" / f"{change.type_id}.cpp"
    assert kernel.read_text(encoding="utf-8").count(change.old) == 1


@pytest.mark.long
def test_another_build_of_the_same_sources_passes(workshop: Workshop) -> None:
    """The library built elsewhere from these sources gives the bits of the installed one."""
    for case in sorted({change.case for change in CHANGES}):
        done = workshop.verify(case)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "FAIL" not in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.type_id)
def test_a_changed_coefficient_is_found(workshop: Workshop, change: Change) -> None:
    """Exit code 1; the first block, frame, channel and the node that was touched. Restored, it passes."""
    before = workshop.audio(change.case)
    workshop.change(change.type_id, change.old, change.new)
    try:
        after, done = workshop.audio(change.case), workshop.verify(change.case)
    finally:
        workshop.change(change.type_id, change.new, change.old)
    assert done.returncode == 1, done.stdout + done.stderr
    told = VERDICT.search(done.stdout)
    assert told is not None, done.stdout
    first = int(np.flatnonzero((before != after).any(axis=(0, 1)))[0])
    channel = int(np.flatnonzero((before != after)[:, :, first].any(axis=0))[0])
    assert told["case"] == change.case
    assert (int(told["block"]), int(told["frame"])) == (first // BLOCK_FRAMES, first)
    assert int(told["channel"]) == channel
    assert rigs.golden_scene(change.case).graph[told["node"]].type == change.type_id
    assert workshop.verify(change.case).returncode == 0
