"""A render cut in two by a snapshot gives the bits of one render, also if its second half runs elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rigs
from rigs import Cut, Samples, Scene, same_bits

import amp_lab as amp
from amp_lab import lowlevel

NAMES = sorted(rigs.GOLDEN_CASES)
SCENES = dict(rigs.scenes())
ELSEWHERE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[5])
import rigs
name, blob, left, block = sys.argv[1], Path(sys.argv[2]).read_bytes(), int(sys.argv[3]), int(sys.argv[4])
scene = rigs.golden_scene(name)
with rigs.started(scene, rigs.Cut(block)) as runtime:
    runtime.restore(blob)
    print(rigs.digest(rigs.proceed(runtime, scene, [left])))
"""


def cut_at(scene: Scene, frame: int) -> tuple[bytes, Samples]:
    """Return the snapshot at a frame and the frames after it, (B, C, N - frame)."""
    with rigs.started(scene) as runtime:
        rigs.proceed(runtime, scene, [frame])
        blob = runtime.snapshot()
        return blob, rigs.proceed(runtime, scene, [scene.frames - frame])


def frames_of(name: str, frames: int, count: int) -> list[int]:
    """Frames to cut at: random, the same in every run, other ones for every name."""
    rng = np.random.default_rng(list(name.encode()))
    return [int(n) for n in rng.integers(1, frames, count)]


@pytest.mark.parametrize("name", list(SCENES))
def test_every_scene_goes_on_from_anywhere(name: str) -> None:
    """Cut at random frames, restored with another block, called in other lengths: the bits of one call."""
    scene = SCENES[name]
    whole = rigs.sound(scene)
    for block, frame in zip((1, 37, 512), frames_of(name, scene.frames, 3), strict=True):
        blob, rest = cut_at(scene, frame)
        assert same_bits(rest, whole[..., frame:])
        with rigs.started(scene, Cut(block)) as other:
            other.restore(blob)
            assert other.position == frame
            assert other.snapshot() == blob
            calls = rigs.random_calls(frame, scene.frames - frame)
            assert same_bits(rigs.proceed(other, scene, calls), whole[..., frame:])


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_goes_on_in_another_process(name: str, tmp_path: Path) -> None:
    """The blob goes through a file; the digest of the rest is printed there and compared here."""
    scene = rigs.golden_scene(name)
    (frame,) = frames_of(name, scene.frames, 1)
    blob, rest = cut_at(scene, frame)
    assert same_bits(rest, rigs.sound(scene)[..., frame:])
    file = tmp_path / "snapshot"
    file.write_bytes(blob)
    rig = Path(__file__).parent  # not on the path of a process that is careful with it
    command = [
        sys.executable,
        "-P",
        "-c",
        ELSEWHERE,
        name,
        str(file),
        str(scene.frames - frame),
        "100",
        str(rig),
    ]
    done = subprocess.run(command, cwd=rig, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == rigs.digest(rest)


def tone(frequency_hz: float = 440.0) -> Scene:
    """A sine, half a second."""
    g = amp.Graph(sample_rate=rigs.RATE)
    g.output(g.sine(frequency_hz=frequency_hz, name="tone"))
    return Scene(g, 24_000)


def test_changes_that_wait_and_changes_in_force_are_kept() -> None:
    """One parameter set before the cut, one for a frame after it."""
    scene = tone()
    with rigs.started(scene) as runtime, rigs.started(scene, Cut(7)) as other:
        runtime.set_param("tone", "frequency_hz", 1000.0, 100)
        runtime.set_param("tone", "amplitude", 0.25, 700)
        rigs.proceed(runtime, scene, [500])
        other.restore(runtime.snapshot())
        mine, theirs = (rigs.proceed(r, scene, [500]) for r in (runtime, other))
    assert same_bits(mine, theirs)
    assert np.abs(mine[..., :200]).max() > 0.9 and np.abs(mine[..., 200:]).max() <= 0.25


def test_a_refusal_says_why_and_changes_nothing() -> None:
    """Damaged bytes, another graph, another configuration: the typed error, and the old render continues."""
    scene = tone()
    blob, rest = cut_at(scene, 1000)
    with rigs.started(scene) as runtime:
        rigs.proceed(runtime, scene, [1000])
        with pytest.raises(
            amp.BlobError, match=r"AMPS blob at byte .*: the checksum does not match"
        ) as caught:
            runtime.restore(blob[:-1] + bytes([blob[-1] ^ 1]))
        assert caught.value.stage == "restore"
        with pytest.raises(amp.BlobError, match="is cut off"):
            runtime.restore(b"")
        other, _ = cut_at(tone(441.0), 1000)
        with pytest.raises(amp.DriftError, match=r"got digest [0-9a-f]{16}, this runtime has [0-9a-f]{16}"):
            runtime.restore(other)
        assert same_bits(rigs.proceed(runtime, scene, [23_000]), rest)
        runtime.configure(batches=2)
        with pytest.raises(amp.InvalidArgument, match=r"batches: .* \(got 2, the snapshot has 1\)"):
            runtime.restore(blob)
        runtime.configure(flags=lowlevel.HEAT)
        with pytest.raises(amp.InvalidArgument, match="heat: not that of the snapshot"):
            runtime.restore(blob)
        runtime.close()
        with pytest.raises(amp.InvalidArgument, match="closed"):
            runtime.snapshot()


def test_without_a_configuration_there_is_no_snapshot() -> None:
    """The message names the call to make."""
    plan = tone().graph.compile()
    with (
        lowlevel.Runtime(plan.descriptor_blob, plan.plan_blob) as runtime,
        pytest.raises(amp.InvalidArgument, match="Call configure first"),
    ):
        runtime.snapshot()
