"""The workbench in the browser: one widget is one model and one view (``docs/design/widgets.md``)."""

from amp_lab.widgets.editor import Editor
from amp_lab.widgets.live import Live
from amp_lab.widgets.panel import Panel
from amp_lab.widgets.scope import Scope
from amp_lab.widgets.spectra import Spectrogram, Spectrum
from amp_lab.widgets.thermo import Thermo
from amp_lab.widgets.timeline import Timeline
from amp_lab.widgets.workbench import Workbench

__all__ = ["Editor", "Live", "Panel", "Scope", "Spectrogram", "Spectrum", "Thermo", "Timeline", "Workbench"]
