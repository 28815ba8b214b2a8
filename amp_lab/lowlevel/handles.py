"""Owners of native objects: calls, closing, and the error for calls after closing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from amp_lab._native import ffi, lib
from amp_lab.common.closing import Closing
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.lowlevel.calls import error_record, exception


class NativeHandle(Closing):
    """Owner of one native object, which is destroyed by `close`, or with this object.

    A call that is under way in another thread keeps the native object, and the memory it borrows, until it
    returns. The destructor is a C function without Python code, so it also runs while the interpreter ends.
    """

    SHOWN_AS: ClassVar[str]
    """Name of the object in errors."""

    _owned: Any = None
    _borrowed: dict[str, Any]

    def _create(
        self, type_name: str, create: Callable[..., int], destroy: Callable[[Any], None], *arguments: Any
    ) -> None:
        """Own what ``create(*arguments, slot, error)`` makes.

        Raises
        ------
        AmpError
            The subclass of the status.
        """
        self._borrowed = {}
        slot, error = ffi.new(f"{type_name} **"), error_record()
        if (status := create(*arguments, slot, error)) != lib.AMP_OK:
            raise exception(status, error)
        self._owned = ffi.gc(slot[0], destroy)

    def close(self) -> None:
        """Free the native object once no call uses it any more; a second time does nothing."""
        self._owned = None
        self._borrowed = {}

    @property
    def _handle(self) -> Any:
        if (handle := self._owned) is None:
            raise InvalidArgument(f"{self.SHOWN_AS}: is closed. Make a new one.")
        return handle

    def _call(self, function: Callable[..., int], *arguments: Any) -> None:
        """Call ``function(handle, *arguments, error)``.

        Raises
        ------
        AmpError
            The subclass of the status.
        """
        failure = self._attempt(function, *arguments)
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # else the exception and this frame would keep each other

    def _attempt(self, function: Callable[..., int], *arguments: Any) -> AmpError | None:
        """Call ``function(handle, *arguments, error)``; returns the exception of its status, None if OK."""
        borrowed = self._borrowed  # kept until the call returns, even if another thread closes meanwhile
        try:
            return self._failure(function, *arguments)
        finally:
            del borrowed  # a traceback that keeps this frame does not keep the samples

    def _failure(self, function: Callable[..., int], *arguments: Any) -> AmpError | None:
        error = error_record()
        status = function(self._handle, *arguments, error)
        return None if status == lib.AMP_OK else exception(status, error)
