"""Sealed blobs (``graph.h``, ``history.h``): magic, version, length and checksum, then the payload."""

from __future__ import annotations

import struct

import numpy as np

from amp_lab.errors import BlobError, GraphError
from amp_lab.lowlevel.calls import Samples
from amp_lab.lowlevel.library import checksum

HEADER = struct.Struct("<4sIQQ")


def seal(magic: bytes, payload: bytes, version: int = 1) -> bytes:
    """Prefix a payload with magic, version, length and FNV-1a-64 checksum."""
    return HEADER.pack(magic, version, len(payload), checksum(payload)) + payload


def version_of(blob: bytes) -> int:
    """Return the version of a sealed blob's layout, once `unseal` took it."""
    version: int = HEADER.unpack_from(blob)[1]
    return version


def unseal(magic: bytes, blob: bytes, newest: int = 1) -> bytes:
    """Return the payload of a sealed blob of version 1 to `newest`.

    Raises
    ------
    BlobError
        If the header, the length or the checksum is wrong.
    """
    kind = magic.decode()
    if len(blob) < HEADER.size:
        raise BlobError(
            f"{kind} blob: too short (got {len(blob)} bytes, allowed {HEADER.size} or more). Encode it again."
        )
    found, version, size, digest = HEADER.unpack_from(blob)
    payload = blob[HEADER.size :]
    readable = 1 if newest == 1 else f"1 to {newest}"
    checks = (
        ("magic", repr(found), repr(magic)),
        ("version", version, version if 1 <= version <= newest else readable),
        ("payload length", len(payload), size),
        ("checksum", checksum(payload), digest),
    )
    for what, got, allowed in checks:
        if got != allowed:
            raise BlobError(f"{kind} blob: wrong {what} (got {got}, allowed {allowed}). Encode it again.")
    return payload


def text(value: str) -> bytes:
    """u16 length and utf-8 bytes."""
    data = value.encode()
    if len(data) > 0xFFFF:
        raise GraphError(
            f"text {value[:20]!r}...: too long (got {len(data)} bytes, allowed 65535). Shorten it."
        )
    return struct.pack("<H", len(data)) + data


def tensor(value: Samples) -> bytes:
    """u32 batches, u32 channels, u64 frames and the float64 values in (batch, channel, frame) order."""
    return struct.pack("<IIQ", *value.shape) + np.ascontiguousarray(value, dtype="<f8").tobytes()


def counted(parts: list[bytes]) -> bytes:
    """u32 count and the parts."""
    return struct.pack("<I", len(parts)) + b"".join(parts)
