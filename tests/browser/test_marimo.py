"""The same widgets in marimo: a host without JupyterLab, served by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

NAMES = ("editor", "live", "panel", "scope", "spectrum", "spectrogram", "thermo", "timeline")
START_S = 40.0
HEAD = """
import marimo
app = marimo.App(width="full")

@app.cell
def _():
    import amp_lab as amp
    g = amp.presets.three_osc()
    r = g.render(seconds=0.5, heat=True, trace=True)
    return amp, g, r
"""
CELL = """
@app.cell
def _(amp, g, r):
    {name} = amp.{name}({what})
    {name}
    return ({name},)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where marimo serves an application of all widgets."""
    folder = tmp_path_factory.mktemp("marimo")
    cells = [
        CELL.format(name=name, what="g" if name in ("editor", "live", "panel") else "r") for name in NAMES
    ]
    (folder / "book.py").write_text("".join([HEAD, *cells, CELL.format(name="lab", what="g, seconds=0.5")]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"HOME": str(folder), "PYTHONSAFEPATH": "1", "MPLCONFIGDIR": str(folder)}
    command = [sys.executable, "-P", "-m", "marimo", "run", str(folder / "book.py"), "--headless"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--no-token", f"--port={port}"], env=environment, stdout=log, stderr=log
        )
        try:
            wait(f"http://127.0.0.1:{port}/", server, folder / "server.log")
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server responds."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"marimo did not start:\n{log.read_text()[-2000:]}")


def test_every_widget_lives_in_marimo(address: str, browser: Browser) -> None:
    """All are painted and respond; the workbench, which cannot be nested there, reports it. No errors."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)[:300]))
    page.on("console", lambda m: errors.append(m.text[:300]) if m.type == "error" else None)
    page.goto(address)
    for name in NAMES:
        page.wait_for_selector(f".amp-{name}[data-ready]", state="attached", timeout=30_000)
    page.wait_for_selector(".amp-workbench[data-ready=alone]", state="attached")
    digest = page.wait_for_selector(".amp-panel[data-digest]").get_attribute("data-digest")  # type: ignore[union-attr]
    entry = page.locator(".amp-panel input[aria-label='flt.q value']")
    entry.fill("8")
    entry.press("Enter")
    page.wait_for_selector(f".amp-panel[data-digest]:not([data-digest='{digest}'])")
    page.wait_for_selector(".amp-editor .react-flow__node[data-id=flt] .own:text-is('8')", state="attached")
    page.click(".amp-live [aria-label=Start]")
    page.wait_for_selector(".amp-live[data-state=live]")
    page.click(".amp-live [aria-label=Stop]")
    page.wait_for_selector(".amp-live[data-state=stopped]")
    expect(page.locator(".amp-workbench")).to_contain_text("w.editor")
    assert [error for error in errors if "favicon" not in error] == []
    page.close()
