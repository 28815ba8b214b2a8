"""What `manifest.json` holds, checked value by value: a folder of goldens may come from anyone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amp_lab import checks, jsontext, npz, regular_files
from amp_lab.errors import AmpError, FileError, quoted

from .comparators import check_limits

SCHEMA = 2
SEALED = ("graph.json", "controls.json", "reference.npz", "sums.txt")
"""Files whose digests it holds; `controls.json` only if there is one."""
MOST_BYTES = regular_files.MIB
MOST_SAMPLES = npz.MOST_BYTES // 8
CURE = "Restore the file from version control."
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "render": {"frames": int, "batches": int, "channels": int, "sample_rate": float},
    "comparator": {"name": str, "limits": dict, "reason": str},
    "blessed": {"by": str, "on": str, "reason": str},
    "files": {file: str for file in SEALED if file != "controls.json"},
}
"""What it holds at least, group by group."""


def read(path: Path) -> dict[str, Any]:
    """Return the parsed manifest.

    Raises
    ------
    FileError
        It cannot be read, or holds something else, with the place.
    """
    where = f"{path.parent.name}/{path.name}"
    data = jsontext.read_json(path, MOST_BYTES)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise FileError(
            f"{where}: unknown schema (got {quoted(schema)}, allowed {SCHEMA}). "
            "Use the version that wrote it, or bless the case again."
        )
    jsontext.refuse(where, _problems(data))
    return dict(data)


def _problems(data: Mapping[str, Any]) -> list[str]:
    if not isinstance(data.get("digest"), str):
        return [f"$.digest: damaged (got {quoted(data.get('digest'))}, allowed text). {CURE}"]
    for group, fields in _FIELDS.items():
        held = data.get(group)
        if not isinstance(held, dict) or not fields.keys() <= held.keys():
            allowed = ", ".join(sorted(fields))
            return [f"$.{group}: damaged (got {quoted(held)} as {group}, allowed {allowed}). {CURE}"]
        for key, kind in fields.items():
            allowed_kinds = (int, float) if kind is float else kind
            if not isinstance(held[key], allowed_kinds) or isinstance(held[key], bool):
                got = f"got {quoted(held[key])}, allowed {kind.__name__}"
                return [f"{jsontext.place(f'$.{group}', key)}: damaged ({got}). {CURE}"]
    return (
        _strange_seals(data["files"]) or _strange_sizes(data["render"]) or _strange_rule(data["comparator"])
    )


def _strange_seals(files: Mapping[str, Any]) -> list[str]:
    strange = [file for file, digest in files.items() if file not in SEALED or not isinstance(digest, str)]
    allowed = f"digests of {', '.join(SEALED)}"
    return [f"{jsontext.place('$.files', file)}: damaged (allowed {allowed}). {CURE}" for file in strange[:1]]


def _strange_sizes(render: Mapping[str, Any]) -> list[str]:
    sizes = [render[key] for key in ("frames", "batches", "channels")]
    try:
        for size in sizes:
            checks.whole("$.render", size, 1, MOST_SAMPLES)
        checks.whole("$.render", sizes[0] * sizes[1] * sizes[2], 1, MOST_SAMPLES)
    except AmpError as error:
        return [f"{error} {CURE}"]
    return []


def _strange_rule(rule: Mapping[str, Any]) -> list[str]:
    try:
        check_limits(rule["name"], rule["reason"], rule["limits"])
    except (AmpError, TypeError, ValueError) as error:
        return [f"$.comparator: {error} {CURE}"]
    return []
