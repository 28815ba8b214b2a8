"""A real JupyterLab with the installed package, all its folders inside one, and notebooks in pages of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from amp_lab.widgets.disk import OFF

TOKEN = "amp"
START_S = 60.0
VIEWPORT = {"width": 1280, "height": 800}
RUN_ALL = """async () => {
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  while (!window.jupyterapp) await sleep(20);
  const app = window.jupyterapp;
  await app.restored;
  let widget;
  while (!(widget = app.shell.currentWidget) || !widget.sessionContext) await sleep(20);
  await widget.revealed;
  await widget.context.ready;
  await widget.sessionContext.ready;
  await widget.sessionContext.session.kernel.info;
  return app.commands.execute('notebook:run-all-cells');
}"""
EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, silent: false, store_history: false});
  let text = '';
  future.onIOPub = ({content, header}) => {
    if (header.msg_type === 'stream') text += content.text;
    if (header.msg_type === 'error') text += content.traceback.join('\\n');
  };
  const reply = await future.done;
  return {status: reply.content.status, text};
}"""
START = """(code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  window.ampBusy = true;
  const future = kernel.requestExecute({code, silent: false, store_history: false});
  future.done.then(() => { window.ampBusy = false; });
}"""
BENIGN = (
    "stream.stderr",  # what ipykernel sends, malformed, while a kernel shuts down
    "favicon",
    "Failed to load resource: the server responded with a status of 404",
    "Could not restore the debugger state",  # of a kernel that was shut down meanwhile
)


def chromium() -> str | None:
    """Path of a Chromium or Chrome on this machine."""
    names = (os.environ.get("AMP_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def notebook_bytes(path: Path) -> bytes:
    """A notebook's file as it was saved: the server empties it before it writes, so a part is read again."""
    for _ in range(100):
        data = path.read_bytes()
        with contextlib.suppress(ValueError):
            json.loads(data)
            return data
        time.sleep(0.05)
    raise AssertionError(f"{path} is never whole: {data[:200]!r}")


@dataclass
class Book:
    """A notebook in a page; ``errors`` holds what the console complained about and was not ``expected``."""

    page: Page
    errors: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = BENIGN

    def python(self, code: str) -> str:
        """Run code in the kernel, outside of the cells; returns what it prints."""
        answer: dict[str, str] = self.page.evaluate(EXECUTE, code)
        assert answer["status"] == "ok", answer["text"]
        return answer["text"].strip()

    def value(self, expression: str) -> Any:
        """Value of an expression in the kernel, through JSON."""
        return json.loads(self.python(f"import json; print(json.dumps({expression}))"))

    def start(self, code: str) -> None:
        """Let the kernel run code and return at once."""
        self.page.evaluate(START, code)

    def eventually(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; a minute, since machines differ."""
        for _ in range(600):
            if true():
                return
            self.page.wait_for_timeout(100)
        assert true()

    def run_all(self) -> None:
        """Run all cells, once the notebook can really run."""
        assert self.page.evaluate(RUN_ALL), self.page.locator(".jp-OutputArea-output").all_inner_texts()

    def theme(self, name: str) -> None:
        """Change the theme of the page: ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def close(self) -> None:
        """Shut the kernel down and close the page."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()


class Lab:
    """A JupyterLab server; use as a context."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.books = folder / "books"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def __enter__(self) -> Lab:
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "MPLCONFIGDIR": "matplotlib",
        }
        environment = os.environ | {key: str(self.folder / name) for key, name in places.items()}
        environment["PYTHONSAFEPATH"] = "1"
        for name in OFF:  # a person works here: edits in views are saved
            environment.pop(name, None)
        for name in (*places.values(), "books"):
            (self.folder / name).mkdir(exist_ok=True)
        news = self.folder / "settings" / "@jupyterlab" / "apputils-extension"
        news.mkdir(parents=True)
        (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        command = [
            str(Path(sys.executable).with_name("jupyter-lab")),
            "--no-browser",
            "--allow-root",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            f"--ServerApp.root_dir={self.books}",
            *self.options,
        ]
        self._log = (self.folder / "server.log").open("w")
        self._server = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(timeout=20)
        self._log.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url('api')}", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        self._server.kill()
        raise RuntimeError(f"jupyter lab did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}")

    def url(self, path: str) -> str:
        """Address of a page."""
        return f"http://127.0.0.1:{self.port}/{path}?token={TOKEN}"

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Write a notebook of code cells."""
        code = [
            {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [],
             "execution_count": None}
            for i, source in enumerate(cells)
        ]  # fmt: skip
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": code}
        (self.books / f"{name}.ipynb").write_text(json.dumps(book))

    def open(self, browser: Browser, name: str) -> Book:
        """Open a notebook in a page of its own."""
        page = browser.new_page(viewport=VIEWPORT)  # type: ignore[arg-type]
        book = Book(page)

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and not any(word in message.text for word in book.expected):
                book.errors.append(f"{message.text[:300]} {message.location}")

        def thrown(error: Error) -> None:
            if not any(word in error.message for word in book.expected):
                book.errors.append(f"page: {error.message} {error.stack}"[:600])

        def local(request: Request) -> None:
            if not request.url.startswith(
                (f"http://127.0.0.1:{self.port}/", "blob:", "data:", "ws://127.0.0.1")
            ):
                book.errors.append(f"asked another host: {request.url[:200]}")

        page.on("request", local)
        page.on("console", note)
        page.on("pageerror", thrown)
        page.goto(f"{self.url(f'lab/tree/{name}.ipynb')}&reset")
        page.wait_for_selector(".jp-Notebook", timeout=60_000)
        page.evaluate(
            "async () => { while (!window.jupyterapp) await new Promise((r) => setTimeout(r, 20)); }"
        )
        page.evaluate("() => jupyterapp.shell.collapseLeft()")
        page.wait_for_selector("body[data-jp-theme-light]", state="attached")
        # the server keeps the last theme
        if page.get_attribute("body", "data-jp-theme-light") == "false":
            book.theme("JupyterLab Light")
        return book
