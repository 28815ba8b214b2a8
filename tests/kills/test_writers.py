"""A process that is killed while it replaces a file leaves the old bytes or the new ones, at every call."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import storm

import amp_lab as amp
from amp_lab.export import html_report, pictures, sound_file, trace_file
from amp_lab.widgets import disk

OLD = b"what was there before, and is longer than nothing"


def voice() -> amp.Graph:
    """A graph with a control curve and latency."""
    g = amp.Graph(name="voice")
    tone = g.oscillator(frequency_hz=220.0, name="tone")
    g.output(g.gain(g.svf(tone, cutoff_hz=900.0, name="flt"), gain=0.5))
    return g


RENDER = voice().render(frames=4800, isolation="none", threads=1, trace=True, heat=True)
CONTROLS = amp.ControlHistory([amp.Curve("cutoff", [0.0, 1.0], [100.0, 900.0])])


def autosave(path: Path) -> object:
    """Do what a patch file does after an edit in a view."""
    return disk.DiskFile(path, disk.digest(OLD)).replace(voice().to_json().encode(), 0)


ACTIONS: dict[str, Callable[[Path], object]] = {
    "voice.wav": RENDER.save,
    "voice.flac": RENDER.save,
    "voice.amp.json": autosave,
    "graph.json": voice().save,
    "controls.json": CONTROLS.save,
    "trace.json": lambda path: trace_file.save(RENDER, path),
    "report.html": lambda path: html_report.html_report(RENDER, path),
}


class Inline:
    """Runs at once what a thread would run: strace counts per thread, and a kill gives only the count."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, action: Callable[..., object], *arguments: object) -> Inline:
        action(*arguments)
        return self

    def result(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "most", [pytest.param(12, id="some"), pytest.param(None, id="all", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("name", ACTIONS)
def test_a_writer_that_is_killed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int | None
) -> None:
    """The old file or the new one is complete; at most the temporary file is left in its folder."""
    monkeypatch.setattr(sound_file, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(pictures, "drawings", lambda *_, **__: {})  # a thousand calls that write nothing
    folder = tmp_path / "folder"

    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / name).write_bytes(OLD)

    def look() -> str:
        beside = [other for other in os.listdir(folder) if other != name]
        assert all(re.fullmatch(r"\.amp_lab_\w+\.tmp", other) for other in beside), beside
        data = bytearray((folder / name).read_bytes())
        if (peak := data.find(b"PEAK")) > 0:  # whose bytes 12 to 16 are the time of day
            data[peak + 12 : peak + 16] = bytes(4)
        return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:16]}"

    result = storm(lambda: ACTIONS[name](folder / name), prepare=prepare, look=look, most=most)
    print(f"{name}: {result}")
    assert len(result.left) >= 8 and not result.missed() and not result.lost(), str(result)
    states = {state for _, state in result.left}
    assert states == {result.old, result.new}, "the kills missed the moment of the change"


def test_a_writer_that_empties_the_file_first_is_caught(tmp_path: Path) -> None:
    """With plain `open` and write the kills find a state with neither file."""
    path = tmp_path / "plain"
    result = storm(
        lambda: path.write_bytes(b"new"),
        prepare=lambda: path.write_bytes(OLD),
        look=path.read_bytes,
        most=100,
    )
    assert b"" in {state for _, state in result.lost()}
