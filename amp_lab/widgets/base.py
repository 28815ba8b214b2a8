"""Base class of all widgets: bundle, messages, errors, the engine's lock, static picture, closing."""

from __future__ import annotations

import base64
import contextlib
import contextvars
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure

from amp_lab.common import checks
from amp_lab.errors import AmpError, GraphError, plain, quoted
from amp_lab.plots import style

STATIC = Path(__file__).with_name("static")
VIEW_TYPE = "application/vnd.amp-lab.view+json"
"""MIME type that marks an output for our JupyterLab extension; constant, so that notebook diffs ignore it."""
ENGINE = threading.RLock()
"""Lock held by every callback: the kernel runs callbacks in other threads while a cell is running."""
_edits = threading.local()


def by_hand() -> bool:
    """Whether this thread now carries out a request of a view, not of code."""
    return getattr(_edits, "by_hand", False)


@contextlib.contextmanager
def _asked_by_a_view() -> Iterator[None]:
    before = by_hand()
    _edits.by_hand = True
    try:
        yield
    finally:
        _edits.by_hand = before


class Choice(traitlets.Enum):  # type: ignore[type-arg]
    """A trait with a list of allowed texts; the error for another text has the list and the nearest one."""

    def error(self, obj: Any, value: Any, error: Any = None, info: Any = None) -> Any:
        """Raise the error for a value that is not allowed."""
        where = f"{type(obj).__name__}.{self.name}"
        raise traitlets.TraitError(checks.unknown(where, value, self.values or (), "choice"))


class View(anywidget.AnyWidget):
    """A widget: a message of a kind calls the method ``_on_<kind>``; the view shows what it raises.

    ``height`` is the height of the view in pixels; ``closed`` is True after `close`.
    """

    height = traitlets.Int(420, min=120, max=4000).tag(sync=True)
    closed = True  # until it is open: an error before that leaves nothing to close

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the bundle: anywidget would watch a path, and its watcher never frees the widget."""
        for key in ("_esm", "_css"):
            if isinstance(path := vars(cls).get(key), Path):
                setattr(cls, key, path.read_text(encoding="utf-8"))
        super().__init_subclass__(**options)

    def __init__(self, **traits: Any) -> None:
        unknown = [key for key in traits if not self.has_trait(key)]
        if unknown:
            raise TypeError(
                checks.unknown(type(self).__name__, unknown[0], sorted(self.public_traits()), "trait")
            )
        super().__init__(**traits)
        self.closed = False
        if hasattr(self.comm, "_reply_subshell_for"):
            # ipykernel 7 gives messages to the shell that last sent on the comm, so a cell that touches a
            # widget would hold up its callbacks until it ends. The page has a shell for widgets.
            self.comm._reply_subshell_for = lambda _, default: default
        self.on_msg(self._receive)

    @classmethod
    def public_traits(cls) -> tuple[str, ...]:
        """Names of the traits to observe and link.

        Examples
        --------
        >>> amp.widgets.Scope.public_traits()
        ('signals', 'view', 'available', 'height')
        """
        mine = [base for base in cls.__mro__ if issubclass(base, View)]
        return tuple(key for base in mine for key in vars(base).get("_public", ()))

    _public: ClassVar[tuple[str, ...]] = ("height",)

    def figure(self) -> Figure:
        """Draw what the widget shows as a Matplotlib figure, for pages without a kernel."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection to the page, remove the views and free the memory.

        Examples
        --------
        >>> w = amp.editor(amp.Graph())
        >>> w.close()
        >>> w.closed
        True
        """
        if not self.closed:
            self.closed = True
            self._release()
            layout = self.layout
            super().close()
            layout.close()

    def send_message(self, kind: str, buffers: Sequence[Any] = (), **content: Any) -> None:
        """Send a message to the views.

        Examples
        --------
        >>> w = amp.editor(amp.Graph())
        >>> w.close()
        >>> w.send_message("select", nodes=["sine"])
        >>> w.closed
        True
        """
        if not self.closed:
            self.send({"kind": kind, **content}, list(buffers))

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Set traits to the values that a page has sent.

        Examples
        --------
        >>> w = amp.editor(amp.Graph())
        >>> w.set_state({"selection": ["sine"]})
        >>> w.selection
        ['sine']
        """
        with _asked_by_a_view():
            super().set_state(sync_data)

    def _release(self) -> None:
        """Free the resources of the subclass."""

    def _on_alive(self, request: Mapping[str, Any]) -> None:
        """Answer a view that opens, or reconnects, that this widget exists."""
        self.send_message("alive", id=request.get("id"))

    def _receive(self, _: Any, content: Any, buffers: Sequence[Any]) -> None:
        handler = None
        request = content if isinstance(content, Mapping) else {}
        try:
            handler = getattr(self, f"_on_{request.get('kind')}", None)
            if handler is None:
                raise GraphError(f"{type(self).__name__}: no such message (got {quoted(content)}).")
            with ENGINE, _asked_by_a_view():
                handler(request)
        except Exception as error:
            self.send_message("failed", id=request.get("id"), **described(error))

    def _on_picture(self, request: Mapping[str, Any]) -> None:
        """Send a picture of the present state, from another thread: other messages are not delayed."""
        context = contextvars.copy_context()  # ipykernel routes messages to the page by it
        threading.Thread(
            target=context.run,
            args=(self._send_picture, request.get("id")),
            name="amp_lab picture",
            daemon=True,
        ).start()

    def _send_picture(self, request: Any) -> None:
        self._wait_for_picture()
        between_cells(lambda: self._draw_and_send(request))

    def _draw_and_send(self, request: Any) -> None:
        try:
            picture = self._picture()
        except Exception as error:
            self.send_message("failed", id=request, **described(error))
        else:
            self.send_message("picture", id=request, png=picture)

    def _wait_for_picture(self) -> None:
        """Wait, a few seconds at most, until the data of the picture are computed."""

    def _picture(self) -> str | None:
        """Draw what is shown as base64 of a PNG; None if there is nothing to draw yet."""
        with contextlib.suppress(AmpError):
            return base64.b64encode(style.png(self.figure())).decode()
        return None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        data = {**data, "text/plain": repr(self), VIEW_TYPE: {"version": 1}}
        try:
            if (picture := self._picture()) is not None:  # otherwise the view names what is missing
                data["image/png"] = picture
        except Exception as error:  # the picture is optional
            data["text/plain"] += f"\nno picture: {type(error).__name__}: {plain(error, 400)}"
        return data, metadata


def between_cells(task: Callable[[], object]) -> None:
    """Run a task in the kernel's main thread between two cells; without a kernel, run it at once.

    Drawing needs it: Matplotlib's rcParams are global to the process, and a running cell may change them.
    """
    loop = getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)
    if loop is None:
        task()
    else:
        loop.add_callback(task)


def described(error: Exception) -> dict[str, Any]:
    """Return title, text and place of an exception for a view, and the stack if it is not an `AmpError`."""
    if isinstance(error, AmpError):
        return {"message": str(error), "node": error.node, "port": error.port, "stack": ""}
    stack = "".join(traceback.format_exception(error))
    return {"message": f"{type(error).__name__}: {error}", "node": "", "port": "", "stack": stack}
