"""Jupyter server extension: messages between our widgets and their kernel are not delayed by the server.

It changes connections of jupyter_server's own class, not of others (such as a gateway's), and does nothing if
the server runs with ``AMP_JUPYTER=0``:

* The sockets of connections send at once (TCP_NODELAY); otherwise every small message may wait for the answer
  to the one before, which costs a slider 30 ms and more.
* A kernel that has opened a widget of amp_lab is not reported busy for a widget's message that takes less
  than `MOMENT_S`: with each move of a slider JupyterLab would lay out its toolbar again, and back again,
  while the answer waits. What other kernels report passes untouched.
* While such a kernel is connected, older objects of the server are excluded from Python's garbage collection:
a
  collection of all objects takes 0.1 s, in which no live sound is sent.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Sequence
from typing import Any

MOMENT_S = 0.1
"""A kernel that is busy with a widget's message for longer is reported busy."""
OURS = b'"_anywidget_id": "amp_lab.'
"""In the message that opens a widget of ours, with spaces as the kernel's JSON has them, or without."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "amp_lab.jupyter"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Give kernels a connection that sends at once, if theirs is jupyter_server's own."""
    settings = app.web_app.settings
    key = "kernel_websocket_connection_class"
    if os.environ.get("AMP_JUPYTER", "") != "0" and settings.get(key) is _standard():
        settings[key] = prompt(settings[key])


def _standard() -> Any:
    """Return jupyter_server's own class of connections; an object that is no class if it has moved."""
    try:
        from jupyter_server.services.kernels.connection import channels  # noqa: PLC0415 - the server has it
    except ImportError:
        return object()
    return getattr(channels, "ZMQChannelsWebsocketConnection", object())


def prompt(base: Any) -> Any:
    """Return a class of connections that behaves as the module says; made once per server."""
    kernels: set[str] = set()
    """Ids of the kernels that have opened a widget of ours."""
    connected: set[Any] = set()
    """Connections to them that are open; while there are any the collector leaves old objects alone."""

    class PromptConnection(base):  # type: ignore[misc]
        """A connection of jupyter_server's, see the module."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._late: dict[str, asyncio.TimerHandle] = {}

        def connect(self) -> Any:
            """Connect the page to the kernel."""
            self.websocket_handler.set_nodelay(True)
            if self.kernel_id in kernels:
                self._attend()
            return super().connect()

        def disconnect(self) -> Any:
            """End the connection; a report that waits is dropped."""
            for busy in self._late.values():
                busy.cancel()
            if self in connected:
                connected.remove(self)
                if not connected:
                    gc.unfreeze()
            return super().disconnect()

        def _attend(self) -> None:
            kernels.add(self.kernel_id)
            if not connected:
                gc.collect()
                gc.freeze()
            connected.add(self)

        def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
            """Send a message of the kernel to the page; ``busy`` of a widget's message late or never."""
            send = super().handle_outgoing_message
            parts = self.session.feed_identities(outgoing_msg)[1]
            if self not in connected:
                if _opens_ours(parts):
                    self._attend()
                send(stream, outgoing_msg)
                return
            request, state = _status(parts)
            if state == "busy":
                self._late[request] = asyncio.get_running_loop().call_later(
                    MOMENT_S, send, stream, outgoing_msg
                )
                return
            if request in self._late:
                self._late.pop(request).cancel()
            send(stream, outgoing_msg)

    return PromptConnection


def _opens_ours(parts: Sequence[Any]) -> bool:
    """Whether a message opens a widget of ours; its content holds a bundle: searched, not parsed."""
    if len(parts) < 5 or b"comm_open" not in bytes(parts[1]):
        return False
    content = bytes(parts[4])
    return OURS in content or OURS.replace(b" ", b"") in content


def _status(parts: Sequence[Any]) -> tuple[str, str]:
    """Return which widget's message a status is about, and the state; empty texts for any other message."""
    if len(parts) < 5:
        return "", ""
    header, parent, content = bytes(parts[1]), bytes(parts[2]), bytes(parts[4])
    if b'"status"' not in header or b'"comm_msg"' not in parent:
        return "", ""
    try:
        return str(json.loads(parent)["msg_id"]), str(json.loads(content)["execution_state"])
    except (ValueError, KeyError, TypeError):
        return "", ""
