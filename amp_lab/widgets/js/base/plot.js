import { Canvas } from './canvas.js';
import { isPointed, withModifier } from './input.js';
import { colours } from './theme.js';

const CLICK = 4;
export const INKS = ['accent', 'warm', 'good', 'modulation', 'gold', 'sky', 'violet', 'audio'];

/** Round values for an axis, about `count` of them from `low` to `high`; powers of ten on a logarithmic axis. */
export function ticks(low, high, count, log) {
  if (log && high / low > 8) {
    const found = [];
    for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10) {
      for (const step of high / low > 300 ? [1, 2, 5] : [1, 2, 3, 5, 7]) {
        const value = Number((decade * step).toPrecision(3));
        if (value >= low && value <= high) found.push(value);
      }
    }
    return found;
  }
  const raw = (high - low) / Math.max(count, 1);
  const base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * base).find((size) => size >= raw) ?? raw;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/**
 * A canvas with an x axis that can be panned, zoomed and measured.
 * `draw(context, plot)` draws its inside; `moved()` is called after the view changed, `hovered(x)` after the pointer
 * moved, and `refresh()`, if it is set, after the size changed.
 */
export class Plot {
  constructor(root, { label, draw, moved, hovered = () => {}, log = false, low = 0, high = 1, finest = 0, pad = {} }) {
    Object.assign(this, { root, drawInside: draw, moved, hovered, log, low, high, finest });
    this.pad = { left: 54, right: 14, top: 10, bottom: 24, ...pad };
    this.view = [low, high];
    this.cursors = [null, null];
    this.pointer = null;
    this.canvas = new Canvas('plot', () => this.#draw(), label, () => this.refresh?.());
    this.element = this.canvas.element;
    this.element.tabIndex = 0;
    root.menu = (event) => this.#entries(event);
    this.#listen();
  }

  get left() { return this.pad.left; }
  get right() { return this.canvas.width - this.pad.right; }
  get top() { return this.pad.top; }
  get bottom() { return this.canvas.height - this.pad.bottom; }
  get columns() { return Math.max(1, Math.round(this.right - this.left)); }

  /** Set new ends of the axis; the view is kept if it fits. */
  bounds(low, high, finest) {
    const whole = this.view[0] === this.low && this.view[1] === this.high;
    Object.assign(this, { low, high, finest });
    this.view = whole ? [low, high] : this.#fit(this.view);
    this.ask();
  }

  /** Show a part of the axis; `notify`: tell the model. */
  look(view, notify = true) {
    this.view = this.#fit(view);
    this.ask();
    if (notify) this.moved();
  }

  ask() { this.canvas.ask(); }

  x(value) {
    const [a, b] = this.view;
    const part = this.log ? Math.log(value / a) / Math.log(b / a) : (value - a) / (b - a);
    return this.left + part * (this.right - this.left);
  }

  value(x) {
    const [a, b] = this.view;
    const part = (x - this.left) / (this.right - this.left);
    return this.log ? a * (b / a) ** part : a + part * (b - a);
  }

  zoom(factor, at = (this.left + this.right) / 2) {
    const centre = this.value(at);
    const [a, b] = this.view;
    this.look(this.log
      ? [centre * (a / centre) ** factor, centre * (b / centre) ** factor]
      : [centre + (a - centre) * factor, centre + (b - centre) * factor]);
  }

  pan(pixels) {
    const width = this.right - this.left;
    const [a, b] = this.view;
    const shift = (value) => (this.log ? value * (b / a) ** (-pixels / width) : value - (pixels / width) * (b - a));
    const [from, to] = [shift(a), shift(b)];
    if (from < this.low) this.look(this.log ? [this.low, (this.low * b) / a] : [this.low, this.low + b - a]);
    else if (to > this.high) this.look(this.log ? [(this.high * a) / b, this.high] : [this.high - (b - a), this.high]);
    else this.look([from, to]);
  }

  reset() { this.look([this.low, this.high]); }

  close() { this.canvas.close(); }

  /** Grid and labels of the x axis. */
  axis(context, format, inks) {
    context.font = '10px system-ui, sans-serif';
    context.textAlign = 'center';
    let free = -Infinity;
    for (const value of ticks(...this.view, this.columns / 90, this.log)) {
      const x = Math.round(this.x(value));
      context.fillStyle = inks.grid;
      context.fillRect(x, this.top, 1, this.bottom - this.top);
      const text = format(value);
      const half = context.measureText(text).width / 2;
      if (x - half < free || x + half > this.canvas.width) continue;
      free = x + half + 10;
      context.fillStyle = inks.muted;
      context.fillText(text, x, this.bottom + 15);
    }
  }

  #fit([a, b]) {
    let [from, to] = [Math.max(a, this.low), Math.min(b, this.high)];
    if (to - from < this.finest) {
      const middle = Math.min(Math.max((from + to) / 2, this.low + this.finest / 2), this.high - this.finest / 2);
      [from, to] = [middle - this.finest / 2, middle + this.finest / 2];
    }
    return to > from ? [from, to] : [this.low, this.high];
  }

  #draw() {
    const start = performance.now();
    const { context } = this.canvas;
    const inks = colours(this.root, 'ink', 'muted', 'grid', 'line', 'fault', 'panel', 'raised', 'soft', ...INKS);
    this.drawInside(context, this, inks);
    for (const [index, value] of this.cursors.entries()) {
      if (value === null || value < this.view[0] || value > this.view[1]) continue;
      const x = Math.round(this.x(value));
      context.fillStyle = inks.warm;
      context.fillRect(x, this.top, 1.5, this.bottom - this.top);
      context.font = 'bold 10px system-ui, sans-serif';
      context.textAlign = 'left';
      context.fillText('AB'[index], x + 4, this.top + 9);
    }
    if (this.zone) {
      context.fillStyle = `${inks.accent}33`;
      context.fillRect(Math.min(...this.zone), this.top, Math.abs(this.zone[1] - this.zone[0]), this.bottom - this.top);
    } else if (this.pointer !== null) {
      context.fillStyle = inks.muted;
      context.fillRect(Math.round(this.pointer), this.top, 0.5, this.bottom - this.top);
    }
    this.drawMs = performance.now() - start;
  }

  #listen() {
    const element = this.element;
    const at = (event) => event.clientX - element.getBoundingClientRect().left;
    let from = null;
    let last = 0;
    let far = false;
    element.addEventListener('wheel', (event) => {
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(-event.deltaX);
      else this.zoom(1.0016 ** event.deltaY, at(event));
    }, { passive: false });
    element.addEventListener('pointerdown', (event) => {
      if (event.button || !event.isPrimary) return;
      element.setPointerCapture(event.pointerId);
      from = last = at(event);
      far = false;
      if (event.shiftKey) this.zone = [from, from];
    });
    element.addEventListener('pointermove', (event) => {
      const x = at(event);
      this.pointer = x >= this.left && x <= this.right ? x : null;
      if (from !== null) {
        far ||= Math.abs(x - from) > CLICK;
        if (this.zone) this.zone = [from, x];
        else if (far) this.pan(x - last);
        last = x;
      }
      this.hovered(this.pointer === null ? null : this.value(x));
      this.ask();
    });
    element.addEventListener('pointerleave', () => {
      this.pointer = null;
      this.hovered(null);
      this.ask();
    });
    const release = () => {
      this.zone = null;
      from = null;
      this.ask();
    };
    element.addEventListener('pointercancel', release);
    element.addEventListener('pointerup', (event) => {
      if (from === null) return;
      const x = at(event);
      if (this.zone && far) this.look([this.value(Math.min(from, x)), this.value(Math.max(from, x))]);
      else if (!far) this.#mark(this.value(x), event.altKey || event.shiftKey ? 1 : 0);
      release();
    });
    element.addEventListener('dblclick', () => this.reset());
    element.addEventListener('keydown', (event) => this.#key(event));
  }

  #mark(value, index) {
    this.cursors[index] = Math.min(Math.max(value, this.low), this.high);
    this.hovered(this.cursors[index]);
  }

  #key(event) {
    const step = (this.right - this.left) * 0.12;
    const actions = {
      ArrowLeft: () => this.pan(step),
      ArrowRight: () => this.pan(-step),
      ArrowUp: () => this.zoom(0.7),
      ArrowDown: () => this.zoom(1 / 0.7),
      '+': () => this.zoom(0.7),
      '-': () => this.zoom(1 / 0.7),
      Home: () => this.reset(),
      Escape: () => this.#clear(),
    };
    if (!actions[event.key] || withModifier(event)) return;
    event.preventDefault();
    actions[event.key]();
    this.ask();
  }

  /** Entries of the context menu; if the plot itself was clicked, the cursors move there. */
  #entries(event) {
    const x = isPointed(event) && event.target === this.element ? event.clientX - this.element.getBoundingClientRect().left : null;
    const mark = (index) => () => { this.#mark(this.value(x), index); this.ask(); };
    return [
      { text: 'Zoom in', keys: '+', run: () => this.zoom(0.5, x ?? undefined) },
      { text: 'Zoom out', keys: '−', run: () => this.zoom(2, x ?? undefined) },
      { text: 'Show everything', keys: 'Home', run: () => this.reset() },
      null,
      { text: 'Cursor A here', keys: 'Click', disabled: x === null, run: mark(0) },
      { text: 'Cursor B here', keys: 'Alt+Click', disabled: x === null, run: mark(1) },
      { text: 'Remove cursors', keys: 'Esc', disabled: this.cursors.every((value) => value === null), run: () => this.#clear() },
    ];
  }

  #clear() {
    this.cursors = [null, null];
    this.hovered(null);
    this.ask();
  }
}
