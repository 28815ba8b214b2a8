"""The golden tool, tested by constructing each failure it must name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amp_lab.errors import FileError, GraphError
from amp_lab.golden import (
    BLOCK_FRAMES,
    GoldenError,
    GoldenMismatch,
    check,
    codec,
    compare,
    find,
    isa,
    list_cases,
    replay,
    store,
    update,
    usage,
    verdicts,
    verify,
    verify_isa_levels,
)
from amp_lab.golden.cases import digest_of
from amp_lab.golden.divergence import Streams, fingerprints, locate, streams_of

RATE = 48_000.0
Samples = npt.NDArray[np.float64]


def edge(src: str, dst: str, delay: int = 0) -> dict[str, Any]:
    return {"src": src, "dst": dst, "delay_frames": delay}


def fake(
    taps: Mapping[str, Samples], edges: list[dict[str, Any]], output: str, loop: tuple[str, ...] = ()
) -> SimpleNamespace:
    """A render with what goldens use of one; `taps` is in data order, `loop` names the nodes of a cycle."""
    audio = taps[output]
    nodes = [{"name": name, "component": 0 if name in loop else -1} for name in taps]
    return SimpleNamespace(
        audio=audio,
        taps=dict(taps),
        plan=SimpleNamespace(info={"nodes": nodes, "edges": edges, "output": output}),
        provenance={"amp_lab": "0.1.0", "build": "test", "isa": "v2"},
        sample_rate=RATE,
        digest=digest_of(audio),
    )


def signal(seed: int = 0, shape: tuple[int, ...] = (1, 2, 10_000)) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape)


CHAIN = [edge("osc", "flt"), edge("flt", "out")]


def chain(fault: str = "", frame: int = 9000, scale: float = 1.0 + 1e-12) -> SimpleNamespace:
    """Return osc -> flt -> out; from `frame` on, `fault` and all after it are scaled."""
    gain = np.ones(10_000)
    gain[frame:] = scale
    osc = signal()
    factor = {
        name: gain if fault and names.index(fault) <= i else 1.0
        for names in [["osc", "flt", "out"]]
        for i, name in enumerate(names)
    }
    return fake(
        {"osc": osc * factor["osc"], "flt": osc * 0.5 * factor["flt"], "out": osc * 0.25 * factor["out"]},
        CHAIN,
        "out",
    )


class Saved:
    """Replaces a graph without curves, and curves: it only returns a text."""

    controls = None

    def to_json(self) -> str:
        return "{}\n"

    def __iter__(self) -> Iterator[Any]:
        return iter(())  # it has no nodes that play files


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An engine that returns `engine.render`, or `engine.in_blocks` if a block size is given."""
    state = SimpleNamespace(render=chain(), in_blocks=None)

    def render(
        stored: Any, *, frames: int, batches: int, taps: bool = False, block_frames: int | None = None
    ) -> Any:
        assert stored.graph_text == Saved().to_json()
        return state.in_blocks if block_frames and state.in_blocks else state.render

    monkeypatch.setattr(replay, "render", render)
    return state


@pytest.fixture
def goldens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "goldens"
    folder.mkdir()
    monkeypatch.setenv("AMP_GOLDENS", str(folder))
    return folder


@pytest.fixture
def case(goldens: Path, engine: SimpleNamespace) -> Path:
    """The stored case `chain`."""
    return store("chain", engine.render, reason="first", graph=Saved(), blessed_by="test").folder


# --- comparators ----------------------------------------------------------------------------------


def test_pass_is_one_stable_line() -> None:
    """Equal arrays pass; the line gives comparator, frames and channels, and batches if there are several."""
    x = signal()
    assert repr(compare(x, x.copy())) == str(compare(x, x)) == "PASS exact 10000 frames x 2 channels"
    y = signal(shape=(3, 1, 8))
    assert repr(compare(y, y)) == "PASS exact 8 frames x 1 channel x 3 batches"
    assert repr(compare(y[0, :, :1], y[0, :, :1])) == "PASS exact 1 frame x 1 channel"


def test_exact_finds_the_first_frame_batch_and_channel() -> None:
    """One bit is enough, and the failure text gives place, expected, actual, difference and tolerance."""
    x = signal(shape=(2, 2, 9001))
    y = x.copy()
    y[1, 0, 9000] = np.nextafter(x[1, 0, 9000], 1.0)
    y[0, 1, 8999] = np.nextafter(x[0, 1, 8999], 1.0)
    verdict = compare(y, x)
    assert repr(verdict) == "FAIL exact at block 2, frame 8999, batch 0, channel 1"
    want, got = float(x[0, 1, 8999]), float(y[0, 1, 8999])
    assert str(verdict).splitlines()[1:] == [
        f"  expected   {want!r}",
        f"  actual     {got!r}",
        f"  difference {got - want!r}",
        "  tolerance  0 (every bit)",
    ]


def test_exact_tells_the_signs_of_zero_apart() -> None:
    """Exact compares bits, not values."""
    assert not compare(np.array([-0.0]), np.array([0.0]))


def test_max_abs_tolerance_is_the_larger_of_absolute_and_relative() -> None:
    """|difference| may reach max(abs_tol, rel_tol * |expected|) and not more."""
    reference = np.array([0.0, 1000.0])
    rule = {"comparator": "max_abs", "reason": "test", "abs_tol": 1e-3, "rel_tol": 1e-5}
    assert compare(np.add(reference, [0.0009, 0.009]), reference, **rule)  # type: ignore[arg-type]
    assert compare(np.add(reference, [0.0011, 0.0]), reference, **rule).mismatch.frame == 0  # type: ignore[arg-type, union-attr]
    assert compare(np.add(reference, [0.0, 0.011]), reference, **rule).mismatch.frame == 1  # type: ignore[arg-type, union-attr]


def test_snr_db_measures_signal_over_difference() -> None:
    """A difference of a thousandth is 60 dB down."""
    x = signal()
    assert compare(x * 1.001, x, comparator="snr_db", reason="test", limit_db=59.9)
    verdict = compare(x * 1.001, x, comparator="snr_db", reason="test", limit_db=60.1)
    assert not verdict
    assert verdict.measured == pytest.approx(60.0, abs=1e-6)


def test_rms_db_measures_level() -> None:
    """Doubling is 6.02 dB; two silences are equal; silence against sound is not."""
    x = signal()
    assert compare(2 * x, x, comparator="rms_db", reason="test", limit_db=6.1)
    assert not compare(2 * x, x, comparator="rms_db", reason="test", limit_db=6.0)
    assert compare(0 * x, 0 * x, comparator="rms_db", reason="test", limit_db=0.1)
    assert not compare(0 * x, x, comparator="rms_db", reason="test", limit_db=100.0)


def test_spectral_db_names_the_band() -> None:
    """A tone made 3 dB louder fails in its own third octave, which the failure names."""
    t = np.arange(48_000) / RATE
    low, high = np.sin(2 * np.pi * 100 * t), np.sin(2 * np.pi * 5000 * t)
    rule = {"comparator": "spectral_db", "reason": "test", "sample_rate": RATE}
    assert compare(low + high, low + high, limit_db=0.01, **rule)  # type: ignore[arg-type]
    verdict = compare(low + high * 10 ** (3 / 20), low + high, limit_db=2.0, **rule)  # type: ignore[arg-type]
    assert "in the 5011.9 Hz third octave" in str(verdict)
    assert verdict.measured == pytest.approx(3.0, abs=0.01)


def test_lag_frames_finds_a_shift() -> None:
    """A result seven frames late lags by seven, an early one by minus seven."""
    x = signal(shape=(1, 1, 1000))
    rule = {"comparator": "lag_frames", "reason": "test"}
    late, early = np.roll(x, 7, axis=-1), np.roll(x, -7, axis=-1)
    assert compare(late, x, limit_frames=7, **rule)  # type: ignore[arg-type]
    assert "lag of 7 frames" in str(compare(late, x, limit_frames=6, **rule))  # type: ignore[arg-type]
    assert "lag of -7 frames" in str(compare(early, x, limit_frames=6, **rule))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("result", "rate", "what"),
    [
        (np.zeros((1, 2, 9)), RATE, "shape: frames"),
        (np.zeros((1, 1, 10)), RATE, "shape: channels"),
        (np.zeros((2, 2, 10)), RATE, "shape: batches"),
        (np.zeros((1, 2, 10)), 44_100.0, "sample rate: sample rates"),
    ],
)
def test_incomparable_results_fail(result: Samples, rate: float, what: str) -> None:
    """Another shape or sample rate is a failure that names it."""
    verdict = compare(result, np.zeros((1, 2, 10)), sample_rate=rate, reference_sample_rate=RATE)
    kind, named = what.split(": ")
    assert repr(verdict) == f"FAIL exact at {kind}"
    assert f"difference {named} differ" in str(verdict)


def test_nothing_compared_is_a_failure() -> None:
    """Zero frames never pass."""
    assert not compare(np.zeros((1, 2, 0)), np.zeros((1, 2, 0)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_values_fail_even_if_equal(bad: float) -> None:
    """NaN or Inf on either side fails with its place, with every comparator."""
    x = np.zeros((1, 2, 10))
    y = x.copy()
    y[0, 1, 4] = bad
    for result, reference in ((y, x), (x, y), (y, y)):
        verdict = compare(result, reference, comparator="max_abs", abs_tol=1.0, reason="test")
        assert verdict.mismatch is not None
        assert (verdict.mismatch.what, verdict.mismatch.frame, verdict.mismatch.channel) == (
            "non-finite",
            4,
            1,
        )


def test_a_tolerance_needs_a_reason() -> None:
    """Every comparator but `exact` is refused without one."""
    with pytest.raises(GoldenError, match="no reason for the tolerance"):
        compare(np.zeros(3), np.zeros(3), comparator="max_abs", abs_tol=1.0)


def test_wrong_limits_are_refused() -> None:
    """Unknown comparators and limits, missing and negative limits: each has its own error."""
    x = np.zeros(3)
    with pytest.raises(GoldenError, match=r"allowed exact \| max_abs \| rms_db"):
        compare(x, x, comparator="close")
    with pytest.raises(TypeError, match=r"snr_db: no such limit .*allowed limit_db"):
        compare(x, x, comparator="snr_db", reason="test", abs_tol=1.0)
    with pytest.raises(GoldenError, match="limit missing"):
        compare(x, x, comparator="snr_db", reason="test")
    with pytest.raises(GoldenError, match="out of range"):
        compare(x, x, comparator="max_abs", reason="test", abs_tol=-1.0)
    with pytest.raises(GoldenError, match="sample rate"):
        compare(x, x, comparator="spectral_db", reason="test", limit_db=1.0)


# --- divergence -----------------------------------------------------------------------------------


def located(result: SimpleNamespace, reference: SimpleNamespace) -> tuple[str, int, int] | None:
    got, want = (streams_of(r.audio, r.taps, r.plan.info) for r in (result, reference))
    found = locate(got, want, result.plan.info)
    return found and (found.node, found.first_frame, found.last_frame)


@pytest.mark.parametrize("fault", ["osc", "flt", "out"])
def test_first_differing_node_of_a_chain(fault: str) -> None:
    """All nodes after the fault differ; the one named is where it starts."""
    assert located(chain(fault), chain()) == (fault, 2 * BLOCK_FRAMES, 3 * BLOCK_FRAMES - 1)


def test_equal_renders_do_not_part() -> None:
    """No node is named if none differs."""
    assert located(chain(), chain()) is None


def loop(fault: str, frame: int) -> SimpleNamespace:
    """A one-frame loop a -> b -> c -> (1 frame) -> a whose nodes part, in data order, after `fault`."""
    names = ["a", "b", "c"]
    taps = {"in": signal(7)}
    for i, name in enumerate(names):
        late = int(bool(fault) and i < names.index(fault))
        taps[name] = signal(i)
        if fault:
            taps[name][..., frame + late :] += 1e-9
    edges = [edge("in", "a"), edge("a", "b"), edge("b", "c"), edge("c", "a", 1)]
    return fake(taps, edges, "c", ("a", "b", "c"))


@pytest.mark.parametrize("fault", ["a", "b", "c"])
def test_fault_inside_a_one_frame_loop(fault: str) -> None:
    """All nodes of a loop part within one block; frame fingerprints still find the node and its frame."""
    assert located(loop(fault, 5000), loop("", 0)) == (fault, 5000, 5000)


def test_a_later_block_does_not_distract() -> None:
    """A node early in data order that differs later, through a long delay, is not named as the cause."""
    delay = BLOCK_FRAMES + 1
    edges = [edge("late", "early", delay)]
    reference = fake({"early": signal(1), "late": signal(2)}, edges, "early")
    taps = {name: x.copy() for name, x in reference.taps.items()}
    taps["late"][..., 100:] += 1e-9
    taps["early"][..., 100 + delay :] += 1e-9
    assert located(fake(taps, edges, "early"), reference) == ("late", 0, BLOCK_FRAMES - 1)


def test_streams_of_one_node_with_two_outputs() -> None:
    """A stream `env.reset` belongs to the node `env`."""
    taps = {"env": signal(1), "env.reset": signal(2)}
    reference = fake(taps, [], "env")
    reference.plan.info["nodes"] = [{"name": "env", "component": -1}]
    changed = fake({**taps, "env.reset": signal(3)}, [], "env")
    changed.plan.info["nodes"] = [{"name": "env", "component": -1}]
    found = located(changed, reference)
    assert found is not None and found[0] == "env"


def test_sums_read_back() -> None:
    """`sums.txt` has a row per block and reads back as it was written."""
    render = loop("", 0)
    streams = streams_of(render.audio, render.taps, render.plan.info)
    text = streams.to_text()
    assert text.splitlines()[1].split("\t") == ["block", "frame", "audio", "rms", "peak", "in", "a", "b", "c"]
    assert [row[:2] for row in streams.rows] == [("0", "0"), ("1", "4096"), ("2", "8192")]
    assert Streams.from_text(text, streams.loops).to_text() == text
    with pytest.raises(FileError, match="unreadable"):
        Streams.from_text(text.replace("sums 1", "sums 9"), {})


def test_only_loops_are_fingerprinted() -> None:
    """Nodes that feed a loop have digests only; fingerprints cost two bytes per frame."""
    render = loop("", 0)
    assert sorted(streams_of(render.audio, render.taps, render.plan.info).loops) == ["a", "b", "c"]


def test_fault_in_the_output_node() -> None:
    """The output node has no tap: if all taps agree and the audio does not, it starts there."""
    reference, changed = chain(), chain("out")
    for render in (reference, changed):
        del render.taps["out"]
    assert located(changed, reference) == ("out", 2 * BLOCK_FRAMES, 3 * BLOCK_FRAMES - 1)


def test_fingerprint_sees_every_bit() -> None:
    """Flipping any single bit of any channel changes the fingerprint of that frame and of no other."""
    x = signal(shape=(2, 2, 64))
    before = fingerprints(x)
    for i in range(64):
        y = x.copy()
        y.view(np.uint64)[1, 0, i] ^= np.uint64(1 << i)
        assert np.flatnonzero(fingerprints(y) != before).tolist() == [i]


# --- storage --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(width=64), min_size=1, max_size=60), st.integers(1, 3))
def test_codec_keeps_every_bit(values: list[float], channels: int) -> None:
    """Any float64, signs of zero, NaN payloads and denormals included, is restored to the bit."""
    samples = np.array([values] * channels)[None]
    data = codec.encode("x", samples, {"a": np.arange(len(values), dtype=np.uint16)})
    again, loops = codec.decode("x", data)
    assert again.tobytes() == samples.tobytes() and again.shape == samples.shape
    assert loops["a"].tolist() == list(range(len(values)))


def test_codec_is_compact(tmp_path: Path) -> None:
    """A tone takes less than 0.7 of what plain compression takes, and equal input gives equal files."""
    samples = np.sin(np.arange(48_000) * 0.05)[None, None]
    data = codec.encode("a", samples, {})
    assert data == codec.encode("b", samples, {})
    np.savez_compressed(tmp_path / "plain.npz", samples)
    assert len(data) < 0.7 * (tmp_path / "plain.npz").stat().st_size


def test_stored_case_is_complete(case: Path) -> None:
    """A case holds graph, reference, sums and a manifest: who blessed it, why, and how it is compared."""
    assert sorted(p.name for p in case.iterdir()) == [
        "graph.json",
        "manifest.json",
        "reference.npz",
        "sums.txt",
    ]
    manifest = json.loads((case / "manifest.json").read_text())
    assert manifest["blessed"]["by"] == "test" and manifest["blessed"]["reason"] == "first"
    assert manifest["comparator"]["name"] == "exact"
    assert manifest["render"] == {"frames": 10_000, "batches": 1, "channels": 2, "sample_rate": RATE}
    assert sorted(p.name for p in case.parent.iterdir()) == [".gitattributes", "chain"]


def test_store_refuses_what_is_no_reference(goldens: Path, engine: SimpleNamespace) -> None:
    """Without reason or name, empty, not finite, or not what its graph gives: nothing is written."""
    good = engine.render
    with pytest.raises(GoldenError, match="no reason"):
        store("x", good, reason=" ", graph=Saved())
    with pytest.raises(GoldenError, match="not usable as a folder"):
        store("../x", good, reason="r", graph=Saved())
    with pytest.raises(GoldenError, match="0 samples"):
        store("x", fake({"out": np.zeros((1, 1, 0))}, [], "out"), reason="r", graph=Saved())
    with pytest.raises(GoldenError, match="not finite"):
        store("x", fake({"out": np.full((1, 1, 4), np.nan)}, [], "out"), reason="r", graph=Saved())
    with pytest.raises(GoldenError, match="do not reproduce"):
        store("x", chain("osc"), reason="r", graph=Saved())
    assert list(goldens.iterdir()) == []


# --- check, verify, update ------------------------------------------------------------------------


def test_check_passes(case: Path, engine: SimpleNamespace) -> None:
    """The verdict of an equal render is the line notebooks print."""
    assert repr(check("chain", engine.render)) == "chain: PASS exact 10000 frames x 2 channels"


@pytest.mark.parametrize("tapped", [True, False])
def test_check_names_block_frame_channel_and_node(case: Path, engine: SimpleNamespace, tapped: bool) -> None:
    """A changed engine: the node comes from the taps of the render, or from the stored graph."""
    engine.render = chain("flt")
    render = chain("flt")
    if not tapped:
        render.taps = {}
    verdict = check("chain", render)
    assert repr(verdict) == "chain: FAIL exact at block 2, frame 9000, batch 0, channel 0, node flt"
    assert "node       flt: its inputs agree, its output does not" in str(verdict)


def test_check_of_another_graph_says_so(case: Path) -> None:
    """If the stored graph still renders to its reference, the engine is not the cause."""
    render = chain("flt")
    render.taps = {}
    assert "the graph of an array is not known" in str(check("chain", render))


def test_check_of_a_graph_that_no_longer_renders(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference is reported all the same, with the reason why it could not be traced to a node."""

    def broken(stored: Any, **options: Any) -> Any:
        raise GraphError("flt: no such type")

    monkeypatch.setattr(replay, "render", broken)
    render = chain("flt")
    render.taps = {}
    text = str(check("chain", render))
    assert "FAIL exact at block 2, frame 9000" in text
    assert "the stored graph does not render: flt: no such type" in text


def test_missing_reference_fails(case: Path) -> None:
    """An unknown case fails with the nearest name; so does one without its reference file."""
    verdict = check("chian", chain())
    assert repr(verdict) == "chian: ERROR missing"
    assert "Did you mean 'chain'?" in str(verdict)
    (case / "reference.npz").unlink()
    assert "expected   reference.npz" in str(check("chain", chain()))
    with pytest.raises(GoldenMismatch, match=r"reference\.npz"):
        verify()


@pytest.mark.parametrize("file", ["graph.json", "controls.json", "reference.npz", "sums.txt"])
def test_a_file_changed_after_it_was_blessed_fails(goldens: Path, engine: SimpleNamespace, file: str) -> None:
    """Each file is compared with its digest by `check` and `verify` before it is read."""
    case = store("chain", engine.render, reason="first", graph=Saved(), controls=Saved())
    assert check("chain", engine.render) and verify()
    with (case.folder / file).open("ab") as stream:
        stream.write(b" ")
    for verdict in (check("chain", engine.render), *verdicts()):
        assert repr(verdict) == "chain: ERROR damaged"
        assert f"file {file} was changed after it was blessed" in str(verdict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "not JSON (Expecting property name"),
        (b"\xff", "not a text file (byte 0"),
        (b"[]", "unknown schema (got None"),
        (b'{"schema": 2}', "$.digest: damaged (got None"),
        (b'{"schema": 2, "digest": ""}', "$.digest: damaged (got '', allowed 64 hexadecimal digits"),
        (b'{"schema": 2, "digest": "%s"}' % (64 * b"0"), "$.render: damaged (got None as render"),
    ],
)
def test_a_damaged_manifest_fails(case: Path, text: bytes, said: str) -> None:
    """A file that is no manifest is named by `check` and `verify`, without a raw error."""
    (case / "manifest.json").write_bytes(text)
    for verdict in (check("chain", chain()), *verdicts()):
        assert repr(verdict) == "chain: ERROR damaged"
        assert f"chain/manifest.json: {said}" in str(verdict)


def test_a_removed_or_added_file_fails(goldens: Path, engine: SimpleNamespace) -> None:
    """Missing curves fail, and `verify` accepts no file in the folder that was not approved."""
    case = store("chain", engine.render, reason="first", graph=Saved(), controls=Saved())
    (case.folder / "notes.txt").touch()
    assert "actual     notes.txt" in str(verdicts()[0])
    (case.folder / "notes.txt").unlink()
    (case.folder / "controls.json").unlink()
    assert "file controls.json was removed after it was blessed" in str(verdicts()[0])


def test_store_keeps_what_is_there(case: Path, engine: SimpleNamespace) -> None:
    """A case of that name is replaced only on request; otherwise the error names `update`."""
    before = (case / "manifest.json").read_bytes()
    with pytest.raises(GoldenError, match=r"the case exists .* golden\.update"):
        store("chain", engine.render, reason="second", graph=Saved())
    assert (case / "manifest.json").read_bytes() == before
    store("chain", engine.render, reason="second", graph=Saved(), overwrite=True)
    assert list_cases()[0].manifest()["blessed"]["reason"] == "second"


def test_verify_covers_layouts(case: Path, engine: SimpleNamespace) -> None:
    """Each layout has its verdict; one that gives other bits fails under its own name."""
    assert [v.layout for v in verify()] == ["", "block_frames 64"]
    layouts = ["", "block_frames 64", "block_frames 1000", "block_frames 10000"]
    assert [v.layout for v in verify(matrix="full")] == layouts
    engine.in_blocks = chain("out", frame=64)
    with pytest.raises(GoldenMismatch) as caught:
        verify("chain")
    assert [bool(v) for v in caught.value.verdicts] == [True, False]
    assert "chain: FAIL exact at block 0, frame 64, batch 0, channel 0 (block_frames 64)" in str(caught.value)


def test_verify_sees_a_node_the_output_hides(case: Path, engine: SimpleNamespace) -> None:
    """Under `exact` every node stream counts, not only the output."""
    taps = {name: x.copy() for name, x in engine.render.taps.items()}
    taps["flt"][..., 5000] += 1e-9
    engine.render = fake(taps, CHAIN, "out")
    assert repr(verdicts()[0]) == "chain: FAIL exact at block 1, frame 4096, node flt"


def test_verify_with_a_tolerance(goldens: Path, engine: SimpleNamespace) -> None:
    """A case with its own comparator passes within it and carries the reason into the failure."""
    rule = {"comparator": "max_abs", "comparator_reason": "made of a foreign file", "abs_tol": 1e-6}
    store("soft", engine.render, reason="first", graph=Saved(), **rule)  # type: ignore[arg-type]
    engine.render = chain("flt", scale=1 + 1e-7)
    assert repr(verify("soft")[0]) == "soft: PASS max_abs 10000 frames x 2 channels"
    engine.render = chain("flt", scale=1 + 1e-3)
    assert "reason     made of a foreign file" in str(verdicts("soft")[0])


def test_verify_of_nothing_is_an_error(goldens: Path) -> None:
    """No case, or an unknown matrix, is never a pass."""
    with pytest.raises(GoldenMismatch, match="no case to verify"):
        verify()
    with pytest.raises(GoldenMismatch, match="no such matrix"):
        verify(matrix="all")  # type: ignore[arg-type]


def test_a_case_that_does_not_render_is_a_verdict(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing render is a failure of its case, with its own message."""

    def broken(stored: Any, **options: Any) -> Any:
        raise RuntimeError("no such node type")

    monkeypatch.setattr(replay, "render", broken)
    assert "note       RuntimeError: no such node type" in str(verdicts()[0])


def test_update_needs_a_reason_and_then_blesses(case: Path, engine: SimpleNamespace) -> None:
    """Without a reason nothing changes; with one the new render is the reference and the reason is kept."""
    engine.render = chain("flt")
    before = (case / "manifest.json").read_bytes()
    with pytest.raises(GoldenError, match="no reason"):
        update("chain", reason="")
    assert (case / "manifest.json").read_bytes() == before
    update("chain", reason="new filter", blessed_by="test")
    assert verify()[0].passed
    assert list_cases()[0].manifest()["blessed"]["reason"] == "new filter"


def test_folder_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument, AMP_GOLDENS, pyproject.toml, a folder upward; the error lists all that was tried."""
    work = tmp_path / "a" / "b"
    names = ("argument", "variable", "configured")
    for folder in (work, tmp_path / "a" / "goldens", *(tmp_path / name for name in names)):
        folder.mkdir(parents=True)
    monkeypatch.delenv("AMP_GOLDENS", raising=False)
    assert find(start=work) == tmp_path / "a" / "goldens"
    (tmp_path / "pyproject.toml").write_text('[tool.amp_lab]\ngoldens = "configured"\n')
    assert find(start=work) == tmp_path / "configured"
    monkeypatch.setenv("AMP_GOLDENS", str(tmp_path / "variable"))
    assert find(start=work) == tmp_path / "variable"
    assert find(tmp_path / "argument", start=work) == tmp_path / "argument"
    with pytest.raises(GoldenError, match="goldens= argument: "):
        find(tmp_path / "absent", start=work)


def test_checks_are_recorded_for_every_session_that_asks(case: Path) -> None:
    """A check notes its case in the files of all sessions around it, and in none when no session asks."""
    check("chain", chain())
    with usage.collected() as outer:
        with usage.collected() as inner:
            assert usage.read(inner) == set()
            check("chain", chain())
            assert usage.read(inner) == {case.resolve()}
        check("chain", chain())
        assert usage.read(outer) == {case.resolve()}
        assert not inner.exists()


# --- instruction sets -------------------------------------------------------------------------------


def test_levels_carry_verdicts_over_unchanged(
    case: Path, engine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict of another process reads as it did there, with the level it ran on."""
    engine.render = chain("flt")
    there = verdicts()
    answers = {"v2": there, "v3": []}

    def child(level: str, names: Any, root: Path) -> subprocess.CompletedProcess[str]:
        text = json.dumps({"isa": level, "verdicts": [v.to_dict() for v in answers[level]]})
        return subprocess.CompletedProcess([], 0, text, "")

    monkeypatch.setattr(isa, "run_level", child)
    here = verify_isa_levels(levels=("v2", "v3"))
    assert [v.comparison for v in here] == [v.comparison for v in there]
    assert [v.layout for v in here] == ["AMP_ISA=v2", "AMP_ISA=v2, block_frames 64"]
    with pytest.raises(GoldenError, match="no level ran"):
        verify_isa_levels(levels=("v3",))


def test_a_crash_at_one_level_is_an_error(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without a result is never a pass, and its signal is named."""
    dead = subprocess.CompletedProcess([], -11, "", "illegal")
    monkeypatch.setattr(isa, "run_level", lambda *args: dead)
    found = verify_isa_levels(levels=("v2",))
    assert [repr(v) for v in found] == ["all: ERROR crash (AMP_ISA=v2)"]
    assert "SIGSEGV" in str(found[0]) and "illegal" in str(found[0])
