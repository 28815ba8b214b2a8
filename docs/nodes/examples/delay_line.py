import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="slapback")
click = g.input(samples=amp.measure.impulse(48_000), name="click")
total = g.mix(click, name="total")
echo = g.delay_line(total, delay_s=0.120, max_delay_s=0.5, name="echo")
back = g.gain(echo, gain=0.6, name="back")
g.connect(back, total, delay_frames=1)
g.output(total)
r = g.render(seconds=1.0)
print([int(frame) for frame in (r.audio[0, 0] > 0.1).nonzero()[0]])


def picture():
    """A click comes back every 120 ms (and one frame), a little weaker each time."""
    from drawing import signals

    return signals({"click with echoes": {"total": r.audio[0, 0]}}, r.sample_rate, 0.8)
