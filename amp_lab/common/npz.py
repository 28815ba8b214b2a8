"""Read arrays of ``.npz`` files; sizes in headers are checked before anything is unpacked."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.common import regular_files
from amp_lab.errors import FileError, plain, quoted

MOST_BYTES = 512 * regular_files.MIB
"""Of a file, and of all its arrays unpacked."""
MOST_MEMBERS = 100_000
_HEAD_BYTES = 512  # of a member, before its values: numpy writes 128
_PIECE = regular_files.MIB
_HEAD = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<|]\w{2,3})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,19}, ?)*(?:\d{1,19})?)\), \} *\n",
    re.DOTALL,
)
_CURE = "Restore the file from version control."


def read(path: Path, members: Mapping[str, tuple[str, int]]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file by name.

    Parameters
    ----------
    path
        A regular file.
    members
        What it may hold: dtype (``u1``, ``f8``) and number of axes, by a regular expression of the name.

    Raises
    ------
    FileError
        With the path and the member: another name, dtype or size, pickled objects, more than `MOST_BYTES`.
    """
    where = plain(path, 200)
    return parse(where, regular_files.read_bytes(path, MOST_BYTES, _CURE), members)


def parse(where: str, data: bytes, members: Mapping[str, tuple[str, int]]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file whose bytes are at hand; errors begin with ``where``; else as `read`."""
    if data.count(b"PK\x01\x02") > MOST_MEMBERS:  # how each entry of the list of contents begins
        raise FileError(f"{where}: too many arrays (allowed {MOST_MEMBERS}). {_CURE}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = dict(_checked(where, archive, members))
            return {key: _array(f"{where}: {key}", archive, *entry) for key, entry in found.items()}
    except FileError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise FileError(f"{where}: no readable npz file ({error}). {_CURE}") from None


def _checked(
    where: str, archive: zipfile.ZipFile, members: Mapping[str, tuple[str, int]]
) -> Iterator[tuple[str, tuple[zipfile.ZipInfo, str, int]]]:
    """Yield what is to be unpacked, after a look at the whole list of contents."""
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES:
        got = f"got {total} bytes, allowed {MOST_BYTES}"
        raise FileError(f"{where}: unpacks to too much ({got}). {_CURE}")
    if len({info.filename for info in infos}) < len(infos):
        raise FileError(f"{where}: holds an array twice. {_CURE}")
    for info in infos:
        key = info.filename.removesuffix(".npy")
        expected = [value for pattern, value in members.items() if re.fullmatch(pattern, key)]
        packed = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not expected or info.filename == key or info.compress_type not in packed:
            allowed = ", ".join(members)
            raise FileError(
                f"{where}: does not belong here (got {quoted(info.filename)}, allowed {allowed}, stored or "
                f"deflated). {_CURE}"
            )
        yield key, (info, *expected[0])


def _array(
    where: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, dtype: str, axes: int
) -> npt.NDArray[Any]:
    with archive.open(info) as stream:
        start = stream.read(_HEAD_BYTES)
        head = _HEAD.match(start)
        if head is None or int.from_bytes(head[1], "little") != head.end() - 10:
            raise FileError(f"{where}: no array as numpy writes it (version 1.0). {_CURE}")
        found, shape = head[2].decode(), tuple(int(size) for size in re.findall(rb"\d+", head[4]))
        if found.lstrip("|<") != dtype or len(shape) != axes:
            got = f"got {found} {shape}, allowed {dtype} with {axes} axes"
            raise FileError(f"{where}: another kind of array ({got}). {_CURE}")
        kind = np.dtype(f"<{dtype}")
        size = math.prod(shape) * kind.itemsize
        if size != info.file_size - head.end():
            got = f"got {info.file_size - head.end()} bytes, its header says {size}"
            raise FileError(f"{where}: another size ({got}). {_CURE}")
        values = np.empty(size, np.uint8)
        piece, done = start[head.end() :], 0
        while piece:
            values[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
            piece = stream.read(_PIECE)
    if done != size:
        raise FileError(f"{where}: ends too early (got {done} bytes, allowed {size}). {_CURE}")
    return values.view(kind).reshape(shape, order="F" if head[3] == b"True" else "C")
