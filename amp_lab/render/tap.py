"""Taps: readers of the outputs of a session, each with its own position."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from amp_lab.common import checks
from amp_lab.errors import AmpError
from amp_lab.execution.call_size import CallSize
from amp_lab.graph.records.values import Samples
from amp_lab.lowlevel.stream import Stream, TapCounters
from amp_lab.render.running import Running


@dataclass(frozen=True)
class _Read:
    """Frames that a tap has read from the stream and not returned yet: [0, ``frames``) of ``sound``.

    ``total`` counts all frames read. If the counters of the stream have more, an interrupted call has
    appended them to ``sound``. ``joined`` is the array that was put back last. A change is one assignment of
    a new object, so that an interrupt leaves either the old or the new one.
    """

    sound: Samples
    frames: int
    total: int
    joined: Samples | None = None


class Tap:
    """A reader of one output with its own position, made by `Session.tap`.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.gain(g.sine(), gain=0.5))
    >>> with g.session() as s:
    ...     tap = s.tap("sine")
    ...     print(tap.pull(4).shape, tap.counters.position, tap.counters.ready)
    ...     tap.close()
    ...
    (1, 1, 4) 4 0
    """

    def __init__(
        self,
        running: Running,
        number: int,
        shape: tuple[int, int],
        policy: str,
        forget: Callable[[Tap], None],
    ) -> None:
        self._running, self._number, self._forget = running, number, forget
        self._shape = shape
        self._policy = policy
        self._size = CallSize()
        self._reading = threading.RLock()
        self._read = _Read(np.empty((*shape, 0)), 0, 0)
        self._interrupted = False
        self._returned: deque[Samples] = deque()

    @property
    def _stream(self) -> Stream:
        return self._running.stream

    @property
    def counters(self) -> TapCounters:
        """Counters: position, frames ready, skipped frames, underruns."""
        return self._stream.tap_info(self._number)

    def pull(self, frames: int) -> Samples:
        """Return the next ``frames`` frames, (B, C, frames), or fewer if no more can be made.

        A lossless tap renders missing frames, unless the session renders ahead (`Session.start`). Then, and
        for a latest tap, only frames that are ready are returned. Fewer frames than requested count as an
        underrun. After an interrupted call the next one returns the same frames.

        Raises
        ------
        Pending
            If there is no frame, since inputs have no samples; with the inputs and gates.
        RingFull
            If there is no frame, since a ring is full; with the ring and its reader.
        AmpError
            If the session stopped at a fault; the frames before it are returned first.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.input(name="mic"))
        >>> s = g.session(output=False)
        >>> tap = s.tap("mic")
        >>> s.push("mic", [1.0, 2.0, 3.0])
        >>> tap.pull(2), tap.pull(2)
        (array([[[1., 2.]]]), array([[[3.]]]))
        >>> tap.pull(2)
        Traceback (most recent call last):
            ...
        amp_lab.errors.Pending: mic: frame 3 waits for input "mic" (pushed up to frame 3). Push samples to it,
            or end it.
        >>> s.close()
        """
        checks.whole("pull.frames", frames)
        sound: Samples | None = None
        try:
            with self._reading:
                why = self._fill(frames)
                sound = self._take(frames)
            self._running.wake()
        except BaseException:
            if sound is not None:
                self._returned.append(sound)
            raise
        if sound.shape[2] == 0 and frames and why is not None:
            raise why
        return sound

    def _fill(self, frames: int) -> AmpError | None:
        """Read until ``frames`` frames are there; return why there are fewer, or None."""
        self._recover()
        ready = self._policy == "latest" or self._running.by_itself
        self._make_room(frames)
        why = None
        while (done := self._read.frames) < frames:
            self._interrupted = True
            if ready:
                part = self._read.sound[:, :, done:frames]
                got, why = self._stream.pull(self._number, part, ready=True)
            else:
                with self._running.turn, self._size.up_to(frames - done) as most:
                    part = self._read.sound[:, :, done : done + most]
                    got, why = self._stream.pull(self._number, part)
            self._read = replace(self._read, frames=done + got, total=self._read.total + got)
            self._interrupted = False
            if got < part.shape[2]:
                break
        return why or (self._running.error if ready else None)

    def _recover(self) -> None:
        """Add the frames that an interrupted call has read, and those that it could not return."""
        while self._returned:
            back, read = self._returned[0], self._read
            if read.joined is not back:
                sound = np.concatenate((back, read.sound[:, :, : read.frames]), axis=2)
                self._read = _Read(sound, sound.shape[2], read.total, back)
            self._returned.popleft()
        if self._interrupted:
            known, read = self.counters, self._read
            got = known.position - known.skipped - read.total
            self._read = replace(read, frames=read.frames + got, total=read.total + got)
            self._interrupted = False

    def _make_room(self, frames: int) -> None:
        read = self._read
        if read.sound.shape[2] < frames:
            sound = np.empty((*self._shape, frames))
            sound[:, :, : read.frames] = read.sound[:, :, : read.frames]
            self._read = replace(read, sound=sound)

    def _take(self, frames: int) -> Samples:
        """Remove and return the first frames that were read."""
        read = self._read
        count = min(frames, read.frames)
        whole = count == read.sound.shape[2]
        sound = read.sound if whole else read.sound[:, :, :count].copy()
        rest = read.sound[:, :, count : read.frames].copy()
        self._read = _Read(rest, rest.shape[2], read.total)
        return sound

    def close(self) -> None:
        """Close the tap; the graph no longer waits for it."""
        self._forget(self)
        self._stream.close_tap(self._number)

    def __repr__(self) -> str:
        c = self.counters
        return f"Tap {c.node}.{c.port}: {c.policy}, at frame {c.position}, {c.ready} ready"
