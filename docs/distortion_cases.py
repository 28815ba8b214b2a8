"""Signals with known distortion and noise at the sample rates of AES17, and the table of what is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from generated import filled

from amp_lab import measure
from amp_lab.analysis import weighting

PAGE = Path(__file__).resolve().parent / "measure" / "aes17.md"
RATES_HZ = (44_100, 48_000, 96_000, 192_000)
SECOND, THIRD = 0.004, 0.002
"""Coefficients of the bent system y = x + SECOND x^2 + THIRD x^3."""
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What is known of a case at one rate, and what was read."""

    case: str
    quantity: str
    rate_hz: int
    expected: float
    tolerance: float
    got: float

    @property
    def passed(self) -> bool:
        """Whether the reading is within the tolerance."""
        return abs(self.got - self.expected) <= self.tolerance


def db(ratio: float) -> float:
    return 20.0 * math.log10(ratio)


def bent(x: Samples) -> Samples:
    return x + SECOND * x**2 + THIRD * x**3


def dithered(x: Samples, bits: int) -> Samples:
    """Round with triangular dither of two steps: what is added is white, of step^2 / 4."""
    rng = np.random.default_rng(17)
    step = 2.0 ** (1 - bits)
    return np.asarray(np.round(x / step + rng.random(x.shape) - rng.random(x.shape)) * step)


def noise_db(bits: int, rate: int, name: str) -> float:
    """Weighted level of that noise from 20 Hz to 20 kHz; a full-scale sine is 0 dB."""
    hz = np.linspace(20.0, 20_000.0, 20_001)
    share = float(np.mean(weighting.magnitude(name, hz) ** 2)) * 19_980.0 / (rate / 2)
    return 10.0 * math.log10(2.0 * 4.0 ** (1 - bits) / 4.0 * share)


def readings(rate: int) -> Iterator[Reading]:
    """Read every case at one sample rate."""
    yield from _tones(rate)
    yield from _noises(rate)
    yield from _pairs(rate)


def _tones(rate: int) -> Iterator[Reading]:
    amplitude = 10.0 ** (-1.0 / 20.0)
    found = measure.harmonic_distortion(
        bent(measure.tone(rate, rate, 997.0, amplitude=amplitude)), rate, 997.0
    )
    tone = amplitude + 0.75 * THIRD * amplitude**3
    second, third = SECOND * amplitude**2 / 2, THIRD * amplitude**3 / 4
    both = math.hypot(second, third)
    known = [
        ("level, dBFS", db(tone), found.fundamental_db),
        ("THD+N, dB", db(both / math.hypot(tone, both)), found.thd_n_db),
        ("THD, dB", db(both / tone), found.thd_db),
        ("second, dB", db(second / tone), found.harmonics_db[..., 0]),
        ("third, dB", db(third / tone), found.harmonics_db[..., 1]),
    ]
    for quantity, expected, got in known:
        yield Reading("997 Hz, -1 dBFS, bent", quantity, rate, expected, 0.01, float(np.squeeze(got)))
    quiet = dithered(measure.tone(rate, rate, 997.0, amplitude=0.1), 16)
    power = 10.0 ** (noise_db(16, rate, "none") / 10.0)
    expected = 10.0 * math.log10(power / (power + 0.01))
    got = float(np.squeeze(measure.thd_n(quiet, 997.0, rate)))
    yield Reading("997 Hz, -20 dBFS, 16 bits", "THD+N, dB", rate, expected, 0.15, got)
    frequency = float(np.squeeze(measure.find_frequency(quiet, rate).frequency_hz))
    yield Reading("997 Hz, -20 dBFS, 16 bits", "frequency, Hz", rate, 997.0, 0.001, frequency)


def _noises(rate: int) -> Iterator[Reading]:
    names = {"ccir_rms": "CCIR-RMS", "a": "A", "none": "unweighted"}
    for bits in (16, 24):
        x = dithered(measure.tone(2 * rate, rate, 997.0, amplitude=1e-3), bits)
        for name, shown in names.items():
            got = measure.dynamic_range(x, rate, weighting=name)  # type: ignore[arg-type]
            yield Reading(
                f"997 Hz, -60 dBFS, {bits} bits",
                f"dynamic range, {shown}, dB",
                rate,
                -noise_db(bits, rate, name),
                0.15,
                float(np.squeeze(got.dynamic_range_db)),
            )
    idle = measure.idle_noise(dithered(np.zeros((1, 1, 2 * rate)), 16), rate)
    yield Reading(
        "silence, 16 bits", "noise, CCIR-RMS, dBFS", rate, noise_db(16, rate, "ccir_rms"), 0.15,
        float(np.squeeze(idle.noise_db)),
    )  # fmt: skip


def _pairs(rate: int) -> Iterator[Reading]:
    smpte = measure.intermodulation(bent(measure.two_tone(rate, rate, 60.0, 7_000.0, ratio=4.0)), rate)
    low, high = 0.8, 0.2
    carrier = high + THIRD * (1.5 * low**2 * high + 0.75 * high**3)
    ratios = 2 * SECOND * low * high / carrier, 1.5 * THIRD * low**2 * high / carrier
    got = float(np.squeeze(smpte.imd_db))
    yield Reading("60 Hz and 7 kHz, 4 to 1, bent", "IMD SMPTE, dB", rate, db(math.hypot(*ratios)), 0.01, got)
    ccif = measure.intermodulation(bent(measure.two_tone(rate, rate)), rate, method="ccif")
    both = 1.0 + 4.5 * THIRD / 8
    ratios = SECOND / 4 / both, 1.5 * THIRD / 8 / both
    got = float(np.squeeze(ccif.imd_db))
    yield Reading("19 and 20 kHz, bent", "IMD CCIF, dB", rate, db(math.hypot(*ratios)), 0.01, got)
    second = float(np.squeeze(ccif.second_db))
    yield Reading("19 and 20 kHz, bent", "second order, dB", rate, db(ratios[0]), 0.01, second)


def table() -> str:
    """Rows of cases: expected, tolerance and got at each rate."""
    rates = [f"{rate / 1000:g} kHz" for rate in RATES_HZ]
    lines = ["| signal | quantity | tolerance | " + " | ".join(f"expected, got at {r}" for r in rates) + " |"]
    lines.append("|---" * (3 + len(rates)) + "|")
    for same in zip(*(readings(rate) for rate in RATES_HZ), strict=True):
        first = same[0]
        digits = 4 if first.tolerance < 0.01 else 2
        cells = [
            f"{r.expected:.{digits}f}, {r.got:.{digits}f}{'' if r.passed else ' **fails**'}" for r in same
        ]
        lines.append(f"| {first.case} | {first.quantity} | ±{first.tolerance:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def texts() -> dict[Path, str]:
    """Return the page with its generated part made anew."""
    return {PAGE: filled(PAGE, "readings", table())}
