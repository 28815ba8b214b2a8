"""Nodes of one type in series, which one pass may compute: same bits and faults as one by one."""

from __future__ import annotations

import numpy as np
import pytest
import rigs
from rigs import RATE, Cut, Samples, Scene, same_bits, sound

import amp_lab as amp

FRAMES = 333
GAINS = np.random.default_rng(3).uniform(-1.5, 1.5, 40)
CUTS = [Cut(b) for b in (0, 1, 7, 64, 100, 333)] + [Cut(100, rigs.random_calls(4, FRAMES))]


def noise(batches: int, channels: int) -> Samples:
    """Return noise of the shape, (B, C, N)."""
    return np.random.default_rng([batches, channels]).uniform(-1, 1, (batches, channels, FRAMES))


def chain(x: Samples, gains: Samples = GAINS, moving: int | None = None) -> Scene:
    """Return gains in series, named ``gain_0`` and on; the one at ``moving`` under a modulator."""
    g = amp.Graph(sample_rate=RATE)
    node = source = g.input(samples=x, name="source")
    for k, gain in enumerate(gains):
        node = g.gain(node, gain=gain, name=f"gain_{k}")
        if k == moving:
            g.modulate(source, node.gain, mode="add", scale=1.0)
    g.output(node)
    return Scene(g, x.shape[2], None, x.shape[0])


def by_numpy(x: Samples, gains: Samples = GAINS) -> Samples:
    """Multiply by one gain after the other."""
    for gain in gains:
        x = gain * x
    return x


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("batches", [1, 2, 3, 9])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_every_gain_multiplies(channels: int, batches: int, cut: Cut) -> None:
    """Bit for bit what NumPy gives, however the render is cut and laid out."""
    x = noise(batches, channels)
    assert same_bits(sound(chain(x), cut), by_numpy(x))


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 9, 128, 129, 300])
def test_rows_of_any_length_give_the_same_bits(length: int, cut: Cut) -> None:
    """Rows too short for a pass, and too long for one, give the same bits."""
    x, gains = noise(1, 2), np.resize(GAINS, length)
    assert same_bits(sound(chain(x, gains), cut), by_numpy(x, gains))


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("at", [0, 1, 17, 38, 39])
def test_one_of_them_moves(at: int, cut: Cut) -> None:
    """A gain that changes per frame among constant ones."""
    x = noise(1, 1)
    y = by_numpy((GAINS[at] + x) * by_numpy(x, GAINS[:at]), GAINS[at + 1 :])
    assert same_bits(sound(chain(x, moving=at), cut), y)


@pytest.mark.parametrize("block", [None, 64, 100])
def test_taps_between_them(block: int | None) -> None:
    """A tap within a series records the same samples."""
    x = noise(1, 2)
    taps = [f"gain_{k}" for k in (0, 3, 4, 20, 38)]
    render = chain(x).graph.render(frames=FRAMES, taps=taps, block_frames=block)
    for k in (0, 3, 4, 20, 38):
        assert same_bits(render.taps[f"gain_{k}"], by_numpy(x, GAINS[: k + 1]))
    assert same_bits(render.audio, by_numpy(x))


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_value_set_during_a_render_counts_from_its_frame(cut: Cut) -> None:
    """The new gain counts from its frame on."""
    x = noise(1, 1)
    scene = chain(x)
    with rigs.started(scene, cut) as runtime:
        runtime.set_param("gain_11", "gain", [[[0.25]]], at_frame=150)
        y = rigs.proceed(runtime, scene, cut.calls or [FRAMES])
    later = np.array(GAINS)
    later[11] = 0.25
    expected = np.where(np.arange(FRAMES) < 150, by_numpy(x), by_numpy(x, later))
    assert same_bits(y, expected)


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frame", [0, 63, 64, 200, 332])
def test_the_one_that_overflows_is_named(frame: int, channels: int, cut: Cut) -> None:
    """The first of a series with a value that is not finite, at its first frame, and no earlier node."""
    x = np.ones((1, channels, FRAMES))
    x[:, channels - 1, frame:] = 1e20
    gains = np.r_[np.full(49, 1e6), np.full(8, 1e-6)]
    with pytest.raises(amp.NonFiniteError) as info:
        sound(chain(x, gains), cut)
    e = info.value
    assert (e.node, e.port, e.batch, e.channel, e.frame) == ("gain_48", "out", 0, channels - 1, frame)


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_large_and_not_finite_values_pass(cut: Cut) -> None:
    """Where they are allowed they are what NumPy gives; values near the largest are no failure."""
    x = noise(1, 1)
    x[0, 0, [5, 70, 201]] = np.inf, -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        assert np.array_equal(sound(chain(x), cut, flags=0), by_numpy(x), equal_nan=True)
    large = np.full((1, 1, FRAMES), 1.7e308)
    ones = np.resize([1.0, -1.0], 20)
    assert same_bits(sound(chain(large, ones), cut), by_numpy(large, ones))
