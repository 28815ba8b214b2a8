"""Words of the enumerations, derived from the names of the C constants.

``AMP_GATHER_CONCAT`` is ``"concat"`` in all of Python; there is no other list of words.
"""

from __future__ import annotations

from typing import cast

from amp_lab._native import lib
from amp_lab.contracts import ParamKind, Rate
from amp_lab.errors import InternalError


def _numbers(prefix: str) -> dict[str, int]:
    """Numbers by word of the constants whose names begin so, in the order of the numbers."""
    found = {
        name.removeprefix(prefix).lower(): getattr(lib, name) for name in _NAMES if name.startswith(prefix)
    }
    return dict(sorted(found.items(), key=lambda entry: int(entry[1])))


def _words(prefix: str) -> tuple[str, ...]:
    """Words of an enumeration: its constants count up from 0."""
    found = _numbers(prefix)
    if list(found.values()) != list(range(len(found))) or not found:
        raise InternalError(f"{prefix}*: does not count up from 0 (got {found}). Please report it.")
    return tuple(found)


_NAMES = dir(lib)
PARAM_KINDS = cast("tuple[ParamKind, ...]", _words("AMP_PARAM_"))
RATES = cast("tuple[Rate, ...]", _words("AMP_RATE_"))
SCALES = _words("AMP_SCALE_")
RANGES = _words("AMP_RANGE_")
CHANNELS = _words("AMP_CHANNELS_")
GATHERS = _words("AMP_GATHER_")
SCATTERS = _words("AMP_SCATTER_")
MAPS = _words("AMP_MAP_")
ADJOINTS = _words("AMP_ADJOINT_")
IOS = _words("AMP_IO_")
"""Roles of a node in its graph: none, source, sink."""
LAWS = _numbers("AMP_LAW_")
"""Bit of each law."""
POLICIES = _words("AMP_TAP_")
"""Of taps."""
PHASES = _words("AMP_PHASE_")
"""Of a run, as a flight record names them."""
CURVES = _words("AMP_CURVE_")
"""How a curve goes from one point to the next."""
