"""Jupyter server extension: nothing stands in the way of messages between kernel and page.

They are not held back (Nagle's algorithm is off): every small message may wait for the answer to the one
before, which costs a slider 30 ms and more. And JupyterLab changes its icon when a kernel is busy and when it
is idle again: browsers may keep the icons, or each move of a slider asks the server for two files while its
messages wait.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "amp_lab.jupyter"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Give kernels a connection that sends at once; a server that has none is left as it is."""
    settings = app.web_app.settings
    kept = settings.get("static_immutable_cache", [])
    settings["static_immutable_cache"] = [*kept, f"{settings.get('base_url', '/')}static/favicons/"]
    base: Any = settings.get("kernel_websocket_connection_class")
    if base is None:
        return

    class PromptConnection(base):  # type: ignore[misc]
        """The server's own connection, with TCP_NODELAY on its socket."""

        def connect(self) -> Any:
            """Connect the page to the kernel."""
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    settings["kernel_websocket_connection_class"] = PromptConnection
