"""Pure functions from data to Matplotlib figures; pyplot state is neither used nor changed."""

from amp_lab.plots.compare import difference
from amp_lab.plots.delay_view import delays
from amp_lab.plots.graph import graph
from amp_lab.plots.heat import thermo
from amp_lab.plots.loudness_curves import loudness
from amp_lab.plots.responses import harmonics, response, system_response
from amp_lab.plots.schedule import timeline
from amp_lab.plots.spectra import spectrogram, spectrum, spectrum_of
from amp_lab.plots.style import png, register_in_notebook
from amp_lab.plots.wave import waveform

__all__ = [
    "delays",
    "difference",
    "graph",
    "harmonics",
    "loudness",
    "png",
    "response",
    "spectrogram",
    "spectrum",
    "spectrum_of",
    "system_response",
    "thermo",
    "timeline",
    "waveform",
]

register_in_notebook()
