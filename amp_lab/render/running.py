"""State that a session shares with its taps: the stream, locks, and the thread that renders ahead."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

from amp_lab.common.threads import Background
from amp_lab.errors import AmpError, InvalidArgument, Pending, RingFull
from amp_lab.execution.call_size import MOST_FRAMES, CallSize
from amp_lab.lowlevel.stream import Stream

YIELD_SECONDS = 0.0005
"""Pause between calls of the thread, so that other threads can call the stream while it catches up."""


class Running:
    """A stream with the locks that its users need.

    Attributes
    ----------
    turn
        Lock that is held during a call that makes frames. It is a plain lock, since an exception of a signal
        handler can leave a condition or an event locked, but not a lock in a ``with`` statement.
    error
        Why the thread has stopped or waits; None while it makes frames.
    """

    def __init__(self, name: str, stream: Stream) -> None:
        self._name = name
        self._stream = stream
        self._process = os.getpid()
        self.turn = threading.RLock()
        self.error: AmpError | None = None
        self._switch = threading.RLock()  # of start and stop
        self._ahead: _Ahead | None = None

    @property
    def stream(self) -> Stream:
        """The stream.

        Raises
        ------
        InvalidArgument
            In a fork of the process that made it.
        """
        if (here := os.getpid()) != self._process:
            raise InvalidArgument(
                f"{self._name}.session: belongs to the process that made it (got process {here}, allowed "
                f"{self._process}). Make a new session after a fork."
            )
        return self._stream

    @property
    def by_itself(self) -> bool:
        """Whether a thread renders ahead."""
        return self._ahead is not None

    def start(self, tap: int, frames: int) -> None:
        """Render ahead in a thread, so that ``frames`` frames of a tap are ready; can be called again."""
        with self._switch:
            self._halt()
            self.error = None
            self._ahead = ahead = _Ahead(self, self.stream, tap, frames)
            ahead.start()

    def stop(self) -> None:
        """Stop what `start` started."""
        with self._switch:
            self._halt()

    def _halt(self) -> None:
        if self._ahead is not None:
            self._ahead.stop()
            self._ahead = None

    def wake(self) -> None:
        """Make the thread check again, after samples were pushed or pulled or parameters were set."""
        if (ahead := self._ahead) is not None:
            ahead.wake()

    def close(self) -> None:
        """Stop the thread and free the stream; a second call does nothing."""
        self.stop()
        self._stream.close()


class _Ahead(Background):
    """The thread of one call of `Running.start`."""

    def __init__(self, running: Running, stream: Stream, tap: int, frames: int) -> None:
        super().__init__("amp_lab ahead")
        self._running, self._stream, self._tap, self._frames = running, stream, tap, frames
        self._bell = threading.Lock()  # free if something has changed since the thread checked
        self._stopped = False

    def wake(self) -> None:
        """Make the thread check again."""
        with suppress(RuntimeError):  # it is free already
            self._bell.release()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped = True
        self.wake()
        self.join()

    def run(self) -> None:
        """Make frames until told to end."""
        running, size = self._running, CallSize()
        while not self._stopped:
            try:
                with running.turn, size.up_to(MOST_FRAMES) as most:
                    ready = self._stream.advance(self._tap, self._frames, most)
                running.error = None
                if ready < self._frames:
                    time.sleep(YIELD_SECONDS)
                    continue
            except (Pending, RingFull) as error:
                running.error = error
            except AmpError as error:
                running.error = error
                return
            self._bell.acquire()
