"""A page for every node type: what its contract says, an example that is run here, and its picture."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import case_figures

from amp_lab import catalog, plots
from amp_lab.contracts import NodeContract, ParamContract, PortContract
from amp_lab.lowlevel.words import LAWS

DOCS = Path(__file__).resolve().parent
PAGES = DOCS / "nodes"
EXAMPLES = PAGES / "examples"
PICTURES = DOCS / "pictures" / "nodes"
NOTE = (
    "<!-- Generated from the native contracts and docs/nodes/examples by python docs/figures.py --write. -->"
)
GROUPS = {
    "source": "Sources",
    "control": "Control signals",
    "filter": "Filters",
    "delay": "Delays",
    "dynamics": "Dynamics",
    "mix": "Mixing and routing",
    "io": "In and out",
}
CHANNELS = {"match": "as many as the node has", "mono": "1", "stereo": "2", "any": "1 or 2"}
GATHER = {
    "sum": "added in slot order",
    "mean": "averaged, added in slot order",
    "concat": "stacked in slot order",
    "matrix": "stacked in slot order: the columns of the matrix",
    "first": "the lowest slot is read, the others are not",
}
SCATTER = {
    "broadcast": "every edge carries all channels",
    "split": "every edge carries one channel",
    "matrix": "every edge carries all channels, one per row",
}
RATE = {"fixed": "never", "batch": "per batch and channel", "frame": "every frame"}
LAW = {
    "block_invariant": "same bits for every cut of time",
    "linear": "superposition holds for fixed parameters",
    "time_invariant": "a delayed input gives the delayed output",
    "bounded": "the output stays within its bound",
    "silence": "silence in, silence out",
}
ADJOINT = {
    "exact": "planned: exact (no gradient runs yet)",
    "subgradient": "planned: almost everywhere (no gradient runs yet)",
    "not_differentiable": "not differentiable",
    "unsupported": "not supported",
}


@cache
def example(type_id: str) -> tuple[str, str, str, bytes]:
    """Run the example of a type: its code, what it prints, and caption and PNG of its picture."""
    path = EXAMPLES / f"{type_id}.py"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        names = runpy.run_path(str(path))
    code = path.read_text(encoding="utf-8").partition("\n\n\ndef picture():")[0].strip()
    draw: Any = names["picture"]
    return code, printed.getvalue().strip(), textwrap.dedent(draw.__doc__), plots.png(draw(), dpi=110)


def texts() -> dict[Path, str]:
    """Every generated page of the nodes, by its path."""
    pages = {PAGES / f"{type_id}.md": page(catalog.contract(type_id)) for type_id in catalog.types()}
    return pages | {PAGES / "index.md": index()}


def pictures() -> dict[Path, bytes]:
    """The picture of every example, by its path."""
    return {PICTURES / f"{type_id}.png": example(type_id)[3] for type_id in catalog.types()}


def orphans() -> list[Path]:
    """Pages and pictures of types that are no more."""
    cases = case_figures.PICTURES.glob("*.svg")
    there = [*PAGES.glob("*.md"), *PICTURES.glob("*.png"), *EXAMPLES.glob("*.py"), *cases]
    return [path for path in there if path.stem not in (*catalog.types(), "index")]


def plain(text: str) -> str:
    """Text of a contract so that Markdown shows it as it stands."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, "\\" + mark)
    return text


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def index() -> str:
    """Return the page that lists all node types by group."""
    contracts = [catalog.contract(type_id) for type_id in catalog.types()]
    parts = [
        NOTE,
        "# Nodes",
        f"{len(contracts)} node types. Each is declared once, beside its kernel: ports, parameters, units, "
        "latency, heat and laws. The builders of a graph (`g.svf(...)`), their signatures, the widgets and "
        'these pages follow from that; `amp.catalog["svf"]` is it in Python, `g.svf?` in a notebook.',
    ]
    for group, title in GROUPS.items():
        rows = [_entry(contract) for contract in contracts if contract.group == group]
        parts += [f"## {title}", table(("type", "what it does", ""), rows)]
    toctree = "\n".join(catalog.types())
    return "\n\n".join(parts) + f"\n\n```{{toctree}}\n:hidden:\n\n{toctree}\n```\n"


def _entry(contract: NodeContract) -> tuple[str, ...]:
    picture = f"![{plain(example(contract.id)[2])}](../pictures/nodes/{contract.id}.png)"
    return f"[`{contract.id}`]({contract.id}.md)", plain(contract.summary), picture


def page(contract: NodeContract) -> str:
    """Return the page of one node type."""
    code, printed, caption, _ = example(contract.id)
    parts = [
        NOTE,
        f"# {contract.id}",
        plain(contract.summary),
        f"![{plain(caption)}](../pictures/nodes/{contract.id}.png)",
        f"*{plain(caption)}*",
        "## What it computes",
        *(plain(paragraph) for paragraph in contract.doc.splitlines()),
        "## Ports",
        ports(contract),
        "## Parameters",
        parameters(contract),
        "## Example",
        f"```python\n{code}\n```",
        f"It prints\n\n```text\n{printed}\n```",
        "## Facts",
        facts(contract),
        "## Worked cases",
        "Each is a law test, a golden and a part of this picture. " + compared(contract),
        f"![{plain(case_figures.caption(contract.id))}](../pictures/cases/{contract.id}.svg)",
    ]
    return "\n\n".join(parts) + "\n"


def ports(contract: NodeContract) -> str:
    """Return the table of ports."""
    rows = [_port("in", port) for port in contract.inputs] + [_port("out", port) for port in contract.outputs]
    return table(("port", "", "what", "channels", "edges"), rows)


def _port(way: str, port: PortContract) -> tuple[str, ...]:
    edges = GATHER[port.gather] if port.gather else SCATTER[port.scatter]
    if port.optional:
        edges += f"; none: {port.neutral:g}"
    edges += {"batches": "; made of all batches", "frames": "; made of picked frames"}.get(port.map, "")
    return f"`{port.key}`", way, plain(port.doc), CHANNELS[port.channels], edges


def parameters(contract: NodeContract) -> str:
    """Return the table of parameters."""
    if not contract.params:
        return "None."
    head = ("parameter", "unit", "range", "default", "scale", "may change", "what")
    return table(head, [_parameter(param) for param in contract.params])


def _parameter(param: ParamContract) -> tuple[str, ...]:
    unit = "" if param.unit in ("", "1") else param.unit
    allowed = param.allowed().removesuffix(f" {unit}" if unit else "")
    if param.kind == "enum":
        allowed = ", ".join(f"`{choice}`" for choice in param.choices)
    allowed = re.sub(r"e([+-])0*", lambda power: "e-" if power[1] == "-" else "e", allowed)
    default = f"{param.default:g}" if isinstance(param.default, float) else str(param.default)
    scale = param.scale if param.kind == "number" else ""
    shown = f"`{default}`" if default else ""
    return f"`{param.key}`", unit, allowed, shown, scale, RATE[param.rate], plain(param.doc)


def compared(contract: NodeContract) -> str:
    """Return how the goldens of the cases are compared."""
    others = [c for c in contract.cases if c.comparator != "exact"]
    said = "; ".join(f"`{c.key}` by {c.comparator} {c.tolerance:g}, as {c.reason}" for c in others)
    return f"Its golden is compared bit for bit{f', but {said}' if said else ''}."


def facts(contract: NodeContract) -> str:
    """Return what else the contract promises."""
    bound = f" (`{contract.bound_param}`)" if contract.bound_param else " (1)"
    words = {**LAW, "bounded": LAW["bounded"] + bound}
    laws = "; ".join(words[law] for law in LAWS if law in contract.laws)
    latency = f"{contract.latency_frames} frames" if contract.latency_frames else "none"
    rows = [
        ("latency", f"{latency} with the default parameters at 48 kHz; compensated by the graph"),
        (
            "heat of its own",
            f"`{contract.heat}` J per frame" if contract.heat else "none, unless `thermo=` gives it some",
        ),
        ("laws, held by tests", laws),
        ("gradient", ADJOINT[contract.adjoint]),
        ("revision", f"{contract.revision} (raised when the sound changes)"),
    ]
    return table(("", ""), rows)
