"""The text that views show after a native crash."""

from __future__ import annotations

from amp_lab.errors import NativeCrash, plain, visible

HANG = "HANG"


def report(crash: NativeCrash | None, sample_rate: float) -> dict[str, str]:
    """Describe a crash: title, what happened, the cure, node, words of the worker; {} for none."""
    if crash is None:
        return {}
    node = plain(crash.node)
    what = "Native code stopped answering" if crash.signal == HANG else f"Native crash {crash.signal}"
    change = f"Change {node}, what feeds it" if node else "Change the graph"
    return {
        "title": f"{what} in {node}" if node else f"{what}, while no node was working",
        "happened": _window(crash, sample_rate),
        "cure": f"{change}, or undo the last edit, and render again. Kernel, graph and earlier renders are "
        "unharmed; the next render starts a new worker.",
        "node": crash.node,
        "signal": crash.signal,
        "message": str(crash),
        "name": node,
        "words": visible("\n".join(getattr(crash, "__notes__", ())), keep="\n"),
    }


def _window(crash: NativeCrash, sample_rate: float) -> str:
    if crash.frames <= 0:
        return ""
    first, last = crash.first_frame, crash.first_frame + crash.frames - 1
    return (
        f"While frames {first} to {last} were rendered "
        f"({1e3 * first / sample_rate:.1f} to {1e3 * (last + 1) / sample_rate:.1f} ms)."
    )
