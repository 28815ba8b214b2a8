import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="played")
g.controls = amp.ControlHistory(
    [
        amp.Curve.drawn("gate", [(0.0, 0.0), (0.1, 1.0), (0.5, 0.0), (0.6, 1.0)], interpolation="hold"),
        amp.Curve.drawn("level", [(0.0, 0.2), (0.4, 1.0), (1.0, 0.5)], interpolation="linear"),
    ]
)
gate, level = g.controller(curve="gate", name="gate"), g.controller(curve="level", name="level")
g.output(g.gain(g.mix(gate, level), gain=0.5))
r = g.render(seconds=1.0, taps=["gate", "level"])
print(r.taps["gate"].mean(), r.taps["level"].max())


def picture():
    """Two curves of one control history, the one held, the other in straight lines."""
    from drawing import signals

    return signals(
        {"gate and level": {name: r.taps[name][0, 0] for name in ("gate", "level")}}, r.sample_rate, 1.0
    )
