import { Canvas } from '../base/canvas.js';
import { colours } from '../base/theme.js';

const LOW_DB = -60;
const HIGH_DB = 6;
const MARKS = [-48, -36, -24, -12, 0];
const FALL_DB = 1.2;
const HOLD = 24;
const SMOOTH = 0.35;
const LENGTH = 100;

const decibels = (value) => Math.max(LOW_DB, 20 * Math.log10(Math.max(value, 1e-9)));

/** Peak and RMS per channel of the graph's output, with a peak hold. */
export class Meters {
  constructor(root) {
    this.root = root;
    this.channels = [];
    this.canvas = new Canvas('meters', (context, width, height) => this.#draw(context, width, height), 'Levels');
  }

  show(report) {
    if (!report) this.channels = [];
    report?.peaks.forEach((peak, c) => {
      const now = (this.channels[c] ??= { peak: LOW_DB, square: 0, top: LOW_DB, age: 0 });
      now.peak = Math.max(decibels(peak), now.peak - FALL_DB);
      now.square += SMOOTH * (report.rms[c] ** 2 - now.square);
      now.age += 1;
      if (now.peak >= now.top || now.age > HOLD) Object.assign(now, { top: now.peak, age: 0 });
    });
    this.canvas.ask();
  }

  #draw(context, width, height) {
    const ink = colours(this.root, 'accent', 'fault', 'good', 'grid', 'line', 'muted', 'warm');
    const scale = height >= 34 ? 12 : 0;
    const x = (db) => 8 + ((Math.min(db, HIGH_DB) - LOW_DB) / (HIGH_DB - LOW_DB)) * (width - 16);
    const rows = Math.max(this.channels.length, 2);
    const high = (height - scale - 4) / rows;
    context.font = '9.5px system-ui, sans-serif';
    context.textAlign = 'center';
    for (let c = 0; c < rows; c += 1) {
      const top = 2 + c * high;
      const { peak = LOW_DB, square = 0, top: held = LOW_DB } = this.channels[c] ?? {};
      context.fillStyle = ink.grid;
      context.fillRect(x(LOW_DB), top, x(HIGH_DB) - x(LOW_DB), high - 2);
      context.globalAlpha = 0.4;
      context.fillStyle = peak > 0 ? ink.fault : ink.accent;
      context.fillRect(x(LOW_DB), top, x(peak) - x(LOW_DB), high - 2);
      context.globalAlpha = 1;
      context.fillRect(x(LOW_DB), top, x(decibels(Math.sqrt(square))) - x(LOW_DB), high - 2);
      context.fillStyle = held > 0 ? ink.fault : ink.warm;
      if (held > LOW_DB) context.fillRect(x(held) - 1, top, 2, high - 2);
    }
    for (const db of MARKS) {
      context.fillStyle = db === 0 ? ink.muted : ink.line;
      context.fillRect(Math.round(x(db)), 2, 1, height - scale - 6);
      context.fillStyle = ink.muted;
      if (scale) context.fillText(db === 0 ? '0 dBFS' : String(db), x(db), height - 3);
    }
  }
}

/** Frames in the ring over the last seconds, the target, and where the ring was empty. */
export class LevelHistory {
  constructor(root) {
    this.root = root;
    this.past = [];
    this.canvas = new Canvas('history', (context, width, height) => this.#draw(context, width, height), 'Sound in the ring');
  }

  show(report, { context, buffer }) {
    if (!context) this.past = [];
    if (report) {
      const dry = report.underruns > (this.past.at(-1)?.underruns ?? 0);
      this.past = [...this.past, { low: report.low / context.sampleRate, target: buffer.target, underruns: report.underruns, dry }].slice(-LENGTH);
    }
    this.canvas.ask();
  }

  #draw(context, width, height) {
    const ink = colours(this.root, 'accent', 'fault', 'grid', 'muted');
    const most = Math.max(0.1, ...this.past.map(({ target }) => 1.25 * target));
    const x = (index) => ((LENGTH - this.past.length + index) / LENGTH) * width;
    const y = (seconds) => height - 1 - (Math.max(0, seconds) / most) * (height - 2);
    context.fillStyle = ink.grid;
    context.fillRect(0, height - 1, width, 1);
    this.past.forEach(({ low, target, dry }, i) => {
      context.fillStyle = dry ? ink.fault : ink.accent;
      context.globalAlpha = dry ? 1 : 0.45;
      context.fillRect(x(i), dry ? 0 : y(low), width / LENGTH + 0.5, dry ? height : height - y(low));
      context.globalAlpha = 1;
      context.fillStyle = ink.muted;
      context.fillRect(x(i), y(target), width / LENGTH + 0.5, 1);
    });
  }
}
