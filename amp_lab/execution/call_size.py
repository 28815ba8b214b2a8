"""How many frames one native call makes, so that Ctrl-C and a stop act within 0.1 s on any graph."""

from __future__ import annotations

import time
from typing import Self

CALL_SECONDS = 0.02
"""Time one native call should take."""
GROWTH = 4
"""How much longer a call may become than the one before: the first one is short and says little."""
FIRST_FRAMES, MOST_FRAMES = 256, 1 << 16
"""Of a stream, which fires node by node."""


class CallSize:
    """Frames of the next call, from the time the last one took: ``with size.up_to(most) as frames: ...``.

    Parameters
    ----------
    block_frames
        Calls are whole numbers of blocks of so many frames, and begin with one; None for a stream.
    """

    def __init__(self, block_frames: int | None = None) -> None:
        self._step = block_frames or 1
        self._most = None if block_frames else MOST_FRAMES
        self.frames = block_frames or FIRST_FRAMES
        self._called = 0
        self._start = 0.0

    def up_to(self, frames: int) -> Self:
        """Make the next call one of at most so many frames."""
        self._called = min(frames, self.frames)
        return self

    def __enter__(self) -> int:
        self._start = time.perf_counter()
        return self._called

    def __exit__(self, *error: object) -> None:
        self.measured(self._called, time.perf_counter() - self._start)

    def measured(self, frames: int, seconds: float) -> None:
        """Choose the frames of the next call, after one of ``frames`` took so many seconds.

        A call that had less to make than it might have is no reason for longer ones.
        """
        if frames < self.frames and seconds <= CALL_SECONDS:
            return
        fit = min(frames * GROWTH, frames * CALL_SECONDS / max(seconds, 1e-9))
        if self._most is not None:
            fit = min(fit, self._most)
        self.frames = max(1, int(fit / self._step)) * self._step
