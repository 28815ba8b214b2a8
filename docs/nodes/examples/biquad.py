import amp_lab as amp


def shelf(**design):
    g = amp.Graph(sample_rate=48_000, name="tone_control")
    g.output(g.biquad(g.input(samples=[0.0]), **design))
    return g


bands = {
    "low shelf, -9 dB": shelf(design="lowshelf", cutoff_hz=150.0, gain_db=-9.0),
    "peak, +9 dB": shelf(design="peak", cutoff_hz=1500.0, q=2.0, gain_db=9.0),
    "high shelf, +6 dB": shelf(design="highshelf", cutoff_hz=6000.0, gain_db=6.0),
    "notch": shelf(design="notch", cutoff_hz=600.0, q=3.0),
}
response = amp.measure.frequency_response(bands["peak, +9 dB"])
print(f"{response.at(1500.0).item():.2f} dB at 1500 Hz")


def picture():
    """Four of the designs, each measured with an impulse."""
    from drawing import responses

    return responses(bands, "biquad, four designs", low_db=-30.0)
