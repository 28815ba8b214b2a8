"""References as sound files, to be listened to and opened with anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from amp_lab.common import checks
from amp_lab.errors import quoted
from amp_lab.export import sound_file

from . import folders
from .cases import case_of, no_such_case
from .verdict import GoldenError

SUFFIX = ".wav"


@checks.keywords
def export(name: str, path: str | Path, *, goldens: str | Path | None = None) -> list[Path]:
    """Write the reference of a case to WAV files, every bit of it.

    The samples are 32-bit floats if these hold them exactly, else 64-bit floats.

    Parameters
    ----------
    name : str
        Folder below `goldens/`.
    path : path
        Of the file, which ends with `.wav`. Of several batches each gets one: `ref_0.wav`, `ref_1.wav`, ...
    goldens : path, optional
        See `folders.find`.

    Returns
    -------
    list of Path
        The files, one per batch.

    Raises
    ------
    GoldenError
        No such case, or a path that is none of a WAV file.
    FileError
        A file of the case was changed after it was blessed, or cannot be read.
    GraphError
        The sample rate is not whole, or the file cannot be written.

    Examples
    --------
    >>> g = amp.Graph(name="beep")
    >>> out = g.output(g.sine())
    >>> case = amp.golden.store("beep", g.render(frames=480), reason="first", graph=g)
    >>> [path.name for path in amp.golden.export("beep", "beep.wav")]
    ['beep.wav']
    """
    where = f"golden.export({quoted(name)})"
    case = case_of(folders.find(goldens), name)
    if not case.exists():
        raise GoldenError(f"{where}: {no_such_case(case)}")
    if Path(path).suffix.lower() != SUFFIX:
        got = f"got {quoted(Path(path).name)}, allowed {SUFFIX}, which holds every bit"
        raise GoldenError(f"{where}: no such format ({got}). Name a WAV file.")
    blessed = case.load()
    batches, channels, frames = blessed.samples.shape
    rate = float(blessed.manifest["render"]["sample_rate"])
    subtype = "FLOAT" if _fits_in_32_bits(blessed.samples) else "DOUBLE"
    targets = sound_file.of_batches(Path(path), batches)
    for target in targets:
        sound_file.target(where, target, (rate, channels, frames), subtype)
    return [
        sound_file.write(where, target, blessed.samples, rate, batch=batch, subtype=subtype)
        for batch, target in enumerate(targets)
    ]


def _fits_in_32_bits(samples: npt.NDArray[np.float64]) -> bool:
    with np.errstate(over="ignore", under="ignore"):
        again = samples.astype(np.float32).astype(np.float64)
    return bool(np.array_equal(again.view(np.uint64), samples.view(np.uint64)))
