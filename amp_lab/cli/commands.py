"""The command ``amp-lab``. Exit codes: 0 done, 1 a verdict failed, 2 wrong use, 3 the engine crashed."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that help and doctor work without the library

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amp_lab.cli import embedding, golden_commands
from amp_lab.cli.command_line import (
    CRASHED,
    FAILED,
    INTERRUPTED,
    OK,
    Commands,
    Parser,
    add_command,
    add_goldens,
    citizen,
    complain,
    count,
    of_file,
    output,
    positive,
    print_path,
)
from amp_lab.errors import plain

if TYPE_CHECKING:
    from amp_lab.contracts import Isolation
    from amp_lab.render.render import Render

PERFORMANCE_S = 10.0
CASE = "three_osc"


# ---- demo and render ----


def demo(options: argparse.Namespace) -> int:
    """Play the performance: sound file, report, verdict."""
    from amp_lab import presets
    from amp_lab.common import atomic_files
    from amp_lab.export import html_report

    options.out.mkdir(parents=True, exist_ok=True)  # what cannot be written is not rendered
    for ending in ("wav", "html"):
        atomic_files.check(options.out / f"{CASE}.{ending}")
    graph = presets.three_osc()
    render = graph.render(seconds=options.seconds, isolation=_chosen(options), heat=True, trace=True)
    judged = render
    if options.seconds != PERFORMANCE_S:
        judged = graph.render(seconds=PERFORMANCE_S, isolation=_chosen(options))
    passed, line, facts = _judge(judged, options.goldens)
    print(repr(render))
    print_path(render.save(options.out / f"{CASE}.wav", subtype="PCM_24"))
    print_path(html_report.html_report(render, options.out / f"{CASE}.html", verdict_lines=[line]))
    print(*facts, line, sep="\n")
    return OK if passed else FAILED


def _judge(render: Render, goldens: Path | None) -> tuple[bool, str, list[str]]:
    """Return whether the golden holds, the verdict's line, and the facts of a failure."""
    from amp_lab import golden

    try:
        folder = golden.find(goldens)
    except golden.GoldenError:
        cure = "Run in a clone of amp_lab, or name its folder: amp-lab demo --goldens DIR/goldens."
        return False, f"{CASE}: FAIL no goldens folder", [f"goldens: folder not found. {cure}"]
    verdict = golden.check(CASE, render, goldens=folder)
    return verdict.passed, repr(verdict), str(verdict).splitlines()[1:]


def render(options: argparse.Namespace) -> int:
    """Render a graph file to sound files."""
    from amp_lab.export import sound_file
    from amp_lab.graph.graph import Graph
    from amp_lab.graph.records.curves import ControlHistory
    from amp_lab.render import prepare

    graph = Graph.load(options.graph, allow_samples_from=options.allow_samples_from)
    controls = None if options.controls is None else ControlHistory.load(options.controls)
    frames = prepare.length(graph, options.seconds, options.frames)
    size = (graph.sample_rate, graph.compile().output_channels, frames)
    form = {"subtype": options.subtype, "dither": options.dither, "seed": options.seed}
    targets = sound_file.of_batches(options.out, options.batches)
    for path in targets:  # what cannot be written is not rendered
        sound_file.target(f"{graph.name}.save", path, size, **form)
    result = graph.render(
        frames=frames,
        batches=options.batches,
        controls=controls,
        block_frames=options.block,
        isolation=_chosen(options),
    )
    print(result)
    for batch, path in enumerate(targets):
        print_path(result.save(path, batch=batch, **form))
    return OK


# ---- nodes ----


def nodes(options: argparse.Namespace) -> int:
    """List the node types, or print one contract."""
    from amp_lab import catalog
    from amp_lab.catalog import text

    if options.type is None:
        print(text.node_table(catalog.contract(type_id) for type_id in catalog.types()))
    else:
        print(text.node_page(catalog.contract(options.type)))
    return OK


# ---- lab, doctor, bench ----


def lab(options: argparse.Namespace) -> int:
    """Replace this process by JupyterLab on a folder of notebooks."""
    folder: Path = options.folder
    if not any(folder.glob("*.ipynb")):
        what = "holds no notebook" if folder.is_dir() else "is no folder"
        cure = "Name a folder of notebooks, such as that of a clone of amp_lab: amp-lab lab DIR/notebooks."
        return complain(f"lab: {plain(folder, 1000)} {what}. {cure}")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "jupyterlab", str(folder)])


def doctor(options: argparse.Namespace) -> int:
    """Print what runs here."""
    from amp_lab.cli import doctor as checks

    lines = checks.report()
    print("\n".join(lines))
    return OK if checks.healthy(lines) else FAILED


def bench(options: argparse.Namespace) -> int:
    """Run one workload, write jobs or the measured page, or print a table."""
    from amp_lab.bench import probes, report, runner

    if options.run in probes.PROBES:
        print(json.dumps(probes.run(options.run, options.quick)))
    elif options.run is not None:
        job = runner.BenchRun(options.run, options.block, options.seconds, options.threads)
        print(json.dumps(runner.run(job)))
    elif options.emit is not None:
        made = runner.emit(options.names, options.seconds, options.emit, options.threads)
        print(f"{options.emit}: {len(made)} jobs")
    elif folder := options.report:
        report.check(folder)  # what cannot be written is not measured
        data = report.measure(options.rounds, options.seconds, options.quick, options.beside)
        print(*report.write(folder, data), sep="\n")
    elif folder := options.redraw:
        print(*report.write(folder, report.load(folder)), sep="\n")
    else:
        print(runner.table(options.names, options.seconds, options.rounds, options.threads))
    return OK


# ---- arguments ----


def parser() -> argparse.ArgumentParser:
    """Build the parser with all commands."""
    from amp_lab.common.version import __version__

    top: argparse.ArgumentParser = Parser(
        prog="amp-lab",
        description="Audio graphs rendered natively: play, look, and hold against goldens.",
        epilog="Exit codes: 0 done, 1 a verdict or check failed, 2 wrong use, 3 the engine crashed.",
    )
    top.add_argument("--version", action="version", version=f"amp-lab {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    goldens, config = golden_commands.add_commands, embedding.add_config
    for add in (_demo, _render, _nodes, goldens, _lab, _doctor, _bench, config):
        add(commands)
    return top


def _isolation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--isolation",
        choices=("process", "none"),
        help="render in a worker process, whose crash is reported, or in this one "
        "(default: process where the system can)",
    )


def _chosen(options: argparse.Namespace) -> Isolation:
    from amp_lab import isolate

    asked: Isolation | None = options.isolation
    return asked or ("process" if isolate.supported() else "none")


def _demo(commands: Commands) -> None:
    what = "play the three-oscillator performance: WAV, HTML report and golden verdict"
    command = add_command(commands, "demo", what, "The last line printed is the verdict.")
    command.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where to write (default out)"
    )
    command.add_argument(
        "--seconds",
        type=positive,
        default=PERFORMANCE_S,
        help="length of the sound (default 10, all of it); the verdict is on all of it whatever the length",
    )
    _isolation(command)
    add_goldens(command)
    command.set_defaults(run_command=demo)


def _render(commands: Commands) -> None:
    command = add_command(commands, "render", "render a graph file to a sound file")
    command.add_argument("graph", type=Path, metavar="GRAPH.json", help="written by Graph.save")
    length = command.add_mutually_exclusive_group(required=True)
    length.add_argument("--seconds", type=positive, help="length in seconds")
    length.add_argument("--frames", type=count, help="length in frames")
    command.add_argument(
        "-o", "--out", type=output, required=True, metavar="FILE",
        help="sound file, format by suffix; with several batches their number is put before the suffix",
    )  # fmt: skip
    command.add_argument(
        "--controls",
        type=Path,
        metavar="CONTROLS.json",
        help="control curves, written by ControlHistory.save",
    )
    command.add_argument(
        "--allow-samples-from",
        type=Path,
        metavar="DIR",
        help="folder of sound files that the graph may read beside those below its own",
    )
    command.add_argument("--batches", type=count, default=1, help="variants side by side (default 1)")
    command.add_argument("--block", type=count, metavar="FRAMES", help="frames per block (default: chosen)")
    command.add_argument(
        "--subtype", help="sample format, for example PCM_24 (default: 64-bit float in WAV, 24 bit in FLAC)"
    )
    command.add_argument(
        "--dither",
        action="store_true",
        help="add noise of triangular density before rounding to whole numbers",
    )
    command.add_argument("--seed", type=int, default=0, help="of the dither (default 0)")
    _isolation(command)
    command.set_defaults(run_command=render)


def _nodes(commands: Commands) -> None:
    command = add_command(commands, "nodes", "list the node types, or show one whole contract")
    command.add_argument("type", nargs="?", metavar="TYPE", help="for example svf")
    command.set_defaults(run_command=nodes)


def _lab(commands: Commands) -> None:
    command = add_command(commands, "lab", "open JupyterLab on a folder of notebooks")
    command.add_argument(
        "folder", type=Path, nargs="?", default=Path("notebooks"), metavar="NOTEBOOK_DIR",
        help="default: notebooks",
    )  # fmt: skip
    command.set_defaults(run_command=lab)


def _doctor(commands: Commands) -> None:
    what = "say what runs here: build, instruction sets, versions, worker, sound files"
    add_command(commands, "doctor", what, "Lines read name: value.").set_defaults(run_command=doctor)


def _bench(commands: Commands) -> None:
    what = "measure the speed of the engine"
    more = "By itself it prints a table of medians over interleaved rounds. Probes, all in a report: "
    probes = "PLAN NODES MEMORY LIMITS LOOPS BATCHES POLYPHONY WATCHING PROFILE."
    command = add_command(commands, "bench", what, more + probes)
    command.add_argument(
        "names", nargs="*", metavar="WORKLOAD", help="W1 W2 W2B W3 W4 W6 BUILD (default: all)"
    )
    command.add_argument("--seconds", type=positive, default=60.0, help="sound per run (default 60)")
    command.add_argument("--rounds", type=count, default=5, help="rounds of the table (default 5)")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--run", metavar="NAME", help="one workload or probe in this process: a line of JSON")
    how.add_argument("--emit", type=output, metavar="own.json", help="write the jobs for run_peers.py --add")
    how.add_argument("--report", type=Path, metavar="DIR", help="measure all; write data, page and pictures")
    how.add_argument(
        "--redraw", type=Path, metavar="DIR", help="page and pictures again, from the data there"
    )
    command.add_argument(
        "--beside", type=Path, metavar="JOBS.json", help="for --report: others' jobs, as --emit"
    )
    command.add_argument("--block", type=count, metavar="FRAMES", help="frames per block, for --run")
    command.add_argument("--threads", type=count, default=1, help="threads of a render (default 1)")
    command.add_argument("--quick", action="store_true", help="measure as little as shows that it works")
    command.set_defaults(run_command=bench)


# ---- entry ----


def _run(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    from amp_lab.errors import AmpError, NativeCrash, NativeLibraryMissing, NativeLibraryStale

    try:
        return int(options.run_command(options))
    except NativeCrash as crash:
        return complain(str(crash), CRASHED)
    except (AmpError, NativeLibraryMissing, NativeLibraryStale) as error:
        return complain(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        return complain(of_file(error))
    except KeyboardInterrupt:
        return complain("stopped", INTERRUPTED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; failures are one message, never a traceback."""
    return citizen(lambda: _run(arguments))
