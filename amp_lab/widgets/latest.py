"""A thread that runs the newest request."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TypeAlias

Stale: TypeAlias = Callable[[], bool]


class Latest:
    """Runs ``work(stale)`` for the newest request: it replaces a pending one and makes a running one stale.

    Work that checks ``stale()`` can stop early. Of two successive runs at most one is stale, so that results
    appear even if requests come faster than the work runs. The thread starts with the first request and in
    its context, by which ipykernel routes messages to the page.
    """

    def __init__(self, work: Callable[[Stale], None]) -> None:
        self._work = work
        self._lock = threading.RLock()  # reentrant: an interrupted wait leaves it locked
        self._changed = threading.Condition(self._lock)
        self._asked = self._begun = self._done = self._cancelled = 0
        self._closed = False
        self._gave_up = self._patience = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Request the work from now on; returns at once."""
        with self._lock:
            if self._closed:
                return
            self._asked += 1
            if self._thread is None or self._thread.ident is None:  # interrupted before it began
                context = contextvars.copy_context()
                self._thread = threading.Thread(
                    target=context.run, args=(self._run,), name="amp_lab render", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no request is left; return False after the timeout."""
        with self._lock:
            return self._changed.wait_for(lambda: self._closed or self._done == self._asked, timeout_s)

    def cancel(self) -> None:
        """Stop the running request and drop the pending one; later requests run."""
        with self._lock:
            self._cancelled = self._asked
            self._changed.notify_all()

    @property
    def cancelled(self) -> bool:
        """Whether the running request was cancelled, not replaced by a newer one."""
        return self._begun <= self._cancelled

    def close(self) -> None:
        """Stop the work and end the thread."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _stale(self) -> bool:
        if self.cancelled:
            return True
        if not self._closed and (self._begun == self._asked or self._patience):
            return False
        self._gave_up = True
        return True

    def _run(self) -> None:
        while True:
            with self._lock:
                self._changed.wait_for(lambda: self._closed or self._done != self._asked)
                if self._closed:
                    return
                self._begun = self._asked
                self._patience, self._gave_up = self._gave_up, False
                wanted = not self.cancelled
            if wanted:
                self._work(self._stale)
            with self._lock:
                self._done = self._begun
                self._changed.notify_all()
