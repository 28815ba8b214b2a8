"""The name of the case of a test that gives none: distinct, and a folder's on every system."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

LONGEST = 80
"""Characters before the digest of a name that is cut."""


def of_node(nodeid: str) -> str:
    """Return the name for a pytest node: `test_sound.TestWind.test_it-5.0` for parameters `[5.0]`.

    A test whose parts would lose something (characters that no other system has in names, capital letters of
    parameters, length) gets a digest of its node id at the end, so that two tests never share a name.
    """
    place, _, parameters = nodeid.partition("[")
    file, *scopes = place.split("::")
    path = PurePosixPath(file).with_suffix("").parts
    parts = [*(path[1:] if path[0] == "tests" else path), *scopes]
    name = ".".join(parts) + (f"-{parameters.removesuffix(']')}" if parameters else "")
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    lost = safe != name or len(name) > LONGEST or parameters != parameters.lower()
    if not lost and not any("." in part for part in parts) and not name.endswith((".", "-")):
        return safe
    digest = hashlib.sha256(nodeid.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe[:LONGEST].rstrip('.-')}-{digest}"
