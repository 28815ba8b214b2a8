"""Sound files that are written: nearest numbers, dither, limits of formats, an old file that stays whole."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import systems
from interrupts import lines_run

import amp_lab as amp
from amp_lab.common import atomic_files
from amp_lab.export import html_report, sound_file
from amp_lab.graph.records import sound_reader

resource = systems.module("resource")

OLD = b"the old file"
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
Floats = npt.NDArray[np.float64]


def write(data: Floats, path: Path, rate: int = 48_000, **options: Any) -> Path:
    """Save (B, C, N) samples as a render of them is saved."""
    return sound_file.write("tone.save", path, data, float(rate), **options)


def save(data: Floats, path: Path, subtype: str | None = None, **options: Any) -> Path:
    """Save (C, N) samples."""
    return write(data[None], path, subtype=subtype, **options)


def hard(bits: int) -> Floats:
    """Two channels: noise, ties between all kinds of numbers, and full scale."""
    noise = np.random.default_rng(7).uniform(-1.0, 1.0, 5000)
    step, most = 2.0 ** (1 - bits), min(500, 2 ** (bits - 1))
    whole = np.arange(-most, most) * step
    ties = whole + 0.5 * step
    near = np.concatenate([np.nextafter(ties, 9), np.nextafter(ties, -9), whole])
    ends = np.array([-1.0, 1.0, 1 - step, 1 - 0.5 * step, -1 + 0.5 * step, 0.0, -0.0, 1e-300, -1e-300])
    values = np.concatenate([noise, ties, near, ends])
    return np.stack([values, -values[::-1]])


def nearest(data: Floats, bits: int) -> Floats:
    """Whole numbers by numpy's own rounding."""
    scale = 2.0 ** (bits - 1)
    return np.clip(np.rint(data * scale), -scale, scale - 1)


# ---- null tests ----


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
def test_a_wav_holds_the_nearest_numbers(tmp_path: Path, subtype: str) -> None:
    """Read by Python's own `wave`: ties go to the even number, full scale to the largest one."""
    bits = BITS[subtype]
    data = hard(bits)
    with wave.open(str(save(data, tmp_path / "a.wav", subtype))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 48_000, bits // 8)
        raw = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, bits // 8)
    wide = np.zeros((len(raw), 8), np.uint8)
    wide[:, 8 - bits // 8 :] = raw
    numbers = wide.view("<i8")[:, 0] >> (64 - bits) if bits > 8 else raw[:, 0].astype(np.int64) - 128
    assert np.array_equal(numbers.reshape(-1, 2).T, nearest(data, bits))


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_a_flac_holds_the_nearest_numbers(tmp_path: Path, subtype: str) -> None:
    """The same numbers as a WAV of that width."""
    data = hard(BITS[subtype])
    read = soundfile.read(save(data, tmp_path / "a.flac", subtype), dtype="int32")[0].T
    assert np.array_equal(read >> (32 - BITS[subtype]), nearest(data, BITS[subtype]))


def test_floating_point_keeps_what_it_can(tmp_path: Path) -> None:
    """64 bits keep every bit, 32 the nearest value; what is beyond full scale too."""
    data = 3.0 * hard(24)
    for subtype, kind in (("DOUBLE", "<f8"), ("FLOAT", "<f4")):
        raw = save(data, tmp_path / "a.wav", subtype).read_bytes()
        held = np.frombuffer(raw[raw.index(b"data") + 8 :], kind).reshape(-1, 2).T
        assert np.array_equal(held, data.astype(kind))


def test_what_would_be_infinite_is_refused(tmp_path: Path) -> None:
    """The largest value that rounds to a finite one is written, the next one is not."""
    end = 2.0**128 - 2.0**103
    data = np.array([[0.0, np.nextafter(end, 0.0), -1e38]])
    save(data, tmp_path / "a.wav", "FLOAT")
    for value in (end, -end, 1e300):
        (tmp_path / "b.wav").write_bytes(OLD)
        with pytest.raises(amp.GraphError, match=r"b\.wav: not finite in 32 bits .*Save subtype='DOUBLE'"):
            save(np.array([[0.0, value]]), tmp_path / "b.wav", "FLOAT")
        assert (tmp_path / "b.wav").read_bytes() == OLD
        save(np.array([[0.0, value]]), tmp_path / "b.wav", "DOUBLE")


# ---- dither ----


def errors(data: Floats, path: Path, subtype: str, **options: Any) -> Floats:
    """What saving adds, in steps of the format."""
    read = soundfile.read(save(data, path, subtype, **options), always_2d=True)[0].T
    return (read - data) * 2.0 ** (BITS[subtype] - 1)


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "PCM_16"), ("a.wav", "PCM_24"), ("a.flac", "PCM_16")]
)
def test_dither_makes_the_error_independent_of_the_signal(tmp_path: Path, name: str, subtype: str) -> None:
    """Mean 0 and variance 1/4 step^2 for every constant and for a sine below one step; no two alike.

    Tolerances: five deviations of the mean (0.5 / sqrt(n)), variance and correlation over n samples.
    """
    n, step = 100_000, 2.0 ** (1 - BITS[subtype])
    tiny = 0.4 * np.sin(2 * np.pi * 0.01 * np.arange(n))
    data = step * np.stack([np.zeros(n), np.full(n, 0.25), np.full(n, 0.5), np.full(n, -7.3), tiny])
    error = errors(data, tmp_path / name, subtype, dither=True)
    far = 5 / np.sqrt(n)
    assert np.all(np.abs(error.mean(axis=1)) < 0.5 * far)
    assert np.all(np.abs(error.var(axis=1) - 0.25) < 0.4 * far)
    assert np.abs(error).max() < 1.5
    against = np.corrcoef(np.concatenate([error, error[:1, ::-1], [tiny], np.roll(error[:1], 1)]))
    assert np.abs(against - np.eye(len(against))).max() < far
    plain = errors(data, tmp_path / name, subtype)
    assert abs(np.corrcoef(plain[4], tiny)[0, 1]) > 0.99  # without dither the sine is lost, and is the error


def test_dither_is_triangular(tmp_path: Path) -> None:
    """A constant x between two steps is rounded up and down as often as two uniform numbers predict."""
    n = 200_000
    for x in (0.0, 0.5):
        data = np.full((1, n), x * 2.0**-15)
        numbers = soundfile.read(save(data, tmp_path / "a.wav", "PCM_16", dither="tpdf"), dtype="int16")[0]
        got = [float(np.mean(numbers == k)) for k in (-1, 0, 1)]
        # areas of the triangle on (-1, 1) that round to -1, 0 and 1
        want = [1 / 8, 3 / 4, 1 / 8] if x == 0.0 else [0.0, 0.5, 0.5]
        assert np.allclose(got, want, atol=0.005)  # five deviations of a share of n


def test_dither_has_the_same_bits_everywhere(tmp_path: Path) -> None:
    """A seed names the noise; another seed, channel or batch has another; pieces do not show."""
    data = np.zeros((2, 3 * sound_file._PIECE_VALUES // 4))
    first = soundfile.read(save(data, tmp_path / "a.wav", "PCM_16", dither=True, seed=5), dtype="int16")[0]
    again = soundfile.read(save(data, tmp_path / "b.flac", "PCM_16", dither="tpdf", seed=5), dtype="int16")[0]
    other = soundfile.read(save(data, tmp_path / "c.wav", "PCM_16", dither=True, seed=6), dtype="int16")[0]
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first[:12].T.tolist() == DITHER_5
    both, form = np.zeros((2, 1, 1000)), {"subtype": "PCM_16", "dither": True, "seed": 5}
    one, two = (soundfile.read(write(both, tmp_path / "d.wav", batch=batch, **form))[0] for batch in (0, 1))
    assert not np.array_equal(one, two)


def splitmix(seed: int, channel: int, frames: int) -> list[int]:
    """Dithered zeros by an independent formula."""
    mask = 2**64 - 1

    def mix(x: int) -> int:
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    start = mix((mix(seed) + channel * 0x8CB92BA72F3D8DD7) & mask)
    bits = [mix((start + n * 0x9E3779B97F4A7C15) & mask) for n in range(frames)]
    return [round(((b >> 32) - (b & 0xFFFFFFFF)) * 2.0**-32) for b in bits]


DITHER_5 = [splitmix(5, channel, 12) for channel in (0, 1)]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.wav", {"dither": True}, r"dither: only for whole numbers \(got subtype DOUBLE, allowed PCM_16"),
        ("a.wav", {"dither": True, "subtype": "FLOAT"}, "only for whole numbers"),
        ("a.wav", {"dither": True, "subtype": "ULAW"}, "only for whole numbers"),
        ("a.flac", {"dither": "rpdf"}, r"no such dither \(got 'rpdf', allowed True \| False \| tpdf\)"),
        ("a.flac", {"dither": 1}, "no such dither"),
        ("a.flac", {"dither": True, "seed": -1}, r"seed: not allowed \(got -1"),
        ("a.flac", {"dither": True, "seed": 2**64}, "seed: not allowed"),
        ("a.flac", {"dither": True, "seed": 0.5}, "seed: not allowed"),
    ],
)
def test_dither_that_makes_no_sense(tmp_path: Path, name: str, options: dict[str, Any], said: str) -> None:
    """Only whole numbers are dithered."""
    with pytest.raises(amp.GraphError, match=rf"^tone\.save\..*{said}"):
        save(np.zeros((1, 8)), tmp_path / name, **options)
    assert not os.listdir(tmp_path)


# ---- limits of formats ----


@pytest.mark.parametrize(
    ("name", "subtype", "channels", "rate", "said"),
    [
        ("a.flac", None, 9, 48_000, r"FLAC PCM_24 does not hold so many channels \(got 9, allowed 1 to 8\)"),
        ("a.flac", "PCM_16", 2, 700_000, r"this rate \(got 700000 Hz, allowed for example 8000 \| .*48000"),
        ("a.flac", None, 1, 66_001, r"FLAC PCM_24 does not hold this rate \(got 66001 Hz"),
        ("a.wav", "IMA_ADPCM", 3, 48_000, r"WAV IMA_ADPCM .*so many channels \(got 3, allowed 1 to 2\)"),
        ("a.wav", "MS_ADPCM", 5, 48_000, r"so many channels \(got 5, allowed 1 to 2\)"),
        ("a.wav", "GSM610", 2, 8_000, r"so many channels \(got 2, allowed 1 channel\)"),
        ("a.wav", "G721_32", 2, 8_000, r"so many channels \(got 2, allowed 1 channel\)"),
        ("a.wav", "PCM_16", 1025, 48_000, r"so many channels \(got 1025, allowed 1 to 1024\)"),
        ("a.wav", "MPEG_LAYER_III", 1, 48_000, r"does not hold that .*what libsndfile .* writes"),
        ("a.wav", "VORBIS", 1, 48_000, r"subtype: no such subtype of WAV \(got 'VORBIS'"),
        ("a.wav", 16, 1, 48_000, r"subtype: no such subtype of WAV \(got 16"),
    ],
)
def test_what_a_format_does_not_hold_is_known_before_it_is_opened(
    tmp_path: Path, name: str, subtype: Any, channels: int, rate: int, said: str
) -> None:
    """The sentence names the limit; the old file is whole."""
    (tmp_path / name).write_bytes(OLD)
    with pytest.raises(amp.GraphError, match=rf"^tone\.save.*{said}"):
        write(np.zeros((1, channels, 100)), tmp_path / name, rate, subtype=subtype)
    assert (tmp_path / name).read_bytes() == OLD and os.listdir(tmp_path) == [name]


def test_every_rate_and_width_that_is_accepted_comes_back(tmp_path: Path) -> None:
    """Documented formats can be written: FLAC has rates above 65535 Hz in steps of ten only."""
    for rate in (1, 8_000, 65_535, 65_540, 96_000, 192_000, 655_350):
        for name in ("a.wav", "a.flac"):
            written = write(np.zeros((1, 2, 300)), tmp_path / name, rate)
            assert soundfile.info(written).samplerate == rate


# ---- more than 4 GiB ----


def test_what_is_too_long_for_a_wav_header_becomes_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is that of 32 bits; what the other kind cannot hold is refused."""
    most = sound_file.MOST_WAV_BYTES
    assert 2**32 - 2**20 < most < 2**32 - 16 * 1024 - 100  # the largest header has 1024 channels of peaks
    for subtype, size in {"DOUBLE": 8, "FLOAT": 4, "PCM_32": 4, "PCM_24": 3, "PCM_16": 2, "ULAW": 1}.items():
        fits = most // (2 * size)
        container = [sound_file._container("x", "WAV", subtype, 2, fits + more) for more in (0, 1)]
        assert container == ["WAV", "RF64"]
    with pytest.raises(amp.GraphError, match="x: too long for WAV IMA_ADPCM"):
        sound_file._container("x", "WAV", "IMA_ADPCM", 1, 2**33)
    assert sound_file._container("x", "FLAC", "PCM_24", 8, 2**33) == "FLAC"
    monkeypatch.setattr(sound_file, "MOST_WAV_BYTES", 1000)
    data = hard(16)[:, :900]
    path = save(data, tmp_path / "long.wav")
    assert path.read_bytes()[:4] == b"RF64" and soundfile.info(path).format == "RF64"
    assert np.array_equal(sound_reader.read("x", path, 48_000.0)[0], data)


@pytest.mark.long
def test_a_wav_of_more_than_4_gib_reads_back_whole(tmp_path: Path) -> None:
    """RF64: 64-bit sizes in its header, every sample where it belongs, as a sound file and as an input."""
    frames = 2**29 + 12_345
    if os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize < 3 * 8 * frames:
        pytest.skip("no 13 GiB of free disk here: no WAV of more than 4 GiB written")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 8 * frames)
    data = np.memmap(tmp_path / "sparse", np.float64, "r+", shape=(1, 1, frames))
    marks = {0: 0.25, 2**29 - 1: -0.5, 2**29: 0.75, frames - 1: 1e-9}
    for frame, value in marks.items():
        data[0, 0, frame] = value
    path = write(data, tmp_path / "long.wav")
    with open(path, "rb") as file:
        head = file.read(80)
    assert head[:4] == b"RF64" and head[12:16] == b"ds64"
    riff, size, held = struct.unpack("<QQQ", head[20:44])
    assert riff == path.stat().st_size - 8 and size == 8 * frames and held == frames
    first = 0
    for piece in soundfile.blocks(path, 2**22):
        assert np.array_equal(piece, data[0, 0, first : first + len(piece)])
        first += len(piece)
    assert first == frames
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if free < 1.3 * 8 * frames:
        pytest.skip("no 6 GiB of free memory here: written and read in pieces, but not as an input")
    with pytest.raises(amp.FileError, match="too long"):  # for a graph from elsewhere
        sound_reader.read("x", path, 48_000.0)
    g = amp.Graph(name="long")
    read = g.input(samples=path).record.samples
    assert read.shape == (1, 1, frames) and all(read[0, 0, n] == value for n, value in marks.items())


# ---- nothing is lost ----


@contextmanager
def file_limit(most: int) -> Iterator[None]:
    """No file may grow beyond this number of bytes, as with ``ulimit -f``."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


KINDS = [
    *(("a.wav", s) for s in ("PCM_16", "PCM_24", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    *(("a.wav", s) for s in ("G721_32", "NMS_ADPCM_24")),
    *(("a.flac", s) for s in ("PCM_S8", "PCM_16", "PCM_24")),
]


@pytest.mark.parametrize(("name", "subtype"), KINDS)
def test_a_disk_that_is_full_at_any_byte_leaves_the_old_file(tmp_path: Path, name: str, subtype: str) -> None:
    """Also if libsndfile writes the last bytes while it closes the file, without reporting the error."""
    path = tmp_path / name
    data = 0.8 * np.sin(0.05 * np.arange(9000))[None]
    size = save(data, path, subtype).stat().st_size
    for most in [*range(0, size, max(1, size // 40)), *range(size - 9, size)]:
        path.write_bytes(OLD)
        with (
            file_limit(most),
            pytest.raises(amp.FileError, match=r"^tone\.save: .*a\.\w+': File too large\)"),
        ):
            save(data, path, subtype)
        assert path.read_bytes() == OLD and os.listdir(tmp_path) == [name]
    with file_limit(size):
        assert save(data, path, subtype).stat().st_size == size


@pytest.mark.skipif(not systems.is_root(), reason="only root can mount a small disk")
def test_a_small_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A real one, of 64 KiB, with its error; a smaller sound fits afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        g = amp.Graph(name="tone")
        g.output(g.gain(g.sine(frequency_hz=441.0), gain=0.9))
        r = g.render(frames=100_000, isolation="none")
        for name in ("a.wav", "a.flac", "a.json", "a.html"):
            (disk / name).write_bytes(OLD)
        big = amp.ControlHistory([amp.Curve("x", np.arange(20_000.0), np.arange(20_000.0) / 3)])
        for action in (
            lambda: r.save(disk / "a.wav"),
            lambda: r.save(disk / "a.flac", dither=True),
            lambda: big.save(disk / "a.json"),
            lambda: html_report.html_report(r, disk / "a.html"),
        ):
            with pytest.raises(amp.FileError, match="No space left on device"):
                action()
        assert {(disk / name).read_bytes() for name in os.listdir(disk)} == {OLD}
        assert len(os.listdir(disk)) == 4
        g.render(frames=500, isolation="none").save(disk / "a.wav")
        assert soundfile.info(disk / "a.wav").frames == 500
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITERS = (sound_file, atomic_files)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_before_any_line_of_a_save_loses_nothing(tmp_path: Path) -> None:
    """The old or the new sound is complete, no other file is left, and the next save works."""
    path, data = tmp_path / "a.flac", hard(16)
    new = save(data, path, "PCM_16").read_bytes()
    total = lines_run(lambda: save(data, path, "PCM_16"), WRITERS)
    assert total > 100
    for stop_at in range(1, total + 1, 3):
        path.write_bytes(OLD)
        with suppress(KeyboardInterrupt):
            lines_run(lambda: save(data, path, "PCM_16"), WRITERS, stop_at)
            pytest.fail("it was not interrupted")
        assert path.read_bytes() in (OLD, new) and os.listdir(tmp_path) == ["a.flac"], stop_at
    assert save(data, path, "PCM_16").read_bytes() == new


def test_ctrl_c_while_samples_are_written_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real signal in a long save: the rest is not written, the old file is whole."""
    path, pieces = tmp_path / "a.wav", []
    path.write_bytes(OLD)
    numbers = sound_file._numbers

    def slow(*arguments: Any) -> Any:
        pieces.append(1)
        if len(pieces) == 3:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        while len(pieces) >= 3 and not interrupted.wait(0.01):
            pass
        return numbers(*arguments)

    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: (interrupted.set(), signal.default_int_handler(2, None)))
    monkeypatch.setattr(sound_file, "_numbers", slow)
    monkeypatch.setattr(sound_file, "_PIECE_VALUES", 100)
    try:
        with pytest.raises(KeyboardInterrupt):
            save(np.zeros((1, 100_000)), path, "PCM_16")
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(pieces) < 900 and path.read_bytes() == OLD and os.listdir(tmp_path) == ["a.wav"]


# ---- memory ----

COSTS = """
import sys
import numpy as np
from pathlib import Path
from amp_lab.export import sound_file
from amp_lab.graph.records import sound_reader
folder, frames = Path(sys.argv[1]), int(sys.argv[2])
def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
def write(name, data, subtype, **more):
    sound_file.write("x.save", folder / name, data, 48_000.0, subtype=subtype, **more)
write("small.wav", np.zeros((1, 2, 300_000)), "DOUBLE")
write("small.flac", np.zeros((1, 2, 300_000)), "PCM_16", dither=True)
sound_reader.read("x", folder / "small.flac", 48_000.0)
before = peak()
if sys.argv[3] == "write":
    data = np.full((1, 2, frames), 0.3)
    write("a.wav", data, "DOUBLE")
    write("b.wav", data, "PCM_24", dither=True)
    write("a.flac", data, "PCM_16", dither=True)
else:
    data = sound_reader.read("x", folder / sys.argv[3], 48_000.0)
print((peak() - before) / data.nbytes)
"""


@pytest.mark.parametrize("frames", [2**22, pytest.param(2**25, marks=pytest.mark.long)])
def test_a_long_file_costs_little_more_than_its_samples(tmp_path: Path, frames: int) -> None:
    """Written or read: at most 1.2 times its float64 size, all that is resident counted."""

    def cost(what: str) -> float:
        command = [sys.executable, "-P", "-c", COSTS, str(tmp_path), str(frames), what]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout)

    found = {"write": cost("write")}
    for name in ("a.wav", "b.wav", "a.flac"):
        found[name] = cost(name)
    with open(tmp_path / "a.flac", "r+b") as file:  # a stream, whose header has no length
        file.seek(21)
        byte = file.read(1)[0]
        file.seek(21)
        file.write(bytes([byte & 0xF0, 0, 0, 0, 0]))
    found["unknown length"] = cost("a.flac")
    print(found)
    assert min(found.values()) > 0.9, "it was not measured"
    assert max(found.values()) <= 1.2, found
