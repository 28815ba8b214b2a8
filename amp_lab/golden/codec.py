"""Lossless, compact coding of float64 samples for `reference.npz`.

The bits are mapped to integers in the order of the values, differenced along time (0 to 3 times, whichever is
smallest; integers wrap, so nothing is lost), and split into eight byte planes that deflate well.
Filtered three-oscillator stereo takes 52 % of its raw size, against 96 % for plain deflate.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from amp_lab.common import npz
from amp_lab.errors import FileError

from .verdict import GoldenError

_SIGN = np.uint64(1 << 63)
_ORDERS = range(4)
_MEMBERS = {"planes": ("u1", 2), "order": ("i8", 0), "shape": ("i8", 1), "loop/.+": ("u2", 1)}
_HEADS = 2**20
"""Bytes that are left for the headers of the arrays."""
_CURE = "Restore the file from version control."


def _to_ordered(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    bits = np.ascontiguousarray(samples, dtype="<f8").view("<u8")
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _from_ordered(ordered: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    bits = ordered >> np.uint64(63)
    bits -= np.uint64(1)
    bits |= _SIGN  # of a value that is not negative only the sign was turned, else every bit
    bits ^= ordered
    return bits.view(np.float64)


def _planes(samples: npt.NDArray[np.float64], order: int) -> npt.NDArray[np.uint8]:
    steps = _to_ordered(samples)
    for _ in range(order):
        steps = np.diff(steps, axis=-1, prepend=np.uint64(0))
    zigzag = (steps << np.uint64(1)) ^ (np.uint64(0) - (steps >> np.uint64(63)))
    return np.ascontiguousarray(zigzag.astype("<u8").reshape(-1).view(np.uint8).reshape(-1, 8).T)


def encode(case: str, samples: npt.NDArray[np.float64], loops: Mapping[str, npt.NDArray[np.uint16]]) -> bytes:
    """Return the file of samples `(B, C, N)` and the per-frame fingerprints of nodes in feedback loops.

    Raises
    ------
    GoldenError
        Together they are more than `decode` reads.
    """
    total = samples.nbytes + sum(prints.nbytes for prints in loops.values())
    if total > npz.MOST_BYTES - _HEADS:
        raise GoldenError(
            f"{case}: too long (got {total} bytes, allowed {npz.MOST_BYTES - _HEADS}). "
            "Bless a shorter render."
        )
    order = min(_ORDERS, key=lambda k: len(zlib.compress(_planes(samples, k).tobytes(), 6)))
    arrays: dict[str, npt.NDArray[np.generic]] = {f"loop/{name}": prints for name, prints in loops.items()}
    arrays |= {"planes": _planes(samples, order), "order": np.array(order), "shape": np.array(samples.shape)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def decode(where: str, data: bytes) -> tuple[npt.NDArray[np.float64], dict[str, npt.NDArray[np.uint16]]]:
    """Return what `encode` was given, to the bit; errors begin with `where`.

    Raises
    ------
    FileError
        It holds something else, or more than `npz.MOST_BYTES`.
    """
    arrays = npz.parse(where, data, _MEMBERS)
    sizes = [int(size) for size in arrays.get("shape", ())]
    frames = sizes[-1] if len(sizes) == 3 else 0
    loops = {key.removeprefix("loop/"): value for key, value in arrays.items() if key.startswith("loop/")}
    planes, order = arrays.get("planes"), arrays.get("order")
    fits = planes is not None and planes.shape == (8, math.prod(sizes)) and min(sizes, default=0) > 0
    if planes is None or order is None or not fits or int(order) not in _ORDERS or len(sizes) != 3:
        raise FileError(f"{where}: planes, order and shape do not fit together (got shape {sizes}). {_CURE}")
    if odd := [key for key, prints in loops.items() if prints.shape != (frames,)]:
        raise FileError(f"{where}: loop/{odd[0]}: has not {frames} frames. {_CURE}")
    return _decoded(planes, int(order), sizes), loops


def _decoded(planes: npt.NDArray[np.uint8], order: int, sizes: list[int]) -> npt.NDArray[np.float64]:
    """Undo `_planes`, in place: a reference may take half a gigabyte."""
    steps = np.ascontiguousarray(planes.T).reshape(-1).view("<u8").astype(np.uint64, copy=False)
    odd = steps & np.uint64(1)
    steps >>= np.uint64(1)
    steps ^= np.negative(odd, out=odd)
    steps = steps.reshape(sizes)
    for _ in range(order):
        np.cumsum(steps, axis=-1, out=steps)
    return _from_ordered(steps)
