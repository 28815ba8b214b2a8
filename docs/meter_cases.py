"""Signals that standards define for meters, made from their texts, and the table of what is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from generated import filled
from scipy import signal as sps

from amp_lab import measure

PAGE = Path(__file__).resolve().parent / "measure" / "conformance.md"
RATES_HZ = (8_000, 11_025, 44_100, 48_000, 96_000, 192_000)
SPOT_RATES_HZ = (384_000,)
"""Rates of the calibration alone."""
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What a case demands at one rate, and what was read."""

    case: str
    signal: str
    quantity: str
    rate_hz: int
    expected: float
    low: float
    high: float
    got: float

    @property
    def passed(self) -> bool:
        """Whether the reading is within the tolerance."""
        return self.expected - self.low <= self.got <= self.expected + self.high


# ---- BS.1770-4, Tech 3341 and 3342: loudness of tones ----


def tones(parts: Sequence[tuple[float, float | None]], rate: int, frequency_hz: float = 1_000.0) -> Samples:
    """One channel of (seconds, dBFS) after each other, without a break in the phase; None is silence."""
    ends = np.rint(np.cumsum([0.0] + [seconds for seconds, _ in parts]) * rate).astype(int)
    gain = np.zeros(ends[-1])
    for (_, level), first, last in zip(parts, ends[:-1], ends[1:], strict=True):
        gain[first:last] = 0.0 if level is None else 10 ** (level / 20)
    return gain * np.sin(2 * np.pi * frequency_hz / rate * np.arange(ends[-1]))


def stereo(parts: Sequence[tuple[float, float | None]], rate: int) -> Samples:
    """Both channels alike."""
    return np.tile(tones(parts, rate), (1, 2, 1))


INTEGRATED: tuple[tuple[str, str, list[tuple[float, float | None]], float], ...] = (
    ("3341-1", "-23 dBFS", [(20, -23)], -23.0),
    ("3341-2", "-33 dBFS", [(20, -33)], -33.0),
    ("3341-3", "-36, -23, -36 dBFS", [(10, -36), (60, -23), (10, -36)], -23.0),
    (
        "3341-4",
        "-72, -36, -23, -36, -72 dBFS",
        [(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)],
        -23.0,
    ),
    ("3341-5", "-26, -20, -26 dBFS", [(20, -26), (20.1, -20), (20, -26)], -23.0),
)
RANGES: tuple[tuple[str, list[float], float], ...] = (
    ("3342-1", [-20, -30], 10.0),
    ("3342-2", [-20, -15], 5.0),
    ("3342-3", [-40, -20], 20.0),
    ("3342-4", [-50, -35, -20, -35, -50], 15.0),
)


def calibration(rate: int) -> Iterator[Reading]:
    """BS.1770-4, annex 1: a sine of 997 Hz at 0 dBFS in one front channel reads -3.01 LKFS."""
    text = "997 Hz, 0 dBFS, one channel of two"
    tone = tones([(10, 0.0)], rate, 997.0)
    got = measure.ebu_r128(np.stack([tone, np.zeros_like(tone)]), rate).integrated_lufs[0]
    yield Reading("BS.1770-4", text, "I", rate, -3.01, 0.01, 0.01, got)


def integrated(rate: int) -> Iterator[Reading]:
    """Tech 3341, cases 1 to 6."""
    for case, text, parts, expected in INTEGRATED:
        found = measure.ebu_r128(stereo(parts, rate), rate)
        yield Reading(case, text, "I", rate, expected, 0.1, 0.1, found.integrated_lufs[0])
        if len(parts) == 1:
            last = {"S": found.short_term_lufs[0], "M": found.momentary_lufs[0]}
            for quantity, values in last.items():
                yield Reading(case, text, quantity, rate, expected, 0.1, 0.1, values[-1])
    levels = (-28, -28, -24, -30, -30)
    surround = np.stack([tones([(20, level)], rate) for level in levels])
    for layout in ("5.0", "5.1"):
        x = surround if layout == "5.0" else np.insert(surround, 3, 0.0, axis=0)
        got = measure.loudness(x[None], rate, layout=layout)[0]
        yield Reading("3341-6", f"-28, -28, -24, -30, -30 dBFS in {layout}", "I", rate, -23.0, 0.1, 0.1, got)


def worst(values: Sequence[float] | Samples, expected: float | Samples) -> float:
    """Difference from what is expected of the value that is furthest off."""
    apart = np.asarray(values) - expected
    return float(apart[np.argmax(np.abs(apart))])


@dataclass(frozen=True)
class Window:
    """One time scale of Tech 3341 and the numbers of its three cases."""

    quantity: str
    cases: tuple[int, int, int]
    series: str
    seconds: float
    pattern: tuple[tuple[float, float], ...]
    """Of (seconds, dBFS) with the same mean in every window."""
    times: int
    settled_s: float
    step_s: float


WINDOWS = (
    Window("S", (9, 10, 11), "short_term", 3.0, ((1.34, -20.0), (1.66, -30.0)), 5, 3.0, 0.15),
    Window("M", (12, 13, 14), "momentary", 0.4, ((0.18, -20.0), (0.22, -30.0)), 25, 1.0, 0.02),
)


def over_time(rate: int) -> Iterator[Reading]:
    """Tech 3341, cases 9 to 14: of many values the difference of the one that is furthest off."""
    for w in WINDOWS:
        steady, alone, in_a_row = (f"3341-{number}" for number in w.cases)
        found = measure.ebu_r128(stereo(list(w.pattern) * w.times, rate), rate)
        values = getattr(found, f"{w.series}_lufs")[0][round((w.settled_s - w.seconds) / 0.01) :]
        text = f"-20 and -30 dBFS, {w.times} times"
        yield Reading(steady, text, f"{w.quantity} + 23", rate, 0.0, 0.1, 0.1, worst(values, -23.0))
        files = [[(w.step_s * i, None), (w.seconds, -23.0), (1.0, None)] for i in range(20)]
        greatest = [
            getattr(measure.ebu_r128(stereo(parts, rate), rate), f"{w.series}_max_lufs")[0] for parts in files
        ]
        text = f"{w.seconds:g} s at -23 dBFS after i {w.step_s:g} s, 20 files"
        yield Reading(alone, text, f"max {w.quantity} + 23", rate, 0.0, 0.1, 0.1, worst(greatest, -23.0))
        text = f"{w.seconds:g} s at -38 to -19 dBFS in a row"
        off = worst(_peaks_in_a_row(w, rate), -38.0 + np.arange(20))
        yield Reading(in_a_row, text, f"max {w.quantity} - level", rate, 0.0, 0.1, 0.1, off)


def _peaks_in_a_row(w: Window, rate: int) -> list[float]:
    """The greatest value about the end of each of twenty tones, each `step_s` later in its part."""
    parts: list[tuple[float, float | None]] = []
    for i in range(20):
        parts += [(w.step_s * i, None), (w.seconds, -38.0 + i), (w.seconds - w.step_s * i, None)]
    values = getattr(measure.ebu_r128(stereo(parts, rate), rate), f"{w.series}_lufs")[0]
    starts = [round((2 * w.seconds * i + w.step_s * i) / 0.01) for i in range(20)]
    return [float(values[max(at - 10, 0) : at + 10].max()) for at in starts]


def ranges(rate: int) -> Iterator[Reading]:
    """Tech 3342, cases 1 to 4."""
    for case, levels, expected in RANGES:
        found = measure.ebu_r128(stereo([(20, level) for level in levels], rate), rate)
        text = ", ".join(f"{level:g}" for level in levels) + " dBFS, 20 s each"
        yield Reading(case, text, "LRA", rate, expected, 1.0, 1.0, found.range_lu[0])


# ---- Tech 3341: true peak ----

FADE_S = 0.01
SINES = (
    ("3341-15", 4, 0.5, 0.0, -6.0),
    ("3341-16", 4, 0.5, 45.0, -6.0),
    ("3341-17", 6, 0.5, 60.0, -6.0),
    ("3341-18", 8, 0.5, 67.5, -6.0),
    ("3341-19", 4, 1.41, 45.0, 3.0),
)


def faded(x: Samples, rate: int) -> Samples:
    """Begun and ended gently: a tone that starts within a sample peaks above its amplitude."""
    ramp = np.linspace(0.0, 1.0, round(FADE_S * rate))
    x[: ramp.size] *= ramp
    x[-ramp.size :] *= ramp[::-1]
    return x


def burst(rate: int, offset: int) -> Samples:
    """One period at a quarter of the rate and full scale within a sine of a sixth of the rate and half of it.

    Made at four times the rate, filtered to half of the rate, and every fourth sample taken from `offset` on.
    """
    before = np.sin(2 * np.pi / 24 * np.arange(24 * 1_000)) / 2
    period = np.sin(2 * np.pi / 16 * np.arange(16))
    x = faded(np.concatenate([before, period, before]), 4 * rate)
    taps = sps.firwin(511, 0.25, window="blackman")
    return np.convolve(x, taps)[offset::4]


def true_peaks(rate: int) -> Iterator[Reading]:
    """Tech 3341, cases 15 to 23."""
    n = np.arange(rate)
    for case, part, amplitude, phase, expected in SINES:
        got = measure.true_peak(faded(amplitude * np.sin(2 * np.pi / part * n + np.radians(phase)), rate))
        text = f"sine of fs/{part}, {amplitude:g} FFS, {phase:g} deg"
        yield Reading(case, text, "TP", rate, expected, 0.4, 0.2, float(got))
    for offset in range(4):
        got = measure.true_peak(burst(rate, offset))
        text = f"one period of fs/4 in fs/6, offset {offset}"
        yield Reading(f"3341-{20 + offset}", text, "TP", rate, 0.0, 0.4, 0.2, float(got))


def readings(rate: int) -> Iterator[Reading]:
    """Every case at one sample rate."""
    for cases in (calibration, integrated, over_time, true_peaks, ranges):
        yield from cases(rate)


# ---- the page ----


def table() -> str:
    """One row per case and quantity, one column per rate."""
    found = [list(readings(rate)) for rate in RATES_HZ] + [list(calibration(rate)) for rate in SPOT_RATES_HZ]
    rates = (*RATES_HZ, *SPOT_RATES_HZ)
    columns = " | ".join(f"{rate / 1000:g} kHz" for rate in rates)
    lines = [
        f"| case | signal | quantity | expected | tolerance | {columns} |",
        "|---" * (5 + len(rates)) + "|",
    ]
    for k, first in enumerate(found[0]):
        cells = [_cell(column[k]) if k < len(column) else "" for column in found]
        tolerance = f"±{first.low:g}" if first.low == first.high else f"+{first.high:g} / -{first.low:g}"
        row = (first.case, first.signal, first.quantity, f"{first.expected:.2f}", tolerance, *cells)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _cell(reading: Reading) -> str:
    return f"{round(reading.got, 2) + 0.0:.2f}" + ("" if reading.passed else " **fails**")


def texts() -> dict[Path, str]:
    """Return the page with its generated part made anew."""
    return {PAGE: filled(PAGE, "readings", table())}
