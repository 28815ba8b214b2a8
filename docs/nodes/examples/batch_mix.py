import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="chord")
tone = g.sine(frequency_hz=amp.batch([220.0, 275.0, 330.0]), name="tone")
g.output(g.batch_mix(tone, reduction="mean", name="chord"))
r = g.render(seconds=0.1, batches=3, taps=["tone"])
print(r.audio.shape, "every batch the same:", bool((r.audio == r.audio[:1]).all()))


def picture():
    """Three batches with a sine of their own each go in; all three get the mean."""
    from drawing import signals

    batches = {f"batch {b}": r.taps["tone"][b, 0] for b in range(3)}
    return signals({"in": batches, "out, of every batch": {"chord": r.audio[0, 0]}}, r.sample_rate, 0.03)
