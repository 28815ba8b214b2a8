"""Numbers, choices and lists that a page states are those of the program.

Each fact is a sentence with places for what the program says. The sentence must stand on its page once the
program has filled it in, so a number that changes here or there fails, and so does a sentence that goes.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from doc_pages import ROOT, pages, prose, says

import amp_lab as amp
from amp_lab import catalog, contracts, errors, options, printable
from amp_lab.cli import command_line
from amp_lab.common import arrays, checks, json_text, npz
from amp_lab.execution import recycled_memory
from amp_lab.export import player, sound_file
from amp_lab.golden import (
    comparators,
    contents,
    explain,
    graph_changes,
    manifests,
    names,
    replay,
    verdict,
    writer_lock,
)
from amp_lab.graph.edits import journal
from amp_lab.graph.records import curves, sound_reader
from amp_lab.isolate import fork_server, messages, service, shared_memory, tickets, workers
from amp_lab.plots import schedule as schedule_plot
from amp_lab.widgets import disk, feed, patchfile, signals

MIB, GIB = 2**20, 2**30


def default(function: Callable[..., Any], argument: str) -> Any:
    """Return the default of an argument."""
    return inspect.signature(function).parameters[argument].default


def native(path: str, constant: str) -> int:
    """Return a whole constant of a native source."""
    text = (ROOT / "native" / path).read_text(encoding="utf-8")
    (value,) = re.findall(rf"\b{constant} = ([^,;]+)[,;]", text)
    value = re.sub(r"(?<=\d)u\b|(?:u?int\d+_t)\{(\d+)\}", lambda hit: hit[1] or "", value)
    return int(eval(value, {"__builtins__": {}}))  # sums and shifts of numbers


def thousands(value: float) -> str:
    """Return a whole number with commas."""
    return f"{int(value):,}"


FACTS: list[tuple[str, str, tuple[Any, ...]]] = [
    (
        "docs/cli.md",
        "| {} | done | | {} | a verdict or a check failed | | {} | wrong use:",
        (command_line.OK, command_line.FAILED, command_line.USAGE),
    ),
    ("docs/cli.md", "| {} | native code crashed;", (command_line.CRASHED,)),
    (
        "docs/cli.md",
        "| {} | stopped by Ctrl-C | | {} | the program that reads the output has ended",
        (command_line.INTERRUPTED, command_line.NO_READER),
    ),
    (
        "docs/howto/goldens.md",
        "Exit code {} means all passed, {} that a verdict failed, {} wrong use, {} a native crash.",
        (command_line.OK, command_line.FAILED, command_line.USAGE, command_line.CRASHED),
    ),
    ("docs/howto/crash.md", "exit code {} is a native crash", (command_line.CRASHED,)),
    (
        "docs/howto/render.md",
        '| `nonfinite=` | `"{}"` (the default) stops',
        (default(amp.Graph.render, "nonfinite"),),
    ),
    ("docs/howto/render.md", 'names its node; `"{}"` goes on |', (get_args(contracts.Nonfinite)[1],)),
    (
        "docs/howto/render.md",
        '| `isolation=` | `"{}"`: a worker process in notebooks; `"{}"`; `"{}"` |',
        get_args(contracts.Isolation),
    ),
    (
        "docs/howto/render.md",
        "at most {} kB: figures {} kB, the picture for places that show no HTML {} kB",
        tuple(getattr(options.display, f"{what}_bytes") // 1000 for what in ("total", "figures", "poster")),
    ),
    ("docs/howto/render.md", "browsers play {} kHz to {} kHz", tuple(hz // 1000 for hz in player.PLAYED_HZ)),
    ("docs/howto/render.md", "the first {} channels are heard", ({2: "two"}[player.MAX_CHANNELS],)),
    (
        "docs/streaming.md",
        "up to `limit_frames` ({} by default)",
        (thousands(native("engine/stream/stream.cpp", "kLimit")),),
    ),
    ("docs/streaming.md", "`start(ahead_frames={})`", (default(amp.Session.start, "ahead_frames"),)),
    (
        "docs/contracts/errors.md",
        "Of more than {} the first {} and the last {} are listed",
        (errors.LISTED, errors.LISTED - printable._ENDS, printable._ENDS),
    ),
    (
        "docs/api/errors.md",
        "of more than {} the first {} and the last {}",
        (errors.LISTED, errors.LISTED - printable._ENDS, printable._ENDS),
    ),
    ("docs/contracts/errors.md", "of a word of more than {} characters", (errors.QUOTED,)),
    ("docs/contracts/errors.md", "A graph file lists {} faults", (json_text.MOST_PROBLEMS,)),
    ("CONTRIBUTING.md", "printable, at most {} characters", (errors.QUOTED,)),
    ("docs/contracts/files.md", "Of many problems the first {} are listed", (json_text.MOST_PROBLEMS,)),
    (
        "docs/contracts/files.md",
        "| a text of JSON | {} MiB, {} values, {} lists and objects inside each other |",
        (json_text.MOST_BYTES // MIB, thousands(json_text.MOST_VALUES), json_text.MOST_DEPTH),
    ),
    ("docs/contracts/files.md", "others that float64 holds, at most {} characters", (json_text._DIGITS,)),
    (
        "docs/contracts/files.md",
        "| a manifest, a `pyproject.toml` | {} MiB |",
        (contents.MOST_BYTES[contents.MANIFEST] // MIB,),
    ),
    ("docs/contracts/files.md", "| `sums.txt` | {} MiB |", (contents.MOST_BYTES[contents.SUMS] // MIB,)),
    (
        "docs/contracts/files.md",
        "| `reference.npz` | {0} MiB packed, {0} MiB unpacked, {1} arrays",
        (npz.MOST_BYTES // MIB, thousands(npz.MOST_MEMBERS)),
    ),
    (
        "docs/contracts/files.md",
        "| a golden that is rendered again | {} GiB of node streams |",
        (replay.MOST_STREAMS // GIB,),
    ),
    (
        "docs/contracts/files.md",
        "| a sound file | {} GiB, {} channels;",
        (sound_reader.MOST_BYTES // GIB, sound_reader.MOST_CHANNELS),
    ),
    (
        "docs/contracts/files.md",
        "| 2^{} samples in all (2 GiB, 46 minutes in stereo at 48 kHz)",
        ((sound_reader.MOST_VALUES.bit_length() - 1),),
    ),
    (
        "docs/contracts/files.md",
        '`g.input(samples="a.wav")` | 2^{} samples |',
        (sound_reader.MOST_OWN_VALUES.bit_length() - 1,),
    ),
    (
        "docs/contracts/files.md",
        "| `delay_frames` | 0 to 2^{} - 1; the native side refuses above 2^{}",
        ((checks.LARGEST + 1).bit_length() - 1, native("plan/compile.cpp", "kLongestDelay").bit_length() - 1),
    ),
    ("docs/contracts/files.md", "| `sample_rate` | {:g} to 1e7 Hz |", (checks.LOWEST_RATE_HZ,)),
    ("docs/contracts/files.md", "| channels of a node | {} |", (native("plan/plan.hpp", "kMostChannels"),)),
    (
        "docs/contracts/files.md",
        "| batches of a render | 2^{} |",
        (native("engine/runtime.cpp", "kMostBatches").bit_length() - 1,),
    ),
    ("docs/contracts/files.md", "up to {} bytes of UTF-8 |", (checks.NAME_BYTES,)),
    (
        "docs/contracts/files.md",
        "| parameters that are text | {} bytes of UTF-8 without NUL |",
        (checks.TEXT_BYTES,),
    ),
    ("docs/contracts/files.md", "| `.wav` | `{}` (default)", (sound_file.FORMATS[".wav"][1],)),
    ("docs/contracts/files.md", "| `.flac` | `{}` (default)", (sound_file.FORMATS[".flac"][1],)),
    ("docs/contracts/goldens.md", "a row per block of {} frames", (verdict.BLOCK_FRAMES,)),
    (
        "docs/contracts/goldens.md",
        "Schema {} is written. Schema {}, which vouches for no file, is read for ever",
        (manifests.SCHEMA, manifests.OLD_SCHEMA),
    ),
    ("docs/contracts/goldens.md", "Another one waits up to {:g} s", (writer_lock.WAIT_S,)),
    ("docs/contracts/goldens.md", "printable, at most {} bytes of UTF-8", (names.MOST_BYTES,)),
    ("docs/contracts/goldens.md", "{} are told, more are counted", ({12: "Twelve"}[graph_changes.MOST],)),
    (
        "docs/contracts/goldens.md",
        "`AMP_GOLDEN_TIMEOUT` seconds (default {:g}; a worker that stands still for {:g} s counts",
        (replay.MOST_SECONDS, replay.STANDSTILL_S),
    ),
    ("docs/contracts/goldens.md", "and {} MiB of node streams each", (explain.MOST_STREAMS // MIB,)),
    (
        "docs/contracts/isolation.md",
        "A progress callback is called every {:g} ms at least",
        (1e3 * tickets.BEAT_S,),
    ),
    ("docs/contracts/isolation.md", "There are at most {} workers that render", (service.WORKERS,)),
    ("docs/contracts/isolation.md", "A server that does not answer for {:g} s", (fork_server.ANSWER_S,)),
    ("docs/contracts/isolation.md", "the worker killed after {:g} s", (workers.STOP_S,)),
    ("docs/contracts/isolation.md", "packets of at most {} KiB", (messages.PACKET // 1024,)),
    (
        "docs/contracts/isolation.md",
        "{} MiB at first, then by as much as it has, at most {} GiB at once",
        (shared_memory.FIRST_BYTES // MIB, shared_memory.MOST_BYTES // GIB),
    ),
    ("docs/contracts/isolation.md", "{} MiB of such memory stay warm", (recycled_memory.KEEP_BYTES // MIB,)),
    (
        "docs/contracts/isolation.md",
        "flt: native crash SIGSEGV while rendering frames 4096 to 4351. {}",
        (workers.UNHARMED,),
    ),
    (
        "docs/contracts/numbers.md",
        "More than {} channels with fewer frames than channels",
        (arrays.TYPICAL_CHANNELS,),
    ),
    ("docs/contracts/numbers.md", "A node has at most {} channels.", (sound_reader.MOST_CHANNELS,)),
    (
        "docs/contracts/numbers.md",
        "Sample rates are finite numbers from {:g} to 1e7 Hz.",
        (checks.LOWEST_RATE_HZ,),
    ),
    (
        "docs/design/decisions.md",
        "Nodes have at most {} channels.",
        (native("plan/plan.hpp", "kMostChannels"),),
    ),
    ("docs/design/decisions.md", "{} steps hold 0.3 MB", (journal.STEPS,)),
    (
        "docs/design/engine.md",
        "about {} frames before the next slice of time",
        (thousands(native("engine/execute.cpp", "kSlice")),),
    ),
    (
        "docs/design/engine.md",
        "The block is {} frames at least",
        (native("engine/run/shard.hpp", "kLeastBlock"),),
    ),
    (
        "docs/design/engine.md",
        "it is {}, as their slices",
        (native("engine/run/shard.hpp", "kLeastBlockOfLaneGroups"),),
    ),
    (
        "docs/design/engine.md",
        "With a sub-block (least sum of lags round a cycle) below {} frames",
        (native("plan/plan.hpp", "kTogetherBelow"),),
    ),
    (
        "docs/design/engine.md",
        "then on one in {}, and scaled",
        (native("engine/run/shard.cpp", "kTimeEvery"),),
    ),
    (
        "docs/design/engine.md",
        "**lane layout** ({} batches and more)",
        (native("engine/run/shard.hpp", "kLaneLayoutFrom"),),
    ),
    (
        "docs/design/engine.md",
        "up to {} of them in registers",
        (native("engine/run/untimed_blocks.cpp", "kMostInSeries"),),
    ),
    ("docs/timeline.md", "once a graph has more than {} nodes", (schedule_plot.MAX_NODES,)),
    ("docs/widgets.md", "blended in over {:g} ms", (1e3 * feed.BLEND_S,)),
    ("docs/widgets.md", "where the page is gone, the session ends after {:g} s", (feed.LOST_S,)),
    ("docs/widgets.md", "fetches at most {} kB from the native pyramid", (signals.BUFFER_BYTES // 1000,)),
    (
        "docs/widgets.md",
        "Tests and CI (`{}` or `{}` in the environment) read patches and save none",
        disk.OFF,
    ),
    ("docs/design/widgets.md", "An edit waits {:g} s at most", (patchfile.DELAY_S,)),
    ("docs/nodes/index.md", "{} node types.", (len(catalog.types()),)),
    (
        "docs/systems.md",
        "JupyterLab {} or newer",
        (re.search(r'"jupyterlab>=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1],),
    ),  # type: ignore[index]
    (
        "docs/install.md",
        "Python {} or newer with its headers",
        (re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1],),
    ),  # type: ignore[index]
]
"""Page, sentence, and what the program puts into it."""


@pytest.mark.parametrize(("page", "sentence", "values"), FACTS, ids=[f"{p}-{s[:30]}" for p, s, _ in FACTS])
def test_page_states_what_the_program_says(page: str, sentence: str, values: tuple[Any, ...]) -> None:
    """The sentence, filled in by the program, stands on the page."""
    assert says(page, sentence.format(*values)), sentence.format(*values)


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Yield the cells of the first table after some words of a page."""
    _, begin, rest = (ROOT / page).read_text(encoding="utf-8").partition(heading)
    text = begin + rest
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table, heading
    for line in table[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def coded(cell: str) -> list[str]:
    """Return the code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_comparators_and_their_limits_are_all_listed() -> None:
    """Name by name, limit by limit, with its default."""
    listed = {
        coded(cells[0])[0]: coded(cells[2]) for cells in rows("docs/contracts/goldens.md", "## Comparators")
    }
    assert listed == {name: list(limits) for name, (_, limits) in comparators.COMPARATORS.items()}
    assert says(
        "docs/contracts/goldens.md", f"`floor_db` = {comparators.COMPARATORS['spectral_db'][1]['floor_db']:g}"
    )


def test_interpolations_are_all_listed() -> None:
    """Those that the library names, and no other."""
    listed = [coded(cells[0])[0] for cells in rows("docs/howto/automation.md", "| interpolation")]
    assert sorted(listed) == sorted(curves.INTERPOLATIONS)


def test_formats_of_sound_files_are_all_listed() -> None:
    """Suffixes, and the whole-number formats that a suffix takes."""
    listed = {
        coded(cells[0])[0]: coded(cells[1]) for cells in rows("docs/contracts/files.md", "### Sound files")
    }
    assert set(listed) == set(sound_file.FORMATS)
    assert set(sound_file.INTEGERS) | set(sound_file.FLOATS) == {
        one for cell in listed.values() for one in cell
    }


def test_traits_of_widgets_are_there() -> None:
    """Every trait that the table of widgets names can be observed, set and linked."""
    graph = amp.presets.three_osc()
    render = graph.render(seconds=0.1, isolation="none", trace=True, heat=True)
    seen = 0
    for call, _, traits in rows("docs/widgets.md", "| call | what"):
        names_of_calls = re.findall(r"`amp\.(\w+)", call)
        made = [getattr(amp, one)(graph if "(g" in call else render) for one in names_of_calls]
        missing = [trait for trait in coded(traits) if not any(one.has_trait(trait) for one in made)]
        for widget in made:
            widget.close()
        assert made and not missing, call
        seen += len(coded(traits))
    assert seen > 20


def test_notebooks_of_the_folder_are_all_on_the_page() -> None:
    """The page lists what is there, and no page counts them in words."""
    assert "notebooks/*" in (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    counted = re.compile(r"\b(?:two|three|four|five|six|seven|eight|\d+) notebooks\b", re.IGNORECASE)
    found = [page.name for page in pages() if counted.search(prose(page)) and page.name != "goldens.md"]
    assert found == []


def test_presets_and_phases_are_in_the_guide_for_contributors() -> None:
    """Every preset of the table is one of CMake's."""
    told = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
    known = {preset["name"] for preset in told["configurePresets"]}
    listed = {one for cells in rows("CONTRIBUTING.md", "## Native work") for one in coded(cells[0])}
    assert listed <= known


def test_readme_names_every_room_of_the_package() -> None:
    """The folders of `amp_lab` with modules, but for the binding."""
    (line,) = re.findall(
        r"^\| `amp_lab` \|.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    rooms = {folder.parent.name for folder in (ROOT / "amp_lab").glob("*/__init__.py")} - {"_native"}
    assert rooms <= set(coded(line))


def test_files_that_made_a_node_are_about_as_long_as_told() -> None:
    """The table of what `wavefolder` took by hand."""
    for file, lines, _ in rows("CONTRIBUTING.md", "| by hand"):
        path = coded(file)[0]
        if path.endswith(".inc"):
            continue
        there = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        assert there == pytest.approx(int(lines), rel=0.1), path


def test_make_lint_compares_what_is_generated() -> None:
    """As the page of plans says."""
    told = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^lint:.*\n(?:\t.*\n)*\t.*\bdrift\b", told, re.MULTILINE)


def test_versions_of_python_are_those_of_the_workflow() -> None:
    """The page of systems names each version that a job installs the wheel on."""
    text = (ROOT / ".github" / "workflows" / "native-kpn-ci.yml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^\s*python: \[(.*)\]$", text, re.MULTILINE)
    versions = re.findall(r"\d\.\d+", listed)
    assert versions and says("docs/systems.md", f"Linux, x86-64, CPython {' and '.join(versions)} |")
