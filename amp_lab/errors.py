"""Every failure as an exception class; native status codes map one to one.

A message reads ``where: what (got X, allowed Y). What to do.`` Names and values that come from a user or a
file go through `quoted` or `plain`, so that no control character reaches a terminal and no value fills a
page.
"""

# ruff: noqa: N818 - names of events without the suffix Error: `except amp.Pending`
# ruff: noqa: PLC0414 - the helpers for texts of errors are imported from here

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from amp_lab.printable import LISTED as LISTED
from amp_lab.printable import QUOTED as QUOTED
from amp_lab.printable import listed as listed
from amp_lab.printable import plain as plain
from amp_lab.printable import quoted as quoted
from amp_lab.printable import readable as readable
from amp_lab.printable import shortened as shortened
from amp_lab.printable import visible as visible


@dataclass(frozen=True)
class Violation:
    """One violation of a rule, as a record for programs; `str` gives the line that an error's text has of it.

    Fields hold names and sentences unchanged; in the line, characters that cannot be printed are escapes.

    Parameters
    ----------
    kind
        Class of the error that would be raised for this violation alone.
    node, port
        Name of the node and key of its port or parameter, or name of a curve in ``port``; ``""`` if unknown.
    sentence
        Place, violation, value and allowed values.
    cure
        What to do; ``""`` if the sentence includes it.
    src
        If a link into ``node`` is at fault, the node at which the link begins; else ``""``.
    frames
        Frames of delay that are missing on that link; else 0.

    Examples
    --------
    >>> g = amp.Graph()
    >>> loop = g.connect(g.mix(), "mix")
    >>> try:
    ...     g.compile()
    ... except amp.AmpError as error:
    ...     print(error.violations[0].node, error.violations[0].frames, error.violations[0].cure)
    ...
    mix 1 Add delay_frames on one of its edges.
    """

    kind: type[AmpError]
    node: str = ""
    port: str = ""
    sentence: str = ""
    cure: str = ""
    src: str = ""
    frames: int = 0

    def __str__(self) -> str:
        return visible(readable(f"{self.sentence} {self.cure}" if self.cure else self.sentence))


class AmpError(Exception):
    """A failure of the runtime or the model, with the place where it happened.

    Parameters
    ----------
    message
        Sentences: place, violation, cure. Unprintable characters other than line ends become escapes; words
        of more than `QUOTED` characters are shortened in the middle.
    code
        Native status (0 if the failure is not native).
    stage
        ``load``, ``plan``, ``configure``, ``set_param``, ``execute``, ... or ``""``.
    node, port
        Name of the node and key of its port or parameter, ``""`` if unknown.
    batch, channel, frame
        Logical position, -1 if unknown.
    violations
        All violations that were found; by default this failure alone.

    Examples
    --------
    >>> try:
    ...     amp.Graph().gain(gain=float("nan"))
    ... except amp.AmpError as error:
    ...     print(type(error).__name__, len(error.violations))
    ...
    GraphError 1
    """

    status: ClassVar[int] = 0

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        stage: str = "",
        node: str = "",
        port: str = "",
        batch: int = -1,
        channel: int = -1,
        frame: int = -1,
        violations: Iterable[Violation] = (),
    ) -> None:
        super().__init__(readable(message))
        self._violations = tuple(violations)
        self.code = self.status if code is None else code
        self.stage = stage
        self.node = node
        self.port = port
        self.batch = batch
        self.channel = channel
        self.frame = frame

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations that were found, one or more; the error's own fields are those of the first."""
        own = Violation(type(self), self.node, self.port, str(self.args[0] if self.args else ""))
        return self._violations or (own,)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by message and fields, so that a worker process can send its failure."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class InvalidArgument(AmpError):
    """A value or name is not allowed, or a call is not allowed in the present state.

    Examples
    --------
    >>> amp.Schedule([["a"]])
    Traceback (most recent call last):
        ...
    amp_lab.errors.InvalidArgument: schedule.stages[0][0]: not a list (got 'a', allowed a list of names of
        nodes). Give one.
    """

    status = -1


class ShapeError(AmpError):
    """An array has the wrong shape.

    Examples
    --------
    >>> amp.batch([[220.0, 440.0]])
    Traceback (most recent call last):
        ...
    amp_lab.errors.ShapeError: batch: wrong shape (got (1, 2), allowed (batches,)). Give one number per batch.
    """

    status = -2


class OutOfMemory(AmpError):
    """The system does not give the memory that a call needs."""

    status = -3


class Unsupported(AmpError):
    """The node, the build or the system does not have this feature.

    Examples
    --------
    >>> amp.diagnostics.enable_native_logging()
    Traceback (most recent call last):
        ...
    amp_lab.errors.Unsupported: native logging: not compiled in (got the standard flavour, needs the
        diagnostics flavour). Build with AMP_NATIVE_DIAGNOSTICS_BUILD=1 pip install .
    """

    status = -4


class Pending(AmpError):
    """An input has no samples for the next frame yet, or the call was cancelled.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.input(name="mic"))
    >>> s = g.session()
    >>> s.pull(1)
    Traceback (most recent call last):
        ...
    amp_lab.errors.Pending: output: frame 0 waits for input "mic" (pushed up to frame 0). Stalled: output.
        Push samples to it, or end it.
    """

    status = -5


class BlobError(AmpError):
    """A blob is malformed; the message gives the byte and what was expected there.

    Examples
    --------
    >>> plan = amp.Graph().compile()
    >>> amp.Plan.compile(plan.descriptor_blob[:-1], "cut", ())
    Traceback (most recent call last):
        ...
    amp_lab.errors.BlobError: AMPD blob at byte 16: the header says 38 payload bytes, there are 37.
        Write the blob again.
    """

    status = -6


class DriftError(AmpError):
    """A plan was compiled from other descriptors or contracts than those at hand.

    Examples
    --------
    >>> from dataclasses import replace
    >>> g = amp.Graph()
    >>> empty, tone = g.compile(), g.sine()
    >>> replace(g.compile(), plan_blob=empty.plan_blob).info
    Traceback (most recent call last):
        ...
    amp_lab.errors.DriftError: sine: plan and descriptors do not belong together: this node is missing from
        the plan (plan has ..., descriptors and contracts give ...). Compile the
        plan again.
    """

    status = -7


class CycleError(AmpError):
    """The edges of a feedback cycle have too few frames of delay.

    Examples
    --------
    >>> g = amp.Graph()
    >>> loop = g.connect(g.mix(), "mix")
    >>> g.compile()
    Traceback (most recent call last):
        ...
    amp_lab.errors.CycleError: feedback mix -> mix: 0 frames of edge delay, needs 1. Add delay_frames on one
        of its edges.
    """

    status = -8


class NonFiniteError(AmpError):
    """A sample is NaN or infinite; the message gives node, port, batch, channel and frame.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.input([1.0, float("inf")], name="broken"))
    >>> g.render(frames=2)
    Traceback (most recent call last):
        ...
    amp_lab.errors.NonFiniteError: broken.out: Inf at batch 0, channel 0, frame 1. Look at what this node is
        fed there, or render with nonfinite="allow".
    """

    status = -9


class ThermalError(AmpError):
    """A graph with the heat policy ``halt`` gave off more power than its budget in W.

    Examples
    --------
    >>> g = amp.Graph(heat_budget_w=0.01, heat_policy="halt")
    >>> out = g.output(g.gain(g.sine(), thermo={"heat_j_per_frame": 1e-6}))
    >>> g.render(frames=64)
    Traceback (most recent call last):
        ...
    amp_lab.errors.ThermalError: output: the graph is over its heat budget (got 0.485866 W, allowed 0.01 W) at
        frame 63, and this node gives most. Lower its level or raise the budget.
    """

    status = -10


class InternalError(AmpError):
    """The runtime broke one of its own rules, through no fault of the caller; please report it."""

    status = -11


class RingFull(AmpError):
    """A ring between two nodes, or at an input, holds as many frames as it may.

    Examples
    --------
    >>> g = amp.Graph()
    >>> out = g.output(g.input(name="mic"))
    >>> s = g.session(limit_frames=64)
    >>> s.push("mic", np.zeros(10_000))
    Traceback (most recent call last):
        ...
    amp_lab.errors.RingFull: mic.out: the ring is full (needs 10000 frames, allowed 1025): output has read up
        to frame 0 and waits for input "mic" (pushed up to frame 0). Pull there, make the tap latest, push
        what is missing, or raise limit_frames.
    """

    status = -12


class GraphError(AmpError, ValueError):
    """A mistake in a graph or in the arguments of a call, found before native code runs.

    Examples
    --------
    >>> amp.Graph(sample_rate=0.0)
    Traceback (most recent call last):
        ...
    amp_lab.errors.GraphError: Graph.sample_rate: out of range (got 0.0 Hz, allowed 1 to 10000000 Hz). Give it
        in Hz: 48000.
    """


class FileError(GraphError):
    """A file cannot be read, does not hold what it should, or cannot be written; with path and place in it.

    Examples
    --------
    >>> amp.load("nowhere.json")
    Traceback (most recent call last):
        ...
    amp_lab.errors.FileError: nowhere.json: No such file or directory. Give the path of a JSON file.
    """

    def __init__(self, message: str, *, stage: str = "load", violations: Iterable[Violation] = ()) -> None:
        super().__init__(message, stage=stage, violations=violations)


class NativeCrash(AmpError):
    """A signal ended the worker process that was rendering; the calling process goes on.

    Parameters
    ----------
    signal
        Name of the signal, such as ``SIGSEGV``; ``HANG`` if the worker was killed because it stopped firing.
    node
        Node that was firing; ``""`` if none was.
    first_frame, frames
        First logical frame and number of frames of that firing.
    """

    def __init__(
        self, message: str, *, signal: str = "", node: str = "", first_frame: int = -1, frames: int = 0
    ) -> None:
        super().__init__(message, stage="execute", node=node, frame=first_frame)
        self.signal = signal
        self.first_frame = first_frame
        self.frames = frames


class WorkerUnavailable(AmpError):
    """No worker process can be started: a limit of the system, named in the message, forbids it."""


class IsolationWarning(UserWarning):
    """Once per process: no worker can be started, so renders run in the notebook's own process."""


class NativeLibraryMissing(ImportError):
    """The native library is not built."""


class NativeLibraryStale(ImportError):
    """The native library was built from other sources than this package."""


BY_STATUS: dict[int, type[AmpError]] = {
    cls.status: cls
    for cls in (
        InvalidArgument,
        ShapeError,
        OutOfMemory,
        Unsupported,
        Pending,
        BlobError,
        DriftError,
        CycleError,
        NonFiniteError,
        ThermalError,
        InternalError,
        RingFull,
    )
}
