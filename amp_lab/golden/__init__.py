"""Goldens: stored renders that later renders must reproduce, and reports of the first difference."""

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
    """Return the public names, without those of modules."""
    return sorted(__all__)
