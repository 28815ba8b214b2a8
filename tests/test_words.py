"""Words of enumerations come from the C headers, and the types of Python name the same ones."""

from __future__ import annotations

from typing import get_args

import pytest

from amp_lab.contracts import ParamKind, Rate
from amp_lab.errors import InternalError
from amp_lab.graph.records.curves import Interpolation
from amp_lab.isolate.stream import RemoteStream
from amp_lab.lowlevel import words
from amp_lab.lowlevel.stream import Stream
from amp_lab.render.session import Policy


def test_types_name_the_words_of_the_headers() -> None:
    """In the order in which the headers count, which blobs store."""
    assert get_args(ParamKind) == words.PARAM_KINDS
    assert get_args(Rate) == words.RATES
    assert get_args(Interpolation) == words.CURVES
    assert get_args(Policy) == words.POLICIES


def test_laws_are_bits() -> None:
    """One bit each, the lowest first."""
    assert words.LAWS["silence"] == 16
    assert list(words.LAWS.values()) == [1 << i for i in range(len(words.LAWS))]


def test_an_enumeration_with_a_gap_is_refused() -> None:
    """Laws do not count up, so they are no list of words."""
    with pytest.raises(InternalError, match=r"AMP_LAW_\*: does not count up from 0"):
        words._words("AMP_LAW_")


def test_a_stream_in_a_worker_has_every_method_of_a_stream() -> None:
    """None reaches for a native stream that is in another process."""
    own = {name for name, kind in vars(Stream).items() if callable(kind) and not name.startswith("_")}
    assert own <= set(vars(RemoteStream))
