import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="detune")
curve = amp.Curve.drawn("bend", [(0.0, 1.0), (0.5, 1.0), (0.8, 1.5), (1.0, 1.5)], interpolation="smooth")
g.controls = amp.ControlHistory([curve])
bend = g.constant(value=curve, name="bend")  # a curve becomes a signal ...
tone = g.sine(frequency_hz=220.0)
g.modulate(bend, tone.frequency_hz, mode="multiply")  # ... that can move any parameter
g.output(tone)
r = g.render(seconds=1.0, taps=["bend"])
print(r.taps["bend"][0, 0, [0, 24_000, 47_999]])


def picture():
    """A control curve as a signal: it bends a tone up by a fifth."""
    from drawing import signals

    return signals({"bend": {"bend": r.taps["bend"][0, 0]}}, r.sample_rate, 1.0)
