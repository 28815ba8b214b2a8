import numpy as np

import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="mid_side")
left, right = g.sine(frequency_hz=200.0, name="left"), g.sine(frequency_hz=300.0, name="right")
g.output(g.matrix_mix(left, right, matrix=[[0.5, 0.5], [0.5, -0.5]], name="ms"))
r = g.render(seconds=0.1, taps=["left", "right"])
mid, side = r.audio[0]
print(r.audio.shape, "mid + side is left:", np.allclose(mid + side, r.taps["left"][0, 0]))


def picture():
    """Left and right in, middle and side out: two rows, two columns."""
    from drawing import signals

    ends = {name: r.taps[name][0, 0] for name in ("left", "right")}
    return signals({"in": ends, "out": {"mid": mid, "side": side}}, r.sample_rate, 0.03)
