"""References can be opened with plain tools: as WAV, and with NumPy alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import amp_lab as amp
from amp_lab import golden
from amp_lab.cli import commands as cli
from amp_lab.golden import codec, contents

CONTRACT = Path(__file__).parents[1] / "docs" / "contracts" / "goldens.md"


def store(root: Path, samples: Any, rate: float = 48_000.0) -> None:
    """Store samples (B, C, N) as a case."""
    g = amp.Graph(sample_rate=rate, name="given")
    g.output(g.input(samples=samples))
    render = g.render(frames=samples.shape[-1], batches=samples.shape[0], isolation="none")
    golden.store("given", render, reason="r", graph=g, goldens=root)


def samples_64(batches: int = 1) -> Any:
    """Return samples that 32 bits do not hold."""
    return np.random.default_rng(1).uniform(-2.0, 2.0, (batches, 2, 5000))


def whole(path: Path) -> tuple[Any, str]:
    """Return samples (C, N) and sample format of a file."""
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T, soundfile.info(path).subtype


def test_an_exported_reference_has_every_bit(tmp_path: Path) -> None:
    """64-bit floats where they are needed, beyond full scale too."""
    samples = samples_64()
    store(tmp_path, samples)
    assert golden.export("given", tmp_path / "ref.wav", goldens=tmp_path) == [tmp_path / "ref.wav"]
    data, subtype = whole(tmp_path / "ref.wav")
    assert data.tobytes() == samples[0].tobytes() and subtype == "DOUBLE"


def test_32_bits_are_enough_for_some(tmp_path: Path) -> None:
    """Samples that 32-bit floats hold exactly are written as such, with the signs of zeros."""
    samples = samples_64().astype(np.float32).astype(np.float64)
    samples[0, 0, :2] = -0.0, 2.0**-149
    store(tmp_path, samples)
    golden.export("given", tmp_path / "ref.wav", goldens=tmp_path)
    data, subtype = whole(tmp_path / "ref.wav")
    assert data.tobytes() == samples[0].tobytes() and subtype == "FLOAT"


def test_each_batch_has_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their number is before the suffix, and the command prints their paths."""
    samples = samples_64(11)
    store(tmp_path, samples)
    command = ["golden", "export", "given", "-o", str(tmp_path / "ref.wav"), "--goldens", str(tmp_path)]
    assert cli.main(command) == cli.OK
    paths = [tmp_path / f"ref_{batch:02}.wav" for batch in range(11)]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    for path, batch in zip(paths, samples, strict=True):
        assert whole(path)[0].tobytes() == batch.tobytes()


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    """Another format, no such case, a name that is none, no such folder, a rate that is not whole."""
    store(tmp_path, samples_64(), rate=44_100.5)
    with pytest.raises(golden.GoldenError, match=r"export\('given'\): no such format \(got 'a\.flac'"):
        golden.export("given", tmp_path / "a.flac", goldens=tmp_path)
    with pytest.raises(golden.GoldenError, match=r"givn: no such case .* Did you mean 'given'\?"):
        golden.export("givn", tmp_path / "a.wav", goldens=tmp_path)
    with pytest.raises(golden.GoldenError, match="no name of a folder"):
        golden.export("../given", tmp_path / "a.wav", goldens=tmp_path)
    with pytest.raises(amp.GraphError, match=r"golden\.export\('given'\): no folder"):
        golden.export("given", tmp_path / "none" / "a.wav", goldens=tmp_path)
    with pytest.raises(amp.GraphError, match=r"whole rates \(got 44100\.5 Hz\)"):
        golden.export("given", tmp_path / "a.wav", goldens=tmp_path)
    (tmp_path / "given" / "sums.txt").write_text("other")
    with pytest.raises(amp.FileError, match=r"sums\.txt was changed after it was blessed"):
        golden.export("given", tmp_path / "a.wav", goldens=tmp_path)
    assert not list(tmp_path.glob("*.wav"))


@pytest.mark.parametrize("order", range(4))
def test_numpy_alone_opens_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    """What the contract shows gives every bit, however often differences were taken."""
    steady = np.cumsum(np.full((2, 2, 3000), 1e-9), axis=-1)
    samples = [samples_64(2), np.sin(np.arange(12_000.0) * 1e-3).reshape(2, 2, -1), steady, steady * 0.5][
        order
    ]
    samples[0, 0, :3] = -0.0, -1e-310, 1e300
    folder = tmp_path / "goldens" / "wind"
    folder.mkdir(parents=True)
    monkeypatch.setattr(codec, "_ORDERS", [order])
    (folder / contents.REFERENCE).write_bytes(codec.encode("wind", samples, {}))
    (shown,) = re.findall(r"```python\n(import numpy.*?)```", CONTRACT.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(shown, names)
    assert names["order"] == order and "amp_lab" not in shown
    assert names["samples"].tobytes() == samples.tobytes() and names["samples"].shape == samples.shape
