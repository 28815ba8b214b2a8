import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="slow")
shapes = ("sine", "triangle", "saw", "square", "random")
lfos = [g.lfo(shape=shape, rate_hz=3.0, slew_s=0.004, name=shape) for shape in shapes]
g.output(g.average(*lfos))
r = g.render(seconds=1.0, taps=shapes)
for shape in shapes:
    print(f"{shape:<9}{r.taps[shape].min():6.2f} to {r.taps[shape].max():.2f}")


def picture():
    """The five shapes at 3 Hz, their edges rounded by slew_s = 4 ms."""
    from drawing import signals

    smooth, steps = ("sine", "triangle", "saw"), ("square", "random")
    rows = {", ".join(names): {n: r.taps[n][0, 0] for n in names} for names in (smooth, steps)}
    return signals(rows, r.sample_rate, 1.0)
