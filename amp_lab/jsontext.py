"""JSON a person can read and diff: sorted keys, short parts on one line, floats that keep their bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from amp_lab.errors import GraphError

WIDTH = 100


def dumps(value: Any) -> str:
    """Format a JSON value, ending with a newline; NaN and Inf are refused with `ValueError`."""
    return _format(value, "") + "\n"


def read_json(source: str | Path) -> Any:
    """Parse a JSON file, given as a `Path`, or JSON text, given as a str.

    Raises
    ------
    GraphError
        If there is no such file, it is not text, or not JSON: with path, line and column.
    """
    where, text = (str(source), _text(source)) if isinstance(source, Path) else ("JSON text", source)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cure = "Mend it there, or save it again."
        place = f"line {error.lineno}, column {error.colno}"
        raise GraphError(f"{where}: not JSON ({error.msg} at {place}). {cure}", stage="load") from None
    except (RecursionError, TypeError, ValueError) as error:
        raise GraphError(f"{where}: cannot be read as JSON ({error}). Give text.", stage="load") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        what = f"{path}: {error.strerror or error}. Give the path of a JSON file."
        raise GraphError(what, stage="load") from None
    except UnicodeDecodeError as error:
        what = f"{path}: not a text file (byte {error.start} is not UTF-8). Give a JSON file."
        raise GraphError(what, stage="load") from None


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
