import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="delivered")
g.output(g.sine(frequency_hz=50.0, amplitude=0.8), name="speaker")
r = g.render(seconds=0.1, heat=True)
joule = r.heat.total_j[r.heat.nodes.index("speaker"), -1]
print(f"{r.audio.shape}, {joule * 1e3:.1f} mJ into 1 ohm")  # 0.8^2 / 2 W for 0.1 s


def picture():
    """What reaches `output` is what `render` returns."""
    from drawing import signals

    return signals({"audio": {"speaker": r.audio[0, 0]}}, r.sample_rate, 0.1)
