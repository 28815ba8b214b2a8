import amp_lab as amp


def smooth(mode, cutoff_hz):
    g = amp.Graph(sample_rate=48_000, name="smooth")
    g.output(g.one_pole(g.input(samples=[0.0]), mode=mode, cutoff_hz=cutoff_hz))
    return g


filters = {
    f"{mode} {hz:g} Hz": smooth(mode, hz) for mode in ("lowpass", "highpass") for hz in (100.0, 1000.0)
}
for name, graph in filters.items():
    print(f"{name}: {amp.measure.frequency_response(graph).at(1000.0).item():.2f} dB at 1 kHz")


def picture():
    """6 dB per octave, either way."""
    from drawing import responses

    return responses(filters, "one_pole", low_db=-50.0)
