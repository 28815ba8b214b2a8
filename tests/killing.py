"""Kill a process at its system calls, one process per call, and look at what it leaves on the disk.

``storm`` counts with strace the calls that an action makes, then runs it anew for each of them and kills it
there: the call is not carried out. So every state in which a kill can leave the files is seen, but those in
the middle of a call; tests with full disks see these.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

State = TypeVar("State")

BEGIN, END = "/amp_lab_the_action_begins", "/amp_lab_the_action_ends"
CHANGES = re.compile(
    r"creat|open(at2?)?|p?writev?2?|pwrite64|copy_file_range|sendfile|splice|f?truncate|fallocate|rename(at2?)?|"
    r"(sym)?link(at)?|unlink(at)?|mkdir(at)?|rmdir|f?chmod(at)?|[fl]?chown(at)?|flock|fcntl|f(data)?sync|close"
)
"""Calls before which the disk may differ from its state at the call before; also locks."""
_CALL = re.compile(r"^(\d+) +(\w+)\(")
_TIMEOUT_S = 120
_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)


@dataclass(frozen=True)
class Call:
    """The ``count``-th call of this name that a process makes from where strace is attached."""

    name: str
    count: int


@dataclass
class Storm(Generic[State]):
    """Result of a storm: all calls of the action, those it was killed at, the files it left there."""

    calls: list[Call]
    old: State
    new: State
    left: list[tuple[Call, State]] = field(default_factory=list)
    survived: list[Call] = field(default_factory=list)

    def missed(self) -> list[Call]:
        """Return the calls that change files and were not killed; other calls may be fewer in a run."""
        return [call for call in self.survived if CHANGES.fullmatch(call.name)]

    def lost(self) -> list[tuple[Call, State]]:
        """Return the kills after which neither the old state nor the new one existed."""
        return [(call, state) for call, state in self.left if state not in (self.old, self.new)]

    def __str__(self) -> str:
        old = sum(state == self.old for _, state in self.left)
        return (
            f"{len(self.calls)} calls, {len(self.left)} kills: {old} left the old, {len(self.lost())} neither"
        )


def missing() -> str:
    """Why no process can be killed at its calls; empty if one can."""
    if not shutil.which("strace"):
        return "no strace on this machine (Debian: apt install strace): no writer killed at its system calls"
    with tempfile.TemporaryDirectory() as folder:
        try:
            calls = _record(lambda: os.rmdir(folder), Path(folder).parent)
        except (OSError, RuntimeError) as error:
            return f"strace cannot attach here ({error}): no writer killed at its system calls"
        if Call("rmdir", 1) not in calls:
            return "strace sees no calls here: no writer killed at its system calls"
        os.mkdir(folder)
    return ""


def storm(
    action: Callable[[], object],
    *,
    prepare: Callable[[], object],
    look: Callable[[], State],
    most: int | None = None,
) -> Storm[State]:
    """Kill an action at its system calls.

    Parameters
    ----------
    action
        What is killed: it runs in a fork of this process, so imports, graphs and renders are made before. It
        should use one thread.
    prepare
        Puts the old state onto the disk; called before each run, here.
    look
        Returns the state of the disk, to be compared by ``==``; called after each run, here. What a kill may
        leave behind (temporary files) is no part of it. May raise: that counts as neither old nor new.
    most
        At most so many kills, 2 or more, evenly spread over the calls that change something on the disk, the
        first and the last among them; None for all calls of any kind.
    """

    def seen() -> State:
        try:
            return look()
        except Exception as error:
            return repr(error)  # type: ignore[return-value]

    prepare()
    old = look()
    with tempfile.TemporaryDirectory() as scratch:
        calls = _record(action, Path(scratch))
        result = Storm(calls, old, look())
        if result.old == result.new:
            raise RuntimeError("the action changes nothing that look() sees")
        chosen = calls
        if most is not None:
            changing = [call for call in calls if CHANGES.fullmatch(call.name)]
            step = max(1.0, (len(changing) - 1) / (most - 1))
            chosen = [changing[round(index * step)] for index in range(min(most, len(changing)))]
        for call in chosen:
            prepare()
            if _run(action, Path(scratch), call) == -signal.SIGKILL:
                result.left.append((call, seen()))
            else:
                result.survived.append(call)
        if chosen:  # overwrites the files of the last kill
            if code := _run(action, Path(scratch)):
                raise RuntimeError(f"the action fails after a kill (got exit code {code})")
            if (state := seen()) != result.new:
                raise RuntimeError(f"after a kill the action does something else (got {str(state)[:200]})")
    return result


def _record(action: Callable[[], object], scratch: Path) -> list[Call]:
    """Run an action and return its calls."""
    if code := _run(action, scratch):
        raise RuntimeError(f"the action fails (got exit code {code})")
    counts: Counter[tuple[str, str]] = Counter()
    calls, inside = [], False
    for line in (scratch / "log").read_text(errors="replace").splitlines():
        if (match := _CALL.match(line)) is None:
            continue
        thread, name = match.groups()
        counts[thread, name] += 1
        if BEGIN in line:
            inside = True
        elif END in line:
            inside = False
        elif inside:
            calls.append(Call(name, counts[thread, name]))
    return calls


def _run(action: Callable[[], object], scratch: Path, kill: Call | None = None) -> int:
    """Run an action under strace in a fork; returns its exit code, or minus the signal that ended it."""
    waits, go = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: threads of ours do not matter
        child = os.fork()
    if not child:
        _act(action, waits)
    os.close(waits)
    what = ["-e", "trace=all"]
    if kill is not None:
        what = ["-e", f"trace={kill.name}", "-e", f"inject={kill.name}:signal=SIGKILL:when={kill.count}"]
    command = ["strace", "-f", "-a1", "-s64", "-o", str(scratch / "log"), *what, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    heard = tracer.stderr.readline()
    if "attached" in heard:
        with contextlib.suppress(BrokenPipeError):  # it was killed while it waited
            os.write(go, b"1")
    else:
        os.kill(child, signal.SIGKILL)
    os.close(go)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    tracer.communicate(timeout=_TIMEOUT_S)
    if "attached" not in heard:
        raise RuntimeError(heard.strip() or "strace said nothing")
    return code


def _act(action: Callable[[], object], waits: int) -> None:
    """Do the action in the child, between two marks in the log of strace."""
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_TIMEOUT_S)
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
        os.read(waits, 1)
        os.access(BEGIN, 0)
        action()
        os.access(END, 0)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
