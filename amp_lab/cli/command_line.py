"""Helpers for command lines: arguments, and output to terminals, closed pipes or full disks."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from amp_lab.common import checks
from amp_lab.errors import plain, visible

OK, FAILED, USAGE, CRASHED, INTERRUPTED, NO_READER = 0, 1, 2, 3, 130, 141
"""Exit codes; the last is that of output whose reader has gone: as a shell reports the end by ``SIGPIPE``."""


class Parser(argparse.ArgumentParser):
    """A parser whose error for a wrong choice has the list and the nearest name."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = "command" if isinstance(action, argparse._SubParsersAction) else "choice"
            where = action.option_strings[0] if action.option_strings else what
            sentence = checks.unknown(where, value, map(str, action.choices), what)
            raise argparse.ArgumentError(None, sentence)

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = file or sys.stderr
        if message and stream is not None:
            stream.write(message)  # what fails is answered as by any command

    def error(self, message: str) -> NoReturn:
        """Print how the command is used and what is wrong, and leave with exit code 2."""
        super().error(visible(message))


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(commands: Commands, name: str, what: str, more: str = "") -> argparse.ArgumentParser:
    """Add a command, with its line of help and further sentences for its page."""
    text = f"{what[0].upper()}{what[1:]}. {more}".strip()
    return commands.add_parser(name, help=what, description=text)


def add_goldens(command: argparse.ArgumentParser) -> None:
    """Add `--goldens`."""
    command.add_argument(
        "--goldens",
        type=Path,
        metavar="DIR",
        help="folder of cases (default: AMP_GOLDENS, pyproject.toml, or goldens/ from here upward)",
    )


def positive(text: str) -> float:
    """Read a number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"out of range (got {text}, allowed above 0).")
    return value


def count(text: str) -> int:
    """Read a whole number from 1 up."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"out of range (got {text}, allowed 1 or more).")
    return value


def output(text: str) -> Path:
    """Read the path of a file to write; ``-`` is standard output."""
    return Path("/dev/stdout" if text == "-" else text)


def citizen(run: Callable[[], int]) -> int:
    """Run a command and return its exit code, or that of what became of its output.

    What a terminal's encoding lacks is written as escapes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return run()
        finally:  # a page of help too
            flush()
    except OSError as error:  # of the output: who reads it has gone, or it is full
        with contextlib.suppress(OSError, ValueError):  # what is still in the buffer is lost
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER if isinstance(error, BrokenPipeError) else complain(of_file(error))


def flush() -> None:
    """Write what is printed so far."""
    if sys.stdout is not None:
        sys.stdout.flush()


def of_file(error: OSError) -> str:
    """Return the sentence about an error of the system, with the file; without one it is the output."""
    where = "output" if error.filename is None else plain(error.filename, 1000)
    return f"{where}: {error.strerror or plain(error, 1000)}."


def print_path(path: Path) -> None:
    """Print where a file lies, whatever bytes its name has."""
    print(plain(path, 10_000))


def complain(message: str, code: int = USAGE) -> int:
    """Print one message and return the exit code."""
    with contextlib.suppress(OSError):  # its reader has gone: the code says enough
        print(f"amp-lab: {message}", file=sys.stderr, flush=True)
    return code
