"""Write or check the stub of the builders: ``python -m amp_lab.catalog --write-stubs FILE``, ``--check``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from amp_lab.catalog import BY_ID, stubs
from amp_lab.common import atomic_files

STUB = Path(__file__).parents[1] / "graph" / "builders.pyi"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the stub, and return the exit code."""
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
