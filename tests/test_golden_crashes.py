"""A native crash or hang while a golden renders: a verdict with its node, exit code 3, the case as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden_tone import tone

import amp_lab as amp
from amp_lab import golden, isolate
from amp_lab.cli import commands as cli
from amp_lab.errors import IsolationWarning, NativeCrash, WorkerUnavailable
from amp_lab.golden import replay

pytest_plugins = ["golden_tone"]
pytestmark = pytest.mark.usefixtures("own_workers")
HOOKS = Path(__file__).parents[1] / "build" / "hooks"


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let workers load the library with fault hooks; the value is the fault of the next renders."""
    library = HOOKS / "libamp_native.so"
    assert library.exists(), f"{library} is missing: run `make hooks`"
    isolate.shutdown()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(HOOKS))
    return lambda text: monkeypatch.setenv("AMP_TEST_FAULT", text)


@pytest.mark.parametrize(("kind", "signal"), [("segv", "SIGSEGV"), ("abort", "SIGABRT")])
def test_a_crash_of_the_stored_graph_is_a_verdict_with_its_node(
    stored_tone: Path, fault: Callable[[str], None], kind: str, signal: str
) -> None:
    """`verify` reports node and signal; a failing `check` still reports its own difference."""
    fault(f"level:100:{kind}")
    first = golden.verdicts(goldens=stored_tone)[0]
    assert repr(first).startswith("tone: ERROR crash") and repr(first).endswith("node level")
    assert first.crashed and signal in first.reason
    other = tone()
    other["level"].set(gain=0.25)
    verdict = golden.check("tone", other.render(frames=200, isolation="none"), goldens=stored_tone)
    assert (
        verdict.status == "failed"
        and "the stored graph does not render: level: native crash" in verdict.reason
    )
    fault("")
    assert all(golden.verify(goldens=stored_tone))


def test_a_hang_ends_with_its_node(
    stored_tone: Path, fault: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firing that never ends is stopped after half of the time that a render may take."""
    fault("")
    assert golden.verify(goldens=stored_tone)  # the worker has started
    monkeypatch.setenv("AMP_GOLDEN_TIMEOUT", "4")
    fault("level:100:hang")
    first = golden.verdicts(goldens=stored_tone)[0]
    assert first.crashed and "node level" in repr(first) and "hang" in first.reason


def test_a_render_that_takes_too_long_is_stopped(tone_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress alone does not extend a render without limit."""
    monkeypatch.setenv("AMP_GOLDEN_TIMEOUT", "0.2")
    graph = tone()
    with pytest.raises(
        golden.GoldenError, match=r"tone: takes too long \(got 0.2 s for \d+ of 10000000000 frames"
    ):
        replay.parts("tone", replay_request(graph, 10_000_000_000))
    monkeypatch.setenv("AMP_GOLDEN_TIMEOUT", "soon")
    assert "AMP_GOLDEN_TIMEOUT: no time (got 'soon'" in golden.verdicts(goldens=tone_copy)[0].reason


def replay_request(graph: amp.Graph, frames: int) -> Any:
    """A request for this number of frames of a graph without output, which needs no memory for them."""
    mute = amp.Graph(name="mute")
    mute.svf(mute.noise(), name="flt")
    request = mute.render(frames=1, taps="all", isolation="none").request
    return type(request)(**{**vars(request), "frames": frames, "taps": ()})


def test_a_system_without_workers_renders_in_the_process(
    stored_tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no worker can be started goldens are verified all the same, with a warning; not after a crash."""

    def refused(*arguments: Any, **options: Any) -> Any:
        raise WorkerUnavailable("worker: none (got EAGAIN, allowed a process). Raise the limit.")

    monkeypatch.setattr(isolate, "render", refused)
    monkeypatch.setattr(isolate._service, "crashed", False)
    with pytest.warns(IsolationWarning, match="no worker process can be started"):
        assert all(golden.verify(goldens=stored_tone))
    assert isolate.fallen_back()
    isolate.shutdown()
    monkeypatch.setattr(isolate._service, "crashed", True)
    assert golden.verdicts(goldens=stored_tone)[0].status == "error"
    monkeypatch.setenv("AMP_ISOLATION", "none")
    assert all(golden.verify(goldens=stored_tone))


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


@pytest.mark.parametrize("how", [[], ["--matrix", "full"], ["--isa"]], ids=["quick", "full", "isa"])
def test_the_command_says_3_and_the_node_for_a_crash(
    stored_tone: Path, fault: Callable[[str], None], how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`golden verify` in every way: exit code 3, the verdict with its node, and no traceback."""
    fault("level:100:segv")
    assert run("golden", "verify", "--goldens", stored_tone, *how) == cli.CRASHED
    out = capsys.readouterr().out
    assert "tone: ERROR crash" in out and "node level" in out and "SIGSEGV" in out


def test_update_of_a_crash_says_3_and_the_node(
    tone_copy: Path, fault: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """`golden update`: exit code 3, the node, and the case as it was."""
    before = {file.name: file.read_bytes() for file in (tone_copy / "tone").iterdir()}
    fault("level:100:segv")
    assert run("golden", "update", "tone", "--reason", "r", "--goldens", tone_copy) == cli.CRASHED
    assert "level: native crash SIGSEGV" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in (tone_copy / "tone").iterdir()} == before
    with pytest.raises(NativeCrash, match="level"):
        golden.update("tone", reason="r", goldens=tone_copy)
