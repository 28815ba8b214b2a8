"""The ``with`` of objects that are closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Something that `close` ends, and so does the ``with`` block it was made for."""

    @abstractmethod
    def close(self) -> None:
        """Free what this object owns; a second time does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
