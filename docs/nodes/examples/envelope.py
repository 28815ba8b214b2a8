import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="note")
held = amp.Curve.drawn("gate", [(0.0, 0.0), (0.1, 1.0), (0.6, 0.0)], interpolation="hold")
g.controls = amp.ControlHistory([held])
gate = g.controller(curve="gate", name="gate")
env = g.envelope(gate=gate, attack_s=0.08, hold_s=0.05, decay_s=0.25, sustain=0.4, release_s=0.3, name="env")
tone = g.gain(g.sine(frequency_hz=220.0), name="tone")
g.modulate(env, tone.gain, mode="multiply")
g.output(tone)
r = g.render(seconds=1.0, taps=["gate", "env"])
print(f"peak {r.taps['env'].max():.2f}, sustained {r.taps['env'][0, 0, 28_000]:.2f}")


def picture():
    """Attack, hold, decay, sustain while the gate is on; release when it falls."""
    from drawing import signals

    return signals({"level": {name: r.taps[name][0, 0] for name in ("gate", "env")}}, r.sample_rate, 1.0)
