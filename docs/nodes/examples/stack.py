import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="surround")
front, back = g.sine(frequency_hz=200.0, channels=2, name="front"), g.noise(amplitude=0.3, name="back")
g.output(g.stack(front, back, gain=0.8, name="all"))
r = g.render(seconds=0.1)
print(r.audio.shape)


def picture():
    """A signal of two channels and one of a single channel become one signal of three."""
    from drawing import signals

    return signals({f"channel {c}": {"all": r.audio[0, c]} for c in range(3)}, r.sample_rate, 0.02)
