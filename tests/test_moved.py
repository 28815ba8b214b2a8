"""Old module paths, from before the package had rooms."""

from __future__ import annotations

import importlib
import sys

import pytest

from amp_lab import moved


@pytest.mark.parametrize("old", sorted(moved.PATHS))
def test_an_old_path_gives_the_module_in_its_room(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a warning that names the new path; the module itself stays as it is."""
    new = importlib.import_module(f"amp_lab.{moved.PATHS[old]}")
    spec = new.__spec__
    monkeypatch.delitem(sys.modules, f"amp_lab.{old}", raising=False)
    with pytest.warns(DeprecationWarning, match=rf"amp_lab\.{old} is now {new.__name__}\. Import that\."):
        found = importlib.import_module(f"amp_lab.{old}")
    monkeypatch.delitem(sys.modules, f"amp_lab.{old}")
    assert found is new
    assert new.__spec__ is spec


@pytest.mark.parametrize(
    ("old", "names"),
    [
        ("graph_json", ["array", "decode", "encode", "encode_edge", "encode_node", "from_dict", "to_dict"]),
        (
            "model",
            ["Edge", "Link", "Mode", "Modulation", "Node", "NodeRecord", "OutputRef", "ParamRef", "Thermo"],
        ),
        ("stored", ["Stored", "_unpickled"]),
    ],
)
def test_an_old_path_gives_what_lies_elsewhere_now(old: str, names: list[str]) -> None:
    """Also where a module was divided: generated code and pickles of 0.1.0 name these."""
    module = importlib.import_module(f"amp_lab.{moved.PATHS[old]}")
    assert all(callable(getattr(module, name)) or name in ("Link", "Mode") for name in names)


@pytest.mark.parametrize("name", ["catalog", "cli", "graph", "isolate", "lowlevel", "plan", "render"])
def test_a_room_answers_for_the_module_of_its_name(name: str) -> None:
    """What was public in the module is public in the room, without a warning."""
    room = importlib.import_module(f"amp_lab.{name}")
    public = {
        "catalog": ["types", "contract"],
        "cli": ["main"],
        "graph": ["Graph"],
        "isolate": ["status"],
        "lowlevel": ["Runtime", "plan_compile", "isa"],
        "plan": ["Plan"],
        "render": ["Render"],
    }
    assert all(callable(getattr(room, key)) for key in public[name])


def test_other_names_are_not_found() -> None:
    """The finder handles its own paths only."""
    with pytest.raises(ModuleNotFoundError, match=r"amp_lab\.nothing"):
        importlib.import_module("amp_lab.nothing")
