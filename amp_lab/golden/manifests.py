"""What `manifest.json` holds, checked value by value: a folder of goldens may come from anyone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amp_lab.common import checks, json_text, npz
from amp_lab.errors import AmpError, FileError, plain, quoted

from . import contents
from .comparators import check_limits

SCHEMA = 2
OLD_SCHEMA = 1
"""Holds no digests of files; `golden.update` writes the present one."""
SEALED = tuple(file for file in contents.FILES if file != contents.MANIFEST)
"""Files whose digests it holds; `controls.json` only if there is one."""
MOST_SAMPLES = npz.MOST_BYTES // 8
MOST_RATE_HZ = 1e7
CURE = contents.CURE
_ALLOWED = "64 hexadecimal digits"
_DIGEST = re.compile("[0-9a-f]{64}")
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "render": {"frames": int, "batches": int, "channels": int, "sample_rate": float},
    "comparator": {"name": str, "limits": dict, "reason": str},
    "blessed": {"by": str, "on": str, "reason": str},
    "files": {file: str for file in SEALED if file != contents.CONTROLS},
}
"""What it holds at least, group by group."""


def read(case: contents.OpenCase) -> dict[str, Any]:
    """Return the parsed manifest; one of schema 1 with no files that it vouches for.

    Raises
    ------
    FileError
        It cannot be read, or holds something else, with the place.
    """
    where = f"{plain(case.name)}/{contents.MANIFEST}"
    text = case.text(contents.MANIFEST)
    data = json_text.read_json(text, contents.MOST_BYTES[contents.MANIFEST], where)
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, bool) or schema not in (OLD_SCHEMA, SCHEMA):
        raise FileError(
            f"{where}: unknown schema (got {quoted(schema)}, allowed {OLD_SCHEMA} | {SCHEMA}). "
            "Use the version that wrote it, or bless the case again."
        )
    if schema == OLD_SCHEMA:
        data["files"] = {}
    json_text.refuse(where, _problems(data))
    return dict(data)


def _problems(data: Mapping[str, Any]) -> list[str]:
    if not _is_digest(data.get("digest")):
        return [f"$.digest: damaged (got {quoted(data.get('digest'))}, allowed {_ALLOWED}). {CURE}"]
    for group, fields in _fields(data).items():
        held = data.get(group)
        if not isinstance(held, dict) or not fields.keys() <= held.keys():
            allowed = ", ".join(sorted(fields))
            return [f"$.{group}: damaged (got {quoted(held)} as {group}, allowed {allowed}). {CURE}"]
        for key, kind in fields.items():
            allowed_kinds = (int, float) if kind is float else kind
            if not isinstance(held[key], allowed_kinds) or isinstance(held[key], bool):
                got = f"got {quoted(held[key])}, allowed {kind.__name__}"
                return [f"{json_text.place(f'$.{group}', key)}: damaged ({got}). {CURE}"]
    return (
        _strange_seals(data["files"]) or _strange_sizes(data["render"]) or _strange_rule(data["comparator"])
    )


def _fields(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, type]]:
    return {
        group: fields for group, fields in _FIELDS.items() if group != "files" or data["schema"] == SCHEMA
    }


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _strange_seals(files: Mapping[str, Any]) -> list[str]:
    strange = [file for file, digest in files.items() if file not in SEALED or not _is_digest(digest)]
    allowed = f"digests ({_ALLOWED}) of {', '.join(SEALED)}"
    return [
        f"{json_text.place('$.files', file)}: damaged (allowed {allowed}). {CURE}" for file in strange[:1]
    ]


def _strange_sizes(render: Mapping[str, Any]) -> list[str]:
    sizes = [render[key] for key in ("frames", "batches", "channels")]
    try:
        for size in sizes:
            checks.whole("$.render", size, 1, MOST_SAMPLES)
        checks.whole("$.render", sizes[0] * sizes[1] * sizes[2], 1, MOST_SAMPLES)
        if not 1 <= render["sample_rate"] <= MOST_RATE_HZ:
            got = f"got {quoted(render['sample_rate'])}, allowed 1 to {MOST_RATE_HZ:g} Hz"
            return [f"$.render.sample_rate: out of range ({got}). {CURE}"]
    except AmpError as error:
        return [f"{error} {CURE}"]
    return []


def _strange_rule(rule: Mapping[str, Any]) -> list[str]:
    try:
        check_limits(rule["name"], rule["reason"], rule["limits"])
    except (AmpError, TypeError, ValueError) as error:
        return [f"$.comparator: {error} {CURE}"]
    return []
