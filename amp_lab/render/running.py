"""What a session and its taps share: the stream, who makes frames, and the thread that keeps it ahead."""

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
"""Pause between calls of the thread, so that others get their turn while it is behind."""


class Running:
    """A stream, and how its users stay out of each other's way.

    Attributes
    ----------
    turn
        Held during one call that makes frames. Plain locks: unlike conditions and events, ``with`` takes and
        leaves them in one step that no signal handler's exception comes between.
    error
        Why the thread has stopped or waits, None while it makes frames.
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
        """The stream, to the process that made it.

        Raises
        ------
        InvalidArgument
            In a fork.
        """
        if (here := os.getpid()) != self._process:
            raise InvalidArgument(
                f"{self._name}.session: belongs to the process that made it (got process {here}, allowed "
                f"{self._process}). Make a new session after a fork."
            )
        return self._stream

    @property
    def by_itself(self) -> bool:
        """Whether a thread keeps a tap ahead."""
        return self._ahead is not None

    def start(self, tap: int, frames: int) -> None:
        """Keep so many frames of a tap ready, in a thread; again: with another number."""
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
        """Let the thread look again: something has changed."""
        if (ahead := self._ahead) is not None:
            ahead.wake()

    def close(self) -> None:
        """Stop and free the stream; a second time does nothing."""
        self.stop()
        self._stream.close()


class _Ahead(Background):
    """A thread that keeps a tap ahead. A new one for each `Running.start`."""

    def __init__(self, running: Running, stream: Stream, tap: int, frames: int) -> None:
        super().__init__("amp_lab ahead")
        self._running, self._stream, self._tap, self._frames = running, stream, tap, frames
        self._bell = threading.Lock()  # free: something has changed since the thread looked
        self._stopped = False

    def wake(self) -> None:
        """Let the thread look again."""
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
