"""A thread that streams the sound of a graph to a page while the graph is edited."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from amp_lab import catalog
from amp_lab.errors import AmpError, NativeCrash
from amp_lab.graph.edits.journal import Journal
from amp_lab.graph.edits.states import Patch
from amp_lab.graph.records.model import NodeRecord
from amp_lab.graph.records.values import CurveRef, Samples
from amp_lab.render.session import Session
from amp_lab.widgets.base import described

if TYPE_CHECKING:
    from amp_lab.graph.graph import Graph

HEARD_CHANNELS = 2
BLOCK_S = 0.01
"""Seconds of sound in one message, at least."""
MOST_BLOCKS = 8
BLEND_S = 0.02
"""Seconds of crossfade from one session to the next."""
PAUSE_S = 0.15
"""Seconds between the starts of two sessions, at least."""
TRUST_S = 1.0
"""Seconds after a report for which the page is assumed to play on."""
LOST_S = 3.0
"""Seconds without a report after which the page counts as closed."""
WORDS = 20
"""Number of reports, two seconds of them, of which the least delayed one gives the page's clock."""
TAIL_S = 0.5
"""Seconds between the last point of the curves and their next start, for the decay."""
SWITCH_S = 0.0005

_brisk = threading.Lock()
_users: list[float] = []


@contextmanager
def brisk() -> Iterator[None]:
    """Set Python's thread switch interval to 0.5 ms; at 5 ms a cell that computes causes underruns."""
    with _brisk:
        _users.append(sys.getswitchinterval() if not _users else _users[0])
        sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        with _brisk:
            before = _users.pop()
            if not _users:
                sys.setswitchinterval(before)


class Feed:
    """Sends the sound of a graph in messages, at most ``target`` frames ahead of the page's playback.

    The page reports its position about ten times a second; between reports the position is extrapolated. A
    delayed report would give a position that is too low, so the least delayed of the last reports is used.
    Edits of values are set in the running session; any other edit starts a new session, to which the page
    crossfades. While the graph cannot be played the last session goes on; a message ``waits`` has the reason.

    Parameters
    ----------
    send
        Sends a message: kind, buffers, content.
    ended
        Called in the thread after the page was closed or the thread failed.
    run
        Name of this run, in every message.
    target
        Frames to keep ahead at first.
    repeat
        Whether curves begin again at their end.
    """

    def __init__(
        self,
        graph: Graph,
        send: Callable[..., None],
        ended: Callable[[Feed], None],
        *,
        run: str,
        target: int,
        repeat: bool,
    ) -> None:
        self.run, self.repeat = run, repeat
        self._graph, self._journal = graph, Journal.of(graph)
        self._post, self._ended = send, ended
        self._rate = graph.sample_rate
        self._block = max(1, round(BLOCK_S * self._rate))
        self._lock = threading.RLock()  # reentrant: an interrupted wait leaves it locked
        self._changed = threading.Condition(self._lock)
        self._closed = False
        self._sets: dict[str, dict[str, Any]] = {}
        self._anew = True
        self._session: Session | None = None
        self._made, self._built = 0, 0.0
        self._end: int | None = None
        self._sent = self._played = 0
        self._target, self._running, self._reported = target, False, time.monotonic()
        self._starts: deque[float] = deque(maxlen=WORDS)
        self._problem = ""
        self._crashed = False
        context = contextvars.copy_context()  # ipykernel routes messages to the page by it
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name="amp_lab live", daemon=True
        )
        self._thread.start()

    @property
    def session(self) -> Session | None:
        """The session that plays now; None if there is none."""
        return self._session

    def close(self) -> None:
        """End the thread and its session."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def played(self, frames: int, target: int, running: bool) -> None:
        """Store a report of the page: frames played, frames to keep ahead, and whether it is playing."""
        with self._lock:
            if not (running and self._running):
                self._starts.clear()
            self._played, self._target, self._running = frames, target, running
            self._reported = time.monotonic()
            self._starts.append(self._reported - frames / self._rate)
            self._changed.notify_all()

    def patched(self, patch: Patch) -> None:
        """Store an edit of the graph for the thread."""
        with self._lock:
            self._anew |= bool(patch.edges or patch.modulations or "controls" in patch.attributes)
            for name, record in patch.nodes.items():
                values = moved(patch.before[name], record)
                if values is None or self._session is None:
                    self._anew = True
                else:
                    self._sets.setdefault(name, {}).update(values)
            self._changed.notify_all()

    # ---- the thread ----

    def _work(self) -> None:
        try:
            with brisk():
                while self._step():
                    pass
        except Exception as error:
            self._post("halted", run=self.run, **described(error))
        finally:
            if self._session is not None:
                self._session.close()
            if not self._closed:
                self._ended(self)

    def _step(self) -> bool:
        """Apply the edits and send the frames that are due; return False at the end."""
        with self._lock:
            if self._closed or time.monotonic() - self._reported > LOST_S:
                return False
            sets, self._sets = self._sets, {}
        for name, values in sets.items():
            self._set(name, values)
        if self._wants_anew():
            self._renew()
        frames = self._due()
        if frames < self._block or self._session is None:
            with self._lock:
                rest = (self._block - frames) / self._rate
                self._changed.wait(BLOCK_S if self._session is None else rest)
            return True
        self._send(self._pull(self._session, min(frames, MOST_BLOCKS * self._block)))
        return True

    def _due(self) -> int:
        with self._lock:
            played: float = self._played
            if self._running:
                now = min(time.monotonic(), self._reported + TRUST_S)
                played = (now - min(self._starts)) * self._rate
            return int(self._target + played) - self._sent

    def _set(self, name: str, values: Mapping[str, Any]) -> None:
        if self._session is None or not values:
            return
        try:
            self._session.set(name, **values)
        except AmpError:  # its shape differs from the value before: start a session with it
            self._anew = True

    def _wants_anew(self) -> bool:
        again = self.repeat and self._end is not None and self._made >= self._end
        return (self._anew or again) and time.monotonic() - self._built >= PAUSE_S

    def _renew(self) -> None:
        """Start a session of the present graph and crossfade to it; if it cannot start, keep the old one."""
        self._built = time.monotonic()
        with self._journal.lock(), self._lock:
            graph = self._graph.copy()
            self._sets, self._anew = {}, False
        try:
            new = graph.session()
            new.end()  # inputs that are not pushed to are silent
            curves = graph.compile().curves
        except AmpError as error:
            self._say(error)
            return
        ends = [graph.controls[name].times_s[-1] for name in curves] if graph.controls is not None else []
        last = float(max(ends, default=0.0))
        self._end = round((last + TAIL_S) * self._rate) if last > 0.0 else None
        self._made = 0
        old, self._session = self._session, new
        self._say(None)
        sound = self._pull(new, round(BLEND_S * self._rate))
        if old is not None:
            self._send(sound, self._pull(old, round(BLEND_S * self._rate)))
            old.close()
        else:
            self._send(sound)

    def _pull(self, session: Session, frames: int) -> Samples | None:
        """Return the next frames (C, N); None if the session failed, after sending the reason."""
        try:
            sound = session.pull(frames)[0, :HEARD_CHANNELS]
        except AmpError as error:
            if session is self._session:
                self._session, self._end = None, None
                self._say(error)
                if isinstance(error, NativeCrash):
                    self._journal.report(error)  # the session played a copy of the graph
                    self._crashed = True
                session.close()
            return None
        if session is self._session:
            self._made += sound.shape[1]
            if self._crashed:
                self._journal.report(None)
                self._crashed = False
        return sound

    def _send(self, sound: Samples | None, old: Samples | None = None) -> None:
        if sound is None:
            return
        parts = [sound] if old is None or old.shape != sound.shape else [sound, old]
        with np.errstate(over="ignore"):  # the page mutes values that are not finite
            buffers = [np.ascontiguousarray(part, dtype="<f4").tobytes() for part in parts]
        with self._lock:
            self._sent += sound.shape[1]
        self._post("sound", buffers, run=self.run, channels=sound.shape[0])

    def _say(self, error: AmpError | None) -> None:
        """Send why the present graph cannot be played, once per reason; None: it can again."""
        problem = "" if error is None else str(error)
        if problem != self._problem:
            self._problem = problem
            content = {} if error is None else described(error)
            self._post("waits", run=self.run, silent=self._session is None, **content)


def moved(before: NodeRecord | None, after: NodeRecord | None) -> dict[str, Any] | None:
    """Return the changed values of a node for the running session; None if a new session is required."""
    if before is None or after is None:
        return None
    if before.type is not after.type or before.samples is not after.samples:
        return None
    values = {}
    for param in catalog.contract(after.type).params:
        old, new = (record.values.get(param.key, param.default) for record in (before, after))
        if old is new:
            continue
        if param.rate == "fixed" or isinstance(old, CurveRef) or isinstance(new, CurveRef):
            return None
        values[param.key] = new
    return values
