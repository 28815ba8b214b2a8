"""The workbench in the browser: one widget is one model and one view (``docs/design/widgets.md``)."""

from amp_lab.widgets.editor import Editor
from amp_lab.widgets.panel import Panel

__all__ = ["Editor", "Panel"]
