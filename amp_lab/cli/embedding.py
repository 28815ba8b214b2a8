"""What a compiler of C or C++ needs to use the installed library."""

# ruff: noqa: PLC0415 - the library is loaded when the command runs, so that help works without it

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
from pathlib import Path

from amp_lab.cli.command_line import OK, Commands, add_command


def folder() -> Path:
    """Return the folder with library, headers (``include``) and CMake package (``cmake``).

    Raises
    ------
    NativeLibraryMissing
        If the library cannot be loaded.
    """
    from amp_lab import _native

    spec = importlib.util.find_spec("amp_lab._native._amp_native")
    beside = spec.origin if spec and spec.origin else _native.__file__
    return Path(beside).parent


def compile_flags(native: Path) -> list[str]:
    """Return the options with which a compiler finds the headers in a folder."""
    return [f"-I{native / 'include'}"]


def link_flags(native: Path, platform: str = sys.platform) -> list[str]:
    """Return the options with which a program finds the library in a folder, linked and run."""
    if platform == "win32":  # a program finds a DLL beside itself or in PATH
        return [str(native / "lib" / "amp_native.lib")]
    return [f"-L{native}", "-lamp_native", f"-Wl,-rpath,{native}"]


def run(options: argparse.Namespace) -> int:
    """Print what was asked for, in one line."""
    native = folder()
    if options.cmake_dir:
        print(native / "cmake")
        return OK
    words = compile_flags(native) if options.cflags or not options.libs else []
    words += link_flags(native) if options.libs or not options.cflags else []
    print(shlex.join(words))
    return OK


def add_config(commands: Commands) -> None:
    """Add the command ``config``."""
    what = "print what a compiler needs to embed the engine in a C or C++ program"
    more = "Without an option: --cflags --libs. A program is built with: cc main.c $(amp-lab config)."
    command = add_command(commands, "config", what, more)
    command.add_argument("--cflags", action="store_true", help="where the headers are")
    command.add_argument("--libs", action="store_true", help="where the library is, linked and run")
    command.add_argument(
        "--cmake-dir", action="store_true", help="the folder for -Damp_native_DIR; alone on its line"
    )
    command.set_defaults(run_command=run)
