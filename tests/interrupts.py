"""An exception of a signal handler before any line that a test chooses."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection
from types import FrameType, ModuleType
from typing import Any


def lines_run(
    action: Callable[[], object],
    modules: Collection[ModuleType],
    stop_at: int | None = None,
    *,
    error: type[BaseException] = KeyboardInterrupt,
) -> int:
    """Count the lines of some modules that an action runs in this thread; raise ``error`` before one of them.

    Finalisers (``__del__``) are left out: Python ignores exceptions that leave them. CPython 3.11 loses the
    frame of a line that ends an exception handler, and what it refers to, if its tracer raises there.
    """
    files, here, count = {module.__file__ for module in modules}, threading.get_ident(), 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        code = frame.f_code
        if code.co_filename not in files or code.co_name == "__del__" or threading.get_ident() != here:
            return None
        if event == "line":
            count += 1
            if count == stop_at:
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count
