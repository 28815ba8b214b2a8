"""Sound files: renders written, samples read; everything is checked before it is opened or believed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from amp_lab import atomic_files, checks, regular_files
from amp_lab.errors import FileError, GraphError, plain, quoted
from amp_lab.values import Samples

if TYPE_CHECKING:
    from amp_lab.render import Render

FORMATS = {".wav": ("WAV", "DOUBLE"), ".flac": ("FLAC", "PCM_24")}
"""By suffix: the format of soundfile and its default sample format."""
HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS")
"""First bytes of the files that are read: WAV, RF64, AIFF, FLAC, Ogg."""
MOST_BYTES = 4096 * regular_files.MIB
"""Of a sound file."""
MOST_VALUES = 2**28
"""Samples of all channels that the files of one graph hold: 2 GiB, 46 minutes in stereo at 48 kHz."""
MOST_CHANNELS = 1024
_CHUNK_VALUES = 2**20
_CURE = "Give a WAV or FLAC file."


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file read from its start to its end; those of unknown length can only be read so."""

    def seekable(self) -> bool:
        return False


def read(where: str, path: str | Path, sample_rate: float, most_values: int = MOST_VALUES) -> Samples:
    """Return the samples of a sound file, read-only, (1, C, N).

    The header is believed up to ``most_values``; a file of unknown length is read until there.

    Raises
    ------
    FileError
        If it is no regular sound file, has another rate, is too long, or ends before its header says.
    """
    head = f"{where}: cannot read {plain(path, 200)!r}"
    with regular_files.opened(path, MOST_BYTES, _CURE, head) as stream:
        kind = stream.read(4)
        if kind not in HEADS:
            got = f"got the first bytes {kind!r}, allowed WAV, RF64, AIFF, FLAC or Ogg"
            raise FileError(f"{head}: no sound file of a known kind ({got}). {_CURE}")
        os.lseek(stream.fileno(), 0, os.SEEK_SET)
        try:
            with _Forward(stream.fileno(), closefd=False) as file:
                _check_header(where, path, file, sample_rate, most_values)
                return _unpacked(head, file, most_values)
        except soundfile.SoundFileError as error:
            what = getattr(error, "error_string", "") or "damaged."
            raise FileError(f"{head}: {what} {_CURE}") from None


def _check_header(
    where: str, path: str | Path, file: soundfile.SoundFile, sample_rate: float, most_values: int
) -> None:
    shown = repr(plain(path, 200))
    if file.samplerate != sample_rate:
        raise FileError(
            f"{where}: sample rate differs "
            f"(got {file.samplerate:g} Hz in {shown}, the graph has {sample_rate:g} Hz). "
            "Resample the file or make the graph with its rate."
        )
    if file.channels > MOST_CHANNELS:
        allowed = f"allowed {MOST_CHANNELS}"
        raise FileError(f"{where}: too many channels (got {file.channels} in {shown}, {allowed}). Drop some.")
    if file.frames != _UNKNOWN and file.frames * file.channels > most_values:
        raise _too_long(f"{where}: {shown}", file.frames, file.channels, most_values)


def _too_long(where: str, frames: object, channels: int, most_values: int) -> FileError:
    got = f"got {frames} frames x {channels} channels"
    return FileError(f"{where}: too long ({got}, allowed {most_values} samples in all). Cut the file.")


def _unpacked(head: str, file: soundfile.SoundFile, most_values: int) -> Samples:
    """Read piece by piece, so that what is unpacked is counted before there is more of it."""
    pieces: list[Samples] = []
    frames, step = 0, max(1, _CHUNK_VALUES // file.channels)
    while (piece := file.read(step, dtype="float64", always_2d=True)).size:
        frames += len(piece)
        if frames * file.channels > most_values:
            raise _too_long(head, f"more than {frames - len(piece)}", file.channels, most_values)
        pieces.append(np.ascontiguousarray(piece.T))
    if file.frames not in (frames, _UNKNOWN):
        cure = "It is damaged: copy it again."
        raise FileError(
            f"{head}: ends too early (got {frames} frames, its header says {file.frames}). {cure}"
        )
    if not frames:
        raise FileError(f"{head}: empty (got no samples). {_CURE}")
    whole = np.empty((1, file.channels, frames))
    while pieces:  # from the end, each given back when it is copied
        piece = pieces.pop()
        whole[0, :, frames - piece.shape[1] : frames] = piece
        frames -= piece.shape[1]
    whole.flags.writeable = False
    return whole


_UNKNOWN = 2**63 - 1
"""What libsndfile says where a FLAC does not know its length."""


def write(render: Render, path: str | Path, batch: int | None, subtype: str | None) -> Path:
    """Do what `Render.save` says."""
    where = f"{render.name}.save"
    target = atomic_files.check(path, where)
    if target.suffix.lower() not in FORMATS:
        raise GraphError(
            f"{where}: no such format (got {quoted(target.name)}, allowed {' | '.join(FORMATS)}). "
            "Name a file so."
        )
    form, default = FORMATS[target.suffix.lower()]
    chosen = _subtype(where, form, default if subtype is None else subtype)
    if render.sample_rate != int(render.sample_rate):
        raise GraphError(
            f"{where}: sound files hold whole rates (got {render.sample_rate} Hz). Render at one."
        )
    data = render.audio[_batch(where, render.audio.shape[0], batch)]
    if not data.shape[0]:
        raise GraphError(f"{where}: has no audio (got 0 channels). End the graph with g.output(node).")
    _check_samples(where, target, chosen, data)
    rate, channels = int(render.sample_rate), data.shape[0]
    try:
        with (
            atomic_files.replacing(target, where) as file,
            soundfile.SoundFile(
                file.fileno(), "w", rate, channels, format=form, subtype=chosen, closefd=False
            ) as sound,
        ):
            sound.write(data.T)
    except soundfile.LibsndfileError as error:
        got = f"{quoted(str(target), 240)}: {error.error_string}"
        raise GraphError(f"{where}: cannot be written (got {got}). Name a file that you may write.") from None
    return target


def _subtype(where: str, form: str, given: str) -> str:
    allowed = soundfile.available_subtypes(form)
    if given not in allowed:
        raise GraphError(checks.unknown(f"{where}.subtype", given, sorted(allowed), f"subtype of {form}"))
    return given


def _batch(where: str, batches: int, given: int | None) -> int:
    if given is None:
        if batches != 1:
            raise GraphError(f"{where}: has {batches} batches. Choose one with batch=.")
        return 0
    if checks.whole(f"{where}.batch", given) >= batches:
        raise GraphError(
            f"{where}.batch: no such batch (got {given}, allowed 0 to {batches - 1}). Use one of these."
        )
    return given


def _check_samples(where: str, target: Path, subtype: str, data: Samples) -> None:
    bad = np.argwhere(~np.isfinite(data))
    if bad.size:
        channel, frame = bad[0]
        raise GraphError(
            f"{where}: not finite (got {data[channel, frame]} in channel {channel} at frame {frame}). "
            "Render with nonfinite='raise' to find its node."
        )
    peak = float(np.max(np.abs(data), initial=0.0))
    if peak > 1.0 and subtype not in ("DOUBLE", "FLOAT"):
        raise GraphError(
            f"{target.name}: {subtype} would clip (got a peak of {peak:g}, allowed 1). "
            "Lower the gain or save a WAV."
        )
