"""Figures of what goes wrong: overflow, long names, equal or many signals, one frame."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amp_lab import analysis, plots
from amp_lab.plots import style

RATE = 48_000.0


def tone(frequency_hz: float, frames: int = 96_000) -> Any:
    return 0.5 * np.sin(2 * np.pi * frequency_hz / RATE * np.arange(frames))


def heat(names: list[str], own_j: Any) -> SimpleNamespace:
    """A record with only the total and the own heat."""
    return SimpleNamespace(
        nodes=tuple(names),
        times_s=64 / RATE * np.arange(1, own_j.shape[1] + 1),
        own_j=own_j,
        total_j=np.cumsum(own_j, axis=1),
        temperature_k=np.full_like(own_j, np.nan),
    )


def named(figure: Figure, gid: str) -> list[Any]:
    return list(figure.findobj(lambda artist: artist.get_gid() == gid))


def labels(ax: Axes) -> list[str]:
    """Names in the legend."""
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def notes(figure: Figure) -> list[str]:
    return [ax.get_title(loc="right") for ax in figure.axes]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_spectrum_leaves_out_what_is_not_finite(bad: float) -> None:
    """A tone with a gap still reads its level and frequency, and the title counts the gap."""
    x = tone(1_000.0)
    x[30_000:32_000] = bad
    found = analysis.power_spectrum(x, RATE)
    assert found.nonfinite_frames == 2_000
    assert found.mean_db.max() == pytest.approx(-6.02, abs=0.25)
    figure = plots.spectrum(x, RATE)
    assert "2,000 non-finite frames left out" in notes(figure)[0]
    assert named(figure, "peak")[0].get_text() == "1000.0 Hz"


def test_channels_with_holes_of_their_own_keep_their_peaks() -> None:
    """Each channel is analysed where it is finite, and labelled with its own frequency."""
    x = np.stack([tone(440.0), tone(1_000.0)])
    x[0, 30_000:32_000], x[1, 100] = np.inf, np.nan
    assert {p.get_text() for p in named(plots.spectrum(x, RATE), "peak")} == {"440.0 Hz", "1000.0 Hz"}


def test_segments_lie_in_the_finite_runs() -> None:
    """With a gap every 50,000 frames no segment of 8192 frames has one."""
    x = tone(1_000.0, 200_000)
    x[::50_000] = np.inf
    found = analysis.power_spectrum(x, RATE, segment_frames=8_192)
    assert found.segments == found.of_segments == 4 * (1 + 2 * (49_999 - 8_192) // 8_192)
    assert np.isfinite(found.mean_db.max())


def test_a_spectrum_without_any_finite_sample_says_so() -> None:
    """Nothing is drawn, and nothing fails."""
    figure = plots.spectrum(np.full(1_000, np.nan), RATE)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no finite sample"]


def test_a_spectrogram_is_scaled_by_finite_values_and_hatches_the_others() -> None:
    """An infinity neither extends the scale nor is hidden: columns with one are hatched."""
    x = tone(1_000.0)
    clean = plots.spectrogram(x, RATE).axes[0].images[0].get_clim()
    x[48_000] = np.inf
    figure = plots.spectrogram(x, RATE)
    assert figure.axes[0].images[0].get_clim() == clean
    (hatched,) = named(figure, "non-finite")
    assert hatched.get_x() < 1.0 < hatched.get_x() + hatched.get_width() < 1.2
    assert "hatched: non-finite" in notes(figure)[0]


def test_a_signal_near_overflow_has_a_level() -> None:
    """1e307 is 6140 dBFS in spectrum and spectrogram, though its square is no number."""
    x = 2e307 * tone(1_500.0)
    assert analysis.power_spectrum(x, RATE).mean_db.max() == pytest.approx(6_140.0, abs=0.3)
    assert analysis.spectrogram(x, RATE)[2].max() == pytest.approx(6_140.0, abs=0.3)


def test_levels_count_and_leave_out_what_is_not_finite() -> None:
    """Peak, RMS and DC are those of the finite samples; true peak and loudness are not measured."""
    x = np.stack([tone(1_000.0), np.full(96_000, np.nan)])
    x[0, 100] = np.inf
    found = analysis.measure_levels(x, RATE)
    assert found.nonfinite.tolist() == [[1, 96_000]]
    assert found.rms_db[0, 0] == pytest.approx(-9.03, abs=0.01)
    assert np.isnan([found.peak_db[0, 1], found.true_peak_db[0, 0], found.loudness_lufs[0]]).all()
    assert "1 non-finite left out" in repr(found)


def test_heat_says_from_when_it_is_not_finite() -> None:
    """The finite part keeps its scale, in milliwatts."""
    own = np.full((1, 1_500), 1e-3)
    own[0, 750:] = np.inf
    figure = plots.thermo(heat(["amp"], own))  # type: ignore[arg-type]
    assert "non-finite from 1 s" in notes(figure)[0] and "total 750 mJ" in notes(figure)[0]
    assert 750.0 < figure.axes[0].get_ylim()[1] < 1_000.0


def test_equal_heat_is_drawn_dashed_over_its_twin() -> None:
    """Both names are in the legend, and both colours are visible."""
    figure = plots.thermo(heat(["a", "b"], np.full((2, 100), 1e-3)))  # type: ignore[arg-type]
    assert [line.is_dashed() for line in figure.axes[1].lines] == [False, True]
    assert labels(figure.axes[1]) == ["a", "b"]


def test_long_names_leave_room_for_the_axes() -> None:
    """Forty nodes of ninety characters: names are cut in the middle, and no axes collapse."""
    names = [f"node_{i}_{'x' * 80}_{i}" for i in range(40)]
    own = np.zeros((40, 100))
    own[:9] = 1e-3
    figure = plots.thermo(heat(names, own), name="n" * 95)  # type: ignore[arg-type]
    figure.draw_without_rendering()
    assert all(ax.get_position().width > 0.6 for ax in figure.axes)
    assert max(map(len, labels(figure.axes[1]))) == style.NAME_CHARACTERS
    (cold,) = named(figure, "cold")
    assert cold.get_text().endswith("and 23 more") and "\n" in cold.get_text()


def test_a_long_title_stays_clear_of_its_note() -> None:
    """The drawn boxes do not overlap, and both are inside the figure."""
    figure = plots.spectrum(tone(440.0), RATE, name="spectrum_of_a_render_with_a_long_name_" * 3)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    title, note = (box.get_window_extent() for box in (ax._left_title, ax._right_title))  # type: ignore[attr-defined]
    name_only = title.y0 + title.height / 2
    assert note.x0 > title.x1 or note.y1 <= name_only
    assert title.x1 < figure.bbox.x1 and note.x0 > 0


def test_equal_channels_share_a_curve() -> None:
    """Stereo of one signal is one line that is named after both channels."""
    figure = plots.spectrum(np.stack([tone(440.0)] * 2), RATE)
    assert labels(figure.axes[0]) == ["left = right"]
    assert labels(plots.spectrum(np.stack([tone(440.0), tone(441.0)]), RATE).axes[0]) == ["left", "right"]


def test_many_spectra_are_thin_and_named_beside_the_axes() -> None:
    """Seven batches: thin lines down to 120 dB below the highest, legend to the right."""
    x = np.stack([tone(200.0 + 90 * i) for i in range(7)])[:, None]
    figure = plots.spectrum(x, RATE)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    curves = [line for line in ax.lines if line.get_label().startswith("batch")]
    assert len(curves) == 7 and all(line.get_linewidth() < 1.0 for line in curves)
    assert ax.get_ylim()[0] >= -6.1 - 120.0
    legend = ax.get_legend()
    assert legend is not None and legend.get_window_extent().x0 >= ax.get_window_extent().x1


def test_a_bump_on_a_skirt_is_no_peak() -> None:
    """Of two tones half a semitone apart, the one 20 dB lower gets no label."""
    figure = plots.spectrum(tone(1_000.0) + 0.1 * tone(1_030.0), RATE)
    assert [label.get_text() for label in named(figure, "peak")] == ["1000.0 Hz"]


@pytest.mark.parametrize(("sign", "low", "high"), [(1.0, -0.05, 0.85), (-1.0, -0.85, 0.05)])
def test_a_unipolar_signal_fills_its_panel(sign: float, low: float, high: float) -> None:
    """An envelope from 0 to 0.8 is drawn from zero up, or down; one that swings stays symmetric."""
    envelope = sign * 0.8 * np.exp(-np.arange(48_000) / 9_000)
    assert plots.waveform(envelope, RATE).axes[0].get_ylim() == pytest.approx((low, high), abs=0.01)
    swinging = plots.waveform(np.stack([envelope, -0.1 * envelope]), RATE).axes[0].get_ylim()
    assert swinging == pytest.approx((-0.848, 0.848))


def test_one_frame_can_be_seen() -> None:
    """A dot that the edge does not cut, and one frame in the singular."""
    figure = plots.waveform(np.full((1, 1, 1), 0.4), RATE)
    dot = figure.axes[0].lines[0]
    assert dot.get_markersize() > 10 and not dot.get_clip_on()
    assert notes(figure) == ["1 frame at 48000 Hz"]
