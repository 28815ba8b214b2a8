"""Names that lower rooms import by text exist, and accept the arguments that are passed."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import amp_lab as amp
from amp_lab.common import provided


def test_everything_that_was_provided_is_there() -> None:
    """Each place names a function."""
    assert all(callable(provided.provided(name)) for name in provided._places)


def test_measurements_draw_themselves() -> None:
    """``plot()`` of every record that has one gives a figure."""
    x, rate = amp.analysis.tone(24_000, 48_000.0, 1000.0), 48_000.0
    records = (
        amp.analysis.power_spectrum(x, rate),
        amp.analysis.harmonic_distortion(x, rate),
        amp.analysis.transfer(np.eye(1, 512)[0], rate),
        amp.analysis.ebu_r128(x, rate),
        amp.measure.system_response(lambda y: y, sample_rate=rate),
    )
    for record in records:
        assert isinstance(record.plot(), Figure)


def test_a_name_that_was_not_provided() -> None:
    """Is a mistake in the library, and the error names it."""
    with pytest.raises(KeyError, match=r"nothing\.plot"):
        provided.provided("nothing.plot")
