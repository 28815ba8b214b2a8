import amp_lab as amp


def band(half_length):
    g = amp.Graph(sample_rate=48_000, name="band")
    source = g.input(samples=[0.0])
    mode, corners = "bandpass", {"cutoff_hz": 500.0, "upper_hz": 4000.0}
    g.output(g.fir(source, mode=mode, half_length=half_length, stopband_db=80.0, **corners))
    return g


lengths = {f"half_length {n}": band(n) for n in (64, 256, 1024)}
for name, graph in lengths.items():
    print(f"{name}: latency {graph.compile().latency_frames} frames")


def picture():
    """Longer filters are steeper, and later by half their length."""
    from drawing import responses

    return responses(lengths, "fir, bandpass 500 Hz to 4 kHz", low_db=-110.0)
