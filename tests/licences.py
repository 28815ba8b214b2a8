"""Licences of others whose code is in a wheel; ``python tests/licences.py --write`` makes their file.

In a wheel are the bundles of the widgets, whose licences ``widgets/js/build.mjs`` collects, and the C that
cffi generates, in ``_amp_native``. Everything else is this project's own.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "LICENSES_THIRD_PARTY.txt"
WIDGETS = ROOT / "amp_lab" / "widgets" / "static" / "LICENSES.txt"
HEAD = """Code of others in the wheels of amp_lab, and its licences.

amp_lab/_native/_amp_native: the C that cffi generates.
amp_lab/widgets/static/*.js: the other packages below.
"""


def text() -> str:
    """Return the file as it has to be."""
    cffi = metadata.distribution("cffi")
    (path,) = (one for one in cffi.files or () if one.name == "LICENSE")
    lines = Path(str(path.locate())).read_text(encoding="utf-8").strip().splitlines()
    own = f"cffi {cffi.version} (MIT-0)\n\n" + "\n".join(line.rstrip() for line in lines)
    return "\n----\n\n".join([HEAD, own + "\n", WIDGETS.read_text(encoding="utf-8")])


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        SHIPPED.write_text(text(), encoding="utf-8")
    elif SHIPPED.read_text(encoding="utf-8") != text():
        sys.exit(f"{SHIPPED.name}: is not what ships now. Run python tests/licences.py --write.")
