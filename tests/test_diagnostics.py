"""Native logging: in the diagnostics flavour only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import amp_lab as amp

LIBRARY = Path(__file__).resolve().parents[1] / "build" / "diag" / "libamp_native.so"
SCRIPT = """
import amp_lab as amp
g = amp.Graph(name="logged")
g.output(g.gain(g.noise(), gain=0.5, name="quiet"))
amp.diagnostics.enable_py_c_logging(True)
g.render(frames=8, isolation="none")
amp.diagnostics.enable_native_logging(False)
g.render(frames=8, isolation="none")
"""


def test_the_standard_flavour_has_no_logging_and_says_how_to_get_it() -> None:
    """Without logging compiled in, switching it on is an error with the cure, and no file appears."""
    with pytest.raises(amp.Unsupported, match="AMP_NATIVE_DIAGNOSTICS_BUILD=1"):
        amp.diagnostics.enable_native_logging(True)


@pytest.mark.long
def test_the_diagnostics_flavour_logs_firings_only_while_switched_on(tmp_path: Path) -> None:
    """The log file holds one line per firing of the render made while logging was on."""
    assert LIBRARY.is_file(), "build it first: cmake --preset diag && cmake --build --preset diag"
    log = tmp_path / "native.log"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(LIBRARY.parent), "AMP_NATIVE_LOG": str(log)}
    subprocess.run([sys.executable, "-P", "-c", SCRIPT], env=environment, check=True, cwd=tmp_path)
    lines = log.read_text().splitlines()
    assert sum("fire quiet frames 0 to 7" in line for line in lines) == 1
