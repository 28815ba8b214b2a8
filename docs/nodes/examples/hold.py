import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="steps")
wave = g.sine(frequency_hz=480.0, name="wave")
g.output(g.hold(wave, hop_frames=8, name="steps"))
r = g.render(frames=100, taps=["wave"])
print(r.audio[0, 0, :10].round(3))


def picture():
    """A sine, and the value it had at every eighth frame."""
    from drawing import signals

    named = {"in": r.taps["wave"][0, 0], "out": r.audio[0, 0]}
    return signals({"hop_frames=8": named}, r.sample_rate, 100 / r.sample_rate)
