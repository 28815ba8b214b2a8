"""A player with the sound of a render: an excerpt that fits a budget, with a caption about its processing.

Samples are rounded to 16 bits without dither; full scale is 32,767. A sound with samples beyond full scale is
attenuated by a gain that the caption states; no sound is clipped or amplified.
"""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from amp_lab.analysis.clipping import Clipping, clipping
from amp_lab.analysis.signals import FloatArray
from amp_lab.errors import plain
from amp_lab.export.html_parts import stored_bytes
from amp_lab.options import Codec
from amp_lab.render.render import Render

EXCERPT_S = 60.0
"""Longest sound embedded in a page."""
PLAYED_HZ = (3_000, 768_000)
"""Sample rates that Chromium plays, lowest and highest."""
MAX_CHANNELS = 2
_FULL_SCALE = 32_767
_BLOCK_FRAMES = 4_096
_MP3_HZ = frozenset((8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000))

Pcm: TypeAlias = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Format:
    """How a sound is encoded: media type, names of libsndfile, and what the caption calls it."""

    media: str
    container: str
    subtype: str
    label: str


FORMATS: dict[Codec, Format] = {
    "flac": Format("audio/flac", "FLAC", "PCM_16", "FLAC, 16 bits, rounded without dither."),
    "wav": Format("audio/wav", "WAV", "PCM_16", "WAV, 16 bits, rounded without dither."),
    "mp3": Format("audio/mpeg", "MP3", "MPEG_LAYER_III", "MP3, lossy: not the samples of the render."),
}


def player(render: Render, batch: int, *, codec: Codec, budget: int | None = None) -> str:
    """Return the HTML of one player: at most `budget` bytes in a notebook's file and `EXCERPT_S` seconds.

    If browsers cannot play the sample rate, or not even a short excerpt fits, a sentence stands in its place.
    """
    _, channels, frames = render.audio.shape
    rate = round(render.sample_rate)
    if not PLAYED_HZ[0] <= rate <= PLAYED_HZ[1]:
        low, high = PLAYED_HZ
        return _instead(
            f"browsers play {low:,} to {high:,} Hz (got {render.sample_rate:,.6g} Hz). "
            "The samples are in .audio."
        )
    heard = render.audio[batch : batch + 1, :MAX_CHANNELS]
    state = clipping(heard)
    used = _usable(codec, rate)
    name = plain(render.name) + (f", batch {batch}" if render.audio.shape[0] > 1 else "")
    frame = _frame(name, FORMATS[used].media)
    # base64 makes four characters of three bytes; the caption and its tags are short
    most = None if budget is None else 3 * ((budget - stored_bytes(frame) - 1_000) // 4)
    longest = min(frames, round(EXCERPT_S * render.sample_rate))
    kept, data = encode(_pcm(heard[0, :, :longest], state.peak), rate, FORMATS[used], most)
    if not kept:
        return _instead(
            f"{longest / render.sample_rate:.3g} s do not fit into what is left of the display's budget. "
            "Raise options.display.total_bytes."
        )
    notes = [
        f"Batch {batch} of {render.audio.shape[0]:,}." if render.audio.shape[0] > 1 else "",
        _length_note(kept, frames, render.sample_rate),
        f"Channels 0 and 1 of {channels}." if channels > MAX_CHANNELS else "",
        _gain_note(state),
        FORMATS[used].label,
        f"This sample rate does not go into {codec.upper()}." if used != codec else "",
        f"Played at {rate:,} Hz: sound files hold whole rates." if rate != render.sample_rate else "",
        _nonfinite_note(state.nonfinite),
    ]
    caption = html.escape(" ".join(note for note in notes if note))
    return frame.format(data=base64.b64encode(data).decode("ascii"), caption=caption)


def encode(pcm: Pcm, rate: int, form: Format, most: int | None = None) -> tuple[int, bytes]:
    """Encode (frame, channel) samples; returns how many frames, from the first, fit into `most` bytes."""
    kept = pcm.shape[0]
    while kept > 0:
        written, data = _write(pcm[:kept], rate, form, most)
        if written == kept and (most is None or len(data) <= most):
            return kept, data
        kept = min(written, kept) - min(_BLOCK_FRAMES, kept)
    return 0, b""


def clipping_note(render: Render) -> str:
    """Return a note in red on samples beyond full scale: how many, and the first; "" if there are none."""
    state = clipping(render.audio)
    if not state.samples:
        return ""
    place = f"channel {state.channel}"
    if render.audio.shape[0] > 1:
        place = f"batch {state.batch}, {place}"
    return f'<p class="fault">{state.text}; the first is frame {state.frame:,} of {place}.</p>'


def _write(pcm: Pcm, rate: int, form: Format, most: int | None) -> tuple[int, bytes]:
    """Write block by block until more than `most` bytes are there; returns frames written and bytes."""
    buffer = io.BytesIO()
    written = 0
    with soundfile.SoundFile(
        buffer, "w", rate, pcm.shape[1], format=form.container, subtype=form.subtype
    ) as file:
        while written < pcm.shape[0] and (most is None or buffer.tell() <= most):
            file.write(pcm[written : written + _BLOCK_FRAMES])
            written = min(written + _BLOCK_FRAMES, pcm.shape[0])
    return written, buffer.getvalue()


def _usable(codec: Codec, rate: int) -> Codec:
    """Return the codec, or the one for rates that it cannot hold."""
    if codec == "mp3" and rate not in _MP3_HZ:
        return _usable("flac", rate)
    # FLAC frames give a rate in Hz up to 16 bits, and above in tens of Hz
    if codec == "flac" and rate > 65_535 and (rate % 10 or rate > 655_350):
        return "wav"
    return codec


def _pcm(sound: FloatArray, peak: float) -> Pcm:
    """Round (channel, frame) to 16 bits (frame, channel), lowered if its peak is beyond full scale."""
    finite = np.where(np.isfinite(sound), sound, 0.0)
    scaled = finite if peak <= 1.0 else finite / peak
    return np.ascontiguousarray(np.round(scaled * _FULL_SCALE).T.astype(np.int16))


def _length_note(kept: int, frames: int, sample_rate: float) -> str:
    if kept == frames:
        return ""
    return f"The first {kept / sample_rate:.3g} s of {frames / sample_rate:.3g} s."


def _gain_note(state: Clipping) -> str:
    if state.samples:
        return f"Peak {state.peak_db:+.1f} dBFS: played with gain {-state.peak_db:.1f} dB."
    if not state.peak:
        return "Gain 0 dB; silent."
    return f"Gain 0 dB, not normalised; peak {state.peak_db:.1f} dBFS."


def _nonfinite_note(samples: int) -> str:
    if not samples:
        return ""
    are = "sample is" if samples == 1 else "samples are"
    return f"{samples:,} non-finite {are} played as silence."


def _frame(name: str, media: str) -> str:
    """HTML with places for data and caption."""
    label = html.escape(f"Sound of {name}").replace("{", "{{").replace("}", "}}")
    return (
        f'<figure><audio controls preload="metadata" aria-label="{label}" '
        f'src="data:{media};base64,{{data}}"></audio><figcaption>{{caption}}</figcaption></figure>'
    )


def _instead(why: str) -> str:
    return f'<p class="fault">No player: {html.escape(why)}</p>'
