/**
 * The code of the audio thread. Its text is loaded as a separate module, so it uses nothing from outside.
 *
 * A ring that messages fill and `process` empties. When it is empty the sound fades out over one quantum; it fades in
 * when the ring is filled again. A guard limits the output: no values that are not finite, none above full scale, and
 * no sudden increase over the earlier level. Its gain is linear between the borders of quanta; at a border it is the
 * lower of the gains that the two quanta require.
 */
export function worklet() {
  const CAPACITY = 2 * sampleRate;
  const REPORT_QUANTA = 24;
  const FLOOR = 0.25; // peak that is always allowed, relative to full scale
  const RISE = 1.04; // growth of the allowed peak per quantum: 12 dB in 0.1 s
  const FORGET = 0.0003; // decay of the loudest peak per quantum: 9 s
  const RECOVER = 1.01; // growth of the guard's gain per quantum: 0.6 s from -20 dB
  const FADE = 0.25; // step from silence to sound per quantum

  class RingPlayer extends AudioWorkletProcessor {
    constructor({ processorOptions }) {
      super();
      this.target = processorOptions.target;
      this.rows = [new Float32Array(CAPACITY), new Float32Array(CAPACITY)];
      this.read = 0;
      this.fill = 0;
      this.flowing = false;
      this.held = true;
      this.starved = false;
      this.allowed = FLOOR;
      this.guard = 1;
      this.fade = 0;
      this.played = 0;
      this.underruns = 0;
      this.silent = 0;
      this.open = true;
      this.#clear();
      this.port.onmessage = ({ data }) => {
        if (data.target) this.target = data.target;
        if (data.hold) {
          this.held = true;
          this.starved = false;
        }
        if (data.close) this.open = false;
        if (data.sound) this.#write(data.sound, data.old);
      };
    }

    #clear() {
      this.quanta = 0;
      this.low = Infinity;
      this.peaks = [0, 0];
      this.squares = [0, 0];
      this.count = 0;
      this.least = 1;
    }

    /** Append channels; `old`, of the same size, is faded into them. */
    #write(sound, old) {
      const frames = sound[0].length;
      this.held = false;
      if (this.fill + frames > CAPACITY) return;
      this.rows.forEach((row, c) => {
        const from = sound[Math.min(c, sound.length - 1)];
        const before = old?.[Math.min(c, old.length - 1)];
        for (let i = 0, at = this.read + this.fill; i < frames; i += 1, at += 1) {
          const share = before ? (i + 1) / (frames + 1) : 1;
          const value = before ? before[i] + share * (from[i] - before[i]) : from[i];
          row[at % CAPACITY] = Number.isFinite(value) ? value : 0;
        }
      });
      this.fill += frames;
    }

    /** Highest magnitude of the next frames after `offset`. */
    #peak(offset, frames) {
      let peak = 0;
      for (const row of this.rows) {
        for (let i = 0, at = this.read + offset; i < frames; i += 1, at += 1) peak = Math.max(peak, Math.abs(row[at % CAPACITY]));
      }
      return peak;
    }

    process(_, [out]) {
      const frames = out[0].length;
      if (!this.flowing && this.fill >= Math.max(0.75 * this.target, 2 * frames)) {
        this.flowing = true;
        this.starved = false;
        this.quanta = REPORT_QUANTA - 1; // report at once
      }
      if (this.flowing) this.#play(out, frames);
      else if (this.starved) this.silent += frames;
      this.low = Math.min(this.low, this.fill);
      if ((this.quanta += 1) === REPORT_QUANTA) this.#report();
      return this.open;
    }

    #play(out, frames) {
      const last = this.fill < 2 * frames;
      const peak = this.#peak(0, frames);
      const next = last ? 0 : this.#peak(frames, frames);
      const loudest = Math.max(peak, next);
      if (loudest > this.allowed) this.allowed = Math.min(this.allowed * RISE, 1);
      else this.allowed += FORGET * (Math.min(1, Math.max(FLOOR, 2 * loudest)) - this.allowed);
      const limit = Math.min(1, this.allowed / Math.max(loudest, 1e-9));
      const guard = Math.min(limit, this.guard * RECOVER);
      const fade = last ? 0 : Math.min(1, this.fade + FADE);
      const gain = this.guard * this.fade;
      const slope = (guard * fade - gain) / frames;
      out.forEach((channel, c) => {
        const row = this.rows[c];
        for (let i = 0; i < frames; i += 1) {
          const value = row[(this.read + i) % CAPACITY];
          channel[i] = Math.min(1, Math.max(-1, value * (gain + slope * (i + 1))));
          this.peaks[c] = Math.max(this.peaks[c], Math.abs(value));
          this.squares[c] += value * value;
        }
      });
      this.least = Math.min(this.least, guard);
      this.guard = guard;
      this.fade = fade;
      this.read = (this.read + frames) % CAPACITY;
      this.fill -= frames;
      this.played += frames;
      this.count += frames;
      if (last) {
        this.flowing = false;
        this.quanta = REPORT_QUANTA - 1;
        this.starved = !this.held;
        if (this.starved) this.underruns += 1;
      }
    }

    #report() {
      const { fill, low, played, flowing, underruns, silent, peaks, least } = this;
      const rms = this.squares.map((sum) => Math.sqrt(sum / Math.max(this.count, 1)));
      this.port.postMessage({ fill, low, played, flowing, underruns, silent, peaks, rms, least });
      this.#clear();
    }
  }
  registerProcessor('amp-live', RingPlayer);
}
