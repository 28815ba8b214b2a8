"""The binding: ``ffi`` and ``lib``, and the folder they lie in. Only `amp_lab.lowlevel` uses the binding."""

import sys
from pathlib import Path
from typing import Any

from amp_lab.errors import NativeLibraryMissing, NativeLibraryStale

__all__ = ["FOLDER", "ffi", "lib"]

REBUILD = "Rebuild with `make build` or `pip install .`."

ffi: Any
lib: Any
try:
    from amp_lab._native._amp_native import ffi, lib  # type: ignore[import-not-found,no-redef,unused-ignore]
except ImportError as error:
    source_tree = (Path(__file__).parents[2] / "pyproject.toml").is_file()
    raise NativeLibraryMissing(
        f"amp_lab._native: the native library cannot be loaded ({error}). "
        "Build it with `make build` or `pip install .`."
        + (
            " This is the source tree, which shadows an installed package: "
            "start Python in another folder, or with `python -P`."
            if source_tree
            else ""
        )
    ) from error

FOLDER = Path(str(sys.modules["amp_lab._native._amp_native"].__file__)).parent
"""Of module, library, headers and CMake package; in an editable install not the folder of this file."""


def _check_version() -> None:
    """Raise if the library was built from other headers or other sources than this package."""
    built = lib.amp_abi_version()
    declared = lib.AMP_ABI_VERSION_MAJOR << 16 | lib.AMP_ABI_VERSION_MINOR
    if built != declared:
        raise NativeLibraryStale(
            f"amp_lab._native: ABI version differs (got {built:#x}, allowed {declared:#x}). {REBUILD}"
        )
    recorded = FOLDER / "source_digest.txt"
    expected = recorded.read_text(encoding="utf-8").strip() if recorded.exists() else "no source_digest.txt"
    digest = ffi.string(lib.amp_source_digest()).decode()
    if digest != expected:
        raise NativeLibraryStale(
            f"amp_lab._native: built from other sources (got {digest}, allowed {expected}). {REBUILD}"
        )


_check_version()
