"""Pictures of widgets and displays in both themes: ``python docs/screenshots.py`` takes them (chromium)."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "pictures"
sys.path.insert(0, str(DOCS.parent / "tests"))

from browser.lab import Book, Lab, chromium  # noqa: E402

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
COLOURS = 256
PLAIN = ".jp-NotebookPanel-toolbar, .jp-Cell-inputWrapper, .jp-OutputPrompt { display: none !important; }"
FIRST = """
import amp_lab as amp
g = amp.Graph(sample_rate=48_000, name="first")
voice = g.oscillator(waveform="saw", frequency_hz=110.0, name="voice")
lfo = g.lfo(rate_hz=5.0)
flt = g.svf(voice, mode="lowpass", cutoff_hz=900.0, q=2.0, name="flt")
g.modulate(lfo, flt.cutoff_hz, mode="multiply", offset=1.0, scale=0.4)
echo = g.mix(flt, name="echo")
back = g.gain(echo, gain=0.45, name="back")
g.connect(back, echo, delay_frames=9600)
g.output(echo)
e = amp.editor(g, height=520)
e.show(g.render(seconds=1.0, heat=True))
e.selection = ["flt"]
"""
README = (DOCS.parent / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("\nr  # ")[0]
"""The code of the front page, up to the render that it displays."""
THREE = """
import amp_lab as amp
g = amp.presets.three_osc()
r = g.render(seconds=10.0, heat=True)
g["flt"].set(q=6.0)
r2 = g.render(seconds=10.0)
"""
ECHO = """
import amp_lab as amp
g = amp.Graph(sample_rate=48_000, name="echo_guard")
saw = g.oscillator(waveform="saw", frequency_hz=110.0, name="saw")
echo = g.mix(g.fir(saw, half_length=32, name="eq"), name="echo")
damp = g.one_pole(echo, cutoff_hz=3000.0, name="damp")
g.connect(g.gain(damp, gain=0.5, name="back"), echo, delay_frames=60)
total = g.mix(g.gain(saw, gain=0.2, name="dry"), name="sum")
g.connect(g.lookahead_limiter(echo, lookahead_s=0.001, name="limit"), total, gates=["exit"])
g.connect("dry", g.one_pole(cutoff_hz=10.0, name="meter"), gates=["exit"])
g.output(total, name="out")
"""
CHORD = """
import amp_lab as amp
g = amp.Graph(sample_rate=48_000, name="chord")
notes = [g.sine(frequency_hz=f, name=f"note_{f:.0f}") for f in (220.0, 275.0, 330.0)]
g.output(g.pan(g.gain(g.mix(*notes), gain=0.2), position=-0.2))
"""
STILL = """(live) => {
  const { node, context } = live.engine;
  const say = node.port.onmessage;
  const ring = { flowing: true, underruns: 0, silent: 0, fill: 0.078 * context.sampleRate };
  let count = 0;
  node.port.onmessage = ({ data }) => {
    const low = (0.06 + 0.004 * Math.sin((count += 1))) * context.sampleRate;
    say({ data: { ...data, ...ring, low } });
  };
}"""
"""How full the ring is depends on what else the machine does: the picture shows a calm one."""


@dataclass(frozen=True)
class Scene:
    """A widget or display in a notebook: name, code, what shows it, what says it is painted.

    ``click`` is where to click first, ``still`` what keeps it from moving, called with the widget's element,
    ``root`` its class if that is not made of the name, ``size`` that of the page.
    """

    name: str
    code: str
    show: str
    ready: str
    wait_ms: int = 500
    click: str = ""
    still: str = ""
    root: str = ""
    size: tuple[int, int] = (1320, 1000)

    @property
    def place(self) -> str:
        """Selector of its root."""
        return self.root or f".amp-{self.name}"


SCENES = (
    Scene("render", README, "r", ".amp-report img", root=".amp-report", size=(1480, 1200)),
    Scene("editor", FIRST, "e", ".amp-editor[data-ready]"),
    Scene("panel", THREE, "amp.panel(g, seconds=2.0, height=640)", ".amp-panel[data-digest]"),
    Scene("scope", THREE, "amp.scope({'q = 2': r, 'q = 6': r2})", ".amp-scope[data-span]"),
    Scene("spectrum", THREE, "amp.spectrum({'q = 2': r, 'q = 6': r2})", ".amp-spectrum[data-ready]"),
    Scene("spectrogram", THREE, "amp.spectrogram(r)", ".amp-spectrogram[data-ready]"),
    Scene("thermo", THREE, "amp.thermo(r)", ".amp-thermo[data-ready]"),
    Scene(
        "timeline",
        ECHO,
        "amp.timeline(g.render(seconds=0.2, trace=True), tab='delays')",
        ".amp-timeline[data-ready=delays]",
    ),
    Scene("live", CHORD, "amp.live(g)", ".amp-live[data-state=live]", 7000, "[aria-label=Start]", STILL),
    Scene("workbench", THREE, "amp.lab(g, seconds=4.0)", ".amp-workbench .amp-scope[data-span]", 1500),
)


def take(lab: Lab, browser: Browser, scene: Scene) -> Iterator[tuple[str, Image.Image]]:
    """Yield the file name and the picture of a scene, for each theme."""
    lab.write(scene.name, [scene.code, scene.show])
    book = lab.open(browser, scene.name)
    book.page.set_viewport_size({"width": scene.size[0], "height": scene.size[1]})
    book.page.add_style_tag(content=PLAIN)
    book.run_all()
    if scene.click:
        book.page.locator(f"{scene.place} {scene.click}").evaluate("(button) => button.click()")
    book.page.wait_for_selector(scene.ready)
    if scene.still:
        book.page.locator(scene.place).evaluate(scene.still)
    for short, theme in THEMES.items():
        book.theme(theme)
        yield f"{scene.name}_{short}.png", shot(book, scene)
    assert book.errors == []
    book.close()


def shot(book: Book, scene: Scene) -> Image.Image:
    """One picture of the widget, once nothing moves any more."""
    book.page.mouse.move(2, 2)
    book.page.wait_for_timeout(scene.wait_ms)
    png = book.page.locator(scene.place).screenshot()
    return Image.open(io.BytesIO(png)).convert("RGB")


def main(names: list[str]) -> None:
    """Take the pictures of the named scenes, or of all."""
    path = chromium()
    if path is None:
        sys.exit("screenshots: no chromium on this machine. Install it (Debian: apt install chromium).")
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for scene in SCENES:
            if names and scene.name not in names:
                continue
            for name, picture in take(lab, browser, scene):
                small = picture.quantize(  # large areas keep their colour to the bit
                    COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE
                )
                small.save(PICTURES / name, optimize=True)
                print(f"{name}: {(PICTURES / name).stat().st_size / 1e3:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
