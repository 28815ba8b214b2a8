"""The workbench in the browser: one widget is one model and one view (``docs/design/widgets.md``)."""

from amp_lab.widgets.editor import Editor

__all__ = ["Editor"]
