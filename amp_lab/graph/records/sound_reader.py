"""Read sound files; sizes in a header are checked before memory is allocated for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from amp_lab.common import regular_files
from amp_lab.errors import FileError, plain
from amp_lab.graph.records.values import Samples

HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS")
"""First bytes of the kinds of files that can be read: WAV, RF64, AIFF, FLAC, Ogg."""
MOST_BYTES = 2**36
"""Most bytes of a sound file."""
MOST_VALUES = 2**28
"""Most samples of all sound files that a loaded graph names: 2 GiB, 46 minutes in stereo at 48 kHz."""
MOST_OWN_VALUES = 2**33
"""Most samples of a sound file that the user names in Python."""
MOST_CHANNELS = 1024
_PIECE_VALUES = 2**18
_CURE = "Give a WAV or FLAC file."


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read from start to end; files of unknown length cannot be read otherwise."""

    def seekable(self) -> bool:
        return False


def read(where: str, path: str | Path, sample_rate: float, most_values: int = MOST_VALUES) -> Samples:
    """Return the samples of a sound file, read-only, (1, C, N).

    A file whose header announces more than ``most_values`` samples is refused; one of unknown length is read
    up to that number.

    Raises
    ------
    FileError
        If it is not a regular sound file, has another sample rate, is too long, or is shorter than its
        header.
    """
    head = f"{where}: cannot read {plain(path, 200)!r}"
    with regular_files.opened(path, MOST_BYTES, _CURE, head) as stream:
        kind = stream.read(4)
        if kind not in HEADS:
            got = f"got the first bytes {kind!r}, allowed WAV, RF64, AIFF, FLAC or Ogg"
            raise FileError(f"{head}: not a sound file of a known kind ({got}). {_CURE}")
        try:
            with _from_start(stream) as file:
                _check_header(where, path, file, sample_rate, most_values)
                known = file.frames != _UNKNOWN
                frames = file.frames if known else _counted(head, file, most_values)
            with _from_start(stream) as file:
                return _unpacked(head, file, frames)
        except soundfile.SoundFileError as error:
            what = getattr(error, "error_string", "") or "damaged."
            raise FileError(f"{head}: {what} {_CURE}") from None


def _from_start(stream: BinaryIO) -> _Forward:
    os.lseek(stream.fileno(), 0, os.SEEK_SET)
    return _Forward(stream.fileno(), closefd=False)


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


def _counted(head: str, file: soundfile.SoundFile, most_values: int) -> int:
    """Return the length of a file without one in its header: decode it once and keep no samples."""
    piece, frames = _piece(file), 0
    while count := len(file.read(out=piece)):
        if (frames + count) * file.channels > most_values:
            raise _too_long(head, f"more than {frames}", file.channels, most_values)
        frames += count
    return frames


def _unpacked(head: str, file: soundfile.SoundFile, frames: int) -> Samples:
    """Return the samples, decoded piece by piece, so that there is one copy of the whole in memory."""
    if not frames:
        raise FileError(f"{head}: empty (got no samples). {_CURE}")
    try:
        whole = np.empty((1, file.channels, frames))
    except MemoryError:
        got = f"got {frames} frames x {file.channels} channels"
        raise FileError(f"{head}: does not fit into memory ({got}). Cut the file.") from None
    piece, done = _piece(file), 0
    while count := len(file.read(min(len(piece), frames - done), out=piece)):
        whole[0, :, done : done + count] = piece[:count].T
        done += count
    if done != frames:
        cure = "It is damaged: copy it again."
        raise FileError(f"{head}: ends too early (got {done} frames, its header says {frames}). {cure}")
    whole.flags.writeable = False
    return whole


def _piece(file: soundfile.SoundFile) -> Samples:
    return np.empty((max(1, _PIECE_VALUES // file.channels), file.channels))


_UNKNOWN = 2**63 - 1
"""Length that libsndfile reports for a FLAC file without a length in its header."""
