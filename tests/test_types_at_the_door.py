"""Whatever takes an array or a number takes real numbers only, and says by name what it was given instead.

Entry points are found by introspection: node types and parameters from the catalogue, measures from their
modules and annotations. A new one is tested as soon as it exists.
"""

from __future__ import annotations

import array as buffers
import datetime
import inspect
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import signal, sparse

import amp_lab as amp
from amp_lab import catalog
from amp_lab.common import arrays
from amp_lab.errors import AmpError
from amp_lab.graph.edits.nodes import Node
from amp_lab.lowlevel import Pyramid
from amp_lab.render.tap import Tap

FRAMES = 64
TONE = np.sin(np.arange(FRAMES) / 5.0)


class Series:
    """The interface of a labelled array of another library."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return TONE

    def to_numpy(self) -> Any:
        return TONE


ENDLESS: list[Any] = [1.0]
ENDLESS.append(ENDLESS)
STRANGE: dict[str, tuple[Any, str]] = {
    "analytic signal": (signal.hilbert(TONE), r"got complex128 of shape \(64,\).*np\.real\(x\)"),
    "complex64": (TONE.astype(np.complex64), "complex64.*np.real"),
    "complex number": (1j, r"1j, complex.*np\.real"),
    "complex in a list": ([0.0, 1j], "complex among them"),
    "texts": (np.array(["0.5"]), "<U3 of shape"),
    "text in a list": ([0.0, "0.5"], "text among them.*dtype=float"),
    "bytes": (b"\0\1", "bytes.*frombuffer"),
    "array of bytes": (np.array([b"a"]), r"\|S1 of shape"),
    "bytearray": (bytearray(b"\0\1"), "bytes.*frombuffer"),
    "dates": (np.array(["2020-01-01"], "M8[s]"), r"datetime64\[s\].*seconds"),
    "spans of time": (np.arange(4).astype("m8[ms]"), r"timedelta64\[ms\].*seconds"),
    "a span of time": (np.timedelta64(1, "s"), "timedelta.*seconds"),
    "spans of Python": ([datetime.timedelta(1)], r"datetime\.timedelta among them.*total_seconds"),
    "bools": (TONE > 0, r"got bool of shape.*astype"),
    "a bool": (True, r"got True, bool.*float\(x\)"),
    "bool in a list": ([0.5, True], r"bool among them.*float\(v\)"),
    "bool of NumPy in a list": ([0.5, np.True_], "bool among them"),
    "array of bools in a list": ([TONE, TONE > 0], "bool of shape .* among them"),
    "objects": (np.array([1.0, None], object), r"got object of shape.*astype\(float\)"),
    "None in a list": ([1.0, None], "NoneType among them"),
    "decimals": ([Decimal("0.5")], r"decimal\.Decimal among them.*float\(v\)"),
    "fractions": ([Fraction(1, 2)], r"fractions\.Fraction among them.*float\(v\)"),
    "records": (np.zeros(3, [("left", "f8"), ("right", "f8")]), r"structured array.*x\['name'\]"),
    "masked": (np.ma.masked_greater(TONE, 0.5), r"masked array.*filled"),
    "masked in a list": ([np.ma.masked_greater(TONE, 0.5)], r"masked array among them.*filled"),
    "labelled": (Series(), r"Series, allowed.*x\.to_numpy\(\)"),
    "labelled in a list": ([Series()], r"Series among them.*x\.to_numpy\(\)"),
    "sparse": (sparse.csr_array(np.eye(3)), r"scipy\.\w+.*x\.toarray\(\)"),
    "ragged": ([[1.0], [1.0, 2.0]], "rows of unequal length"),
    "ragged arrays": ([np.zeros(2), np.zeros(3)], "rows of unequal length"),
    "generator": ((x for x in (1.0, 2.0)), r"got generator.*list\(x\)"),
    "dict": ({"x": 1.0}, "dict"),
    "set": ({1.0}, r"set.*list\(x\)"),
    "nested for ever": (ENDLESS, "nested deeper than"),
}
"""Values that are no real numbers, with the words of the error."""
INTEGERS: dict[str, tuple[Any, str]] = {
    "int16": (np.array([0, 16384, -32768], np.int16), r"got int16 of shape \(3,\).*='full'"),
    "uint8": (np.array([128], np.uint8), "uint8.*='full'"),
    "int32": (np.array([1], np.int32), "int32.*='full'"),
    "int64": (np.arange(3), "int64.*=1/32768"),
    "big-endian": (np.array([1], ">i2"), ">i2.*='full'"),
    "whole numbers": ([0, 1], "int64.*scale=1 for the values as they are"),
    "range": (range(3), "int64"),
    "buffer": (buffers.array("h", [1, 2]), "int16.*='full'"),
    "memory": (memoryview(b"\0\1"), "uint8.*='full'"),
}
"""Integers, which have no full scale."""
SAMPLES = STRANGE | INTEGERS


def cases(table: dict[str, tuple[Any, str]]) -> list[Any]:
    """One test per value."""
    return [pytest.param(*case, id=name) for name, case in table.items()]


class TestSamples:
    """`arrays.samples` and what calls it first."""

    @pytest.mark.parametrize(("given", "said"), cases(SAMPLES))
    def test_what_is_no_floating_point_is_refused_by_name(self, given: Any, said: str) -> None:
        """Place, type and cure; the same for a node's samples by position, by keyword and by `set`."""
        with pytest.raises(amp.GraphError, match=f"^in.samples: .*{said}"):
            arrays.samples("in.samples", given)
        if isinstance(given, dict | str):
            return
        g = amp.Graph()
        g.input([0.5], name="in")
        before = g.to_dict()
        calls: tuple[Callable[[], object], ...] = (
            lambda: g.input(given),
            lambda: g.input(samples=given),
            lambda: g["in"].set(samples=given),
            lambda: g.replace("in", "input", samples=given),
        )
        for call in calls if not hasattr(given, "__next__") else ():
            with pytest.raises(amp.GraphError, match=rf"^in(put)?\.samples: .*{said}"):
                call()
        assert g.to_dict() == before

    @pytest.mark.parametrize(
        ("given", "scale", "want"),
        [
            (np.array([0, 16384, -32768, 32767], np.int16), "full", [0.0, 0.5, -1.0, 32767 / 32768]),
            (np.array([0, 16384], ">i2"), "full", [0.0, 0.5]),
            (np.array([-128, 64], np.int8), "full", [-1.0, 0.5]),
            (np.array([0, 128, 255], np.uint8), "full", [-1.0, 0.0, 127 / 128]),
            (np.array([-(2**31), 2**30], np.int32), "full", [-1.0, 0.5]),
            (np.array([2**22], np.int32), 2.0**-23, [0.5]),
            (np.array([3, -1]), 1, [3.0, -1.0]),
            ([1, 2], 0.5, [0.5, 1.0]),
            (np.array([0.25], np.float32), "full", [0.25]),
            ([0.25], 2.0, [0.5]),
            ([0.25], np.float32(-2.0), [-0.5]),
        ],
    )
    def test_scale_says_what_integers_mean(self, given: Any, scale: Any, want: list[float]) -> None:
        """``full``: the type's full scale is 1; a number: that many per step. It renders as those samples."""
        g = amp.Graph()
        g.output(g.input(given, scale=scale))
        assert g.render(frames=len(want), isolation="none").audio[0, 0].tolist() == want
        assert amp.samples(given, scale).tolist() == want

    @pytest.mark.parametrize(
        "scale", [0, np.nan, np.inf, True, "half", "1", 1j, [1.0], np.timedelta64(1, "s")]
    )
    def test_a_scale_that_is_none(self, scale: Any) -> None:
        """The error names the scale."""
        with pytest.raises(amp.GraphError, match=r"^input\.scale: no scale \(got .*Write scale='full'"):
            amp.Graph().input([1, 2], scale=scale)

    def test_wide_integers_have_no_full_scale(self) -> None:
        """A list of integers becomes int64, and would be nearly silent."""
        with pytest.raises(amp.GraphError, match=r"input\.scale: 'full' is not defined for int64.*1/32768"):
            amp.Graph().input([0, 16384], scale="full")

    def test_a_scale_belongs_to_an_array(self, tmp_path: Any) -> None:
        """A file has its own full scale; without samples there is nothing to scale."""
        with pytest.raises(amp.GraphError, match=r"input\.scale: belongs to an array.*a file"):
            amp.Graph().input(tmp_path / "a.wav", scale=2.0)
        with pytest.raises(amp.GraphError, match=r"input\.scale: belongs to an array.*no samples"):
            amp.Graph().input(scale=2.0)

    @pytest.mark.parametrize(
        "given",
        [
            TONE.tolist(),
            tuple(TONE),
            [0, 0.5, 1],
            list(TONE.reshape(2, 32)),
            [*TONE[:3], np.float32(0.25), 1],
            buffers.array("d", TONE),
            memoryview(TONE),
            TONE.astype(">f8"),
            TONE.astype(np.float32),
            TONE.astype(np.float16),
            TONE.astype(np.longdouble),
            np.asfortranarray(TONE.reshape(2, 32)),
            TONE[::-1],
        ],
    )
    def test_floating_point_of_every_width_and_order_is_taken(self, given: Any) -> None:
        """Values are those of `numpy.asarray` in float64; extended precision is rounded to the nearest."""
        g = amp.Graph()
        node = g.input(given)
        want = np.asarray(given).astype(np.float64)
        assert node.record.samples is not None
        assert np.array_equal(node.record.samples.reshape(want.shape), want)

    @pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="no wider float here")
    def test_extended_precision_beyond_float64_is_refused(self) -> None:
        """It would become infinite."""
        with pytest.raises(amp.GraphError, match=r"input\.samples: too large for float64"):
            amp.Graph().input(np.array([np.longdouble("1e4000")]))

    @pytest.mark.parametrize("shape", [(48000, 2), (1, 48000, 2), (500, 2), (100, 1)])
    def test_frames_before_channels_get_a_hint(self, shape: tuple[int, ...]) -> None:
        """(frame, channel) is refused; ``channels=`` permits this number of channels."""
        g = amp.Graph()
        with pytest.raises(amp.ShapeError, match=r"It looks like \(frame, channel\): use x\.T"):
            g.input(np.zeros(shape))
        with pytest.raises(amp.GraphError, match=r"channels: differs.*It looks like \(frame, channel\)"):
            g.input(np.zeros((48000, 2)), channels=2)
        assert len(g) == 0
        assert g.input(np.zeros((500, 2)), channels=500).params["channels"] == 500
        assert g.input(np.zeros((64, 2))).params["channels"] == 64
        assert g.from_json(g.to_json()).to_dict() == g.to_dict()


class TestFiles:
    """Samples in the JSON of a graph."""

    @staticmethod
    def read(samples: Any) -> amp.Graph:
        """Read a graph whose JSON has these samples."""
        g = amp.Graph()
        g.input([0.5], name="in")
        data = g.to_dict()
        data["nodes"]["in"]["samples"] = samples
        return amp.Graph.from_dict(data)

    def test_json_has_one_kind_of_number(self) -> None:
        """What another program wrote as 1 instead of 1.0 is the value 1."""
        bound = self.read([[[0, 1, -2.5]]])["in"].record.samples
        assert bound is not None
        assert bound.tolist() == [[[0.0, 1.0, -2.5]]]

    @pytest.mark.parametrize(
        ("samples", "said"),
        [
            ([[[0.5, True]]], "bool among them"),
            ([[[None]]], "NoneType among them"),
            ([[["1"]]], "text among them"),
            ("/etc/passwd", "belongs to an array"),
        ],
    )
    def test_anything_else_is_refused(self, samples: Any, said: str) -> None:
        """Text is no path here: files are named by ``source``, below the folders that may be read."""
        with pytest.raises(amp.FileError, match=rf"\$\.nodes\.in\.samples: .*{said}"):
            self.read(samples)


class TestParameters:
    """Parameters of every node type."""

    @pytest.mark.parametrize("type_id", catalog.types())
    def test_every_parameter_of_every_node(self, type_id: str) -> None:
        """Builders, `set` and sessions refuse what is no number or text; the graph is unchanged."""
        g = amp.Graph()
        node = g.add(type_id, name="node")
        before = g.to_dict()
        for param in catalog.contract(type_id).params:
            for name, (value, _) in STRANGE.items():
                if param.kind in ("text", "enum") and isinstance(value, str):
                    continue
                for call in (lambda v, k: g.add(type_id, **{k: v}), lambda v, k: node.set(**{k: v})):
                    with pytest.raises(AmpError, match=rf"\.{param.key}: ") as caught:
                        call(value, param.key)
                    assert "(got " in str(caught.value), name
        assert g.to_dict() == before

    def test_whole_numbers_are_numbers(self) -> None:
        """A parameter takes integers of any width, alone and in arrays."""
        g = amp.Graph()
        for value in (1, np.int8(1), np.array(1), np.ones((1, 1, 1), np.int16), [[[1]]]):
            assert float(np.ravel(g.gain(gain=value).params["gain"])[0]) == 1.0

    @pytest.mark.parametrize(("given", "said"), cases(STRANGE))
    def test_curves_and_batches(self, given: Any, said: str) -> None:
        """Times, values, points and numbers per batch."""
        if hasattr(given, "__next__"):
            return
        calls: tuple[Callable[[], object], ...] = (
            lambda: amp.Curve("c", given, [1.0]),
            lambda: amp.Curve("c", [1.0], given),
            lambda: amp.Curve.sampled("c", given, 10.0),
            lambda: amp.batch(given),
        )
        for call in calls:
            with pytest.raises(amp.GraphError, match=rf"^(curve 'c'\.\w+|batch): .*{said}"):
                call()

    def test_a_batch_is_one_number_each(self) -> None:
        """A table of two dimensions is not flattened silently."""
        with pytest.raises(amp.ShapeError, match=r"batch: wrong shape \(got \(2, 2\)"):
            amp.batch([[1.0, 2.0], [3.0, 4.0]])


TONES = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000)
PLAN = amp.presets.three_osc().compile().info
VALID: dict[str, Any] = {
    "audio": TONES,
    "f0_hz": 1000.0,
    "figure": Figure(),
    "found": amp.measure.ebu_r128(TONES, 48_000.0),
    "frames": 4096,
    "freq_hz": np.arange(64.0),
    "frequency_hz": 1000.0,
    "impulse_response": np.eye(1, 256)[0],
    "level_db": -np.abs(np.arange(64.0) - 30.0),
    "metrics": None,
    "name": "hann",
    "plan_info": PLAN,
    "reference": TONES,
    "response": TONES,
    "result": TONES,
    "sample_rate": 48_000.0,
    "stimulus": TONES,
    "system": lambda x: x,
    "trace": None,
    "where": "x",
    "x": TONES,
}
"""An argument that is right, for each that has no default."""
NO_NUMBERS: tuple[Any, ...] = (np.nan, np.inf, "1000", b"1", 1j, True, np.timedelta64(1, "s"), [1.0], {})
OPTIONAL = {"sample_rate", "stimulus"}
"""Arguments that are given although they have a default: other ways of calling need them."""
MODULES = (amp.measure, amp.analysis, amp.plots)


def public_functions() -> list[Any]:
    """Every function of the modules whose names a user types."""
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}": getattr(module, name)
        for module in MODULES
        for name in sorted(module.__all__)
    }
    return [pytest.param(f, id=name) for name, f in found.items() if inspect.isfunction(f)]


def arguments_of(function: Callable[..., Any], *kinds: str) -> list[str]:
    """Names of the arguments whose annotation is one of these types."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if set(re.findall(r"[\w.]+", str(p.annotation))) & set(kinds)]


def call(function: Callable[..., Any], **given: Any) -> object:
    """Call a function with one argument given and the others right."""
    parameters = inspect.signature(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty or p.name in OPTIONAL]
    return function(**{name: VALID[name] for name in needed if name not in given} | given)


class TestMeasures:
    """Measures, stimuli and pictures, found by the annotations of their arguments."""

    @pytest.mark.parametrize("function", public_functions())
    def test_signals(self, function: Callable[..., Any]) -> None:
        """Each array they take is real floating point."""
        signals = arguments_of(function, "npt.ArrayLike")
        for argument in signals + arguments_of(function, "FloatArray"):
            for name, (value, said) in (SAMPLES if argument in signals else STRANGE).items():
                if hasattr(value, "__next__"):
                    continue
                with pytest.raises(AmpError, match=said) as caught:
                    call(function, **{argument: value})
                assert "(got " in str(caught.value), (argument, name)

    @pytest.mark.parametrize("function", public_functions())
    def test_numbers(self, function: Callable[..., Any]) -> None:
        """Each number they take is a real finite one, whole where it counts something."""
        numbers, counts = arguments_of(function, "float"), arguments_of(function, "int")
        for argument in numbers + counts:
            for value in (*NO_NUMBERS, *((1.5,) if argument in counts else ())):
                with pytest.raises(AmpError, match=rf"\.?{argument}: .*\(got .*allowed "):
                    call(function, **{argument: value})

    @pytest.mark.parametrize("function", public_functions())
    def test_rates(self, function: Callable[..., Any]) -> None:
        """A sample rate is from 1 to 1e7 Hz, or in the range of the meter."""
        for argument in arguments_of(function, "float"):
            if argument == "sample_rate":
                for value in (0, 0.5, -48_000.0, 1.1e7):
                    with pytest.raises(AmpError, match=r"sample_rate: .*\(got .*allowed .* Hz"):
                        call(function, sample_rate=value)


@pytest.fixture(scope="module")
def session() -> Iterator[amp.Session]:
    """A session with two batches and an input of two channels."""
    g = amp.Graph()
    g.output(g.gain(g.input(channels=2, name="mic"), name="level"))
    with g.session(batches=2, isolation="none") as found:
        yield found


class TestSession:
    """What is pushed and set while a graph runs."""

    @pytest.mark.parametrize(("given", "said"), cases(SAMPLES))
    def test_pushes(self, session: amp.Session, given: Any, said: str) -> None:
        """A refused push appends nothing."""
        before = session.counters
        with pytest.raises(amp.GraphError, match=rf"^mic\.samples: .*{said}"):
            session.push("mic", given)
        assert session.counters == before

    @pytest.mark.parametrize(("given", "said"), cases(STRANGE))
    def test_parameters(self, session: amp.Session, given: Any, said: str) -> None:
        """A refused value changes nothing."""
        if not hasattr(given, "__next__"):
            with pytest.raises(amp.GraphError, match=rf"^level\.gain: .*{said}"):
                session.set("level", gain=given)

    @pytest.mark.parametrize(
        ("shape", "said"),
        [
            (
                (4, 2),
                r"got shape \(1, 4, 2\), allowed \(1 \| 2, 2, frames\).*It looks like \(frame, channel\)",
            ),
            ((3, 2, 4), r"allowed \(1 \| 2, 2, frames\).*runs batches=2"),
            ((4,), r"The input has 2 channels"),
        ],
    )
    def test_shapes(self, session: amp.Session, shape: tuple[int, ...], said: str) -> None:
        """Which sizes meet, and a hint at frames before channels."""
        with pytest.raises(amp.ShapeError, match=rf"^mic\.samples: does not fit the session.*{said}"):
            session.push("mic", np.zeros(shape))

    def test_scaled_pushes_play_as_floating_point(self) -> None:
        """int16 with ``scale="full"`` gives the bits of the same samples divided by 32768."""
        pcm = np.array([[0, 1, -32768, 32767]], np.int16)
        g = amp.Graph()
        g.output(g.input(name="mic"))
        with g.session(isolation="none") as s:
            s.push("mic", pcm, scale="full")
            assert s.pull(4)[0].tolist() == (pcm / 32768).tolist()

    def test_no_value_is_set_if_one_is_refused(self) -> None:
        """Types are checked before the first value is set."""
        g = amp.Graph()
        g.output(g.svf(g.constant(value=1.0), name="flt"))
        with g.session(isolation="none") as s, g.session(isolation="none") as other:
            with pytest.raises(amp.GraphError, match=r"flt\.q: not numbers \(got 1j, complex"):
                s.set("flt", cutoff_hz=50.0, q=1j)
            assert np.array_equal(s.pull(64), other.pull(64))


CLASSES = (amp.Graph, amp.Session, Node, amp.Curve, amp.ControlHistory, Tap, amp.Render, Pyramid)
MADE_INSIDE = {"Session.__init__", "Tap.__init__", "Render.__init__", "Pyramid.__init__"}
"""Calls that only the package makes."""
OTHERS: dict[str, dict[str, Any]] = {
    "Curve.__init__": {"name": "c"},
    "Curve.drawn": {"name": "c"},
    "Curve.sampled": {"name": "c"},
    "ControlHistory.sample": {"name": "c"},
    "Graph.connect": {"src": "a", "dst": "b"},
    "Graph.modulate": {"src": "a", "mode": "add"},
    "Pyramid.query": {"first": 0, "last": 8, "columns": 2},
    "Render.save": {"path": "never.wav"},
    "Session.control": {"curve": "c"},
    "Session.push": {"node": "a"},
    "Session.set": {"node": "b"},
    "Session.tap": {"node": "b"},
}
"""Further arguments that a method needs."""
RIGHT = {
    "times_s": [0.0],
    "values": [1.0],
    "samples": [1.0],
    "rate_hz": 1.0,
    "sample_rate": 48e3,
    "frames": 8,
}


def methods() -> list[Any]:
    """Every public method of the classes that takes numbers or arrays by name, and its arguments."""
    found = []
    for owner in CLASSES:
        for name in sorted(dir(owner)):
            function = inspect.getattr_static(owner, name)
            function = getattr(function, "__func__", function)
            key = f"{owner.__name__}.{name}"
            if (
                inspect.isfunction(function)
                and (name == "__init__" or name[0] != "_")
                and key not in MADE_INSIDE
            ):
                numbers = arguments_of(function, "float", "int")
                for argument in numbers + arguments_of(function, "npt.ArrayLike", "Samples"):
                    found.append(pytest.param(owner, name, argument, id=f"{key}({argument})"))
    return found


@pytest.fixture(scope="module")
def scene() -> Iterator[dict[type, Any]]:
    """One object of each class."""
    g = amp.Graph(name="g")
    a = g.input(np.zeros((1, 1, 64)), name="a")
    b = g.gain(a, name="b")
    g.output(b)
    history = amp.ControlHistory([amp.Curve("c", [0.0], [1.0])])
    with g.session(isolation="none", live=["a"]) as running:
        yield {
            amp.Graph: g,
            amp.Session: running,
            Node: b,
            amp.Curve: amp.Curve,
            amp.ControlHistory: history,
            Tap: running.output,
            amp.Render: g.render(frames=8, isolation="none"),
            Pyramid: Pyramid.build(TONE),
        }


class TestMethods:
    """Methods of graphs, sessions, curves and renders, found by the annotations of their arguments."""

    @pytest.mark.parametrize(("owner", "name", "argument"), methods())
    def test_numbers_and_arrays(self, scene: dict[type, Any], owner: type, name: str, argument: str) -> None:
        """What is no number is refused by the place, and nothing has changed."""
        g = scene[amp.Graph]
        function = owner if name == "__init__" else getattr(scene[owner], name)
        parameter = inspect.signature(function).parameters[argument]
        others = OTHERS.get(f"{owner.__name__}.{name}", {}) | (
            {"param": g["b"].gain} if name == "modulate" else {}
        )
        needed = {n: v for n, v in RIGHT.items() if n in inspect.signature(function).parameters}
        is_array = not set(arguments_of(function, "float", "int")) & {argument} or "Iterable" in str(
            parameter.annotation
        )
        values = [v for v, _ in STRANGE.values()] if is_array else [*NO_NUMBERS]
        before = g.to_dict()
        for value in values:
            if hasattr(value, "__next__"):
                continue
            key = "gain" if parameter.kind is parameter.VAR_KEYWORD else argument
            given = needed | others | {key: value}
            if argument == "seconds":
                del given["frames"]
            with pytest.raises(AmpError) as caught:
                function(**given)
            assert "(got " in str(caught.value), value
        assert g.to_dict() == before


class TestBatches:
    """Which sizes of batches meet."""

    @staticmethod
    def graph(first: int, second: int) -> amp.Graph:
        """Samples and a gain with this number of batches."""
        g = amp.Graph(name="g")
        source = g.input(np.ones((first, 1, 8)), name="in")
        g.output(g.gain(source, gain=np.ones((second, 1, 1)), name="level"))
        return g

    @pytest.mark.parametrize(
        ("sizes", "batches", "said"),
        [
            ((2, 1), 1, r"got batches=1, in\.samples has 2; allowed 1\)\. Write batches=2\."),
            ((3, 3), 2, r"in\.samples has 3, level\.gain has 3; allowed 1 or 2\)\. Write batches=3\."),
            (
                (2, 3),
                3,
                r"in\.samples has 2, level\.gain has 3; .* Give each of them 1 batch, or one number\.",
            ),
        ],
    )
    def test_a_mismatch_names_every_array(self, sizes: tuple[int, int], batches: int, said: str) -> None:
        """Renders and sessions report which value has how many batches, and the batches to use."""
        g = self.graph(*sizes)
        for call in (lambda: g.render(frames=8, batches=batches), lambda: g.session(batches=batches)):
            with pytest.raises(
                amp.ShapeError, match=rf"g\.(render|session)\.batches: sizes do not fit.*{said}"
            ):
                call()

    def test_tokens_and_matrices_count(self) -> None:
        """Initial tokens of edges have batches too; many places are cut short."""
        g = amp.Graph(name="g")
        a = g.constant(value=1.0, name="a")
        total = g.mix(name="total")
        for i in range(12):
            g.connect(a, total, slot=i, delay_frames=1, tokens=np.ones((2, 1, 1)))
        g.output(g.matrix_mix(total, matrix=np.ones((3, 1, 1)), name="m"))
        with pytest.raises(amp.ShapeError, match=r"m\.matrix has 3, total\.in\[0\]\.tokens has 2.*, 5 more;"):
            g.render(frames=4, batches=3)

    def test_sizes_that_meet_render(self) -> None:
        """1 meets everything; a pushed input's own samples do not count."""
        assert self.graph(1, 3).render(frames=8, batches=3, isolation="none").audio.shape == (3, 1, 8)
        with self.graph(2, 1).session(batches=3, live=["in"], isolation="none") as s:
            s.push("in", np.ones((3, 1, 4)))
            assert s.pull(4).shape == (3, 1, 4)


class TestRates:
    """Sample rates, frequencies and lengths outside measures."""

    RATES = (0, 0.5, -48e3, 1.1e7, 1e300, np.nan, np.inf, -np.inf, "48k", None, True, 1j, [48e3], b"4")

    @pytest.mark.parametrize("rate", RATES)
    def test_rates_from_1_to_1e7(self, rate: Any) -> None:
        """Graphs and sampled curves report place, value, range and cure."""
        said = r"\.sample_rate: .*\(got .*allowed 1 to 10000000 Hz\)\. Give"
        with pytest.raises(amp.GraphError, match=r"^Graph" + said):
            amp.Graph(sample_rate=rate)
        history = amp.ControlHistory([amp.Curve("c", [0.0], [1.0])])
        with pytest.raises(amp.GraphError, match=r"^sample" + said):
            history.sample("c", rate, 8)

    @pytest.mark.parametrize("rate", [1, 1e7, np.float32(44100), np.int64(8000)])
    def test_rates_that_are_taken(self, rate: Any) -> None:
        """Both ends, and numbers of NumPy."""
        assert amp.Graph(sample_rate=rate).sample_rate == float(rate)

    @pytest.mark.parametrize("given", [-1, 1.5, "8", None, True, np.timedelta64(8, "s"), [8]])
    def test_lengths(self, given: Any) -> None:
        """Frames are whole numbers from 0 up."""
        g = amp.Graph()
        g.output(g.constant(value=1.0))
        history = amp.ControlHistory([amp.Curve("c", [0.0], [1.0])])
        with pytest.raises(amp.GraphError, match=r"sample\.frames: not allowed \(got .* Give an int"):
            history.sample("c", 48e3, given)
        if given is not None:
            with pytest.raises(amp.GraphError, match=r"graph\.render\.frames: not allowed \(got"):
                g.render(frames=given)
        for seconds in (np.timedelta64(1, "s"), "1", True, np.nan):
            with pytest.raises(amp.GraphError, match=r"graph\.render\.seconds: not a number \(got"):
                g.render(seconds=seconds)


class TestSignalsElsewhere:
    """What takes signals without saying so in an annotation."""

    @pytest.mark.parametrize(("given", "said"), cases(SAMPLES))
    def test_comparisons_and_systems(self, given: Any, said: str) -> None:
        """Golden comparisons take either side, measures take a system's response; both are checked."""
        calls: tuple[Callable[[], object], ...] = (
            lambda: amp.golden.compare(given, TONE),
            lambda: amp.golden.compare(TONE, given),
            lambda: amp.measure.response(lambda x: given, TONE),
        )
        for call_ in calls if not hasattr(given, "__next__") else ():
            with pytest.raises(AmpError, match=said):
                call_()

    @pytest.mark.parametrize("name", ["int16", "analytic signal", "masked", "records", "bools", "objects"])
    def test_views_of_arrays(self, name: str) -> None:
        """Widgets that show arrays refuse values that they would have to convert with loss."""
        given, said = SAMPLES[name]
        for view in (amp.widgets.Scope, amp.widgets.Spectrum):
            with pytest.raises(AmpError, match=rf"^{view.__name__.lower()}: .*{said}"):
                view(given)

    def test_a_view_of_frames_before_channels(self) -> None:
        """48000 lanes would be shown otherwise."""
        with pytest.raises(amp.ShapeError, match=r"^scope: .*It looks like \(frame, channel\)"):
            amp.widgets.Scope(np.zeros((48_000, 2)))


GOOD = st.fixed_dictionaries(
    {},
    optional={
        "cutoff_hz": st.sampled_from([50.0, 200, np.float32(99.0), np.full((1, 1, 4), 80.0), amp.curve("c")]),
        "q": st.sampled_from([0.5, 3, np.int8(2), [[[1.0, 2.0]]]]),
        "mode": st.sampled_from(["lowpass", "bandpass"]),
    },
)
BAD = st.tuples(
    st.sampled_from(["cutoff_hz", "q", "mode", "name", "thermo"]),
    st.sampled_from([value for name, (value, _) in STRANGE.items() if name != "generator"] + [np.nan, -1e9]),
)


class TestNothingIsHalfDone:
    """A refused call does not change the graph, whatever its other arguments."""

    @given(good=GOOD, bad=BAD, first=st.booleans())
    @settings(max_examples=150, deadline=None)
    def test_graphs(self, good: dict[str, Any], bad: tuple[str, Any], first: bool) -> None:
        """Adding, setting, replacing and whole transactions, with the wrong argument first or last."""
        key, value = bad
        rest = {name: right for name, right in good.items() if name != key}
        given_ = {key: value} | rest if first else rest | {key: value}
        g = amp.Graph()
        source = g.constant(value=1.0)
        node = g.svf(source, name="flt")
        events: list[object] = []
        before, blob = g.to_dict(), g.compile().descriptor_blob
        g.observe(events.append)
        params = {name: v for name, v in given_.items() if name not in ("name", "thermo")}
        calls: list[Callable[[], object]] = [lambda: g.svf(source, **given_)]
        if key in params:
            calls += [lambda: node.set(**params), lambda: g.replace("flt", "svf", **params)]
        for call_ in calls:
            with pytest.raises((AmpError, TypeError)):
                call_()
        assert (g.to_dict(), events, len(g)) == (before, [], 2)
        assert g.compile().descriptor_blob == blob
