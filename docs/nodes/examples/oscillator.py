import amp_lab as amp

frames = 1 << 16
exact_hz, _ = amp.measure.exact_frequency(2489.0, 48_000, frames)
saws = {}
for quality in ("naive", "blep2", "blep4"):
    g = amp.Graph(sample_rate=48_000, name="saw")
    g.output(g.oscillator(waveform="saw", quality=quality, frequency_hz=exact_hz, amplitude=0.5))
    saws[quality] = g.render(frames=frames).audio[0, 0]
    print(f"{quality}: alias {amp.measure.alias_energy(saws[quality], exact_hz, 48_000):.0f} dB")


def picture():
    """Between the harmonics lies what folds back at half the sample rate, less with every quality."""
    from drawing import spectra

    return spectra({f"saw of 2489 Hz, {name}": saw for name, saw in saws.items()}, 48_000, 24_000.0)
