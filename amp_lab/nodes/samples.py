"""Samples for ``input`` nodes, from arrays or audio files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amp_lab.errors import GraphError, ShapeError, quoted
from amp_lab.model import NodeRecord
from amp_lab.nodes.builder import SAMPLES_DOC
from amp_lab.values import Samples, numbers


def from_array(where: str, array: npt.ArrayLike) -> Samples:
    """Bring (B, C, N), (C, N) or (N,) to a read-only (B, C, N)."""
    data = numbers(f"{where}.samples", array, SAMPLES_DOC)
    if not 1 <= data.ndim <= 3 or not data.size:
        raise ShapeError(
            f"{where}.samples: wrong shape (got {data.shape}, allowed (B, C, N), (C, N) or (N,), not empty)."
        )
    return data[(None,) * (3 - data.ndim)]


def from_file(where: str, path: str | Path, sample_rate: float) -> Samples:
    """Read an audio file as (1, C, N).

    Raises
    ------
    GraphError
        If the file cannot be read or its rate differs from the graph's.
    """
    import soundfile  # noqa: PLC0415 - only files need it

    try:
        data, rate = soundfile.read(str(path), dtype="float64", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise GraphError(
            f"{where}.samples: cannot read {quoted(str(path), 240)} ({error}). Give a WAV or FLAC file."
        ) from error
    if rate != sample_rate:
        raise GraphError(
            f"{where}.samples: sample rate differs "
            f"(got {rate:g} Hz in {quoted(str(path), 240)}, the graph has {sample_rate:g} Hz). "
            "Resample the file or make the graph with its rate."
        )
    return from_array(where, np.ascontiguousarray(data.T))


def resolve(
    record: NodeRecord, params: Mapping[str, Any], sample_rate: float
) -> tuple[dict[str, Any], Samples | None]:
    """Return what ``samples=`` or ``source=`` among the parameters of an ``input`` node mean.

    Returns
    -------
    tuple
        The parameters with ``channels`` and ``source`` that belong to the samples, and the samples.

    Raises
    ------
    GraphError
        If ``channels`` is given too and differs from the samples.
    """
    rest = {key: value for key, value in params.items() if key != "samples"}
    given = params.get("samples")
    given = rest.get("source") if given is None else given
    if given is None:
        return rest, record.samples
    if isinstance(given, str) and not given:
        return rest, None
    is_file = isinstance(given, str | Path)
    data = from_file(record.name, given, sample_rate) if is_file else from_array(record.name, given)
    channels = data.shape[1]
    if rest.get("channels", channels) != channels:
        raise GraphError(
            f"{record.name}.channels: differs from the samples "
            f"(got {rest['channels']}, the samples have {channels}). Leave it out.",
            node=record.name,
        )
    return rest | {"channels": channels, "source": str(given) if is_file else ""}, data


def of(record: NodeRecord, sample_rate: float) -> Samples:
    """Return the samples an ``input`` node plays.

    Raises
    ------
    GraphError
        If none were given.
    """
    if record.samples is not None:
        return record.samples
    source = record.values.get("source")
    if not source:
        raise GraphError(
            f"{record.name}: has no samples. Give it some: node.set(samples=array or path).", node=record.name
        )
    return from_file(record.name, str(source), sample_rate)
