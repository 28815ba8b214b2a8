"""One JupyterLab and one browser for all tests; a page of its own for each notebook."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.lab import Book, Lab, chromium

expect.set_options(timeout=60_000)  # machines differ


def _missing(reason: str) -> None:
    if os.environ.get("AMP_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason} (AMP_REQUIRE_BROWSER=1)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    path = chromium()
    if path is None:
        _missing("no chromium on this machine (Debian: apt install chromium): widgets not tried in a browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab with the installed package."""
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def notebook(lab: Lab, browser: Browser) -> Iterator[Callable[..., Book]]:
    """Open a notebook with these cells and run it; its page must end without an error on the console."""
    books: list[Book] = []

    def show(cells: Sequence[str], *, name: str = "") -> Book:
        name = name or f"book_{time.monotonic_ns()}"
        if not (lab.books / f"{name}.ipynb").exists():
            lab.write(name, cells)
        book = lab.open(browser, name)
        books.append(book)
        book.run_all()
        return book

    yield show
    for book in books:
        book.close()
    errors = [error for book in books for error in book.errors]
    assert errors == []
