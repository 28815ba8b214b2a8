"""Words of enumerations come from the C headers, and Python's types have the same words."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any, get_args

import pytest

import amp_lab as amp
from amp_lab import errors
from amp_lab._native import lib
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


def test_each_status_of_the_headers_has_its_class() -> None:
    """By the number that the headers give its name, however the list is ordered."""
    numbers = {name: getattr(lib, name) for name in dir(lib) if name.startswith("AMP_E_")}
    assert {name: errors.BY_STATUS[number] for name, number in numbers.items()} == {
        "AMP_E_INVALID_ARG": errors.InvalidArgument,
        "AMP_E_SHAPE": errors.ShapeError,
        "AMP_E_NOMEM": errors.OutOfMemory,
        "AMP_E_UNSUPPORTED": errors.Unsupported,
        "AMP_E_PENDING": errors.Pending,
        "AMP_E_BLOB": errors.BlobError,
        "AMP_E_DRIFT": errors.DriftError,
        "AMP_E_CYCLE": errors.CycleError,
        "AMP_E_NONFINITE": errors.NonFiniteError,
        "AMP_E_THERMAL": errors.ThermalError,
        "AMP_E_INTERNAL": errors.InternalError,
        "AMP_E_FULL": errors.RingFull,
    }
    assert set(errors.BY_STATUS) == set(numbers.values())


def test_laws_are_bits() -> None:
    """One bit each, the lowest first."""
    assert words.LAWS["silence"] == 16
    assert list(words.LAWS.values()) == [1 << i for i in range(len(words.LAWS))]


def test_views_get_words_from_the_headers() -> None:
    """No script of the widgets lists them: kinds of interpolation come with the state of the graph."""
    panel = amp.panel(amp.presets.three_osc(), auto=False)
    sent: list[dict[str, Any]] = []
    panel.send = lambda content, buffers: sent.append(content)
    panel._receive(panel, {"kind": "hello", "catalogue": True}, [])
    panel.close()
    (state,) = (message for message in sent if message["kind"] == "state")
    assert tuple(state["interpolations"]) == words.CURVES
    lists = [value for name, value in vars(words).items() if name.isupper() and isinstance(value, tuple)]
    assert len(lists) > 10
    sources = Path(__file__).parents[1] / "amp_lab" / "widgets" / "js"
    scripts = [path for path in sources.rglob("*.js") if "node_modules" not in path.parts]
    assert len(scripts) > 40
    for script in scripts:
        text = re.sub(r"['\"\s]", "", script.read_text(encoding="utf-8"))
        copied = [value for value in lists if ",".join(value) in text]
        assert not copied, script


def test_pages_explain_each_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none that the headers do not have."""
    docs = Path(__file__).parents[1] / "docs"
    monkeypatch.syspath_prepend(docs)
    pages = runpy.run_path(str(docs / "node_pages.py"))
    tables = {"CHANNELS": words.CHANNELS, "GATHER": words.GATHERS, "SCATTER": words.SCATTERS}
    tables |= {"RATE": words.RATES, "LAW": words.LAWS, "ADJOINT": words.ADJOINTS}
    for name, known in tables.items():
        assert list(pages[name]) == list(known), name


def test_an_enumeration_with_a_gap_is_refused() -> None:
    """Laws are bits, so they are no list of words."""
    with pytest.raises(InternalError, match=r"AMP_LAW_\*: does not count up from 0"):
        words._words("AMP_LAW_")


def test_a_stream_in_a_worker_has_every_method_of_a_stream() -> None:
    """None reaches for a native stream that is in another process."""
    own = {name for name, kind in vars(Stream).items() if callable(kind) and not name.startswith("_")}
    assert own <= set(vars(RemoteStream))
