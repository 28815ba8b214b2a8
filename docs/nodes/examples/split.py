import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="apart")
pair = g.stack(g.sine(frequency_hz=200.0), g.sine(frequency_hz=500.0), name="pair")
parts = g.split(pair, name="parts")
low = g.gain(parts, gain=1.0, name="low")  # the first edge carries channel 0
high = g.gain(parts, gain=0.3, name="high")  # the second channel 1
g.output(g.stack(low, high))
r = g.render(seconds=0.1, taps=["low", "high"])
print(r.taps["low"].shape, r.taps["high"].shape, r.audio.shape)


def picture():
    """One signal of two channels becomes two signals of one, which go different ways."""
    from drawing import signals

    return signals({name: {name: r.taps[name][0, 0]} for name in ("low", "high")}, r.sample_rate, 0.03)
