"""Delayed work: requests within a short time are served by one run."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Later:
    """Calls ``work()`` in a thread called ``name``, a fixed delay after the first request."""

    def __init__(self, work: Callable[[], object], name: str) -> None:
        self._work, self._name = work, name
        self._timer: threading.Timer | None = None

    @property
    def waits(self) -> bool:
        """Whether a request is pending."""
        return self._timer is not None

    def ask(self, delay_s: float) -> None:
        """Request the work; a pending request serves for both."""
        if self._timer is None:
            self._timer = timer = threading.Timer(delay_s, self._run)
            timer.daemon, timer.name = True, self._name
            timer.start()

    def cancel(self) -> None:
        """Cancel the pending request, if any."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _run(self) -> None:
        self._timer = None
        self._work()
