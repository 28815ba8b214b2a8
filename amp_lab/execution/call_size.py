"""Number of frames per native call, chosen so that Ctrl-C and stops take effect within 0.1 s."""

from __future__ import annotations

import time
from typing import Self

CALL_SECONDS = 0.02
"""Intended duration of a native call in seconds."""
GROWTH = 4
"""Largest growth of a call against the one before; the first, short call is a poor estimate."""
FIRST_FRAMES, MOST_FRAMES = 256, 1 << 16
"""Frames of the first call and most frames of a call, for streams."""


class CallSize:
    """Frames of the next call, from the duration of the last one: ``with size.up_to(most) as frames: ...``.

    Parameters
    ----------
    block_frames
        Frames per block; a call is a whole number of blocks, the first is one block. None for streams.
    """

    def __init__(self, block_frames: int | None = None) -> None:
        self._step = block_frames or 1
        self._most = None if block_frames else MOST_FRAMES
        self.frames = block_frames or FIRST_FRAMES
        self._called = 0
        self._start = 0.0

    def up_to(self, frames: int) -> Self:
        """Limit the next call to a number of frames."""
        self._called = min(frames, self.frames)
        return self

    def __enter__(self) -> int:
        self._start = time.perf_counter()
        return self._called

    def __exit__(self, *error: object) -> None:
        self.measured(self._called, time.perf_counter() - self._start)

    def measured(self, frames: int, seconds: float) -> None:
        """Choose the frames of the next call after one of ``frames`` frames took ``seconds``.

        A call that was limited by `up_to` does not make later calls longer.
        """
        if frames < self.frames and seconds <= CALL_SECONDS:
            return
        fit = min(frames * GROWTH, frames * CALL_SECONDS / max(seconds, 1e-9))
        if self._most is not None:
            fit = min(fit, self._most)
        self.frames = max(1, int(fit / self._step)) * self._step
