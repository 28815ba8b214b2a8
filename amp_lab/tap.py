"""A reader of a running graph, at a pace of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from amp_lab import checks
from amp_lab.lowlevel_stream import Stream, TapCounters
from amp_lab.values import Samples

if TYPE_CHECKING:
    from amp_lab.session import Session

CALL_SECONDS = 0.02
"""Time one native call should take: short against the 0.1 s in which Ctrl-C and `Session.stop` must act."""
FIRST_FRAMES, MOST_FRAMES = 256, 1 << 16


class Pace:
    """How many frames fit into one call."""

    def __init__(self) -> None:
        self.frames = FIRST_FRAMES
        self._start = 0.0

    def __enter__(self) -> int:
        self._start = time.perf_counter()
        return self.frames

    def __exit__(self, *error: object) -> None:
        spent = time.perf_counter() - self._start
        factor = 2.0 if spent < CALL_SECONDS / 2 else min(1.0, CALL_SECONDS / spent)
        self.frames = max(1, min(MOST_FRAMES, int(self.frames * factor)))


class Tap:
    """A reader of one output with a position of its own. Made by `Session.tap`."""

    def __init__(
        self, session: Session, stream: Stream, number: int, shape: tuple[int, int], policy: str
    ) -> None:
        self._session, self._stream, self._number = session, stream, number
        self._shape = shape
        self._policy = policy
        self._pace = Pace()

    @property
    def counters(self) -> TapCounters:
        """Position, frames ready, skipped frames, underruns."""
        return self._stream.tap_info(self._number)

    def pull(self, frames: int) -> Samples:
        """Return the next ``frames`` frames, (B, C, frames), or as many as there are.

        A lossless tap makes what is not there yet, unless the session runs by itself (`Session.start`): then,
        and from a latest tap, what is there is all there is. Fewer frames than asked for are an underrun.

        Raises
        ------
        Pending
            If there is nothing: names the inputs, and the gates, that are waited for.
        RingFull
            If there is nothing because a ring may not grow: names it and who does not read.
        AmpError
            If the session stopped at a fault, once the frames before it are read.
        """
        checks.whole("pull.frames", frames)
        ready = self._policy == "latest" or self._session.running
        out = np.empty((*self._shape, frames))
        done, why = 0, None
        while done < frames:
            if ready:
                part = out
                got, why = self._stream.pull(self._number, part, ready=True)
            else:
                with self._session._turn, self._pace as most:
                    part = out[:, :, done : done + most]
                    got, why = self._stream.pull(self._number, part)
            done += got
            if got < part.shape[2]:
                break
        self._session._wake()
        if done == 0 and frames and (why := why or (self._session._error if ready else None)):
            raise why
        return out if done == frames else out[:, :, :done].copy()

    def close(self) -> None:
        """Stop reading: nothing waits for this tap any more."""
        self._session._forget(self)
        self._stream.close_tap(self._number)

    def __repr__(self) -> str:
        c = self.counters
        return f"Tap {c.node}.{c.port}: {c.policy}, at frame {c.position}, {c.ready} ready"
