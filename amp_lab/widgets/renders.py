"""Base of widgets that show measurements of the nodes in one render: heat, schedule, delays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from amp_lab.errors import GraphError, quoted
from amp_lab.widgets.base import View
from amp_lab.widgets.panel import Panel

if TYPE_CHECKING:
    from amp_lab.render.render import Render


class RenderView(View):
    """A widget that shows one render, or the newest one of a panel.

    Attributes
    ----------
    selected, hovered : str
        Names of the node that was clicked and of the node under the pointer; may be linked.
    """

    _public: ClassVar[tuple[str, ...]] = ("selected", "hovered", "version")
    selected = traitlets.Unicode("").tag(sync=True)
    hovered = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(self, source: Render | Panel, **traits: Any) -> None:
        from amp_lab.render.render import Render  # noqa: PLC0415 - renders do not need widgets

        name = type(self).__name__.lower()
        panel = source if isinstance(source, Panel) else None
        render: object = source if panel is None else panel.wait()
        if not isinstance(render, Render) and (panel is None or render is not None):
            allowed = "a render or a panel"
            raise GraphError(f"{name}: nothing to look at (got {quoted(source)}, allowed {allowed}).")
        super().__init__(**traits)
        self.render: Render | None = render if isinstance(render, Render) else None
        self._panel = panel
        if panel is not None:
            panel.on_render(self.show)

    def show(self, render: Render) -> None:
        """Show another render.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine())
        >>> w = amp.timeline(g.render(frames=480))
        >>> w.show(g.render(frames=960))
        >>> w.rendered().frames
        960
        """
        self.render = render
        self.version += 1

    def rendered(self) -> Render:
        """Return the render that is shown.

        Raises
        ------
        GraphError
            If the panel that is followed has rendered nothing yet.
        """
        if self.render is None:
            name = type(self).__name__.lower()
            raise GraphError(f"{name}: nothing is rendered yet. Cure the graph, or wait for the panel.")
        return self.render

    def _release(self) -> None:
        if self._panel is not None:
            self._panel.off_render(self.show)

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.render!r}"
