"""Contents of the installed package, and building against it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import files, version
from pathlib import Path

import pytest

import amp_lab
from amp_lab import lowlevel
from amp_lab._native import FOLDER as NATIVE

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = NATIVE / "libamp_native.so"
CONSUMER = """
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(amp_native REQUIRED CONFIG)
add_executable(consumer main.c)
target_link_libraries(consumer PRIVATE amp::native)
"""
MAIN = """
#include <amp/amp.h>
#include <stdio.h>
int main(void) { return printf("%s", amp_source_digest()) < 0; }
"""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at ELF files")


def run(*command: str | Path) -> str:
    """Return what a command prints; its failure is the test's."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_installed_package_is_tested() -> None:
    """Tests import the installed wheel, not the source tree."""
    assert not Path(amp_lab.__file__).is_relative_to(ROOT / "amp_lab")


def test_headers_but_no_sources_are_shipped() -> None:
    """A wheel holds the public headers and the generated C, and no native source."""
    shipped = {str(path).replace("\\", "/") for path in files("amp-lab") or ()}
    headers = {f"amp_lab/_native/include/amp/{p.name}" for p in (ROOT / "native/include/amp").glob("*.h")}
    assert headers and headers | {"amp_lab/_native/_amp_native.c", "amp_lab/py.typed"} <= shipped
    assert not [
        name for name in shipped if name.startswith("native/") or name.endswith((".cpp", ".hpp", ".inc"))
    ]


def test_the_labextension_is_shipped_where_jupyterlab_looks() -> None:
    """Description, container and nothing else, once; the page loads the file that the description names."""
    folder = "share/jupyter/labextensions/amp-lab/"
    shipped = {str(path).replace("\\", "/"): Path(path.locate()) for path in files("amp-lab") or ()}
    found = {name.split(folder)[1]: path for name, path in shipped.items() if folder in name}
    description = json.loads(found["package.json"].read_text(encoding="utf-8"))
    load = description["jupyterlab"]["_build"]["load"]
    assert set(found) == {"package.json", "install.json", load}
    digest = hashlib.sha256(found[load].read_bytes()).hexdigest()
    assert load == f"static/remoteEntry.{digest[:16]}.js" and description["version"] == version("amp-lab")
    assert not [name for name in shipped if name.startswith("amp_lab/data/labextension")]


def test_jupyterlab_finds_the_extension_switched_on(tmp_path: Path) -> None:
    """`jupyter labextension list` prints enabled and OK without any step after the installation."""
    jupyter = Path(sys.executable).with_name("jupyter")
    listed = subprocess.run(
        [jupyter, "labextension", "list"],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)},
    )
    lines = re.sub(r"\x1b\[\d*m", "", listed.stdout + listed.stderr).splitlines()
    assert [line.split() for line in lines if line.split()[:1] == ["amp-lab"]] == [
        ["amp-lab", f"v{version('amp-lab')}", "enabled", "OK", "(python,", "amp-lab)"]
    ]


def test_no_machine_path_is_shipped() -> None:
    """Neither the library nor the generated C contains the folder it was built in."""
    built = [path for path in NATIVE.iterdir() if path.suffix in (".so", ".c", ".dll", ".pyd", ".txt")]
    assert len(built) >= 4
    assert [path.name for path in built if str(ROOT).encode() in path.read_bytes()] == []


def test_the_library_says_which_sources_it_was_built_from() -> None:
    """The digest compiled into the library is the installed one."""
    assert lowlevel.source_digest() == (NATIVE / "source_digest.txt").read_text(encoding="utf-8").strip()


@linux_only
def test_another_flavour_may_stand_in_for_the_library() -> None:
    """The module finds the library in its folder through RUNPATH, which LD_LIBRARY_PATH overrides, unlike
    RPATH.
    """
    dynamic = run("readelf", "-d", NATIVE / "_amp_native.abi3.so")
    assert "(RUNPATH)" in dynamic and "[$ORIGIN]" in dynamic and "(RPATH)" not in dynamic


@linux_only
@pytest.mark.parametrize("gate", ["no_fma", "no_libm"])
def test_the_shipped_library_passes_the_gate(gate: str) -> None:
    """Not only in the developer's build: in the library of the wheel."""
    run(
        "cmake",
        f"-DGATE={gate}",
        f"-DFILES={LIBRARY}",
        f"-DOBJDUMP={shutil.which('objdump')}",
        f"-DNM={shutil.which('nm')}",
        "-P",
        ROOT / "native" / "tests" / "gates" / "check.cmake",
    )


@linux_only
def test_a_c_project_finds_the_installed_library(tmp_path: Path) -> None:
    """`find_package(amp_native)` gives headers and library; the program runs from its build folder."""
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER, encoding="utf-8")
    (tmp_path / "main.c").write_text(MAIN, encoding="utf-8")
    build = tmp_path / "build"
    run("cmake", "-S", tmp_path, "-B", build, "-G", "Ninja", f"-Damp_native_DIR={NATIVE / 'cmake'}")
    run("cmake", "--build", build)
    assert run(build / "consumer") == lowlevel.source_digest()


def test_the_version_is_written_once() -> None:
    """The package, the project file and the CMake package agree."""
    declared = f'version = "{version("amp-lab")}"'
    assert declared in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    config = (NATIVE / "cmake" / "amp_native-config-version.cmake").read_text(encoding="utf-8")
    assert f'set(PACKAGE_VERSION "{version("amp-lab")}")' in config
