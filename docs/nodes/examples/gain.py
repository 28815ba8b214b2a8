import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="tremolo")
tone = g.sine(frequency_hz=200.0)
level = g.gain(tone, gain=0.6, name="level")
g.modulate(g.lfo(rate_hz=6.0), level.gain, mode="multiply", offset=1.0, scale=0.5)
g.output(level)
r = g.render(seconds=0.5)
print(f"peak {r.peak:.2f}")


def picture():
    """A gain of 0.6 that a slow sine moves by half, up and down."""
    from drawing import signals

    return signals({"tremolo": {"level": r.audio[0, 0]}}, r.sample_rate, 0.5)
