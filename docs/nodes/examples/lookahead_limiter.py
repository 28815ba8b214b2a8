import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="loud")
swell = g.gain(g.sine(frequency_hz=300.0), name="swell")
bursts = g.lfo(shape="square", rate_hz=12.0, depth=0.6, offset=0.8)
g.modulate(bursts, swell.gain, mode="multiply")
g.output(g.lookahead_limiter(swell, lookahead_s=0.005, ceiling=0.5, release_s=0.05, name="limit"))
r = g.render(seconds=0.25, taps=["swell"])
print(f"in {abs(r.taps['swell']).max():.2f}, out {r.peak:.2f}, latency {r.latency_frames} frames")


def picture():
    """The gain has fallen when the burst arrives; both lines are in phase although the node looks ahead."""
    from drawing import signals

    return signals({"limiter": {"in": r.taps["swell"][0, 0], "out": r.audio[0, 0]}}, r.sample_rate, 0.25)
