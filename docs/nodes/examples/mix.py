import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="organ")
pipes = [g.sine(frequency_hz=110.0 * n, amplitude=1.0 / n, name=f"pipe_{n}") for n in (1, 2, 3, 4, 5, 6)]
g.output(g.mix(*pipes, gain=0.5, name="sum"))
r = g.render(seconds=0.5)
print(f"peak {r.peak:.3f}")


def picture():
    """Six sines, the n-th 1/n as loud: their sum nears a saw."""
    from drawing import signals

    return signals({"sum of six sines": {"sum": r.audio[0, 0]}}, r.sample_rate, 0.03)
