"""Say at once what is missing on this machine, before anything is downloaded or compiled."""

import shutil
import sys
import sysconfig
from pathlib import Path


def problems() -> list[str]:
    """What this interpreter or machine lacks, one sentence each."""
    found = []
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):
        found.append(
            "python3: too old (got %s, allowed 3.11 or newer). Run make with PYTHON=python3.11." % version
        )
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        found.append(
            "python3: Python.h is missing. Install the headers of this interpreter (Debian: python3-dev)."
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        found.append("python3: ensurepip is missing. Install the venv module (Debian: python3-venv).")
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        found.append("compiler: no C++ compiler found. Install g++ 11 or newer.")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
