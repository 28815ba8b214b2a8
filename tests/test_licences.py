"""Licences of everything shipped lie in the wheel."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import licences

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"^(\S+) [\d.]+ \(([\w.-]+)\)$", re.MULTILINE)


def test_the_file_is_what_ships() -> None:
    """Made anew from cffi and from what the bundles of the widgets hold, it is the same."""
    assert licences.SHIPPED.read_text(encoding="utf-8") == licences.text()


def test_every_licence_is_named_and_in_the_wheel() -> None:
    """In the expression of the package, and as files of its metadata."""
    own = metadata.metadata("amp-lab")
    kinds = {kind for _, kind in NAMED.findall(licences.text())}
    assert set(own["License-Expression"].split(" AND ")) == {"MIT"} | kinds
    assert own.get_all("License-File") == ["LICENSE", "LICENSES_THIRD_PARTY.txt"]
    shipped = {Path(str(one)).name for one in metadata.files("amp-lab") or ()}
    assert {"LICENSE", "LICENSES_THIRD_PARTY.txt"} <= shipped


def test_every_package_of_the_bundles_is_named() -> None:
    """What the widgets depend on is in the file; no font or binary of others is in the wheel."""
    package = json.loads((ROOT / "amp_lab/widgets/js/package.json").read_text(encoding="utf-8"))
    named = {name for name, _ in NAMED.findall(licences.text())}
    assert set(package["dependencies"]) | {"cffi"} <= named
    endings = {Path(str(one)).suffix for one in metadata.files("amp-lab") or ()} - {".pyc"}
    text = ["py", "pyi", "typed", "h", "c", "cmake", "txt", "json", "js", "css", "md"]
    known = {"", *(f".{one}" for one in (*text, "so", "dylib", "dll", "pyd", "lib"))}
    assert endings <= known, endings - known
