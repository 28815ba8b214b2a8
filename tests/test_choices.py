"""An unknown name gives one sentence: place, value, the list, the nearest name."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

import amp_lab as amp
from amp_lab import analysis
from amp_lab.common import checks
from amp_lab.errors import AmpError, InvalidArgument
from amp_lab.golden import GoldenError
from amp_lab.render import isolation as places


def voice() -> amp.Graph:
    """A sine through a filter."""
    g = amp.Graph(name="voice")
    g.output(g.svf(g.sine(frequency_hz=440.0), name="flt"))
    return g


@pytest.fixture(scope="module")
def render() -> amp.Render:
    """A few frames."""
    return voice().render(frames=64, isolation="none", trace=True)


Call = Callable[[amp.Graph, amp.Render], Any]

WRONG: dict[str, tuple[Call, type[Exception], str]] = {
    "builder": (
        lambda g, r: g.oscilator(),
        AttributeError,
        "Graph: no such builder or method (got 'oscilator', "
        "allowed average | batch_mix | biquad | ... Did you mean 'oscillator'?",
    ),
    "method": (lambda g, r: g.conect("sine", "flt"), AttributeError, "... Did you mean 'connect'?"),
    "type": (
        lambda g, r: g.add("SVF"),
        amp.GraphError,
        "type: no such node type (got 'SVF', ... Did you mean 'svf'?",
    ),
    "parameter": (
        lambda g, r: g["flt"].set(cutof_hz=1.0),
        TypeError,
        "svf: no such parameter (got 'cutof_hz', allowed mode | cutoff_hz | q). Did you mean 'cutoff_hz'?",
    ),
    "parameter handle": (
        lambda g, r: g["flt"].cutof_hz,
        AttributeError,
        "flt (svf): no such parameter or output "
        "(got 'cutof_hz', allowed mode | cutoff_hz | q | out). Did you mean 'cutoff_hz'?",
    ),
    "synonym": (
        lambda g, r: g.svf(resonance=2.0),
        TypeError,
        "svf: no such parameter or input port (got "
        "'resonance', allowed in | mode | cutoff_hz | q | ... Did you mean 'q'?",
    ),
    "choice": (
        lambda g, r: g["flt"].set(mode="lowpas"),
        amp.GraphError,
        "flt.mode: no such choice (got 'lowpas', allowed lowpass | ... Did you mean 'lowpass'?",
    ),
    "node": (
        lambda g, r: g["fltr"],
        amp.GraphError,
        "voice: no such node (got 'fltr', allowed sine | flt | output). Did you mean 'flt'?",
    ),
    "port": (
        lambda g, r: g.connect("sine", "flt", port="inn"),
        amp.GraphError,
        "flt (svf): no such input port (got 'inn', allowed in). Did you mean 'in'?",
    ),
    "mode": (
        lambda g, r: g.modulate("sine", g["flt"].q, mode="mul"),
        amp.GraphError,
        "flt.q[0]: mode: no such mode (got 'mul', allowed multiply | add). Did you mean 'multiply'?",
    ),
    "field": (
        lambda g, r: g.change(g.edges[0], delay=1),
        TypeError,
        "flt.in[0]: no such field (got 'delay', ... Did you mean 'delay_frames'?",
    ),
    "heat policy": (
        lambda g, r: g.set_heat_budget(1.0, "hlat"),
        amp.GraphError,
        "heat_policy: no such policy (got 'hlat', allowed report | halt). Did you mean 'halt'?",
    ),
    "heat constant": (
        lambda g, r: g.gain(thermo={"capacity": 1.0}),
        TypeError,
        "gain.thermo: no such constant (got 'capacity', ... Did you mean 'capacity_j_per_k'?",
    ),
    "positional": (
        lambda g, r: amp.Graph(48000),
        TypeError,
        "Graph: too many arguments by position (got 48000, "
        "allowed sample_rate | name | heat_budget_w | heat_policy). Write Graph(sample_rate=48000).",
    ),
    "keyword": (
        lambda g, r: amp.Graph(samplerate=48000),
        TypeError,
        "Graph: no such argument (got 'samplerate', ... Did you mean 'sample_rate'?",
    ),
    "length": (
        lambda g, r: g.render(2.0),
        TypeError,
        "Graph.render: too many arguments by position (got 2.0, ... Write Graph.render(seconds=2.0).",
    ),
    "option": (
        lambda g, r: g.render(frame=8),
        TypeError,
        "Graph.render: no such argument (got 'frame', ... Did you mean 'frames'?",
    ),
    "missing": (
        lambda g, r: g.connect("sine"),
        TypeError,
        "Graph.connect: an argument is missing (got none for dst). Give it.",
    ),
    "isolation": (
        lambda g, r: g.render(frames=8, isolation="proces"),
        amp.GraphError,
        "isolation: no such isolation (got 'proces', allowed auto | process | none). Did you mean 'process'?",
    ),
    "nonfinite": (
        lambda g, r: g.render(frames=8, nonfinite="rais"),
        amp.GraphError,
        "voice.render.nonfinite: no such choice (got 'rais', allowed raise | allow). Did you mean 'raise'?",
    ),
    "session": (
        lambda g, r: g.session(nonfinite="rais"),
        amp.GraphError,
        "voice.session.nonfinite: no such choice (got 'rais', allowed raise | allow). Did you mean 'raise'?",
    ),
    "live input": (
        lambda g, r: g.session(live=["sine"]),
        amp.GraphError,
        "voice.session.live: no such input node (got 'sine', allowed none).",
    ),
    "window": (
        lambda g, r: r.spectrum(window="foo"),
        InvalidArgument,
        "spectrum.window: no such window (got 'foo', "
        "allowed blackmanharris | flattop | hann | hamming | blackman | rectangular). Use one of these.",
    ),
    "window's case": (
        lambda g, r: analysis.power_spectrum(r.audio, 48e3, window="FlatTop"),
        InvalidArgument,
        "spectrum.window: no such window (got 'FlatTop', ... Did you mean 'flattop'?",
    ),
    "plot's option": (
        lambda g, r: r.spectrum(widow="flattop"),
        TypeError,
        "spectrum: no such argument (got 'widow', ... Did you mean 'window'?",
    ),
    "view": (
        lambda g, r: r.timeline("delay"),
        amp.GraphError,
        "voice.timeline: no such view (got 'delay', allowed schedule | delays). Did you mean 'delays'?",
    ),
    "plotted node": (
        lambda g, r: r.timeline(nodes=["fltr"]),
        InvalidArgument,
        "timeline.nodes: no such node (got 'fltr', allowed sine | flt | output). Did you mean 'flt'?",
    ),
    "delays' node": (
        lambda g, r: r.timeline("delays", nodes=["fltr"]),
        InvalidArgument,
        "timeline.nodes: no such node (got 'fltr', ... Did you mean 'flt'?",
    ),
    "comparator": (
        lambda g, r: r.compare(r, "maxabs"),
        GoldenError,
        "comparator: no such comparator (got 'maxabs', allowed exact | max_abs | ... Did you mean 'max_abs'?",
    ),
    "limit": (
        lambda g, r: r.compare(r, "max_abs", reason="r", limitt=1.0),
        TypeError,
        "max_abs: no such limit (got 'limitt', allowed abs_tol | rel_tol). Use one of these.",
    ),
    "interpolation": (
        lambda g, r: amp.Curve("c", [0.0], [1.0], "linaer"),
        amp.GraphError,
        "curve 'c': interpolation: no such interpolation (got 'linaer', ... Did you mean 'linear'?",
    ),
    "key in a file": (
        lambda g, r: amp.Graph.from_dict(g.to_dict() | {"edgs": []}),
        amp.GraphError,
        "$.edgs: no such key (got 'edgs', ... Did you mean 'edges'?",
    ),
    "subtype": (
        lambda g, r: r.save("x.wav", subtype="PCM24"),
        amp.GraphError,
        "voice.save.subtype: no such subtype of WAV (got 'PCM24', ... Did you mean 'PCM_24'?",
    ),
    "trait": (
        lambda g, r: amp.widgets.Timeline(r, tabb="delays"),
        TypeError,
        "Timeline: no such trait (got 'tabb', ... Did you mean 'tab'?",
    ),
    "trait's value": (
        lambda g, r: amp.widgets.Timeline(r, tab="delay"),
        traitlets.TraitError,
        "Timeline.tab: no such choice (got 'delay', allowed schedule | delays). Did you mean 'delays'?",
    ),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_name_is_answered_with_the_list_and_the_nearest(which: str, render: amp.Render) -> None:
    """One sentence; `...` replaces the rest of a list."""
    call, kind, sentence = WRONG[which]
    with pytest.raises(kind) as caught:
        call(voice(), render)
    first, _, last = sentence.partition("...")
    message = str(caught.value)
    assert message.startswith(first)
    assert message.endswith(last)
    assert "\n" not in message


def test_python_adds_no_second_suggestion() -> None:
    """What a terminal shows ends with the sentence, and `hasattr` stays what it is."""
    program = "import amp_lab as amp; amp.Graph().oscilator()"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("Did you mean 'oscillator'?")
    assert not hasattr(amp.Graph(), "oscilator")
    assert not hasattr(amp.Graph(), "_repr_png_")
    assert not hasattr(voice()["flt"], "cutof_hz")


def test_a_graph_that_answers_for_what_it_lacks_can_be_copied() -> None:
    """Copies and pickles read attributes before there is a graph."""
    g = voice()
    assert copy.copy(g).to_dict() == copy.deepcopy(g).to_dict() == pickle.loads(pickle.dumps(g)).to_dict()


@pytest.mark.parametrize("call", [amp.Graph.__init__, amp.Graph.render, amp.plots.spectrum, amp.golden.check])
def test_a_call_that_is_explained_keeps_its_signature(call: Callable[..., Any]) -> None:
    """Help, editors and the documentation show the arguments."""
    names = list(inspect.signature(call).parameters)
    assert {"args", "options"}.isdisjoint(names)
    assert call.__doc__ or call is amp.Graph.__init__


def test_a_type_error_from_inside_is_not_rewritten() -> None:
    """Only the call itself is explained."""

    @checks.keywords
    def inner(*, length: int) -> int:
        return len(length)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="object of type 'int' has no len"):
        inner(length=3)


def test_a_long_list_is_cut_short() -> None:
    """Forty names are spelled out, the others are counted."""
    message = checks.unknown("where", "x999", [f"x{i}" for i in range(1000)], "name")
    assert message.endswith("| x39 | 960 more). Did you mean 'x999'?")
    assert len(message) < 400


@pytest.mark.parametrize("given", [None, 3, b"svf", ["svf"], np.array(1.0), "\x1b[2J", "s" * 10_000])
def test_anything_can_be_given_for_a_name(given: Any) -> None:
    """The sentence is printable and short for any value."""
    with pytest.raises(AmpError) as caught:
        amp.catalog.contract(given)
    assert str(caught.value).startswith("type: no such node type (got ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    "program",
    [
        "import amp_lab; amp_lab.Graph()",
        "import amp_lab; amp_lab.presets.three_osc()",
        "import amp_lab; amp_lab.catalog.types()",
        "import sys; from amp_lab import cli; sys.exit(cli.main(['nodes']))",
        "import sys; from amp_lab import cli; sys.exit(cli.main(['demo']))",
    ],
)
def test_an_instruction_set_that_is_none_is_one_sentence(program: str) -> None:
    """The first use reports that ``AMP_ISA`` is wrong, and the allowed values."""
    done = python(program, AMP_ISA="v33")
    assert done.returncode != 0
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.endswith(
        "AMP_ISA: no such instruction set (got 'v33', allowed v2 | v3 | v4 | base). Did you mean 'v3'?"
    )


def test_an_isolation_in_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable to change; an empty one counts as unset."""
    monkeypatch.setenv("AMP_ISOLATION", "processs")
    with pytest.raises(
        amp.GraphError, match=r"^AMP_ISOLATION: no such isolation \(got 'processs'.*'process'\?$"
    ):
        places.choose_isolation("auto")
    monkeypatch.setenv("AMP_ISOLATION", "")
    assert places.choose_isolation("auto") in ("process", "none")
