"""Errors of workers that cannot be started: the limit of the system, and its value."""

from __future__ import annotations

import errno

from amp_lab.errors import WorkerUnavailable

_WHAT = {
    errno.EMFILE: ("no more open files", "ulimit -n", "RLIMIT_NOFILE"),
    errno.ENFILE: ("no more open files on this machine", "fs.file-max", None),
    errno.EAGAIN: ("no more processes or threads", "ulimit -u", "RLIMIT_NPROC"),
    errno.ENOMEM: ("no more address space or memory", "ulimit -v", "RLIMIT_AS"),
    errno.EFBIG: ("no larger files", "ulimit -f", "RLIMIT_FSIZE"),
    errno.EPERM: ("a system call was refused", "what the sandbox lets through", None),
    errno.EACCES: ("a system call was refused", "what the sandbox lets through", None),
    errno.ENOSYS: ("a system call is missing", "what the sandbox lets through", None),
}


def value(limit: str) -> str:
    """Return the soft value of a limit of this process as text."""
    soft = _soft(limit)
    return "unlimited" if soft is None else str(soft)


def reason(number: int, what: str = "") -> str:
    """Return the limit that an error number stands for, as text: ``got ..., allowed ...``."""
    known = _WHAT.get(number)
    if known is None:
        return f"got {what or errno.errorcode.get(number, number)}, allowed what the system gives"
    got, name, limit = known
    told = name if limit is None else f"{name} = {value(limit)}"
    if number == errno.EAGAIN and address_space_is_limited():  # a thread needs room for its stack
        told += f", ulimit -v = {value('RLIMIT_AS')}"
    return f"got {got}, allowed {told}"


def address_space_is_limited() -> bool:
    """Whether this process, and so its children, may map only so much."""
    return _soft("RLIMIT_AS") is not None


def unavailable(number: int, words: str = "") -> WorkerUnavailable:
    """Return the error of a worker that cannot be started, by the error number of what was refused."""
    error = WorkerUnavailable(
        f"worker: cannot be started ({reason(number)}). Raise the limit, or render with isolation='none'."
    )
    if words:
        error.add_note(f"It said:\n{words}")
    return error


def _soft(limit: str) -> int | None:
    """Return a limit, None where there is none."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    soft = resource.getrlimit(getattr(resource, limit))[0]
    return None if soft == resource.RLIM_INFINITY else soft
