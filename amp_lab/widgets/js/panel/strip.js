import { Canvas } from '../base/canvas.js';
import { number } from '../base/format.js';
import { colours } from '../base/theme.js';

/** Overview of the newest render: lowest and highest value of each column, one row per channel. */
export class Strip {
  constructor(root) {
    this.root = root;
    this.rows = [];
    this.canvas = new Canvas('strip', (context, width, height) => this.#draw(context, width, height), 'Waveform of the render');
    this.element = this.canvas.element;
    this.head = null;
  }

  /** Show rows, Float32Array of (low, high) pairs each, in the next animation frame. */
  show(rows) {
    this.rows = rows;
    this.canvas.ask();
  }

  /** Position of the sound, 0 to 1, or null. */
  play(part) {
    this.head = part;
    this.canvas.ask();
  }

  #draw(context, width, height) {
    const { accent, fault, grid, muted, panel, warm } = colours(this.root, 'accent', 'fault', 'grid', 'muted', 'panel', 'warm');
    const high = height / Math.max(this.rows.length, 1);
    const peak = Math.max(1e-9, ...this.rows.map((row) => row.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
    const scale = 1 / peak;
    this.rows.forEach((row, index) => {
      const middle = high * (index + 0.5);
      context.fillStyle = grid;
      context.fillRect(0, Math.round(middle), width, 1);
      const columns = row.length / 2;
      const edge = (i) => Math.round((i * width) / columns);
      for (let i = 0; i < columns; i += 1) {
        context.fillStyle = Math.max(row[2 * i + 1], -row[2 * i]) > 1 ? fault : accent;
        const top = middle - row[2 * i + 1] * scale * high * 0.46;
        const bottom = middle - row[2 * i] * scale * high * 0.46;
        context.fillRect(edge(i), top, Math.max(edge(i + 1) - edge(i), 1), Math.max(bottom - top, 1));
      }
    });
    if (this.rows.length) {
      const text = `± ${number(peak)}`;
      context.font = '10px system-ui, sans-serif';
      context.fillStyle = panel;
      context.fillRect(4, 2, context.measureText(text).width + 6, 14);
      context.fillStyle = muted;
      context.fillText(text, 7, 12);
    }
    if (this.head !== null) {
      context.fillStyle = warm;
      context.fillRect(this.head * width, 0, 1.5, height);
    }
  }
}
