import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="round")
place = g.pan(g.sine(frequency_hz=200.0), name="place")
g.modulate(g.lfo(rate_hz=2.0), place.position, mode="add", scale=1.0)
g.output(place)
r = g.render(seconds=0.5)
left, right = r.audio[0]
print(f"at the right end: left {abs(left[5_900:6_100]).max():.3f}, right {abs(right[5_900:6_100]).max():.3f}")


def picture():
    """A tone that wanders right, left and back: the power of both channels together stays."""
    from drawing import signals

    return signals({"left": {"left": left}, "right": {"right": right}}, r.sample_rate, 0.5)
