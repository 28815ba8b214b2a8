import numpy as np

import amp_lab as amp

t = np.arange(24_000) / 48_000
wild = 0.4 + (0.5 + 2.0 * ((t > 0.1) & (t < 0.2))) * np.sin(2 * np.pi * 100.0 * t)  # DC, and a burst

g = amp.Graph(sample_rate=48_000, name="guarded")
g.output(g.safety(g.input(samples=wild, name="wild"), ceiling=1.0, release_s=0.05, dc_block_hz=5.0))
r = g.render(seconds=0.5, taps=["wild"])
print(f"in {abs(wild).max():.2f}, out {r.peak:.2f}")


def picture():
    """The offset drifts away, and the burst stays within the ceiling from its first frame on."""
    from drawing import signals

    return signals({"safety": {"in": r.taps["wild"][0, 0], "out": r.audio[0, 0]}}, r.sample_rate, 0.5)
