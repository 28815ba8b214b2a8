"""Pure functions from data to matplotlib figures. None keeps or touches pyplot state."""

from amp_lab.plots.compare import difference
from amp_lab.plots.delay_view import delays
from amp_lab.plots.graph import graph
from amp_lab.plots.heat import thermo
from amp_lab.plots.loudness_curves import loudness
from amp_lab.plots.schedule import timeline
from amp_lab.plots.spectra import spectrogram, spectrum
from amp_lab.plots.style import png, register_in_notebook
from amp_lab.plots.wave import waveform

__all__ = [
    "delays",
    "difference",
    "graph",
    "loudness",
    "png",
    "spectrogram",
    "spectrum",
    "thermo",
    "timeline",
    "waveform",
]

register_in_notebook()
