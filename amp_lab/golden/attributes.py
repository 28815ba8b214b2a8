"""The `.gitattributes` of a folder of cases, so that Git keeps their bytes in every clone."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from amp_lab.common import atomic_files, regular_files
from amp_lab.errors import FileError

from . import contents

FILE = ".gitattributes"
HEAD = b"# cases of amp_lab: the same bytes in every clone\n"
LINES = {
    f"/*/{name}".encode(): b"binary" if name == contents.REFERENCE else b"text eol=lf"
    for name in sorted(contents.FILES)
}
"""Attributes by pattern."""


def ensure(root: Path, scratch: Path) -> None:
    """Add missing lines in front of the present ones, which therefore take precedence.

    A link, a special file or a file that is too large is not changed. `scratch` is a folder on the same disk.
    """
    path = root / FILE
    held = b""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return
        held = regular_files.read_bytes(path, regular_files.MIB, "")
    except FileNotFoundError:
        pass
    except (OSError, FileError):
        return
    given = {line.split()[0] for line in held.splitlines() if line.split()}
    missing = [b"%s %s\n" % (pattern, said) for pattern, said in LINES.items() if pattern not in given]
    if not missing:
        return
    new = atomic_files.write(scratch / FILE, HEAD * (HEAD.strip() not in held) + b"".join(missing) + held)
    with contextlib.suppress(FileNotFoundError):
        os.chmod(new, stat.S_IMODE(os.lstat(path).st_mode))
    os.replace(new, path)
    atomic_files.flush_folder(root)
