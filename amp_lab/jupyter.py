"""Jupyter server extension: nothing stands in the way of messages between kernel and page.

They are not held back (Nagle's algorithm is off): every small message may wait for the answer to the one
before, which costs a slider 30 ms and more. And a kernel is not said to be busy while it spends a moment on a
widget's message: with each move of a slider JupyterLab would lay out its toolbar anew and fetch another icon,
and back again, while the answer waits. What the server has made until the first page comes is left out of
Python's later collections of garbage: one that looks at all of it takes 0.1 s, in which no sound passes.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Sequence
from typing import Any

MOMENT_S = 0.1
"""A kernel that is busy with a widget's message for longer is said to be."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "amp_lab.jupyter"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Give kernels a connection that sends at once; a server that has none is left as it is."""
    settings = app.web_app.settings
    base: Any = settings.get("kernel_websocket_connection_class")
    if base is None:
        return

    class PromptConnection(base):  # type: ignore[misc]
        """The server's own connection, with TCP_NODELAY on its socket and fewer words."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._late: dict[str, asyncio.TimerHandle] = {}

        def connect(self) -> Any:
            """Connect the page to the kernel."""
            self.websocket_handler.set_nodelay(True)
            if not gc.get_freeze_count():
                gc.collect()
                gc.freeze()
            return super().connect()

        def disconnect(self) -> Any:
            """End the connection, with what is not said yet."""
            for busy in self._late.values():
                busy.cancel()
            return super().disconnect()

        def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
            """Send a message of the kernel to the page; late or never, if a widget keeps it busy."""
            send = super().handle_outgoing_message
            wish, state = _status(self.session.feed_identities(outgoing_msg)[1])
            if state == "busy":
                self._late[wish] = asyncio.get_running_loop().call_later(MOMENT_S, send, stream, outgoing_msg)
                return
            if wish in self._late:
                self._late.pop(wish).cancel()
            send(stream, outgoing_msg)

    settings["kernel_websocket_connection_class"] = PromptConnection


def _status(parts: Sequence[bytes]) -> tuple[str, str]:
    """Return of which widget's message a status tells, and what; empty for any other message."""
    _, header, parent, _, content = parts[:5]
    if b'"status"' not in header or b'"comm_msg"' not in parent:
        return "", ""
    return json.loads(parent)["msg_id"], json.loads(content)["execution_state"]
