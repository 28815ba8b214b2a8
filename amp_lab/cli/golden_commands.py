"""The commands `amp-lab golden ...`."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that help works without the library

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from amp_lab.cli.command_line import (
    CRASHED,
    FAILED,
    OK,
    USAGE,
    Commands,
    add_command,
    add_goldens,
    complain,
    print_path,
)
from amp_lab.errors import plain

GRAPHS = (
    "the graphs in the code, held against the stored ones: a function that returns {case: graph or "
    "render}, or one that is called with the name of a case; the module is imported, working folder first"
)


def list_cases(options: argparse.Namespace) -> int:
    """Print a line per case; a damaged one fails."""
    from amp_lab import golden
    from amp_lab.catalog import text
    from amp_lab.errors import FileError

    rows = [("case", "size", "comparator", "blessed", "reason")]
    damaged = False
    for case in golden.list_cases(options.goldens):
        try:
            if missing := case.missing_files():
                raise FileError(f"no {', '.join(missing)}")
            manifest = case.manifest()
        except FileError as error:
            damaged = True
            rows.append((case.name, "-", "-", "-", f"FAILED: {error}"))
            continue
        size = "{batches} x {channels} x {frames}".format(**manifest["render"])
        blessed = manifest["blessed"]
        by = f"{blessed['on']} by {blessed['by']}"
        rows.append((case.name, size, manifest["comparator"]["name"], by, blessed["reason"]))
    print("\n".join(text.aligned(rows)))
    return FAILED if damaged else OK


def verify_cases(options: argparse.Namespace) -> int:
    """Render cases and print their verdicts."""
    from amp_lab import golden
    from amp_lab.golden import code
    from amp_lab.golden.verify import chosen_cases

    names = options.cases or "all"
    chosen_cases(names, options.goldens)  # no folder and no case are wrong use
    graphs = None if options.code is None else code.load(options.code, options.cases)
    if options.isa:
        if graphs is not None:
            raise golden.GoldenError("--code: not with --isa (got both, allowed one). Leave one out.")
        found = golden.verify_isa_levels(names, goldens=options.goldens)
    else:
        found = golden.verdicts(names, matrix=options.matrix, goldens=options.goldens, code=graphs)
    for verdict in found:
        print(verdict)
    failed = sum(not verdict for verdict in found)
    print(f"{len(found) - failed} passed, {failed} failed")
    if any(verdict.crashed for verdict in found):
        return CRASHED
    return FAILED if failed else OK


def update_cases(options: argparse.Namespace) -> int:
    """Bless what the engine gives now."""
    from amp_lab import golden
    from amp_lab.errors import AmpError, NativeCrash
    from amp_lab.golden import ci, code
    from amp_lab.golden.update import Wanted, updated

    how = {"goldens": options.goldens, "allow_ci": options.allow_ci}
    graphs = None if options.code is None else code.Code(code.load(options.code, options.cases))
    root, worst, blessed = golden.find(options.goldens), OK, 0
    for name in options.cases:
        try:
            graph = None if graphs is None else graphs.of(name)
            wanted = Wanted(graph, options.accept_graph)
            case, told = updated(name, options.reason, wanted, blessed_by=options.by, **how)
        except AmpError as error:  # the other cases are updated all the same
            worst = max(worst, complain(str(error), CRASHED if isinstance(error, NativeCrash) else USAGE))
            continue
        blessed += 1
        changed = f" ({'; '.join(told)})" if told else ""
        print(f"{plain(name)}: blessed {case.manifest()['digest'][:12]}{changed}")
    if blessed and (said := ci.require_allowed("golden update", root, **how)):
        print(f"amp-lab: {said}", file=sys.stderr)
    return worst


def export_case(options: argparse.Namespace) -> int:
    """Write a reference to sound files and print their paths."""
    from amp_lab import golden

    for path in golden.export(options.case, options.out, goldens=options.goldens):
        print_path(path)
    return OK


def add_commands(commands: Commands) -> None:
    """Add `golden` and its actions."""
    what = "list, verify, update and export the stored renders"
    actions = add_command(commands, "golden", what).add_subparsers(
        title="actions", metavar="ACTION", required=True
    )
    listing = add_command(actions, "list", "list the cases: size, comparator, who blessed them and why")
    listing.set_defaults(run_command=list_cases)
    verify = add_command(actions, "verify", "render cases and hold them against their references")
    verify.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    how = verify.add_mutually_exclusive_group()
    how.add_argument(
        "--matrix", choices=("quick", "full"), default="quick",
        help="quick: two block sizes; full: four, and each batch alone (default %(default)s)",
    )  # fmt: skip
    how.add_argument("--isa", action="store_true", help="on every instruction set level of this machine")
    verify.add_argument("--code", metavar="MODULE:NAME", help=GRAPHS)
    verify.set_defaults(run_command=verify_cases)
    update = add_command(actions, "update", "bless what the engine renders now")
    update.add_argument("cases", nargs="+", metavar="CASE")
    update.add_argument("--reason", required=True, metavar="TEXT", help="what changed and why it is right")
    update.add_argument("--code", metavar="MODULE:NAME", help=f"{GRAPHS}; or the graph of the one CASE")
    update.add_argument(
        "--accept-graph", action="store_true", help="bless the graph in the code where it is another"
    )
    update.add_argument("--by", metavar="NAME", help="who blesses it (default: the login name)")
    update.add_argument(
        "--allow-ci", action="store_true", help="bless under CI too, in a folder that was not named"
    )
    update.set_defaults(run_command=update_cases)
    export = add_command(actions, "export", "write a reference to WAV, every bit: 32- or 64-bit float")
    export.add_argument("case", metavar="CASE")
    export.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE.wav",
        help="with several batches there is a file of each: their number is put before the suffix",
    )  # fmt: skip
    export.set_defaults(run_command=export_case)
    for action in (listing, verify, update, export):
        add_goldens(action)
