"""The command line under any terminal, reader, disk and user: its output or one sentence, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import amp_lab as amp
from amp_lab.catalog import text as catalog_text
from amp_lab.cli import commands as cli
from amp_lab.golden.verdict import Comparison, Mismatch, Verdict
from amp_lab.plan import text as plan_text

HOSTILE = "a\x1b[2J\x00\u202eb\udcff"
COMMAND = [sys.executable, "-P", "-m", "amp_lab.cli"]
NOBODY = """
import os, pwd, sys
def nobody(*_):
    raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = pwd.getpwnam = nobody
from amp_lab.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command; its error stream is kept."""
    given: dict[str, Any] = {"stderr": subprocess.PIPE, "text": True, "timeout": 120} | options
    return subprocess.run([*COMMAND, *arguments], check=False, **given)


@pytest.mark.parametrize(
    "arguments", [["nodes"], ["--help"], ["nodes", "svf"], ["demo", "--help"], ["golden", "list"]]
)
def test_a_reader_that_has_gone_ends_a_command_in_silence(arguments: list[str]) -> None:
    """As ``SIGPIPE`` ends any other program; a shell reports 141."""
    reading, writing = os.pipe()
    os.close(reading)
    done = run(*arguments, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("arguments", [["nodes"], ["--help"], ["nodes", "svf"]])
def test_a_full_disk_is_one_sentence(arguments: list[str]) -> None:
    """The output is lost, and that is reported."""
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (2, "amp-lab: output: No space left on device.\n")


def test_a_closed_output_is_no_failure() -> None:
    """``amp-lab nodes >&-`` has nowhere to print to."""
    program = f"import os; os.close(1); os.execv({sys.executable!r}, {[*COMMAND, 'nodes']!r})"
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
)
def test_an_ascii_terminal_gets_escapes(environment: dict[str, str], tmp_path: Path) -> None:
    """A name that the terminal's encoding lacks is written, not refused."""
    g = amp.Graph(name="größe")
    g.output(g.sine(frequency_hz=440.0))
    g.save(tmp_path / "g.json")
    target = tmp_path / "töne.wav"
    done = run(
        "render", str(tmp_path / "g.json"), "--frames", "8", "-o", str(target), "--isolation", "none",
        stdout=subprocess.PIPE, env=os.environ | environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "Render gr" in done.stdout
    assert run("rendér", env=os.environ | environment).returncode == 2


def test_a_path_that_is_no_text_is_printed_as_escapes(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and control characters of a terminal."""
    g = amp.Graph(name="g")
    g.output(g.sine(frequency_hz=440.0))
    g.save(tmp_path / "g.json")
    target = os.fsencode(tmp_path) + b"/a\x1b[2J\xff.wav"
    command = [
        *COMMAND,
        "render",
        str(tmp_path / "g.json"),
        "--frames",
        "8",
        "--isolation",
        "none",
        "-o",
        target,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("/a\\x1b[2J\\udcff.wav\n")
    assert Path(os.fsdecode(target)).is_file()


@pytest.mark.parametrize("arguments", [["doctor"], ["nodes"]])
def test_a_user_without_a_name_and_a_home_can_work(arguments: list[str], tmp_path: Path) -> None:
    """No passwd entry, no HOME, no TMPDIR, no locale: as in a container."""
    program = [sys.executable, "-P", "-c", NOBODY, *arguments]
    done = subprocess.run(
        program, env={}, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "FAILED" not in done.stdout


def test_a_user_without_a_name_sees_figures_and_blesses(tmp_path: Path) -> None:
    """Matplotlib finds no home directory either; a golden's provenance has the user's number."""
    program = NOBODY.replace(
        "from amp_lab.cli import main\nsys.exit(main(sys.argv[1:]))",
        "from amp_lab import Graph, golden, plots\n"
        "g = Graph(name='g'); g.output(g.sine(frequency_hz=440.0))\n"
        "r = g.render(frames=64, isolation='none')\n"
        "assert plots.png(r.waveform())\n"
        "os.mkdir('goldens'); golden.store('case', r, reason='first', graph=g)\n"
        "print(golden.list_cases()[0].manifest()['blessed']['by'])",
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"TMPDIR": "/nonexistent"}, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"uid {os.getuid()}\n"


def test_a_folder_that_cannot_be_written_is_said_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with the path, and exit code 2."""
    (tmp_path / "out").write_text("a file")
    monkeypatch.setattr(amp.Graph, "render", None)
    assert cli.main(["demo", "--out", str(tmp_path / "out" / "deep")]) == 2
    assert capsys.readouterr() == ("", f"amp-lab: {tmp_path}/out/deep: Not a directory.\n")


def test_a_sound_file_that_cannot_be_written_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What is wrong, and with which file."""
    g = amp.Graph(name="g")
    g.output(g.sine(frequency_hz=440.0))
    g.save(tmp_path / "g.json")
    target = tmp_path / "full.wav"
    target.symlink_to("/nonexistent/full.wav")
    arguments = [
        "render",
        str(tmp_path / "g.json"),
        "--frames",
        "8",
        "--isolation",
        "none",
        "-o",
        str(target),
    ]
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith("amp-lab: g.save: no folder '/nonexistent' (got '")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rendr"], "command: no such command (got 'rendr', allowed demo | render | "),
        (["demo", "--isolation", "proces"], "--isolation: no such choice (got 'proces', "
         "allowed process | none). Did you mean 'process'?"),
        (["golden", "verfy"], "allowed list | verify | update | export). Did you mean 'verify'?"),
        (["nodes", "svff"], "Did you mean 'svf'?"),
        (["bench", "--run", "W9"], "bench: no such workload (got 'W9', allowed W1 | "),
        (["rendr\x1b[2J"], "got 'rendr\\x1b[2J'"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_answered_with_the_list(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, actions and options alike; exit code 2."""
    try:
        code: object = cli.main(arguments)
    except SystemExit as left:
        code = left.code
    assert code == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.replace("\n", "").isprintable()


class TestTexts:
    """Texts and lists that hold names from files."""

    def test_a_table_is_printable(self) -> None:
        """The row of a manifest is one line for any content."""
        lines = catalog_text.aligned([("case", "reason"), (HOSTILE, "b\nc")])
        assert len(lines) == 2
        assert all(line.isprintable() for line in lines)

    def test_a_verdict_is_printable(self) -> None:
        """Its line, and the facts of a failure."""
        mismatch = Mismatch("value", HOSTILE, HOSTILE, HOSTILE, HOSTILE, frame=0, node=HOSTILE, note=HOSTILE)
        verdict = Verdict(HOSTILE, Comparison("exact", 1, 1, 1, mismatch))
        assert repr(verdict).isprintable()
        assert str(verdict).replace("\n", "").isprintable()

    def test_a_plan_is_printable(self) -> None:
        """Gates and curves can have any name."""
        g = amp.Graph(name="p")
        g.connect(g.sine(frequency_hz=amp.curve("pitch"), name="tone"), g.output(name="out"), gates=["start"])
        text = json.dumps(g.compile().info)
        for name in ("pitch", "start", "tone"):
            text = text.replace(f'"{name}"', json.dumps(f"{name}{HOSTILE}\nx"))
        text = plan_text.render(json.loads(text))
        assert "gate start" + HOSTILE.encode("unicode_escape").decode() + "\\nx" in text
        assert text.replace("\n", "").isprintable()
