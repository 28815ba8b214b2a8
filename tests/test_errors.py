"""Errors have their place, survive pickling, and have a cure."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import amp_lab
from amp_lab import errors
from amp_lab._native import FOLDER
from amp_lab.errors import BY_STATUS, AmpError, GraphError, NativeCrash, NonFiniteError, plain, quoted

NATIVE = Path(amp_lab.__file__).parent / "_native" / "__init__.py"


def load_binding(monkeypatch: pytest.MonkeyPatch, extension: ModuleType | None) -> ModuleType:
    """Execute the binding's own module against a given extension module (None: there is none)."""
    monkeypatch.setitem(sys.modules, "amp_lab._native._amp_native", extension)
    spec = importlib.util.spec_from_file_location("binding_under_test", NATIVE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def extension(version: int, digest: bytes) -> ModuleType:
    """Make an extension that reports an ABI version and a source digest."""
    module = ModuleType("amp_lab._native._amp_native")
    module.__file__ = str(FOLDER / "_amp_native.so")
    module.ffi = SimpleNamespace(string=lambda text: text)  # type: ignore[attr-defined]
    module.lib = SimpleNamespace(  # type: ignore[attr-defined]
        amp_abi_version=lambda: version,
        AMP_ABI_VERSION_MAJOR=1,
        AMP_ABI_VERSION_MINOR=2,
        amp_source_digest=lambda: digest,
    )
    return module


def test_every_status_below_zero_has_its_own_class() -> None:
    """Statuses -1 to -12 map to twelve different classes with their status."""
    assert sorted(BY_STATUS) == list(range(-12, 0))
    assert len(set(BY_STATUS.values())) == 12
    assert all(cls("x").code == status for status, cls in BY_STATUS.items())


@pytest.mark.parametrize("cls", [*BY_STATUS.values(), GraphError])
def test_an_error_survives_pickling_with_its_place(cls: type[AmpError]) -> None:
    """A worker can send any failure with all its fields."""
    error = cls("where: what.", stage="execute", node="flt", port="in", batch=1, channel=2, frame=3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == "where: what."
    assert vars(again) == vars(error)
    assert (again.node, again.port, again.batch, again.channel, again.frame) == ("flt", "in", 1, 2, 3)


def test_a_crash_survives_pickling_with_its_signal() -> None:
    """`NativeCrash` keeps signal, node and window."""
    crash = NativeCrash("died", signal="SIGSEGV", node="osc", first_frame=512, frames=64)
    again = pickle.loads(pickle.dumps(crash))
    assert (again.signal, again.node, again.first_frame, again.frames) == ("SIGSEGV", "osc", 512, 64)


def test_a_mistake_in_the_model_is_a_value_error() -> None:
    """`except ValueError` catches a mistake in the graph but not a native failure."""
    assert issubclass(GraphError, ValueError)
    assert not issubclass(NonFiniteError, ValueError)


def test_all_errors_are_exported() -> None:
    """Every exception class of the module is a public name of the package."""
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    exceptions = {name for name in classes if issubclass(getattr(errors, name), Exception)}
    assert exceptions <= set(amp_lab.__all__)


def test_a_missing_library_says_how_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extension the import fails with the two ways to build."""
    with pytest.raises(errors.NativeLibraryMissing, match=r"make build.*pip install \.") as caught:
        load_binding(monkeypatch, None)
    assert isinstance(caught.value, ImportError)


def test_another_abi_version_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library built from another header version is refused."""
    with pytest.raises(
        errors.NativeLibraryStale, match=r"ABI version differs \(got 0x20000, allowed 0x10002\)"
    ):
        load_binding(monkeypatch, extension(2 << 16, b"any"))


def test_other_sources_are_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library built from other sources than the package records is refused."""
    with pytest.raises(errors.NativeLibraryStale, match=r"built from other sources \(got not-this.*Rebuild"):
        load_binding(monkeypatch, extension(1 << 16 | 2, b"not-this"))


def test_the_library_may_lie_in_another_folder_than_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In an editable install the digest is next to the extension, not next to the Python file."""
    built = extension(1 << 16 | 2, b"these")
    built.__file__ = str(tmp_path / "_amp_native.so")
    (tmp_path / "source_digest.txt").write_text("these\n", encoding="utf-8")
    folder = load_binding(monkeypatch, built).FOLDER
    assert folder == tmp_path


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """The lazy package still reports unknown names."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = amp_lab.nonsense


@pytest.mark.parametrize("name", amp_lab.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    """``amp_lab.<name>`` works for all of ``__all__``."""
    assert getattr(amp_lab, name) is not None


HOSTILE = "a\x1b[2J\x00\u202eb\u2066\x9b\r\n\ud800z"
"""Clears a terminal, ends a C string, turns the direction of writing, cannot be encoded."""


def test_nothing_in_an_error_moves_a_cursor() -> None:
    """Controls, ESC, NUL, marks of direction and lone surrogates are escapes; lines stay lines."""
    error = GraphError(f"{HOSTILE}: no such name.\nsecond line")
    assert str(error) == "a\\x1b[2J\\x00\\u202eb\\u2066\\x9b\\r\n\\ud800z: no such name.\nsecond line"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(error).replace("\n", "").isprintable()


def test_a_long_name_leaves_its_middle_out_of_an_error() -> None:
    """The sentence can be read; the whole name is in the error's field."""
    name = "n" * 94
    error = GraphError(f"{name}: taken (got {'-' * 80}).", node=name)
    assert str(error) == f"{'n' * 39}...{'n' * 38}: taken (got {'-' * 80})."
    assert error.node == name


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("svf", "'svf'"),
        (HOSTILE, "'a\\x1b[2J\\x00\\u202eb\\u2066\\x9b\\r\\n\\ud800z'"),
        ("x" * 81, f"'{'x' * 39}...{'x' * 38}'"),
        (-5.0, "-5.0"),
        ([1, "\x1b"], "[1, '\\x1b']"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (SimpleNamespace(a="\u202e"), "namespace(a='\\u202e')"),
    ],
)
def test_a_value_is_quoted_on_one_printable_line(value: object, shown: str) -> None:
    """The quote of any value can be printed and read."""
    assert quoted(value) == shown
    assert quoted(value).isprintable()


def test_a_value_whose_repr_fails_is_quoted_by_its_type() -> None:
    """The error about a value is not replaced by an error of the value."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert quoted(Broken()) == "<Broken>"
    assert quoted(10**5000) == "<int>"
    assert len(quoted(list(range(1000)))) == 80


def test_a_name_in_a_table_is_one_printable_word() -> None:
    """`plain` is `quoted` without the quotes."""
    assert plain("svf") == "svf"
    assert plain("a\nb\x1b") == "a\\nb\\x1b"
    assert plain("y" * 200, most=9) == "yyy...yyy"
