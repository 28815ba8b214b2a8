import amp_lab as amp


def filtered(**params):
    g = amp.Graph(sample_rate=48_000, name="filter")
    g.output(g.svf(g.input(samples=[0.0]), cutoff_hz=1000.0, **params))
    return g


shapes = {f"lowpass, q = {q:g}": filtered(mode="lowpass", q=q) for q in (0.7071, 2.0, 8.0)}
shapes |= {f"{mode}, q = 2": filtered(mode=mode, q=2.0) for mode in ("bandpass", "highpass", "notch")}
for name, graph in shapes.items():
    print(f"{name}: {amp.measure.frequency_response(graph).at(4000.0).item():.1f} dB at 4 kHz")


def picture():
    """All modes at 1 kHz, the lowpass with three resonances."""
    from drawing import responses

    return responses(shapes, "svf, cutoff 1 kHz")
