"""What the pytest fixtures `amp_golden` and `golden` give to a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .verdict import GoldenMismatch, Verdict
from .verify import check


class Checker:
    """Holds renders against stored cases for one test."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def __call__(self, name: str, render: Any, *, goldens: str | Path | None = None) -> Verdict:
        """Return the verdict if the case passes.

        Parameters
        ----------
        name : str
            Folder below `goldens/`.
        render : Render
        goldens : path, optional
            See `folders.find`.

        Raises
        ------
        GoldenMismatch
            The render differs from the case, or the case cannot be read; its text is the verdict's.
        """
        __tracebackhide__ = True
        verdict = check(name, render, goldens=goldens)
        if not verdict:
            raise GoldenMismatch([verdict])
        return verdict
