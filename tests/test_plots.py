"""Figures by their data: they draw what was measured, and lose nothing that matters."""

from __future__ import annotations

import base64
import sys
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

import amp_lab as amp
from amp_lab import plots
from amp_lab.errors import InvalidArgument, ShapeError
from amp_lab.lowlevel import TRACE_DTYPE, Pyramid
from amp_lab.plots import style

RATE = 48_000.0


def sine(frequency_hz: float, amplitude: float, frames: int) -> npt.NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * frequency_hz / RATE * np.arange(frames))


def heat(windows: int = 1_500) -> SimpleNamespace:
    """Heat of three nodes: a constant 2 W, a decaying one with temperature, and a cold one."""
    span = 64 / RATE
    own = np.stack(
        [np.full(windows, 2.0 * span), span * np.exp(-np.arange(windows) / 100), np.zeros(windows)]
    )
    warmth = np.full_like(own, np.nan)
    warmth[1] = np.linspace(0.0, 5.0, windows)
    return SimpleNamespace(
        nodes=("amp", "filter", "lfo"),
        times_s=span * np.arange(1, windows + 1),
        own_j=own,
        total_j=np.cumsum(own, axis=1),
        temperature_k=warmth,
    )


def edge(
    src: str, dst: str, delay: int = 0, *, kind: str = "audio", feedback: bool = False
) -> dict[str, Any]:
    return {
        "src": src,
        "src_port": "out",
        "dst": dst,
        "dst_port": "in",
        "slot": 0,
        "delay_frames": delay,
        "feedback": feedback,
        "gates": (),
        "kind": kind,
        "capacity_frames": 512,
    }


def plan() -> dict[str, Any]:
    """An oscillator into a two-node loop with one frame of delay, modulated by an lfo."""
    names = {"lfo": "lfo", "osc": "oscillator", "flt": "svf", "echo": "delay_line", "out": "output"}
    return {
        "nodes": [
            {
                "name": n,
                "type": t,
                "component": i,
                "latency_frames": 0,
                "advance_frames": 0,
                "channels": 1,
            }
            for i, (n, t) in enumerate(names.items())
        ],
        "components": [
            {"nodes": ["lfo"], "sub_block": 512, "driver": "frames"},
            {"nodes": ["osc"], "sub_block": 512, "driver": "frames"},
            {"nodes": ["flt", "echo"], "sub_block": 1, "driver": "table"},
            {"nodes": ["out"], "sub_block": 512, "driver": "frames"},
        ],
        "edges": [
            edge("lfo", "flt", kind="modulation"),
            edge("osc", "flt"),
            edge("flt", "echo"),
            edge("echo", "flt", 1, feedback=True),
            edge("echo", "out", 480),
        ],
    }


def trace(firings: int) -> SimpleNamespace:
    events = np.zeros(firings, TRACE_DTYPE)
    events["node"] = np.arange(firings) % 5
    events["frames"] = 512
    events["first_frame"] = np.arange(firings) // 5 * 512
    events["start_s"] = np.arange(firings) * 1e-5
    events["stop_s"] = events["start_s"] + 5e-6
    return SimpleNamespace(events=events, dropped=0)


def texts(figure: Figure) -> str:
    """All text of a figure, axes names, titles and labels included."""
    figure.draw_without_rendering()
    return "\n".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


def drawn_range(ax: Axes) -> tuple[float, float]:
    """Lowest and highest value of the filled band of an axes."""
    (band,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    y = np.concatenate([p.vertices[:, 1] for p in band.get_paths()])
    return float(y.min()), float(y.max())


def by_gid(figure: Figure, gid: str) -> list[Any]:
    return list(figure.findobj(lambda artist: artist.get_gid() == gid))


ALL = {
    "waveform": lambda **k: plots.waveform(sine(440.0, 0.5, 30_000), RATE, **k),
    "spectrum": lambda **k: plots.spectrum(sine(440.0, 0.5, 200_000), RATE, peak_hold=True, **k),
    "spectrogram": lambda **k: plots.spectrogram(sine(440.0, 0.5, 200_000), RATE, **k),
    "thermo": lambda **k: plots.thermo(heat(), **k),
    "timeline": lambda **k: plots.timeline(plan(), trace(4_000), RATE, **k),
    "structure": lambda **k: plots.timeline(plan(), None, RATE, **k),
    "difference": lambda **k: plots.difference(sine(440.0, 0.5, 30_000), sine(440.0, 0.4, 30_000), RATE, **k),
}


@pytest.mark.parametrize("name", ALL)
def test_every_figure_draws_without_pyplot_and_names_its_axes_with_units(name: str) -> None:
    """A PNG of the stated width comes out; pyplot is not even imported by it."""
    before = "matplotlib.pyplot" in sys.modules
    figure = ALL[name]()
    image = plots.png(figure)
    assert image.startswith(b"\x89PNG")
    assert int.from_bytes(image[16:20]) == 900
    assert ("matplotlib.pyplot" in sys.modules) == before
    axes = [ax for ax in figure.axes if ax.get_xlabel()]
    assert all("(" in ax.get_xlabel() for ax in axes)
    assert axes or name == "structure"


@pytest.mark.parametrize("name", ALL)
def test_every_figure_draws_inside_given_axes(name: str) -> None:
    """The host's other axes stay empty and the host figure is returned."""
    host = style.new_figure(6.0)
    upper, lower = host.subplots(2, 1)
    assert ALL[name](ax=lower) is host
    host.draw_without_rendering()
    assert not upper.has_data()
    assert len(plots.png(host)) > len(plots.png(style.new_figure(6.0)))


@pytest.mark.parametrize("fault", [0.5, -0.5])
def test_a_one_sample_fault_in_a_long_signal_is_drawn(fault: float) -> None:
    """Two million samples near silence and one that is not."""
    x = 1e-3 * np.cos(np.arange(2_000_000))
    x[1_234_567] = fault
    low, high = drawn_range(plots.waveform(x, RATE).axes[0])
    assert (high if fault > 0 else low) == fault
    assert (low if fault > 0 else high) == pytest.approx(-1e-3 if fault > 0 else 1e-3, rel=1e-6)


def test_thirty_million_samples_are_drawn_as_few_columns_with_every_fault() -> None:
    """What is drawn does not grow with the signal, and a fault of one sample is in it."""
    x = np.resize(sine(100.0, 0.5, 48_000), 30_000_000)
    x[20_000_001] = 0.9
    figure = plots.waveform(x, RATE, pyramids=[Pyramid.build(x)])
    assert drawn_range(figure.axes[0])[1] == 0.9
    points = sum(len(path.vertices) for part in figure.axes[0].collections for path in part.get_paths())
    points += sum(len(line.get_xdata()) for line in figure.axes[0].lines)
    assert 0 < points < 20_000


def test_non_finite_samples_are_marked_where_they_are() -> None:
    """One red bar per faulty sample of a short signal, and a word in the title."""
    x = sine(440.0, 0.5, 4_800)
    x[2_400], x[100] = np.nan, np.inf
    figure = plots.waveform(x, RATE)
    (bars,) = by_gid(figure, "non-finite")
    at = sorted(segment[0, 0] for segment in bars.get_segments())
    assert at == pytest.approx([100 / 48.0, 2_400 / 48.0])
    assert "non-finite samples" in texts(figure)


def test_values_beyond_full_scale_are_marked_and_others_are_not() -> None:
    """A triangle at each sample past ±1; a full-scale signal has none."""
    x = sine(440.0, 1.0, 480)
    assert not by_gid(plots.waveform(x, RATE), "clipping")
    x[7], x[9] = 1.5, -1.5
    figure = plots.waveform(x, RATE)
    over, under = by_gid(figure, "clipping")
    assert over.get_xdata() == pytest.approx([7 / 48.0])
    assert under.get_xdata() == pytest.approx([9 / 48.0])
    assert "beyond ±1" in texts(figure)


def test_a_window_draws_its_frames_only() -> None:
    """start_s and stop_s cut the line; an empty window is refused."""
    x = sine(440.0, 0.5, 48_000)
    figure = plots.waveform(x, RATE, start_s=0.1, stop_s=0.11)
    line = figure.axes[0].lines[0]
    assert np.array_equal(line.get_ydata(), x[4_800:5_280])
    with pytest.raises(
        InvalidArgument, match=r"waveform: empty window \(got 2 to None s, allowed within 0 to 1 s\)"
    ):
        plots.waveform(x, RATE, start_s=2.0)


def test_channels_and_batches_are_rows_with_names_and_a_limit() -> None:
    """Six stereo batches: eight rows, and the title has the total."""
    figure = plots.waveform(np.zeros((6, 2, 100)), RATE)
    names = [ax.get_ylabel() for ax in figure.axes]
    assert names[:3] == ["batch 0 left", "batch 0 right", "batch 1 left"]
    assert len(names) == 8
    assert "first 8 of 12 signals" in texts(figure)


@pytest.mark.parametrize("window", ["blackmanharris", "flattop"])
def test_a_full_scale_sine_reads_zero_dbfs_in_the_drawn_line(window: Any) -> None:
    """On a bin, to 0.01 dB; the label names window and frequency."""
    figure = plots.spectrum(sine(1_000.0, 1.0, 48_000), RATE, window=window)
    assert np.max(figure.axes[0].lines[0].get_ydata()) == pytest.approx(0.0, abs=0.01)
    words = texts(figure)
    assert {"blackmanharris": "Blackman-Harris window", "flattop": "flat-top window"}[window] in words
    assert "1000.0 Hz" in words


def test_peak_labels_are_few_and_do_not_overlap() -> None:
    """Twenty harmonics: at most six labels, whose drawn boxes do not overlap."""
    x = sum(sine(100.0 * k, 0.5 / k, 96_000) for k in range(1, 21))
    figure = plots.spectrum(x, RATE)
    figure.draw_without_rendering()
    extents = [Text.get_window_extent(label) for label in by_gid(figure, "peak")]
    assert 2 <= len(extents) <= 6
    assert not any(a.overlaps(b) for i, a in enumerate(extents) for b in extents[:i])


def test_silence_has_a_spectrum_and_a_spectrogram() -> None:
    """Nothing to label and nothing to fail on."""
    for figure in (plots.spectrum(np.zeros(5_000), RATE), plots.spectrogram(np.zeros(5_000), RATE)):
        assert plots.png(figure)
        assert not by_gid(figure, "peak")


@pytest.mark.parametrize("log_frequency", [True, False])
def test_the_spectrogram_is_brightest_at_the_tone(log_frequency: bool) -> None:
    """Level 0 dBFS at 3 kHz in every column, on either axis."""
    figure = plots.spectrogram(sine(3_000.0, 1.0, 96_000), RATE, log_frequency=log_frequency)
    (image,) = figure.axes[0].images
    levels = np.asarray(image.get_array())
    _, _, bottom, top = image.get_extent()
    at = bottom + (levels.argmax(axis=0) + 0.5) / levels.shape[0] * (top - bottom)
    frequency = 10**at if log_frequency else at
    assert frequency == pytest.approx(np.full(levels.shape[1], 3_000.0), rel=0.03)
    assert levels.max() == pytest.approx(0.0, abs=0.1)


def test_the_spectrogram_says_when_it_skips() -> None:
    """600 columns cannot cover every sample of a long signal."""
    assert "of the signal" in texts(plots.spectrogram(np.zeros(3_000_000), RATE))
    assert "of the signal" not in texts(plots.spectrogram(np.zeros(300_000), RATE))


def test_heat_is_stacked_to_the_total_power() -> None:
    """The total line is the sum of own energies over time; averaging keeps the energy."""
    data = heat()
    figure = plots.thermo(data)
    total = next(line for line in figure.axes[0].lines if line.get_label() == "total")
    spans = np.diff(total.get_xdata(), prepend=0.0)
    assert np.sum(total.get_ydata() * spans) == pytest.approx(data.own_j.sum(), rel=1e-12)
    assert np.max(total.get_ydata()) == pytest.approx(3.0, rel=0.02)


def test_heat_draws_temperature_where_known_and_names_cold_nodes() -> None:
    """Three panels with the warm node in the last; without temperatures two."""
    data = heat()
    figure = plots.thermo(data)
    assert [line.get_label() for line in figure.axes[2].lines] == ["filter"]
    assert figure.axes[2].lines[0].get_ydata()[-1] == pytest.approx(5.0, abs=0.01)
    (note,) = by_gid(figure, "cold")
    assert note.get_text() == "without heat: lfo"
    data.temperature_k[:] = np.nan
    assert len(plots.thermo(data).axes) == 2


def test_heat_of_a_graph_without_any_says_so() -> None:
    """No flat lines."""
    data = heat()
    data.own_j[:], data.total_j[:], data.temperature_k[:] = 0.0, 0.0, np.nan
    figure = plots.thermo(data)
    assert "no node dissipates heat" in texts(figure)
    assert not any(ax.lines for ax in figure.axes)


def test_the_timeline_draws_each_firing_at_its_node_and_time() -> None:
    """One rectangle per event, on the row of its node."""
    recorded = trace(50)
    figure = plots.timeline(plan(), recorded, RATE)
    (bars,) = by_gid(figure, "firings")
    corners = np.stack([p.vertices[:4] for p in bars.get_paths()])
    assert corners[..., 1].mean(axis=1) == pytest.approx(recorded.events["node"])
    wide = corners[..., 0].max(axis=1) - corners[..., 0].min(axis=1)
    assert wide == pytest.approx((recorded.events["stop_s"] - recorded.events["start_s"]) * 1e6)
    assert "50 firings" in texts(figure)


def test_a_long_trace_is_cut_and_says_so() -> None:
    """The first of them by default, or the requested window of signal time."""
    recorded = trace(9_000)
    recorded.dropped = 17
    words = texts(plots.timeline(plan(), recorded, RATE))
    assert "4,000 of 9,000 firings: signal time 0 to" in words
    assert "17 lost by the recorder" in words
    figure = plots.timeline(plan(), recorded, RATE, first_s=1.0, last_s=2.0)
    (bars,) = by_gid(figure, "firings")
    inside = (recorded.events["first_frame"] >= RATE) & (recorded.events["first_frame"] < 2 * RATE)
    assert len(bars.get_paths()) == int(inside.sum()) > 0


def test_chosen_nodes_keep_their_firings_and_edges() -> None:
    """Rows, bars and arcs of the chosen nodes only; an unknown name is refused."""
    recorded = trace(50)
    figure = plots.timeline(plan(), recorded, RATE, nodes=["out", "flt", "echo"])
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["flt", "echo", "out"]
    (bars,) = by_gid(figure, "firings")
    rows = [p.vertices[:4, 1].mean() for p in bars.get_paths()]
    assert rows == pytest.approx([0.0, 1.0, 2.0] * 10)
    assert len(by_gid(figure, "edge")) == 3
    assert "3 of 5 nodes" in texts(figure)
    with pytest.raises(InvalidArgument, match=r"timeline\.nodes: no such node \(got 'nose'"):
        plots.timeline(plan(), recorded, RATE, nodes=["nose"])


def test_a_large_plan_shows_its_first_nodes_and_says_so() -> None:
    """Three hundred nodes in a chain, sixty rows."""
    names = [f"n{i}" for i in range(300)]
    node = plan()["nodes"][0]
    large = {
        "nodes": [{**node, "name": name} for name in names],
        "components": [{"nodes": [name], "sub_block": 512, "driver": "frames"} for name in names],
        "edges": [edge(a, b) for a, b in pairwise(names)],
    }
    figure = plots.timeline(large, None, RATE)
    assert len(by_gid(figure, "edge")) == 59
    assert "60 of 300 nodes" in texts(figure)


@pytest.mark.parametrize("recorded", [None, trace(100)])
def test_the_plan_shows_order_delays_modulation_and_feedback(recorded: Any) -> None:
    """With or without a trace: rows in execution order, an arc per edge, z^-d, dashes, one tinted loop."""
    figure = plots.timeline(plan(), recorded, RATE)
    rows = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert rows == ["lfo", "osc", "flt", "echo", "out"]
    arcs = by_gid(figure, "edge")
    assert len(arcs) == 5
    assert sum(arc.get_linestyle() not in ("solid", "-") for arc in arcs) == 1
    backwards = [arc for arc in arcs if arc.get_path().vertices[:, 0].max() > 0]
    assert len(backwards) == 1
    words = texts(figure)
    assert "z⁻¹" in words
    assert "z⁻⁴⁸⁰" in words
    assert "feedback, 1 fr." in words
    assert {round(a.get_y() + a.get_height() / 2, 3) for a in by_gid(figure, "component")} == {2.5}


def test_a_difference_names_its_first_frame_and_level() -> None:
    """One sample of 1e-3 in the right channel, at frame 777."""
    reference = np.stack([sine(440.0, 0.5, 20_000)] * 2)
    result = reference.copy()
    result[1, 777] += 1e-3
    figure = plots.difference(result, reference, RATE)
    assert "first at frame 777, peak -60.0 dBFS" in texts(figure)
    assert figure.axes[0].get_ylabel() == "right"
    (start,) = by_gid(figure, "first difference")
    assert start.get_xdata()[0] == pytest.approx(777 / 48.0)
    assert drawn_range(figure.axes[1])[1] == pytest.approx(-60.0, abs=1e-6)


def test_equal_signals_are_called_bit_identical() -> None:
    """As text, without an empty decibel scale; a different length is reported as well."""
    x = sine(440.0, 0.5, 2_000)
    assert "bit-identical" in texts(plots.difference(x, x, RATE))
    assert "1,900 against 2,000 frames" in texts(plots.difference(x[:1_900], x, RATE))


def test_a_difference_of_other_channels_is_refused() -> None:
    """The message gives both shapes."""
    with pytest.raises(ShapeError, match=r"got \(1, 1\) batches and channels, allowed \(1, 2\)"):
        plots.difference(np.zeros((1, 10)), np.zeros((2, 10)), RATE)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(5e-4, (1e6, "µs")), (0.02, (1e3, "ms")), (1.0, (1.0, "s")), (90.0, (1.0, "s"))]
)
def test_the_time_axis_adapts(seconds: float, expected: tuple[float, str]) -> None:
    """Microseconds, milliseconds, seconds."""
    assert style.time_unit(seconds) == expected


def test_a_bare_graph_is_its_picture_and_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that ends in a graph shows both; empty, large and undrawable graphs show the line alone."""
    g = amp.presets.three_osc()
    shown = g._repr_mimebundle_()
    png = base64.b64decode(shown["image/png"])
    assert shown["text/plain"] == repr(g) and png.startswith(b"\x89PNG") and len(png) <= 60_000
    assert g._journal is None, "looking at a graph starts no journal"
    assert set(amp.Graph()._repr_mimebundle_()) == {"text/plain"}
    large = amp.Graph()
    for seed in range(200):
        large.noise(seed=seed)
    assert set(large._repr_mimebundle_()) == {"text/plain"}
    monkeypatch.setattr(style, "png", lambda *_, **__: 1 / 0)
    assert g._repr_mimebundle_() == {"text/plain": f"{g!r}\nno picture: ZeroDivisionError: division by zero"}
