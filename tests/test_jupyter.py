"""The Jupyter server extension, on a server that is not one: what reaches the page, and when."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.session import Session
from jupyter_server.gateway.connections import GatewayWebSocketConnection
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from amp_lab import jupyter

SESSION = Session(key=b"")


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Leave the collector of the tests as it was."""
    gc.unfreeze()
    yield
    gc.unfreeze()


class Connection:
    """What the extension extends: notes what is sent to the page."""

    def __init__(self, kernel_id: str = "one") -> None:
        self.kernel_id = kernel_id
        self.session = SESSION
        self.delays: list[bool] = []
        self.websocket_handler = SimpleNamespace(set_nodelay=self.delays.append)
        self.sent: list[str] = []
        self.open = True

    def connect(self) -> None:
        """Connect."""

    def disconnect(self) -> None:
        """Disconnect."""
        self.open = False

    def handle_outgoing_message(self, _: object, message: list[bytes]) -> None:
        """Send to the page."""
        said = SESSION.deserialize(SESSION.feed_identities(message)[1])
        self.sent.append(said["content"].get("execution_state", said["msg_type"]))


def connection() -> Any:
    """Open a connection of a server with the extension, to a kernel that shows a widget of ours."""
    line = jupyter.prompt(Connection)()
    open_widget(line)
    return line


def open_widget(line: Any, of: str = "amp_lab.widgets.editor.Editor") -> None:
    """Let the kernel open a widget."""
    state = {"_module": "anywidget", "_anywidget_id": of, "_esm": "export default {}"}
    say(
        line, "comm_open", SESSION.msg("execute_request"), target_name="jupyter.widget", data={"state": state}
    )
    line.sent.clear()


def say(to: Any, kind: str, parent: dict[str, Any], **content: Any) -> None:
    """Send an iopub message of the kernel that answers a message of the page."""
    to.handle_outgoing_message(None, SESSION.serialize(SESSION.msg(kind, content, parent), b"iopub"))


def ended(talk: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Run to the end, in a thread: the browser of other tests leaves this one a loop that runs."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, talk).result()


def test_old_objects_are_not_collected_while_our_widgets_are_shown() -> None:
    """The first widget freezes the server's present objects, the last connection releases them."""
    server = jupyter.prompt(Connection)
    first, second, foreign = server("one"), server("one"), server("two")
    for line in (first, foreign):
        line.connect()
    open_widget(foreign, "other.package.Widget")
    assert gc.get_freeze_count() == 0
    open_widget(first)
    frozen = gc.get_freeze_count()
    later = ["made since"]
    second.connect()  # another page of the same kernel
    assert frozen > 10_000
    assert gc.get_freeze_count() == frozen
    assert any(one is later for one in gc.get_objects())
    first.disconnect()
    foreign.disconnect()
    assert gc.get_freeze_count() == frozen
    second.disconnect()
    assert gc.get_freeze_count() == 0


def test_messages_are_not_held_back() -> None:
    """The socket sends at once."""
    line = jupyter.prompt(Connection)()
    line.connect()
    assert line.delays == [True]


class TestWhichServers:
    """The extension changes jupyter_server's own connections and no others."""

    KEY = "kernel_websocket_connection_class"

    def load(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Load the extension into a server with these settings."""
        jupyter._load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=settings)))
        return settings

    def test_a_stock_server(self) -> None:
        """Its class is extended."""
        changed = self.load({self.KEY: ZMQChannelsWebsocketConnection})[self.KEY]
        assert issubclass(changed, ZMQChannelsWebsocketConnection)
        assert changed is not ZMQChannelsWebsocketConnection

    @pytest.mark.parametrize(
        "other",
        [
            None,
            Connection,
            GatewayWebSocketConnection,
            type("Ours", (ZMQChannelsWebsocketConnection,), {}),
        ],
    )
    def test_any_other_class(self, other: Any) -> None:
        """A gateway's, a subclass, none: left as they are."""
        assert self.load({self.KEY: other}) == {self.KEY: other}
        assert self.load({}) == {}

    def test_switched_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """AMP_JUPYTER=0 changes nothing."""
        monkeypatch.setenv("AMP_JUPYTER", "0")
        settings = {self.KEY: ZMQChannelsWebsocketConnection}
        assert self.load(dict(settings)) == settings


def test_other_kernels_are_reported_as_they_are() -> None:
    """Without a widget of ours every status passes at once, also for messages of widgets."""

    async def talk() -> list[str]:
        line = jupyter.prompt(Connection)()
        open_widget(line, "other.package.Widget")
        widget = SESSION.msg("comm_msg")
        for state in ("busy", "idle"):
            say(line, "status", widget, execution_state=state)
        sent: list[str] = line.sent
        return sent

    assert ended(talk()) == ["busy", "idle"]


def test_messages_that_are_not_understood_pass() -> None:
    """Too few parts, no JSON, no state: sent on as they came."""
    line = connection()
    sent: list[list[bytes]] = []
    line.session = SimpleNamespace(feed_identities=lambda message: ([], message))
    Connection.handle_outgoing_message, kept = (
        lambda self, _, message: sent.append(message),
        Connection.handle_outgoing_message,
    )
    try:
        header, parent = b'{"msg_type": "status"}', b'{"msg_type": "comm_msg"}'
        messages = [[], [b""] * 3, [b"", header, parent, b"", b"{"], [b"", header, b'"comm_msg"', b"", b"{}"]]
        for message in messages:
            line.handle_outgoing_message(None, message)
    finally:
        Connection.handle_outgoing_message = kept
    assert sent == messages


def test_a_moment_with_a_widget_is_not_being_busy() -> None:
    """A short callback sends no ``busy``; a long one sends it late; that of a cell is sent at once."""

    async def talk() -> list[str]:
        line = connection()
        widget, slow, cell = (SESSION.msg(kind) for kind in ("comm_msg", "comm_msg", "execute_request"))
        say(line, "status", widget, execution_state="busy")
        say(line, "status", cell, execution_state="busy")
        say(line, "comm_msg", widget, text='"status"')
        say(line, "status", widget, execution_state="idle")
        say(line, "status", slow, execution_state="busy")
        await asyncio.sleep(2 * jupyter.MOMENT_S)
        say(line, "status", slow, execution_state="idle")
        sent: list[str] = line.sent
        return sent

    assert ended(talk()) == ["busy", "comm_msg", "idle", "busy", "idle"]


def test_what_is_not_said_yet_ends_with_the_connection() -> None:
    """Nothing is sent to a page that has gone."""

    async def leave() -> list[str]:
        line = connection()
        say(line, "status", SESSION.msg("comm_msg"), execution_state="busy")
        line.disconnect()
        await asyncio.sleep(2 * jupyter.MOMENT_S)
        assert not line.open
        sent: list[str] = line.sent
        return sent

    assert ended(leave()) == []
