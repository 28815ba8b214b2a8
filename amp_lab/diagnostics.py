"""Native logging of the diagnostics flavour (``AMP_NATIVE_DIAGNOSTICS_BUILD=1 pip install .``)."""

from __future__ import annotations

from amp_lab import lowlevel
from amp_lab.errors import Unsupported

__all__ = ["enable_native_logging", "enable_py_c_logging"]


def enable_native_logging(on: bool = True) -> None:
    """Switch native logging on or off in this process.

    Log lines are appended to the file that ``AMP_NATIVE_LOG`` names, by default to ``amp_native.log`` in the
    working directory.

    Raises
    ------
    Unsupported
        If this build has no logging compiled in.
    InvalidArgument
        If the file cannot be opened.

    Examples
    --------
    >>> try:
    ...     amp.diagnostics.enable_native_logging(False)
    ... except amp.Unsupported as error:
    ...     print(error)
    ...
    native logging: not compiled in (got the standard flavour, needs the diagnostics flavour). Build with
        AMP_NATIVE_DIAGNOSTICS_BUILD=1 pip install .
    """
    try:
        lowlevel.native_logging_set(on)
    except Unsupported:
        raise Unsupported(
            "native logging: not compiled in (got the standard flavour, needs the diagnostics flavour). "
            "Build with AMP_NATIVE_DIAGNOSTICS_BUILD=1 pip install ."
        ) from None


enable_py_c_logging = enable_native_logging
