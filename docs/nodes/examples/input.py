import numpy as np

import amp_lab as amp

t = np.arange(9_600) / 48_000
pluck = np.exp(-t / 0.04) * np.sin(2 * np.pi * 220.0 * t)  # any array, or the path of a WAV or FLAC file

g = amp.Graph(sample_rate=48_000, name="player")
g.output(g.safety(g.input(samples=pluck, name="pluck")))
r = g.render(seconds=0.3, taps=["pluck"])
print(bool((r.taps["pluck"][0, 0, :9_600] == pluck).all()), r.taps["pluck"][0, 0, 9_600:].any())


def picture():
    """The samples, bit for bit, and silence behind their end."""
    from drawing import signals

    return signals({"pluck": {"pluck": r.taps["pluck"][0, 0]}}, r.sample_rate, 0.3)
