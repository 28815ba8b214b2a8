"""Write renders to sound files; the limits of a format are checked before a file is opened.

Integer formats get the nearest whole numbers (`amp_lab.lowlevel.quantize`: the library makes them, as all
samples), with dither if asked for. Pieces go straight to the file, so writing takes no memory that grows
with the length.
"""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from amp_lab import lowlevel
from amp_lab.common import atomic_files, checks
from amp_lab.errors import GraphError, quoted
from amp_lab.graph.records.values import Samples

FORMATS = {".wav": ("WAV", "DOUBLE"), ".flac": ("FLAC", "PCM_24")}
"""By suffix: the format of soundfile and its default sample format."""
INTEGERS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Sample formats that hold whole numbers, and their bits."""
FLOATS = {"FLOAT": 4, "DOUBLE": 8}
"""Sample formats that hold what is beyond full scale, and their bytes."""
MOST_WAV_BYTES = 2**32 - 2**16
"""Of samples in a plain WAV, whose header counts 32 bits; above it is an RF64."""
USUAL_HZ = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 384_000)
_FLOAT32_END = 2.0**128 - 2.0**103
"""From here on 32-bit floats round to Inf."""
_PIECE_VALUES = 2**18


@dataclass(frozen=True)
class Target:
    """A sound file that can be written, as far as that is known before the samples are.

    Attributes
    ----------
    container, subtype
        In the names of soundfile.
    seed
        Of the dither; None for none.
    """

    where: str
    path: Path
    container: str
    subtype: str
    rate: int
    channels: int
    frames: int
    seed: int | None


def target(
    where: str,
    path: str | Path,
    size: tuple[float, int, int],
    subtype: str | None = None,
    dither: object = False,
    seed: int = 0,
) -> Target:
    """Return where and how a sound file will be written.

    Parameters
    ----------
    where
        What errors begin with.
    size
        Sample rate in Hz, channels and frames.
    subtype, dither, seed
        As `Render.save` takes them.

    Raises
    ------
    GraphError
        If suffix, folder, sample format, rate, channels or length do not fit; nothing is touched.
    """
    sample_rate, channels, frames = size
    file = atomic_files.check(path, where)
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        got = f"got {quoted(file.name)}, allowed {' | '.join(FORMATS)}"
        raise GraphError(f"{where}: no such format ({got}). Name a file so.")
    form, default = FORMATS[suffix]
    allowed = sorted(soundfile.available_subtypes(form))
    chosen = checks.choice(
        f"{where}.subtype", default if subtype is None else subtype, allowed, f"subtype of {form}"
    )
    if sample_rate != int(sample_rate):
        raise GraphError(f"{where}: sound files hold whole rates (got {sample_rate} Hz). Render at one.")
    if not channels:
        raise GraphError(f"{where}: has no audio (got 0 channels). End the graph with g.output(node).")
    dither_seed = _dither(where, chosen, allowed, dither, seed)
    rate = int(sample_rate)
    container = _container(where, form, chosen, channels, frames)
    _check_limits(where, container, chosen, rate, channels)
    return Target(where, file, container, chosen, rate, channels, frames, dither_seed)


def write(
    where: str,
    path: str | Path,
    audio: Samples,
    sample_rate: float,
    *,
    batch: int | None = None,
    subtype: str | None = None,
    dither: object = False,
    seed: int = 0,
) -> Path:
    """Write one batch of samples (B, C, N) as `Render.save` does; errors begin with ``where``."""
    batches, channels, frames = audio.shape
    chosen = target(where, path, (sample_rate, channels, frames), subtype, dither, seed)
    which = _batch(where, batches, batch)
    data = audio[which]
    _check_samples(chosen, data)
    with atomic_files.replacing(chosen.path, where) as file, ThreadPoolExecutor(1, "amp_lab save") as thread:
        # Ctrl-C interrupts the main thread only: in a call of libsndfile it would be lost, with the call.
        sink = _Sink(file)
        try:
            thread.submit(_encode, sink, chosen, data, which).result()
        finally:
            sink.stopped = True
    return chosen.path


def of_batches(path: Path, batches: int) -> list[Path]:
    """Name one file, or with several batches one per batch: ``out_0.wav``, ``out_1.wav``."""
    if batches == 1 or not path.name:  # that of a folder is refused
        return [path]
    digits = len(str(batches - 1))
    return [path.with_stem(f"{path.stem}_{batch:0{digits}}") for batch in range(batches)]


# ---- what fits ----


def _dither(where: str, subtype: str, allowed: list[str], dither: object, seed: int) -> int | None:
    """Return the seed, None without dither."""
    seed = checks.whole(f"{where}.seed", seed, 0, 2**64 - 1)
    if dither is False or dither is None:
        return None
    if dither is not True and dither != "tpdf":
        raise GraphError(checks.unknown(f"{where}.dither", dither, ["True", "False", "tpdf"], "dither"))
    if subtype not in INTEGERS:
        integers = " | ".join(name for name in allowed if name in INTEGERS)
        raise GraphError(
            f"{where}.dither: only for whole numbers (got subtype {subtype}, allowed {integers}). "
            "Leave it out, or give such a subtype."
        )
    return seed


def _container(where: str, form: str, subtype: str, channels: int, frames: int) -> str:
    """Return RF64 for what is too long for a WAV."""
    of_each = FLOATS.get(subtype, INTEGERS.get(subtype, 8) // 8)
    size = channels * frames * of_each
    if form != "WAV" or size <= MOST_WAV_BYTES:
        return form
    if subtype not in soundfile.available_subtypes("RF64"):
        got = f"got {frames} frames x {channels} channels"
        raise GraphError(
            f"{where}: too long for WAV {subtype} ({got}). Save PCM_16 or another that RF64 has."
        )
    return "RF64"


def _check_limits(where: str, form: str, subtype: str, rate: int, channels: int) -> None:
    if _holds(form, subtype, rate, channels):
        return
    cure = "Save another format."
    most = 0
    while most + 1 < channels and _holds(form, subtype, rate, most + 1):
        most += 1
    if most:
        only = "1 channel" if most == 1 else f"1 to {most}"
        what, got, allowed = "so many channels", f"{channels}", only
    elif usual := [str(hz) for hz in USUAL_HZ if _holds(form, subtype, hz, channels)]:
        what, got, allowed = "this rate", f"{rate} Hz", f"for example {' | '.join(usual)}"
    else:
        got, allowed = (
            f"{channels} channels at {rate} Hz",
            f"what libsndfile {soundfile.__libsndfile_version__} writes",
        )
        what = "that"
    raise GraphError(f"{where}: {form} {subtype} does not hold {what} (got {got}, allowed {allowed}). {cure}")


@functools.cache
def _holds(form: str, subtype: str, rate: int, channels: int) -> bool:
    """Whether a frame that is written to memory has that rate and these channels when it is read."""
    memory = io.BytesIO()
    try:
        with soundfile.SoundFile(memory, "w", rate, channels, format=form, subtype=subtype) as file:
            file.write(np.zeros((1, channels), np.int32))
        memory.seek(0)
        with soundfile.SoundFile(memory) as file:
            return bool(file.samplerate == rate and file.channels == channels)
    except (soundfile.SoundFileError, AssertionError):
        return False


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


def _check_samples(chosen: Target, data: Samples) -> None:
    peak = 0.0
    for first, piece in _pieces(data):
        if not np.isfinite(piece).all():
            channel, frame = np.argwhere(~np.isfinite(piece))[0]
            raise GraphError(
                f"{chosen.where}: not finite (got {piece[channel, frame]} in channel {channel} "
                f"at frame {first + frame}). Render with nonfinite='raise' to find its node."
            )
        peak = max(peak, float(np.max(np.abs(piece), initial=0.0)))
    if peak > 1.0 and chosen.subtype not in FLOATS:
        raise GraphError(
            f"{chosen.path.name}: {chosen.subtype} would clip (got a peak of {peak:.9g}, allowed 1). "
            "Lower the gain or save a WAV of floating point."
        )
    if peak >= _FLOAT32_END and chosen.subtype == "FLOAT":
        raise GraphError(
            f"{chosen.path.name}: not finite in 32 bits (got a peak of {peak:g}, "
            f"allowed below {_FLOAT32_END:g}). Save subtype='DOUBLE'."
        )


# ---- writing ----


def _pieces(data: Samples) -> Iterator[tuple[int, Samples]]:
    """First frame and samples (channel, frame) of pieces that cost little."""
    step = max(1, _PIECE_VALUES // data.shape[0])
    for first in range(0, data.shape[1], step):
        yield first, data[:, first : first + step]


class _Sink:
    """The file as libsndfile sees it: an error is kept, as its calls cannot raise and it reports not all."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: Exception | None = None
        self.stopped = False

    def check(self) -> None:
        """Raise what went wrong so far."""
        if self.error is not None:
            raise self.error

    def write(self, data: bytes) -> int:
        self._do(lambda: self._file.write(data))
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._do(lambda: self._file.seek(offset, whence))

    def tell(self) -> int:
        return self._do(self._file.tell)

    def _do(self, step: Callable[[], int]) -> int:
        if self.error is None:
            try:
                return step()
            except Exception as error:
                self.error = error
        return 0


def _encode(sink: _Sink, chosen: Target, data: Samples, batch: int) -> None:
    try:
        with soundfile.SoundFile(
            sink, "w", chosen.rate, chosen.channels, format=chosen.container, subtype=chosen.subtype
        ) as sound:
            for first, piece in _pieces(data):
                sound.write(_numbers(chosen, piece, first, batch) if chosen.subtype in INTEGERS else piece.T)
                sink.check()
                if sink.stopped:
                    return
    except soundfile.LibsndfileError as error:
        sink.check()
        got = f"got {quoted(str(chosen.path), 240)}: {error.error_string.removesuffix('.')}"
        raise GraphError(
            f"{chosen.where}: cannot be written ({got}). Name a file that you may write."
        ) from None
    sink.check()  # what was written when it was closed


def _numbers(chosen: Target, piece: Samples, first_frame: int, batch: int) -> Any:
    """Whole numbers (frame, channel) in the upper bits, of which libsndfile takes those of the format."""
    numbers = np.empty(piece.T.shape, np.int32)
    for channel, samples in enumerate(piece):
        lowlevel.quantize(
            np.ascontiguousarray(samples),
            numbers[:, channel],
            INTEGERS[chosen.subtype],
            dither=chosen.seed is not None,
            seed=chosen.seed or 0,
            stream=(batch << 32) + channel,
            first_frame=first_frame,
        )
    return numbers
