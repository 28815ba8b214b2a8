"""JSON a person can read and diff: sorted keys, short parts on one line, floats that keep their bits."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 100


def dumps(value: Any) -> str:
    """Format a JSON value, ending with a newline; NaN and Inf are refused with `ValueError`."""
    return _format(value, "") + "\n"


def _format(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    is_leaf = not isinstance(value, dict | list) or not value
    if is_leaf or (len(line) <= WIDTH and "{" not in line[1:]):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(k, ensure_ascii=False)}: {_format(v, inner)}" for k, v in sorted(value.items())
        )
        return "{\n" + ",\n".join(inner + pair for pair in pairs) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _format(item, inner) for item in value) + f"\n{indent}]"
