import numpy as np

import amp_lab as amp

frames = 1 << 16
exact_hz, _ = amp.measure.exact_frequency(1255.0, 48_000, frames)
tone = np.sin(2 * np.pi * exact_hz * np.arange(frames) / 48_000)

g = amp.Graph(sample_rate=48_000, name="folded")
g.output(g.wavefolder(g.input(samples=tone, name="tone"), drive=4.0))
folded = {
    "sample by sample": np.abs((4.0 * tone + 3.0) % 4.0 - 2.0) - 1.0,
    "wavefolder": g.render(frames=frames).audio[0, 0],
}
for name, samples in folded.items():
    print(f"{name}: alias {amp.measure.alias_energy(samples, exact_hz, 48_000):.1f} dB")


def picture():
    """A folded sine of 1255 Hz has harmonics every 2.5 kHz; every other line is alias."""
    from drawing import spectra

    return spectra(folded, 48_000, 24_000.0)
