import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="fm")
modulator = g.sine(frequency_hz=220.0, amplitude=600.0, name="modulator")
carrier = g.sine(frequency_hz=880.0, amplitude=0.5, name="carrier")
g.modulate(modulator, carrier.frequency_hz, mode="add", scale=1.0)
g.output(carrier)
r = g.render(frames=1 << 16)
print(f"peak {r.peak:.3f}")


def picture():
    """Frequency modulation: side bands every 220 Hz around 880 Hz, and nothing between."""
    from drawing import spectra

    return spectra({"sine at 880 Hz, frequency moved by ± 600 Hz": r.audio[0, 0]}, 48_000, 5000.0)
