"""C and C++ programs that build graphs: the page about them, and the writer of blobs against Python's."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from random_graphs import scenes
from rigs import Scene

import amp_lab as amp
from amp_lab import cli
from amp_lab.cli import embedding
from amp_lab.graph.files import descriptor_reader, descriptors
from amp_lab.graph.records.values import CurveRef
from amp_lab.lowlevel import words

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "howto" / "embed.md"
PROGRAM = PAGE.with_suffix("") / "voice.c"
BLOCK = re.compile(r"^```\{code-block\} \w+\n:caption: (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
CELLS = re.findall(
    r"^```\{code-cell\} ipython3\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
STRICT = ("-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="compiles as cc does")


def run(*command: str | Path, **more: str) -> str:
    """Return what a command prints, of both streams; its failure is the test's."""
    done = subprocess.run(
        command,
        env=os.environ | more,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def flags() -> list[str]:
    """The words that `amp-lab config` prints."""
    native = embedding.folder()
    return embedding.compile_flags(native) + embedding.link_flags(native)


def compiler(name: str) -> str:
    """Return the path of a compiler, or leave the test out."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for path in PROGRAM.parent.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", ["in the shell", "in the shell, with CMake"])
def test_the_page_is_followed_to_its_output(project: Path, block: str) -> None:
    """In an empty folder with its files; the program prints what the page shows."""
    compiler("cc")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    script = f"cd '{project}'\n{BLOCKS[block]}"
    printed = run("sh", "-e", "-c", script, PATH=path, PYTHONSAFEPATH="1")
    assert printed.endswith(BLOCKS["in the output"])


@pytest.mark.parametrize(
    "name, language", [("gcc", "c11"), ("clang", "c11"), ("g++", "c++20"), ("clang++", "c++20")]
)
def test_program_is_clean_in_both_languages(project: Path, name: str, language: str) -> None:
    """With every warning an error, in the program and in the headers, and the same sound."""
    source = project / "voice.c"
    if "++" in name:
        source = source.rename(project / "voice.cpp")
    native = embedding.folder()
    command = [compiler(name), f"-std={language}", *STRICT, source, *embedding.compile_flags(native)]
    run(*command, *embedding.link_flags(native), "-o", project / "voice")
    assert run(project / "voice") == BLOCKS["in the output"]


def test_program_is_clean_under_a_sanitizer(project: Path) -> None:
    """No byte beyond its memory, none lost, nothing undefined."""
    sanitize = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    run(compiler("gcc"), "-std=c11", *sanitize, project / "voice.c", *flags(), "-o", project / "voice")
    assert run(project / "voice", ASAN_OPTIONS="detect_leaks=1") == BLOCKS["in the output"]


def test_a_wrong_name_is_told_by_the_program(project: Path) -> None:
    """The library's sentence comes out, with the cure."""
    text = (project / "voice.c").read_text(encoding="utf-8")
    (project / "voice.c").write_text(
        text.replace('"cutoff_hz", 800.0', '"cutof_hz", 800.0'), encoding="utf-8"
    )
    run(compiler("cc"), "-std=c11", project / "voice.c", *flags(), "-o", project / "voice")
    done = subprocess.run([project / "voice"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert re.match(r"AMP_E_INVALID_ARG: flt.*cutof_hz.*cutoff_hz", done.stderr)


def test_python_makes_the_same_sound_of_the_same_bytes(project: Path) -> None:
    """The cell of the page prints the digest that the program prints, and has the same descriptors."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(CELLS[0], names)
    assert printed.getvalue() == BLOCKS["in the output"]
    (project / "main.c").write_text(
        "#define main voice\n#include <voice.c>\n#undef main\n"
        "static unsigned char memory[4096];\n"
        "int main(void) { size_t n; amp_status s = describe(memory, sizeof memory, &n, NULL);\n"
        "return s != AMP_OK || fwrite(memory, 1, n, stdout) != n; }\n",
        encoding="utf-8",
    )
    run(compiler("cc"), "-std=c11", f"-I{project}", project / "main.c", *flags(), "-o", project / "blob")
    blob = subprocess.run([project / "blob"], capture_output=True, check=True).stdout
    assert blob == names["descriptors"]


def test_config_prints_what_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Headers, library, both, or the folder of the CMake package, each in one line that a shell splits."""
    native = embedding.folder()
    headers, library = embedding.compile_flags(native), embedding.link_flags(native)
    for options, expected in (
        (["--cflags"], headers),
        (["--libs"], library),
        (["--cflags", "--libs"], headers + library),
        ([], headers + library),
        (["--cmake-dir"], [str(native / "cmake")]),
    ):
        assert cli.main(["config", *options]) == 0
        assert shlex.split(capsys.readouterr().out) == expected
    assert (native / "include" / "amp" / "amp.h").is_file()
    assert (native / "cmake" / "amp_native-config.cmake").is_file()


def test_windows_is_given_the_import_library() -> None:
    """There is no search path in a program there."""
    native = Path("native")
    assert embedding.link_flags(native, "win32") == [str(native / "lib" / "amp_native.lib")]


# ---- the writer against Python's ----


class Buffer(ctypes.Structure):
    """`amp_buffer`."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("struct_size", "batches", "channels", "reserved")),
        *((name, ctypes.c_int64) for name in ("frames", "batch_stride", "channel_stride")),
        ("data", ctypes.c_void_p),
    )


TYPES: dict[str, Any] = {
    "amp_status": ctypes.c_int32,
    "void": None,
    "double": ctypes.c_double,
    "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32,
    "uint64_t": ctypes.c_uint64,
    "int64_t": ctypes.c_int64,
    "size_t": ctypes.c_size_t,
    "const char *": ctypes.c_char_p,
}
INLINE = re.compile(r"^AMP_INLINE (\w+) (amp_\w+)\(([^{]*)\) \{", re.MULTILINE)


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Call a function of the writer by the rest of its name; all are in a library made of the headers."""
    folder = tmp_path_factory.mktemp("writer")
    include = embedding.folder() / "include" / "amp"
    texts = [
        (include / f"{name}.h").read_text("utf-8") for name in ("write_graph", "write_history", "writer")
    ]
    found = [match for text in texts for match in INLINE.findall(text)]
    assert len(found) > 20
    source, types = ["#include <amp/amp.h>", "size_t x_size(void) { return sizeof(amp_writer); }"], {}
    for result, name, arguments in found:
        words = [re.fullmatch(r"\s*(.*?)(\w+)\s*", one).groups() for one in arguments.split(",")]  # type: ignore[union-attr]
        call = f"{name}({', '.join(word for _, word in words)});"
        source.append(f"{result} x_{name}({arguments}) {{ {'' if result == 'void' else 'return '}{call} }}")
        types[name] = (result, [TYPES.get(kind.strip(), ctypes.c_void_p) for kind, _ in words])
    (folder / "x.c").write_text("\n".join(source) + "\n", encoding="utf-8")
    library = folder / "x.so"
    run(compiler("cc"), "-std=c11", "-O1", "-shared", "-fPIC", folder / "x.c", *flags(), "-o", library)
    loaded = ctypes.CDLL(str(library))
    state = ctypes.create_string_buffer(loaded.x_size())

    def call(name: str, *arguments: Any) -> Any:
        function = getattr(loaded, f"x_amp_write_{name}")
        result, function.argtypes = types[f"amp_write_{name}"]
        function.restype = TYPES[result]
        return function(state, *(one.encode() if isinstance(one, str) else one for one in arguments))

    return call


def buffer(values: Any) -> tuple[Any, Any]:
    """Return a view of an array, and the array itself."""
    held = np.ascontiguousarray(values, dtype=np.float64)
    batches, channels, frames = held.shape
    view = Buffer(ctypes.sizeof(Buffer), batches, channels, 0, frames, channels * frames, frames)
    view.data = held.ctypes.data
    return ctypes.byref(view), held


def parameter(write: Callable[..., Any], key: str, value: Any) -> None:
    """Write one by its kind."""
    if isinstance(value, float):
        write("number", key, value)
    elif isinstance(value, str):
        write("text", key, value)
    elif isinstance(value, CurveRef):
        write("curve_ref", key, value.name)
    elif isinstance(value, np.ndarray):
        view, _held = buffer(value)
        write("tensor", key, view)
    else:
        write("integer", key, value)


def written(write: Callable[..., Any], graph: descriptors.Descriptors, memory: Any, capacity: int) -> int:
    """Write a graph, and return the bytes that takes."""
    write("graph", memory, capacity, graph.sample_rate, graph.name, graph.output)
    if graph.heat_budget_w is not None:
        policies = descriptors.HEAT_POLICIES
        write("heat_budget", graph.heat_budget_w, policies.index(graph.heat_policy))
    for node in graph.nodes:
        write("node", node.name, node.type)
        for key, value in sorted(node.values.items()):
            parameter(write, key, value)
        thermo = node.thermo
        constants = (thermo.heat_j_per_frame, thermo.capacity_j_per_k, thermo.conductance_w_per_k)
        write("thermo", *(np.nan if one is None else one for one in constants))
    for edge in graph.edges:
        write("edge", edge.src, edge.src_port, edge.dst, edge.dst_port)
        write("slot", edge.slot)
        write("delay", edge.delay_frames)
        if edge.tokens is not None:
            view, _held = buffer(edge.tokens)
            write("tokens", view)
        if edge.channel is not None:
            write("channel", edge.channel)
        for gate in edge.gates:
            write("gate", gate)
        if edge.kappa is not None:
            write("kappa", edge.kappa)
    for mod in graph.modulations:
        mode = descriptors.MODES.index(mod.mode)
        write("modulation", mod.src, mod.src_port, mod.dst, mod.param, mode, mod.scale, mod.offset)
        write("channel", -1 if mod.channel is None else mod.channel)
        write("slot", mod.slot)
        write("delay", mod.delay_frames)
    size = ctypes.c_size_t()
    assert write("end", ctypes.byref(size), None) == 0
    return size.value


def same_bytes(write: Callable[..., Any], blob: bytes) -> None:
    """A graph that is read and written again by the C writer is the same, byte for byte."""
    graph = descriptor_reader.descriptors(blob)
    memory = (ctypes.c_uint8 * len(blob))()
    assert written(write, graph, None, 0) == len(blob)
    assert written(write, graph, memory, len(blob)) == len(blob)
    assert bytes(memory) == descriptors.encode(graph) == blob


def test_presets_are_written_byte_for_byte(write: Callable[..., Any]) -> None:
    """Three oscillators with curves, thermo constants and modulations, and their performance."""
    g = amp.presets.three_osc()
    same_bytes(write, g.compile().descriptor_blob)
    assert g.controls is not None
    blob = g.controls.blob
    memory = (ctypes.c_uint8 * len(blob))()
    write("history", memory, len(blob))
    for name in g.controls:
        curve = g.controls[name]
        write("curve", name, words.CURVES.index(curve.interpolation))
        for time, value in zip(curve.times_s, curve.values, strict=True):
            write("point", time, value)
    size = ctypes.c_size_t()
    assert write("end", ctypes.byref(size), None) == 0
    assert bytes(memory) == blob


@given(scene=scenes())
@settings(max_examples=60, deadline=None)
def test_any_graph_is_written_byte_for_byte(write: Callable[..., Any], scene: Scene) -> None:
    """Of the whole catalogue, with delays, tokens, channels, gates, matrices and heat."""
    same_bytes(write, scene.graph.compile().descriptor_blob)
