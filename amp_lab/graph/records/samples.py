"""Samples for ``input`` nodes, from arrays or audio files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from amp_lab import catalog
from amp_lab.catalog.builder import BOUND
from amp_lab.common import arrays, regular_files
from amp_lab.common.arrays import Scale
from amp_lab.errors import GraphError, ShapeError, quoted
from amp_lab.graph.records.model import NodeRecord
from amp_lab.graph.records.values import Samples, frozen

MOST_CHANNELS = 1024
"""Most channels of a node."""


def from_array(where: str, array: Any, scale: Scale = None) -> Samples:
    """Return (B, C, N), (C, N) or (N,) as float64 (B, C, N) with contiguous frames, copied only if needed."""
    data = arrays.samples(f"{where}.samples", array, scale)
    if not 1 <= data.ndim <= 3:
        raise ShapeError(
            f"{where}.samples: wrong shape (got {data.shape}, allowed (B, C, N), (C, N) or (N,)). "
            "Give frames on the last axis."
        )
    return np.ascontiguousarray(data[(None,) * (3 - data.ndim)])


def resolve(
    record: NodeRecord, params: Mapping[str, Any], sample_rate: float
) -> tuple[dict[str, Any], Samples | None]:
    """Return the samples that ``samples=``, ``scale=`` and ``source=`` of an ``input`` node stand for.

    Returns
    -------
    tuple
        The parameters, with ``channels`` and ``source`` set to those of the samples; and the samples or None.

    Raises
    ------
    GraphError
        If ``channels`` is given too and differs from the samples.
    """
    rest = {key: value for key, value in params.items() if key not in BOUND}
    given, scale = params.get("samples"), params.get("scale")
    if scale is not None and (given is None or isinstance(given, str | Path)):
        raise GraphError(
            f"{record.name}.scale: belongs to an array of samples (got scale={quoted(scale)} and "
            f"{'no samples' if given is None else 'a file, which has its own full scale'}). Leave it out.",
            node=record.name,
        )
    if given is None:
        given = rest.get("source")
        if given is None or not isinstance(given, str | Path):  # the check of ``source`` refuses other kinds
            return rest, record.samples
    if isinstance(given, str) and not given:
        return rest, None
    from amp_lab.graph.records import sound_reader  # noqa: PLC0415 - only files need it

    is_file = isinstance(given, str | Path)
    data = (
        sound_reader.read(f"{record.name}.samples", given, sample_rate, sound_reader.MOST_OWN_VALUES)
        if is_file
        else frozen(from_array(record.name, given, scale))
    )
    if not data.size:
        raise ShapeError(
            f"{record.name}.samples: empty (got shape {data.shape}, allowed 1 frame or more). "
            "Leave samples= out for an input of a session."
        )
    channels, key = data.shape[1], catalog.contract(record.type).channels_param
    asked = rest.get(key, channels)
    if asked != channels:
        hint = arrays.TRANSPOSED if asked == data.shape[2] != 1 else ""
        raise GraphError(
            f"{record.name}.{key}: differs from the samples "
            f"(got {quoted(asked)}, the samples have {channels}). {hint or 'Leave it out.'}",
            node=record.name,
        )
    if key not in rest and record.values.get(key) != channels:
        is_possible = channels <= MOST_CHANNELS
        cure = f"If it has {channels} channels write {key}={channels}." if is_possible else ""
        arrays.check_not_transposed(f"{record.name}.samples", data.shape, cure)
    return rest | {key: channels, "source": os.path.abspath(given) if is_file else ""}, data


def of(records: Iterable[NodeRecord], sample_rate: float, folders: Iterable[str]) -> dict[str, Samples]:
    """Return the samples that ``input`` nodes play, by name of the node.

    Sound files that a loaded graph names are read now, if they lie below one of ``folders``; their total size
    is limited. Sound files that the user named in Python were read then.

    Raises
    ------
    GraphError
        If a node has no samples; `FileError` if its file is not allowed or cannot be read.
    """
    from amp_lab.graph.records import sound_reader  # noqa: PLC0415 - only files need it

    found: dict[str, Samples] = {}
    left = sound_reader.MOST_VALUES
    for record in records:
        source, data = record.values.get("source"), record.samples
        if data is None and not source:
            raise GraphError(
                f"{record.name}: has no samples (got none, allowed an array or a path). "
                "Write node.set(samples=...).",
                node=record.name,
            )
        if data is None:
            where = f"{record.name}.samples"
            data = sound_reader.read(
                where, regular_files.inside(where, str(source), folders), sample_rate, left
            )
            left -= data.size
        found[record.name] = data
    return found


def without_place(record: NodeRecord) -> NodeRecord:
    """Return the record without the path of its sound file, so that plans do not depend on the path."""
    if "source" not in record.values:
        return record
    values = {key: value for key, value in record.values.items() if key != "source"}
    return replace(record, values=values)
