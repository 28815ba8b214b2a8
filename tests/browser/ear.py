"""Records what a page plays: a worklet of the tests receives everything that goes to a speaker."""

from __future__ import annotations

from typing import Any

import numpy as np

from browser.lab import Book

LISTEN = """() => {
  if (window.ear) return;
  const ear = window.ear = {contexts: 0, all: []};
  ear.open = () => ear.all.filter((context) => context.state !== 'closed').length;
  const text = `registerProcessor('ear', class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.size = 2 * sampleRate; this.keep = new Float32Array(this.size); this.at = 0;
      Object.assign(this, {frames: 0, silent: 0, run: 0, peak: 0, last: 0, step: 0, before: 0, bad: 0});
      this.port.onmessage = ({data}) => {
        const {frames, silent, peak, last, step, bad} = this;
        const from = this.at + this.size - sampleRate;
        const samples = data !== 'samples' ? null
          : Float32Array.from({length: sampleRate}, (_, i) => this.keep[(from + i) % this.size]);
        this.port.postMessage({frames, silent, peak, last, step, bad, samples});
        if (data === 'clear') Object.assign(this, {frames: 0, silent: 0, peak: 0, step: 0});
      };
    }
    process([input]) {
      const x = input[0];
      for (let i = 0; x && i < x.length; i += 1) {
        const size = Math.abs(x[i]);
        if (!Number.isFinite(x[i])) this.bad += 1;
        this.run = size < 1e-6 ? this.run + 1 : 0;
        if (this.run === 16) this.silent += 16; else if (this.run > 16) this.silent += 1;
        if (this.run === 0) this.last = (currentFrame + i) / sampleRate;
        this.peak = Math.max(this.peak, size);
        this.step = Math.max(this.step, Math.abs(x[i] - this.before));
        this.before = x[i];
        this.keep[this.at] = x[i]; this.at = (this.at + 1) % this.size;
      }
      this.frames += x ? x.length : 0;
      return true;
    }
  })`;
  const Plain = window.AudioContext;
  window.AudioContext = class extends Plain {
    constructor(...options) {
      super(...options);
      ear.contexts += 1; ear.all.push(this);
      const url = URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
      this.ready = this.audioWorklet.addModule(url);
    }
  };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to === this.context.destination && this.context.ready) {
      this.context.ready.then(() => {
        const first = {channelCount: 1, channelCountMode: 'explicit', channelInterpretation: 'discrete'};
        const node = new AudioWorkletNode(this.context, 'ear', first);
        connect.call(this, node);
        Object.assign(ear, {node, context: this.context});
      });
    }
    return connect.call(this, to, ...rest);
  };
}"""
TRIES = 15
ASK = """(what) => Promise.race([
  new Promise((done) => {
    ear.node.port.onmessage = ({data}) => done({...data, samples: data.samples && [...data.samples]});
    ear.node.port.postMessage(what);
  }),
  new Promise((done) => setTimeout(() => done(null), 2000)),
])"""


def listen(book: Book) -> None:
    """Record every AudioContext that the page makes from now on."""
    book.page.evaluate(LISTEN)


def heard(book: Book, what: str = "") -> dict[str, Any]:
    """Counts since the last ``clear``: frames, silent ones (16 in a row and more), peak, largest step."""
    found: dict[str, Any] = book.page.evaluate(ASK, what)
    assert found is not None, "the ear does not answer"
    return found


def samples(book: Book, *, silent: bool = False) -> Any:
    """One second as it was played, without gaps unless silence is expected; it may need several tries."""
    for _ in range(TRIES):
        heard(book, "clear")
        book.page.wait_for_timeout(1100)
        found = heard(book, "samples")
        if silent or (found["silent"] == 0 and found["frames"] > 48_000):
            break
    return np.array(found["samples"])


def pitch_hz(sound: Any, sample_rate: float = 48_000.0) -> float:
    """Frequency of a sine, by its phase in two windows a tenth of a second apart."""
    window = np.hanning(sound.size // 2)
    spectrum = np.abs(np.fft.rfft(sound[: window.size] * window))
    coarse = int(spectrum.argmax()) * sample_rate / window.size
    lag = round(0.02 * sample_rate)
    turn = np.exp(-2j * np.pi * coarse / sample_rate * np.arange(sound.size))
    parts = [(sound * turn)[at : at + window.size] @ window for at in (0, lag)]
    return coarse + float(np.angle(parts[1] / parts[0])) * sample_rate / (2 * np.pi * lag)
