"""Progress is shown on a terminal and erased there; nothing of it is stored anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import systems
from nbclient import NotebookClient

pty = systems.module("pty")
termios = systems.module("termios")

SLOW = """
import amp_lab as amp
from amp_lab.render import progress
progress.AFTER_S = 0.0  # as if the machine were busy
called = []
shown = progress.Progress.__call__
progress.Progress.__call__ = lambda self, *at: (called.append(at), shown(self, *at))[1]
g = amp.Graph(name="slow")
g.output(g.sine(frequency_hz=440.0))
r = g.render(frames=40_000_000, block_frames=64, isolation={isolation!r}, threads=1)
assert any(done < total for done, total in called), called
"""


def run_on_terminal(program: str, **streams: Any) -> tuple[int, str]:
    """Run a program with a terminal for what is not given; returns its exit code and what it wrote there."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (24, 80))
    command = [sys.executable, "-P", "-c", program]
    given = dict.fromkeys(("stdin", "stdout", "stderr"), there) | streams
    running = subprocess.Popen(command, **given)
    os.close(there)
    written = b""
    try:
        while piece := os.read(here, 65536):
            written += piece
    except OSError:  # the other end is closed
        pass
    os.close(here)
    return running.wait(), written.decode()


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_a_notebook_stores_nothing_of_a_slow_render(isolation: str, tmp_path: Path) -> None:
    """However long a render takes, its cell has the outputs it always has."""
    cells = [
        nbformat.v4.new_code_cell(SLOW.format(isolation=isolation)),
        nbformat.v4.new_code_cell("print(r.frames)"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, resources=where).execute()
    slow, after = notebook.cells
    assert slow.outputs == []
    assert [output.output_type for output in after.outputs] == ["stream"]
    assert not notebook.metadata.get("widgets")


def test_a_pipe_gets_nothing() -> None:
    """Neither a log nor a program that reads stderr gets a bar."""
    command = [sys.executable, "-P", "-c", SLOW.format(isolation="none")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_terminal_shows_a_bar_and_erases_it() -> None:
    """At the end its line is cleared and the cursor is at its start."""
    code, written = run_on_terminal(SLOW.format(isolation="none"))
    assert code == 0
    assert "slow:" in written
    assert "frame/s" in written
    *_, blank, end = written.split("\r")
    assert blank.strip() == end == ""


def test_a_terminal_without_standard_error_gets_nothing() -> None:
    """A bar is never written to the results, and a missing stream costs nothing."""
    code, written = run_on_terminal(SLOW.format(isolation="none"), stderr=subprocess.DEVNULL)
    assert (code, written) == (0, "")
    code, written = run_on_terminal("import sys; sys.stderr = None\n" + SLOW.format(isolation="none"))
    assert (code, written) == (0, "")
