"""Goldens: stored renders that hold the engine to its bits, and where a result parts from them."""

from .cases import Case, list_cases
from .comparators import COMPARATORS, compare
from .export import export
from .folders import find
from .isa import verify_isa_levels
from .store import store
from .update import update
from .verdict import BLOCK_FRAMES, Comparison, GoldenError, GoldenMismatch, Mismatch, Verdict
from .verify import check, verdicts, verify

__all__ = [
    "BLOCK_FRAMES",
    "COMPARATORS",
    "Case",
    "Comparison",
    "GoldenError",
    "GoldenMismatch",
    "Mismatch",
    "Verdict",
    "check",
    "compare",
    "export",
    "find",
    "list_cases",
    "store",
    "update",
    "verdicts",
    "verify",
    "verify_isa_levels",
]


def __dir__() -> list[str]:
    """Name what is for use, not the modules behind it."""
    return sorted(__all__)
