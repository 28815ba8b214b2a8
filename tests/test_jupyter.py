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

    def __init__(self) -> None:
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
    """Open a connection of a server with the extension."""
    settings: dict[str, Any] = {"kernel_websocket_connection_class": Connection}
    jupyter._load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=settings)))
    return settings["kernel_websocket_connection_class"]()


def say(to: Any, kind: str, parent: dict[str, Any], **content: str) -> None:
    """Let the kernel say something about a message of the page."""
    to.handle_outgoing_message(None, SESSION.serialize(SESSION.msg(kind, content, parent), b"iopub"))


def ended(talk: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Run to the end, in a thread: the browser of other tests leaves this one a loop that runs."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, talk).result()


def test_what_is_there_at_first_is_not_collected_again() -> None:
    """The first page freezes what the server has made so far; the next ones freeze nothing."""
    first, second = connection(), connection()
    assert gc.get_freeze_count() == 0
    first.connect()
    frozen = gc.get_freeze_count()
    later = ["made since"]
    second.connect()
    assert frozen > 10_000 and gc.get_freeze_count() == frozen
    assert any(one is later for one in gc.get_objects())


def test_messages_are_not_held_back() -> None:
    """The socket sends at once; a server without such a connection is left as it is."""
    line = connection()
    line.connect()
    assert line.delays == [True]
    bare = SimpleNamespace(web_app=SimpleNamespace(settings={}))
    jupyter._load_jupyter_server_extension(bare)
    assert bare.web_app.settings == {}


def test_a_moment_with_a_widget_is_not_being_busy() -> None:
    """A short callback leaves out ``busy`` only; a long one says it late; that of a cell is said at once."""

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
