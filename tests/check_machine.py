"""Report what is missing on this machine before anything is downloaded or compiled."""

from __future__ import annotations  # an older interpreter must get far enough to report it

import importlib.util
import platform
import shutil
import sys
import sysconfig
from pathlib import Path


def problems() -> list[str]:
    """What this interpreter or machine lacks, one sentence each."""
    found = []
    if tuple(map(int, platform.python_version_tuple()[:2])) < (3, 11):
        found.append(
            f"python3: too old (got {platform.python_version()}, allowed 3.11 or newer). "
            "Name a newer one: make PYTHON=python3.11."
        )
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        found.append("python3: no Python.h. Install the headers of this interpreter (Debian: python3-dev).")
    if importlib.util.find_spec("ensurepip") is None:
        found.append("python3: no ensurepip. Install the venv module (Debian: python3-venv).")
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        found.append("compiler: no C++ compiler. Install g++ 12 or newer.")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
