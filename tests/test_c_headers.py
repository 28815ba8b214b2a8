"""Headers of the C interface: every call that can fail documents in one form where its reason is."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAD = "/* Things.\n * Failure: {}. */\n"
CALL = "AMP_API amp_status amp_thing({});   /* [any] does it */\n"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the generator of the page."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("abi_page", ROOT / "docs" / "abi_page.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "abi_page", module)
    spec.loader.exec_module(module)
    return module


def test_every_call_with_a_status_says_where_its_reason_is(page: ModuleType) -> None:
    """And no other call has one."""
    for header in page.ORDER:
        text = (page.HEADERS / f"{header}.h").read_text(encoding="utf-8")
        found = {one.name: one.reason for one in page.functions(header)}
        with_status = {line.split("(")[0].split()[-1].lstrip("*") for line in text.splitlines()
                       if line.startswith(("AMP_API amp_status ", "AMP_INLINE amp_status "))}  # fmt: skip
        assert {name for name, reason in found.items() if reason} == with_status


@pytest.mark.parametrize(
    "arguments, rule",
    [
        ("int a, amp_error *error", "record in `error`"),
        ("amp_graph_runtime *runtime, int a", "record in the runtime"),
        ("int a", "violations only"),
    ],
)
def test_a_header_that_does_not_say_it_is_refused(
    page: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str, rule: str
) -> None:
    """Without the line, or with a line about another record."""
    monkeypatch.setattr(page, "HEADERS", tmp_path)
    file = tmp_path / "thing.h"
    file.write_text(HEAD.format(rule) + CALL.format(arguments), encoding="utf-8")
    assert [one.name for one in page.functions("thing")] == ["amp_thing"]
    for head in ("/* Things. */\n", HEAD.format("as you like")):
        file.write_text(head + CALL.format(arguments), encoding="utf-8")
        with pytest.raises(ValueError, match="Failure:"):
            page.functions("thing")
