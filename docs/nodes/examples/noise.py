import numpy as np

import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="hiss")
g.output(g.noise(amplitude=0.5, seed=7, channels=2))
r = g.render(seconds=2.0)
print(f"rms {r.audio.std():.3f}, between channels {np.corrcoef(r.audio[0])[0, 1]:.3f}")
print(g.render(seconds=2.0, block_frames=33).digest == r.digest)


def picture():
    """A millisecond of two channels: independent, and the same in every render."""
    from drawing import signals

    return signals({"noise": {f"channel {c}": r.audio[0, c] for c in (0, 1)}}, r.sample_rate, 0.001)
