"""The node types of the native library, read at import: ``catalog.types()``, ``catalog["svf"]``."""

from __future__ import annotations

import sys
from types import ModuleType

from amp_lab.common import checks
from amp_lab.contracts import NodeContract
from amp_lab.lowlevel import library
from amp_lab.lowlevel.contracts import contracts

BY_ID = {contract.id: contract for contract in contracts()}
"""Contracts by type id; empty if ``AMP_ISA`` names an instruction set that this machine lacks."""


def types() -> tuple[str, ...]:
    """Return the ids of all node types, sorted.

    Raises
    ------
    InvalidArgument
        If ``AMP_ISA`` names an instruction set that this machine lacks.

    Examples
    --------
    >>> amp.catalog.types()[:4]
    ('average', 'batch_mix', 'biquad', 'constant')
    """
    library.require_isa()
    return tuple(BY_ID)


def contract(type_id: str) -> NodeContract:
    """Return the contract of a node type.

    Raises
    ------
    GraphError
        If there is no such type; the message lists the types and the nearest name.
    InvalidArgument
        If ``AMP_ISA`` names an instruction set that this machine lacks.

    Examples
    --------
    >>> amp.catalog.contract("gain").summary
    'Multiplies a signal by a factor.'
    >>> amp.catalog["svff"]
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: type: no such node type (got 'svff', allowed average | ... | wavefolder). Did
        you mean 'svf'?
    """
    found = BY_ID.get(type_id) if isinstance(type_id, str) else None
    return BY_ID[checks.choice("type", type_id, types(), "node type")] if found is None else found


class _Catalog(ModuleType):
    def __getitem__(self, type_id: str) -> NodeContract:
        return contract(type_id)


sys.modules[__name__].__class__ = _Catalog
