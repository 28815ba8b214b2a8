"""The cffi builder: it takes its declarations from the public headers, so header and binding cannot differ.

Run by the build as ``python -m cffi.gen_src exec-python native/cffi/build_ffi.py OUT.c``.
"""

import re
from pathlib import Path

from cffi import FFI

HEADERS = (
    *("status", "violation", "buffer", "node", "graph", "run", "history", "metrics"),
    *("meter", "diag", "quantize", "stream"),
)
SECTION = re.compile(r"/\* cffi-begin \*/(.*?)/\* cffi-end \*/", re.DOTALL)


def declarations(include: Path) -> str:
    """Return the text between the cffi markers of every header, in include order, without AMP_API."""
    parts = []
    for name in HEADERS:
        sections = SECTION.findall((include / f"{name}.h").read_text(encoding="utf-8"))
        if not sections:
            raise ValueError(
                f"{name}.h: no section between cffi-begin and cffi-end. Mark what Python may call."
            )
        parts += sections
    return re.sub(r"\bAMP_API\s+", "", "\n".join(parts))


ffibuilder = FFI()
ffibuilder.cdef(declarations(Path(__file__).resolve().parents[1] / "include" / "amp"))
ffibuilder.set_source("amp_lab._native._amp_native", '#include "amp/amp.h"', py_limited_api=True)
