"""The node types of the native library, read once at import: ``catalog.types()``, ``catalog["svf"]``.

``python -m amp_lab.catalog --write-stubs FILE`` writes the typing stub of the builders, ``--check`` fails on
drift.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

from amp_lab import atomic_files, checks, lowlevel_library
from amp_lab.contracts import NodeContract
from amp_lab.lowlevel_contracts import contracts

BY_ID = {contract.id: contract for contract in contracts()}
"""Contracts by type; none if ``AMP_ISA`` names an instruction set that this machine lacks."""
STUB = Path(__file__).with_name("_builders.pyi")


def types() -> tuple[str, ...]:
    """Ids of all node types, ordered.

    Raises
    ------
    InvalidArgument
        If ``AMP_ISA`` names an instruction set that this machine lacks.
    """
    lowlevel_library.require_isa()
    return tuple(BY_ID)


def contract(type_id: str) -> NodeContract:
    """Return the contract of a node type.

    Raises
    ------
    GraphError
        If there is no such type, with the list and the nearest name.
    InvalidArgument
        If ``AMP_ISA`` names an instruction set that this machine lacks.
    """
    found = BY_ID.get(type_id) if isinstance(type_id, str) else None
    return BY_ID[checks.choice("type", type_id, types(), "node type")] if found is None else found


class _Catalog(ModuleType):
    def __getitem__(self, type_id: str) -> NodeContract:
        return contract(type_id)


sys.modules[__name__].__class__ = _Catalog


def main(arguments: list[str] | None = None) -> int:
    """Write or check the stub; returns the exit code."""
    from amp_lab.nodes import stubs  # noqa: PLC0415 - the stubs need this module

    parser = argparse.ArgumentParser(prog="python -m amp_lab.catalog", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--write-stubs", type=Path, metavar="FILE", help="write the typing stub of the builders"
    )
    action.add_argument("--check", action="store_true", help="fail if the stub differs from the contracts")
    options = parser.parse_args(arguments)
    text = stubs.render(BY_ID.values())
    if options.write_stubs:
        atomic_files.write(options.write_stubs, text)
        return 0
    if STUB.exists() and STUB.read_text(encoding="utf-8") == text:
        return 0
    print(
        f"{STUB.name}: differs from the native contracts. Run make stubs.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
