import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="choir")
voices = [g.sine(frequency_hz=hz) for hz in (440.0, 442.0, 445.0, 447.0)]
g.output(g.average(*voices, name="even"))
r = g.render(seconds=1.0)
print(f"four voices, peak {r.peak:.3f}")


def picture():
    """Four sines of amplitude 1 that beat: their mean never leaves -1 to 1."""
    from drawing import signals

    return signals({"mean of four sines": {"even": r.audio[0, 0]}}, r.sample_rate, 1.0)
